"""Which epoch a node may take next, and which epochs are of one round.

Where epochs are unique (EP-13) they say so themselves. Elsewhere an epoch is nobody's, so that
anybody may take it, and each is a round of its own.
"""

from model_check.induction.logic import Logic, Term
from model_check.induction.setting import Setting
from model_check.induction.vocabulary import Meaning, World


def world_in(setting: Setting, world: World) -> World:
    """The state, in which epochs are as the setting has them."""
    lg = world.logic
    if "unique_epochs" in setting.apart:
        return world
    everybody = world.with_meaning("takes_own", lambda node: lg.same(node, node))
    if setting.rules.unique_epochs:
        return everybody
    anybody = everybody.with_meaning("takes", _anybody(lg))
    return anybody.with_meaning("same_round", lg.same)


def _anybody(logic: Logic) -> Meaning:
    return lambda node, epoch: logic.both(logic.same(node, node), logic.same(epoch, epoch))


def fresh(w: World, n: Term, e: Term) -> Term:
    """The epoch is one that the node may take: its own, and of a later round than it knows of.

    In a mixed cluster there may be nodes that take any.
    """
    lg, known = w.logic, w.current_epoch(n)
    may = lg.either(lg.no(w.takes_own(n)), w.takes(n, e))
    return lg.both(lg.less(known, e), may, lg.no(w.same_round(known, e)))


def not_after(w: World, e: Term, last: Term) -> Term:
    """The epoch is of no later round than the other."""
    return w.logic.either(w.logic.at_most(e, last), w.same_round(e, last))


def rounds(w: World) -> Term:
    """No epoch is taken by two nodes, and a round is a run of epochs without gaps."""
    lg = w.logic
    return lg.both(
        lg.every(
            ("node", "node", "epoch"),
            lambda n, m, e: lg.implies(lg.both(w.takes(n, e), w.takes(m, e)), lg.same(n, m)),
        ),
        lg.every(("epoch",), lambda e: w.same_round(e, e)),
        lg.every(
            ("epoch", "epoch"), lambda e, f: lg.implies(w.same_round(e, f), w.same_round(f, e))
        ),
        lg.every(
            ("epoch", "epoch", "epoch"),
            lambda e, f, g: lg.implies(
                lg.both(w.same_round(e, f), w.same_round(f, g)), w.same_round(e, g)
            ),
        ),
        lg.every(
            ("epoch", "epoch", "epoch"),
            lambda e, f, g: lg.implies(
                lg.both(lg.at_most(e, f), lg.at_most(f, g), w.same_round(e, g)),
                w.same_round(e, f),
            ),
        ),
    )
