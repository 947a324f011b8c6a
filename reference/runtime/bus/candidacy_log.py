"""What the log says of a replica that is to stand for election."""

import logging

from reference.clauses import clause
from reference.pacing.pace import Pace


@clause("RT-9")
def tell_of_candidacy(
    log: "logging.LoggerAdapter[logging.Logger]", before: Pace, after: Pace, now: int
) -> None:
    """The log says when the replica is to stand, and which rank it has, if that is news.

    Counterpart: `clusterHandleReplicaFailover`.
    """
    old, new = before.candidacy, after.candidacy
    if new is None or new is old or new.sent:
        return
    if old is None or old.sent or new.earliest != old.earliest:
        shards = f"primary rank #{new.failed_master_rank}, "
        log.info(
            "Start of election delayed for %d milliseconds (rank #%d, %soffset %d).",
            max(new.auth_time - now, 0),
            new.rank,
            shards if after.habits.failed_masters_take_turns else "",
            after.repl_offset,
        )
    elif new.rank != old.rank:
        log.info(
            "Replica rank updated to #%d, added %d milliseconds of delay.",
            new.rank,
            new.auth_time - old.auth_time,
        )
