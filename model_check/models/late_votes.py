"""Replicas stand again before the votes of their first election have arrived."""

from typing import Final

import attrs

from model_check.models.cluster import Process, Scope
from model_check.models.history import History
from model_check.models.kinds import CORRECTING, VOTING
from model_check.models.model import RELEASES, Expected, Model
from model_check.models.properties import ELECTION_SAFETY, ELECTION_WON, some_node
from model_check.models.silent import SilentSystem
from model_check.models.start import agreed, master, replica, three_masters, without_dead
from model_check.properties import Invariant, StepProperty
from reference.core.election import why_no_failover
from reference.core.events import ElectionDue, ElectionExpired
from reference.core.messages import FailoverAuthAck, FailoverAuthRequest
from reference.core.rules import Rules
from reference.core.types import NodeId

Votes = tuple[tuple[NodeId, NodeId, FailoverAuthAck], ...]
"""Who sends to whom: votes that are on their way."""


def _scope(rules: Rules) -> Scope:
    return Scope(nodes=without_dead(three_masters(rules, "D", "E"), "A"), elections=3)


def _asked(history: History, voters: str, heard_by: str = "") -> Votes:
    """D has stood; the voters and others have heard of it, and the votes are on their way."""
    votes = history.ask("D", voters=voters, heard_by=heard_by)
    return tuple((vote.header.sender, NodeId("D"), vote) for vote in votes)


def _put_off(rules: Rules) -> Scope:
    history = History(without_dead(three_masters(rules, "D", "E"), "A"))
    votes = _asked(history, "B C", heard_by="E")
    return Scope(nodes=history.nodes, elections=2, stale=votes, system=SilentSystem)


def _outdated(rules: Rules) -> Scope:
    """D has stood twice. The votes of the first time are on their way; nobody hears D any more."""
    history = History(without_dead(three_masters(rules, "D"), "A"))
    votes = _asked(history, "B C")
    history.happen("D", ElectionExpired())
    _asked(history, "")
    return Scope(
        nodes=history.nodes,
        elections=1,
        stale=votes,
        cuts={NodeId(name): frozenset({NodeId("D")}) for name in "BC"},
        parted=True,
        system=SilentSystem,
    )


def _more_than_enough(rules: Rules) -> Scope:
    """Of five masters four have voted for D."""
    masters = (master(name, slot, epoch=slot + 1) for slot, name in enumerate("ABCFG"))
    history = History(without_dead(agreed(rules, *masters, replica("D", of="A")), "A"))
    votes = _asked(history, "B C F G")
    return Scope(nodes=history.nodes, elections=1, stale=votes, system=SilentSystem)


def _majority_leads(process: int, before: Process, after: Process) -> bool:
    del process, before
    if after.state is None or after.state.election is None:
        return True
    election = after.state.election
    has = len(election.voters) + election.late_votes
    return has < after.state.needed_quorum or why_no_failover(after.state) is not None


_F_1: Final = (Expected(property_id="EL-P1", dialects=RELEASES, told="F-1", clause="EL-21"),)
_ASKING: Final = (ElectionDue, ElectionExpired, FailoverAuthRequest, FailoverAuthAck)

LATE_VOTES: Final = Model(
    name="late-votes",
    text="3 masters, A is dead; its two replicas stand up to three times; nobody crashes",
    scope=_scope,
    properties=(ELECTION_SAFETY, ELECTION_WON),
    links="held(2)",
    clauses=("EL-21", "EL-17", "EL-11"),
    happens=(*CORRECTING, *VOTING),
    by_default=False,
    expected=_F_1,
)

PUT_OFF: Final = Model(
    name="put-off",
    text="the votes for D are on their way; it stands again, and E may be elected meanwhile",
    scope=_put_off,
    properties=(ELECTION_SAFETY, ELECTION_WON),
    links="held(0)",
    clauses=("EL-21", "EL-17", "EL-11"),
    happens=_ASKING,
    expected=_F_1,
)

OUTDATED_VOTES: Final = Model(
    name="outdated-votes",
    text="the votes for D are from before its last election; nobody votes for it any more",
    scope=_outdated,
    properties=(
        Invariant(
            id="EL-21",
            clause="EL-21",
            text="votes for an election before the last one elect nobody",
            project=lambda _, node: node.epochs_won,
            judge=lambda won: not any(won),
        ),
        some_node(
            "EL-21:witness",
            "D, for which two masters voted once, gives up",
            lambda state: state.myself_id == "D" and state.election is None,
        ),
    ),
    links="held(0)",
    clauses=("EL-11", "EL-17", "EL-21"),
    happens=(ElectionDue, ElectionExpired, FailoverAuthAck),
)

MORE_THAN_ENOUGH: Final = Model(
    name="more-than-enough",
    text="the votes of four of five masters for D are on their way; it may stand again",
    scope=_more_than_enough,
    properties=(
        ELECTION_SAFETY,
        StepProperty(
            id="EL-12",
            clause="EL-12",
            text="who has a majority, and may replace its master, is master",
            judge=_majority_leads,
        ),
        attrs.evolve(ELECTION_WON, id="EL-12:witness", clause="EL-12"),
    ),
    links="held(0)",
    clauses=("EL-11", "EL-12", "EL-21"),
    happens=_ASKING,
)
