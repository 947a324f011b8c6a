"""When a node may call the cluster ok again: after its start, and after a partition."""

from typing import Final

import attrs

from reference.clauses import clause
from reference.core.cluster_state import WhyDown, is_minority, why_down
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
    seen: "Seen | None" = attrs.field(default=None, eq=False, repr=False)  # at the last evaluation


@attrs.frozen
class Seen:
    """What a state says, which is asked more often than it changes."""

    state: ClusterState
    reason: WhyDown | None
    minority: bool


def _look(state: ClusterState, before: Seen | None) -> Seen:
    if before is not None and before.state is state:
        return before
    return Seen(state, why_down(state), is_minority(state))


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
    seen, is_master = _look(state, availability.seen), state.myself.is_master
    started = now - availability.began >= writable_delay
    minority_at = now if seen.minority else availability.minority_at
    if seen.reason is not None:
        serving = False
    elif availability.serving or not is_master:
        serving = True
    else:
        rejoin = min(max(node_timeout, _SHORTEST_REJOIN_MS), _LONGEST_REJOIN_MS)
        rejoined = minority_at is None or now - minority_at >= rejoin
        serving = started and rejoined
    return Availability(
        began=availability.began,
        serving=serving,
        minority_at=minority_at,
        newcomer=availability.newcomer and is_master and not started,
        seen=seen,
    )
