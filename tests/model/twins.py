"""Steps of the core, and broken twins of them: the same step with one thing done otherwise."""

from collections.abc import Callable
from typing import Any

import attrs

from model_check.audit import breaches
from model_check.models.cluster import Process
from model_check.models.of_node import Age
from model_check.trace import TraceStep
from reference.core.effects import Effect
from reference.core.events import Event, Received
from reference.core.rules import Rules
from reference.core.state import ClusterState
from reference.core.step import step
from reference.core.types import NodeId


@attrs.frozen(kw_only=True)
class Taken:
    """What a node was, what happened to it, and what it is and did then."""

    before: ClusterState
    event: Event
    after: ClusterState
    done: tuple[Effect, ...]
    ages: frozenset[Age] = frozenset()


Tampering = Callable[[Taken], Taken]


def taken(before: ClusterState, event: Event) -> Taken:
    """The step as the core takes it."""
    after, done = step(before, event)
    return Taken(before=before, event=event, after=after, done=done)


def not_kept(step_taken: Taken, rules: Rules | None = None) -> list[str]:
    """The clauses that it does not keep, by the rules of its dialect unless others are given."""
    heard = isinstance(step_taken.event, Received)
    told = TraceStep(
        kind="deliver" if heard else "move",
        process=0,
        event=None if heard else step_taken.event,
        message=step_taken.event.message if isinstance(step_taken.event, Received) else None,
        before=Process(state=step_taken.before, saved=None, ages=step_taken.ages),
        after=Process(state=step_taken.after, saved=None),
        notes=step_taken.done,
    )
    found = breaches(told, rules or step_taken.before.rules)
    return list(dict.fromkeys(each.clause_id for each in found))


def idle(it: Taken) -> Taken:
    """Nothing was done."""
    return attrs.evolve(it, after=it.before, done=())


def undone(it: Taken) -> Taken:
    """The state stays as it was, whatever is told."""
    return attrs.evolve(it, after=it.before)


def without(*kinds: type) -> Tampering:
    """Effects of these kinds are missing."""
    return lambda it: attrs.evolve(
        it, done=tuple(each for each in it.done if not isinstance(each, kinds))
    )


def besides(*effects: Effect) -> Tampering:
    """These are done, too."""
    return lambda it: attrs.evolve(it, done=(*it.done, *effects))


def instead(*effects: Effect) -> Tampering:
    """Nothing changes, and this is done."""
    return lambda it: attrs.evolve(it, after=it.before, done=effects)


def then(**fields: Any) -> Tampering:
    """These parts of the state are otherwise."""
    return lambda it: attrs.evolve(it, after=attrs.evolve(it.after, **fields))


def entry(node_id: NodeId, **fields: Any) -> Tampering:
    """The entry of this node is otherwise."""

    def tamper(it: Taken) -> Taken:
        changed = attrs.evolve(it.after.nodes[node_id], **fields)
        return attrs.evolve(it, after=it.after.put(changed))

    return tamper


def both(*tamperings: Tampering) -> Tampering:
    """All of these, one after the other."""

    def tamper(it: Taken) -> Taken:
        for each in tamperings:
            it = each(it)
        return it

    return tamper
