"""Bugs of real clusters: in which dialect each is found, and in which it is shown to be absent.

A case is a model and one of its properties. What leads there is in no case said: only what may
happen, by the model's scope.
"""

from collections.abc import Iterable
from typing import Final, Literal

import attrs

from model_check.engine import Exploration, Limits, PropertyResult, Watch
from model_check.links import parse_links
from model_check.models import MODELS
from model_check.models.model import EVERYWHERE, RELEASES, Model
from model_check.run import Run, check
from reference.core.rules import DIALECTS

Outcome = Literal["found", "absent", "incomplete"]

SECONDS: Final = 60.0
"""How long a bug may take to be found, or to be shown absent."""


@attrs.frozen
class Place:
    """Where a bug is looked for: a dialect, with rules of it turned off."""

    dialect: str
    without: tuple[str, ...] = ()
    links: str = ""  # none: the model's own

    def describe(self) -> str:
        """The dialect and what is missing of it."""
        return f"{self.dialect} without {', '.join(self.without)}" if self.without else self.dialect


@attrs.frozen(kw_only=True)
class Case:
    """A line of the gallery."""

    id: str
    report: str
    text: str  # what happens
    model: str
    property_id: str
    found: tuple[Place, ...]
    absent: tuple[Place, ...]
    note: str = ""


@attrs.frozen(kw_only=True)
class Sighting:
    """A case in one place: what was expected and what was found."""

    case: Case
    place: Place
    expected: Outcome
    run: Run

    @property
    def found(self) -> Exploration:
        """What the exploration found."""
        return self.run.found

    @property
    def result(self) -> PropertyResult:
        """What was found about the property of the case."""
        return next(each for each in self.found.properties if each.id == self.case.property_id)

    @property
    def outcome(self) -> Outcome:
        """Whether the bug was found; it is absent only where the whole scope was explored."""
        if self.result.verdict == "violated":
            return "found"
        return "absent" if self.result.verdict == "holds" else "incomplete"

    @property
    def steps(self) -> int | None:
        """The length of the shortest story."""
        return None if self.result.trace is None else len(self.result.trace.steps)


def places(
    *dialects: str, without: str | tuple[str, ...] = (), links: str = ""
) -> tuple[Place, ...]:
    """The dialects, each without these rules."""
    names = (without,) if isinstance(without, str) else without
    return tuple(Place(dialect, names, links) for dialect in dialects)


GALLERY: Final = (
    Case(
        id="K1",
        report="redis#1799",
        text="two masters own one slot with equal configEpochs, and neither moves",
        model="split",
        property_id="SC-P2",
        found=places(*RELEASES, without="collision_resolution"),
        absent=places(*EVERYWHERE),
    ),
    Case(
        id="K2",
        report="redis#1479",
        text="a voter forgets its vote in a crash and votes again: two winners of one epoch",
        model="two-replicas",
        property_id="EL-P1",
        found=places(*RELEASES, without="persist_vote", links="held(0)"),
        absent=places(*EVERYWHERE, links="held(0)"),
    ),
    Case(
        id="K3",
        report="redis#12016",
        text="a master that may vote more than once in an epoch elects two",
        model="two-replicas",
        property_id="EL-P1",
        found=places(*RELEASES, without="one_vote_per_epoch", links="held(0)"),
        absent=places(*EVERYWHERE, links="held(0)"),
    ),
    Case(
        id="K4",
        report="redis#12344, redis#3776",
        text="an observer refuses the new owner of a slot for ever, since the old one's epoch rose",
        model="observer",
        property_id="SC-P2",
        found=places(*RELEASES, without="not_claiming_slots"),
        absent=places(*EVERYWHERE),
    ),
    Case(
        id="K5",
        report="valkey#974, valkey#969",
        text="of two masters of a shard with one epoch the old one moves on, and its old data wins",
        model="takeover-collision",
        property_id="SC-P8",
        found=places(*RELEASES),
        absent=places("strict"),
        note="no release mends it, strict does",
    ),
    Case(
        id="K6",
        report="redis#6339, redis#3122, valkey#445",
        text="an importer takes a slot and dies, and its replica never heard of it: nobody has it",
        model="importer-dies",
        property_id="SC-P3",
        found=places("redis-7.0", "redis-8.0"),
        absent=places("valkey-8.1", "valkey-9.1", "strict"),
    ),
    Case(
        id="K7",
        report="valkey#2301",
        text="after a failover a table says that slots belong to a replica",
        model="role-switch",
        property_id="SC-P5",
        found=(
            *places("valkey-8.1"),
            *places("valkey-9.1", without=("role_switch_hands_over",)),
        ),
        absent=places("valkey-9.1", "strict"),
        note="the circle of valkey#753 needs replicas whose claims count: no release's rule",
    ),
    Case(
        id="K8",
        report="valkey#1015",
        text="stale news of a replica: A follows B follows A in a table",
        model="role-switch",
        property_id="SC-P6",
        found=(
            *places("redis-8.0"),
            *places("valkey-8.1", "valkey-9.1", without="stale_role_switch_is_ignored"),
        ),
        absent=places("valkey-8.1", "valkey-9.1", "strict"),
    ),
    Case(
        id="K9",
        report="read in the code of Redis",
        text="stale news is seen to be stale, and its sender is demoted all the same, with slots",
        model="role-switch",
        property_id="SC-P5",
        found=(
            *places("redis-8.0"),
            *places("valkey-9.1", without="stale_role_switch_is_ignored"),
        ),
        absent=places("valkey-9.1", "strict"),
        note="in valkey-8.1 the property fails by K7",
    ),
    Case(
        id="K10",
        report="valkey#2811, valkey#3468",
        text="a replica hears stale news, follows the dead master again and is elected to nothing",
        model="late-news",
        property_id="EL-P3",
        found=(
            *places("valkey-8.1"),
            *places("valkey-9.1", without="role_switch_heeds_sender"),
        ),
        absent=places("valkey-9.1", "strict"),
        note="in 9.1 only if the new master's shard is not known yet: K10b",
    ),
    Case(
        id="K10b",
        report="valkey#3468",
        text="as K10, and the replica has only heard by gossip of the new master before it won",
        model="newcomer",
        property_id="EL-P3",
        found=places("valkey-9.1", "valkey-8.1"),
        absent=places("strict"),
        note="the check for stale news is made within a shard only: F-13",
    ),
    Case(
        id="K11",
        report="valkey#2261",
        text="a master that returns does not know its successor's shard: two masters in one",
        model="return",
        property_id="SC-P7",
        found=places("valkey-8.1", "valkey-9.1"),
        absent=places("redis-8.0", "strict"),
        note="without replica migration; no release of Valkey mends it, strict does",
    ),
    Case(
        id="K12",
        report="valkey#2169, redis#9548",
        text="a master takes a new epoch and dies; voters refuse its replica for ever",
        model="dead-epoch",
        property_id="EL-P2",
        found=(
            *places("redis-7.0", "redis-8.0", "valkey-8.1"),
            *places("valkey-9.1", without="refused_candidate_is_updated"),
        ),
        absent=places("valkey-9.1", "strict"),
    ),
    Case(
        id="K13",
        report="valkey#2724",
        text="slots granted to another master are taken back by a failover in their old shard",
        model="granted-and-replaced",
        property_id="SM-P1",
        found=places("valkey-9.1"),
        absent=places("strict"),
        note="only valkey-9.1 migrates slots so, and strict",
    ),
    Case(
        id="K14",
        report="valkey#1307",
        text="a lost MEET: one node knows the other, which never comes to know it",
        model="meeting",
        property_id="HS-P1",
        found=places("redis-7.0", "redis-8.0"),
        absent=places("valkey-8.1", "valkey-9.1", "strict"),
    ),
    Case(
        id="K15",
        report="redis#1547",
        text="an epoch from resharding equals that of an election: the names decide who owns it",
        model="import-election",
        property_id="SC-P1",
        found=places(*RELEASES),
        absent=places("strict"),
        note="no release mends it, strict does",
    ),
)
"""Every bug that is looked for, by its line of the list of known bugs."""


def look(case: Case, place: Place, expected: Outcome, watch: Watch | None = None) -> Sighting:
    """The scope of the case has been explored there, up to the first story."""
    rules = DIALECTS[place.dialect]
    model = _only(MODELS[case.model], case.property_id)
    links = parse_links(place.links) if place.links else model.usual_links(rules)
    run = check(
        model, rules, links, without=place.without, limits=Limits(seconds=SECONDS), watch=watch
    )
    return Sighting(case=case, place=place, expected=expected, run=run)


def _only(model: Model, property_id: str) -> Model:
    """The model with the property alone: the first story ends the search."""
    one = tuple(each for each in model.properties if each.id == property_id)
    return attrs.evolve(model, properties=one)


def visits(case: Case, dialects: Iterable[str]) -> list[tuple[Place, Outcome]]:
    """Where the case is looked for in these dialects, and what is expected there."""
    wanted = set(dialects)
    expected: list[tuple[Place, Outcome]] = [(place, "found") for place in case.found]
    expected += [(place, "absent") for place in case.absent]
    return [(place, outcome) for place, outcome in expected if place.dialect in wanted]
