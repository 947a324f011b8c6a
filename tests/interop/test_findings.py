"""Where real servers do not do what was claimed of them, or what would be safe.

Clauses: EP-P2, EP-10, EL-21.
"""

import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import attrs
import pytest

from reference.core.types import Epoch, NodeId
from tests.interop.findings_support import Peer, PeerThread, peer_thread
from tests.support import (
    DIALECT_OF,
    LOOPBACK,
    Server,
    Workshop,
    cluster_is_ok,
    give_slots,
    greet_until,
    introduce,
    wait_until,
    workshop,
)

pytestmark = [pytest.mark.interop, pytest.mark.timeout(120)]

NODE_TIMEOUT: Final = 1000
"""Milliseconds. A replica then stands again at the earliest 4000 ms after it stood."""


@pytest.fixture(params=["valkey", "redis"])
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def fast_shop(tmp_path: Path) -> Iterator[Workshop]:
    """Real servers with a short node timeout."""
    with workshop(tmp_path, NODE_TIMEOUT) as made:
        yield made


@pytest.fixture
def peers(tmp_path: Path, kind: str) -> Iterator[PeerThread]:
    """Nodes of ours that follow the rules of those servers."""
    with peer_thread(tmp_path, DIALECT_OF[kind], NODE_TIMEOUT) as made:
        yield made


# A currentEpoch that was only heard of.


@attrs.frozen
class Pair:
    """A real master, and one of ours from which it hears of epochs."""

    real: Server
    peer: Peer

    def current_epoch(self) -> int:
        """The real server's, as it says."""
        return int(self.real.info()["cluster_current_epoch"])

    def messages_received(self) -> int:
        """How many the real server has had on the bus."""
        return int(self.real.info()["cluster_stats_messages_received"])

    def settled(self) -> bool:
        """Whether all that the two tell each other of themselves is in the real one's file."""
        slots = f"{self.peer.node.options.port}@"
        lines = [line for line in self.real.nodes_conf.splitlines() if slots in line]
        return (
            self.peer.knows(2)
            and cluster_is_ok([self.real])
            and [line.split()[0] for line in lines] == [self.peer.node_id]
            and lines[0].endswith(" 2 connected 8192-16383")
        )


@pytest.fixture
def pair(fast_shop: Workshop, peers: PeerThread, kind: str) -> Pair:
    made = Pair(fast_shop.real(kind), peers.peer())
    made.real.cluster("SET-CONFIG-EPOCH", 1)
    made.real.cluster("ADDSLOTSRANGE", 0, 8191)
    made.peer.own(2, 8192, 16383)
    greet_until(made.settled, lambda: made.peer.is_met_by(made.real))
    heard = made.messages_received()
    wait_until(lambda: made.messages_received() > heard + 3, 20, what="there is nothing to add")
    wait_until(made.settled, 20, what="the two still know each other")
    return made


def _crash(pair: Pair) -> None:
    """The real server is killed and starts again, and there is nobody to tell it anything."""
    pair.real.kill()
    pair.peer.leave()
    pair.real.start()


def test_a_learnt_epoch_is_gone_after_a_crash(pair: Pair) -> None:
    saved = pair.real.nodes_conf
    assert pair.current_epoch() == 2
    assert "vars currentEpoch 2 " in saved

    pair.peer.do(lambda: pair.peer.node.announce_current_epoch(1000))
    wait_until(lambda: pair.current_epoch() == 1000, 20, what="the server learns the epoch")
    assert pair.real.nodes_conf == saved
    _crash(pair)

    assert pair.current_epoch() == 2


def test_a_learnt_epoch_survives_if_anything_is_saved_after_it(pair: Pair) -> None:
    pair.peer.do(lambda: pair.peer.node.announce_current_epoch(1000))
    wait_until(lambda: pair.current_epoch() == 1000, 20, what="the server learns the epoch")
    assert pair.real.cluster("SAVECONFIG") == "OK"
    _crash(pair)

    assert pair.current_epoch() == 1000


# Votes between two elections.

_STARTED: Final = re.compile(r"Starting a failover election for epoch (\d+)")

TRIES: Final = 5
"""How often a story is told that a stall of this process or the machine can spoil."""


@attrs.frozen
class Cast:
    """Three masters, of which two are ours and vote, and two replicas of the real one.

    The sibling goes down with its master. In Valkey it is still the first in rank, and so the
    candidate waits before it stands; a candidate that is the first itself stands at once.
    """

    master: Server
    sibling: Server
    candidate: Server
    first: Peer
    second: Peer

    @property
    def real(self) -> list[Server]:
        """The real servers."""
        return [self.master, self.sibling, self.candidate]

    @property
    def voters(self) -> list[Peer]:
        """The masters that are left."""
        return [self.first, self.second]

    def greet(self) -> None:
        """The master greets all others."""
        for voter in self.voters:
            voter.is_met_by(self.master)
        for replica in (self.sibling, self.candidate):
            self.master.cluster("MEET", LOOPBACK, replica.port)

    def all_know_all(self) -> bool:
        """Whether everybody knows everybody, and has links."""
        ours = all(voter.knows(5) for voter in self.voters)
        return ours and all(_knows_all(server) for server in self.real)

    @property
    def votes_arrived(self) -> list[Epoch]:
        """The epochs of all votes that the candidate was sent."""
        return [epoch for voter in self.voters for epoch in voter.node.votes_arrived]

    def voted_after(self, epoch: Epoch) -> Epoch:
        """The newest epoch after this one in which every voter's vote is under way, or 0."""
        given = [set(voter.node.votes_under_way) for voter in self.voters]
        return max((each for each in set.intersection(*given) if each > epoch), default=0)

    def planned_after(self, epoch: Epoch) -> bool:
        """Whether the candidate has planned another election since it stood in this epoch."""
        _, *since = re.split(rf"failover election for epoch {epoch}\b", self.candidate.log)
        return bool(since) and "Start of election delayed for" in since[0]

    @property
    def epochs(self) -> list[Epoch]:
        """The epochs in which the candidate has stood so far."""
        return [int(epoch) for epoch in _STARTED.findall(self.candidate.log)]

    @property
    def won(self) -> bool:
        """Whether the candidate says that it won."""
        return "Failover election won" in self.candidate.log

    def lose_master(self) -> None:
        """The master and the replica that is first in rank are gone."""
        self.master.kill()
        self.sibling.kill()

    def stand_twice(self, after: Epoch, late: list[Peer], voter: Peer | None) -> Epoch:
        """The candidate has stood in an epoch after this one and lost, and in the next one.

        It is the unmodified server, and the voters vote by their rules. Only their votes travel
        slowly; a voter that stalls between request and vote would do the same.

        Of the votes for the first of the two none arrives in time, and those of `late` when the
        next is planned already. Of those for the next only the voter's arrives.
        """
        epoch = wait_until(lambda: self.voted_after(after), 30, what="all have voted")
        if voter is not None:
            voter.node.quick_epoch = epoch + 1  # seconds before that is planned
        planned = lambda: self.planned_after(epoch)  # noqa: E731 - asked until true
        wait_until(planned, 20, every=0.005, what="the next is planned")
        for each in late:
            each.do(partial(each.node.deliver_votes, epoch))
        wait_until(lambda: self.won or self.planned_after(epoch + 1), 20, what="it stood again")
        return epoch

    def elect(self, late: list[Peer], voter: Peer | None) -> Epoch:
        """The epoch of an election that was won with late votes, and with the vote of the voter.

        The late votes can miss the time between the two; then the story is told once more.
        """
        after = 0
        for _ in range(TRIES):
            after = self.stand_twice(after, late, voter) + 1
            if self.won:
                break
        assert self.won, self.candidate.log
        return self.epochs[-1]


def _words(reply: object) -> Iterator[object]:
    """All that a nested reply is made of, in order."""
    if isinstance(reply, dict):
        for pair in reply.items():
            yield from _words(pair)
    elif isinstance(reply, list | tuple):
        for part in reply:
            yield from _words(part)
    else:
        yield reply


def _offset(server: Server, seen_by: Server) -> object:
    """The replication offset of a server in the eyes of another."""
    words = list(_words(seen_by.cluster("SHARDS")))
    about = words[words.index(server.node_id) :]
    return about[about.index("replication-offset") + 1]


@pytest.fixture
def cast(fast_shop: Workshop, peers: PeerThread, kind: str) -> Cast:
    master, *replicas = (fast_shop.real(kind) for _ in range(3))
    sibling, candidate = sorted(replicas, key=lambda replica: replica.node_id)
    made = Cast(master, sibling, candidate, first=peers.peer(), second=peers.peer())
    master.client.config_set("repl-ping-replica-period", 3600)  # offsets do not move any more
    master.cluster("SET-CONFIG-EPOCH", 1)
    master.cluster("ADDSLOTSRANGE", 0, 5460)
    made.first.own(2, 5461, 10922)
    made.second.own(3, 10923, 16383)
    greet_until(made.all_know_all, made.greet)
    for replica in replicas:
        replica.cluster("REPLICATE", master.node_id)
    wait_until(lambda: _all_follow(made), 20, what="the replicas have the data and are known")
    return made


def _knows_all(server: Server) -> bool:
    rows = server.view().values()
    return len(rows) == 5 and all(row.connected and "handshake" not in row.flags for row in rows)


def _all_follow(cast: Cast) -> bool:
    replicas = [cast.sibling, cast.candidate]
    ids = [NodeId(replica.node_id) for replica in replicas]
    offsets = {_offset(server, server) for server in cast.real}
    return (
        all(r.client.info("replication")["master_link_status"] == "up" for r in replicas)
        and all(voter.node.state.nodes[i].is_replica for voter in cast.voters for i in ids)
        and offsets == {_offset(cast.sibling, cast.candidate)}
        and cluster_is_ok(cast.real)
    )


def _all_follow_the_winner(cast: Cast, epoch: Epoch) -> bool:
    row = cast.candidate.view()[cast.candidate.node_id]
    nodes = [voter.node.state.nodes[NodeId(row.node_id)] for voter in cast.voters]
    return (row.slots, row.epoch) == (("0-5460",), epoch) and all(
        node.is_master and node.config_epoch == epoch and 5460 in node.slots for node in nodes
    )


def test_a_late_vote_counts_for_the_next_election(cast: Cast) -> None:
    assert cast.candidate.info()["cluster_size"] == "3"  # so that a majority is 2

    cast.lose_master()
    epoch = cast.elect([cast.first], cast.second)

    assert cast.first.node.votes_arrived[-1] == epoch - 1
    assert cast.second.node.votes_arrived[-1] == epoch
    assert cast.votes_arrived.count(epoch) == 1
    wait_until(lambda: _all_follow_the_winner(cast, epoch), 20, what="all follow the winner")


def test_a_voter_whose_vote_is_late_is_counted_twice(cast: Cast) -> None:
    cast.lose_master()
    epoch = cast.elect([cast.first], cast.first)

    assert cast.first.node.votes_arrived[-2:] == [epoch - 1, epoch]
    assert cast.second.node.votes_arrived == []
    assert cast.votes_arrived.count(epoch) == 1
    wait_until(lambda: _all_follow_the_winner(cast, epoch), 20, what="all follow the winner")


def test_late_votes_elect_where_nobody_voted(cast: Cast) -> None:
    cast.lose_master()
    epoch = cast.elect(cast.voters, None)

    assert cast.first.node.votes_arrived[-1] == epoch - 1
    assert cast.second.node.votes_arrived[-1] == epoch - 1
    assert epoch not in cast.votes_arrived
    wait_until(lambda: _all_follow_the_winner(cast, epoch), 20, what="all follow the winner")


def test_one_vote_without_a_late_one_does_not_win(cast: Cast) -> None:
    cast.lose_master()
    epoch = cast.stand_twice(0, [], cast.second)

    assert not cast.won
    assert cast.votes_arrived == cast.second.node.votes_arrived == [epoch + 1]
    assert "slave" in cast.candidate.view()[cast.candidate.node_id].flags


# The same among real servers only, of which two stall for a few seconds.

LONG_NODE_TIMEOUT: Final = 2500
"""Milliseconds. Links to a stalled node stay for half of it: longer than an election is put off."""


@attrs.frozen
class RealCast:
    """Three masters and two replicas of the first, all real."""

    master: Server
    voters: list[Server]
    sibling: Server
    candidate: Server

    def log_has(self, text: str, times: int) -> bool:
        """Whether the candidate has written this so often."""
        return self.candidate.log.count(text) >= times

    @property
    def acks(self) -> int:
        """How many votes have arrived at the candidate."""
        return int(self.candidate.info().get("cluster_stats_messages_auth-ack_received", 0))

    def grants(self, epoch: Epoch) -> int:
        """How many voters say that they voted for the candidate in this epoch."""
        who = self.candidate.node_id
        grant = re.compile(rf"auth granted to {who}.* for epoch {epoch}$", re.MULTILINE)
        return sum(bool(grant.search(voter.log)) for voter in self.voters)


@contextmanager
def real_cast(folder: Path, kind: str) -> Iterator[RealCast]:
    """The cast, with the replicas' data and all agreed, in this folder."""
    folder.mkdir()
    with workshop(folder, LONG_NODE_TIMEOUT) as shop:
        *masters, one, other = (shop.real(kind) for _ in range(5))
        sibling, candidate = sorted((one, other), key=lambda replica: replica.node_id)
        masters[0].client.config_set("repl-ping-replica-period", 3600)
        give_slots(masters)
        introduce(shop.servers)
        replicas = {sibling.node_id, candidate.node_id}
        for replica in (one, other):
            replica.cluster("REPLICATE", masters[0].node_id)
        synced = [masters[0], one, other]

        def settled() -> bool:
            offsets = {_offset(server, server) for server in synced}
            return (
                all(r.client.info("replication")["master_link_status"] == "up" for r in synced[1:])
                and all("slave" in m.view()[i].flags for m in masters for i in replicas)
                and offsets == {_offset(sibling, candidate)}
                and cluster_is_ok(shop.servers)
            )

        wait_until(settled, 20, what="the replicas have the data and are known")
        yield RealCast(masters[0], masters[1:], sibling, candidate)


class TooLateError(Exception):
    """The story was not told: the candidate stood before the voters had stopped or gone on."""


@pytest.mark.timeout(300)
def test_voters_that_stall_elect_without_a_majority(tmp_path: Path, kind: str) -> None:
    for attempt in range(TRIES):
        with real_cast(tmp_path / f"try-{attempt}", kind) as cast:
            try:
                _elect_without_a_majority(cast, kind)
            except TooLateError:
                continue
            return
    pytest.fail(f"in {TRIES} clusters the signals came too late")


def _elect_without_a_majority(cast: RealCast, kind: str) -> None:
    """The candidate is elected so; TooLateError if a signal missed the time before an election."""
    candidate, voters = cast.candidate, cast.voters
    # Redis does not vote again at once for the same master, so that nobody votes in the second
    # epoch. In Valkey the one that goes on votes in both, and the other one never.
    woken = voters if kind == "redis" else voters[:1]
    cast.master.kill()
    cast.sibling.kill()
    planned, started = "Start of election delayed for", "Starting a failover election for epoch"
    wait_until(lambda: cast.log_has(planned, 1), 20, every=0.005)
    with _stopped(voters):
        _not_yet(lambda: cast.log_has(started, 1))
        wait_until(lambda: cast.log_has(planned, 2), 20, every=0.005)
        for voter in woken:
            voter.running.send_signal(signal.SIGCONT)
        wait_until(lambda: cast.log_has(started, 2) or cast.acks == len(woken), 20, every=0.005)
        _not_yet(lambda: cast.log_has(started, 2))
        wait_until(lambda: cast.log_has(started, 2), 20, what="the candidate stands again")
        wait_until(lambda: cast.log_has("Failover election won", 1), 10, what="it is elected")
        first, second = map(int, _STARTED.findall(candidate.log))

        row = candidate.view()[candidate.node_id]
        assert (row.slots, row.epoch, second) == (("0-5460",), second, first + 1)
        assert candidate.info()["cluster_size"] == "3"  # so that a majority is 2
        assert cast.grants(first) == len(woken)
        assert cast.grants(second) == (0 if kind == "redis" else 1)


def _not_yet(begun: Callable[[], bool]) -> None:
    """An election has not begun, so that all that has happened has happened before."""
    if begun():
        raise TooLateError


@contextmanager
def _stopped(servers: list[Server]) -> Iterator[None]:
    """The servers stand still from the beginning of the block, and go on at its end."""
    try:
        for server in servers:
            server.running.send_signal(signal.SIGSTOP)
        for server in servers:
            _, status = os.waitpid(server.running.pid, os.WUNTRACED)
            assert os.WIFSTOPPED(status)
        yield
    finally:
        for server in servers:
            server.running.send_signal(signal.SIGCONT)
