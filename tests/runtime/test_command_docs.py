"""COMMAND DOCS: every command is told of.

Clauses: CM-97.
"""

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

    assert client("COMMAND DOCS get NOSUCH config|get") == {
        "get": {"summary": "The string of a key.", "since": "1.0.0", "group": "string"},
        "config|get": {"summary": "The values of settings.", "since": "2.0.0", "group": "server"},
    }
