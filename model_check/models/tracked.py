"""A replica is told in its master's stream which slots the master imports, and how that ends."""

from collections.abc import Iterable
from typing import Final

from typing_extensions import override

from model_check.models.cluster import ModelEvent, Process, Scope
from model_check.models.model import Model
from model_check.models.properties import some_node
from model_check.models.silent import SilentSystem
from model_check.models.start import agreed, master, replica
from model_check.properties import StepProperty
from model_check.system import Move
from reference.core.events import SyncSlotsFromMaster
from reference.core.messages import SyncSlotsEstablish, SyncSlotsFinish
from reference.core.migration_ends import find_job
from reference.core.migration_jobs import JobName, MigrationOutcome
from reference.core.rules import Rules
from reference.core.slots import SlotSet
from reference.core.state import ClusterState
from reference.core.types import NodeId

_JOB: Final = JobName("job")
_MOVED: Final = SlotSet.of([0])
_TOLD: Final[tuple[SyncSlotsEstablish | SyncSlotsFinish, ...]] = (
    SyncSlotsEstablish(name=_JOB, source=NodeId("A"), slots=_MOVED),
    *(
        SyncSlotsFinish(name=_JOB, outcome=outcome)
        for outcome in (MigrationOutcome.SUCCESS, MigrationOutcome.FAILED)
    ),
)


class ToldSystem(SilentSystem):
    """What stands in the stream of D comes to its replica E at any moment, twice or too late."""

    @override
    def moves(self, process: int, state: Process) -> Iterable[Move[ModelEvent]]:
        yield from super().moves(process, state)
        if state.state is not None and state.state.myself.replicaof == "D":
            yield from (Move(SyncSlotsFromMaster(message=message)) for message in _TOLD)


def _scope(rules: Rules) -> Scope:
    nodes = agreed(rules, master("A", 0, epoch=1), master("D", 1, epoch=2), replica("E", of="D"))
    return Scope(nodes=nodes, system=ToldSystem)


def _tracks(state: ClusterState) -> bool:
    return state.myself_id == "E" and find_job(state, _JOB) is not None


def _only_looks_on(process: int, before: Process, after: Process) -> bool:
    """Of its master's import a replica has no slots, and does nothing for it."""
    del process, before
    if after.state is None or not _tracks(after.state):
        return True
    (job,) = after.state.slot_migrations
    owner = after.state.owner(0)
    return job.is_tracked and job.target == "D" and owner is not None and owner.node_id == "A"


TRACKED: Final = Model(
    name="tracked",
    text="E, a replica of D, is told that D imports a slot of A, and how that ended",
    scope=_scope,
    properties=(
        StepProperty(
            id="SM-31",
            clause="SM-31",
            text="a replica that knows of its master's import looks on, and moves no slot",
            judge=_only_looks_on,
        ),
        some_node("SM-31:witness", "a replica knows what its master imports", _tracks),
    ),
    links="held(0)",
    clauses=("SM-31",),
    happens=(SyncSlotsFromMaster,),
    dialects=("valkey-9.1", "strict"),
)
