"""How far a replica's data goes and how old it is: the driver tells, elections ask."""

import attrs

from reference.clauses import clause
from reference.core.events import ElectionDue
from reference.core.state import ClusterState
from reference.pacing.elections import schedule_election
from reference.pacing.pace import MasterLink, Pace


@clause("PA-26")
def never_heard_master(pace: Pace) -> Pace:
    """The replica has no data of its master yet, and may never have had any.

    A driver that copies no data at all does not call this: then nothing is too old. Counterpart:
    `server.repl_down_since` of 0.
    """
    return attrs.evolve(pace, master_link=MasterLink(up=False, since=None))


@clause("PA-26")
def hear_master(pace: Pace, now: int) -> Pace:
    """The replica has just had something from its master on the link for its data.

    Counterpart: `server.master->lastinteraction`.
    """
    return attrs.evolve(pace, master_link=MasterLink(up=True, since=now))


@clause("PA-26")
def lose_master(pace: Pace, now: int) -> Pace:
    """The link for the data is down since now, unless it was down already.

    Counterpart: `replicationHandleMasterDisconnection`.
    """
    if pace.master_link is None or not pace.master_link.up:
        return pace
    return attrs.evolve(pace, master_link=MasterLink(up=False, since=now))


@clause("PA-26")
def data_too_old(pace: Pace, now: int) -> bool:
    """Whether the replica was without its master for so long that it must not stand.

    The first node timeout is not counted: the master had to be silent for that long to be in FAIL.
    Counterpart: `clusterHandleReplicaFailover`.
    """
    link, directives = pace.master_link, pace.directives
    if link is None or not directives.replica_validity_factor:
        return False
    if link.since is None:
        return True
    age = now - link.since
    if age > pace.node_timeout:
        age -= pace.node_timeout
    longest = pace.node_timeout * directives.replica_validity_factor
    return age > longest + directives.repl_ping_period


@clause("PA-12")
def advance_offset(pace: Pace, state: ClusterState, offset: int, *, now: int, entropy: int) -> Pace:
    """The node's own replication offset is this; a rank that it changes moves the election.

    Counterpart: `replicationGetReplicaOffset`.
    """
    if pace.repl_offset == offset:
        return pace
    pace = attrs.evolve(pace, repl_offset=offset)
    if ElectionDue() in pace.pending:
        return schedule_election(pace, state, now, entropy)
    return pace
