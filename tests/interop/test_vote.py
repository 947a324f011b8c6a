"""The vote that decides an election of real servers.

Clauses: EL-4, EL-6, EL-10, FD-6, PA-10.
"""

import attrs
import pytest

from tests.support import (
    DIALECT_OF,
    Server,
    Workshop,
    cluster_is_ok,
    give_slots,
    holds_for,
    introduce,
    last_vote_epoch,
    wait_until,
)

pytestmark = [pytest.mark.interop, pytest.mark.timeout(120)]


@attrs.frozen
class Cast:
    """Three masters, of which two are real servers, and a real replica of the first."""

    doomed: Server
    other: Server
    ours: Server
    replica: Server

    @property
    def all(self) -> list[Server]:
        """Everybody."""
        return [self.doomed, self.other, self.ours, self.replica]


@pytest.fixture(params=["valkey", "redis"])
def cast(shop: Workshop, request: pytest.FixtureRequest) -> Cast:
    kind = request.param
    made = Cast(
        doomed=shop.real(kind),
        other=shop.real(kind),
        ours=shop.slotproof(DIALECT_OF[kind]),
        replica=shop.real(kind),
    )
    give_slots([made.doomed, made.other, made.ours])
    introduce(made.all)
    made.replica.cluster("REPLICATE", made.doomed.node_id)
    wait_until(lambda: cluster_is_ok(made.all), 30, what="the cluster is ok")
    wait_until(
        lambda: made.replica.client.info("replication")["master_link_status"] == "up",
        30,
        what="the replica has the data",
    )
    wait_until(lambda: all("slave" in n.view()[made.replica.node_id].flags for n in made.all), 20)
    return made


def _is_master(node: Server, seen_by: Server) -> bool:
    return "master" in seen_by.view()[node.node_id].flags


def test_replica_is_elected_with_the_vote_of_our_node(cast: Cast) -> None:
    replica_id, survivors = cast.replica.node_id, [cast.other, cast.ours, cast.replica]

    cast.doomed.kill()

    wait_until(
        lambda: all(_is_master(cast.replica, node) for node in survivors),
        20,
        what="all see the replica as a master",
    )
    views = [node.view()[replica_id] for node in survivors]
    assert {view.slots for view in views} == {("0-5460",)}
    [epoch] = {view.epoch for view in views}
    # The quorum is 2 of 3, one master is dead, and the other real one voted once.
    assert last_vote_epoch(cast.ours) == epoch
    assert last_vote_epoch(cast.other) == epoch
    assert f"voted for {replica_id} in epoch {epoch}" in cast.ours.log
    assert cast.ours.info()["cluster_stats_messages_auth-ack_sent"] == "1"
    wait_until(lambda: cluster_is_ok(survivors), 20, what="the cluster is ok again")


def test_replica_is_not_elected_without_our_node(cast: Cast) -> None:
    cast.ours.kill()
    cast.doomed.kill()

    holds_for(lambda: not _is_master(cast.replica, cast.other), 10)
    assert not _is_master(cast.replica, cast.replica)
