"""What the proof is not about in vain: states and runs that there must be."""

from typing import Final

import attrs
import z3

from model_check.induction.actions import actions_of
from model_check.induction.conditions import groups_of
from model_check.induction.conjuncts import conjuncts_of
from model_check.induction.epochs import world_in
from model_check.induction.logic import SortName, Term
from model_check.induction.setting import Setting
from model_check.induction.smt import Finite, fixed
from model_check.induction.start import starts
from model_check.induction.steps import Action
from model_check.induction.vocabulary import SYMBOLS, World
from model_check.properties import Verdict

_FAILOVER: Final = (
    "hear_of_slots",
    "start_election",
    "grant_vote",
    "grant_vote",
    "count_vote",
    "count_vote",
    "win_election",
    "announce",
    "process_claims",
)
"""A failover from the start to the moment in which the old owner gives the slot up."""

_SIZES: Final[dict[SortName, int]] = {"node": 4, "slot": 1, "quorum": 1, "epoch": 5}
_DEAD: Final = "resolve_collision"  # only without consensus are there two equal configEpochs


@attrs.frozen
class Witness:
    """Something that must be possible."""

    text: str
    verdict: Verdict


def witnesses(setting: Setting, seconds: float) -> tuple[Witness, ...]:
    """Each witness, and whether it is there."""
    stage = _Stage(setting, seconds).prepared()
    happen = _actions_happen(setting, stage)
    return (_Stage(setting, seconds).failover(), stage.two_winners(), happen)


class _Stage:
    """A solver that knows a few nodes, and the state that they are in."""

    def __init__(self, setting: Setting, seconds: float) -> None:
        self.setting = setting
        self.logic = Finite(_SIZES)
        self.world = world_in(setting, self.logic.world("@0"))
        self.solver = z3.Solver()
        self.solver.set("timeout", max(1, int(seconds * 1000)))
        self.solver.add(fixed(setting, self.world, share=not setting.views))

    def failover(self) -> Witness:
        """From a start, a majority of two voters elects a node, which takes another's slot."""
        first, lg = self.world, self.logic
        self.solver.add(starts(self.setting, first))
        for number, name in enumerate(_FAILOVER, 1):
            self._goes_on(number, self._named(name))
        last = self.world

        def moved(old: Term, new: Term, s: Term) -> Term:
            return lg.both(
                first.owns(old, s), lg.no(last.owns(old, s)), last.owns(new, s), last.master(new)
            )

        def two_voters(q: Term, v: Term, u: Term, old: Term) -> Term:
            apart = [lg.no(lg.same(a, b)) for a, b in ((v, u), (v, old), (u, old))]
            return lg.both(*apart, first.member(v, q), first.member(u, q))

        self.solver.add(lg.some(("node", "node", "slot"), moved))
        self.solver.add(lg.some(("quorum", "node", "node", "node"), two_voters))
        text = f"from a start, a node is elected and takes a slot over, in {len(_FAILOVER)} steps"
        return Witness(text, self._verdict())

    def two_winners(self) -> Witness:
        """The invariant holds in a state in which two nodes have won."""
        lg, w = self.logic, self.world

        def body(n: Term, m: Term, e: Term, f: Term, q: Term) -> Term:
            return lg.both(lg.no(lg.same(n, m)), lg.less(e, f), w.won(n, e, q), w.won(m, f, q))

        self.solver.add(lg.some(("node", "node", "epoch", "epoch", "quorum"), body))
        text = "the invariant allows two winners, each in an epoch of its own"
        return Witness(text, self._verdict())

    def possible(self, action: Action) -> Verdict:
        """Whether the action can happen where the invariant holds."""
        self.solver.push()
        self.solver.add(action.run(self.setting, self.world, *self._parameters(action, 0)).guard)
        verdict = self._verdict()
        self.solver.pop()
        return verdict

    def prepared(self) -> "_Stage":
        """In states in which the invariant holds."""
        for group in groups_of(self.setting):
            for each in conjuncts_of(group, self.setting):
                self.solver.add(each.holds(self.world))
        return self

    def _parameters(self, action: Action, number: int) -> list[Term]:
        return [self.logic.constant(f"p{number}_{i}", sort) for i, sort in enumerate(action.sorts)]

    def _named(self, name: str) -> Action:
        return next(a for a in actions_of(self.setting) if a.name.startswith(name))

    def _goes_on(self, number: int, action: Action) -> None:
        step = action.run(self.setting, self.world, *self._parameters(action, number))
        self.solver.add(step.guard)
        following = world_in(self.setting, self.logic.world(f"@{number}"))
        for name, symbol in SYMBOLS.items():
            if symbol.kind != "fixed":
                self.solver.add(_equal(self.logic, name, step.after, following))
        self.world = following

    def _verdict(self) -> Verdict:
        said = self.solver.check()
        if said == z3.sat:
            return "holds"
        return "violated" if said == z3.unsat else "incomplete"


def _equal(logic: Finite, name: str, one: World, other: World) -> Term:
    first, second = one.meaning(name), other.meaning(name)
    return logic.every(SYMBOLS[name].sorts, lambda *args: first(*args) == second(*args))


def _actions_happen(setting: Setting, stage: _Stage) -> Witness:
    verdicts = {action.name: stage.possible(action) for action in actions_of(setting)}
    dead = verdicts.pop(_DEAD, None)
    never = [name for name, verdict in verdicts.items() if verdict == "violated"]
    unknown = [name for name, verdict in verdicts.items() if verdict == "incomplete"]
    text = f"each of {len(verdicts)} actions can happen"
    found = Witness(text, "holds")
    if never or unknown:
        text = f"not possible: {', '.join(never) or 'none'}; not known: {', '.join(unknown)}"
        found = Witness(text, "violated" if never else "incomplete")
    if dead == "violated":
        found = attrs.evolve(
            found, text=f"{found.text}; {_DEAD} cannot, as there are no collisions"
        )
    return found
