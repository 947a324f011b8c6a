"""What a stage of an atomic slot migration says of the job.

Clauses: SM-26, SM-27, SM-31.
"""

import pytest

from reference.core.migration_jobs import MigrationStage
from tests.slot_migrations import SOURCE_STAGES, TARGET_STAGES, job


@pytest.mark.parametrize("stage", MigrationStage)
def test_each_stage_belongs_to_one_role(stage: MigrationStage) -> None:
    each = job(stage)

    assert [each.is_export, each.is_import, each.is_tracked].count(True) == 1
    assert each.is_export is (stage in SOURCE_STAGES)
    assert each.is_import is (stage in TARGET_STAGES)


def test_clients_wait_from_the_pause_on_and_a_grant_is_its_last_part() -> None:
    holding = [stage for stage in MigrationStage if job(stage).holds_writes]

    assert holding == [MigrationStage.FAILOVER_PAUSED, MigrationStage.FAILOVER_GRANTED]
    assert [stage for stage in MigrationStage if job(stage).is_granted] == holding[1:]


def test_stages_have_the_names_that_the_server_shows() -> None:
    assert {stage.value for stage in MigrationStage} == {
        "connecting",
        "reading-establish-response",
        "snapshotting",
        "replicating",
        "waiting-to-pause",
        "failover-paused",
        "failover-granted",
        "waiting-for-ack",
        "receiving-snapshot",
        "waiting-for-paused",
        "failover-requested",
        "occurring-on-primary",
    }
