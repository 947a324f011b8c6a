"""A yardstick as the command checks and shows it."""

import json
from pathlib import Path
from typing import Any

import click

from model_check.chance import chance
from model_check.counted import states
from model_check.engine import Exploration, Limits, PropertyResult, explore
from model_check.engine_options import Engine
from model_check.models.yardstick import YARDSTICKS
from model_check.models.yardstick.cfg import read_cfg
from model_check.models.yardstick.yardstick import Scope, Yardstick
from model_check.progress import watching
from model_check.properties import Verdict
from model_check.trace import TraceStep


def check_yardstick(
    name: str, cfg: Path, limits: Limits, json_file: Path | None, engine: Engine
) -> Verdict:
    """The yardstick has been explored in the scope of the file, and shown.

    Raises CfgError if the file says something that is not understood.
    """
    yardstick = YARDSTICKS[name]
    scope = yardstick.scope_of(read_cfg(cfg))
    with watching(name) as watch:
        found = explore(
            scope.system,
            scope.links,
            yardstick.properties,
            limits,
            watch,
            options=engine.options(name, scope.text, str(scope.links)),
        )
    as_text = json_file is not None and str(json_file) == "-"
    for line in _told(yardstick, scope, found):
        click.echo(line, err=as_text)
    if as_text:
        click.echo(_as_json(yardstick, scope, found))
    elif json_file is not None:
        json_file.write_text(_as_json(yardstick, scope, found) + "\n")
    return found.verdict


def _told(yardstick: Yardstick, scope: Scope, found: Exploration) -> list[str]:
    seconds = max(found.seconds, 1e-9)
    counts = (
        f"  {found.verdict}: {states(found)}, {found.transitions:,} transitions, "
        f"depth {found.depth}, {found.seconds:.1f} s ({found.transitions / seconds:,.0f}/s), "
        f"{found.step_calls:,} steps of the system"
    )
    bounds = f"  within {scope.text}; links {found.links}; {chance(found)}"
    lines = [
        f"{yardstick.name} · {found.links}  {yardstick.text}",
        counts,
        bounds,
    ]
    for result in found.properties:
        word = result.verdict
        reached = result.kind == "sometimes" and word == "holds"
        text = next(prop.text for prop in yardstick.properties if prop.id == result.id)
        lines.append(f"  {'reached' if reached else word}  {result.id}  {text}")
    for result in found.properties:
        if result.verdict == "violated" and result.trace is not None:
            lines += [f"The shortest path that breaks {result.id}:", *_path(scope, result)]
    if found.stopped_by is not None:
        lines.append(
            f"  stopped by the limit on {found.stopped_by} before the scope was exhausted: "
            "this is no pass"
        )
    return lines


def _path(scope: Scope, result: PropertyResult) -> list[str]:
    steps = () if result.trace is None else result.trace.steps
    return [
        f"  {number:3}  {_what(scope.system.processes, step)}"
        for number, step in enumerate(steps, 1)
    ]


def _what(names: tuple[str, ...], step: TraceStep) -> str:
    if step.channel is None:
        event = step.event
        text = " ".join(map(str, event)) if isinstance(event, tuple) else str(event)
        return f"{names[step.process]}: {text}"
    sender, receiver, _ = step.channel
    kind = step.kind.replace("_", " ")
    return f"{kind} {names[sender]} -> {names[receiver]}: {step.message}"


def _as_json(yardstick: Yardstick, scope: Scope, found: Exploration) -> str:
    run: dict[str, Any] = {
        "model": yardstick.name,
        "links": found.links,
        "verdict": found.verdict,
        "stopped_by": found.stopped_by,
        "bounds": scope.text,
        "bounds_hit": found.bounds_hit,
        "distinct_states": found.distinct_states,
        "states_of_orbits": found.states_of_orbits,
        "transitions": found.transitions,
        "depth": found.depth,
        "seconds": round(found.seconds, 3),
        "step_calls": found.step_calls,
        "missed_probability": found.missed_probability,
        "properties": [
            {"id": result.id, "kind": result.kind, "verdict": result.verdict}
            for result in found.properties
        ],
    }
    return json.dumps({"schema": 1, "runs": [run]}, indent=2)
