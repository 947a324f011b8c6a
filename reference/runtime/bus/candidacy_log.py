"""What the log says of a replica that is to stand for election."""

import logging

from reference.clauses import clause
from reference.core.state import ClusterState
from reference.pacing.elections import goes_first
from reference.pacing.pace import Pace


@clause("RT-9")
def tell_of_candidacy(
    log: "logging.LoggerAdapter[logging.Logger]",
    before: Pace,
    after: Pace,
    state: ClusterState,
    now: int,
) -> None:
    """The log says when the replica is to stand, and which rank it has, if that is news.

    So it does if it need not wait, where the best does not.

    Counterpart: `clusterHandleReplicaFailover`.
    """
    old, new = before.candidacy, after.candidacy
    if new is None or new is old or new.sent:
        return
    first = new.auth_time <= max(now, new.earliest) and goes_first(after, state, new)
    if old is None or old.sent or new.earliest != old.earliest:
        if first:
            log.info("This is the best ranked replica and can initiate the election immediately.")
        shards = f"primary rank #{new.failed_master_rank}, "
        log.info(
            "Start of election delayed for %d milliseconds (rank #%d, %soffset %d).",
            max(new.auth_time - now, 0),
            new.rank,
            shards if after.habits.failed_masters_take_turns else "",
            after.repl_offset,
        )
    elif first and new.auth_time < old.auth_time:
        log.info("Myself become the best ranked replica, initiate the election immediately.")
    elif new.rank != old.rank:
        log.info(
            "Replica rank updated to #%d, added %d milliseconds of delay.",
            new.rank,
            new.auth_time - old.auth_time,
        )
