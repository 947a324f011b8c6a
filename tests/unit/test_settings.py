"""What an operator configures, and that each of it changes what a node does.

Clauses: CS-4, RD-5, RD-13, RM-2, RM-5, SM-11.
"""

from collections.abc import Callable
from typing import Final

import attrs
import pytest

from reference.core.cluster_state import why_down
from reference.core.events import ClusterSetslotNode
from reference.core.redirection import SERVE, Asked, decide
from reference.core.replica_migration import why_not_spared
from reference.core.settings import DEFAULT_SETTINGS, Settings
from reference.core.state import ClusterState
from reference.core.step import step
from tests.builders import A1, A, B, view


def _serves_when_down(state: ClusterState, *, sharded_pubsub: bool) -> bool:
    asked = Asked(slots=[0], writes=False, sharded_pubsub=sharded_pubsub)
    return decide(state, asked, state_ok=False) == SERVE


def _spares_a_replica(settings: Settings) -> bool:
    partial = attrs.evolve(settings, require_full_coverage=False)
    return why_not_spared(attrs.evolve(view(A1, replicas=2), settings=partial)) is None


def _follows_its_last_slot(settings: Settings) -> bool:
    state = attrs.evolve(view(A, replicas=0), settings=settings)
    return step(state, ClusterSetslotNode(slot=0, node=B))[0].myself.replicaof == B


def _view(settings: Settings) -> ClusterState:
    return attrs.evolve(view(A), settings=settings)


DECISIONS: Final[list[tuple[Settings, Callable[[Settings], bool]]]] = [
    (Settings(allow_replica_migration=False), _spares_a_replica),
    (Settings(allow_replica_migration=False), _follows_its_last_slot),
    (Settings(migration_barrier=2), _spares_a_replica),
    (Settings(require_full_coverage=False), lambda s: why_down(_view(s)) is not None),
    (
        Settings(allow_reads_when_down=True),
        lambda s: not _serves_when_down(_view(s), sharded_pubsub=False),
    ),
    (
        Settings(allow_pubsubshard_when_down=False),
        lambda s: _serves_when_down(_view(s), sharded_pubsub=True),
    ),
]


@pytest.mark.parametrize(("settings", "holds"), DECISIONS)
def test_each_setting_changes_what_holds_by_default(
    settings: Settings, holds: Callable[[Settings], bool]
) -> None:
    assert holds(DEFAULT_SETTINGS)
    assert not holds(settings)


def test_no_setting_is_left_out() -> None:
    changed = {
        name
        for settings, _ in DECISIONS
        for name, value in attrs.asdict(settings).items()
        if value != getattr(DEFAULT_SETTINGS, name)
    }

    assert changed == {field.name for field in attrs.fields(Settings)}
