"""The yardsticks: what is claimed of each, and its scope from the constants of its module."""

from itertools import combinations
from typing import Any, Final

from model_check.links import FlightLinks, SetLinks
from model_check.models.yardstick.cfg import Cfg
from model_check.models.yardstick.paxos import Acceptor, Paxos
from model_check.models.yardstick.paxos import State as PaxosState
from model_check.models.yardstick.redis_failover import Node, RedisFailover
from model_check.models.yardstick.two_phase import State as CommitState
from model_check.models.yardstick.two_phase import TwoPhase
from model_check.models.yardstick.yardstick import Scope, Yardstick
from model_check.properties import Invariant, Sometimes


def _failover_scope(cfg: Cfg) -> Scope:
    masters = cfg.integer("M", least=1, most=7)
    replicas = cfg.integer("R", least=0, most=7)
    nodes = masters + replicas
    system = RedisFailover(
        masters=masters,
        replicas=replicas,
        same_master=cfg.choice("Assign", "same", "spread") == "same",
        max_epoch=cfg.integer("MaxEpoch", least=1),
        can_crash=_from_zero(cfg.numbers("CanCrash", most=nodes)),
        can_suspect=_from_zero(cfg.numbers("CanSuspect", most=nodes)),
        distinct_epochs=cfg.boolean("DistinctEpochs"),
        persist_vote=cfg.boolean("PersistVote"),
    )
    links = FlightLinks(
        capacity=cfg.integer("MaxMsgs", least=1),
        crowded=cfg.integer("MaxHB", least=0),
        lossy=cfg.boolean("Lossy"),
    )
    return Scope(
        system, links, f"{masters} masters, {replicas} replicas, epochs up to {system.max_epoch}"
    )


def _from_zero(numbers: frozenset[int]) -> frozenset[int]:
    return frozenset(number - 1 for number in numbers)


def _claimed(process: int, node: Node) -> tuple[int, frozenset[int]] | None:
    """The config epoch and the own slots of a master."""
    return (node.config_epoch, node.slots_of(process)) if node.master == process else None


def _no_double_claim(claims: tuple[Any, ...]) -> bool:
    masters = [claim for claim in claims if claim is not None]
    return not any(a[0] == b[0] and a[1] & b[1] for a, b in combinations(masters, 2))


REDIS_FAILOVER: Final = Yardstick(
    name="yardstick/redis-failover",
    text="the failover of Redis Cluster, abstracted: votes, claims, heartbeats, updates",
    scope=_failover_scope,
    properties=(
        Invariant[Node](
            id="TypeOK",
            project=lambda _, node: (
                max(node.config_epoch, node.last_vote_epoch) <= node.current_epoch
            ),
            judge=all,
            text="no node has claimed or voted in an epoch above its current one",
        ),
        Invariant[Node](
            id="OneWinnerPerEpoch",
            project=lambda _, node: node.won,
            judge=lambda won: not any(a & b for a, b in combinations(won, 2)),
            text="at most one node wins an election for an epoch",
        ),
        Invariant[Node](
            id="NoDoubleClaim",
            project=_claimed,
            judge=_no_double_claim,
            text="no two masters claim a slot with the same config epoch",
        ),
        Sometimes[Node](
            id="Failover",
            project=lambda _, node: bool(node.won),
            judge=any,
            text="an election is won (TLC: NoFailover is violated)",
        ),
        Sometimes[Node](
            id="Demotion",
            # There are as many slots as first masters.
            project=lambda process, node: process < len(node.view) and node.master != process,
            judge=any,
            text="a first master follows another (TLC: NoDemotion is violated)",
        ),
    ),
)


def _commit_scope(cfg: Cfg) -> Scope:
    managers = cfg.size("RM", most=12)
    return Scope(TwoPhase(managers), SetLinks(), f"{managers} resource managers")


TWO_PHASE: Final = Yardstick(
    name="yardstick/two-phase",
    text="two-phase commit, after Gray and Lamport",
    scope=_commit_scope,
    properties=(
        Invariant[CommitState](
            id="TCConsistent",
            project=lambda _, state: state[0],
            judge=lambda states: not {"committed", "aborted"} <= set(states),
            text="no resource manager commits while another aborts",
        ),
        Sometimes[CommitState](
            id="Committed",
            project=lambda process, state: not process or state[0] == "committed",
            judge=all,
            text="all resource managers commit",
        ),
    ),
)


def _paxos_scope(cfg: Cfg) -> Scope:
    system = Paxos(
        acceptors=cfg.size("Acceptor", most=7),
        values=cfg.size("Value", most=7),
        ballots=cfg.size("Ballot", most=7),
    )
    text = f"{system.acceptors} acceptors, {system.values} values, {system.ballots} ballots"
    return Scope(system, SetLinks(), text)


def _accepted(_: int, state: PaxosState) -> frozenset[tuple[int, int]] | None:
    return state.accepted if isinstance(state, Acceptor) else None


def _chosen(accepted: tuple[Any, ...]) -> set[int]:
    """The values that a majority accepted in one ballot."""
    votes = [sent for sent in accepted if sent is not None]
    quorums = combinations(votes, len(votes) // 2 + 1)
    return {value for quorum in quorums for _, value in frozenset.intersection(*quorum)}


PAXOS: Final = Yardstick(
    name="yardstick/paxos",
    text="single-decree Paxos",
    scope=_paxos_scope,
    properties=(
        Invariant[PaxosState](
            id="Agreement",
            project=_accepted,
            judge=lambda accepted: len(_chosen(accepted)) <= 1,
            text="at most one value is chosen",
        ),
        Sometimes[PaxosState](
            id="Chosen",
            project=_accepted,
            judge=lambda accepted: bool(_chosen(accepted)),
            text="a value is chosen",
        ),
    ),
)
