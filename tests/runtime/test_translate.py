"""Between the rules' messages and the wire's.

Clauses: RT-5, RT-7, BU-13, BU-14, HB-1.
"""

from typing import Final

import attrs
import pytest

from reference.core import messages as core
from reference.core.slots import SlotSet
from reference.core.types import Address, Health, NodeId, Role, ShardId
from reference.runtime.bus.announcements import knows_extensions
from reference.runtime.bus.translate import (
    WireFacts,
    from_wire,
    to_wire,
    why_unusable,
)
from reference.wire.bus import Heartbeat, PublishMessage, decode, encode
from reference.wire.bus_extensions import ShardIdExtension
from reference.wire.bus_header import (
    BusHeader,
    LightHeader,
    MessageFlag,
    NodeFlag,
    ReportedState,
)
from reference.wire.dialects import wire_dialect

ME, OTHER, SHARD = NodeId("a" * 40), NodeId("b" * 40), ShardId("c" * 40)
FACTS: Final = WireFacts(
    dialect=wire_dialect("valkey-9.1"), cluster_ok=True, heard=lambda _: (7, 9)
)
HEADER: Final = core.Header(
    sender=ME,
    replicaof=None,
    current_epoch=5,
    config_epoch=4,
    slots=SlotSet.between(0, 99),
    shard_id=SHARD,
    address=Address(ip="", port=7000, cport=17000, pport=7100),
)
GOSSIP: Final = core.Gossip(
    node_id=OTHER,
    health=Health.PFAIL,
    role=Role.REPLICA,
    address=Address(ip="127.0.0.2", port=7001, cport=17001, pport=7101),
)
MESSAGES: Final[tuple[core.Message, ...]] = (
    core.Ping(header=HEADER, gossip=(GOSSIP,)),
    core.Pong(header=attrs.evolve(HEADER, replicaof=OTHER)),
    core.Meet(header=attrs.evolve(HEADER, nofailover=True)),
    core.Ping(header=HEADER, gossip=(attrs.evolve(GOSSIP, noaddr=True, role=Role.UNKNOWN),)),
    core.Pong(header=attrs.evolve(HEADER, paused=True), forgotten=frozenset({OTHER})),
    core.Ping(header=attrs.evolve(HEADER, replicaof=OTHER, my_master_failed=True)),
)
BARE: Final[tuple[core.Message, ...]] = (
    core.Fail(header=HEADER, subject=OTHER),
    core.FailoverAuthRequest(header=HEADER, force_ack=True),
    core.FailoverAuthRequest(header=HEADER),
    core.FailoverAuthAck(header=HEADER),
    core.ManualFailoverStart(header=HEADER),
    core.Update(header=HEADER, subject=OTHER, config_epoch=3, slots=SlotSet.of([5])),
)


@pytest.mark.parametrize("message", MESSAGES)
def test_heartbeats_come_back_as_they_went(message: core.Heartbeat) -> None:
    wire = decode(encode(to_wire(message, FACTS, extended=True)))

    assert from_wire(wire) == message


@pytest.mark.parametrize("message", BARE)
def test_other_messages_come_back_without_the_shard(message: core.Message) -> None:
    wire = decode(encode(to_wire(message, FACTS, extended=True)))

    # Only heartbeats have extensions, and so only they tell the shard.
    assert from_wire(wire) == attrs.evolve(message, header=attrs.evolve(HEADER, shard_id=None))


def test_extensions_are_for_those_who_know_them() -> None:
    extended = to_wire(MESSAGES[0], FACTS, extended=True)
    plain = to_wire(MESSAGES[0], FACTS, extended=False)
    old = to_wire(
        MESSAGES[0],
        attrs.evolve(FACTS, dialect=wire_dialect("redis-7.0"), speaks_up=False),
        extended=False,
    )

    assert isinstance(extended, Heartbeat)
    assert isinstance(plain, Heartbeat)
    assert extended.extensions == (ShardIdExtension(shard_id=SHARD),)
    assert plain.extensions == ()
    assert [_knows(wire.header) for wire in (extended, plain, old)] == [True, True, False]


def _knows(header: BusHeader | LightHeader) -> bool:
    assert isinstance(header, BusHeader)
    return knows_extensions(header)


def test_the_wire_carries_what_the_rules_do_not_see() -> None:
    facts = attrs.evolve(FACTS, announced_ip="10.0.0.1", cluster_ok=False, repl_offset=12)

    wire = to_wire(MESSAGES[0], facts, extended=False)

    assert isinstance(wire, Heartbeat)
    header = wire.header
    assert (header.myip, header.port, header.cport, header.offset) == ("10.0.0.1", 7000, 17000, 12)
    assert header.state == ReportedState.FAIL
    light = NodeFlag.LIGHT_HDR_PUBLISH_SUPPORTED | NodeFlag.LIGHT_HDR_MODULE_SUPPORTED
    own = NodeFlag.MYSELF | NodeFlag.MASTER | NodeFlag.EXTENSIONS_SUPPORTED
    assert header.flags == own | light
    assert header.mflags == MessageFlag.EXT_DATA
    [entry] = wire.gossip
    assert (entry.ping_sent, entry.pong_received) == (7, 9)
    assert entry.flags == NodeFlag.SLAVE | NodeFlag.PFAIL


def test_what_the_rules_do_not_know_is_nothing_to_them() -> None:
    header = to_wire(MESSAGES[0], FACTS, extended=False).header
    assert isinstance(header, BusHeader)

    assert from_wire(PublishMessage(header=header, channel=b"c", message=b"m")) is None
    assert why_unusable(PublishMessage(header=LightHeader(), channel=b"", message=b"")) is None


def test_ids_and_addresses_have_to_be_such() -> None:
    wire = to_wire(MESSAGES[0], FACTS, extended=True)
    assert isinstance(wire, Heartbeat)
    entry = wire.gossip[0]
    damaged = [
        attrs.evolve(wire, header=attrs.evolve(wire.header, sender=NodeId("a\n" * 20))),
        attrs.evolve(wire, header=attrs.evolve(wire.header, replicaof=NodeId("A" * 40))),
        attrs.evolve(wire, header=attrs.evolve(wire.header, myip="example.org")),
        attrs.evolve(wire, gossip=(attrs.evolve(entry, nodename=NodeId(" " * 40)),)),
        attrs.evolve(wire, gossip=(attrs.evolve(entry, ip="1.2.3"),)),
        attrs.evolve(wire, extensions=(ShardIdExtension(shard_id=ShardId("\x00" * 40)),)),
    ]

    assert why_unusable(wire) is None
    assert all(why_unusable(each) for each in damaged)
