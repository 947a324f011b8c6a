"""A slot that was imported by hand, and a replica of its old owner that has not heard of it."""

from typing import Final

import attrs

from model_check.models.cluster import Process
from model_check.models.model import Expected
from model_check.models.properties import some_node
from model_check.models.resharding import IMPORT_AND_ELECTION
from model_check.properties import StepProperty
from reference.core.state import ClusterState


def _has_imported(state: ClusterState) -> bool:
    return state.myself_id == "B" and 0 in state.myself.slots


def _keeps(process: int, before: Process, after: Process) -> bool:
    del process
    if before.state is None or after.state is None:
        return True
    return not _has_imported(before.state) or _has_imported(after.state)


IMPORT_STAYS: Final = attrs.evolve(
    IMPORT_AND_ELECTION,
    name="import-stays",
    text="as import-election: the importer, which alone has the keys, is to keep the slot",
    properties=(
        StepProperty(
            id="SM-P1",
            clause="SM-P1",
            text="a slot that an importer was told it owns is not taken from it again",
            judge=_keeps,
        ),
        some_node("SM-P1:witness", "the importer takes the slot", _has_imported),
    ),
    clauses=("SM-6", "EP-11", "SC-33"),
    expected=(
        Expected(
            property_id="SM-P1",
            dialects=("redis-7.0", "redis-8.0"),
            told="F-6, redis#1547",
            clause="EP-11",
        ),
    ),
)
