"""The command `slotproof bugs`: known bugs of real clusters, found from their scope alone."""

import json
import os
from pathlib import Path
from typing import Any, Final

import attrs
import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from model_check.engine import Limits
from model_check.gallery import GALLERY, SECONDS, Case, Sighting, look, visits
from model_check.judged import judged_sighting
from model_check.option_fields import SectionedCommand, option, takes
from model_check.outputs.options import CiOutputs
from model_check.outputs.written import write_for_ci
from model_check.progress import watching
from model_check.reasons import reasons
from model_check.reasons_shown import show_reasons
from model_check.story import tell
from model_check.story_files import write_stories
from model_check.story_table import story_table
from reference.core.rules import DIALECTS

EXIT_AS_EXPECTED, EXIT_OTHERWISE, EXIT_INCOMPLETE = 0, 1, 3
WIDTH_WITHOUT_TERMINAL: Final = 140
IDS: Final = tuple(case.id for case in GALLERY)
_COLOUR: Final = {"found": "red", "absent": "green", "incomplete": "yellow"}


@attrs.frozen(kw_only=True)
class Selection:
    """Where to look."""

    dialects: tuple[str, ...] = option(
        "--dialect",
        multiple=True,
        default=(),
        type=click.Choice(list(DIALECTS)),
        help="Where to look; may be given more than once. Default: wherever something is expected.",
    )


@attrs.frozen(kw_only=True)
class Outputs:
    """What is shown and written."""

    story: bool = option(
        "--story",
        is_flag=True,
        default=False,
        help="Tell the shortest story of each bug that is found.",
    )
    folder: Path | None = option(
        "--stories",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help="Write the stories there, as `slotproof check --story` does.",
    )
    json_file: Path | None = option(
        "--json",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Write the table there as JSON.",
    )


@click.command("bugs", cls=SectionedCommand)
@click.argument("ids", nargs=-1, metavar="[ID]...", type=click.Choice(IDS))
@takes(selection=Selection, outputs=Outputs, ci=CiOutputs)
@click.pass_context
def command(
    ctx: click.Context,
    *,
    ids: tuple[str, ...],
    selection: Selection,
    outputs: Outputs,
    ci: CiOutputs,
) -> None:
    """Look for known bugs of real clusters, in the dialects that have them and where they are gone.

    Without IDs, all of them. Exit code: 0 each is found where it should be and absent where it
    should be; 1 it is not; 2 usage; 3 a limit was reached first.
    """
    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console = Console(width=WIDTH_WITHOUT_TERMINAL)
    cases = [case for case in GALLERY if not ids or case.id in ids]
    dialects = selection.dialects or tuple(DIALECTS)
    sightings = [sighting for case in cases for sighting in _look_everywhere(case, dialects)]
    console.print(_table(sightings))
    if outputs.story:
        _tell(sightings, console)
    if outputs.folder is not None:
        for sighting in sightings:
            for path in write_stories(sighting.run, outputs.folder, witnesses=False):
                console.print(f"wrote {path}", highlight=False, soft_wrap=True, markup=False)
    if outputs.json_file is not None:
        rows = [_row(sighting) for sighting in sightings]
        outputs.json_file.write_text(json.dumps({"schema": 1, "bugs": rows}, indent=2) + "\n")
    code = _exit_code(sightings)
    write_for_ci(ci, [judged_sighting(sighting) for sighting in sightings], code)
    ctx.exit(code)


def _look_everywhere(case: Case, dialects: tuple[str, ...]) -> list[Sighting]:
    sightings = []
    for place, expected in visits(case, dialects):
        with watching(f"{case.id} {place.describe()}", Limits(seconds=SECONDS)) as watch:
            sightings.append(look(case, place, expected, watch))
    return sightings


def _exit_code(sightings: list[Sighting]) -> int:
    if any(each.outcome not in {each.expected, "incomplete"} for each in sightings):
        return EXIT_OTHERWISE
    stopped = any(each.outcome == "incomplete" for each in sightings)
    return EXIT_INCOMPLETE if stopped else EXIT_AS_EXPECTED


def _table(sightings: list[Sighting]) -> Table:
    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    for name in ("id", "report", "dialect", "links", "verdict"):
        table.add_column(name)
    for name in ("steps", "states", "seconds"):
        table.add_column(name, justify="right")
    last = ""
    for each in sightings:
        new = each.case.id != last
        last = each.case.id
        verdict = f"[{_COLOUR[each.outcome]}]{each.outcome}[/{_COLOUR[each.outcome]}]"
        if each.outcome != each.expected:
            verdict += f" (expected: {each.expected})"
        table.add_row(
            each.case.id if new else "",
            each.case.report if new else "",
            each.place.describe(),
            each.found.links,
            verdict,
            "" if each.steps is None else str(each.steps),
            f"{each.found.distinct_states:,}",
            f"{each.found.seconds:.1f}",
        )
    return table


def _tell(sightings: list[Sighting], console: Console) -> None:
    """The story of each bug in the first place where it was found."""
    told: set[str] = set()
    for each in sightings:
        trace = each.result.trace
        if each.outcome != "found" or trace is None or each.case.id in told:
            continue
        told.add(each.case.id)
        console.print()
        console.print(
            f"[bold]{each.case.id}[/bold] {escape(each.case.text)} "
            f"({escape(each.case.report)}; {each.place.describe()}; {each.case.property_id})",
            highlight=False,
            soft_wrap=True,
        )
        console.print(f"[dim]within {escape(each.run.scope.describe())}[/dim]", highlight=False)
        console.print(story_table(tell(trace, each.run.system.processes)))
        show_reasons(reasons(each.run, [each.case.property_id], trace), console)
        if each.case.note:
            console.print(f"[dim]{escape(each.case.note)}[/dim]", highlight=False)


def _row(sighting: Sighting) -> dict[str, Any]:
    return {
        "id": sighting.case.id,
        "report": sighting.case.report,
        "dialect": sighting.place.dialect,
        "without": list(sighting.place.without),
        "links": sighting.found.links,
        "model": sighting.case.model,
        "property": sighting.case.property_id,
        "expected": sighting.expected,
        "verdict": sighting.outcome,
        "steps": sighting.steps,
        "distinct_states": sighting.found.distinct_states,
        "seconds": round(sighting.found.seconds, 3),
    }
