"""A state and its nodes.conf.

Clauses: MO-4, EP-7, NC-1, NC-4, NC-14.
"""

from pathlib import Path

import attrs
import pytest

from reference.core.nodes import ClusterNode
from reference.core.rules import REDIS_8_0, VALKEY_9_1, Rules
from reference.core.state import ClusterState, durable, restarted
from reference.core.types import Health, NodeId, Role, ShardId
from reference.runtime.files.nodes_file import NO_CONTACT, Contact, from_conf, to_conf
from reference.runtime.host.cluster import formed_cluster, spread_slots
from reference.runtime.options import NodeOptions
from reference.wire.nodes_conf import format_nodes_conf
from reference.wire.nodes_conf_parse import parse_nodes_conf
from tests.builders import EITHER

VECTORS = Path(__file__).parent.parent.parent / "spec" / "vectors"


def _state(rules: Rules) -> ClusterState:
    options = [NodeOptions(port=7000 + n, cport=17000 + n, dialect=rules.dialect) for n in range(6)]
    return formed_cluster(options, 3)[0][1]


def _again(state: ClusterState, contact: Contact = NO_CONTACT) -> ClusterState:
    content = format_nodes_conf(to_conf(state, lambda _: contact))
    return from_conf(parse_nodes_conf(content), state.rules)


@pytest.mark.parametrize("rules", EITHER)
def test_a_state_comes_back_from_its_file(rules: Rules) -> None:
    state = attrs.evolve(_state(rules), last_vote_epoch=2, current_epoch=9)

    assert _again(state) == restarted(durable(state))


@pytest.mark.parametrize(
    "fields",
    [
        {"health": Health.PFAIL},
        {"health": Health.FAIL, "noaddr": True, "address": None},
        {"nofailover": True},
        {"role": Role.UNKNOWN, "replicaof": None},
    ],
)
def test_what_is_known_of_a_node_comes_back(fields: dict[str, object]) -> None:
    state = _state(EITHER[1])
    other = next(node for node in state.nodes if node.is_replica)
    state = state.put(attrs.evolve(other, **fields))  # type: ignore[arg-type]

    assert _again(state, Contact(connected=True, ping_sent=5)) == restarted(state)


def test_a_node_in_handshake_is_not_kept() -> None:
    state = _state(EITHER[0])
    stranger = ClusterNode(node_id=NodeId("f" * 40), handshake=True, role=Role.UNKNOWN)

    assert _again(state.put(stranger)) == restarted(state)


@pytest.mark.parametrize("rules", EITHER)
def test_the_file_of_a_real_server_is_read(rules: Rules) -> None:
    content = (VECTORS / f"nodes-{rules.dialect}.conf").read_bytes()

    state = from_conf(parse_nodes_conf(content), rules)

    assert state.myself.address is not None
    assert (state.myself.shard_id is not None) is rules.shards
    assert _again(state) == state


@pytest.mark.parametrize("masters", [1, 3, 7, 1000])
def test_slots_are_spread_evenly(masters: int) -> None:
    spread = spread_slots(masters)

    assert sum(map(len, spread)) == 16384
    assert max(map(len, spread)) - min(map(len, spread)) <= 1
    assert [first for slots in spread for first, _ in slots.ranges] == sorted(
        min(slots) for slots in spread
    )


@pytest.mark.parametrize(("rules", "agrees"), [(VALKEY_9_1, True), (REDIS_8_0, False)])
def test_replicas_in_a_file_are_of_the_shards_of_their_masters(rules: Rules, agrees: bool) -> None:  # noqa: FBT001
    state = _state(rules)
    replica = next(node for node in state.nodes if node.is_replica)
    stray = attrs.evolve(replica, shard_id=ShardId("9" * 40))

    again = _again(state.put(stray)).nodes[replica.node_id]

    assert again.shard_id == (replica.shard_id if agrees else stray.shard_id)
