"""COMMAND DOCS: every command is told of.

Clauses: CM-97.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from reference.core.rules import DIALECTS
from reference.runtime.command_table.table import table_of
from tests.runtime.node_double import Client, NodeDouble, three_masters


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_command_is_told_of(dialect: str) -> None:
    client, table = Client(NodeDouble(three_masters(rules=DIALECTS[dialect]))), table_of(dialect)

    docs = client("COMMAND DOCS")

    assert set(docs) == set(table.commands)
    told = [*docs.values(), *(sub for doc in docs.values() for sub in doc.get("subcommands", {}))]
    assert len(told) == len(table.commands) + len(table.subcommands)
    assert all(doc["summary"].endswith(".") for doc in docs.values())


def test_what_is_asked_for_is_told() -> None:
    client = Client(NodeDouble())

    docs = client("COMMAND DOCS get NOSUCH config|get")

    assert set(docs) == {"get", "config|get"}
    assert docs["get"] == {
        "summary": "The string of a key.",
        "since": "1.0.0",
        "group": "string",
        "complexity": "O(1)",
        "arguments": [{"name": "key", "type": "key", "key_spec_index": 0}],
    }


def tokens(argument: Any) -> Iterator[str]:
    """The words that stand in requests, with those of its parts."""
    yield from [argument["token"]] if "token" in argument else []
    for part in argument.get("arguments", ()):
        yield from tokens(part)


@pytest.mark.parametrize(
    ("dialect", "words"),
    [
        ("redis-7.0", "NX XX GET EX PX EXAT PXAT KEEPTTL"),
        ("redis-8.0", "NX XX GET EX PX EXAT PXAT KEEPTTL"),
        ("valkey-8.1", "NX XX IFEQ GET EX PX EXAT PXAT KEEPTTL"),
        ("strict", "NX XX IFEQ GET EX PX EXAT PXAT KEEPTTL"),
    ],
)
def test_arguments_are_those_of_the_release(dialect: str, words: str) -> None:
    client = Client(NodeDouble(three_masters(rules=DIALECTS[dialect])))

    arguments = client("COMMAND DOCS SET")["set"]["arguments"]

    assert [token for each in arguments for token in tokens(each)] == words.split()
    assert ("display_text" in arguments[0]) is (dialect != "redis-7.0")


def test_an_argument_that_is_younger_than_the_release_is_left_out() -> None:
    older, newer = (
        Client(NodeDouble(three_masters(rules=DIALECTS[dialect])))("COMMAND DOCS CLIENT|KILL")
        for dialect in ("valkey-8.1", "valkey-9.1")
    )
    [old], [new] = (docs["client|kill"]["arguments"] for docs in (older, newer))
    assert "MAXAGE" in tokens(old)
    assert "IDLE" not in tokens(old)
    assert {"MAXAGE", "IDLE"} <= set(tokens(new))


def test_what_is_deprecated_is_said_with_what_is_better() -> None:
    redis, valkey = (
        Client(NodeDouble(three_masters(rules=DIALECTS[dialect])))("COMMAND DOCS SUBSTR SLAVEOF")
        for dialect in ("redis-7.0", "valkey-9.1")
    )
    assert redis["substr"]["replaced_by"] == "`GETRANGE`"
    assert redis["substr"]["deprecated_since"] == "2.0.0"
    assert "replaced_by" not in valkey["substr"]
    assert valkey["slaveof"]["replaced_by"] == "`REPLICAOF`"
