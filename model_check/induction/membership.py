"""How nodes come and go: SET-CONFIG-EPOCH, joining, FORGET and RESET.

A node that knows no other is alone: nothing reaches it and it reaches nobody. A new one is a master
without slots and epochs. Each node of the proof is a name: who is reset hard goes on under another,
of which nobody has heard, and nothing is asked of the one before, not even that it is gone.
"""

from typing import Final

from model_check.induction.logic import Term
from model_check.induction.setting import Setting
from model_check.induction.steps import Action, Step, saved_before_send
from model_check.induction.vocabulary import World


def _set_config_epoch(setting: Setting, w: World, n: Term, e: Term) -> Step:
    """One of the start that nobody was given, unless any may be."""
    lg = w.logic
    guard = lg.both(w.alone(n), lg.same(w.config_epoch(n), lg.zero), lg.no(lg.same(e, lg.zero)))
    if not setting.numbers:
        free = lg.every(("node",), lambda m: lg.no(w.granted(m, e)))
        guard = lg.both(guard, lg.at_most(e, w.base()), free)
    after = w.put("config_epoch", (n,), e)
    after = after.put("current_epoch", (n,), lg.later(w.current_epoch(n), e))
    after = after.add("granted", lambda m, f: lg.both(lg.same(m, n), lg.same(f, e)))
    return Step(guard, saved_before_send(setting, after, n))


def _met(setting: Setting, w: World, n: Term, e: Term) -> World:
    """It knows others, and has heard this currentEpoch of one of them before anything else."""
    lg = w.logic
    after = w.put("alone", (n,), lg.no(lg.same(n, n)))
    after = after.put("current_epoch", (n,), lg.later(w.current_epoch(n), e))
    return saved_before_send(setting, after, n) if setting.rules.learnt_epoch_is_saved else after


def _heard_of_start(setting: Setting, w: World, e: Term) -> Term:
    """The epoch is as large as those of the start, unless any may be given."""
    return w.logic.same(e, e) if setting.numbers else w.logic.at_most(w.base(), e)


def _join(setting: Setting, w: World, n: Term, e: Term) -> Step:
    """As a master; without a configEpoch it would collide with the next such one (EP-4)."""
    lg = w.logic
    guard = lg.both(w.alone(n), _heard_of_start(setting, w, e))
    if not setting.bumps:
        guard = lg.both(guard, lg.no(lg.same(w.config_epoch(n), lg.zero)))
    return Step(guard, _met(setting, w, n, e))


def _join_as_replica(setting: Setting, w: World, n: Term, e: Term) -> Step:
    lg = w.logic
    guard = lg.both(
        w.alone(n),
        _heard_of_start(setting, w, e),
        lg.every(("slot",), lambda s: lg.no(w.owns(n, s))),
    )
    replica = w.put("master", (n,), lg.no(lg.same(n, n)))
    return Step(guard, _met(setting, replica, n, e))


def _forget(setting: Setting, w: World, n: Term, m: Term) -> Step:
    """Told to, or by a third who was (NO-5); it may hear of the other again, and of old epochs."""
    del setting
    lg = w.logic
    return Step(lg.no(lg.same(n, m)), w.put("recorded", (n, m), lg.zero))


def _left(setting: Setting, w: World, n: Term) -> World:
    """It knows nobody, leads nobody, and has no slots; an election it may go on with."""
    lg = w.logic
    never = lg.no(lg.same(n, n))
    after = w.put("alone", (n,), lg.same(n, n)).put("master", (n,), lg.same(n, n))
    after = after.row("owns", n, lambda _: never).row("inherits", n, lambda _: never)
    after = after.row("recorded", n, lambda _: lg.zero)
    after = saved_before_send(setting, after, n)
    return after.row("held", n, lambda *_: never)


def _reset(setting: Setting, w: World, n: Term) -> Step:
    return Step(w.logic.same(n, n), _left(setting, w, n))


def _reset_hard(setting: Setting, w: World, n: Term, m: Term) -> Step:
    """Nobody has heard of the new name, and it was given nothing."""
    lg = w.logic
    new = [lg.same(w.meaning(name)(m), lg.zero) for name in _EPOCHS]
    guard = lg.both(lg.no(lg.same(n, m)), w.alone(m), w.master(m), *new)
    return Step(guard, _left(setting, w, n))


_EPOCHS: Final = ("current_epoch", "config_epoch", "last_vote_epoch")


def _reset_hard_same_name(setting: Setting, w: World, n: Term) -> Step:
    """What no server does: the name stays, and its epochs and votes are forgotten."""
    after = w
    for name in _EPOCHS:
        after = after.put(name, (n,), w.logic.zero)
    return Step(w.logic.same(n, n), _left(setting, after, n))


MEMBERSHIP: Final = (
    Action(
        "set_config_epoch",
        ("node", "epoch"),
        "{0}, which knows nobody, is given configEpoch {1}",
        _set_config_epoch,
        alone=True,
    ),
    Action(
        "join",
        ("node", "epoch"),
        "{0}, a master, meets others and hears of currentEpoch {1}",
        _join,
        alone=True,
    ),
    Action(
        "join (replica)",
        ("node", "epoch"),
        "{0} meets others, hears of currentEpoch {1}, and is made a replica",
        _join_as_replica,
        alone=True,
    ),
    Action("forget", ("node", "node"), "{0} forgets {1}", _forget, forgets=2),
    Action("reset", ("node",), "{0} is reset", _reset, alone=True, forgets=1),
    Action(
        "reset (hard)",
        ("node", "node"),
        "{0} is reset hard, and goes on as {1}",
        _reset_hard,
        alone=True,
        forgets=1,
    ),
    Action(
        "reset (hard, same name)",
        ("node",),
        "{0} is reset hard and keeps its name",
        _reset_hard_same_name,
        lambda setting: setting.names,
        alone=True,
        forgets=1,
    ),
)
"""What an operator may do to who is in the cluster."""
