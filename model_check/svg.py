"""A diagram as an SVG picture that needs nothing else."""

import textwrap
from collections.abc import Iterator
from html import escape
from typing import Final

import attrs

from model_check.diagram import Arrow, Diagram, Fate, Row

COLUMN: Final = 232  # pixels between two lifelines
GUTTER: Final = 46  # pixels for the numbers of the steps
LINE: Final = 15  # pixels from one line of text to the next
CHARACTER: Final = 6.5  # pixels, of an average character
HEAD: Final = 112  # pixels above the first row
NOTE_CHARACTERS: Final = 32
DOOR: Final = 14  # pixels before the receiver's lifeline where a delayed message waits

_STYLE: Final = """
.story{font:12px system-ui,'Segoe UI','DejaVu Sans',sans-serif;fill:#1f2933}
.story .paper{fill:#fff}
.story .band{fill:transparent}
.story .title{font-size:16px;font-weight:600}
.story .subtitle{font-size:13px;fill:#52606d}
.story .number{fill:#7b8794;text-anchor:end}
.story .head{fill:#243b53}
.story .name{fill:#fff;font-size:14px;font-weight:600;text-anchor:middle}
.story .life{stroke:#9fb3c8;stroke-width:1.5}
.story .down{stroke:#ba2525;stroke-width:1.5;stroke-dasharray:2 5}
.story .arrow{stroke:#243b53;stroke-width:1.6;fill:none}
.story .delayed,.story .late{stroke:#b44d12;stroke-dasharray:6 4}
.story .lost{stroke:#7b8794}
.story .cross{stroke:#ba2525;stroke-width:2.2;fill:none}
.story .tip{fill:#243b53}
.story .tip.late{fill:#b44d12;stroke:none}
.story .wait{fill:#fff;stroke:#b44d12;stroke-width:1.6}
.story .label,.story .note{text-anchor:middle}
.story .label{paint-order:stroke;stroke:#fff;stroke-width:5px;stroke-linejoin:round}
.story .label.from-left{text-anchor:start}
.story .label.from-right{text-anchor:end}
.story .label.delayed,.story .label.late{fill:#8a3a0c;stroke:#fff;stroke-dasharray:none}
.story .label.lost{fill:#52606d;stroke:#fff}
.story .box{stroke:#bcccdc;fill:#f0f4f8}
.story .box.timer{stroke:#d9c97c;fill:#fffbea}
.story .box.crash{stroke:#e12d39;fill:#ffe3e3}
.story .box.restart{stroke:#8fc7a8;fill:#e8f8ef}
.story .box.win{stroke:#7b5fc7;fill:#ece5ff;stroke-width:2}
.story .win-text{font-weight:600}
.story .end{fill:#ba2525}
.story .end.good{fill:#27734f}
.story .end-text{fill:#fff;font-size:13px;font-weight:600;text-anchor:middle}
.story .number.decisive{fill:#ba2525;font-weight:700}
.story .flaw{fill:#ba2525;font-weight:600;text-anchor:middle;
paint-order:stroke;stroke:#fff;stroke-width:5px;stroke-linejoin:round}
.story .clause{fill:#1f2933;font-size:13px}
.story .row.selected .band{fill:#fff3c4}
"""
_WORDS: Final[dict[Fate, str]] = {
    "delivered": "",
    "lost": " (lost)",
    "delayed": " (delayed)",
    "late": " (late)",
}


@attrs.frozen(kw_only=True)
class _Place:
    """Where a row is: pixels from the top."""

    row: Row
    top: int
    arrow: int  # the height of the arrow
    note: int  # the top of the note's box
    bottom: int
    label: tuple[str, ...]
    lines: tuple[str, ...]
    flaws: tuple[str, ...]


def svg(diagram: Diagram) -> str:
    """The diagram as an SVG document; each row is a group with its step in `data-step`."""
    places = _placed(diagram)
    bottom = places[-1].bottom + 8 if places else HEAD
    width = _width(diagram)
    clauses = [line for text in diagram.clauses for line in textwrap.wrap(text, width // 7)]
    height = bottom + 76 + 18 * len(clauses)
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="story" role="img" {size}>',
        f"<title>{escape(diagram.title)}: {escape(diagram.ending)}</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" width="{width}" height="{height}"/>',
        *_heading(diagram),
        *(_band(place, width) for place in places),
        *_lifelines(diagram, places, bottom),
        *_waits(diagram, places),
    ]
    for place in places:
        parts += [f'<g class="row" data-step="{place.row.step}">', *_drawn(place), "</g>"]
    parts += [*_heads(diagram, bottom), *_end(diagram, bottom + 36, width)]
    parts += [
        f'<text class="clause" x="16" y="{bottom + 84 + 18 * at}">{escape(line)}</text>'
        for at, line in enumerate(clauses)
    ]
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _x(process: int) -> int:
    return GUTTER + COLUMN // 2 + process * COLUMN


def _width(diagram: Diagram) -> int:
    longest = max(len(diagram.title) * 9, len(diagram.subtitle) * 7, len(diagram.ending) * 8)
    return max(GUTTER + COLUMN * len(diagram.processes) + 8, round(longest) + 40)


def _placed(diagram: Diagram) -> list[_Place]:
    places: list[_Place] = []
    top = HEAD
    for row in diagram.rows:
        label: list[str] = []
        if row.arrow is not None:
            span = abs(_x(row.arrow.receiver) - _x(row.arrow.sender))
            text = row.arrow.text + _WORDS[row.arrow.fate]
            room = span - (64 if row.arrow.fate == "lost" else 24)
            label = _wrapped(text, int(room / CHARACTER))
        arrow = top + 6 + LINE * len(label) + 6 if label else top
        lines = [
            line
            for text in (row.note.lines if row.note else ())
            for line in _wrapped(text, NOTE_CHARACTERS)
        ]
        note = arrow + (10 if label else 6)
        flaws = [line for text in row.flaws for line in _wrapped(text, NOTE_CHARACTERS)]
        bottom = note + LINE * len(lines) + 10 if lines else arrow + 8
        bottom += LINE * len(flaws)
        places.append(
            _Place(
                row=row,
                top=top,
                arrow=arrow,
                note=note,
                bottom=bottom + 6,
                label=tuple(label),
                lines=tuple(lines),
                flaws=tuple(flaws),
            )
        )
        top = bottom + 6
    return places


def _wrapped(text: str, most: int) -> list[str]:
    """The text in as few lines as possible, all of about the same length."""
    lines = textwrap.wrap(text, most)
    shortest = next(n for n in range(1, most + 1) if len(textwrap.wrap(text, n)) == len(lines))
    return textwrap.wrap(text, max(shortest, *map(len, text.split())))


def _heading(diagram: Diagram) -> list[str]:
    return [
        f'<text class="title" x="16" y="26">{escape(diagram.title)}</text>',
        f'<text class="subtitle" x="16" y="46">{escape(diagram.subtitle)}</text>',
        *_heads(diagram, HEAD - 48),
    ]


def _heads(diagram: Diagram, top: int) -> Iterator[str]:
    for process, name in enumerate(diagram.processes):
        wide = max(44, len(name) * 10 + 24)
        left = _x(process) - wide / 2
        yield f'<rect class="head" x="{left:g}" y="{top}" width="{wide}" height="28" rx="5"/>'
        yield f'<text class="name" x="{_x(process)}" y="{top + 19}">{escape(name)}</text>'


def _band(place: _Place, width: int) -> str:
    return (
        f'<g class="row" data-step="{place.row.step}"><rect class="band" x="0" y="{place.top}" '
        f'width="{width}" height="{place.bottom - place.top}"/></g>'
    )


def _lifelines(diagram: Diagram, places: list[_Place], bottom: int) -> Iterator[str]:
    """A line for each process, broken while the process is down."""
    for process in range(len(diagram.processes)):
        since, style = HEAD - 20, "life"
        for place in places:
            note = place.row.note
            if note is None or note.process != process or note.tone not in {"crash", "restart"}:
                continue
            turn = place.note + 5
            yield _line(style, _x(process), since, _x(process), turn)
            since, style = turn, "down" if note.tone == "crash" else "life"
        yield _line(style, _x(process), since, _x(process), bottom, process=process)


def _line(style: str, *ends: float, process: int | None = None) -> str:
    x1, y1, x2, y2 = ends
    mark = "" if process is None else f' data-process="{process}"'
    return f'<line class="{style}" x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}"{mark}/>'


def _waits(diagram: Diagram, places: list[_Place]) -> Iterator[str]:
    """Delayed messages wait before the lifeline of their receiver until they are delivered."""
    ends = {
        place.row.arrow.number: place
        for place in places
        if place.row.arrow is not None and place.row.arrow.fate == "late"
    }
    waiting = [0] * len(diagram.processes)
    for place in places:
        arrow = place.row.arrow
        if arrow is None or arrow.fate != "delayed":
            continue
        to_left = -1 if arrow.sender < arrow.receiver else 1
        door = _x(arrow.receiver) + to_left * (DOOR + 9 * (waiting[arrow.receiver] % 4))
        waiting[arrow.receiver] += 1
        yield _line("arrow delayed", _x(arrow.sender), place.arrow, door, place.arrow)
        end = ends.get(arrow.number)
        if end is None:
            yield f'<circle class="wait" cx="{door}" cy="{place.arrow}" r="4"/>'
            continue
        tip = _x(arrow.receiver) + to_left * 7
        yield (
            f'<path class="arrow late" data-fate="late" '
            f'd="M{door} {place.arrow}V{end.arrow}H{tip}"/>'
        )
        yield _tip(_x(arrow.receiver), end.arrow, -to_left, "tip late")


def _drawn(place: _Place) -> Iterator[str]:
    first = place.arrow if place.label else place.note + LINE + 3
    number = str(place.row.step) if place.row.step else "before"
    style = "number decisive" if place.row.decisive else "number"
    yield f'<text class="{style}" x="{GUTTER - 4}" y="{first}">{number}</text>'
    if place.row.arrow is not None:
        yield from _arrow(place.row.arrow, place)
    yield from _note(place)
    for at, line in enumerate(place.flaws):
        y = place.bottom - 6 - LINE * (len(place.flaws) - 1 - at)
        yield f'<text class="flaw" x="{_x(place.row.process)}" y="{y}">{escape(line)}</text>'


def _arrow(arrow: Arrow, place: _Place) -> Iterator[str]:
    start, end, y = _x(arrow.sender), _x(arrow.receiver), place.arrow
    way = 1 if end > start else -1
    if arrow.fate == "delivered":
        yield (
            f'<line class="arrow" data-fate="delivered" x1="{start}" y1="{y}" '
            f'x2="{end - way * 7}" y2="{y}"/>'
        )
        yield _tip(end, y, way, "tip")
    elif arrow.fate == "lost":
        stop = end - way * 40
        yield _line("arrow lost", start, y, stop, y)
        yield f'<path class="cross" d="M{stop - 6} {y - 6}l12 12m0 -12l-12 12"/>'
    middle, side = (start + end) / 2, ""
    if arrow.fate == "lost":
        middle -= way * 24
    if arrow.fate == "late":
        middle, side = end - way * (DOOR + 34), " from-right" if way == 1 else " from-left"
    for at, line in enumerate(reversed(place.label)):
        yield (
            f'<text class="label {arrow.fate}{side}" x="{middle:g}" y="{y - 7 - at * LINE}">'
            f"{escape(line)}</text>"
        )


def _tip(x: int, y: int, way: int, style: str) -> str:
    return f'<path class="{style}" d="M{x} {y}l{-way * 10} -5v10z"/>'


def _note(place: _Place) -> Iterator[str]:
    note = place.row.note
    if note is None:
        return
    wide = max(len(line) for line in place.lines) * CHARACTER * (1.1 if note.tone == "win" else 1)
    wide = min(COLUMN - 6, wide + 24)
    left, high = _x(note.process) - wide / 2, LINE * len(place.lines) + 8
    yield (
        f'<rect class="box {note.tone}" x="{left:g}" y="{place.note}" width="{wide:g}" '
        f'height="{high}" rx="4"/>'
    )
    style = "note win-text" if note.tone == "win" else "note"
    for at, line in enumerate(place.lines, 1):
        y = place.note + at * LINE
        yield f'<text class="{style}" x="{_x(note.process)}" y="{y}">{escape(line)}</text>'


def _end(diagram: Diagram, top: int, width: int) -> Iterator[str]:
    good = "" if diagram.violated else " good"
    yield f'<rect class="end{good}" x="12" y="{top}" width="{width - 24}" height="28" rx="5"/>'
    yield f'<text class="end-text" x="{width / 2:g}" y="{top + 19}">{escape(diagram.ending)}</text>'
