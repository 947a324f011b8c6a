"""Two nodes of ours and two real servers, which know each other, told the same and compared.

Clauses: CM-1, CM-2, CM-11, CM-12, CM-13, CM-46, CM-48, RT-21, RT-25, SC-1, EP-4, MF-1.

What one node is told reaches the other by heartbeats, so that after each command everything waits
until both have heard of each other again. SLOTPROOF_DIFFERENTIAL_EXAMPLES is how many situations.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import attrs
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)
from typing_extensions import override

from reference.runtime.opening import running_node
from reference.runtime.options import NodeOptions, bus_port
from tests.interop.differential import Connection, Ours, link_free_row, shard_of, without_replicas
from tests.support import (
    LOOPBACK,
    Server,
    TimedOutError,
    free_ports,
    redis_binary,
    valkey_binary,
    wait_until,
)

pytestmark = pytest.mark.interop

Words = tuple[str, ...]

_EXAMPLES: Final = os.environ.get("SLOTPROOF_DIFFERENTIAL_EXAMPLES", "")
_PATIENCE: Final = 15
_TIMEOUT_MS: Final = 1000
NAMES: Final = {"$first": "a" * 40, "$second": "b" * 40}
_SHARDS: Final = ("1" * 40, "2" * 40)

_slots = st.sampled_from(["0", "1", "7", "100", "16383"])
_names = st.sampled_from(list(NAMES))


def _command(*parts: "str | st.SearchStrategy[str]") -> st.SearchStrategy[Words]:
    return st.tuples(*(st.just(part) if isinstance(part, str) else part for part in parts))


COMMANDS: Final = st.one_of(
    _command("CLUSTER", "ADDSLOTS", _slots),
    _command("CLUSTER", "ADDSLOTSRANGE", "0", "50"),
    _command("CLUSTER", "ADDSLOTSRANGE", "90", "110"),
    _command("CLUSTER", "DELSLOTS", _slots),
    _command("CLUSTER", "FLUSHSLOTS"),
    _command("CLUSTER", "BUMPEPOCH"),
    _command(
        "CLUSTER", "SETSLOT", _slots, st.sampled_from(["MIGRATING", "IMPORTING", "NODE"]), _names
    ),
    _command("CLUSTER", "SETSLOT", _slots, "NODE", _names),
    _command("CLUSTER", "SETSLOT", _slots, "STABLE"),
    _command("CLUSTER", "REPLICATE", _names),
    _command("CLUSTER", "FAILOVER", st.sampled_from(["FORCE", "TAKEOVER"])),
    _command("CLUSTER", "FAILOVER"),
    _command("CONFIG", "SET", "cluster-announce-hostname", st.sampled_from(["h1", ""])),
    _command("CONFIG", "SET", "cluster-replica-no-failover", st.sampled_from(["yes", "no"])),
    _command("CONFIG", "SET", "cluster-allow-replica-migration", st.sampled_from(["yes", "no"])),
)
"""What changes something that the other node hears of, or is refused."""


def nodes_conf(dialect: str, ports: Sequence[int], own: int) -> str:
    """The file of one of two masters without slots."""
    lines = []
    for number, (name, port) in enumerate(zip(NAMES.values(), ports, strict=True)):
        aux = "" if dialect == "redis-7.0" else f",,tls-port=0,shard-id={_SHARDS[number]}"
        flags = "myself,master" if number == own else "master"
        lines.append(
            f"{name} {LOOPBACK}:{port}@{port + 10000}{aux} {flags} - 0 0 {number + 1} disconnected"
        )
    return "\n".join([*lines, "vars currentEpoch 2 lastVoteEpoch 0", ""])


@attrs.define
class Pair:
    """Two nodes of one kind."""

    ports: list[int]
    connections: list[Connection]
    end_nodes: Callable[[], None]

    def tell(self, which: int, words: Words) -> Any:
        """The reply of one of them."""
        return self.connections[which].ask([NAMES.get(word, word) for word in words])

    def heard_since(self, instant_ms: int) -> bool:
        """Whether each has had an answer from the other that was asked for after the instant."""
        return all(self._pong_ms(which) > instant_ms for which in (0, 1))

    def _pong_ms(self, which: int) -> int:
        lines = str(self.tell(which, ("CLUSTER", "NODES"))).splitlines()
        [other] = [line.split(" ") for line in lines if "myself" not in line]
        return int(other[5]) if other[4] == "0" else 0

    def view(self) -> list[dict[str, Any]]:
        """What both tell of the cluster, without times, ports of the bus and link states."""
        return [self._view_of(which) for which in (0, 1)]

    def _view_of(self, which: int) -> dict[str, Any]:
        def look(word: str) -> Any:
            return self._named(self.tell(which, ("CLUSTER", word)))

        info = dict(line.split(":", 1) for line in str(look("INFO")).splitlines() if line)
        kept = ("cluster_slots", "cluster_known", "cluster_size", "cluster_current", "cluster_my")
        return {
            "nodes": sorted(map(link_free_row, str(look("NODES")).splitlines())),
            "slots": [without_replicas(run) for run in look("SLOTS")],
            "shards": sorted(map(shard_of, look("SHARDS")), key=str),
            "info": {name: text for name, text in info.items() if name.startswith(kept)},
        }

    def _named(self, value: Any) -> Any:
        match value:
            case str():
                for number, port in enumerate(self.ports):
                    value = value.replace(str(port + 10000), f"$bus{number}")
                    value = value.replace(str(port), f"$port{number}")
                return value
            case int() if value in self.ports:
                return f"$port{self.ports.index(value)}"
            case list():
                return [self._named(each) for each in value]
            case _:
                return value

    def end(self) -> None:
        """Both are gone."""
        for connection in self.connections:
            connection.close()
        self.end_nodes()


def _write(directory: Path, dialect: str, ports: list[int]) -> list[Path]:
    folders = []
    for own, port in enumerate(ports):
        folder = directory / f"node-{port}"
        folder.mkdir(parents=True)
        (folder / "nodes.conf").write_text(nodes_conf(dialect, ports, own))
        folders.append(folder)
    return folders


def real_pair(directory: Path, dialect: str) -> Pair:
    """Two servers of the dialect."""
    ports = free_ports(2)
    binary = redis_binary() if dialect.startswith("redis") else valkey_binary()
    servers = []
    for port, folder in zip(ports, _write(directory, dialect, ports), strict=True):
        given = {
            "port": port, "bind": LOOPBACK, "cluster-enabled": "yes", "save": "",
            "cluster-node-timeout": _TIMEOUT_MS, "repl-diskless-sync-delay": 0,
        }  # fmt: skip
        words = [word for name, value in given.items() for word in (f"--{name}", str(value))]
        server = Server(dialect, port, folder, [binary, *words])
        with (folder / "log").open("ab") as log:
            server.process = subprocess.Popen(
                server.command, cwd=folder, stdout=log, stderr=subprocess.STDOUT
            )
        servers.append(server)
    for server in servers:
        wait_until(server.answers, 20, what="the server answers")

    def end() -> None:
        for server in servers:
            server.end()

    return Pair(ports, [Connection(port) for port in ports], end)


def our_pair(ours: Ours, directory: Path, dialect: str) -> Pair:
    """Two nodes of ours."""
    ports = free_ports(2)
    at_end = AsyncExitStack()
    for port, folder in zip(ports, _write(directory, dialect, ports), strict=True):
        options = NodeOptions(
            port=port, cport=bus_port(port), dialect=dialect, directory=folder,
            node_timeout_ms=_TIMEOUT_MS,
        )  # fmt: skip
        ours.run(at_end.enter_async_context(running_node(options)))
    return Pair(ports, [Connection(port) for port in ports], lambda: ours.run(at_end.aclose()))


class Comparison(RuleBasedStateMachine):
    """Two pairs that are told the same."""

    dialect: str
    directory: Path
    ours_in: Ours
    counted: dict[str, int]

    def __init__(self) -> None:
        super().__init__()
        self.pairs: list[Pair] = []

    @initialize()
    def start(self) -> None:
        """All have heard of each other."""
        self.counted["situations"] += 1
        folder = self.directory / str(self.counted["situations"])
        self.pairs = [
            real_pair(folder / "real", self.dialect),
            our_pair(self.ours_in, folder / "ours", self.dialect),
        ]
        self.same_view()

    @rule(which=st.sampled_from([0, 1]), words=COMMANDS)
    def tell(self, which: int, words: Words) -> None:
        """One node of each pair has given the same answer, and all tell the same afterwards."""
        expected, reply = (pair.tell(which, words) for pair in self.pairs)
        self.counted["commands"] += 1
        assert expected == reply, f"{words}: the server says {expected}, the node {reply}"
        self.same_view()

    def same_view(self) -> None:
        """All have heard of each other again, and tell the same, at the latest after a while."""
        instant = int(time.time() * 1000)
        for pair in self.pairs:
            wait_until(
                lambda pair=pair: pair.heard_since(instant),  # type: ignore[misc]
                _PATIENCE,
                what="both have heard of each other",
            )
        try:
            wait_until(lambda: self.pairs[0].view() == self.pairs[1].view(), _PATIENCE)
        except TimedOutError:
            for real, ours in zip(self.pairs[0].view(), self.pairs[1].view(), strict=True):
                for part, told in real.items():
                    assert told == ours[part], part

    @override
    def teardown(self) -> None:
        for pair in self.pairs:
            pair.end()


@pytest.mark.timeout(6000)
@pytest.mark.parametrize("dialect", ["redis-7.0", "valkey-9.1"])
def test_two_nodes_do_as_two_servers_do(
    tmp_path: Path, dialect: str, capsys: pytest.CaptureFixture[str]
) -> None:
    counted = {"situations": 0, "commands": 0}
    ours_in = Ours()
    found = {"dialect": dialect, "directory": tmp_path, "ours_in": ours_in, "counted": counted}
    try:
        run_state_machine_as_test(
            type("Compared", (Comparison,), found),
            settings=settings(
                max_examples=int(_EXAMPLES or 3),
                stateful_step_count=14,
                derandomize=not _EXAMPLES,
                database=None,
                deadline=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        ours_in.close()

    with capsys.disabled():
        sys.stdout.write(f"\n{dialect}, pairs: {counted}\n")
    assert counted["commands"] >= 20, counted
