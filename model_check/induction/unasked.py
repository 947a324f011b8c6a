"""What happens without a vote: collisions, what operators want, marks, and hearsay."""

from typing import Final

from model_check.induction.epochs import fresh
from model_check.induction.logic import Term
from model_check.induction.setting import Setting
from model_check.induction.steps import (
    Action,
    Step,
    follows,
    saved,
    saved_before_send,
    unmarked,
)
from model_check.induction.vocabulary import World


def _moved(setting: Setting, w: World, n: Term, e: Term) -> World:
    """The node has this configEpoch, which nobody was asked for."""
    lg = w.logic
    after = w.put("config_epoch", (n,), e).put("current_epoch", (n,), e)
    after = after.add("granted", lambda m, f: lg.both(lg.same(m, n), lg.same(f, e)))
    return saved_before_send(setting, after, n)


def _resolve_collision(setting: Setting, w: World, n: Term, m: Term, e: Term) -> Step:
    lg = w.logic
    guard = lg.both(
        lg.no(lg.same(n, m)),
        w.master(n),
        w.header(m, w.config_epoch(n)),
        fresh(w, n, e),
    )
    return Step(guard, _moved(setting, w, n, e))


def _bump_without_consensus(setting: Setting, w: World, n: Term, e: Term) -> Step:
    """For whatever reason, SC-33 included. A replica may take one, too (EP-12)."""
    return Step(fresh(w, n, e), _moved(setting, w, n, e))


def _take_over(setting: Setting, w: World, n: Term) -> Step:
    """After a bump, unless its own is the newest that it knows (EP-11)."""
    lg = w.logic
    guard = lg.both(lg.no(w.master(n)), lg.no(lg.same(w.config_epoch(n), lg.zero)))
    after = w.put("master", (n,), lg.same(n, n))
    after = after.row("owns", n, lambda s: lg.either(w.owns(n, s), w.inherits(n, s)))
    after = unmarked(setting, after, n, lambda s: w.inherits(n, s))
    return Step(guard, saved_before_send(setting, after, n))


def _replicate_no_one(setting: Setting, w: World, n: Term) -> Step:
    after = w.put("master", (n,), w.logic.same(n, n))
    return Step(w.logic.no(w.master(n)), saved_before_send(setting, after, n))


def _give_away(setting: Setting, w: World, n: Term, s: Term) -> Step:
    """It need not be told to whom: what its table has of others is not modelled."""
    lg = w.logic
    never = lg.no(lg.same(n, n))
    after = w.put("owns", (n, s), never)
    after = unmarked(setting, after, n, lambda t: lg.same(s, t))

    def still(m: Term, t: Term, e: Term) -> Term:
        return lg.both(w.held(m, t, e), lg.no(lg.both(lg.same(m, n), lg.same(t, s))))

    after = saved_before_send(setting, after, n)
    return Step(w.owns(n, s), after.with_meaning("held", still))


def _mark_not_claiming(setting: Setting, w: World, n: Term, s: Term) -> Step:
    lg = w.logic
    may = lg.either(w.marked(n, s), lg.no(w.owns(n, s)))
    guard = lg.both(follows(setting, w, n, "not_claiming_slots"), may)
    return Step(guard, w.put("marked", (n, s), lg.no(w.marked(n, s))))


def _hand_over(setting: Setting, w: World, n: Term, m: Term, e: Term) -> Step:
    """By SC-29 the configEpoch is that of the header, by SC-35 none sinks."""
    lg = w.logic
    guard = lg.both(lg.no(lg.same(n, m)), w.told(m, e))
    keeps_none = follows(setting, w, n, "demoted_keep_no_slots")
    known = lg.pick(keeps_none, lg.later(w.recorded(n, m), e), e)
    return Step(guard, saved(setting, w.put("recorded", (n, m), known), n))


UNASKED: Final = (
    Action(
        "resolve_collision",
        ("node", "node", "epoch"),
        "{0} hears that {1} has its configEpoch, and moves on to {2}",
        _resolve_collision,
        lambda setting: setting.rules.collision_resolution,
    ),
    Action(
        "bump_epoch_without_consensus",
        ("node", "epoch"),
        "{0} takes configEpoch {1} without a vote",
        _bump_without_consensus,
        lambda setting: setting.bumps,
    ),
    Action(
        "take_over",
        ("node",),
        "{0} takes over from its master without a vote",
        _take_over,
        lambda setting: setting.bumps,
    ),
    Action(
        "replicate_no_one",
        ("node",),
        "{0}, a replica, is told to be a master",
        _replicate_no_one,
        lambda setting: setting.bumps,
    ),
    Action(
        "give_away",
        ("node", "slot"),
        "{0} is told to give slot {1} away",
        _give_away,
        lambda setting: setting.bumps,
        alone=True,
    ),
    Action(
        "mark_not_claiming",
        ("node", "slot"),
        "{0} hears whether the owner of {1} claims it",
        _mark_not_claiming,
        lambda setting: setting.marking,
    ),
    Action(
        "hand_over_within_shard",
        ("node", "node", "epoch"),
        "{0} is told by a third node that {1} is a master with configEpoch {2}",
        _hand_over,
        lambda setting: setting.hearsay and (setting.rules.shards or setting.mixed),
    ),
)
"""What may happen besides elections and claims."""
