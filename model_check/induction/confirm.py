"""Which model of `slotproof check` has a real story for what the induction fails at."""

from collections.abc import Mapping
from typing import Final

import attrs

from model_check.engine import Limits
from model_check.induction.kept_names import SAME_NAME, VOTES_TWICE
from model_check.induction.setting import Setting
from model_check.links import parse_links
from model_check.models import MODELS
from model_check.models.cluster import Process, Scope
from model_check.models.model import Model
from model_check.models.start import master, told, view
from model_check.progress import watching
from model_check.properties import Invariant, Property, StepProperty
from model_check.run import Run, check
from reference.core.epoch_kinds import round_of
from reference.core.events import ClusterAddSlots, ClusterSetConfigEpoch
from reference.core.rules import DIALECTS, Rules
from reference.core.slots import SlotSet
from reference.core.types import Epoch


def _keeps(process: int, before: Process, after: Process) -> bool:
    """A running master gives a slot up only to an owner with a larger config_epoch."""
    del process
    old, new = before.state, after.state
    if old is None or not old.myself.is_master:
        return True
    if new is None:
        return after.saved is None or not old.myself.slots - after.saved.myself.slots
    owners = [new.owner(slot) for slot in old.myself.slots - new.myself.slots]
    own = old.myself.config_epoch
    return all(owner is not None and owner.config_epoch > own for owner in owners)


KEPT: Final = StepProperty(
    id="SC-P1:kept",
    clause="SC-P1",
    text="a master gives a slot up only to a larger configEpoch",
    judge=_keeps,
)


def _one_winner_of_round(won: tuple[frozenset[Epoch], ...]) -> bool:
    rounds = [round_of(epoch) for epochs in won for epoch in epochs]
    return len(rounds) == len(set(rounds))


ROUND: Final[Property] = Invariant(
    id="EL-P1:round",
    clause="EL-P1",
    text="at most one node wins the elections of a round",
    project=lambda process, state: state.epochs_won,  # noqa: ARG005
    judge=_one_winner_of_round,
)


@attrs.frozen
class Hunt:
    """Where to look for a real story."""

    model: Model
    links: str
    without: tuple[str, ...] = ()  # besides those of the proof
    seconds: float = 120


_TWO_REPLICAS: Final = Hunt(MODELS["two-replicas"], "held(0)")
_CLAIMS: Final = Hunt(MODELS["claims"], "held(1)")


def _two_of_the_same_number(rules: Rules) -> Scope:
    """B, which knows nobody, is given what A has."""
    given = (ClusterSetConfigEpoch(config_epoch=1), ClusterAddSlots(slots=SlotSet.of([0])))
    return Scope(
        nodes=(
            view(rules, "A", master("A", 0, epoch=1)),
            view(rules, "B", master("B", epoch=0)),
        ),
        commands=tuple(told("B", event) for event in given),
    )


_SAME_NUMBER: Final = attrs.evolve(
    MODELS["claims"],
    name="same number",
    text="B, which does not know A, is given the configEpoch and the slot that A has",
    scope=_two_of_the_same_number,
)

_UNIQUE_EPOCHS: Final = Hunt(MODELS["views"], "held(1)")

HUNTS: Final[Mapping[str, Hunt]] = {
    "persist_vote": _TWO_REPLICAS,
    "save_before_send": _TWO_REPLICAS,
    "one_vote_per_epoch": _TWO_REPLICAS,
    "majority_wins": _TWO_REPLICAS,
    "merge_current_epoch": _TWO_REPLICAS,
    "vote_checks_request_epoch": Hunt(MODELS["three-replicas"], "held(0)"),
    "claims_need_newer_epoch": _CLAIMS,
    "config_epoch_only_rises": _CLAIMS,
    "late_votes_count": Hunt(MODELS["late-votes"], "held(2)", seconds=300),
    "bumps": Hunt(MODELS["take-back"], "held(1)"),
    "marks": _CLAIMS,
    "hearsay": _CLAIMS,
    "names": Hunt(SAME_NAME, "held(0)"),
    "numbers": Hunt(_SAME_NUMBER, "held(0)"),
    "unique_epochs": _UNIQUE_EPOCHS,
    "learnt_epoch_is_saved": Hunt(MODELS["learnt-epoch"], "held(0)"),
    "config_epoch_from_replicas": Hunt(MODELS["one-redis"], "held(0)"),
}
"""The model to explore for each switch that is off or that nodes differ in, and each assumption
that is dropped."""

_BESIDES: Final[Mapping[tuple[str, str], Hunt]] = {
    ("unique_epochs", "SC-P1"): Hunt(MODELS["takeover-collision"], "held(1)"),
    ("names", "EL-P1"): Hunt(VOTES_TWICE, "held(0)"),
    ("names", "EL-P1:round"): Hunt(VOTES_TWICE, "held(0)"),
}
"""Where another model has the story of this property."""

_OWN: Final = (KEPT, ROUND)
"""Properties that no model has, and that any can be explored for."""


@attrs.frozen
class Found:
    """What the explicit checker says of a property that the induction fails at."""

    hunt: Hunt
    run: Run
    property_id: str

    @property
    def steps(self) -> int | None:
        """The length of the shortest story; None if there is none in the model."""
        result = next(each for each in self.run.found.properties if each.id == self.property_id)
        if result.verdict != "violated" or result.trace is None:
            return None
        return len(result.trace.steps)


def hunt_for(setting: Setting, property_id: str) -> Hunt | None:
    """Where to look for a story of this in this setting, if there is such a model."""
    dropped = () if setting.strict else ("bumps", "marks", "hearsay")
    causes = [name for name in ("names", "numbers", *dropped) if getattr(setting, name)]
    causes += [name for name in setting.without if name != "late_votes_count"]
    if setting.rules.late_votes_count:
        causes.append("late_votes_count")
    causes += [name for name in setting.apart if name == "config_epoch_from_replicas"]
    cause = next((name for name in causes if name in HUNTS), None)
    return None if cause is None else _BESIDES.get((cause, property_id), HUNTS[cause])


def model_of(hunt: Hunt, property_id: str) -> Model:
    """The model with nothing but the property that is asked for."""
    asked = [each for each in (*hunt.model.properties, *_OWN) if each.id == property_id]
    return attrs.evolve(hunt.model, properties=tuple(asked))


def command_for(setting: Setting, hunt: Hunt, property_id: str) -> str | None:
    """The command that explores the same; None if `slotproof check` has no such model or claim."""
    if hunt.model.name not in MODELS or property_id in {each.id for each in _OWN}:
        return None
    parts = ["slotproof check", hunt.model.name, "--dialect", setting.rules.dialect]
    if hunt.links != str(hunt.model.usual_links(setting.rules)):
        parts += ["--links", f"'{hunt.links}'"]
    return " ".join([*parts, *(f"--without {name}" for name in setting.without)])


def confirm(setting: Setting, property_id: str, hunt: Hunt) -> Found | None:
    """The model has been explored for the property; None if it does not ask for it."""
    model = model_of(hunt, property_id)
    if not model.properties:
        return None
    dialect = DIALECTS[setting.rules.dialect]
    with watching(f"{model.name} {dialect.dialect}") as watch:
        run = check(
            model,
            dialect,
            parse_links(hunt.links),
            without=setting.without,
            limits=Limits(seconds=hunt.seconds),
            watch=watch,
        )
    return Found(hunt, run, property_id)
