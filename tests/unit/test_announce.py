"""What a node says of itself and of others.

Clauses: HB-1, HB-2, HB-3.
"""

import attrs

from reference.core.announce import gossip, header, meet, ping, pong
from reference.core.messages import Gossip, Meet, Ping, Pong
from reference.core.rules import VALKEY_9_1
from reference.core.types import Health, Role
from tests.builders import A1, STRANGER, A, B, C, add, address_of, change, slots, view


def test_a_master_announces_its_own_slots_and_config_epoch() -> None:
    said = header(view(B))

    assert said.sender == B
    assert said.replicaof is None
    assert said.config_epoch == 2
    assert said.current_epoch == 3
    assert slots(1) == said.slots
    assert address_of(B) == said.address


def test_a_replica_announces_the_slots_and_config_epoch_of_its_master() -> None:
    said = header(change(view(A1), A1, config_epoch=9))

    assert said.sender == A1
    assert said.replicaof == A
    assert said.config_epoch == 1
    assert slots(0) == said.slots


def test_a_replica_that_does_not_know_its_master_announces_itself() -> None:
    said = header(change(view(A1), A1, replicaof=STRANGER, config_epoch=9))

    assert said.config_epoch == 9
    assert not said.slots


def test_shards_are_announced_where_there_are_shards() -> None:
    assert header(view(A1, rules=VALKEY_9_1)).shard_id == "shard-a"
    assert header(view(A1)).shard_id is None


def test_the_nofailover_flag_is_announced() -> None:
    assert header(change(view(A1), A1, nofailover=True)).nofailover


def test_gossip_is_about_the_chosen_nodes_and_those_in_pfail() -> None:
    state = change(view(A), C, health=Health.PFAIL)

    said = gossip(state, [A1])

    assert said == (
        Gossip(node_id=A1, health=Health.OK, role=Role.REPLICA, address=address_of(A1)),
        Gossip(node_id=C, health=Health.PFAIL, role=Role.MASTER, address=address_of(C)),
    )


def test_gossip_is_never_about_oneself_or_nodes_without_a_name_or_an_address() -> None:
    state = change(view(A), B, health=Health.PFAIL, noaddr=True)
    state = add(state, STRANGER, handshake=True)

    assert gossip(state, [A, B, STRANGER]) == ()


def test_a_node_in_fail_is_gossiped_only_if_chosen() -> None:
    state = change(view(A), C, health=Health.FAIL)

    assert gossip(state, []) == ()
    assert [entry.health for entry in gossip(state, [C])] == [Health.FAIL]


def test_heartbeats_differ_only_in_their_type() -> None:
    state = attrs.evolve(view(A), current_epoch=8)
    said, about = header(state), gossip(state, [B])

    assert Ping(header=said, gossip=about) == ping(state, [B])
    assert Pong(header=said, gossip=about) == pong(state, [B])
    assert Meet(header=said, gossip=about) == meet(state, [B])
