"""What can happen: one action for each rule, named as the function of the core that realises it.

An action is a guard and the state afterwards. Where the core decides by something that is not
modelled (who has failed, what time it is), the action may always happen.
"""

from collections.abc import Callable
from typing import Final

from model_check.induction.epochs import fresh, not_after
from model_check.induction.logic import Term
from model_check.induction.membership import MEMBERSHIP
from model_check.induction.setting import Setting
from model_check.induction.steps import (
    Action,
    Step,
    follows,
    saved,
    saved_before_send,
    unmarked,
)
from model_check.induction.unasked import UNASKED
from model_check.induction.vocabulary import World


def _merge_current_epoch(setting: Setting, w: World, n: Term, e: Term) -> Step:
    """Any epoch: what headers announce needs no restriction."""
    after = w.put("current_epoch", (n,), e)
    if setting.rules.learnt_epoch_is_saved:
        after = saved_before_send(setting, after, n)
    return Step(w.logic.less(w.current_epoch(n), e), after)


def _merge_config_epoch(setting: Setting, w: World, n: Term, m: Term, e: Term) -> Step:
    lg = w.logic
    guard = lg.both(lg.no(lg.same(n, m)), w.told(m, e))
    if setting.rules.config_epoch_only_rises:
        guard = lg.both(guard, lg.less(w.recorded(n, m), e))
    return Step(guard, saved(setting, w.put("recorded", (n, m), e), n))


def _start_election(setting: Setting, w: World, c: Term, e: Term) -> Step:
    lg = w.logic
    guard = lg.both(lg.no(w.running(c)), lg.no(w.master(c)), fresh(w, c, e))

    def carried(v: Term) -> Term:
        if not setting.rules.late_votes_count:
            return lg.no(lg.same(c, c))
        return lg.both(w.put_off(c), w.late(c, v))

    after = w.put("current_epoch", (c,), e).put("auth_epoch", (c,), e)
    after = after.put("running", (c,), lg.same(c, c)).row("counted", c, carried)
    after = _no_election_put_off(after, c)
    after = saved_before_send(setting, after, c).put("stood", (c,), e)
    return Step(guard, after.add("request", lambda n, f: lg.both(lg.same(n, c), lg.same(f, e))))


def _no_election_put_off(w: World, c: Term) -> World:
    never = w.logic.no(w.logic.same(c, c))
    return w.put("put_off", (c,), never).row("late", c, lambda _: never)


def _grant_vote(setting: Setting, w: World, v: Term, c: Term, asked: Term) -> Step:
    """The vote may be of any epoch of the round: EL-27 has candidates count no others."""
    lg, rules = w.logic, setting.rules
    epoch = w.current_epoch(v)
    if rules.merge_current_epoch:
        epoch = lg.later(epoch, asked)
    guard = lg.both(w.request(c, asked), lg.no(lg.same(v, c)), w.master(v))
    if rules.vote_checks_request_epoch:
        guard = lg.both(guard, not_after(w, epoch, asked))
    if rules.one_vote_per_epoch:
        judged = asked if rules.unique_epochs else epoch
        guard = lg.both(guard, lg.no(w.same_round(w.last_vote_epoch(v), judged)))
    after = w.put("current_epoch", (v,), epoch).put("last_vote_epoch", (v,), epoch)
    after = saved_before_send(setting, after, v)

    def vote(voter: Term, candidate: Term, e: Term) -> Term:
        return lg.both(lg.same(voter, v), lg.same(candidate, c), w.same_round(e, epoch))

    return Step(guard, after.add("ack", vote))


def _count_vote(setting: Setting, w: World, c: Term, v: Term, e: Term) -> Step:
    del setting
    lg = w.logic
    guard = lg.both(w.running(c), w.ack(v, c, e), lg.at_most(w.auth_epoch(c), e))
    return Step(guard, w.put("counted", (c, v), lg.same(c, c)))


def _count_late_vote(setting: Setting, w: World, c: Term, v: Term, e: Term) -> Step:
    """The servers even count messages, and so one voter twice: once is enough to break it."""
    del setting
    lg = w.logic
    guard = lg.both(
        lg.no(w.running(c)), w.put_off(c), w.ack(v, c, e), lg.at_most(w.auth_epoch(c), e)
    )
    return Step(guard, w.put("late", (c, v), lg.same(c, c)))


def _won(setting: Setting, w: World, c: Term, q: Term) -> World:
    lg = w.logic
    e = w.auth_epoch(c)
    after = w.put("config_epoch", (c,), lg.later(w.config_epoch(c), e))
    after = after.put("master", (c,), lg.same(c, c))
    after = after.row("owns", c, lambda s: lg.either(w.owns(c, s), w.inherits(c, s)))
    after = unmarked(setting, after, c, lambda s: w.inherits(c, s))
    after = saved_before_send(setting, after, c)
    after = after.add("won", lambda n, f, p: lg.both(lg.same(n, c), lg.same(f, e), lg.same(p, q)))
    return after.add("granted", lambda n, f: lg.both(lg.same(n, c), lg.same(f, e)))


def _win_election(setting: Setting, w: World, c: Term, q: Term) -> Step:
    lg = w.logic
    votes = lg.every(("node",), lambda v: lg.implies(w.member(v, q), w.counted(c, v)))
    return Step(lg.both(w.running(c), lg.no(w.master(c)), votes), _won(setting, w, c, q))


def _win_with_one_vote(setting: Setting, w: World, c: Term, v: Term, q: Term) -> Step:
    guard = w.logic.both(w.running(c), w.logic.no(w.master(c)), w.counted(c, v))
    return Step(guard, _won(setting, w, c, q))


def _end_election(setting: Setting, w: World, c: Term) -> World:
    after = w.put("running", (c,), w.logic.no(w.logic.same(c, c)))
    if not setting.rules.late_votes_count:
        return after
    return after.put("put_off", (c,), w.logic.same(c, c)).row(
        "late", c, lambda _: w.logic.no(w.logic.same(c, c))
    )


def _expire_election(setting: Setting, w: World, c: Term) -> Step:
    return Step(w.running(c), _end_election(setting, w, c))


def _set_master(setting: Setting, w: World, n: Term) -> Step:
    lg = w.logic
    guard = lg.both(w.master(n), lg.every(("slot",), lambda s: lg.no(w.owns(n, s))))
    after = w.put("master", (n,), lg.no(lg.same(n, n)))
    return Step(guard, saved(setting, after, n))


def _claimed(w: World, owner: Term, epoch: Term, slots: Callable[[Term], Term]) -> World:
    """A message with this claim has been sent."""
    lg = w.logic
    after = w.add("claim", lambda n, s, e: lg.both(lg.same(n, owner), lg.same(e, epoch), slots(s)))
    after = after.add("told", lambda n, e: lg.both(lg.same(n, owner), lg.same(e, epoch)))
    return after.raised("newest", epoch, slots)


def _announce(setting: Setting, w: World, n: Term) -> Step:
    del setting
    lg, e = w.logic, w.config_epoch(n)
    after = _claimed(w, n, e, lambda s: w.owns(n, s))
    after = after.add("header", lambda m, f: lg.both(lg.same(m, n), lg.same(f, e)))
    after = after.add("held", lambda m, s, f: lg.both(lg.same(m, n), lg.same(f, e), w.owns(n, s)))
    return Step(w.master(n), after)


def _announce_as_replica(setting: Setting, w: World, n: Term, m: Term) -> Step:
    lg = w.logic
    epoch = lg.pick(lg.same(n, m), w.config_epoch(n), w.recorded(n, m))
    after = w.add("told", lambda x, e: lg.both(lg.same(x, n), lg.same(e, epoch)))
    believed = lg.some(("node",), lambda x: follows(setting, w, x, "config_epoch_from_replicas"))
    return Step(lg.both(lg.no(w.master(n)), believed), after)


def _send_update(setting: Setting, w: World, n: Term, m: Term, s: Term) -> Step:
    """It may name any slot: what a table says of others is not modelled."""
    del setting
    lg = w.logic
    after = _claimed(w, m, w.recorded(n, m), lambda t: lg.same(s, t))
    return Step(lg.no(lg.same(n, m)), after)


def _process_claim(setting: Setting, w: World, n: Term, m: Term, s: Term, e: Term) -> Step:
    lg = w.logic
    guard = lg.both(lg.no(lg.same(n, m)), w.claim(m, s, e), w.owns(n, s))
    if setting.rules.claims_need_newer_epoch:
        guard = lg.both(guard, lg.either(lg.less(w.config_epoch(n), e), w.marked(n, s)))
    after = w.put("owns", (n, s), lg.no(lg.same(n, n)))
    after = unmarked(setting, after, n, lambda t: lg.same(s, t))
    return Step(guard, saved(setting, after, n))


def _learn_update(setting: Setting, w: World, n: Term, e: Term) -> Step:
    """About itself: its currentEpoch was merged first, and is never below a configEpoch.

    One of its own epoch is taken in, too, where UPDATEs add slots (SC-38) and none reminds (SC-40).
    """
    lg = w.logic
    adds = lg.both(
        follows(setting, w, n, "updates_add_slots"),
        lg.no(follows(setting, w, n, "reset_owners_take_back")),
    )
    newer = lg.either(lg.less(w.config_epoch(n), e), lg.both(adds, lg.same(w.config_epoch(n), e)))
    guard = lg.both(w.told(n, e), newer)
    after = w.put("config_epoch", (n,), e).put("master", (n,), lg.same(n, n))
    if setting.rules.merge_current_epoch:
        after = after.put("current_epoch", (n,), lg.later(w.current_epoch(n), e))
    return Step(guard, saved(setting, after, n))


def _add_slots(setting: Setting, w: World, n: Term, s: Term) -> Step:
    """By ADDSLOTS, for which it is assumed to have a configEpoch; by an import, or by SC-40."""
    lg = w.logic
    guard = lg.both(w.master(n), lg.no(lg.same(w.config_epoch(n), lg.zero)))
    after = w.put("owns", (n, s), w.logic.same(n, n))
    after = unmarked(setting, after, n, lambda t: lg.same(s, t))
    return Step(guard, saved(setting, after, n))


def _hear_of_slots(setting: Setting, w: World, n: Term, s: Term) -> Step:
    del setting
    return Step(w.logic.same(n, n), w.put("inherits", (n, s), w.logic.no(w.inherits(n, s))))


def _save(setting: Setting, w: World, n: Term) -> Step:
    return Step(w.logic.same(n, n), saved(setting, w, n))


def _restart(setting: Setting, w: World, n: Term, current: Term, config: Term) -> Step:
    """What it had recorded of others it hears again: no message is ever gone.

    By EP-8 its current_epoch may be larger than the one it saved. So it will be the next time.
    """
    del setting
    lg = w.logic
    never = lg.no(lg.same(n, n))
    kept = lg.same(config, w.saved_config_epoch(n))
    forgotten = lg.both(lg.no(w.saved_master(n)), lg.same(config, lg.zero))
    guard = lg.both(
        lg.at_most(w.saved_current_epoch(n), current),
        lg.at_most(w.saved_config_epoch(n), current),
        lg.either(kept, forgotten),
    )
    after = w.put("current_epoch", (n,), current).put("saved_current_epoch", (n,), current)
    after = after.put("config_epoch", (n,), config)
    after = after.put("last_vote_epoch", (n,), w.saved_last_vote_epoch(n))
    after = after.put("master", (n,), w.saved_master(n)).put("alone", (n,), w.saved_alone(n))
    after = after.row("owns", n, lambda s: w.saved_owns(n, s))
    after = after.put("running", (n,), never).row("counted", n, lambda _: never)
    after = _no_election_put_off(after, n).row("marked", n, lambda _: never)
    return Step(guard, after.row("recorded", n, lambda _: lg.zero))


ACTIONS: Final = (
    Action(
        "merge_epochs (current)",
        ("node", "epoch"),
        "{0} hears of currentEpoch {1}",
        _merge_current_epoch,
        lambda setting: setting.rules.merge_current_epoch,
    ),
    Action(
        "merge_epochs (config)",
        ("node", "node", "epoch"),
        "{0} hears that {1} has configEpoch {2}",
        _merge_config_epoch,
    ),
    Action("start_election", ("node", "epoch"), "{0} stands for election {1}", _start_election),
    Action(
        "grant_vote",
        ("node", "node", "epoch"),
        "{0} votes for {1}, which asked for election {2}",
        _grant_vote,
    ),
    Action(
        "count_vote",
        ("node", "node", "epoch"),
        "{0} counts the vote that {1} gave in epoch {2}",
        _count_vote,
    ),
    Action(
        "count_late_vote",
        ("node", "node", "epoch"),
        "{0}, between two elections, counts the vote that {1} gave in epoch {2}",
        _count_late_vote,
        lambda setting: setting.rules.late_votes_count,
    ),
    Action(
        "win_election",
        ("node", "quorum"),
        "{0} wins with the votes of {1}",
        _win_election,
        lambda setting: setting.rules.majority_wins,
    ),
    Action(
        "win_election (one vote)",
        ("node", "node", "quorum"),
        "{0} wins with the vote of {1} alone",
        _win_with_one_vote,
        lambda setting: not setting.rules.majority_wins,
    ),
    Action("expire_election", ("node",), "{0} gives its election up", _expire_election),
    Action("set_master", ("node",), "{0}, without slots, becomes a replica", _set_master),
    Action("announce", ("node",), "{0} sends its header as a master", _announce),
    Action(
        "announce (replica)",
        ("node", "node"),
        "{0} sends its header as a replica of {1}",
        _announce_as_replica,
        lambda setting: setting.some("config_epoch_from_replicas"),
    ),
    Action(
        "send_update",
        ("node", "node", "slot"),
        "{0} sends an UPDATE that {1} owns slot {2}",
        _send_update,
    ),
    Action(
        "process_claims",
        ("node", "node", "slot", "epoch"),
        "{0} loses slot {2} to the claim of {1} with configEpoch {3}",
        _process_claim,
    ),
    Action(
        "learn_update",
        ("node", "epoch"),
        "{0} takes in an UPDATE that it has configEpoch {1} itself",
        _learn_update,
        lambda setting: setting.about_oneself,
    ),
    Action("add_slots", ("node", "slot"), "{0} is given slot {1}", _add_slots, alone=True),
    Action(
        "hear_of_slots", ("node", "slot"), "{0} hears whether its master has {1}", _hear_of_slots
    ),
    Action("save", ("node",), "{0} saves", _save, alone=True),
    Action(
        "restart",
        ("node", "epoch", "epoch"),
        "{0} crashes and restarts from what it saved, with currentEpoch {1}",
        _restart,
        restarts=True,
        alone=True,
        forgets=1,
    ),
    *UNASKED,
    *MEMBERSHIP,
)
"""Everything that may happen, in any order, at any moment."""


def actions_of(setting: Setting) -> tuple[Action, ...]:
    """The actions that the setting allows."""
    return tuple(action for action in ACTIONS if action.included(setting))
