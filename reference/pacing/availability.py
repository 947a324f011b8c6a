"""When a node may call the cluster ok again: after its start, and after a partition."""

from typing import Final

import attrs

from reference.clauses import clause
from reference.core.cluster_state import WhyDown, why_down
from reference.core.state import ClusterState

WRITABLE_DELAY_MS: Final = 2000
"""How long a master that has just started stays in the state fail (`CLUSTER_WRITABLE_DELAY`)."""

_SHORTEST_REJOIN_MS: Final = 500
_LONGEST_REJOIN_MS: Final = 5000


@attrs.frozen(kw_only=True)
class Availability:
    """Whether this node serves clients, and the instants that decide on it (`cluster->state`)."""

    began: int  # the first evaluation
    serving: bool = False
    minority_at: int | None = None  # when it last saw too few masters
    newcomer: bool = True  # a master that has not been there for long enough (`safe_to_join`)


@clause("PA-22", "PA-23", "PA-32")
def judge(
    availability: Availability,
    state: ClusterState,
    *,
    now: int,
    node_timeout: int,
    writable_delay: int = WRITABLE_DELAY_MS,
) -> Availability:
    """The node serves if nothing speaks against it, and has not for a while if it is a master.

    A master that returns waits, so that the others' news reaches it before its clients do.
    Counterpart: `clusterUpdateState`.
    """
    reason = why_down(state)
    started = now - availability.began >= writable_delay
    if started or not state.myself.is_master:
        availability = attrs.evolve(availability, newcomer=False)
    if why_down(state, require_full_coverage=False) is WhyDown.MINORITY:
        availability = attrs.evolve(availability, minority_at=now)
    if reason is not None:
        return attrs.evolve(availability, serving=False)
    if availability.serving or not state.myself.is_master:
        return attrs.evolve(availability, serving=True)
    minority_at = availability.minority_at
    rejoin = min(max(node_timeout, _SHORTEST_REJOIN_MS), _LONGEST_REJOIN_MS)
    rejoined = minority_at is None or now - minority_at >= rejoin
    return attrs.evolve(availability, serving=started and rejoined)
