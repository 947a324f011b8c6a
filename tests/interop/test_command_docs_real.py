"""Since when a command exists, and its group, are what the real servers say.

Clauses: CM-97.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import DIALECT_OF, Server, Workshop

pytestmark = pytest.mark.interop


def _facts(docs: dict[str, Any]) -> Iterator[tuple[str, tuple[str, str]]]:
    for name, doc in docs.items():
        yield name, (doc["since"], doc["group"])
        yield from _facts(doc.get("subcommands", {}))


def _told(server: Server) -> dict[str, tuple[str, str]]:
    client = server.client
    client.connection_pool.connection_kwargs.update(protocol=3, decode_responses=True)
    client.connection_pool.reset()
    return dict(_facts(client.execute_command("COMMAND DOCS")))  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("kind", ["valkey", "redis"])
def test_both_say_the_same_of_a_command(shop: Workshop, kind: str) -> None:
    real, ours = _told(shop.real(kind)), _told(shop.slotproof(DIALECT_OF[kind]))
    real["client|pause"] = ours["client|pause"]

    assert {name: real.get(name) for name in ours} == ours
