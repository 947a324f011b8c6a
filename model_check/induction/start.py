"""The states in which a cluster may start."""

from model_check.induction import formulas
from model_check.induction.logic import Term
from model_check.induction.setting import Setting
from model_check.induction.vocabulary import World


def starts(setting: Setting, w: World) -> Term:
    """The states in which a cluster may start: agreed, with nothing on its way.

    Every node knows of all configEpochs, and no two nodes have the same. It may have voted before.
    Or it knows nobody, like one that is new.
    """
    lg = w.logic
    nothing = [
        lg.every(
            ("node", "epoch"),
            lambda n, e: lg.no(lg.either(w.request(n, e), w.header(n, e), w.told(n, e))),
        ),
        lg.every(("node", "epoch", "quorum"), lambda n, e, q: lg.no(w.won(n, e, q))),
        lg.every(("node", "node", "epoch"), lambda v, c, e: lg.no(w.ack(v, c, e))),
        lg.every(
            ("node", "slot", "epoch"),
            lambda n, s, e: lg.no(lg.either(w.claim(n, s, e), w.held(n, s, e))),
        ),
        lg.every(("node", "slot"), lambda n, s: lg.no(w.marked(n, s))),
        formulas.node(w, lambda n: lg.no(lg.either(w.running(n), w.put_off(n)))),
        formulas.node(w, lambda n: lg.same(w.stood(n), lg.zero)),
    ]
    return lg.both(*nothing, *_agreed(setting, w))


def _agreed(setting: Setting, w: World) -> list[Term]:
    lg = w.logic

    def saved(n: Term) -> Term:
        return lg.both(
            lg.same(w.saved_alone(n), w.alone(n)),
            lg.same(w.saved_current_epoch(n), w.current_epoch(n)),
            lg.same(w.saved_last_vote_epoch(n), w.last_vote_epoch(n)),
            lg.same(w.saved_config_epoch(n), w.config_epoch(n)),
            lg.same(w.saved_master(n), w.master(n)),
        )

    def told(n: Term, m: Term) -> Term:
        known = w.recorded(n, m)
        true = lg.either(lg.same(known, lg.zero), lg.same(known, w.config_epoch(m)))
        return true if setting.about_oneself else lg.at_most(known, w.base())

    def different(n: Term, m: Term) -> Term:
        equal = lg.same(w.config_epoch(n), w.config_epoch(m))
        return lg.either(lg.same(n, m), lg.same(w.config_epoch(n), lg.zero), lg.no(equal))

    return [
        formulas.node(w, saved),
        lg.every(("node", "slot"), lambda n, s: lg.same(w.saved_owns(n, s), w.owns(n, s))),
        formulas.owners_are_masters(w, "owns", "master"),
        formulas.masters_have_epochs(w, "master", "config_epoch", "alone"),
        formulas.owners_have_epochs(w, "owns", "master", "config_epoch"),
        formulas.node(w, lambda n: lg.implies(w.alone(n), w.master(n))),
        formulas.node(w, lambda n: lg.at_most(w.config_epoch(n), w.base())),
        formulas.knows_start(w, "current_epoch", "alone"),
        formulas.at_most(w, "last_vote_epoch", "current_epoch"),
        formulas.at_most(w, "config_epoch", "current_epoch"),
        lg.every(("node", "node"), different),
        lg.every(("node", "node"), told),
        lg.every(
            ("node", "epoch"),
            lambda n, e: lg.same(
                w.granted(n, e),
                lg.both(lg.same(w.config_epoch(n), e), lg.no(lg.same(e, lg.zero))),
            ),
        ),
    ]
