"""Any atomic slot migration in any state takes any event.

Clauses: MO-1, MO-7, SM-28.
"""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reference.core.effects import (
    EndMigration,
)
from reference.core.events import (
    ClusterCancelSlotMigrations,
    ClusterDelSlots,
    ClusterFailover,
    ClusterMigrateSlots,
    DatasetFlushed,
    DatasetReplaced,
    Event,
    FailoverOption,
    MigrationBroken,
    MigrationCaughtUp,
    MigrationConnected,
    MigrationEstablished,
    MigrationPauseOver,
    MigrationRequest,
    MigrationSilent,
    SnapshotSent,
    SyncSlotsFromMaster,
    SyncSlotsReceived,
)
from reference.core.messages import (
    SyncSlots,
    SyncSlotsCall,
    SyncSlotsEstablish,
    SyncSlotsFinish,
)
from reference.core.migration_jobs import (
    MigrationOutcome,
    MigrationStage,
    SlotMigration,
)
from reference.core.rules import DIALECTS
from reference.core.slots import SlotSet
from reference.core.step import step
from reference.core.types import NodeId, Role
from tests.builders import A1, A, B, C, change, slots, view
from tests.slot_migrations import (
    ONE,
    TWO,
    with_jobs,
)

names = st.sampled_from([ONE, TWO])
node_ids = st.sampled_from([A, B, C, A1, NodeId("x")])
moved_slots = st.builds(SlotSet, st.integers(0, 31))
jobs_of_any_kind = st.lists(
    st.builds(
        SlotMigration,
        name=names,
        slots=moved_slots,
        source=node_ids,
        target=node_ids,
        stage=st.sampled_from(MigrationStage),
    ),
    max_size=2,
    unique_by=lambda each: each.name,
).map(tuple)
establishes = st.builds(SyncSlotsEstablish, name=names, source=node_ids, slots=moved_slots)
migration_events: st.SearchStrategy[Event] = st.one_of(
    st.builds(
        ClusterMigrateSlots,
        requests=st.lists(
            st.builds(MigrationRequest, slots=moved_slots, target=node_ids, name=names), max_size=2
        ).map(tuple),
    ),
    st.just(ClusterCancelSlotMigrations()),
    *(
        st.builds(kind, name=names)
        for kind in (
            MigrationConnected,
            MigrationEstablished,
            SnapshotSent,
            MigrationCaughtUp,
            MigrationSilent,
        )
    ),
    st.builds(MigrationBroken, name=names, reason=st.just("x")),
    st.builds(MigrationPauseOver, name=names, granted=st.booleans()),
    st.builds(
        SyncSlotsReceived,
        message=establishes | st.builds(SyncSlots, name=names, call=st.sampled_from(SyncSlotsCall)),
    ),
    st.builds(
        SyncSlotsFromMaster,
        message=establishes
        | st.builds(SyncSlotsFinish, name=names, outcome=st.sampled_from(MigrationOutcome)),
    ),
    st.sampled_from([DatasetFlushed(), DatasetReplaced(), ClusterDelSlots(slots=slots(0))]),
    st.builds(
        ClusterFailover, option=st.sampled_from(FailoverOption), master_link_up=st.booleans()
    ),
)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([A, A1, B, C]),
    st.sampled_from([*DIALECTS.values()]),
    jobs_of_any_kind,
    migration_events,
)
def test_any_job_in_any_state_takes_any_event(
    me: NodeId, rules: Any, jobs: tuple[SlotMigration, ...], event: Event
) -> None:
    state = with_jobs(change(view(me, rules=rules), A, slots=slots(0, 4)), *jobs)

    once, effects = step(state, event)
    twice, _ = step(state, event)

    assert once == twice
    assert (once is state) is (once == state)
    known = {each.name for each in once.slot_migrations}
    over = [each.job.name for each in effects if isinstance(each, EndMigration)]
    assert len(over) == len(set(over))
    assert not known & set(over)
    owners = [node.node_id for node in once.nodes if 0 in node.slots]
    assert len(owners) <= 1
    assert all(once.nodes[name].role is not Role.REPLICA or name == me for name in owners)
