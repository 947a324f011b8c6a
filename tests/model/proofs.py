"""What tests of the proof have in common: settings, what is refuted, and walks of the core."""

from collections.abc import Iterator
from random import Random
from typing import Any

from click.testing import CliRunner, Result

from model_check.induction import command as cli
from model_check.induction import conditions
from model_check.induction.conditions import Prover, conditions_of, groups_of
from model_check.induction.conjuncts import Conjunct, conjuncts_of
from model_check.induction.counterexample import Counterexample, smallest
from model_check.induction.reading import Reading
from model_check.induction.setting import Setting, setting_of
from model_check.induction.smt import AnySize
from model_check.induction.structure import Structure
from model_check.induction.vocabulary import Spy
from model_check.models import MODELS
from model_check.models.cluster import ClusterSystem, Crash, Process
from reference.core.events import ElectionExpired, FailUndoAllowed, ReportExpired
from reference.core.rules import DIALECTS, STRICT

LATE = "late_votes_count"


def our(dialect: str, *without: str, dropped: tuple[str, ...] = ()) -> Setting:
    """The dialect as our node follows it, with these rules off besides."""
    return setting_of(DIALECTS[dialect], (LATE, *without), dropped)


def strict(*without: str, dropped: tuple[str, ...] = ()) -> Setting:
    """`strict` with these rules off."""
    return setting_of(STRICT, without, dropped)


def refuted(setting: Setting, *only: str) -> dict[str, set[str]]:
    """The actions that break each conjunct, of these groups and conjuncts if any are named.

    A condition without an answer fails the test.
    """
    prover, found = Prover(setting, seconds=60), dict[str, set[str]]()
    for condition in conditions_of(setting):
        if only and {condition.group.name, condition.conjunct.name}.isdisjoint(only):
            continue
        outcome = prover.ask(condition)
        assert outcome.answer != "unknown", condition.label
        if outcome.answer == "refuted":
            name = condition.action.name if condition.action else conditions.START
            found.setdefault(condition.conjunct.name, set()).add(name)
    return found


def counterexample(setting: Setting, conjunct: str, action: str) -> Counterexample:
    condition = next(
        each for each in conditions_of(setting) if each.label == f"{conjunct} / {action}"
    )
    found = smallest(condition, setting, seconds=60)
    assert found is not None
    return found


Sent = dict[tuple[int, int, Any], None]
"""Every message ever sent, with its sender and receiver: the strongest network."""


UNDOING = (FailUndoAllowed, ReportExpired, ElectionExpired, Crash)
"""What ends a story before it has begun, if it is as frequent as the rest."""


def walks(
    system: ClusterSystem, *, count: int, steps: int
) -> Iterator[tuple[tuple[Process, ...], Sent]]:
    """The states along random runs in which any message may arrive at any time, or never."""
    chance = Random(7)  # noqa: S311 - a test that can be repeated
    for _ in range(count):
        nodes, sent, budgets = list(system.initial()), Sent(), dict(system.budgets)
        for _ in range(steps):
            at = chance.randrange(len(nodes))
            arrived = [each for each in sent if each[1] == at]
            if arrived and nodes[at].state is not None and chance.random() < 0.5:
                sender_at = chance.choice(arrived)
                step = system.receive(at, nodes[at], sender_at[2], 0)
            else:
                moves = [m for m in system.moves(at, nodes[at]) if budgets.get(m.cost or "", 1)]
                if not moves:
                    continue
                weights = [0.05 if isinstance(move.event, UNDOING) else 1 for move in moves]
                (move,) = chance.choices(moves, weights)
                if move.cost is not None:
                    budgets[move.cost] -= 1
                step = system.act(at, nodes[at], move)
            if step is None:
                continue
            new = [(at, send.dest, send.message) for send in step.sends]
            if step.state == nodes[at] and sent.keys() >= set(new):
                continue
            nodes[at] = step.state
            sent.update(dict.fromkeys(new))
            yield tuple(nodes), sent


class Judge:
    """Evaluates each conjunct once for each meaning of the symbols that it speaks of."""

    def __init__(self, setting: Setting) -> None:
        self.conjuncts = [
            each
            for group in groups_of(setting)
            for each in conjuncts_of(group, setting)
            if each.name != "nothing-marked"  # the models do mark
        ]
        self.spoken_of: dict[str, frozenset[str]] = {}
        self.known: dict[tuple[object, ...], bool] = {}
        self.states = 0
        self.distinct: set[tuple[object, ...]] = set()
        self.winners: set[int] = set()

    def broken(self, structure: Structure) -> set[str]:
        """The conjuncts that do not hold in this state."""
        values = {name: tuple(table.values()) for name, table in structure.tables.items()}
        self.states += 1
        self.distinct.add(tuple(values.values()))
        self.winners.add(len({(node, epoch) for node, epoch, _ in structure.true("won")}))
        return {each.name for each in self.conjuncts if not self._holds(each, structure, values)}

    def _holds(
        self, conjunct: Conjunct, structure: Structure, values: dict[str, tuple[int, ...]]
    ) -> bool:
        if conjunct.name not in self.spoken_of:
            spy = Spy(AnySize().world())
            conjunct.holds(spy)
            self.spoken_of[conjunct.name] = frozenset(spy.asked)
        names = sorted(self.spoken_of[conjunct.name])
        key = (conjunct.name, structure.sizes["epoch"], *(values[name] for name in names))
        if key not in self.known:
            self.known[key] = bool(conjunct.holds(structure.world()))
        return self.known[key]


def judged_on_walks(model: str, setting: Setting, *, count: int) -> tuple[Judge, set[str]]:
    system = ClusterSystem(MODELS[model].scope(setting.rules))
    reading, judge, broken = Reading(system), Judge(setting), set[str]()
    for nodes, sent in walks(system, count=count, steps=2000):
        broken |= judge.broken(reading.structure(nodes, sent))
    return judge, broken


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.command, list(arguments))
