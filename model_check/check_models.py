"""`slotproof check` of models of clusters: all that was asked for is explored and shown."""

import os

import attrs
import click
from rich.console import Console

from model_check.check_options import Bounds, Outputs, Selection
from model_check.conventions import (
    EXIT_HOLDS,
    EXIT_INCOMPLETE,
    EXIT_VIOLATED,
    WIDTH_WITHOUT_TERMINAL,
)
from model_check.coverage import Coverage, show_coverage
from model_check.engine_options import Engine
from model_check.judged import judged
from model_check.models.model import Model
from model_check.outputs.options import CiOutputs
from model_check.progress import watching
from model_check.report import as_json, show, show_total
from model_check.run import Run, check
from model_check.story_files import write_stories
from reference.core.rules import Rules


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
        from model_check.graph import write_graphml  # noqa: PLC0415 - networkx takes long to import

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
    if request.ci.any:
        from model_check.outputs.written import write_for_ci  # noqa: PLC0415 - most runs have none

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
