--------------------------- MODULE MCRedisCluster ---------------------------
(***************************************************************************)
(* The bounds with which TLC explores RedisCluster, the same as those with *)
(* which `slotproof check` explores the core:                              *)
(*                                                                         *)
(*  - budgets, used up by the steps they pay for: elections that replicas  *)
(*    start, crashes of each node, commands that are given once each;      *)
(*  - who may suspect whom, and who sends heartbeats to whom;              *)
(*  - Room: at most Capacity messages on their way at a time.  A step      *)
(*    after which there were more cannot be made.  This loses behaviours   *)
(*    with longer queues, and no others.                                   *)
(*  - MCView: the file of a node that runs and may not crash any more is   *)
(*    never read again, so states that differ in it alone are one state.   *)
(*                                                                         *)
(* A scope, MC_*.tla, says how a cluster starts.  Its .cfg says how much   *)
(* may happen, the dialect, and which rules are turned off.                *)
(***************************************************************************)
EXTENDS RedisCluster, Dialects

CONSTANTS
  Dialect,    \* "redis-7.0", "redis-8.0", "valkey-8.1", "valkey-9.1", "strict"
  Off,        \* names of switches that are turned off
  Elections,  \* how many elections may be started
  Crashes,    \* Crashes[n]: how often n may crash
  Commands,   \* a set of [at, command], each to be given once
  Suspects,   \* a set of <<n, x>>: n may wait in vain for x
  Talk,       \* a set of <<n, x>>: n sends heartbeats to x
  Capacity    \* of the network

VARIABLES
  elections,  \* elections left
  crashes,    \* crashes[n]: crashes left
  commands    \* commands left

budgets == <<elections, crashes, commands>>

RECURSIVE Without(_, _)
Without(rules, off) ==
  IF off = {} THEN rules
  ELSE LET r == CHOOSE x \in off : TRUE
       IN Without([rules EXCEPT ![r] = FALSE], off \ {r})
MCRules == Without(DialectNamed(Dialect), Off)

\* The names that scopes use, in the order of their CRC-32
MCTag == [n \in {"A", "B", "C", "D", "E", "F"} |->
  CASE n = "C" -> 1 [] n = "B" -> 2 [] n = "F" -> 3 [] n = "D" -> 4 [] n = "A" -> 5 [] n = "E" -> 6]

-----------------------------------------------------------------------------
MCInit == Init /\ elections = Elections /\ crashes = Crashes /\ commands = Commands

MCHeartbeatDue(n, peer) ==
  <<n, peer>> \in Talk /\ HeartbeatDue(n, peer) /\ UNCHANGED budgets
MCPongOverdue(n, peer) ==
  <<n, peer>> \in Suspects /\ PongOverdue(n, peer) /\ UNCHANGED budgets
MCReportExpired(n, subject, reporter) ==
  ReportExpired(n, subject, reporter) /\ UNCHANGED budgets
MCFailUndoAllowed(n, peer) == FailUndoAllowed(n, peer) /\ UNCHANGED budgets
MCElectionDue(n) ==
  /\ elections > 0 /\ ElectionDue(n)
  /\ elections' = elections - 1 /\ UNCHANGED <<crashes, commands>>
MCElectionExpired(n) == ElectionExpired(n) /\ UNCHANGED budgets
MCClusterSetslot ==
  \E given \in commands :
    /\ ClusterSetslot(given.at, given.command)
    /\ commands' = commands \ {given} /\ UNCHANGED <<elections, crashes>>
MCCrash(n) ==
  /\ crashes[n] > 0 /\ Crash(n)
  /\ crashes' = [crashes EXCEPT ![n] = @ - 1] /\ UNCHANGED <<elections, commands>>
MCRestart(n) == Restart(n) /\ UNCHANGED budgets
MCFlush(n) == Flush(n) /\ UNCHANGED budgets
MCReceivePong == ReceivePong /\ UNCHANGED budgets
MCReceiveUpdate == ReceiveUpdate /\ UNCHANGED budgets
MCReceiveFail == ReceiveFail /\ UNCHANGED budgets
MCReceiveFailoverAuthRequest == ReceiveFailoverAuthRequest /\ UNCHANGED budgets
MCReceiveFailoverAuthAck == ReceiveFailoverAuthAck /\ UNCHANGED budgets
MCReceiveStreamed == ReceiveStreamed /\ UNCHANGED budgets
MCReceiveExecuted == ReceiveExecuted /\ UNCHANGED budgets

MCNext ==
  \/ \E n, peer \in Node : MCHeartbeatDue(n, peer)
  \/ \E n, peer \in Node : MCPongOverdue(n, peer)
  \/ \E n, subject, reporter \in Node : MCReportExpired(n, subject, reporter)
  \/ \E n, peer \in Node : MCFailUndoAllowed(n, peer)
  \/ \E n \in Node : MCElectionDue(n)
  \/ \E n \in Node : MCElectionExpired(n)
  \/ MCClusterSetslot
  \/ \E n \in Node : MCCrash(n)
  \/ \E n \in Node : MCRestart(n)
  \/ \E n \in Node : MCFlush(n)
  \/ MCReceivePong
  \/ MCReceiveUpdate
  \/ MCReceiveFail
  \/ MCReceiveFailoverAuthRequest
  \/ MCReceiveFailoverAuthAck
  \/ MCReceiveStreamed
  \/ MCReceiveExecuted

MCSpec == MCInit /\ [][MCNext]_<<vars, budgets>>

Room == Cardinality(msgs') <= Capacity

NeverReadAgain(n) == up[n] /\ crashes[n] = 0
MCView ==
  <<up, node, [n \in Node |-> IF NeverReadAgain(n) THEN 0 ELSE saved[n]],
    unsaved, awaited, msgs, won, budgets>>

-----------------------------------------------------------------------------
(***************************************************************************)
(* For the scopes: entries of node tables, and views                       *)
(***************************************************************************)
Everyone == {<<n, x>> : n, x \in Node}
Between(S) == {<<n, x>> : n, x \in S}
NoCrashes == [n \in Node |-> 0]

AnEntry(role, master, epoch, slots, shard) ==
  [role |-> role, replicaof |-> master, configEpoch |-> epoch, slots |-> slots,
   health |-> "ok", reports |-> {}, toldEpoch |-> 0, shard |-> IF MCRules.shards THEN shard ELSE None]
AMaster(slots, epoch, shard) == AnEntry("master", None, epoch, slots, shard)
AReplicaIn(master, shard) == AnEntry("replica", master, 0, {}, shard)
AReplica(master) == AReplicaIn(master, master)

AView(n, nodes) ==
  [me |-> n, nodes |-> nodes, currentEpoch |-> Max({nodes[x].configEpoch : x \in Node}),
   lastVoteEpoch |-> 0, notClaiming |-> {}, taken |-> [x \in Node |-> {}], election |-> NoElection,
   lastElection |-> NoElection, migrating |-> AllClosed, importing |-> AllClosed,
   out |-> {}, save |-> FALSE]

\* All have the table that heartbeats lead to: some dialects take a replica's announced
\* configEpoch, that of its master, for its own
Agreed(nodes) ==
  [n \in Node |-> AView(n, [x \in Node |->
     IF n = x \/ nodes[x].replicaof = None \/ ~MCRules.config_epoch_from_replicas THEN nodes[x]
     ELSE [nodes[x] EXCEPT !.configEpoch = nodes[nodes[x].replicaof].configEpoch]])]

\* The slots of v were taken from x, where that is remembered (SC-33, SC-36)
Took(v, slots, x) ==
  IF MCRules.taken_slots_are_kept \/ MCRules.told_imports_are_kept
  THEN [v EXCEPT !.taken[x] = slots] ELSE v

\* v stands in that epoch; the vote of v in its current one
Stands(v, epoch) ==
  [v EXCEPT !.currentEpoch = epoch, !.election = [NoElection EXCEPT !.epoch = epoch]]
Vote(v, candidate) == [type |-> "FAILOVER_AUTH_ACK", to |-> candidate, head |-> Header(v)]

InFail(views, x) == [n \in Node |-> [views[n] EXCEPT !.nodes[x].health = "fail"]]
=============================================================================
