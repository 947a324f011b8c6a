"""Where in the repository a clause is written, and which functions a story goes through."""

from typing import Any

import attrs

from model_check.applied import Rule, applied
from model_check.reasons import clauses
from model_check.system import System
from model_check.trace import Trace


@attrs.frozen
class Place:
    """A line of a file, given from the root of the repository."""

    file: str
    line: int


def place_of_clause(clause_id: str) -> Place:
    """Where its heading stands.

    Raises KeyError if the specification has no such clause: every property of a model names one.
    """
    clause = clauses()[clause_id]
    return Place(f"spec/{clause.chapter}", clause.line)


def place_of_rule(rule: Rule) -> Place:
    """Where the function is defined."""
    file, _, line = rule.place.rpartition(":")
    return Place(file, int(line))


def rules_of_story(system: System[Any, Any, Any], trace: Trace) -> list[list[Rule]]:
    """For each step of the story the rules that told or changed something themselves, in order."""
    return [
        list(
            dict.fromkeys(each.rule for each in applied(system, step) if each.told or each.changed)
        )
        for step in trace.steps
    ]
