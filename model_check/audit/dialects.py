"""What the dialects do, as spec/dialects.md says it: a second source beside the core's own table.

A check judges steps by this. So a switch that was turned in the core shows in the steps that it
changes, and not only in the tests that compare both tables.
"""

import re
from functools import cache
from typing import Any, Final

import attrs

from reference.core.rules import SWITCHES, Rules
from reference.spec.chapters import SPEC

_FILE: Final = "dialects.md"
_CELL: Final = re.compile(r"`(\w+)`")


def declared(rules: Rules) -> Rules:
    """These rules with every switch as the table has it; as they are if it has no such dialect."""
    said = _table().get(rules.dialect)
    return rules if said is None else _with(rules, said)


@cache
def _with(rules: Rules, said: frozenset[str]) -> Rules:
    on: dict[str, Any] = {name: name in said for name in SWITCHES}
    return attrs.evolve(rules, **on)


@cache
def _table() -> dict[str, frozenset[str]]:
    """For each dialect the switches that are on; nothing without the file."""
    path = SPEC / _FILE
    if not path.is_file():
        return {}
    rows = [
        [cell.strip() for cell in line.strip("|\n").split("|")]
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith("| ")
    ]
    head, *switches = rows
    return {
        dialect: frozenset(
            match[1] for row in switches if row[at] == "on" and (match := _CELL.match(row[0]))
        )
        for at, dialect in enumerate(head)
        if at > 2
    }
