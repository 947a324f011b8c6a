"""Why a story breaks what is claimed: the clause, the steps that decide, the rules not kept.

A property is about all nodes; what breaks it is done by one node in one step, by a function of the
core that realises a clause. This module finds them, for the terminal and for the pages.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import attrs

from model_check.applied import Rule, all_rules, applied
from model_check.audit import breaches
from model_check.models.cluster import Crash
from model_check.properties import Property
from model_check.run import Run
from model_check.story import notices, tell
from model_check.system import System
from model_check.trace import Trace, TraceStep
from reference.core.effects import Happening, Notice
from reference.spec.chapters import Clause, read_chapters


@attrs.frozen(kw_only=True)
class Decisive:
    """A step without which the property would hold at the end, and the rules that acted in it."""

    step: int  # from 1
    who: str
    what: str  # what the core told of it, else the whole step
    rules: tuple[Rule, ...]


@attrs.frozen(kw_only=True)
class NotKept:
    """A rule that a step of the story does not keep, and the later steps that do not either."""

    step: int
    who: str
    clause: Clause
    what: str  # in words that follow the name of the node
    again: tuple[int, ...]
    rules: tuple[Rule, ...]  # the functions that realise the clause, as the step called them


@attrs.frozen(kw_only=True)
class Reasons:
    """What there is to say of a story beyond its steps."""

    clauses: tuple[Clause, ...]  # that are broken, one for each property
    decisive: tuple[Decisive, ...]
    not_kept: tuple[NotKept, ...]
    turned_off: tuple[Clause, ...]  # whose switches the check was made without
    allowed_by: tuple[Clause, ...]  # the rules that are known to let it happen in this dialect
    endings: tuple[str, ...]  # what the end means for properties of whole runs


def reasons(run: Run, ids: list[str], trace: Trace) -> Reasons:
    """Why the trace decides the properties with these ids."""
    properties = [run.property_of(each) for each in ids]
    switches = {switch: clause for clause in clauses().values() for switch in clause.switches}
    known = [expected for each in ids if (expected := run.expects(each)) is not None]
    lines = tell(trace, run.system.processes)
    steps = sorted({at for prop in properties for at in decisive_steps(prop, trace)})
    return Reasons(
        clauses=tuple(_clauses_of(prop.clause for prop in properties)),
        decisive=tuple(
            Decisive(
                step=at,
                who=lines[at - 1].who,
                what="; ".join(notices(trace.steps[at - 1])) or lines[at - 1].what,
                rules=_acting(run.system, trace.steps[at - 1]),
            )
            for at in steps
        ),
        not_kept=tuple(rules_not_kept(run, trace)),
        turned_off=tuple(switches[name] for name in run.without if name in switches),
        allowed_by=tuple(_clauses_of(each.clause for each in known)),
        endings=tuple(filter(None, dict.fromkeys(ending(prop, trace) for prop in properties))),
    )


def ending(prop: Property, trace: Trace) -> str:
    """What the end of a story about where runs end up means; nothing for other properties."""
    again = f"the last {trace.loop} steps may come again and again; " if trace.loop else ""
    match prop.kind:
        case "settles":
            return (
                f"{again}from here no run without further faults comes to where it holds for good"
            )
        case "leads_to":
            return f"{again or 'here everything may come to rest; '}what has to come about has not"
        case _:
            return ""


def decisive_steps(prop: Property, trace: Trace) -> list[int]:
    """The steps, from 1, that together bring about what the property forbids or looks for.

    Those are the last one, and of each process the last step that changed what the property sees of
    it, if the property would not be decided with what it saw before. None of where runs end.
    """
    if not trace.steps or prop.kind not in {"invariant", "step", "sometimes"}:
        return []
    last = len(trace.steps)
    if prop.kind == "step":
        return [last]
    seen = [prop.project(*pair) for pair in enumerate(trace.initial)]
    before: dict[int, tuple[int, object]] = {}
    for at, step in enumerate(trace.steps, 1):
        now = prop.project(step.process, step.after)
        if now != seen[step.process]:
            before[step.process] = (at, seen[step.process])
            seen[step.process] = now
    decided = bool(prop.judge(tuple(seen)))
    found = {last}
    for process, (at, earlier) in before.items():
        without = (*seen[:process], earlier, *seen[process + 1 :])
        if bool(prop.judge(without)) != decided:
            found.add(at)
    return sorted(found)


def rules_not_kept(run: Run, trace: Trace) -> Iterator[NotKept]:
    """The rules that steps of the trace do not keep, each as it is first broken."""
    found: dict[str, list[tuple[int, str]]] = {}
    for at, step in enumerate(trace.steps, 1):
        broken = [(each.clause_id, each.text) for each in breaches(step, run.rules)]
        for clause_id, what in (*broken, *_forgotten_votes(trace, at)):
            found.setdefault(clause_id, []).append((at, what))
    for clause_id, times in found.items():
        at, what = times[0]
        step = trace.steps[at - 1]
        yield NotKept(
            step=at,
            who=run.system.processes[step.process],
            clause=clauses()[clause_id],
            what=what,
            again=tuple(later for later, _ in times[1:]),
            rules=rules_of(run, step, clause_id),
        )


def rules_of(run: Run, step: TraceStep, clause_id: str) -> tuple[Rule, ...]:
    """The functions that realise the clause, as the step called them; all if it called none."""
    called = [each.rule for each in applied(run.system, step)]
    return _distinct(rule for rule in called or all_rules() if clause_id in rule.clauses)


def _forgotten_votes(trace: Trace, at: int) -> list[tuple[str, str]]:
    """EL-9: a vote in an epoch in which the node voted before it crashed."""
    step = trace.steps[at - 1]
    epoch = _voted(step)
    if epoch is None:
        return []
    crash = None
    for earlier in range(at - 1, 0, -1):
        other = trace.steps[earlier - 1]
        if other.process != step.process:
            continue
        if isinstance(other.event, Crash):
            crash = earlier
        if crash is not None and (_voted(other) or 0) >= epoch:
            forgotten = f"its vote of step {earlier} is forgotten since it crashed in step {crash}"
            return [("EL-9", f"votes in epoch {epoch}: {forgotten}")]
    return []


def _voted(step: TraceStep) -> int | None:
    """The epoch in which the step casts a vote."""
    for note in step.notes:
        if isinstance(note, Notice) and note.what is Happening.VOTED:
            return note.epoch
    return None


def _acting(system: System[Any, Any, Any], step: TraceStep) -> tuple[Rule, ...]:
    """The rules that told of something in the step; if none did, those that changed the state."""
    called = applied(system, step)
    told = [each for each in called if each.told]
    return _distinct(each.rule for each in told or called if each.told or each.changed)


def _distinct(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    return tuple(dict.fromkeys(rules))


def _clauses_of(texts: Iterable[str]) -> list[Clause]:
    """The clauses that these texts name, by commas if several, each once."""
    ids = dict.fromkeys(name.strip() for text in texts for name in text.split(","))
    return [clauses()[name] for name in ids if name in clauses()]


@cache
def clauses() -> dict[str, Clause]:
    """The clauses of the specification by their ids."""
    return {clause.clause_id: clause for chapter in read_chapters() for clause in chapter.clauses}


def words(clause: Clause) -> str:
    """What the clause says, in one line, without its table."""
    prose = (line for line in clause.body.splitlines() if not line.startswith("|"))
    return " ".join(" ".join(prose).split())
