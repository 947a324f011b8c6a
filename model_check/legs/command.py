"""The command `slotproof legs`."""

import time
import traceback
from importlib.util import find_spec
from pathlib import Path

import click

from model_check.conventions import EXIT_HOLDS, EXIT_INTERNAL, EXIT_VIOLATED
from model_check.legs.faults import FAULTS, LEGS
from model_check.legs.page import page, way_of
from model_check.legs.ways import NotFoundError
from model_check.tla.tlc import TlcError


def _seed(name: str, legs: tuple[str, ...]) -> tuple[dict[str, str], bool]:
    """What the legs find, and whether each that models the fault finds it."""
    found, all_found = dict[str, str](), True
    for leg in legs:
        begun = time.perf_counter()
        try:
            found[leg] = way_of(FAULTS[name], leg).find()
        except NotFoundError as error:
            found[leg], all_found = f"NOT FOUND: {error}", False
        seconds = time.perf_counter() - begun
        click.echo(f"{name:32}{leg:7}{seconds:6.1f} s  {found[leg]}")
    return found, all_found


@click.command("legs")
@click.argument("faults", nargs=-1, metavar="[FAULT]...", type=click.Choice(list(FAULTS)))
@click.option(
    "--leg",
    "legs",
    multiple=True,
    type=click.Choice(LEGS),
    help="Ask this leg only; may be given more than once. Default: all.",
)
@click.option(
    "--markdown",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write what was found as a page; takes all faults and legs.",
)
@click.pass_context
def command(
    ctx: click.Context, faults: tuple[str, ...], legs: tuple[str, ...], markdown: Path | None
) -> None:
    """Seed FAULTs in the models, the proof and the TLA+ module, and see which leg notices.

    Without FAULTs, all. Exit code: 0 each leg that models a fault notices it; 1 one does not;
    2 usage, or Z3 or TLC is missing; 4 internal error.
    """
    if markdown is not None and (faults or legs):
        raise click.UsageError("--markdown takes all faults and legs")
    asked = legs or LEGS
    if "prove" in asked and find_spec("z3") is None:
        raise click.UsageError("the proof needs Z3: pip install 'slotproof[prove]'")
    try:
        told = {name: _seed(name, asked) for name in faults or FAULTS}
    except TlcError as error:
        raise click.UsageError(str(error)) from error
    except Exception:  # noqa: BLE001 - whatever it is, it is not the user's doing
        click.echo(traceback.format_exc(), err=True)
        ctx.exit(EXIT_INTERNAL)
    good = all(each for _, each in told.values())
    if markdown is not None and good:
        markdown.write_text(page({name: found for name, (found, _) in told.items()}), "utf-8")
    ctx.exit(EXIT_HOLDS if good else EXIT_VIOLATED)
