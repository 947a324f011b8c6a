"""What an action is: a guard and the state afterwards, and what is saved by it."""

from collections.abc import Callable

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
class Action:
    """Something that a node does, with what it is about."""

    name: str
    sorts: tuple[SortName, ...]  # of its parameters; the first is the node that acts
    words: str  # with {0}, {1} ... for the parameters
    run: Callable[..., Step]  # (setting, world, *parameters)
    included: Callable[[Setting], bool] = lambda setting: True  # noqa: ARG005
    restarts: bool = False


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
