"""The command `slotproof check`."""

import os
import traceback
from collections.abc import Callable
from pathlib import Path

import attrs
import click
from rich.console import Console

from model_check.engine import Limits
from model_check.graph import write_graphml
from model_check.links import Links, parse_links
from model_check.models import MODELS
from model_check.models.model import Model
from model_check.models.yardstick import YARDSTICKS
from model_check.models.yardstick.cfg import CfgError
from model_check.progress import watching
from model_check.properties import Verdict
from model_check.report import as_json, show, show_total
from model_check.run import Run, check
from model_check.story_files import write_stories
from model_check.yardsticks import check_yardstick
from reference.core.rules import DIALECTS, SWITCHES, Rules

EXIT_HOLDS, EXIT_VIOLATED, EXIT_USAGE, EXIT_INCOMPLETE, EXIT_INTERNAL = 0, 1, 2, 3, 4
WIDTH_WITHOUT_TERMINAL = 120
STATES_AFTER_VIOLATION = 2_000_000
"""How far a check goes on to see which other properties are violated."""


@attrs.frozen(kw_only=True)
class Request:
    """What the command line asks for."""

    models: list[Model]
    dialects: list[Rules]
    without: tuple[str, ...]
    links: Links | None  # None: each model's own
    limits: Limits
    stop_at_first: bool
    json_file: Path | None
    graphml: Path | None
    stories: Path | None  # the folder for the stories
    witnesses: bool


def _parsed_links(ctx: click.Context, param: click.Parameter, value: str | None) -> Links | None:
    del ctx, param
    try:
        return None if value is None else parse_links(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _print_models(ctx: click.Context, param: click.Parameter, value: bool) -> None:  # noqa: FBT001
    del param
    if value:
        for model in MODELS.values():
            extra = "" if model.by_default else " (only when asked for)"
            click.echo(f"{model.name:20}{model.links:9}{model.text}{extra}")
        for yardstick in YARDSTICKS.values():
            click.echo(f"{yardstick.name}  {yardstick.text} (only with --cfg)")
        ctx.exit(EXIT_HOLDS)


def _print_rules(ctx: click.Context, param: click.Parameter, value: bool) -> None:  # noqa: FBT001
    del param
    if value:
        for name in SWITCHES:
            on = [rules.dialect for rules in DIALECTS.values() if getattr(rules, name)]
            click.echo(f"{name:34}{'on in ' + ', '.join(on) if on else 'off'}")
        ctx.exit(EXIT_HOLDS)


def _dialects(names: tuple[str, ...], without: tuple[str, ...]) -> list[Rules]:
    """The dialects asked for; if none was, those that have the rules to turn off."""
    chosen = [DIALECTS[name] for name in names or DIALECTS]
    if not names:
        chosen = [rules for rules in chosen if all(getattr(rules, rule) for rule in without)]
    for rules in chosen:
        try:
            rules.without(*without)
        except ValueError as error:
            raise click.UsageError(str(error)) from error
    if not chosen:
        raise click.UsageError(f"no dialect has all of {', '.join(without)}")
    return chosen


@click.command("check")
@click.argument("models", nargs=-1, metavar="[MODEL]...", type=click.Choice([*MODELS, *YARDSTICKS]))
@click.option(
    "--dialect",
    "dialects",
    multiple=True,
    type=click.Choice(list(DIALECTS)),
    help="Whose rules to check; may be given more than once. Default: all.",
)
@click.option(
    "--links",
    callback=_parsed_links,
    metavar="KIND",
    help="held(K), held(K,fifo), fifo(C) or set. Default: the model's own.",
)
@click.option(
    "--without",
    multiple=True,
    type=click.Choice(SWITCHES),
    metavar="RULE",
    help="Turn a rule off; may be given more than once.",
)
@click.option(
    "--cfg",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Take the scope of one yardstick/... from this configuration file of TLC.",
)
@click.option("--first", is_flag=True, help="Stop at the first property that is violated.")
@click.option(
    "--limit-states",
    type=click.IntRange(min=1),
    help="Stop each exploration at that size; it is then incomplete.",
)
@click.option(
    "--limit-seconds",
    type=click.FloatRange(min=0, min_open=True),
    help="Stop each exploration after that time; it is then incomplete.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, allow_dash=True, dir_okay=False),
    help="Write the results there as JSON; - is standard output.",
)
@click.option(
    "--graphml",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the explored graph there; takes one MODEL and one --dialect.",
)
@click.option(
    "--story",
    "stories",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write each counterexample there as .svg, .html, .mmd, and .json for `slotproof replay`.",
)
@click.option("--witnesses", is_flag=True, help="With --story: also how each witness is reached.")
@click.option(
    "--list",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_models,
    help="Name the models.",
)
@click.option(
    "--list-rules",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_rules,
    help="Name the rules that --without takes.",
)
@click.pass_context
def command(  # noqa: PLR0913, PLR0917 - one for each option
    ctx: click.Context,
    models: tuple[str, ...],
    dialects: tuple[str, ...],
    links: Links | None,
    without: tuple[str, ...],
    cfg: Path | None,
    first: bool,  # noqa: FBT001
    limit_states: int | None,
    limit_seconds: float | None,
    json_file: Path | None,
    graphml: Path | None,
    stories: Path | None,
    witnesses: bool,  # noqa: FBT001
) -> None:
    """Explore every interleaving of MODELs and judge their properties.

    Without MODELs, all that end quickly are explored. Exit code: 0 all is as expected: every scope
    was exhausted, and those properties hold that are not known to be violated; 1 it is not: a
    property is violated that should hold, or holds though a model says that it is violated; 2
    usage; 3 a limit was reached first; 4 internal error.
    """
    limits = Limits(states=limit_states, seconds=limit_seconds)
    if cfg is not None or any(name in YARDSTICKS for name in models):
        if dialects or links or without or graphml or stories:
            raise click.UsageError(
                "a yardstick takes no --dialect, --links, --without, --graphml or --story"
            )
        ctx.exit(_guarded(lambda: _measure(models, cfg, limits, json_file)))
    request = Request(
        models=[MODELS[name] for name in models] or [m for m in MODELS.values() if m.by_default],
        dialects=_dialects(dialects, without),
        without=without,
        links=links,
        limits=limits,
        stop_at_first=first,
        json_file=json_file,
        graphml=graphml,
        stories=stories,
        witnesses=witnesses,
    )
    if witnesses and stories is None:
        raise click.UsageError("--witnesses needs --story DIR")
    if graphml is not None and len(request.models) * len(request.dialects) != 1:
        raise click.UsageError("--graphml takes one MODEL and one --dialect")
    ctx.exit(_guarded(lambda: obey(request)))


def _guarded(work: Callable[[], int]) -> int:
    """The exit code of the work, whatever happens."""
    try:
        return work()
    except click.UsageError:
        raise
    except Exception:  # noqa: BLE001 - whatever it is, it is not the user's doing
        click.echo(traceback.format_exc(), err=True)
        return EXIT_INTERNAL


def _measure(
    names: tuple[str, ...], cfg: Path | None, limits: Limits, json_file: Path | None
) -> int:
    """The one yardstick that was asked for has been checked; how it went."""
    if cfg is None or len(names) != 1 or names[0] not in YARDSTICKS:
        raise click.UsageError("--cfg takes one yardstick, and a yardstick takes --cfg")
    try:
        verdict = check_yardstick(names[0], cfg, limits, json_file)
    except CfgError as error:
        raise click.UsageError(str(error)) from error
    return exit_code({verdict})


def obey(request: Request) -> int:
    """Everything asked for has been explored and shown; the exit code says how it went."""
    as_text = request.json_file is not None and str(request.json_file) == "-"
    console = Console(stderr=as_text)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console = Console(stderr=as_text, width=WIDTH_WITHOUT_TERMINAL)
    runs = [
        _explore(request, model, rules, console)
        for model in request.models
        for rules in request.dialects
        if rules.dialect in model.dialects
    ]
    if not runs:
        raise click.UsageError("no MODEL asked for is about a --dialect asked for")
    show_total(runs, console)
    if request.graphml is not None:
        write_graphml(runs[0].found, request.graphml)
    if as_text:
        click.echo(as_json(runs))
    elif request.json_file is not None:
        request.json_file.write_text(as_json(runs) + "\n")
    if any(run.surprises or run.vacuous or run.astray for run in runs):
        return EXIT_VIOLATED
    stopped = any(run.found.stopped_by or run.verdict == "incomplete" for run in runs)
    return EXIT_INCOMPLETE if stopped else EXIT_HOLDS


def _explore(request: Request, model: Model, rules: Rules, console: Console) -> Run:
    with watching(f"{model.name} {rules.dialect}") as watch:
        run = check(
            model,
            rules,
            request.links or model.usual_links(rules),
            without=request.without,
            limits=request.limits,
            watch=watch,
            states_after_violation=0 if request.stop_at_first else STATES_AFTER_VIOLATION,
            keep_states=request.graphml is not None,
        )
    show(run, console)
    if request.stories is not None:
        for path in write_stories(run, request.stories, witnesses=request.witnesses):
            console.print(f"  wrote {path}", highlight=False, soft_wrap=True, markup=False)
    return run


def exit_code(verdicts: set[Verdict]) -> int:
    """What the process exits with: a violation counts most, then a limit that was reached."""
    if "violated" in verdicts:
        return EXIT_VIOLATED
    return EXIT_INCOMPLETE if "incomplete" in verdicts else EXIT_HOLDS


if __name__ == "__main__":
    command(prog_name="slotproof check")
