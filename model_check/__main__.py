"""The command `slotproof check`."""

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click
from typing_extensions import override

from model_check.check_options import Bounds, Outputs, Selection
from model_check.conventions import EXIT_HOLDS, EXIT_INTERNAL, exit_code
from model_check.engine import Limits
from model_check.engine.checkpoint import CheckpointError
from model_check.engine.symmetry import SymmetryError
from model_check.engine_options import Engine
from model_check.models.yardstick import YARDSTICKS
from model_check.models.yardstick.cfg import CfgError
from model_check.option_fields import SectionedCommand, takes
from model_check.outputs.options import CiOutputs
from model_check.reductions.refusal import RefusedError
from model_check.yardsticks import check_yardstick
from reference.core.rules import DIALECTS, SWITCHES

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from model_check.models.model import Model


def _models() -> "dict[str, Model]":
    from model_check.models import MODELS  # noqa: PLC0415 - a yardstick needs none of them

    return MODELS


class _ModelName(click.ParamType[str]):
    """The name of a model or of a yardstick."""

    name = "model"

    @override
    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return value if value in YARDSTICKS else self._choice().convert(value, param, ctx)

    @override
    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> "list[CompletionItem]":
        return self._choice().shell_complete(ctx, param, incomplete)

    def _choice(self) -> click.Choice[str]:
        return click.Choice([*_models(), *YARDSTICKS])


def _print_models(ctx: click.Context, param: click.Parameter, value: bool) -> None:  # noqa: FBT001
    del param
    if value:
        for model in _models().values():
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
@click.argument("models", nargs=-1, metavar="[MODEL]...", type=_ModelName())
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
    from model_check.check_models import Request, obey  # noqa: PLC0415 - a yardstick needs less

    known = _models()
    request = Request(
        models=[known[name] for name in models] or [m for m in known.values() if m.by_default],
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


if __name__ == "__main__":
    command(prog_name="slotproof check")
