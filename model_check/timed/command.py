"""The command `slotproof window`."""

import traceback

import click
from rich.console import Console
from rich.table import Table

from model_check.conventions import (
    EXIT_HOLDS,
    EXIT_INCOMPLETE,
    EXIT_INTERNAL,
    EXIT_VIOLATED,
    WIDTH_WITHOUT_TERMINAL,
)
from model_check.story_table import story_table
from model_check.timed.scope import OLD, Scope
from model_check.timed.search import Window, longest_window
from model_check.timed.telling import tell
from model_check.timed.world import Worlds
from reference.core.rules import DIALECTS


def _scope(dialect: str, node_timeout: int, tick: int, wanted: dict[str, int]) -> Scope:
    delay = wanted["delay"]
    if delay % tick:
        raise click.UsageError("--delay is a multiple of --tick")
    try:
        return Scope(
            rules=DIALECTS[dialect],
            node_timeout=node_timeout,
            tick=tick,
            delay=delay // tick,
            late=wanted["late"] if delay else 0,
            cuts=wanted["cuts"],
            one_way=bool(wanted["one_way"]),
            heals=max(wanted["cuts"] - 1, 0),
            pauses=wanted["pauses"],
            slow=frozenset({OLD} if wanted["drift"] else ()),
            drift=wanted["drift"],
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error


@click.command("window")
@click.option(
    "--dialect", "dialects", multiple=True, type=click.Choice(list(DIALECTS)),
    help="May be given more than once. Default: redis-7.0, valkey-9.1.",
)  # fmt: skip
@click.option(
    "--node-timeout", "node_timeouts", multiple=True, type=click.IntRange(min=100),
    help="In ms; may be given more than once. Default: 400, 1000.",
)  # fmt: skip
@click.option("--tick", default=100, show_default=True, help="The grain of the time, in ms.")
@click.option("--delay", default=0, show_default=True, help="Of a late message, at most, in ms.")
@click.option("--late", default=2, show_default=True, help="How many messages of A may be late.")
@click.option("--cuts", default=1, show_default=True, help="How often A may be cut off.")
@click.option("--one-way", is_flag=True, help="Cut off, A still hears the other masters.")
@click.option("--pauses", default=0, show_default=True, help="How often A may be stopped.")
@click.option("--drift", default=0, help="A's clock may miss one tick in so many. Default: none.")
@click.option("--max-worlds", default=1_000_000, show_default=True, help="Give up beyond so many.")
@click.option("--story", is_flag=True, help="Tell how the longest window comes about.")
def command(
    *,
    dialects: tuple[str, ...],
    node_timeouts: tuple[int, ...],
    tick: int,
    max_worlds: int,
    story: bool,
    **wanted: int,
) -> None:
    """Find how long a replaced master and its successor can both take writes.

    Every way is explored in which a master A is cut off from the others or stopped, over the real
    core and pacemaker. Exit code: 0 no window is longer than the bound of chapter 23; 1 one is, or
    never ends; 2 usage; 3 a limit was reached first; 4 internal error.
    """
    ctx, console = click.get_current_context(), Console()
    if not console.is_terminal:
        console = Console(width=WIDTH_WITHOUT_TERMINAL)
    scopes = [
        _scope(dialect, node_timeout, tick, wanted)
        for dialect in dialects or ("redis-7.0", "valkey-9.1")
        for node_timeout in node_timeouts or (400, 1000)
    ]
    try:
        ctx.exit(max(_find(scopes, max_worlds, console, story=story)))
    except (click.exceptions.Exit, click.UsageError):
        raise
    except Exception:  # noqa: BLE001 - whatever it is, it is not the user's doing
        click.echo(traceback.format_exc(), err=True)
        ctx.exit(EXIT_INTERNAL)


def _find(scopes: list[Scope], max_worlds: int, console: Console, *, story: bool) -> list[int]:
    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    for head in ("dialect", "NT", "delay", "longest", "in all", "bound", "worlds", "verdict"):
        table.add_column(head, justify="left" if head in {"dialect", "verdict"} else "right")
    found = []
    for scope in scopes:
        worlds = Worlds(scope)
        window = longest_window(worlds, max_worlds)
        code, verdict = _verdict(scope, window)
        found.append((scope, worlds, window, code))
        ms = [_ms(scope, instants) for instants in (window.longest, window.total)]
        table.add_row(
            scope.rules.dialect, f"{scope.node_timeout} ms", f"{scope.delay * scope.tick} ms", *ms,
            f"{scope.bound} ms", f"{window.worlds:,}", verdict,
        )  # fmt: skip
    console.print(table)
    for scope, worlds, window, _ in found if story else ():
        console.print(f"\n{scope.rules.dialect}, NT {scope.node_timeout} ms", style="bold")
        console.print(story_table(tell(worlds, window)))
    return [code for *_, code in found]


def _ms(scope: Scope, instants: int | None) -> str:
    return "for ever" if instants is None else f"{instants * scope.tick} ms"


def _verdict(scope: Scope, window: Window) -> tuple[int, str]:
    """A window that is too long is one, whatever was not explored."""
    if window.longest is None or window.longest * scope.tick > scope.bound:
        return EXIT_VIOLATED, "longer than the bound"
    if not window.complete:
        return EXIT_INCOMPLETE, "incomplete"
    return EXIT_HOLDS, "within the bound"
