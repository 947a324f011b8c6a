"""What a model allows and nevertheless never happens: it then shows less than it says."""

from collections.abc import Iterable, Iterator

from model_check.engine import Exploration
from model_check.models.cluster import Crash, Death, Restart, Scope
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

    def some(kind: type, nodes: Iterable[NodeId] | None = None) -> bool:
        return any(
            isinstance(event, kind) and (nodes is None or name in nodes) for name, event in fired
        )

    for name, times in scope.crashes.items():
        if times:
            yield f"{name} never crashes", some(Crash, [name])
            yield f"{name} never restarts", some(Restart, [name])
    for name in sorted(scope.deaths):
        yield f"{name} never dies", some(Death, [name])
    for name, by in scope.suspects.items():
        for other in sorted(by):
            overdue = (other, PongOverdue(peer=name))
            yield f"{other} never suspects {name}", overdue in fired
    for name, command in scope.commands:
        yield f"{name} is never given {command_text(command)}", (name, command) in fired
    if scope.elections:
        yield "no replica ever stands", some(ElectionDue)
    if scope.replica_migrations:
        yield "no replica ever migrates", some(ReplicaMigrationDue)
