"""Whether the cluster serves clients, as this node sees it, and the numbers CLUSTER INFO gives."""

from enum import Enum

import attrs

from reference.clauses import clause
from reference.core.nodes import ClusterNode
from reference.core.slots import SlotSet
from reference.core.state import ClusterState
from reference.core.types import SLOT_COUNT, Health


class WhyDown(Enum):
    """Why a node takes the cluster to be down (`CLUSTER_FAIL`)."""

    SLOT_UNASSIGNED = "a slot has no owner"
    OWNER_FAILED = "the owner of a slot is in FAIL"
    MINORITY = "too few masters with slots can be reached"


@attrs.frozen(kw_only=True, cache_hash=True)
class SlotCounts:
    """How many slots have an owner, and in which health their owners are."""

    assigned: int
    ok: int
    pfail: int
    fail: int


def _slots_in(state: ClusterState, health: Health) -> SlotSet:
    found = 0
    for node in state.nodes:
        if node.health is health:
            found |= node.slots.bitmap
    return SlotSet(found)


def _is_reachable(node: ClusterNode) -> bool:
    return node.is_voting_master and node.health is Health.OK


@clause("CS-1", "CS-2")
def why_not_covered(state: ClusterState, slot_count: int = SLOT_COUNT) -> WhyDown | None:
    """Why not every slot has an owner that may be alive, None if each has one.

    An owner in PFAIL counts as alive. Counterpart: `clusterUpdateState`.
    """
    alive = _slots_in(state, Health.OK) | _slots_in(state, Health.PFAIL)
    missing = SlotSet.between(0, slot_count - 1) - alive
    if not missing:
        return None
    failed = _slots_in(state, Health.FAIL)
    return WhyDown.OWNER_FAILED if not missing - failed else WhyDown.SLOT_UNASSIGNED


@clause("CS-3")
def is_minority(state: ClusterState) -> bool:
    """Whether too few masters with slots can be reached for this node to be sure of its place.

    Counterpart: `clusterUpdateState`.
    """
    return sum(_is_reachable(node) for node in state.nodes) < state.needed_quorum


@clause("CS-3", "CS-4")
def why_down(
    state: ClusterState,
    *,
    slot_count: int = SLOT_COUNT,
    require_full_coverage: bool | None = None,
) -> WhyDown | None:
    """Why this node takes the cluster to be down, None if it is ok.

    Full coverage is asked for as the node's settings say, unless it is said here. The delays after
    a start and after a partition are not looked at. Counterpart: `clusterUpdateState`.
    """
    if require_full_coverage is None:
        require_full_coverage = state.settings.require_full_coverage
    if require_full_coverage:
        uncovered = why_not_covered(state, slot_count)
        if uncovered is not None:
            return uncovered
    return WhyDown.MINORITY if is_minority(state) else None


@clause("CS-5")
def count_slots(state: ClusterState) -> SlotCounts:
    """The slots with an owner, by the owner's health. Counterpart: `genClusterInfoString`."""
    ok, pfail, fail = (len(_slots_in(state, health)) for health in Health)
    return SlotCounts(assigned=ok + pfail + fail, ok=ok, pfail=pfail, fail=fail)
