"""The table of faults by leg, as spec/legs.md has it."""

from collections.abc import Iterator, Mapping
from typing import Final

from model_check.legs.faults import FAULTS, LEGS, Fault
from model_check.legs.ways import RULES, NotModelled, Way

Found = Mapping[str, Mapping[str, str]]
"""What each leg says of each fault."""

_HEAD: Final = f"""\
# Faults by leg

Faults seeded in the rules, and which leg of the argument notices: `slotproof check` by a story in
a model of the core, `slotproof prove` by a part of the invariant that an action breaks, TLC by a
configuration of [tla](tla/README.md) in which an invariant must fail. The rules are those of
`{RULES.dialect}`; a fault is a switch that is turned off, or something that every release does or
the proof assumes not to happen. What stands here was found when the page was last written:
`slotproof legs` seeds all faults again, `slotproof legs --markdown spec/legs.md` writes the page.
Each leg that models a fault notices it; where one does not model it, the reason stands in its
place.
"""


def way_of(fault: Fault, leg: str) -> Way:
    """How the leg looks for the fault."""
    way: Way = getattr(fault, leg)
    return way


def page(found: Found) -> str:
    """The whole page."""
    return "\n".join([_HEAD, *_table(found), "", "## How to see each", "", *_commands(), ""])


def _table(found: Found) -> Iterator[str]:
    yield "| fault | what it does | `slotproof check` | `slotproof prove` | TLC |"
    yield "|-|-|-|-|-|"
    for fault in FAULTS.values():
        cells = " | ".join(found[fault.name][leg] for leg in LEGS)
        yield f"| `{fault.name}` | {fault.text} | {cells} |"


def _commands() -> Iterator[str]:
    for fault in FAULTS.values():
        ways = [way_of(fault, leg) for leg in LEGS]
        told = [f"`{each.command}`" for each in ways if not isinstance(each, NotModelled)]
        yield f"- `{fault.name}`: {', '.join(told)}"


def cells_of(text: str) -> dict[str, dict[str, str]]:
    """What a page says that each leg found, by fault."""
    rows = [line.strip("|").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    return {
        row[0].strip().strip("`"): {
            leg: cell.strip() for leg, cell in zip(LEGS, row[2:], strict=True)
        }
        for row in rows
    }
