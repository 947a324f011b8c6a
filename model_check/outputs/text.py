"""What every output says of a run, in plain text."""

from importlib.metadata import PackageNotFoundError, version

from model_check.applied import Rule
from model_check.counted import states
from model_check.judged import JudgedRun, Judgement
from model_check.reasons import clauses, ending, reasons
from model_check.run import Run
from model_check.story import tell
from model_check.strays import Stray
from model_check.trace import Trace


def headline(judgement: Judgement) -> str:
    """The property, how it stands, and what it says."""
    return f"{judgement.result.id} {judgement.phrase}: {judgement.prop.text}"


def stray_headline(run: Run, stray: Stray) -> str:
    """The rule, and what was done against it."""
    clause = clauses()[stray.breach.clause_id]
    who = run.system.processes[stray.step.process]
    return f"{clause.clause_id} {clause.title} is not kept: {who} {stray.breach.text}"


def story_of(judgement: Judgement) -> Trace | None:
    """The counterexample, if the property is violated and has one."""
    return judgement.result.trace if judgement.result.verdict == "violated" else None


def story_lines(run: Run, trace: Trace | None) -> list[str]:
    """A line for each step, what changed in brackets."""
    if trace is None:
        return []
    return [
        f"{number:3}. {line.who} {line.what}"
        + (f"  [{'; '.join(line.changes)}]" if line.changes else "")
        for number, line in enumerate(tell(trace, run.system.processes), 1)
    ]


def reason_lines(run: Run, property_ids: list[str], trace: Trace | None) -> list[str]:
    """The steps that decide, and the rules that were not kept, each with its functions."""
    if trace is None:
        return []
    why = reasons(run, property_ids, trace)
    lines = [
        f"decided by step {each.step}: {each.who} {each.what}{_in(each.rules)}"
        for each in why.decisive
    ]
    lines += [
        f"not kept in step {each.step}: {each.clause.clause_id} {each.clause.title}: "
        f"{each.who} {each.what}{_in(each.rules)}"
        for each in why.not_kept
    ]
    lines += [f"turned off: {each.clause_id} {each.title}" for each in why.turned_off]
    endings = (ending(run.property_of(each), trace) for each in property_ids)
    return [*lines, *(f"at the end: {told}" for told in endings if told)]


def _in(rules: tuple[Rule, ...]) -> str:
    return f" ({', '.join(f'{rule.name}, {rule.place}' for rule in rules)})" if rules else ""


def bounds(run: Run) -> str:
    """What the verdict is about: the scope and the links."""
    hit = "; a full channel cut transitions off" if run.found.bounds_hit else ""
    return f"{run.scope.describe()}; links {run.found.links}{hit}"


def counts(run: Run) -> str:
    """How much was explored."""
    found = run.found
    return (
        f"{states(found)}, {found.transitions:,} transitions, "
        f"depth {found.depth}, {found.seconds:.1f} s"
    )


def totals(runs: list[JudgedRun]) -> str:
    """How many runs there were, and how many are as they should be."""
    failed = sum(run.is_failure for run in runs)
    unfinished = sum(run.unfinished is not None and not run.is_failure for run in runs)
    parts = [
        f"{len(runs)} run{'s' * (len(runs) != 1)}",
        f"{len(runs) - failed - unfinished} as they should be",
    ]
    parts += [f"{failed} not"] if failed else []
    parts += [f"{unfinished} incomplete"] if unfinished else []
    return ", ".join(parts)


def own_version() -> str:
    """The version of this tool, as it is installed."""
    try:
        return version("slotproof")
    except PackageNotFoundError:
        return "0"
