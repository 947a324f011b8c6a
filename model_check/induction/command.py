"""The command `slotproof prove`."""

import os
import traceback
from importlib.util import find_spec

import click
from rich.console import Console

from model_check.conventions import (
    EXIT_HOLDS,
    EXIT_INTERNAL,
    EXIT_USAGE,
    WIDTH_WITHOUT_TERMINAL,
    exit_code,
)
from model_check.induction.setting import (
    APART,
    ASSUMPTIONS,
    LATE,
    MIXES,
    Setting,
    mixed,
    mixed_of_releases,
    setting_of,
)
from reference.core.rules import DIALECTS, SWITCHES


def _settings(
    dialects: tuple[str, ...],
    without: tuple[str, ...],
    dropped: tuple[str, ...],
    apart: tuple[str, ...],
) -> list[Setting]:
    """The dialects as they are; if none was named, all as our node has them, and mixed."""
    left_out = dict.fromkeys(dialects, without)
    if not dialects:
        for name, rules in DIALECTS.items():
            off = (LATE, *without) if rules.late_votes_count and LATE not in without else without
            if all(getattr(rules, each) for each in off):
                left_out[name] = off
    try:
        settings = [setting_of(DIALECTS[name], off, dropped) for name, off in left_out.items()]
        if apart:
            settings = [mixed(setting, apart) for setting in settings]
        elif not dialects and not without:
            settings += [mixed_of_releases(apart, dropped) for apart in MIXES]
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if not settings:
        raise click.UsageError(f"no dialect has all of {', '.join(without)}")
    return settings


@click.command("prove")
@click.option(
    "--dialect",
    "dialects",
    multiple=True,
    type=click.Choice(list(DIALECTS)),
    help="Prove a dialect's rules, of a release with late votes (EL-21); may be given more than "
    "once. Default: all, as our node follows them, which is without late_votes_count.",
)
@click.option(
    "--without",
    multiple=True,
    type=click.Choice(SWITCHES),
    metavar="RULE",
    help="Turn a rule off; may be given more than once.",
)
@click.option("--with-bumps", is_flag=True, help=f"Drop an assumption: {ASSUMPTIONS[1].dropped}.")
@click.option("--with-views", is_flag=True, help=f"Drop an assumption: {ASSUMPTIONS[0].dropped}.")
@click.option("--with-names", is_flag=True, help=f"Drop an assumption: {ASSUMPTIONS[5].dropped}.")
@click.option("--with-numbers", is_flag=True, help=f"Drop an assumption: {ASSUMPTIONS[4].dropped}.")
@click.option("--with-marks", is_flag=True, help=f"Drop an assumption: {ASSUMPTIONS[2].dropped}.")
@click.option("--with-hearsay", is_flag=True, help=f"Drop an assumption: {ASSUMPTIONS[3].dropped}.")
@click.option(
    "--mixed",
    "apart",
    multiple=True,
    type=click.Choice(APART),
    metavar="RULE",
    help="Each node has this rule or not, as it likes; may be given more than once.",
)
@click.option(
    "--confirm", is_flag=True, help="Look for a real story of what fails by exploring a model."
)
@click.option(
    "--limit-seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=20,
    show_default=True,
    help="Give up on a condition after that time; the proof is then incomplete.",
)
@click.option("--invariant", is_flag=True, help="Print the invariant in words and stop.")
@click.option("-v", "--verbose", is_flag=True, help="A line for each condition, with its time.")
@click.pass_context
def command(  # noqa: PLR0913, PLR0917 - one for each option
    ctx: click.Context,
    dialects: tuple[str, ...],
    without: tuple[str, ...],
    with_bumps: bool,  # noqa: FBT001
    with_views: bool,  # noqa: FBT001
    with_marks: bool,  # noqa: FBT001
    with_hearsay: bool,  # noqa: FBT001
    with_names: bool,  # noqa: FBT001
    with_numbers: bool,  # noqa: FBT001
    apart: tuple[str, ...],
    confirm: bool,  # noqa: FBT001
    limit_seconds: float,
    invariant: bool,  # noqa: FBT001
    verbose: bool,  # noqa: FBT001
) -> None:
    """Prove elections and claims safe for any number of nodes, slots and epochs.

    By induction: an invariant holds at the start, and no action breaks it. Exit code: 0 inductive;
    1 not, with the smallest counterexample to induction; 2 usage; 3 Z3 gave no answer in time;
    4 internal error.
    """
    flags = {
        "bumps": with_bumps,
        "views": with_views,
        "marks": with_marks,
        "hearsay": with_hearsay,
        "names": with_names,
        "numbers": with_numbers,
    }
    dropped = tuple(name for name, on in flags.items() if on)
    settings = _settings(dialects, without, dropped, apart)
    if find_spec("z3") is None:
        click.echo(
            "slotproof prove needs Z3, which is not installed: pip install 'slotproof[prove]'",
            err=True,
        )
        ctx.exit(EXIT_USAGE)
    try:
        if invariant:
            code = _print_invariant(settings[0])
        else:
            code = _prove(settings, limit_seconds, confirm=confirm, verbose=verbose)
    except Exception:  # noqa: BLE001 - whatever it is, it is not the user's doing
        click.echo(traceback.format_exc(), err=True)
        code = EXIT_INTERNAL
    ctx.exit(code)


def _console() -> Console:
    console = Console()
    if console.is_terminal or "COLUMNS" in os.environ:
        return console
    return Console(width=WIDTH_WITHOUT_TERMINAL)


def _prove(settings: list[Setting], seconds: float, *, confirm: bool, verbose: bool) -> int:
    from model_check.induction.session import run  # noqa: PLC0415 - needs Z3

    return exit_code(run(settings, _console(), seconds, confirm=confirm, each_condition=verbose))


def _print_invariant(setting: Setting) -> int:
    from model_check.induction.report import show_invariant  # noqa: PLC0415 - needs Z3

    show_invariant(setting, _console())
    return EXIT_HOLDS


if __name__ == "__main__":
    command(prog_name="slotproof prove")
