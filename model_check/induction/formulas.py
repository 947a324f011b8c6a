"""The formulas of the invariant; `invariant` gives each its words."""

from collections.abc import Callable

from model_check.induction.epochs import not_after
from model_check.induction.logic import Term
from model_check.induction.steps import Excused
from model_check.induction.vocabulary import SYMBOLS, World


def votes_at_most(w: World, last: str) -> Term:
    """No vote is of a round later than this epoch of its voter."""
    lg, most = w.logic, w.meaning(last)
    return lg.every(
        ("node", "node", "epoch"),
        lambda v, c, e: lg.implies(w.ack(v, c, e), not_after(w, e, most(v))),
    )


def node(w: World, body: Callable[[Term], Term]) -> Term:
    """The body holds for every node."""
    return w.logic.every(("node",), body)


def at_most(w: World, small: str, large: str) -> Term:
    """Of every node, the one epoch is not larger than the other."""
    one, other = w.meaning(small), w.meaning(large)
    return node(w, lambda n: w.logic.at_most(one(n), other(n)))


def one_winner(w: World) -> Term:
    """Whoever wins an epoch, by whatever majority, is the same node."""
    lg = w.logic
    return lg.every(
        ("node", "node", "epoch", "quorum", "quorum"),
        lambda n, m, e, p, q: lg.implies(lg.both(w.won(n, e, p), w.won(m, e, q)), lg.same(n, m)),
    )


def one_winner_of_round(w: World) -> Term:
    """Whoever wins an epoch of a round, by whatever majority, is the same node."""
    lg = w.logic

    def body(n: Term, m: Term, e: Term, f: Term, p: Term, q: Term) -> Term:
        both = lg.both(w.won(n, e, p), w.won(m, f, q), w.same_round(e, f))
        return lg.implies(both, lg.same(n, m))

    return lg.every(("node", "node", "epoch", "epoch", "quorum", "quorum"), body)


def one_holder(w: World) -> Term:
    """A config_epoch was given to one node only."""
    lg = w.logic
    return lg.every(
        ("node", "node", "epoch"),
        lambda n, m, e: lg.implies(lg.both(w.granted(n, e), w.granted(m, e)), lg.same(n, m)),
    )


def vote_unique(w: World) -> Term:
    """All votes of a voter in an epoch went to one candidate."""
    lg = w.logic
    return lg.every(
        ("node", "node", "node", "epoch"),
        lambda v, c, d, e: lg.implies(lg.both(w.ack(v, c, e), w.ack(v, d, e)), lg.same(c, d)),
    )


def won_by_majority(w: World) -> Term:
    """Each voter of the majority that elected a node sent it a vote in that epoch."""
    lg = w.logic
    return lg.every(
        ("node", "epoch", "quorum", "node"),
        lambda c, e, q, v: lg.implies(lg.both(w.won(c, e, q), w.member(v, q)), w.ack(v, c, e)),
    )


def counted_were_given(w: World) -> Term:
    """What is counted in a running election was sent in its epoch."""
    lg = w.logic
    return lg.every(
        ("node", "node"),
        lambda c, v: lg.implies(
            lg.both(w.running(c), w.counted(c, v)), w.ack(v, c, w.auth_epoch(c))
        ),
    )


def vote_not_beyond(w: World) -> Term:
    """No vote is ahead of the last election that its candidate stood in."""
    lg = w.logic
    return lg.every(
        ("node", "node", "epoch"),
        lambda v, c, e: lg.implies(w.ack(v, c, e), not_after(w, e, w.stood(c))),
    )


def request_not_beyond(w: World) -> Term:
    """No request is ahead of the last election that its sender stood in."""
    lg = w.logic
    return lg.every(
        ("node", "epoch"), lambda c, e: lg.implies(w.request(c, e), lg.at_most(e, w.stood(c)))
    )


def running_is_last(w: World) -> Term:
    """A running election is the last one that its candidate stood in."""
    lg = w.logic
    return node(w, lambda c: lg.implies(w.running(c), lg.same(w.auth_epoch(c), w.stood(c))))


def exclusive(w: World) -> Term:
    """No two masters own a slot with the same config_epoch."""
    lg = w.logic
    return lg.every(
        ("node", "node", "slot"),
        lambda n, m, s: lg.implies(
            lg.both(
                w.master(n),
                w.master(m),
                w.owns(n, s),
                w.owns(m, s),
                lg.same(w.config_epoch(n), w.config_epoch(m)),
            ),
            lg.same(n, m),
        ),
    )


def granted_by_election(w: World) -> Term:
    """A config_epoch that was given is of the start, or was won."""
    lg = w.logic

    def body(n: Term, e: Term) -> Term:
        elected = lg.some(("quorum",), lambda q: w.won(n, e, q))
        return lg.implies(w.granted(n, e), lg.either(lg.at_most(e, w.base()), elected))

    return lg.every(("node", "epoch"), body)


def own(w: World, epoch: str) -> Term:
    """Every node's own config_epoch is 0 or was given to it."""
    lg, own = w.logic, w.meaning(epoch)
    return node(w, lambda n: lg.either(lg.same(own(n), lg.zero), w.granted(n, own(n))))


def masters_have_epochs(w: World, master: str, epoch: str, alone: str) -> Term:
    """Whoever is a master and knows others has a config_epoch."""
    lg, is_master, own, by_itself = w.logic, *map(w.meaning, (master, epoch, alone))
    return node(
        w,
        lambda n: lg.either(by_itself(n), lg.no(is_master(n)), lg.no(lg.same(own(n), lg.zero))),
    )


def knows_start(w: World, epoch: str, alone: str) -> Term:
    """Who knows others has a current_epoch as large as all config_epochs of the start."""
    lg, known, by_itself = w.logic, w.meaning(epoch), w.meaning(alone)
    return node(w, lambda n: lg.either(by_itself(n), lg.at_most(w.base(), known(n))))


def headers_are_true(w: World) -> Term:
    """What masters announce was given to them."""
    lg = w.logic
    return lg.every(("node", "epoch"), lambda n, e: lg.implies(w.header(n, e), w.granted(n, e)))


def told_is_true(w: World) -> Term:
    """What is told of a node is 0 or was given to it."""
    lg = w.logic
    return lg.every(
        ("node", "epoch"),
        lambda n, e: lg.implies(w.told(n, e), lg.either(lg.same(e, lg.zero), w.granted(n, e))),
    )


def recorded_is_true(w: World) -> Term:
    """What is recorded of another node is 0 or was given to it."""
    lg = w.logic

    def body(n: Term, m: Term) -> Term:
        known = w.recorded(n, m)
        return lg.either(lg.same(n, m), lg.same(known, lg.zero), w.granted(m, known))

    return lg.every(("node", "node"), body)


def owners_are_masters(w: World, owns: str, master: str) -> Term:
    """Whoever owns a slot is a master."""
    lg, owning, is_master = w.logic, w.meaning(owns), w.meaning(master)
    return lg.every(("node", "slot"), lambda n, s: lg.implies(owning(n, s), is_master(n)))


def kept(w: World) -> Term:
    """A slot that was announced is still owned, or was claimed by somebody newer."""
    lg = w.logic
    return lg.every(
        ("node", "slot", "epoch"),
        lambda n, s, e: lg.implies(
            w.held(n, s, e), lg.either(w.owns(n, s), lg.less(e, w.newest(s)))
        ),
    )


def kept_safely(w: World) -> Term:
    """So it is after a crash, with a config_epoch that is large enough."""
    lg = w.logic
    return lg.every(
        ("node", "slot", "epoch"),
        lambda n, s, e: lg.implies(
            w.held(n, s, e),
            lg.either(
                lg.less(e, w.newest(s)),
                lg.both(
                    w.owns(n, s),
                    w.saved_owns(n, s),
                    lg.at_most(e, w.config_epoch(n)),
                    lg.at_most(e, w.saved_config_epoch(n)),
                ),
            ),
        ),
    )


def newest_is_newest(w: World) -> Term:
    """No claim on a slot is newer than the newest."""
    lg = w.logic
    return lg.every(
        ("node", "slot", "epoch"),
        lambda n, s, e: lg.implies(w.claim(n, s, e), lg.at_most(e, w.newest(s))),
    )


def own_unmarked(w: World) -> Term:
    """No node has a slot of its own marked."""
    lg = w.logic
    return lg.every(("node", "slot"), lambda n, s: lg.implies(w.owns(n, s), lg.no(w.marked(n, s))))


def owned_is_saved(w: World) -> Term:
    """What is owned is saved."""
    lg = w.logic
    return lg.every(("node", "slot"), lambda n, s: lg.implies(w.owns(n, s), w.saved_owns(n, s)))


def masters_are_saved(w: World) -> Term:
    """A master is saved as one, and its config_epoch too."""
    lg = w.logic
    return node(
        w,
        lambda n: lg.implies(
            w.master(n),
            lg.both(w.saved_master(n), lg.at_most(w.config_epoch(n), w.saved_config_epoch(n))),
        ),
    )


def never_back(name: str) -> Callable[[World, World, Excused], Term]:
    """The epochs of this name do not decrease while their node runs, but for what it forgets."""

    def rises(before: World, after: World, excused: Excused) -> Term:
        lg, old, new = before.logic, before.meaning(name), after.meaning(name)

        def excuse(n: Term, *rest: Term) -> Term:
            return excused.forgets(n, *rest) if rest else excused.restarts(n)

        return lg.every(
            SYMBOLS[name].sorts,
            lambda *args: lg.either(excuse(*args), lg.at_most(old(*args), new(*args))),
        )

    return rises


def vote_never_back(before: World, after: World, excused: Excused) -> Term:
    """No last_vote_epoch decreases, not even by a restart."""
    del excused
    lg = before.logic
    return node(before, lambda n: lg.at_most(before.last_vote_epoch(n), after.last_vote_epoch(n)))


def claim_never_back(before: World, after: World, excused: Excused) -> Term:
    """A master that restarts is one still, and its config_epoch has not decreased."""
    lg = before.logic
    return node(
        before,
        lambda n: lg.implies(
            lg.both(excused.restarts(n), before.master(n)),
            lg.both(after.master(n), lg.at_most(before.config_epoch(n), after.config_epoch(n))),
        ),
    )


def nothing_marked(w: World) -> Term:
    """No slot is marked."""
    lg = w.logic
    return lg.every(("node", "slot"), lambda n, s: lg.no(w.marked(n, s)))


def late_were_given(w: World) -> Term:
    """What was counted between two elections was sent in the epoch of the first."""
    lg = w.logic
    return lg.every(
        ("node", "node"),
        lambda c, v: lg.implies(lg.both(w.put_off(c), w.late(c, v)), w.ack(v, c, w.stood(c))),
    )


def put_off_is_last(w: World) -> Term:
    """An election that was given up is the last one that its candidate stood in."""
    lg = w.logic
    return node(w, lambda c: lg.implies(w.put_off(c), lg.same(w.auth_epoch(c), w.stood(c))))


def not_for_itself(w: World) -> Term:
    """Nobody votes for itself."""
    lg = w.logic
    return lg.every(("node", "epoch"), lambda n, e: lg.no(w.ack(n, n, e)))


def not_of_epoch_zero(w: World) -> Term:
    """No request, vote, win or running election is of the round of epoch 0."""
    lg = w.logic

    def body(n: Term, m: Term, q: Term, e: Term) -> Term:
        running = lg.both(w.running(n), lg.same(w.auth_epoch(n), e))
        any_of = lg.either(w.request(n, e), w.ack(n, m, e), w.won(n, e, q), running)
        return lg.implies(w.same_round(e, lg.zero), lg.no(any_of))

    return lg.every(("node", "node", "quorum", "epoch"), body)


def no_collision(w: World) -> Term:
    """No master that knows others hears another announce its config_epoch."""
    lg = w.logic
    return lg.every(
        ("node", "node"),
        lambda n, m: lg.implies(
            lg.both(w.master(n), lg.no(w.alone(n)), w.header(m, w.config_epoch(n))),
            lg.same(n, m),
        ),
    )


def vote_of_round(w: World) -> Term:
    """What holds of a vote in an epoch holds in the whole round."""
    lg = w.logic
    return lg.every(
        ("node", "node", "epoch", "epoch"),
        lambda v, c, e, f: lg.implies(lg.both(w.ack(v, c, e), w.same_round(e, f)), w.ack(v, c, f)),
    )


def won_are_own(w: World) -> Term:
    """A win is of an epoch that the winner takes."""
    lg = w.logic
    return lg.every(
        ("node", "epoch", "quorum"), lambda n, e, q: lg.implies(w.won(n, e, q), w.takes(n, e))
    )


def running_are_own(w: World) -> Term:
    """A running election is of an epoch that the candidate takes."""
    lg = w.logic
    return node(w, lambda c: lg.implies(w.running(c), w.takes(c, w.auth_epoch(c))))


def granted_are_own(w: World) -> Term:
    """A config_epoch that was given is of the start, or its node's own."""
    lg = w.logic
    return lg.every(
        ("node", "epoch"),
        lambda n, e: lg.implies(w.granted(n, e), lg.either(lg.at_most(e, w.base()), w.takes(n, e))),
    )


def owners_have_epochs(w: World, owns: str, master: str, epoch: str) -> Term:
    """Whoever owns a slot is a master that has a config_epoch."""
    lg, owning, is_master, own = w.logic, w.meaning(owns), w.meaning(master), w.meaning(epoch)
    return lg.every(
        ("node", "slot"),
        lambda n, s: lg.implies(
            owning(n, s), lg.both(is_master(n), lg.no(lg.same(own(n), lg.zero)))
        ),
    )


def current_never_back(before: World, after: World, excused: Excused) -> Term:
    """No current_epoch decreases, not even by a restart."""
    del excused
    lg = before.logic
    return node(before, lambda n: lg.at_most(before.current_epoch(n), after.current_epoch(n)))
