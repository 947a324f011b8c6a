"""The picture of chapter 23: the longest window as found, as argued, and as measured.

    python -m tests.timing.picture [--search]

It draws spec/pictures/window.svg from found.json and measured.json; `--search` finds the former
anew, which takes some minutes.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

import attrs

from model_check.timed.bound import SERVERS_NOTICE_MS, Setting, bound
from model_check.timed.scope import OLD, Scope
from model_check.timed.search import longest_window
from model_check.timed.world import Worlds
from reference.core.rules import DIALECTS

HERE: Final = Path(__file__).parent
PICTURE: Final = HERE.parent.parent / "spec" / "pictures" / "window.svg"
_TICK: Final = 100
_WIDTH: Final = 1080
_HEIGHT: Final = 560
_LEAST, _MOST = -2400, 2400  # ms, of the windows that are shown
_LONGEST_NT: Final = 4200
_MEASURED_NT: Final = 1000  # at which delays and slow clocks were measured
_LEAST_OF_ONE: Final = -500
_COLOURS: Final = {"redis": "#b44d12", "valkey": "#1f6f8b"}
_NAMES: Final = {"redis": "Redis 7.0", "valkey": "Valkey 9.1"}
_DELAYS: Final = {"redis": 500, "valkey": 0}
_STYLE: Final = """
text{font:13px system-ui,'Segoe UI','DejaVu Sans',sans-serif;fill:#1f2933}
.title{font-size:16px;font-weight:600}.small{font-size:12px;fill:#52606d}
.axis{stroke:#7b8794;stroke-width:1}.grid{stroke:#e4e7eb;stroke-width:1}
.bound{fill:none;stroke-width:2}.servers{stroke-dasharray:7 4}
"""

Row = dict[str, Any]


@attrs.frozen(kw_only=True)
class Panel:
    """Where a part of the picture is, and what its edges stand for."""

    left: int
    right: int
    top: int
    bottom: int
    across: tuple[float, float]
    up: tuple[float, float]

    def x(self, value: float) -> float:
        """Where the value is, from the left."""
        low, high = self.across
        return self.left + (value - low) / (high - low) * (self.right - self.left)

    def y(self, value: float) -> float:
        """Where the value is, from the top."""
        low, high = self.up
        return self.bottom - (value - low) / (high - low) * (self.bottom - self.top)


def search() -> list[Row]:
    """The longest windows of scopes that are explored to the end."""
    asked: list[tuple[str, int, dict[str, Any]]] = [
        *(("valkey-9.1", node_timeout, {}) for node_timeout in (200, 400, 800, 1200, 1600, 2000)),
        *(("redis-7.0", node_timeout, {}) for node_timeout in (400, 800, 1200, 1600, 2000)),
        *(("valkey-9.1", 200, {"delay": n, "late": 3}) for n in (1, 2)),
        *(
            ("valkey-9.1", 400, {"slow": frozenset({OLD}), "drift": n})
            for n in (2, 3, 4, 6, 8)
        ),
    ]  # fmt: skip
    rows = []
    for dialect, node_timeout, more in asked:
        scope = Scope(rules=DIALECTS[dialect], node_timeout=node_timeout, tick=_TICK, **more)
        window = longest_window(Worlds(scope), 1_000_000)
        if not window.complete or window.longest is None:
            raise ValueError(f"{dialect} {node_timeout} {more}: no window was found")
        row = {
            "dialect": dialect, "node_timeout": node_timeout, "delay": scope.delay * _TICK,
            "drift": scope.drift, "longest": window.longest * _TICK, "bound": scope.bound,
            "worlds": window.worlds,
        }  # fmt: skip
        sys.stdout.write(f"{row}\n")
        rows.append(row)
    return rows


def _axes(panel: Panel, across: range, up: range, label: str) -> Iterator[str]:
    for value in up:
        y = panel.y(value)
        kind = "axis" if not value else "grid"
        yield f'<line class="{kind}" x1="{panel.left}" x2="{panel.right}" y1="{y}" y2="{y}"/>'
        yield f'<text x="{panel.left - 8}" y="{y + 4}" text-anchor="end">{value:,}</text>'
    for value in across:
        x = panel.x(value)
        yield f'<text x="{x}" y="{panel.bottom + 20}" text-anchor="middle">{value:,}</text>'
    middle = (panel.left + panel.right) / 2
    yield f'<text x="{middle}" y="{panel.bottom + 42}" text-anchor="middle">{escape(label)}</text>'


def _line(panel: Panel, points: Sequence[tuple[float, float]], colour: str, kind: str) -> str:
    way = " ".join(f"{panel.x(a):.1f},{panel.y(b):.1f}" for a, b in points)
    return f'<polyline class="bound {kind}" stroke="{colour}" points="{way}"/>'


def _found_at(x: float, y: float, colour: str) -> str:
    return (
        f'<rect x="{x - 4.5}" y="{y - 4.5}" width="9" height="9" '
        f'transform="rotate(45 {x} {y})" fill="{colour}"/>'
    )


def _measured_at(x: float, y: float, colour: str, *, ours: bool = False) -> str:
    """A disc for a server, a ring for a node of ours."""
    look = f'fill="none" stroke="{colour}" stroke-width="1.6"'
    if not ours:
        look = f'fill="{colour}" fill-opacity=".45"'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" {look}/>'


def _kind(row: Row) -> str:
    """Of which kind of server the node is, or behaves."""
    return str(row["kind"]).partition("-")[0]


def _is_ours(row: Row) -> bool:
    return "-" in row["kind"]


def _by_node_timeout(found: list[Row], measured: list[Row]) -> Iterator[str]:
    panel = Panel(
        left=74, right=640, top=70, bottom=470, across=(0, _LONGEST_NT), up=(_LEAST, _MOST)
    )
    zero = panel.y(0)
    yield (
        f'<rect x="{panel.left}" y="{zero}" width="{panel.right - panel.left}" '
        f'height="{panel.bottom - zero}" fill="#f5f7fa"/>'
    )
    yield from _axes(panel, range(0, 4001, 1000), range(-2000, 2001, 500), "node timeout (ms)")
    yield f'<text class="title" x="{panel.left}" y="52">One cut: the window in ms</text>'
    yield f'<text class="small" x="{panel.left + 10}" y="{panel.bottom - 12}">below 0: for so long nobody took writes</text>'  # noqa: E501
    for side, (kind, colour) in enumerate(_COLOURS.items()):
        for notice, style in ((0, ""), (SERVERS_NOTICE_MS, "servers")):
            points = [
                (nt, float(bound(Setting(
                    node_timeout=nt, election_delay=_DELAYS[kind], notice=notice))))
                for nt in range(0, _LONGEST_NT, 20)
            ]  # fmt: skip
            yield _line(panel, points, colour, style)
        for row in measured:
            plain = not (row["paused"] or row["delay"] or row["slow"])
            if _kind(row) == kind and plain:
                ours = _is_ours(row)
                x = panel.x(row["node_timeout"] + (side * 2 - 1) * (110 if ours else 40))
                yield _measured_at(x, panel.y(max(row["window"], _LEAST)), colour, ours=ours)
        for row in found:
            plain = not row["delay"] and not row["drift"]
            if plain and row["dialect"].startswith(kind):
                yield _found_at(panel.x(row["node_timeout"]), panel.y(row["longest"]), colour)


@attrs.frozen(kw_only=True)
class Thing:
    """Something that makes a window longer, and how much of it there was in each row."""

    title: str
    label: str
    found_at: int  # the node timeout
    found: list[tuple[float, Row]]
    measured: list[tuple[float, Row]]
    setting: Callable[[float], Setting]  # of what was measured
    most: float
    marks: range
    high: int


def _by_one_thing(thing: Thing, top: int) -> Iterator[str]:
    panel = Panel(
        left=760, right=1040, top=top + 8, bottom=top + 134, across=(0, thing.most),
        up=(_LEAST_OF_ONE, thing.high),
    )  # fmt: skip
    colour = _COLOURS["valkey"]
    yield f'<text class="title" x="{panel.left - 40}" y="{top - 21}">{escape(thing.title)}</text>'
    told = f"found: NT {thing.found_at} · measured, and bound of servers: NT {_MEASURED_NT}"
    yield f'<text class="small" x="{panel.left - 40}" y="{top - 3}">{told}</text>'
    yield from _axes(panel, thing.marks, range(_LEAST_OF_ONE, thing.high + 1, 500), thing.label)
    points = sorted((at, float(row["bound"])) for at, row in thing.found)
    yield _line(panel, points, colour, "")
    steps = [thing.most * part / 50 for part in range(48)]
    yield _line(panel, [(at, float(bound(thing.setting(at)))) for at in steps], colour, "servers")
    for at, row in thing.measured:
        y = panel.y(max(row["window"], _LEAST_OF_ONE))
        yield _measured_at(panel.x(at), y, colour, ours=_is_ours(row))
    for at, row in thing.found:
        yield _found_at(panel.x(at), panel.y(row["longest"]), colour)


def _late(found: list[Row], measured: list[Row]) -> Thing:
    return Thing(
        title="Late messages",
        found_at=200,
        label="delay (ms)",
        found=[(row["delay"], row) for row in found if row["node_timeout"] == 200],
        measured=[(row["delay"], row) for row in measured if not row["slow"]],
        setting=lambda at: _of_servers(delay=round(at)),
        most=430,
        marks=range(0, 401, 100),
        high=1500,
    )


def _slow(found: list[Row], measured: list[Row]) -> Thing:
    true = [row for row in found if row["node_timeout"] == 400 and row["dialect"] == "valkey-9.1"]
    return Thing(
        title="Slow old master",
        found_at=400,
        label="its clock is slow by (%)",
        found=[(100 / row["drift"] if row["drift"] else 0, row) for row in true],
        measured=[(100 * row["slow"], row) for row in measured if not row["delay"]],
        setting=lambda at: _of_servers(missed=round(at), missed_in=100 if round(at) else 0),
        most=53,
        marks=range(0, 51, 10),
        high=2500,
    )


def _of_servers(**more: int) -> Setting:
    return Setting(node_timeout=_MEASURED_NT, election_delay=0, notice=SERVERS_NOTICE_MS, **more)


def _legend() -> Iterator[str]:
    x = 74
    y = _HEIGHT - 18
    for kind, colour in _COLOURS.items():
        yield f'<rect x="{x}" y="{y - 11}" width="12" height="12" fill="{colour}"/>'
        yield f'<text x="{x + 18}" y="{y}">{_NAMES[kind]}</text>'
        x += 110
    line = f'x1="{x}" x2="{x + 30}" y1="{y - 4}" y2="{y - 4}" stroke="#52606d" stroke-width="2"'
    yield f'<line {line}/><text x="{x + 38}" y="{y}">bound</text>'
    x += 96
    line = f'x1="{x}" x2="{x + 30}" y1="{y - 4}" y2="{y - 4}" stroke="#52606d" stroke-width="2"'
    yield f'<line {line} stroke-dasharray="7 4"/><text x="{x + 38}" y="{y}">of servers</text>'
    x += 124
    yield _found_at(x, y - 5, "#52606d") + f'<text x="{x + 12}" y="{y}">longest found</text>'
    x += 126
    yield _measured_at(x, y - 5, "#52606d") + f'<text x="{x + 12}" y="{y}">measured, servers</text>'
    x += 150
    yield (
        _measured_at(x, y - 5, "#52606d", ours=True)
        + f'<text x="{x + 12}" y="{y}">measured, slotproof</text>'
    )


def picture(found: list[Row], measured: list[Row]) -> str:
    """The SVG document."""
    at_one = [
        row
        for row in measured
        if _kind(row) == "valkey" and row["node_timeout"] == _MEASURED_NT and not row["paused"]
    ]
    size = f'width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}>',
        "<title>How long an old master and its successor both take writes</title>",
        f"<style>{_STYLE}</style>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        *_by_node_timeout(found, measured),
        *_by_one_thing(_late(found, at_one), 90),
        *_by_one_thing(_slow(found, at_one), 330),
        *_legend(),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def main() -> None:
    """The picture is drawn."""
    if sys.argv[1:] == ["--search"]:
        (HERE / "found.json").write_text(json.dumps(search(), indent=1) + "\n")
    elif sys.argv[1:]:
        sys.exit("usage: python -m tests.timing.picture [--search]")
    rows = [json.loads((HERE / name).read_text()) for name in ("found.json", "measured.json")]
    PICTURE.write_text(picture(*rows))


if __name__ == "__main__":
    main()
