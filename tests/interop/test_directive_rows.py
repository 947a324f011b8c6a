"""The table of directives agrees with the servers that it was read from.

Clauses: RT-30, RT-31.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reference.runtime.configuration.kept_directives import kept_directives
from tests.support import DIALECT_OF, LOOPBACK, Server, Workshop, workshop

pytestmark = pytest.mark.interop

# What depends on the machine, or is given by the workshop.
_GIVEN = {
    "appendonly", "bind", "cluster-enabled", "cluster-node-timeout", "daemonize", "dir", "loglevel",
    "port", "repl-diskless-sync-delay", "save", "pidfile", "maxclients",
}  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    with workshop(tmp_path) as made:
        yield made


@pytest.mark.parametrize("kind", ["redis", "valkey"])
def test_names_and_defaults_are_those_of_the_server(shop: Workshop, kind: str) -> None:
    server: Server = shop.real(kind)
    shown = server.client.config_get("*")
    rows = kept_directives(DIALECT_OF[kind])

    assert {name for name, row in rows.items() if not row.hidden} == shown.keys()
    ours = {name: row.default for name, row in rows.items() if name in shown.keys() - _GIVEN}
    assert ours == {name: shown[name] for name in ours}
    assert shown["bind"] == LOOPBACK
