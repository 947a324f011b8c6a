"""The command `slotproof check`."""

import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Final

import attrs
import click
from rich.console import Console

from model_check.check_options import Bounds, Outputs, Selection
from model_check.coverage import Coverage, show_coverage
from model_check.engine import Limits
from model_check.engine.checkpoint import CheckpointError
from model_check.engine.symmetry import SymmetryError
from model_check.engine_options import Engine
from model_check.graph import write_graphml
from model_check.judged import judged
from model_check.models import MODELS
from model_check.models.model import Model
from model_check.models.yardstick import YARDSTICKS
from model_check.models.yardstick.cfg import CfgError
from model_check.option_fields import SectionedCommand, takes
from model_check.outputs.options import CiOutputs
from model_check.outputs.written import write_for_ci
from model_check.progress import watching
from model_check.properties import Verdict
from model_check.reductions.refusal import RefusedError
from model_check.report import as_json, show, show_total
from model_check.run import Run, check
from model_check.story_files import write_stories
from model_check.yardsticks import check_yardstick
from reference.core.rules import DIALECTS, SWITCHES, Rules

EXIT_HOLDS, EXIT_VIOLATED, EXIT_USAGE, EXIT_INCOMPLETE, EXIT_INTERNAL = 0, 1, 2, 3, 4
WIDTH_WITHOUT_TERMINAL: Final = 120


@attrs.frozen(kw_only=True)
class Request:
    """What the command line asks for, once it is understood."""

    models: list[Model]
    dialects: list[Rules]
    selection: Selection
    bounds: Bounds
    engine: Engine
    outputs: Outputs
    ci: CiOutputs


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


@click.command("check", cls=SectionedCommand)
@click.argument("models", nargs=-1, metavar="[MODEL]...", type=click.Choice([*MODELS, *YARDSTICKS]))
@takes(selection=Selection, bounds=Bounds, engine=Engine, outputs=Outputs, ci=CiOutputs)
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
def command(
    ctx: click.Context,
    *,
    models: tuple[str, ...],
    selection: Selection,
    bounds: Bounds,
    engine: Engine,
    outputs: Outputs,
    ci: CiOutputs,
) -> None:
    """Explore every interleaving of MODELs and judge their properties.

    Without MODELs, all that end quickly are explored. Exit code: 0 all is as expected: every
    property was decided, and those hold that are not known to be violated; 1 it is not: a property
    is violated that should hold, or holds though a model says that it is violated, or a step does
    not keep a rule, or what a model is about never happens; 2 usage; 3 a property was not decided,
    since a limit was reached first; 4 internal error.
    """
    if selection.cfg is not None or any(name in YARDSTICKS for name in models):
        _refuse_for_yardsticks(selection, outputs, ci)
        measured = (models, selection.cfg, bounds.limits, outputs.json_file)
        ctx.exit(_guarded(lambda: _measure(*measured, engine)))
    request = Request(
        models=[MODELS[name] for name in models] or [m for m in MODELS.values() if m.by_default],
        dialects=selection.chosen(),
        selection=selection,
        bounds=bounds,
        engine=engine,
        outputs=outputs,
        ci=ci,
    )
    if outputs.graphml is not None and len(request.models) * len(request.dialects) != 1:
        raise click.UsageError("--graphml takes one MODEL and one --dialect")
    if outputs.graphml is not None and engine.reductions:
        raise click.UsageError("--graphml is of all states, and --reduce visits fewer")
    ctx.exit(_guarded(lambda: obey(request)))


def _guarded(work: Callable[[], int]) -> int:
    """The exit code of the work, whatever happens."""
    try:
        return work()
    except click.UsageError:
        raise
    except (CheckpointError, RefusedError, SymmetryError) as error:
        raise click.UsageError(str(error)) from error
    except Exception:  # noqa: BLE001 - whatever it is, it is not the user's doing
        click.echo(traceback.format_exc(), err=True)
        return EXIT_INTERNAL


def _refuse_for_yardsticks(selection: Selection, outputs: Outputs, ci: CiOutputs) -> None:
    """A yardstick is no cluster: what is about rules and stories of nodes makes no sense."""
    if attrs.evolve(selection, cfg=None) != Selection():
        raise click.UsageError("a yardstick takes no --dialect, --links or --without")
    if attrs.evolve(outputs, json_file=None) != Outputs() or ci.any:
        raise click.UsageError("of the outputs, a yardstick takes --json only")


def _measure(
    names: tuple[str, ...],
    cfg: Path | None,
    limits: Limits,
    json_file: Path | None,
    engine: Engine,
) -> int:
    """The one yardstick that was asked for has been checked; how it went."""
    if cfg is None or len(names) != 1 or names[0] not in YARDSTICKS:
        raise click.UsageError("--cfg takes one yardstick, and a yardstick takes --cfg")
    if engine.reductions:
        raise click.UsageError("a yardstick takes no --reduce")
    try:
        verdict = check_yardstick(names[0], cfg, limits, json_file, engine)
    except CfgError as error:
        raise click.UsageError(str(error)) from error
    return exit_code({verdict})


def obey(request: Request) -> int:
    """Everything asked for has been explored and shown; the exit code says how it went."""
    outputs = request.outputs
    console = _console(stderr=outputs.json_is_text)
    coverage = Coverage() if outputs.coverage else None
    runs = [
        _explore(request, model, rules, console, coverage)
        for model in request.models
        for rules in request.dialects
        if rules.dialect in model.dialects
    ]
    if not runs:
        raise click.UsageError("no MODEL asked for is about a --dialect asked for")
    show_total(runs, console)
    if coverage is not None:
        show_coverage(coverage, console)
    if outputs.graphml is not None:
        write_graphml(runs[0].found, outputs.graphml)
    if outputs.json_is_text:
        click.echo(as_json(runs, coverage))
    elif outputs.json_file is not None:
        outputs.json_file.write_text(as_json(runs, coverage) + "\n")
    verdicts = [judged(run) for run in runs]
    if any(run.is_failure for run in verdicts):
        code = EXIT_VIOLATED
    else:
        code = EXIT_INCOMPLETE if any(run.unfinished for run in verdicts) else EXIT_HOLDS
    write_for_ci(request.ci, verdicts, code, coverage)
    return code


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console = Console(stderr=stderr, width=WIDTH_WITHOUT_TERMINAL)
    return console


def _explore(
    request: Request, model: Model, rules: Rules, console: Console, coverage: Coverage | None
) -> Run:
    selection, bounds, outputs = request.selection, request.bounds, request.outputs
    title = f"{model.name} {rules.dialect}"
    links = selection.links or model.usual_links(rules)
    with watching(title, bounds.limits) as watch:
        run = check(
            model,
            rules,
            links,
            without=selection.without,
            limits=bounds.limits,
            watch=watch,
            states_after_violation=bounds.states_after_violation,
            keep_states=outputs.graphml is not None,
            seen_by=None if coverage is None else coverage.watcher(title),
            options=request.engine.options(title, str(links), *selection.without),
            reductions=request.engine.reductions,
        )
    show(run, console)
    if outputs.stories is not None:
        for path in write_stories(run, outputs.stories, witnesses=outputs.witnesses):
            console.print(f"  wrote {path}", highlight=False, soft_wrap=True, markup=False)
    return run


def exit_code(verdicts: set[Verdict]) -> int:
    """What the process exits with: a violation counts most, then a limit that was reached."""
    if "violated" in verdicts:
        return EXIT_VIOLATED
    return EXIT_INCOMPLETE if "incomplete" in verdicts else EXIT_HOLDS


if __name__ == "__main__":
    command(prog_name="slotproof check")
