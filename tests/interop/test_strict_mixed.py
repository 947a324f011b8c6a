"""A cluster of strict nodes, Valkey 9.1 and Redis 7.0: the strict ones are elected, and vote.

Clauses: EP-13, EL-4, EL-27, NC-13, EL-10, EL-12, SC-1, SC-7, HS-3.
"""

from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from reference.core.epoch_kinds import EpochKind, kind_of, round_of
from reference.core.types import NodeId
from tests.support import (
    Server,
    Workshop,
    cluster_is_ok,
    give_slots,
    introduce,
    last_vote_epoch,
    start,
    wait_until,
    workshop,
)

pytestmark = [pytest.mark.interop, pytest.mark.timeout(180)]


@attrs.frozen
class Cast:
    """Three masters, one of each kind, and a replica of each real one."""

    valkey: Server
    redis: Server
    strict: Server
    heir_of_valkey: Server  # strict
    heir_of_redis: Server  # Redis
    valkey_id: str = ""

    @property
    def all(self) -> list[Server]:
        """Everybody."""
        return [self.valkey, self.redis, self.strict, self.heir_of_valkey, self.heir_of_redis]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    with workshop(tmp_path, node_timeout=3000) as made:
        yield made


@pytest.fixture
def cast(shop: Workshop) -> Cast:
    made = Cast(
        valkey=shop.unstarted_real("valkey"),
        redis=shop.unstarted_real("redis"),
        strict=shop.unstarted_slotproof("strict"),
        heir_of_valkey=shop.unstarted_slotproof("strict"),
        heir_of_redis=shop.unstarted_real("redis"),
    )
    start(made.all)
    give_slots([made.valkey, made.redis, made.strict])
    introduce(made.all)
    made.heir_of_valkey.cluster("REPLICATE", made.valkey.node_id)
    made.heir_of_redis.cluster("REPLICATE", made.redis.node_id)
    wait_until(lambda: cluster_is_ok(made.all), 30, what="the cluster is ok")
    heirs = (made.heir_of_valkey, made.heir_of_redis)
    wait_until(lambda: all(map(_has_data, heirs)), 30, what="the replicas have the data")
    wait_until(lambda: all(_is(h, "slave", n) for h in heirs for n in made.all), 20)
    return attrs.evolve(made, valkey_id=made.valkey.node_id)


def _has_data(replica: Server) -> bool:
    return bool(replica.client.info("replication")["master_link_status"] == "up")


def _is(node: Server, role: str, seen_by: Server) -> bool:
    return role in seen_by.view()[node.node_id].flags


def _epoch_of(node: Server, seen_by: list[Server]) -> int:
    [epoch] = {each.view()[node.node_id].epoch for each in seen_by}
    return epoch


def test_strict_nodes_win_vote_and_take_epochs_that_real_ones_follow(cast: Cast) -> None:
    cast.valkey.client.set("{06S}kept", "by the strict replica")
    wait_until(lambda: cast.heir_of_valkey.client.dbsize() == 1, 10, what="the key is copied")

    cast.valkey.kill()
    left = [cast.redis, cast.strict, cast.heir_of_valkey, cast.heir_of_redis]
    heir = cast.heir_of_valkey
    wait_until(lambda: all(_is(heir, "master", n) for n in left), 60, what="a strict one leads")
    won = _epoch_of(heir, left)
    assert kind_of(won, NodeId(heir.node_id)) is EpochKind.ELECTED
    assert round_of(won) >= 1  # the epochs of the start were small
    assert last_vote_epoch(cast.redis) == last_vote_epoch(cast.strict) == won
    wait_until(lambda: cluster_is_ok(left), 20, what="the cluster is ok with a strict master")
    assert heir.client.get("{06S}kept") == "by the strict replica"

    assert f"takenFrom {cast.valkey_id}:0-5460" in heir.nodes_conf
    cast.valkey.start()
    wait_until(lambda: _is(cast.valkey, "slave", cast.redis), 60, what="the old master follows")
    assert cast.valkey.view()[cast.valkey.node_id].replicaof == heir.node_id

    cast.redis.kill()
    left = [cast.valkey, cast.strict, cast.heir_of_valkey, cast.heir_of_redis]
    other = cast.heir_of_redis
    wait_until(lambda: all(_is(other, "master", n) for n in left), 60, what="a real one leads")
    # Of the three masters one is dead, and the two others are strict: both had to vote.
    next_won = _epoch_of(other, left)
    assert won < next_won < won + 10  # a release counts on from there
    assert last_vote_epoch(cast.strict) == last_vote_epoch(heir) == next_won
    wait_until(lambda: cluster_is_ok(left), 20, what="the cluster is ok again")

    cast.strict.cluster("BUMPEPOCH")
    name = NodeId(cast.strict.node_id)
    wait_until(lambda: len({n.view()[name].epoch for n in left}) == 1, 20, what="all heard of it")
    assert kind_of(_epoch_of(cast.strict, left), name) is EpochKind.KEPT
    assert cluster_is_ok(left)
