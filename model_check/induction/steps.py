"""What an action is: a guard and the state afterwards, and what is saved by it."""

from collections.abc import Callable, Sequence
from typing import Final

import attrs

from model_check.induction.logic import SortName, Term
from model_check.induction.setting import Setting
from model_check.induction.vocabulary import SAVED, World


@attrs.frozen
class Step:
    """When the action may happen, and the state after it."""

    guard: Term
    after: World


@attrs.frozen
class Excused:
    """Of which nodes less is claimed in a step."""

    restarts: Callable[[Term], Term]
    forgets: Callable[[Term, Term], Term]  # what the first has recorded of the second


@attrs.frozen
class Action:
    """Something that a node does, with what it is about."""

    name: str
    sorts: tuple[SortName, ...]  # of its parameters; the first is the node that acts
    words: str  # with {0}, {1} ... for the parameters
    does: Callable[..., Step]  # (setting, world, *parameters)
    included: Callable[[Setting], bool] = lambda setting: True  # noqa: ARG005
    restarts: bool = False
    alone: bool = False  # a node that knows no other may do it, too
    forgets: int = 0  # of the parameters, how many say what is forgotten: all that 1 had of others

    def run(self, setting: Setting, world: World, *parameters: Term) -> Step:
        """When it may happen, and the state after it."""
        step = self.does(setting, world, *parameters)
        if self.alone:
            return step
        lg = world.logic
        return Step(lg.both(lg.no(world.alone(parameters[0])), step.guard), step.after)


def excused(action: Action, world: World, parameters: Sequence[Term]) -> Excused:
    """The node that restarts in this action, and whom a node forgets in it."""
    lg = world.logic

    def never(node: Term) -> Term:
        return lg.no(lg.same(node, node))

    def restarts(node: Term) -> Term:
        return lg.same(node, parameters[0]) if action.restarts else never(node)

    def forgets(node: Term, other: Term) -> Term:
        if not action.forgets:
            return never(node)
        pair = zip((node, other), parameters[: action.forgets], strict=False)
        return lg.both(*(lg.same(one, another) for one, another in pair))

    return Excused(restarts, forgets)


FOLLOWED: Final = {
    "config_epoch_from_replicas": "follows_replicas",
    "binding_clears_not_claiming": "clears_marks",
    "not_claiming_slots": "marks",
    "demoted_keep_no_slots": "keeps_none",
    "updates_add_slots": "adds_slots",
    "reset_owners_take_back": "takes_back",
    "unique_epochs": "takes_own",
}
"""The switches that the nodes of a mixed cluster may have or not, and what says who has them."""


def follows(setting: Setting, world: World, node: Term, switch: str) -> Term:
    """Whether the node has the rule."""
    if switch in setting.apart:
        return world.meaning(FOLLOWED[switch])(node)
    always = world.logic.same(node, node)
    return always if getattr(setting.rules, switch) else world.logic.no(always)


def unmarked(setting: Setting, world: World, node: Term, where: Callable[[Term], Term]) -> World:
    """No slot there is marked any more, if binding one clears its mark."""
    if not setting.some("binding_clears_not_claiming"):
        return world
    lg = world.logic
    clears = follows(setting, world, node, "binding_clears_not_claiming")
    return world.row(
        "marked", node, lambda s: lg.both(world.marked(node, s), lg.no(lg.both(clears, where(s))))
    )


def saved(setting: Setting, world: World, node: Term) -> World:
    """All that is durable of the node has been saved."""
    after = world
    for name, kept in SAVED.items():
        now = world.meaning(name)
        if name == "last_vote_epoch" and not setting.rules.persist_vote:
            after = after.put(kept, (node,), world.logic.zero)
        else:
            after = after.row(kept, node, lambda *rest, now=now: now(node, *rest))
    return after


def saved_before_send(setting: Setting, world: World, node: Term) -> World:
    """Saved, unless the rule is off: then a `save` may follow, or a crash come first."""
    return saved(setting, world, node) if setting.rules.save_before_send else world
