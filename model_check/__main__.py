"""The command `slotproof check`."""

import sys
from pathlib import Path

import click
from rich.console import Console

from model_check.engine import Limits
from model_check.graph import write_graphml
from model_check.links import Links, parse_links
from model_check.models import MODELS
from model_check.models.model import Model
from model_check.progress import watching
from model_check.report import as_json, show
from model_check.run import Run, check
from reference.core.rules import DIALECTS, REDIS_7_0, SWITCHES, Rules

EXIT_HOLDS, EXIT_VIOLATED, EXIT_USAGE, EXIT_INCOMPLETE, EXIT_INTERNAL = 0, 1, 2, 3, 4


def _links(ctx: click.Context, param: click.Parameter, value: str | None) -> Links | None:
    del ctx, param
    try:
        return None if value is None else parse_links(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command("check")
@click.argument("models", nargs=-1, metavar="[MODEL]...", type=click.Choice(list(MODELS)))
@click.option(
    "--dialect",
    "dialects",
    multiple=True,
    type=click.Choice(list(DIALECTS)),
    help="Whose rules to check; may be given more than once. Default: all of them.",
)
@click.option("--links", callback=_links, metavar="KIND", help="held(K), held(K,fifo), fifo(C), set.")
@click.option(
    "--without",
    multiple=True,
    type=click.Choice(SWITCHES),
    metavar="RULE",
    help="Turn a rule off; may be given more than once. --list-rules names them.",
)
@click.option("--limit-states", type=click.IntRange(min=1), help="Stop there; then exit with 3.")
@click.option("--limit-seconds", type=click.FloatRange(min=0, min_open=True))
@click.option("--json", "json_file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--graphml", type=click.Path(path_type=Path), help="Write the explored graph.")
@click.option("--list", "list_models", is_flag=True, help="Name the models.")
@click.option("--list-rules", is_flag=True, help="Name the rules that --without takes.")
@click.option("--quiet", is_flag=True, help="Print nothing but the JSON.")
def command(
    models: tuple[str, ...],
    dialects: tuple[str, ...],
    links: Links | None,
    without: tuple[str, ...],
    limit_states: int | None,
    limit_seconds: float | None,
    json_file: Path | None,
    graphml: Path | None,
    *,
    list_models: bool,
    list_rules: bool,
    quiet: bool,
) -> int:
    """Explore every interleaving of MODELs (default: the quick ones) and judge their properties.

    Exit code: 0 all properties hold and every scope was exhausted; 1 a property is violated;
    2 usage; 3 a limit was reached first; 4 internal error.
    """
    console = Console(stderr=json_file == Path("-"), quiet=quiet)
    if list_models or list_rules:
        _list(console, rules=list_rules)
        return EXIT_HOLDS
    chosen = [MODELS[name] for name in models] or [m for m in MODELS.values() if m.by_default]
    rules = [DIALECTS[name] for name in dialects] or ([REDIS_7_0] if without else [*DIALECTS.values()])
    if graphml is not None and len(chosen) * len(rules) != 1:
        raise click.UsageError("--graphml needs exactly one model and one dialect")
    limits = Limits(states=limit_states, seconds=limit_seconds)
    runs = _run_all(chosen, rules, links, without, limits, console, keep_states=graphml is not None)
    if graphml is not None:
        write_graphml(runs[0].found, graphml)
    if json_file is not None:
        text = as_json(runs)
        sys.stdout.write(text + "\n") if str(json_file) == "-" else json_file.write_text(text)
    return exit_code(runs)
