"""What is told of a command is what the real servers say, but for the words.

Clauses: CM-97.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import DIALECT_OF, Server, Workshop

pytestmark = pytest.mark.interop

_WORDS = ("summary", "history", "replaced_by", "complexity", "subcommands")


def _facts(docs: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, doc in docs.items():
        yield (
            name,
            {
                **{key: _without_words(value) for key, value in doc.items() if key not in _WORDS},
                "takes": _formula(doc.get("complexity", "")),
            },
        )
        yield from _facts(doc.get("subcommands", {}))


def _without_words(value: Any) -> Any:
    """The same without what an argument is for, which servers say of one."""
    if isinstance(value, list):
        return [_without_words(each) for each in value]
    if isinstance(value, dict):
        return {key: _without_words(each) for key, each in value.items() if key != "summary"}
    return value


def _formula(complexity: str) -> str:
    """The first time that is told as O(...)."""
    begin = complexity.find("O(")
    depth = 0
    for place, character in enumerate(complexity[begin:] if begin >= 0 else ""):
        depth += (character == "(") - (character == ")")
        if character == ")" and not depth:
            return complexity[begin : begin + place + 1].replace(" ", "")
    return ""


def _told(server: Server) -> dict[str, dict[str, Any]]:
    client = server.client
    client.connection_pool.connection_kwargs.update(protocol=3, decode_responses=True)
    client.connection_pool.reset()
    return dict(_facts(client.execute_command("COMMAND DOCS")))  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("kind", ["valkey", "redis"])
def test_both_say_the_same_of_a_command(shop: Workshop, kind: str) -> None:
    real, ours = _told(shop.real(kind)), _told(shop.slotproof(DIALECT_OF[kind]))
    real["client|pause"]["since"] = ours["client|pause"]["since"]

    differing = {
        name: (real.get(name), told) for name, told in ours.items() if real.get(name) != told
    }
    assert differing == {}
