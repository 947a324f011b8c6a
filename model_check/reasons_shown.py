"""The reasons of a story on a terminal."""

from collections.abc import Iterable, Iterator

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.text import Text

from model_check.applied import Rule
from model_check.reasons import Reasons, clauses, reasons, rules_not_kept, rules_of, words
from model_check.run import Run
from model_check.story import tell
from model_check.story_table import story_table
from reference.spec.chapters import Clause

_DEEPER = 2  # columns


def show_reasons(why: Reasons, console: Console) -> None:
    """The clause that is broken, the steps that decide and the rules that were not kept."""
    for line in _lines(why):
        console.print(line)


def show_strays(run: Run, console: Console) -> None:
    """The rules that are not kept and that no story of a violation shows, each with its story."""
    told = {
        each.clause.clause_id
        for result in run.found.properties
        if result.trace is not None and result.verdict == "violated"
        for each in rules_not_kept(run, result.trace)
    }
    for stray in run.strays:
        if stray.breach.clause_id in told:
            continue
        clause = clauses()[stray.breach.clause_id]
        console.print()
        if stray.trace is None:
            console.print(_indented(0, f"[red]not kept[/red]  {clause_line(clause)}"))
            who = run.system.processes[stray.step.process]
            console.print(_indented(1, f"{who} {escape(stray.breach.text)}"))
            for line in _places(rules_of(run, stray.step, clause.clause_id)):
                console.print(line)
            continue
        console.print(
            f"[bold]The shortest story in which {clause.clause_id} is not kept[/bold] "
            f"({escape(clause.title)}):",
            highlight=False,
            soft_wrap=True,
        )
        console.print(story_table(tell(stray.trace, run.system.processes)))
        show_reasons(reasons(run, [], stray.trace), console)


def clause_line(clause: Clause) -> str:
    """The clause with its title, place and text."""
    title = f"[bold]{clause.clause_id} {escape(clause.title)}[/bold]"
    return f"{title} [dim](spec/{clause.chapter}:{clause.line})[/dim]: {escape(words(clause))}"


def _lines(why: Reasons) -> Iterator[RenderableType]:
    for clause in why.clauses:
        yield _indented(0, f"[red]broken[/red]  {clause_line(clause)}")
    for ending in why.endings:
        yield _indented(1, escape(ending))
    if len(why.decisive) > 1:
        yield _indented(1, f"by what these {len(why.decisive)} steps do together:")
    for each in why.decisive:
        yield _indented(1, f"step {each.step}: {each.who} {escape(each.what)}")
        yield from _places(each.rules)
    for breach in why.not_kept:
        yield _indented(0, f"[red]not kept[/red]  {clause_line(breach.clause)}")
        yield _indented(1, f"step {breach.step}: {breach.who} {escape(breach.what)}")
        if breach.again:
            yield _indented(1, f"nor is it in step {', '.join(map(str, breach.again))}")
        yield from _places(breach.rules)
    for clause in why.turned_off:
        yield _indented(0, f"[yellow]turned off[/yellow]  {clause_line(clause)}")
    for clause in why.allowed_by:
        yield _indented(0, f"[yellow]known to let it happen[/yellow]  {clause_line(clause)}")


def _places(rules: Iterable[Rule]) -> Iterator[RenderableType]:
    for rule in rules:
        ids = ", ".join(rule.clauses)
        yield _indented(2, f"{rule.place} {rule.name} [dim]({ids})[/dim]")


def _indented(depth: int, markup: str) -> RenderableType:
    return Padding(Text.from_markup(markup), (0, 0, 0, _DEEPER * (depth + 1)), expand=False)
