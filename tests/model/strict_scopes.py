"""Models in wider scopes, in which can be asked what their own scopes leave out.

Silent nodes send heartbeats, a network that was parted becomes whole, and who is left of a shard
may be elected.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs

from model_check.models import MODELS
from model_check.models.at_rest import ELECTABLE
from model_check.models.cluster import ClusterSystem, Heal, ModelEvent, Process, Scope, system_of
from model_check.models.model import Model
from model_check.models.properties import View, agreement, slot_view
from model_check.models.start import suspected
from model_check.properties import Settles
from model_check.system import Move
from reference.core.rules import STRICT, Rules
from reference.core.state import ClusterState

SILENT_MODELS: Final = (
    *("aging", "goes-first", "goes-in-turn", "never-stands", "empty-master"),
    *("put-off", "more-than-enough", "voter-crashes", "two-candidates", "views"),
)
"""Models of silent nodes that have been explored with their heartbeats, too."""

PARTED_MODELS: Final = ("one-shard-twice", "two-electorates")
"""Models of a network that is parted that have been explored with one that becomes whole."""

ELECTING: Final[Mapping[str, str]] = {"importer-dies": "A C D"}
"""Models in which a master dies, explored with an election; and who suspects B in them."""

UNFINISHED: Final[Mapping[str, int]] = {
    "views-speaking": 60_000_000,
    "one-shard-twice-healing": 12_000_000,
    "two-electorates-healing": 12_000_000,
}
"""Wider scopes that have more states than so many, at which their exploration was stopped."""


def speaking(model: Model) -> Model:
    """The model of silent nodes, but they send heartbeats, and hold back nothing."""

    def scope(rules: Rules) -> Scope:
        silent = model.scope(rules)
        methods = {"_heartbeats": ClusterSystem._heartbeats}
        return attrs.evolve(silent, system=_like(silent, "Speaking", methods))

    return _wider(model, "speaking", "nodes send heartbeats", scope=scope)


def healing(model: Model) -> Model:
    """The model of a parted network, but each node of one side may find its links whole again.

    That one side is cut off cuts off the other as well.
    """

    def scope(rules: Rules) -> Scope:
        parted = model.scope(rules)
        beyond = next(iter(parted.cuts.values()))
        return attrs.evolve(
            parted,
            cuts={name: others for name, others in parted.cuts.items() if name not in beyond},
            failed_are_mentioned=True,
            system=_like(parted, "Healing", {"_ends": _heals}),
        )

    return _wider(model, "healing", "the network becomes whole again", scope=scope)


def electing(model: Model) -> Model:
    """The model of a master B that dies, but it is found to have failed, and its replica stands.

    Once, so the election may be lost with its messages. What comes then is asked otherwise: that it
    would win the next one, and that all agree if it has won.
    """

    def scope(rules: Rules) -> Scope:
        return attrs.evolve(
            model.scope(rules),
            elections=1,
            suspects=suspected(B=ELECTING[model.name]),
            failed_are_mentioned=True,
        )

    slots = max(entry.slots.bitmap.bit_length() for entry in scope(STRICT).nodes[0].nodes)
    wider = _wider(model, "electing", "an election is in scope", scope=scope)
    asked = (*model.properties, ELECTABLE, agreement_if_elected(slots))
    return attrs.evolve(wider, properties=asked)


def agreement_if_elected(slots: int) -> Settles[Process]:
    """In the end all nodes agree, or nobody was elected though the scope had an election."""
    agree = agreement(slots)

    def judge(seen: tuple[tuple[View, bool], ...]) -> bool:
        elected = any(won for _, won in seen)
        return not elected or agree.judge(tuple(view for view, _ in seen))

    return Settles(
        id="SC-P2:elected",
        clause="SC-P2",
        text="once faults stop, and if somebody was elected, all say the same of every slot",
        project=lambda process, node: (slot_view(process, node), bool(node.epochs_won)),
        judge=judge,
    )


def _heals(self: ClusterSystem, node: ClusterState, state: Process) -> Iterator[Move[ModelEvent]]:
    yield from ClusterSystem._ends(self, node, state)
    if state.cut_off:
        yield Move(Heal())


def _like(scope: Scope, name: str, methods: Mapping[str, Any]) -> type[ClusterSystem]:
    """The kind of system that the scope has, but with these methods."""
    return type(name, (type(system_of(scope)),), dict(methods))


def _wider(model: Model, word: str, text: str, **changes: Any) -> Model:
    """The model with these changes; that its own events must happen is not asked for."""
    return attrs.evolve(
        model,
        name=f"{model.name}-{word}",
        text=f"as {model.name}, and {text}",
        links="held(0)",
        quicker_links={},
        happens=(),
        happens_in={},
        **changes,
    )


ALL: Final[dict[str, Model]] = MODELS | {
    model.name: model
    for model in (
        *(speaking(MODELS[name]) for name in SILENT_MODELS),
        *(healing(MODELS[name]) for name in PARTED_MODELS),
        *(electing(MODELS[name]) for name in ELECTING),
    )
}
"""The models, and the wider ones."""
