"""What nodes announce of themselves, and what a node keeps of it.

Clauses: RT-5, RT-20, RT-21, RT-22, RT-23, RT-24, RT-25, CM-44.
"""

import asyncio
from pathlib import Path

import attrs
import pytest

from reference.core.effects import (
    DeleteKeys,
    FlushData,
    PausePurpose,
    PauseWrites,
    ResumeWrites,
)
from reference.core.events import (
    ClusterAddSlots,
    ClusterMeet,
    ClusterReplicate,
    ClusterSetslotImporting,
    ClusterSetslotMigrating,
    ClusterSetslotStable,
)
from reference.core.slots import SlotSet
from reference.core.types import Address, NodeId, ShardId
from reference.runtime.bus.announcements import Announcements
from reference.runtime.clock import new_internal_secret
from reference.runtime.data.keyspace import Keyspace
from reference.runtime.node import Node
from reference.runtime.opening import running_node
from reference.runtime.options import LOOPBACK, NodeOptions
from reference.runtime.pause import WritePause
from reference.wire.announced import NOTHING_ANNOUNCED, Announced, to_extensions
from reference.wire.bus import PingMessage
from reference.wire.bus_extensions import InternalSecretExtension
from reference.wire.bus_header import BusHeader, NodeFlag
from reference.wire.dialects import wire_dialect
from tests.runtime.test_node import eventually, options_in, run

OTHER = NodeId("b" * 40)
SAID = Announced(hostname="b.example", human_nodename="bee")


def _ping(said: Announced, dialect: str = "valkey-9.1", secret: bytes = b"") -> PingMessage:
    kinds = wire_dialect(dialect).extensions
    header = BusHeader(
        sender=OTHER, replicaof=None, current_epoch=0, config_epoch=0, port=1, cport=2,
        flags=NodeFlag.MASTER,
    )  # fmt: skip
    extensions = to_extensions(said, kinds, internal_secret=secret)
    return PingMessage(header=header, extensions=extensions)


def _announcements(dialect: str = "valkey-9.1") -> Announcements:
    return Announcements(NodeOptions(port=1, cport=2, dialect=dialect), {})


def test_a_heartbeat_replaces_what_was_said_before() -> None:
    announcements = _announcements()

    changes = [announcements.hear(OTHER, _ping(said)) for said in (SAID, SAID)]
    heard = announcements.of(OTHER)
    changes.append(announcements.hear(OTHER, _ping(NOTHING_ANNOUNCED)))

    assert changes == [True, False, True]
    assert heard == SAID
    assert announcements.of(OTHER) == NOTHING_ANNOUNCED


def test_the_shard_is_left_to_the_rules() -> None:
    announcements = _announcements()

    announcements.hear(OTHER, _ping(attrs.evolve(SAID, shard_id=ShardId("1" * 40))))

    assert announcements.of(OTHER) == SAID


def test_what_a_forgotten_node_said_is_forgotten() -> None:
    announcements = _announcements()
    announcements.hear(OTHER, _ping(SAID))
    announcements.hear_flags(OTHER, _ping(SAID))

    announcements.forget([OTHER])

    assert announcements.of(OTHER) == NOTHING_ANNOUNCED


@pytest.mark.parametrize(
    ("dialect", "unasked"), [("redis-7.0", True), ("redis-8.0", False), ("valkey-9.1", False)]
)
def test_only_the_oldest_dialect_sends_extensions_to_everybody(
    dialect: str, *, unasked: bool
) -> None:
    announcements = _announcements(dialect)
    assert announcements.extends(OTHER) is unasked

    ping = _ping(SAID)
    advert = attrs.evolve(ping.header, flags=NodeFlag.MASTER | NodeFlag.EXTENSIONS_SUPPORTED)
    announcements.hear_flags(OTHER, attrs.evolve(ping, header=advert))

    assert announcements.extends(OTHER)


def test_the_smallest_secret_is_everybodys() -> None:
    announcements = _announcements("redis-8.0")
    own = announcements.secret
    assert len(own) == len(new_internal_secret()) == 40

    announcements.hear(OTHER, _ping(SAID, "redis-8.0", secret=b"z" * 40))
    assert announcements.secret == own
    announcements.hear(OTHER, _ping(SAID, "redis-8.0", secret=b"!" * 40))

    assert announcements.secret == b"!" * 40
    assert InternalSecretExtension.type in announcements.dialect.extensions


def _meet(node: Node, other: Node) -> None:
    address = Address(ip=LOOPBACK, port=other.options.port, cport=other.options.cport)
    assert node.submit(ClusterMeet(address=address, new_id=node.new_temporary_id())).error is None


@pytest.mark.parametrize("dialect", ["redis-7.0", "redis-8.0", "valkey-8.1", "valkey-9.1"])
def test_a_host_name_reaches_others_and_outlives_them(tmp_path: Path, dialect: str) -> None:
    options = options_in(tmp_path, dialect=dialect)
    named = options_in(tmp_path, dialect=dialect, announce_hostname="first.example")

    async def main() -> None:
        async with running_node(options) as node:
            async with running_node(named) as other:
                _meet(node, other)
                name = other.state.myself_id
                await eventually(lambda: node.announced(name).hostname == "first.example")
                other.configure(attrs.evolve(named, announce_hostname="second.example"))
                await eventually(lambda: node.announced(name).hostname == "second.example")
            await eventually(lambda: ",second.example" in options.config_path.read_text())
        async with running_node(options) as node:
            assert node.announced(name).hostname == "second.example"

    asyncio.run(main())


def test_open_slots_outlive_the_process(tmp_path: Path) -> None:
    options = options_in(tmp_path)

    async def main() -> None:
        async with running_node(options) as node, running_node(options_in(tmp_path)) as other:
            _meet(node, other)
            name = other.state.myself_id
            await eventually(lambda: node.state.known(name) is not None)
            node.submit(ClusterAddSlots(slots=SlotSet.between(0, 9)))
            for command in (
                ClusterSetslotMigrating(slot=3, node=name),
                ClusterSetslotImporting(slot=12, node=name),
                ClusterSetslotMigrating(slot=5, node=name),
                ClusterSetslotStable(slot=5),
            ):
                assert node.submit(command).error is None
            assert f"[3->-{name}] [12-<-{name}]" in options.config_path.read_text()
        async with running_node(options) as node:
            assert list(node.state.migrating_slots_to) == [(3, name)]
            assert list(node.state.importing_slots_from) == [(12, name)]

    asyncio.run(main())


def test_a_new_configuration_reaches_rules_delays_and_file(tmp_path: Path) -> None:
    options = options_in(tmp_path)

    async def test(node: Node) -> None:
        changed = attrs.evolve(
            options, node_timeout_ms=900, announce_port=99, replica_no_failover=True,
            require_full_coverage=False, manual_failover_timeout_ms=70,
        )  # fmt: skip
        node.configure(changed)

        assert node.state.settings == changed.settings
        assert node.state.myself.nofailover
        assert node.state.myself.address is not None
        assert node.state.myself.address.port == 99
        assert (node.pace.node_timeout, node.pace.pause_timeout) == (900, 140)
        assert ":99@" in options.config_path.read_text()
        assert "myself,master,nofailover" in options.config_path.read_text()

    run(test, options)


def test_effects_reach_the_data_and_its_clients(tmp_path: Path) -> None:
    async def test(node: Node) -> None:
        keyspace = node._keyspace
        for key in (b"bar", b"{bar}1", b"hello"):
            keyspace.execute([b"SET", key, b"1"])

        node._carry_out(DeleteKeys(slots=SlotSet.of([5061])), None)
        assert sorted(keyspace.database()) == [b"hello"]
        node._carry_out(FlushData(), None)
        assert len(keyspace) == 0
        node._carry_out(PauseWrites(), None)
        assert node.writes.active
        node._carry_out(ResumeWrites(), None)
        assert not node.writes.active

    run(test, options_in(tmp_path))


def test_a_command_that_replicas_come_first_for_is_carried_out_without_them(
    tmp_path: Path,
) -> None:
    async def test(node: Node) -> None:
        async with running_node(options_in(tmp_path)) as replica:
            _meet(node, replica)
            name = replica.state.myself_id
            await eventually(lambda: node.state.known(name) is not None)
            own = node.state.myself_id
            await eventually(lambda: replica.state.known(own) is not None)
            node.submit(ClusterAddSlots(slots=SlotSet.between(0, 9)))
            assert replica.submit(ClusterReplicate(master=own)).error is None
            await eventually(lambda: node.state.nodes[name].replicaof == own)

            reply = node.submit(ClusterSetslotStable(slot=4))

            assert (reply.error, reply.status) == (None, "OK")

    run(test, options_in(tmp_path))


def test_keys_found_at_the_start_are_told_to_the_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node has no file of keys yet; what a keyspace brings along stands for one."""
    original = Keyspace.__init__

    def with_a_key(self: Keyspace) -> None:
        original(self)
        self.execute([b"SET", b"bar", b"1"])

    monkeypatch.setattr(Keyspace, "__init__", with_a_key)

    async def test(node: Node) -> None:
        assert 5061 in node.state.myself.slots

    run(test, options_in(tmp_path))


def test_a_pause_ends_by_itself_or_when_it_is_told_to() -> None:
    async def main() -> None:
        pause = WritePause()
        pause.begin(1)
        pause.begin(2)
        active = [pause.active]
        async with asyncio.timeout(5):
            await pause.over()
        active.append(pause.active)
        pause.begin(10_000)
        pause.end()
        pause.end()
        assert [*active, pause.active] == [True, False, False]
        pause.begin(10_000)
        [ends] = [alarm.when() for alarm in pause._alarms.values()]
        pause.begin(1)  # what is longer counts
        assert [alarm.when() for alarm in pause._alarms.values()] == [ends]
        pause.begin(10_000, PausePurpose.SLOT_MIGRATION)
        pause.end()
        still = pause.active
        pause.end(PausePurpose.SLOT_MIGRATION)
        assert [still, pause.active] == [True, False]
        async with asyncio.timeout(5):
            await pause.over()

    asyncio.run(main())
