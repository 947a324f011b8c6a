"""A story as a file that can be replayed: its steps as JSON, and the files that show it."""

import json
from enum import Enum
from pathlib import Path
from typing import Any, Final

import attrs

from model_check.diagram import diagram
from model_check.links import Links, parse_links
from model_check.mermaid import mermaid
from model_check.models import MODELS
from model_check.models.model import Model
from model_check.page import page
from model_check.post import numbered
from model_check.reasons import reasons
from model_check.run import Run
from model_check.shrink import shrink
from model_check.story import message_text, tell
from model_check.svg import svg
from model_check.trace import Trace, TraceStep
from reference.core.rules import DIALECTS, Rules
from reference.core.slots import SlotSet
from reference.core.types import Address

SCHEMA: Final = 1
KINDS: Final = ("move", "deliver", "deliver_held", "lose", "hold", "break")

Form = None | bool | int | str | list["Form"] | dict[str, "Form"]


class DamagedStoryError(ValueError):
    """A file is no story that this release can replay; the text says why."""


@attrs.frozen(kw_only=True)
class FiledStep:
    """One step as the file tells it.

    `message` is the number of the message it is about, in the order of sending, the stale messages
    of the start first. `event` is the move that is made; for a message that is sent and arrives, or
    is held, in one transition, it is the sender's.
    """

    kind: str
    who: str
    sender: str | None
    receiver: str | None
    message: int | None
    event: Form
    kept: int | None
    what: str
    changes: tuple[str, ...]
    sends: tuple[str, ...]


@attrs.frozen(kw_only=True)
class FiledStory:
    """A story with all that is needed to replay it."""

    model: Model
    rules: Rules
    without: tuple[str, ...]
    links: Links
    property_id: str
    steps: tuple[FiledStep, ...]
    loop: int = 0  # how many of the last steps repeat for ever


_CAME_LATER: Final[dict[type, dict[str, Form]]] = {Address: {"pport": 0}}
"""Fields that stories of before do not have, and what they are where nothing is said of them."""


def form(value: object) -> Form:
    """An event as JSON: `is` names its class, and its fields stand beside it."""
    match value:
        case None | bool() | int() | str():
            return value
        case Enum():
            return value.name
        case SlotSet():
            return str(value)
        case tuple() | list():
            return [form(each) for each in value]
        case frozenset():
            return sorted((form(each) for each in value), key=json.dumps)
        case _:
            kind = type(value)
            if not attrs.has(kind):
                raise TypeError(f"{value!r} has no form in a story file")
            fields = {each.name: form(getattr(value, each.name)) for each in attrs.fields(kind)}
            for name, unused in _CAME_LATER.get(kind, {}).items():
                if fields[name] == unused:
                    del fields[name]
            return {"is": kind.__name__, **fields}


def sent_texts(step: TraceStep, names: tuple[str, ...]) -> tuple[str, ...]:
    """What the process sent in the step."""
    return tuple(f"{message_text(send.message)} to {names[send.dest]}" for send in step.sends)


def as_story(run: Run, property_id: str, trace: Trace) -> str:
    """The trace as the text of a scenario file (`schema` 1)."""
    names = run.system.processes
    prop = run.property_of(property_id)
    why = reasons(run, [property_id], trace)
    numbers = numbered(trace, run.system, parse_links(run.found.links))
    lines = tell(trace, names)
    steps = []
    for step, number, line in zip(trace.steps, numbers, lines, strict=True):
        told: dict[str, Form] = {"kind": step.kind, "who": line.who}
        if step.channel is not None:
            told |= {"from": names[step.channel[0]], "to": names[step.channel[1]]}
            told["message"] = number
        if step.event is not None:
            told["event"] = form(step.event)
        if step.kept is not None:
            told["kept"] = step.kept
        sends = list(sent_texts(step, names))
        steps.append(told | {"what": line.what, "changes": list(line.changes), "sends": sends})
    document = {
        "schema": SCHEMA,
        "model": run.model.name,
        "dialect": run.rules.dialect,
        "without": list(run.without),
        "links": run.found.links,
        "property": property_id,
        "clause": prop.clause,
        "clause_text": "; ".join(clause.text for clause in why.clauses),
        "text": prop.text,
        "decided_in": [each.step for each in why.decisive],
        "not_kept": [
            {"step": each.step, "clause": each.clause.clause_id, "what": f"{each.who} {each.what}"}
            for each in why.not_kept
        ],
        "verdict": "reached" if prop.kind == "sometimes" else "violated",
        "loop": trace.loop,
        "steps": steps,
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def write_stories(run: Run, folder: Path, *, witnesses: bool) -> list[Path]:
    """Each story of the run stands in the folder as .mmd, .svg, .html and .json."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    links = parse_links(run.found.links)
    for result in run.found.properties:
        trace = result.trace
        wanted = result.verdict == "violated" or (witnesses and result.kind == "sometimes")
        if trace is None or not wanted:
            continue
        if result.kind == "sometimes":
            trace = shrink(run.system, links, [run.property_of(result.id)], trace).trace
        drawn = diagram(run, result.id, trace)
        name = f"{run.model.name}-{run.rules.dialect}-{result.id.replace(':', '-')}"
        for ending, text in (
            ("mmd", mermaid(drawn)),
            ("svg", svg(drawn)),
            ("html", page(run, result.id, trace, drawn)),
            ("json", as_story(run, result.id, trace)),
        ):
            path = folder / f"{name}.{ending}"
            path.write_text(text, encoding="utf-8")
            written.append(path)
    return written


def read_story(text: str) -> FiledStory:
    """The story that the text of a scenario file tells.

    Raises DamagedStoryError, naming what is wrong.
    """
    try:
        document = json.loads(text)
    except ValueError as error:
        raise DamagedStoryError(f"this is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise DamagedStoryError("expected an object with schema, model, dialect, ..., steps")
    schema = document.get("schema")
    if schema != SCHEMA:
        raise DamagedStoryError(f"schema {schema!r}: this release reads schema {SCHEMA}")
    model = MODELS.get(name := _text(document, "model"))
    if model is None:
        raise DamagedStoryError(f"model {name!r} is none of {', '.join(MODELS)}")
    rules = DIALECTS.get(dialect := _text(document, "dialect"))
    if rules is None:
        raise DamagedStoryError(f"dialect {dialect!r} is none of {', '.join(DIALECTS)}")
    without = _texts(document, "without")
    try:
        rules.without(*without)
        links = parse_links(_text(document, "links"))
    except ValueError as error:
        raise DamagedStoryError(str(error)) from error
    steps = _field(document, "steps", list, "a list")
    processes = tuple(str(node.myself_id) for node in model.scope(rules.without(*without)).nodes)
    return FiledStory(
        model=model,
        rules=rules,
        without=without,
        links=links,
        property_id=_property_id(document, model),
        steps=tuple(_step(each, f"step {at}: ", processes) for at, each in enumerate(steps, 1)),
        loop=_loop(document, len(steps)),
    )


def _loop(document: dict[str, Any], steps: int) -> int:
    """How many steps repeat; none if the file does not say."""
    loop: int = _field(document, "loop", int, "a number") if "loop" in document else 0
    if not 0 <= loop <= steps:
        raise DamagedStoryError(f"loop: there are no {loop} steps to repeat")
    return loop


def _property_id(document: dict[str, Any], model: Model) -> str:
    kinds = {prop.id: prop.kind for prop in model.properties}
    if (name := _text(document, "property")) not in kinds:
        raise DamagedStoryError(f"property {name!r} of {model.name} is none of {', '.join(kinds)}")
    expected = "reached" if kinds[name] == "sometimes" else "violated"
    if (verdict := _text(document, "verdict")) != expected:
        raise DamagedStoryError(f"verdict {verdict!r}: a story of {name} says {expected!r}")
    return name


def _step(told: object, where: str, processes: tuple[str, ...]) -> FiledStep:
    if not isinstance(told, dict):
        raise DamagedStoryError(f"{where}expected an object")
    kind = _text(told, "kind", where)
    if kind not in KINDS:
        raise DamagedStoryError(f"{where}kind {kind!r} is none of {', '.join(KINDS)}")
    named = ("who",) if kind == "move" else ("who", "from", "to")
    ends = {key: _text(told, key, where) for key in named}
    for key, name in ends.items():
        if name not in processes:
            raise DamagedStoryError(f"{where}{key} {name!r} is none of {', '.join(processes)}")
    about = kind not in {"move", "break"}
    if kind == "move" and not isinstance(told.get("event"), dict):
        raise DamagedStoryError(f"{where}event: expected an object")
    return FiledStep(
        kind=kind,
        who=ends["who"],
        sender=ends.get("from"),
        receiver=ends.get("to"),
        message=_field(told, "message", int, "a number", where) if about else None,
        event=told.get("event"),
        kept=_field(told, "kept", int, "a number", where) if kind == "break" else None,
        what=_text(told, "what", where),
        changes=_texts(told, "changes", where),
        sends=_texts(told, "sends", where),
    )


def _field(told: dict[str, Any], key: str, kind: type, text: str, where: str = "") -> Any:  # noqa: ANN401 - of that kind
    if key not in told:
        raise DamagedStoryError(f"{where}{key} is missing")
    if not isinstance(told[key], kind) or isinstance(told[key], bool):
        raise DamagedStoryError(f"{where}{key}: expected {text}, not {told[key]!r}")
    return told[key]


def _text(told: dict[str, Any], key: str, where: str = "") -> str:
    return str(_field(told, key, str, "a text", where))


def _texts(told: dict[str, Any], key: str, where: str = "") -> tuple[str, ...]:
    texts = _field(told, key, list, "a list of texts", where)
    for text in texts:
        if not isinstance(text, str):
            raise DamagedStoryError(f"{where}{key}: expected a list of texts, not {texts!r}")
    return tuple(texts)
