"""What a model allows and nevertheless never happens: it then shows less than it says."""

from collections.abc import Iterator

from model_check.engine import Exploration
from model_check.models.cluster import Crash, Cut, Death, Heal, Restart, Scope
from model_check.models.model import Model
from model_check.models.operator import command_text
from reference.core.events import ElectionDue, PongOverdue, ReplicaMigrationDue
from reference.core.rules import Rules
from reference.core.types import NodeId


def is_exhausted(found: Exploration) -> bool:
    """Whether every reachable state is known, so that what has not happened never does."""
    return any(
        result.verdict == ("violated" if result.kind == "sometimes" else "holds")
        for result in found.properties
    )


def never_happens(model: Model, rules: Rules, scope: Scope, found: Exploration) -> tuple[str, ...]:
    """What the scope allows, or the model counts on, and no transition does; each in a few words.

    Nothing if the scope was not exhausted.
    """
    if not is_exhausted(found):
        return ()
    names = [state.myself_id for state in scope.nodes]
    fired = {(names[process], event) for process, event in found.fired}
    kinds = {type(what) for _, what in (*found.fired, *found.delivered)}
    missing = [text for text, happened in _allowed(scope, fired) if not happened]
    missing += [f"no {kind.__name__}" for kind in model.kinds(rules) if kind not in kinds]
    return tuple(missing)


def _allowed(scope: Scope, fired: set[tuple[NodeId, object]]) -> Iterator[tuple[str, bool]]:
    """Everything that the scope allows, and whether it is among what was done by whom."""
    acted = {(name, type(event)) for name, event in fired}
    for name, kind, text in _faults(scope):
        yield f"{name} never {text}", (name, kind) in acted
    for name, by in scope.suspects.items():
        for other in sorted(by):
            overdue = (other, PongOverdue(peer=name))
            yield f"{other} never suspects {name}", overdue in fired
    for name, command in scope.commands:
        yield f"{name} is never given {command_text(command)}", (name, command) in fired
    kinds = {kind for _, kind in acted}
    if scope.elections:
        yield "no replica ever stands", ElectionDue in kinds
    if scope.replica_migrations:
        yield "no replica ever migrates", ReplicaMigrationDue in kinds


def _faults(scope: Scope) -> Iterator[tuple[NodeId, type, str]]:
    """Who may fail, and come back, by what event; and in words."""
    crashing = {name for name, times in scope.crashes.items() if times}
    cut = () if scope.parted else sorted(scope.cuts)
    yield from ((name, Crash, "crashes") for name in sorted(crashing))
    yield from ((name, Restart, "restarts") for name in sorted(crashing | scope.down))
    yield from ((name, Cut, "is cut off") for name in cut)
    yield from ((name, Heal, "is reached again") for name in cut)
    yield from ((name, Death, "dies") for name in sorted(scope.deaths))
