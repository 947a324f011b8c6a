"""What is said of the mutants that the model checker was run against."""

import json
import tomllib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import attrs

from tests.mutation.known import read_known

FOUND: Final = Path(__file__).with_name("by_check.json")
PAGE: Final = Path(__file__).with_name("survivors_of_check.md")
REASONS: Final = Path(__file__).with_name("unnoticed.toml")


@attrs.frozen(kw_only=True)
class Outcome:
    """How a mutant ended."""

    module: str  # "rules" for a switch that was turned
    function: str  # the dialect of a switch
    operator: str  # the clause of a switch
    before: str
    after: str
    end: str  # killed, survived, error or time-out
    run: str = ""  # that noticed
    why: str = ""  # what was noticed
    changed: int = 0  # runs looked at in which it changes any step
    seconds: float = 0.0


@attrs.frozen(kw_only=True)
class Found:
    """What was found of all mutants, and with which runs."""

    runs: tuple[str, ...]
    states: int  # runs with more are left out
    outcomes: tuple[Outcome, ...]


@attrs.frozen(kw_only=True)
class Reason:
    """Why a mutant survives: it does what the code does, or what the models lack."""

    module: str
    function: str = ""  # empty: any
    after: str = ""  # or a part of it
    equivalent: bool = False
    why: str

    def is_about(self, outcome: Outcome) -> bool:
        """Whether it explains this one."""
        return (
            self.module == outcome.module
            and self.function in {"", outcome.function}
            and self.after in outcome.after
        )


def read_reasons() -> list[Reason]:
    """Those that are known from the unit tests, and those written down for the checker."""
    known = [
        Reason(
            module=row.module, function=row.function, after=row.after, equivalent=True, why=row.why
        )
        for row in read_known()
    ]
    rows = tomllib.loads(REASONS.read_text()).get("mutant", ()) if REASONS.exists() else ()
    return known + [Reason(**row) for row in rows]


def read_found() -> Found:
    """What was found last."""
    read = json.loads(FOUND.read_text())
    outcomes = tuple(Outcome(**row) for row in read["outcomes"])
    return Found(runs=tuple(read["runs"]), states=read["states"], outcomes=outcomes)


def write(found: Found) -> None:
    """What was found is kept, and the page tells of it."""
    FOUND.write_text(json.dumps(attrs.asdict(found), indent=1) + "\n")
    PAGE.write_text(page(found, read_reasons()))


def page(found: Found, reasons: list[Reason]) -> str:
    """The whole of survivors_of_check.md."""
    outcomes = found.outcomes
    code = [each for each in outcomes if each.module != "rules"]
    turned = [each for each in outcomes if each.module == "rules"]
    idle = [
        each
        for each in turned
        if each.end == "survived"
        and not each.changed
        and reason_of(each, reasons, equivalent=True) is None
    ]
    first = _who_noticed_first(outcomes)
    modules = list(dict.fromkeys(each.module for each in code))
    lines = [
        "<!-- written by python -m tests.mutation.by_check -->",
        "",
        "# Mutants that `slotproof check` does not notice",
        "",
        "Another comparison, `and`, `or` or `not` in the modules of elections, epochs and claims,",
        "and each switch of these rules turned in each dialect. No unit test is run. How:",
        "[README.md](README.md).",
        "",
        "| | mutants | killed | by error or time-out | equivalent | survive | share killed |",
        "|---|---|---|---|---|---|---|",
        *(_row(name, [e for e in code if e.module == name], reasons) for name in modules),
        _row("all of these", code, reasons),
        _row("switches turned", turned, reasons),
        _row("all", list(outcomes), reasons),
        "",
        "Shares are of all mutants but those that are equivalent: they do what the code does",
        "wherever the rules call it, for the reason that stands with each.",
        f"Of the switches that survive {len(idle)} change no step of any run of their dialect.",
        "",
        "Killed are also those that only raise an exception (exit code 4).",
        "",
        f"Runs: {len(found.runs)}, all with at most {found.states:,} states; large ones were only",
        "tried on survivors, and not all on each. Small ones are tried first. Who noticed first:",
        f"{first}.",
        "",
        "Runs used: " + _names_of(found.runs) + ".",
        "",
    ]
    for name in modules:
        lines += _section(name, [e for e in code if e.module == name], reasons)
    live = [each for each in turned if each not in idle]
    lines += ["## Switches", "", *_switch_lines(live, reasons)]
    lines += ["## Switches that change no step", "", *_switch_lines(idle, reasons)]
    return "\n".join(lines)


def _who_noticed_first(outcomes: Iterable[Outcome]) -> str:
    killers = Counter(each.run.partition(" ")[0] for each in outcomes if each.end == "killed")
    return ", ".join(f"`{name}` {count}" for name, count in killers.most_common(12))


def _row(name: str, outcomes: list[Outcome], reasons: list[Reason]) -> str:
    alive = [each for each in outcomes if each.end == "survived"]
    same = sum(reason_of(each, reasons, equivalent=True) is not None for each in alive)
    killed = len(outcomes) - len(alive)
    odd = sum(each.end in {"error", "time-out"} for each in outcomes)
    share = 100 * killed / (len(outcomes) - same) if len(outcomes) > same else 100.0
    left = len(alive) - same
    return f"| {name} | {len(outcomes)} | {killed} | {odd} | {same} | {left} | {share:.1f} % |"


def reason_of(outcome: Outcome, reasons: Iterable[Reason], *, equivalent: bool) -> Reason | None:
    """The first reason that is about it: of why it is no change, or of why it is not noticed."""
    found = (each for each in reasons if each.is_about(outcome) and each.equivalent is equivalent)
    return next(found, None)


def _why(outcome: Outcome, reasons: list[Reason]) -> str:
    same = reason_of(outcome, reasons, equivalent=True)
    if same is not None:
        return f"equivalent: {same.why}"
    seen = (
        f"{outcome.changed} runs explored anew, and none is judged otherwise"
        if outcome.changed
        else "changes no step of any run"
    )
    gap = reason_of(outcome, reasons, equivalent=False)
    return f"{seen}: {gap.why}" if gap else f"{seen}: **not explained**"


def _section(name: str, outcomes: list[Outcome], reasons: list[Reason]) -> list[str]:
    lines = [f"## {name}", ""]
    for each in outcomes:
        if each.end == "survived":
            lines += [
                f"- `{each.function}`, {each.operator}: {_why(each, reasons)}",
                "",
                "  ```diff",
                f"  -{each.before}",
                f"  +{each.after}",
                "  ```",
                "",
            ]
    return lines


def _switch_lines(outcomes: list[Outcome], reasons: list[Reason]) -> list[str]:
    """A line for each switch that survives, with the dialects in which it does."""
    alive: dict[tuple[str, str, str], list[str]] = {}
    for each in outcomes:
        if each.end == "survived":
            same = reason_of(each, reasons, equivalent=True)
            gap = reason_of(each, reasons, equivalent=False)
            why = f"equivalent: {same.why}" if same else gap.why if gap else "**not explained**"
            alive.setdefault((each.after, each.operator, why), []).append(each.function)
    return [
        *(
            f"- `{after}` ({clause}) in {', '.join(dialects)}{': ' if why else ''}{why}"
            for (after, clause, why), dialects in alive.items()
        ),
        "",
    ]


def _names_of(runs: Iterable[str]) -> str:
    """The models, each with its dialects."""
    by_model: dict[str, list[str]] = {}
    for run in runs:
        model, _, dialect = run.partition(" ")
        by_model.setdefault(model, []).append(dialect)
    return ", ".join(f"`{model}` ({len(found)})" for model, found in sorted(by_model.items()))
