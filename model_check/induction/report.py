"""What a proof shows on a terminal."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from model_check.induction.conditions import UNCHANGED, groups_of
from model_check.induction.confirm import Found, Hunt, command_for, hunt_for, model_of
from model_check.induction.proof import Proof, Result
from model_check.induction.setting import FREE, Setting, assumed
from model_check.induction.telling import told_of
from model_check.story import tell
from model_check.story_table import story_table

_COLOUR = {"holds": "green", "violated": "red", "incomplete": "yellow"}


def show(proof: Proof, console: Console, *, each_condition: bool = False) -> None:
    """What is proved, under what, and the counterexample of what is not."""
    setting = proof.setting
    _line(console, f"[bold]{escape(title_of(setting))}[/bold]  any number of nodes, slots, epochs")
    for granted, text in assumed(setting):
        words = f"[dim]assuming {text}[/dim]" if granted else f"[yellow]although[/yellow] {text}"
        _line(console, f"  {words}")
    for result in proof.results:
        _result(result, console)
        if each_condition:
            _conditions(result, console)
    for witness in proof.witnesses:
        word = "possible" if witness.verdict == "holds" else witness.verdict
        colour = _COLOUR[witness.verdict]
        _line(console, f"  [{colour}]{word:12}[/{colour}]  {escape(witness.text)}")
    _line(console, f"  {proof.conditions} conditions in {proof.seconds:.1f} s")
    for name in setting.without:
        if name in FREE:
            _line(console, f"  [dim]{name} changes nothing here: {FREE[name]}[/dim]")
    console.print()
    for result in proof.results:
        if result.refuted:
            _refuted(result, console)


def title_of(setting: Setting) -> str:
    """The dialect and what is turned off in it, or that there are several."""
    without = f" · without {', '.join(setting.without)}" if setting.without else ""
    name = f"mixed ({setting.rules.dialect} and others)" if setting.mixed else setting.rules.dialect
    return f"{name}{without}"


def _line(console: Console, text: str) -> None:
    console.print(text, highlight=False, soft_wrap=True)


def _result(result: Result, console: Console) -> None:
    words = {"holds": "proved", "violated": "not inductive", "incomplete": "not proved"}
    seconds = sum(each.seconds for each in result.outcomes)
    asked = sum(each.reason != UNCHANGED for each in result.outcomes)
    counts = f"{len(result.outcomes)} conditions, {asked} for Z3, {seconds:.1f} s"
    if result.refuted:
        counts = f"{len(result.refuted)} of {counts}"
    why = ""
    if result.verdict == "incomplete":
        why = f"; rests on {', '.join(result.rests_on)}" if result.rests_on else "; not known"
    colour = _COLOUR[result.verdict]
    _line(
        console,
        f"  [{colour}]{words[result.verdict]:13}[/{colour}] {result.prop.id:10} "
        f"{escape(result.prop.text)} [dim]({counts}{why})[/dim]",
    )
    for each in result.unknown:
        _line(
            console,
            f"    [yellow]no answer[/yellow] {each.condition.label}: {escape(each.reason)} "
            f"after {each.seconds:.1f} s; this is no pass",
        )


def _conditions(result: Result, console: Console) -> None:
    for each in result.outcomes:
        why = f"  [dim]{each.reason}[/dim]" if each.reason else ""
        _line(console, f"    {each.answer:8} {each.seconds:6.3f} s  {each.condition.label}{why}")


def _refuted(result: Result, console: Console) -> None:
    broken: dict[str, list[str]] = {}
    for each in result.refuted:
        action = each.condition.action.name if each.condition.action else "the start"
        broken.setdefault(each.condition.conjunct.name, []).append(action)
    _line(console, f"[bold]{result.prop.id} is not inductive.[/bold] What breaks what:")
    for name, actions in broken.items():
        _line(console, f"  {name}: {', '.join(actions)}")
    found = result.counterexample
    if found is None:
        _line(console, "  no small counterexample was found; Z3 has a larger one")
        return
    told = told_of(found)
    _line(console, f"The smallest counterexample to induction ({told.size}), before the step:")
    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    for column in told.rows[0]:
        table.add_column(column)
    for row in told.rows[1:]:
        table.add_row(*map(escape, row))
    console.print(table)
    for fact in told.facts:
        _line(console, f"  {escape(fact)}")
    _line(console, f"[bold]step[/bold]   {escape(told.step)}")
    for change in told.changes:
        _line(console, f"  {escape(change)}")
    _line(console, f"[bold]breaks[/bold] {escape(told.broken)}")
    _line(
        console,
        "[dim]The state before need not be reachable: it is one that the invariant allows.[/dim]",
    )
    console.print()


def point_to(setting: Setting, result: Result, console: Console) -> Hunt | None:
    """Where a real story may be found has been said."""
    name = result.prop.id
    hunt = hunt_for(setting, name)
    if hunt is None or not model_of(hunt, name).properties:
        _line(console, f"{name}: a real story? there is no model for this to be explored")
        return None
    command = command_for(setting, hunt, name)
    look = f"look for one with {command}" if command else f"--confirm looks in {hunt.model.name}"
    _line(console, f"{name}: a real story? {look}")
    return hunt


def show_found(found: Found, console: Console) -> None:
    """What the explicit checker says."""
    run, states = found.run, f"{found.run.found.distinct_states:,} states"
    where = f"{run.model.name} · {run.found.links}, {states}, {run.found.seconds:.1f} s"
    steps = found.steps
    if steps is None:
        word = "not found" if run.found.verdict == "holds" else "not found before the limit"
        _line(console, f"  [yellow]{word}[/yellow] in {where}")
        return
    _line(console, f"  [red]confirmed[/red]: {found.property_id} in {steps} steps, {where}")
    trace = next(each.trace for each in run.found.properties if each.id == found.property_id)
    if trace is not None:
        console.print(story_table(tell(trace, run.system.processes)))


def show_invariant(setting: Setting, console: Console) -> None:
    """The invariant in words."""
    for group in groups_of(setting):
        _line(console, f"[bold]{group.name}[/bold]")
        for each in group.parts(setting):
            _line(console, f"  {each.name:26}{escape(each.words)}")
