---------------------------- MODULE RedisCluster ----------------------------
(***************************************************************************)
(* The Redis Cluster bus protocol: epochs, failure detection, elections,   *)
(* claims to slots, UPDATE, collisions, demotion, crashes, and SETSLOT.    *)
(*                                                                         *)
(* SOURCE OF TRUTH.  The clauses in spec/*.md; an operator names those it  *)
(* stands for.  The same rules run as reference/core.  `python -m          *)
(* model_check.tla` shows, for small scopes, that TLC and the checker of   *)
(* that core find the same graph: same states, same labelled transitions.  *)
(*                                                                         *)
(* WHAT IS MODELLED                                                        *)
(*  - current_epoch, configEpoch, last_vote_epoch; what is saved and what  *)
(*    a crash takes away (chapters 01, 08).                                *)
(*  - Heartbeats with the gossip that decides: who is in PFAIL.  Reports,  *)
(*    PFAIL, FAIL and the ways back (06, 07).                              *)
(*  - Claims, UPDATE, marks on slots that their owner no longer claims,    *)
(*    role switches, shards, demotion, replicas of replicas (09).          *)
(*  - Elections from the request to the win, votes that come late (10).    *)
(*  - SETSLOT, also where replicas execute it first (15).                  *)
(*  - Every difference of the dialects in these, those of `strict`         *)
(*    included (22), and every rule that a check may turn off, as a field  *)
(*    of the constant Rules.                                               *)
(*                                                                         *)
(* WHAT IS NOT, AND WHY                                                    *)
(*  - Time.  A timer may fire whenever its condition holds; so reports     *)
(*    expire, elections end and nodes are suspected at any moment.  The    *)
(*    pause after a vote (EL-8) and that a newcomer does not vote (EL-20)  *)
(*    only forbid steps for a while, and nothing is forbidden here.        *)
(*  - PING and MEET.  A PING tells what a PONG tells; its answer is a      *)
(*    heartbeat in the other direction, and may be sent anyway.  For the   *)
(*    same reason the PONGs that some rules broadcast are not sent.        *)
(*  - Handshakes, CLUSTER FORGET and RESET: every table has an entry for   *)
(*    every node, from the start to the end.  So NO-13 has nothing to do,  *)
(*    and nobody is reminded of what a RESET took from it (SC-40).         *)
(*  - Gossip that a node is well or in FAIL.  The first only takes back a  *)
(*    report, and reports expire; the second was said as PFAIL before.     *)
(*  - Manual failover, replica migration, atomic slot migration, the rank  *)
(*    of replicas (EL-23), and keys: a node that gives a slot away by      *)
(*    SETSLOT holds none of its keys.                                      *)
(*  - An epoch after the last one that 64 bits hold (EP-D1).               *)
(*                                                                         *)
(* ROLES.  master -> replica: another node takes its last slot (SC-7), its *)
(* empty shard has a newer master (SC-9), or SETSLOT gives the slot away.  *)
(* replica -> master: it wins an election (EL-13), or is told so of itself *)
(* (SC-15, SC-18).                                                         *)
(*                                                                         *)
(* Bounds are in MCRedisCluster.tla, none is here.                         *)
(***************************************************************************)
EXTENDS Integers, FiniteSets, Sequences

CONSTANTS
  Order,       \* names of the nodes in every table, ascending as their ids are compared
  Slot,        \* the slots, numbers
  Gone,        \* nodes that ended before the start and never come back
  Rules,       \* a record of switches, see Dialects.tla
  Tag,         \* Tag[n]: where n's name is in the order of checksums (EP-13)
  Duplicates,  \* a message may arrive any number of times, and outlives a crash
  Start,       \* Start[n]: the view with which n starts, and finds if it restarts at once
  Stale        \* what is on its way at the start

VARIABLES
  up,       \* up[n]: n runs
  node,     \* node[n]: what n knows and is, see TypeOK; while it is down, what it will load
  saved,    \* saved[n]: what nodes.conf keeps of it
  unsaved,  \* unsaved[n]: n sent before it saved (only without save_before_send)
  awaited,  \* awaited[n]: replicas that have not executed the command of n
  msgs,     \* what is on its way
  won       \* history: epochs of the elections that n won; no part of an implementation

vars == <<up, node, saved, unsaved, awaited, msgs, won>>

None == "none"
Node == {Order[i] : i \in DOMAIN Order}
Less(a, b) == \E i, j \in DOMAIN Order : i < j /\ Order[i] = a /\ Order[j] = b
NoElection == [epoch |-> 0, voters |-> {}, late |-> 0]
AllClosed == [s \in Slot |-> None]
Min(S) == CHOOSE s \in S : \A t \in S : s <= t
Max(S) == CHOOSE s \in S : \A t \in S : s >= t

(***************************************************************************)
(* EP-13.  TLC counts to 2^31, so an epoch has its round in hundreds, and  *)
(* four times the tag of its owner in place of 30 bits of a checksum.  The *)
(* order is the same, and epochs of the start are below 100.               *)
(***************************************************************************)
Elected == 0
Kept == 1
TakenOver == 2
Defended == 3
Unsaid == 4  \* as a release takes epochs
Round(epoch) == epoch \div 100
\* How its owner came by it
Kind(epoch, owner) ==
  IF Round(epoch) > 0 /\ (epoch % 100) \div 4 = Tag[owner] THEN epoch % 4 ELSE Unsaid

-----------------------------------------------------------------------------
(***************************************************************************)
(* Reading a view.  A view v is node[n] in the course of a step of n: the  *)
(* rules change it one after the other.  v.out collects what is sent and   *)
(* v.save whether to save; both are empty between steps.                   *)
(***************************************************************************)
Me(v) == v.nodes[v.me]
IsMaster(v, x) == v.nodes[x].role = "master"
IsVotingMaster(v, x) == IsMaster(v, x) /\ v.nodes[x].slots # {}
Followed(v, x) == v.nodes[x].replicaof
InSameShard(v, x, y) == v.nodes[x].shard # None /\ v.nodes[x].shard = v.nodes[y].shard
\* FD-12: the masters with slots, and the smallest majority of them
Size(v) == Cardinality({x \in Node : IsVotingMaster(v, x)})
Quorum(v) == Size(v) \div 2 + 1
\* The configEpoch of a node's shard
NodeEpoch(v, x) ==
  v.nodes[IF Followed(v, x) = None THEN x ELSE Followed(v, x)].configEpoch
\* The node whose slots v.me is there for
Leader(v) == IF Followed(v, v.me) = None THEN v.me ELSE Followed(v, v.me)

\* EP-13: of that kind, and newer than all that v.me knows of
Newest(v) == Max({v.currentEpoch} \cup {v.nodes[x].configEpoch : x \in Node})
NextEpoch(v, kind) ==
  IF Rules.unique_epochs THEN (Round(Newest(v)) + 1) * 100 + 4 * Tag[v.me] + kind
  ELSE v.currentEpoch + 1

\* HB-1, HB-2: a replica announces the slots and the configEpoch of its master
Header(v) ==
  [from |-> v.me, replicaof |-> Followed(v, v.me), currentEpoch |-> v.currentEpoch,
   configEpoch |-> v.nodes[Leader(v)].configEpoch, slots |-> v.nodes[Leader(v)].slots,
   shard |-> IF Rules.shards THEN Me(v).shard ELSE None]

\* To every node in the table but oneself
Broadcast(v, messages) == [v EXCEPT !.out = @ \cup messages]

-----------------------------------------------------------------------------
(***************************************************************************)
(* What is saved, and what a node has after a crash                        *)
(***************************************************************************)
\* MO-4, EL-9.  PFAIL is left out: the timer that sets it may fire at once.
Durable(v) ==
  [v EXCEPT
     !.nodes = [x \in Node |-> [@[x] EXCEPT
                  !.reports = {}, !.toldEpoch = 0,
                  !.health = IF @ = "pfail" THEN "ok" ELSE @]],
     !.lastVoteEpoch = IF Rules.persist_vote THEN @ ELSE 0,
     !.notClaiming = {}, !.election = NoElection, !.lastElection = NoElection]

\* EP-7, EP-8: a replica's configEpoch is not loaded; the current one is at least the newest
Restarted(v) ==
  LET nodes == [x \in Node |-> [v.nodes[x] EXCEPT
                  !.configEpoch = IF v.nodes[x].role = "replica" /\ v.nodes[x].replicaof # None
                                  THEN 0 ELSE @]]
  IN [v EXCEPT !.nodes = nodes,
               !.currentEpoch = Max({@} \cup {nodes[x].configEpoch : x \in Node})]

-----------------------------------------------------------------------------
(***************************************************************************)
(* Slots, roles and shards: the parts of which rules are made              *)
(***************************************************************************)
\* SC-2, SC-3
Bind(v, x, slots) ==
  [v EXCEPT
     !.nodes = [y \in Node |-> [@[y] EXCEPT
                  !.slots = IF y = x THEN @ \cup slots ELSE @ \ slots]],
     !.notClaiming = IF Rules.binding_clears_not_claiming THEN @ \ slots ELSE @]
Unbind(v, slots) ==
  [v EXCEPT
     !.nodes = [y \in Node |-> [@[y] EXCEPT !.slots = @ \ slots]],
     !.notClaiming = IF Rules.binding_clears_not_claiming THEN @ \ slots ELSE @]

\* SC-33, SC-36: from whom v.me, or its master, took slots, if that one has a shard
Noted(v) == UNION {v.taken[x] : x \in Node}
NoteTaken(v, slots, x) ==
  IF (Rules.taken_slots_are_kept \/ Rules.told_imports_are_kept) /\ v.nodes[x].shard # None
  THEN [v EXCEPT !.taken[x] = @ \cup (slots \ Noted(v))] ELSE v
\* SC-33, SC-36: nothing is noted of what was lost, or taken from the master that is followed
ForgetLost(v) ==
  [v EXCEPT !.taken = [x \in Node |-> IF x = Leader(v) THEN {}
                                      ELSE @[x] \cap v.nodes[Leader(v)].slots]]

\* NO-10
Follow(v, x, master) ==
  [v EXCEPT !.nodes[x].role = "replica", !.nodes[x].replicaof = master]

\* SC-15
SetNodeAsMaster(v, x) ==
  IF IsMaster(v, x) THEN v
  ELSE [v EXCEPT !.nodes[x].role = "master", !.nodes[x].replicaof = None, !.save = TRUE]

\* SC-31: the node is of this shard, and so is who follows it
AdoptShard(v, x, shard) ==
  LET v1 == IF v.nodes[x].shard = shard THEN v
            ELSE [v EXCEPT !.nodes[x].shard = shard, !.save = TRUE]
  IN IF ~Rules.shards \/ shard = None THEN v
     ELSE IF Followed(v1, v1.me) = x /\ Me(v1).shard # shard
     THEN [v1 EXCEPT !.nodes[v1.me].shard = shard, !.save = TRUE]
     ELSE v1

\* SC-14, SC-24, EL-16: v.me, which owns no slot any more, is a replica of that master
SetMaster(v, master, keepsOpen) ==
  LET closes == IF Rules.open_slots_follow_claims THEN ~keepsOpen ELSE IsMaster(v, v.me)
      v1 == Follow([v EXCEPT !.save = TRUE], v.me, master)
      v2 == AdoptShard(v1, v.me, v1.nodes[master].shard)
      v3 == IF closes THEN [v2 EXCEPT !.migrating = AllClosed, !.importing = AllClosed] ELSE v2
  IN IF Rules.election_ends_with_role_change
     THEN [v3 EXCEPT !.election = NoElection, !.lastElection = NoElection] ELSE v3

\* SC-13: no replica of a replica, unless the chain would be a circle
LeaveSubReplicaChain(v) ==
  LET master == Followed(v, v.me)
      grandmaster == IF master = None THEN None ELSE Followed(v, master)
  IN IF grandmaster \in {None, v.me} THEN v ELSE SetMaster(v, grandmaster, FALSE)

\* EL-17, EL-21
EndElection(v) ==
  [v EXCEPT !.election = NoElection,
            !.lastElection = IF Rules.late_votes_count
                             THEN [NoElection EXCEPT !.epoch = v.election.epoch] ELSE NoElection]

-----------------------------------------------------------------------------
(***************************************************************************)
(* Epochs                                                                  *)
(***************************************************************************)
\* EP-1, EP-2, EP-3, EL-14.  A current_epoch that only rose is not saved (EP-10), but by EP-14.
MergeEpochs(v, h) ==
  LET known == v.nodes[h.from].configEpoch
      v1 == IF Rules.merge_current_epoch /\ h.currentEpoch > v.currentEpoch
            THEN [v EXCEPT !.currentEpoch = h.currentEpoch,
                           !.save = @ \/ Rules.learnt_epoch_is_saved] ELSE v
      takes == /\ h.replicaof = None \/ Rules.config_epoch_from_replicas
               /\ \/ h.configEpoch > known
                  \/ ~Rules.config_epoch_only_rises /\ h.configEpoch # known
      v2 == [v1 EXCEPT !.nodes[h.from].configEpoch = h.configEpoch, !.save = TRUE,
                       !.nodes[h.from].toldEpoch = IF @ > h.configEpoch THEN @ ELSE 0]
      resets == /\ Rules.election_reset_by_newer_master
                /\ v.election # NoElection
                /\ h.configEpoch >= v.election.epoch
  IN IF ~takes THEN v1 ELSE IF resets THEN EndElection(v2) ELSE v2

\* EP-6
MoveTo(v, epoch) ==
  [v EXCEPT !.currentEpoch = epoch, !.nodes[v.me].configEpoch = epoch, !.save = TRUE]

\* EP-4, EP-5: of two masters with one configEpoch that with the smaller id moves on, unasked
ResolveCollision(v, h) ==
  LET collides == /\ Rules.collision_resolution
                  /\ IsMaster(v, v.me) /\ IsMaster(v, h.from)
                  /\ h.configEpoch = v.nodes[h.from].configEpoch
                  /\ h.configEpoch = Me(v).configEpoch
      moves == ~Rules.collision_moves_smaller_id_only \/ Less(v.me, h.from)
  IN IF collides /\ moves THEN MoveTo(v, NextEpoch(v, Kept)) ELSE v

\* EP-11
BumpWithoutConsensus(v) ==
  LET mine == Me(v).configEpoch
  IN IF mine = Newest(v) /\ mine # 0 THEN v ELSE MoveTo(v, NextEpoch(v, Kept))

-----------------------------------------------------------------------------
(***************************************************************************)
(* Failure detection                                                       *)
(***************************************************************************)
MayReport(v, x) == IsMaster(v, x) /\ (v.nodes[x].slots # {} \/ Rules.empty_masters_report)

\* FD-6, FD-8
MarkFailingIfNeeded(v, x) ==
  LET agreeing == Cardinality(v.nodes[x].reports) + (IF MayReport(v, v.me) THEN 1 ELSE 0)
      v1 == [v EXCEPT !.nodes[x].health = "fail", !.save = TRUE]
  IN IF v.nodes[x].health # "pfail" \/ agreeing < Quorum(v) THEN v
     ELSE Broadcast(v1, {[type |-> "FAIL", to |-> y, head |-> Header(v1), subject |-> x] :
                           y \in Node \ {v.me}})

\* FD-7
DecidesAlone(v) ==
  IF Rules.lone_master_decides_at_pfail THEN IsMaster(v, v.me) /\ Size(v) = 1
  ELSE Rules.fail_checked_at_pfail /\ IsVotingMaster(v, v.me)

\* FD-3, FD-13
TakeReport(v, reporter, x) ==
  LET v1 == [v EXCEPT !.nodes[x].reports = @ \cup {reporter}]
  IN IF \/ x = v.me
        \/ ~MayReport(v, reporter)
        \/ v.nodes[x].health = "fail" /\ ~Rules.reports_kept_after_fail
     THEN v ELSE MarkFailingIfNeeded(v1, x)

\* HB-8.  What is said of one node changes nothing of what is said of another.
RECURSIVE TakeGossip(_, _, _)
TakeGossip(v, reporter, subjects) ==
  IF subjects = {} THEN v
  ELSE LET x == CHOOSE y \in subjects : TRUE
       IN TakeGossip(TakeReport(v, reporter, x), reporter, subjects \ {x})

\* FD-2, FD-10
HearPong(v, x) ==
  IF v.nodes[x].health = "ok" \/ (v.nodes[x].health = "fail" /\ IsVotingMaster(v, x)) THEN v
  ELSE [v EXCEPT !.nodes[x].health = "ok", !.save = TRUE]

-----------------------------------------------------------------------------
(***************************************************************************)
(* Slots on their way, and claims.  c is a claim: [owner, epoch, slots,    *)
(* newMaster], the last for one that was known as a replica until now.     *)
(***************************************************************************)
Open(v, to, x) == {s \in Slot : v[to][s] = x}
Redirected(slots, old, new) == [s \in Slot |-> IF slots[s] = old THEN new ELSE slots[s]]

\* SC-22: a slot stays open only if it went from master to master within a shard
FollowClaim(v, owner, slots) ==
  [v EXCEPT
     !.importing = [s \in Slot |->
        IF s \notin slots \/ @[s] \in {None, owner} THEN @[s]
        ELSE IF InSameShard(v, owner, @[s]) THEN owner ELSE None],
     !.migrating = [s \in Slot |->
        IF s \in slots /\ ~InSameShard(v, owner, v.me) THEN None ELSE @[s]]]

\* SC-23: what goes to a shard goes to its new master, which does not claim it yet
RedirectMigrations(v, c) ==
  LET replaced(x) == /\ ~IsMaster(v, x) \/ v.nodes[x].configEpoch < c.epoch
                     /\ InSameShard(v, x, c.owner)
      to == [s \in Slot |->
               IF v.migrating[s] # None /\ s \notin c.slots /\ replaced(v.migrating[s])
               THEN c.owner ELSE v.migrating[s]]
  IN IF Rules.open_slots_follow_claims /\ to # v.migrating
     THEN [v EXCEPT !.migrating = to, !.save = TRUE] ELSE v

\* SC-33: a majority or an operator may have wanted the claimant to lead
WasAsked(v, c) ==
  LET kind == Kind(c.epoch, c.owner)
  IN IF kind = Defended THEN Kind(Me(v).configEpoch, v.me) = Defended ELSE kind # Kept
\* SC-33: the claimed slots that v.me took from the claimant's shard, and does not give back
DefendedSlots(v, c) ==
  LET theirs == UNION {v.taken[x] : x \in {y \in Node : InSameShard(v, y, c.owner)}}
      believed == c.newMaster \/ WasAsked(v, c)
      taken == IF ~InSameShard(v, c.owner, v.me) THEN theirs
               ELSE IF theirs # {} /\ ~believed THEN Me(v).slots ELSE {}
      leaving == {s \in Slot : v.migrating[s] # None /\ InSameShard(v, v.migrating[s], c.owner)}
  IN IF /\ Rules.taken_slots_are_kept /\ IsMaster(v, v.me)
        /\ c.epoch > Me(v).configEpoch
     THEN (taken \cap c.slots \cap Me(v).slots) \ leaving ELSE {}

\* SC-1, SC-21, SC-33: the claimed slots that go to the claimant
Claimable(v, c) ==
  LET newer == {x \in Node : v.nodes[x].configEpoch >= c.epoch}
      kept == IF Rules.claims_need_newer_epoch
              THEN UNION {v.nodes[x].slots : x \in newer} ELSE {}
      guarded == IF Rules.importing_slots_are_guarded
                 THEN {s \in Slot : v.importing[s] # None} ELSE {}
  IN c.slots \ (v.nodes[c.owner].slots \cup guarded \cup (kept \ v.notClaiming)
                 \cup DefendedSlots(v, c))

\* SC-2
Rebind(v, owner, slots) ==
  LET v1 == IF Rules.open_slots_follow_claims THEN FollowClaim(v, owner, slots) ELSE v
  IN IF slots = {} THEN v ELSE Bind([v1 EXCEPT !.save = TRUE], owner, slots)

\* SC-25: what this master is importing from the claimant, which no longer claims it
GivenUp(v, c) ==
  IF Rules.importing_slots_are_claimed /\ IsMaster(v, v.me)
  THEN Open(v, "importing", c.owner) \ c.slots ELSE {}
TakeImported(v, slots, source) ==
  LET new == slots \ Me(v).slots
      v1 == [NoteTaken(v, new, source) EXCEPT
               !.importing = [s \in Slot |-> IF s \in slots THEN None ELSE @[s]]]
  IN IF new = {} THEN v1
     ELSE BumpWithoutConsensus(Bind([v1 EXCEPT !.save = TRUE], v.me, new))

\* SC-2, SC-25: slot by slot, so a claim beyond the first slot taken over meets the new epoch
Settle(v, c) ==
  LET given == GivenUp(v, c)
      v1 == Rebind(v, c.owner, {s \in Claimable(v, c) : s < Min(given)})
      v2 == TakeImported(v1, given, c.owner)
  IN RedirectMigrations(IF given = {} THEN Rebind(v, c.owner, Claimable(v, c))
                        ELSE Rebind(v2, c.owner, Claimable(v2, c)), c)

\* SC-3, SC-36: of the owner's slots, those that it leaves out of its claim are marked
MarkNotClaiming(v, c) ==
  LET owned == v.nodes[c.owner].slots
      unconfirmed == IF Rules.told_imports_are_kept /\ c.owner = Followed(v, v.me)
                     THEN Noted(v) ELSE {}
  IN IF ~Rules.not_claiming_slots THEN v
     ELSE [v EXCEPT !.notClaiming = (@ \ owned) \cup ((owned \ c.slots) \ unconfirmed)]

\* SC-7, SC-8, SC-9
ShouldFollow(v, c, leader, lost) ==
  IF lost # {} THEN v.nodes[leader].slots = {}
  ELSE /\ Rules.empty_shard_follows
       /\ c.slots = {} /\ v.nodes[leader].slots = {} /\ Me(v).slots = {}
       /\ NodeEpoch(v, v.me) < c.epoch
       /\ InSameShard(v, c.owner, v.me)

\* SC-2, SC-7, SC-17, SC-33
UpdateSlotsConfigWith(v, c) ==
  LET leader == Leader(v)
      v1 == MarkNotClaiming(Settle(v, c), c)
      lost == v.nodes[leader].slots \ v1.nodes[leader].slots
      v2 == IF Rules.sub_replica_guard_at_role_change THEN v1 ELSE LeaveSubReplicaChain(v1)
  IN IF c.owner = v.me THEN v
     ELSE IF ShouldFollow(v1, c, leader, lost)
     THEN SetMaster(v1, c.owner, InSameShard(v1, c.owner, v.me))
     ELSE IF v2 = v1 /\ DefendedSlots(v, c) # {} THEN MoveTo(v1, NextEpoch(v1, Defended)) ELSE v2

\* SC-4, EL-7: who owns the lowest announced slot that has an owner with a newer configEpoch
NewerOwner(v, h, besides) ==
  LET claimed == h.slots \ v.notClaiming
      newer == {x \in Node \ {besides} : v.nodes[x].configEpoch > h.configEpoch}
      slots == claimed \cap UNION {v.nodes[x].slots : x \in newer}
  IN IF slots = {} THEN None ELSE CHOOSE x \in newer : Min(slots) \in v.nodes[x].slots

\* SC-20
UpdateAbout(v, to, x) ==
  [type |-> "UPDATE", to |-> to, head |-> Header(v), subject |-> x,
   configEpoch |-> v.nodes[x].configEpoch, slots |-> v.nodes[x].slots \ v.notClaiming]

\* SC-4, SC-5
CorrectStaleClaim(v, h) ==
  LET owner == NewerOwner(v, h, h.from)
  IN IF owner = None THEN v ELSE [v EXCEPT !.out = @ \cup {UpdateAbout(v, h.from, owner)}]

\* SC-36: what the master claims itself need not be remembered
ConfirmImport(v, h) ==
  IF h.from # Followed(v, v.me) THEN v
  ELSE [v EXCEPT !.taken = [x \in Node |-> @[x] \ h.slots]]

\* SC-39: a master that claims nothing is told of the slots that are its own here, marked or not
RemindOwner(v, h) ==
  LET slots == v.nodes[h.from].slots
  IN IF ~Rules.reset_owners_take_back \/ h.slots # {} \/ slots = {} THEN v
     ELSE [v EXCEPT !.out = @ \cup {[UpdateAbout(v, h.from, h.from) EXCEPT !.slots = slots]}]

\* SC-4, SC-5, SC-16: nothing is looked at if the sender claims just what it has in our table
ProcessClaims(v0, h, wasReplica) ==
  LET x == h.from
      v == ConfirmImport(v0, h)
      leader == IF IsMaster(v, x) THEN x ELSE Followed(v, x)
      looks == IF Rules.replicas_are_updated
               THEN leader # None /\ (leader # None => v.nodes[leader].slots # h.slots)
               ELSE h.replicaof = None /\ (wasReplica \/ v.nodes[x].slots # h.slots)
      v1 == IF IsMaster(v, x)
            THEN RemindOwner(UpdateSlotsConfigWith(v,
                   [owner |-> x, epoch |-> h.configEpoch, slots |-> h.slots,
                    newMaster |-> wasReplica]), h)
            ELSE v
  IN IF looks THEN CorrectStaleClaim(v1, h) ELSE v

-----------------------------------------------------------------------------
(***************************************************************************)
(* Role switches: the sender says that it is a master, or whose replica    *)
(***************************************************************************)
\* SC-28
IsStaleRoleSwitch(v, h) ==
  \/ Rules.role_switch_heeds_sender /\ NodeEpoch(v, h.from) > h.configEpoch
  \/ Rules.role_switch_heeds_master /\ NodeEpoch(v, h.replicaof) > h.configEpoch

Demotes(v, h) == h.replicaof # None /\ IsMaster(v, h.from)
\* SC-12: said too long ago to be believed, and nothing else of the message is
IsIgnored(v, h) ==
  /\ Demotes(v, h)
  /\ InSameShard(v, h.replicaof, h.from)
  /\ IsStaleRoleSwitch(v, h)
  /\ Rules.stale_role_switch_is_ignored

\* SC-18, SC-29, SC-32: the shard has the master that the sender names, in place of the sender
ReplaceWithinShard(v, h) ==
  LET m == h.replicaof
      v1 == SetNodeAsMaster(v, m)
      v2 == IF Rules.role_switch_hands_over THEN Bind(v1, m, v.nodes[h.from].slots) ELSE v1
      v3 == IF Rules.role_switch_hands_over /\ Rules.open_slots_follow_claims
            THEN [v2 EXCEPT !.migrating = Redirected(@, h.from, m),
                            !.importing = Redirected(@, h.from, m)]
            ELSE v2
  IN IF Rules.role_switch_spares_masters /\ IsMaster(v, m) THEN v
     ELSE [v3 EXCEPT !.nodes[m].configEpoch = h.configEpoch, !.save = TRUE]

\* SC-35: the master has what the sender says, nobody the rest; v.me becomes nothing by hearsay
HandOverAnnounced(v, h) ==
  LET m == h.replicaof
      v1 == Bind(SetNodeAsMaster(v, m), m, v.nodes[h.from].slots \cap h.slots)
      v2 == [v1 EXCEPT !.migrating = Redirected(@, h.from, m),
                       !.importing = Redirected(@, h.from, m),
                       !.nodes[m].configEpoch = Max({@, h.configEpoch})]
      v3 == IF m = v.me THEN v ELSE v2
  IN Unbind([v3 EXCEPT !.save = TRUE], v3.nodes[h.from].slots)

\* SC-11
Demote(v, h) ==
  LET v1 == IF ~InSameShard(v, h.replicaof, h.from) THEN Unbind(v, v.nodes[h.from].slots)
            ELSE IF IsStaleRoleSwitch(v, h) THEN v
            ELSE IF Rules.demoted_keep_no_slots THEN HandOverAnnounced(v, h)
            ELSE ReplaceWithinShard(v, h)
  IN Follow([v1 EXCEPT !.save = TRUE], h.from, None)

\* HB-17: the master is known to have had the configEpoch that is announced for it, also by a
\* sender that gives up its role too late to be believed
LearnToldEpoch(v, h) ==
  LET e == v.nodes[h.replicaof]
  IN IF /\ Rules.old_headers_are_ignored /\ h.replicaof # None
        /\ h.configEpoch > Max({e.configEpoch, e.toldEpoch})
     THEN [v EXCEPT !.nodes[h.replicaof].toldEpoch = h.configEpoch] ELSE v

\* SC-37: whom a replica names as its master is one, unless its shard has a newer epoch
BelieveInMaster(v, h) ==
  LET m == h.replicaof
      newer == h.configEpoch >= Max({v.nodes[m].configEpoch, NodeEpoch(v, m)})
  IN IF Rules.named_masters_are_masters /\ newer /\ m # v.me THEN SetNodeAsMaster(v, m) ELSE v

\* SC-10, SC-19
SwitchRole(v, h) ==
  LET v1 == IF Demotes(v, h) THEN Demote(v, h) ELSE v
      v2 == Follow([BelieveInMaster(v1, h) EXCEPT !.save = TRUE], h.from, h.replicaof)
      v3 == IF Rules.sub_replica_guard_at_role_change THEN LeaveSubReplicaChain(v2) ELSE v2
  IN IF h.replicaof = None THEN SetNodeAsMaster(v, h.from)
     ELSE IF Followed(v1, h.from) = h.replicaof THEN v1
     ELSE AdoptShard(v3, h.from, v.nodes[h.replicaof].shard)

\* HB-9: a master is of the shard it says, a replica of the one of its master
TakeShard(v, h) ==
  LET master == Followed(v, h.from)
      theirs == IF master = None THEN None ELSE v.nodes[master].shard
      first == IF Rules.replica_shard_must_agree THEN theirs ELSE h.shard
      second == IF Rules.replica_shard_must_agree THEN h.shard ELSE theirs
      shard == IF master = None THEN h.shard ELSE IF first # None THEN first ELSE second
  IN AdoptShard(v, h.from, shard)

-----------------------------------------------------------------------------
(***************************************************************************)
(* Elections                                                               *)
(***************************************************************************)
\* EL-1
MayFailOver(v) ==
  /\ ~IsMaster(v, v.me) /\ Followed(v, v.me) # None
  /\ v.nodes[Leader(v)].health = "fail"
  /\ v.nodes[Leader(v)].slots # {} \/ Rules.empty_master_is_replaced

\* EL-4, EL-5, EL-6, EL-18, EL-27: what a voter asks for besides that the claim is not outdated
MayVote(v, h) ==
  LET alone == Rules.unique_epochs /\ Kind(h.currentEpoch, h.from) = Elected
      late == IF alone THEN Round(h.currentEpoch) < Round(v.currentEpoch)
              ELSE h.currentEpoch < v.currentEpoch
      voted == IF alone THEN Round(h.currentEpoch) = Round(v.lastVoteEpoch)
               ELSE v.lastVoteEpoch = v.currentEpoch
  IN
  /\ IsVotingMaster(v, v.me)
  /\ ~late \/ ~Rules.vote_checks_request_epoch
  /\ ~voted \/ ~Rules.one_vote_per_epoch
  /\ ~IsMaster(v, h.from) /\ Followed(v, h.from) # None
  /\ v.nodes[Followed(v, h.from)].health = "fail" \/ ~Rules.vote_needs_failed_master

\* EL-4, EL-7, EL-10, EL-15: the vote is saved before it is sent
GrantVote(v, h) ==
  LET newer == NewerOwner(v, h, None)
      v1 == [v EXCEPT !.lastVoteEpoch = v.currentEpoch, !.save = TRUE]
      ack == [type |-> "FAILOVER_AUTH_ACK", to |-> h.from, head |-> Header(v1)]
  IN IF ~MayVote(v, h) THEN v
     ELSE IF Rules.vote_checks_claims /\ newer # None
     THEN IF Rules.refused_candidate_is_updated
          THEN [v EXCEPT !.out = @ \cup {UpdateAbout(v, h.from, newer)}] ELSE v
     ELSE [v1 EXCEPT !.out = @ \cup {ack}]

\* EL-11, EL-21
CountVote(v, h) ==
  LET voter == IsVotingMaster(v, h.from)
      late == /\ v.lastElection # NoElection
              /\ voter /\ h.currentEpoch >= v.lastElection.epoch /\ MayFailOver(v)
              /\ v.lastElection.late < Size(v)
  IN IF v.election = NoElection
     THEN IF late THEN [v EXCEPT !.lastElection.late = @ + 1] ELSE v
     ELSE IF voter /\ h.currentEpoch >= v.election.epoch
     THEN [v EXCEPT !.election.voters = @ \cup {h.from}] ELSE v

\* EL-12
Wins(v) ==
  /\ v.election # NoElection
  /\ Cardinality(v.election.voters) + v.election.late
       >= (IF Rules.majority_wins THEN Quorum(v) ELSE 1)
  /\ MayFailOver(v)

\* EL-13, EL-24
ReplaceMaster(v) ==
  LET slots == v.nodes[Leader(v)].slots
      epoch == Max({Me(v).configEpoch, v.election.epoch})
      v1 == Bind(SetNodeAsMaster([v EXCEPT !.nodes[v.me].configEpoch = epoch], v.me), v.me, slots)
      v2 == [NoteTaken(v1, slots, Leader(v)) EXCEPT !.save = TRUE]
  IN IF Rules.election_ends_with_win
     THEN [v2 EXCEPT !.election = NoElection, !.lastElection = NoElection] ELSE v2

-----------------------------------------------------------------------------
(***************************************************************************)
(* SETSLOT.  k is a command: [what, slot, node].                           *)
(***************************************************************************)
\* SM-2, SM-4
MayExecute(v, k) ==
  LET known == k.node # None /\ (k.node # None => IsMaster(v, k.node))
      another == k.node # v.me \/ ~Rules.setslot_target_is_another
      mine == k.slot \in Me(v).slots
  IN CASE k.what = "MIGRATING" -> (IsMaster(v, v.me) => mine) /\ another /\ known
       [] k.what = "IMPORTING" -> ~mine /\ another /\ known
       [] k.what = "STABLE" -> TRUE
       [] k.what = "NODE" -> known

\* SM-5, SM-6: who gave its last slot away follows, who imported it has a new epoch
Assign(v, k) ==
  LET leader == Leader(v)
      former == {x \in Node : k.slot \in v.nodes[x].slots}
      v1 == Bind([v EXCEPT !.migrating[k.slot] = None], k.node, {k.slot})
      v2 == [v1 EXCEPT !.importing[k.slot] = None]
  IN IF k.slot \in v.nodes[leader].slots /\ v1.nodes[leader].slots = {}
     THEN SetMaster(v1, k.node, FALSE)
     ELSE IF k.node # leader THEN v1
     ELSE LET told(w) == IF k.node # v.me /\ former # {}
                         THEN NoteTaken(w, {k.slot}, CHOOSE x \in former : TRUE) ELSE w
          IN IF v.importing[k.slot] = None THEN told(v1)
             ELSE IF k.node # v.me THEN told(v2)
             ELSE BumpWithoutConsensus(NoteTaken(v2, {k.slot}, v.importing[k.slot]))

\* SM-3, SM-5: saved, without waiting for the disk
Execute(v, k) ==
  LET v1 == [v EXCEPT !.save = TRUE]
  IN CASE k.what = "MIGRATING" -> [v1 EXCEPT !.migrating[k.slot] = k.node]
       [] k.what = "IMPORTING" -> [v1 EXCEPT !.importing[k.slot] = k.node]
       [] k.what = "STABLE" -> [v1 EXCEPT !.migrating[k.slot] = None, !.importing[k.slot] = None]
       [] k.what = "NODE" -> Assign(v1, k)

\* SM-1
ExecuteAsMaster(v, k) == IF IsMaster(v, v.me) /\ MayExecute(v, k) THEN Execute(v, k) ELSE v

\* SM-7
ReplicasToAsk(v) == {x \in Node : Followed(v, x) = v.me /\ v.nodes[x].health # "fail"}

-----------------------------------------------------------------------------
(***************************************************************************)
(* Steps.  A message to a process that is down is lost, unless Duplicates. *)
(***************************************************************************)
OnItsWay(used, new) ==
  msgs' = IF Duplicates THEN msgs \cup {m \in new : m.to \notin Gone}
          ELSE (msgs \ used) \cup {m \in new : up[m.to]}

\* MO-1, MO-2, MO-3: v after the rules of a step of n: a win is looked for, then saved, then sent
Finish(n, v, used) ==
  LET w == ForgetLost(IF Wins(v) THEN ReplaceMaster(v) ELSE v)
      after == [w EXCEPT !.out = {}, !.save = FALSE]
      late == w.save /\ w.out # {} /\ ~Rules.save_before_send
      before == IF unsaved[n] THEN Durable(node[n]) ELSE saved[n]
  IN /\ node' = [node EXCEPT ![n] = after]
     /\ saved' = [saved EXCEPT ![n] = IF w.save /\ ~late THEN Durable(after) ELSE before]
     /\ unsaved' = [unsaved EXCEPT ![n] = late]
     /\ won' = IF Wins(v) THEN [won EXCEPT ![n] = @ \cup {v.election.epoch}] ELSE won
     /\ OnItsWay(used, w.out)
     /\ UNCHANGED up

\* What a running node does of its own accord waits for a save that is late
Free(n) == up[n] /\ ~unsaved[n]
Moves(n, v) == Free(n) /\ Finish(n, v, {}) /\ UNCHANGED awaited
Receives(m, v) == Finish(m.to, v, {m}) /\ UNCHANGED awaited

\* HB-1, HB-3, HB-4: n speaks of itself, and of all that are in PFAIL
HeartbeatDue(n, peer) ==
  /\ Free(n) /\ peer # n /\ peer \notin Gone
  /\ OnItsWay({}, {[type |-> "PONG", to |-> peer, head |-> Header(node[n]),
                    pfail |-> {x \in Node \ {n} : node[n].nodes[x].health = "pfail"}]})
  /\ UNCHANGED <<up, node, saved, unsaved, awaited, won>>

\* HB-17: no current_epoch is behind a configEpoch of its own
IsOld(v, h) ==
  LET e == v.nodes[h.from]
  IN Rules.old_headers_are_ignored /\ h.currentEpoch < Max({e.configEpoch, e.toldEpoch})

\* SC-34: a master without slots follows the newer master of its shard
FollowOwnShard(v, x) ==
  IF /\ Rules.empty_master_follows_shard
     /\ IsMaster(v, v.me) /\ Me(v).slots = {} /\ IsMaster(v, x)
     /\ v.nodes[x].configEpoch > Me(v).configEpoch /\ InSameShard(v, x, v.me)
  THEN SetMaster(v, x, FALSE) ELSE v

\* HB-7: what a heartbeat makes of a view; the order decides
Heard(v, h, pfail) ==
  LET v0 == HearPong(MergeEpochs(v, h), h.from)
      v1 == LearnToldEpoch(v0, h)
      v2 == ProcessClaims(SwitchRole(v1, h), h, ~IsMaster(v1, h.from))
      v3 == IF h.replicaof = None THEN ResolveCollision(v2, h) ELSE v2
      v4 == TakeShard(TakeGossip(v3, h.from, pfail), h)
  IN IF IsOld(v0, h) THEN v0 ELSE IF IsIgnored(v1, h) THEN v1 ELSE FollowOwnShard(v4, h.from)

\* SC-6, SC-38: what an UPDATE makes of a view.  Of oneself nothing is added (SC-40).
Updated(v, m) ==
  LET v1 == MergeEpochs(v, m.head)
      v2 == [SetNodeAsMaster(v1, m.subject) EXCEPT
               !.nodes[m.subject].configEpoch = m.configEpoch, !.save = TRUE]
      c == [owner |-> m.subject, epoch |-> m.configEpoch, slots |-> m.slots,
            newMaster |-> ~IsMaster(v1, m.subject)]
      known == v1.nodes[m.subject]
      adds == /\ Rules.updates_add_slots /\ m.configEpoch = known.configEpoch
              /\ ~(Rules.reset_owners_take_back /\ m.subject = v1.me)
              /\ m.slots \ known.slots # {}
      new == m.configEpoch > known.configEpoch \/ adds
  IN IF new THEN UpdateSlotsConfigWith(v2, c) ELSE v1

ReceivePong ==
  \E m \in {x \in msgs : up[x.to] /\ x.type = "PONG"} :
    Receives(m, Heard(node[m.to], m.head, m.pfail))

ReceiveUpdate ==
  \E m \in {x \in msgs : up[x.to] /\ x.type = "UPDATE"} :
    Receives(m, Updated(node[m.to], m))

\* FD-9
ReceiveFail ==
  \E m \in {x \in msgs : up[x.to] /\ x.type = "FAIL"} :
    LET v1 == MergeEpochs(node[m.to], m.head)
        tells == m.subject # m.to /\ v1.nodes[m.subject].health # "fail"
    IN Receives(m, IF tells THEN [v1 EXCEPT !.nodes[m.subject].health = "fail", !.save = TRUE]
                   ELSE v1)

\* EL-4, EL-10, EL-15
ReceiveFailoverAuthRequest ==
  \E m \in {x \in msgs : up[x.to] /\ x.type = "FAILOVER_AUTH_REQUEST"} :
    Receives(m, GrantVote(MergeEpochs(node[m.to], m.head), m.head))

\* EL-11: a vote whose own header ended the election (EL-14) is not counted for the next one
ReceiveFailoverAuthAck ==
  \E m \in {x \in msgs : up[x.to] /\ x.type = "FAILOVER_AUTH_ACK"} :
    LET v1 == MergeEpochs(node[m.to], m.head)
        ended == node[m.to].election # NoElection /\ v1.election = NoElection
    IN Receives(m, IF ended THEN v1 ELSE CountVote(v1, m.head))

\* FD-1
PongOverdue(n, peer) ==
  /\ up[n] /\ peer # n /\ node[n].nodes[peer].health = "ok"
  /\ LET v == [node[n] EXCEPT !.nodes[peer].health = "pfail"]
     IN Moves(n, IF DecidesAlone(v) THEN MarkFailingIfNeeded(v, peer) ELSE v)

\* FD-5
ReportExpired(n, subject, reporter) ==
  /\ up[n] /\ reporter \in node[n].nodes[subject].reports
  /\ Moves(n, [node[n] EXCEPT !.nodes[subject].reports = @ \ {reporter}])

\* FD-11: one that is gone never answers
FailUndoAllowed(n, peer) ==
  /\ up[n] /\ peer \notin Gone
  /\ node[n].nodes[peer].health = "fail" /\ IsVotingMaster(node[n], peer)
  /\ Moves(n, [node[n] EXCEPT !.nodes[peer].health = "ok", !.save = TRUE])

\* EL-2, EL-3, EL-21: n asks all for their vote in a new epoch
ElectionDue(n) ==
  /\ up[n] /\ node[n].election = NoElection /\ MayFailOver(node[n])
  /\ LET e == NextEpoch(node[n], Elected)
         late == node[n].lastElection.late
         v == [node[n] EXCEPT !.currentEpoch = e, !.save = TRUE, !.lastElection = NoElection,
                              !.election = [epoch |-> e, voters |-> {}, late |-> late]]
     IN Moves(n, Broadcast(v, {[type |-> "FAILOVER_AUTH_REQUEST", to |-> y, head |-> Header(v)] :
                                 y \in Node \ {n}}))

\* EL-17
ElectionExpired(n) ==
  /\ up[n] /\ node[n].election # NoElection
  /\ Moves(n, EndElection(node[n]))

\* SM-1, SM-7: an operator gives n a command; its working replicas execute it first
ClusterSetslot(n, k) ==
  /\ Free(n)
  /\ LET v == node[n]
         asks == ReplicasToAsk(v)
         first == /\ Rules.setslot_is_replicated /\ asks # {}
                  /\ IsMaster(v, n) /\ MayExecute(v, k)
     IN IF first
        THEN /\ OnItsWay({}, {[type |-> "STREAMED", to |-> x, command |-> k] : x \in asks})
             /\ awaited' = [awaited EXCEPT ![n] = asks]
             /\ UNCHANGED <<up, node, saved, unsaved, won>>
        ELSE Moves(n, ExecuteAsMaster(v, k))

\* SM-8: a replica has executed what its master sent, and says so
ReceiveStreamed ==
  \E m \in {x \in msgs : up[x.to] /\ x.type = "STREAMED"} :
    LET v == node[m.to]
        v1 == IF /\ Rules.setslot_is_replicated
                 /\ ~IsMaster(v, m.to) /\ MayExecute(v, m.command)
              THEN Execute(v, m.command) ELSE v
        done == {[type |-> "EXECUTED", to |-> x, by |-> m.to, command |-> m.command] :
                   x \in {Followed(v, m.to)} \ {None}}
    IN Receives(m, [v1 EXCEPT !.out = @ \cup done])

\* SM-7: n executes the command itself when the last replica has
ReceiveExecuted ==
  \E m \in {x \in msgs : up[x.to] /\ x.type = "EXECUTED"} :
    LET n == m.to
        last == awaited[n] = {m.by}
    IN /\ awaited' = [awaited EXCEPT ![n] = @ \ {m.by}]
       /\ Finish(n, IF last THEN ExecuteAsMaster(node[n], m.command) ELSE node[n], {m})

\* MO-4: all that was not saved is gone, and so is what was on its way to the process
Crash(n) ==
  /\ up[n]
  /\ up' = [up EXCEPT ![n] = FALSE]
  /\ node' = [node EXCEPT ![n] = saved[n]]
  /\ unsaved' = [unsaved EXCEPT ![n] = FALSE]
  /\ awaited' = [awaited EXCEPT ![n] = {}]
  /\ msgs' = IF Duplicates THEN msgs ELSE {m \in msgs : m.to # n}
  /\ UNCHANGED <<saved, won>>

\* EP-7, EP-8
Restart(n) ==
  /\ ~up[n] /\ n \notin Gone
  /\ up' = [up EXCEPT ![n] = TRUE]
  /\ node' = [node EXCEPT ![n] = Restarted(saved[n])]
  /\ UNCHANGED <<saved, unsaved, awaited, msgs, won>>

\* A save that was put behind a send is carried out (only without save_before_send)
Flush(n) ==
  /\ up[n] /\ unsaved[n]
  /\ saved' = [saved EXCEPT ![n] = Durable(node[n])]
  /\ unsaved' = [unsaved EXCEPT ![n] = FALSE]
  /\ UNCHANGED <<up, node, awaited, msgs, won>>

-----------------------------------------------------------------------------
Command == [what : {"MIGRATING", "IMPORTING", "STABLE", "NODE"}, slot : Slot, node : Node]

Next ==
  \/ \E n, peer \in Node : HeartbeatDue(n, peer)
  \/ \E n, peer \in Node : PongOverdue(n, peer)
  \/ \E n, subject, reporter \in Node : ReportExpired(n, subject, reporter)
  \/ \E n, peer \in Node : FailUndoAllowed(n, peer)
  \/ \E n \in Node : ElectionDue(n)
  \/ \E n \in Node : ElectionExpired(n)
  \/ \E n \in Node, k \in Command : ClusterSetslot(n, k)
  \/ \E n \in Node : Crash(n)
  \/ \E n \in Node : Restart(n)
  \/ \E n \in Node : Flush(n)
  \/ ReceivePong
  \/ ReceiveUpdate
  \/ ReceiveFail
  \/ ReceiveFailoverAuthRequest
  \/ ReceiveFailoverAuthAck
  \/ ReceiveStreamed
  \/ ReceiveExecuted

Init ==
  /\ up = [n \in Node |-> n \notin Gone]
  /\ node = Start
  /\ saved = [n \in Node |-> Durable(Start[n])]
  /\ unsaved = [n \in Node |-> FALSE]
  /\ awaited = [n \in Node |-> {}]
  /\ msgs = Stale
  /\ won = [n \in Node |-> {}]

Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(***************************************************************************)
(* What is claimed of a cluster (chapter 20)                               *)
(***************************************************************************)
Election == [epoch : Nat, voters : SUBSET Node, late : Nat]

IsView(v) ==
  /\ v.me \in Node                                       \* whose view it is
  /\ \A x \in Node :                                     \* the node table
       LET e == v.nodes[x]
       IN /\ e.role \in {"master", "replica"} /\ e.replicaof \in Node \cup {None}
          /\ e.configEpoch \in Nat /\ e.slots \subseteq Slot
          /\ e.health \in {"ok", "pfail", "fail"} /\ e.reports \subseteq Node
          /\ e.toldEpoch \in Nat                         \* that its replica announced (HB-17)
          /\ e.role = "master" => e.replicaof = None
  /\ v.currentEpoch \in Nat /\ v.lastVoteEpoch \in Nat
  /\ v.notClaiming \subseteq Slot                        \* not claimed by their owner any more
  /\ \A x \in Node : v.taken[x] \subseteq Slot            \* from whom slots were taken (SC-33)
  /\ v.election \in Election                             \* running, or NoElection
  /\ v.lastElection \in Election                         \* late votes count for the next one
  /\ \A s \in Slot : v.migrating[s] \in Node \cup {None} /\ v.importing[s] \in Node \cup {None}
  /\ v.out = {} /\ v.save = FALSE

\* INV: every view is one, and no slot has two owners in it
TypeOK ==
  /\ \A n \in Node : up[n] \in BOOLEAN /\ awaited[n] \subseteq Node /\ won[n] \subseteq Nat
  /\ \A n \in Node \ Gone :
       /\ IsView(node[n]) /\ IsView(saved[n]) /\ node[n].me = n
       /\ \A x, y \in Node : x # y => node[n].nodes[x].slots \cap node[n].nodes[y].slots = {}

\* INV: EL-P1, at most one node wins the election of an epoch
ElectionSafety == \A a, b \in Node : a # b => won[a] \cap won[b] = {}

Claims(n) == up[n] /\ n \notin Gone /\ IsMaster(node[n], n)
\* INV: SC-P1, no two masters claim a slot with the same configEpoch
ExclusiveClaim ==
  \A a, b \in Node :
    (a # b /\ Claims(a) /\ Claims(b)) =>
      \/ Me(node[a]).slots \cap Me(node[b]).slots = {}
      \/ Me(node[a]).configEpoch # Me(node[b]).configEpoch

NeverBack(before, after) ==
  /\ after.currentEpoch >= before.currentEpoch
  /\ after.lastVoteEpoch >= before.lastVoteEpoch
  /\ \A x \in Node : after.nodes[x].configEpoch >= before.nodes[x].configEpoch
Survives(before, file) ==
  /\ file.lastVoteEpoch >= before.lastVoteEpoch
  /\ IsMaster(before, before.me) => Me(file).configEpoch >= Me(before).configEpoch
\* INV: EP-P1, no epoch goes back while a node runs; its votes and claims survive a crash
EpochsMonotone ==
  [][\A n \in Node \ Gone :
       /\ (up[n] /\ up'[n]) => NeverBack(node[n], node'[n])
       /\ (up[n] /\ ~up'[n]) => Survives(node[n], node'[n])]_vars

\* INV: SC-1, a slot that its owner claims only goes to a node with a newer configEpoch.
\* Not in every scope: SETSLOT, and a role switch within a shard (SC-18), move slots at will.
SlotsGoToNewer ==
  [][\A n \in Node \ Gone : \A x, y \in Node :
       (up[n] /\ up'[n] /\ x # y /\ node'[n].nodes[y].configEpoch <= node[n].nodes[x].configEpoch)
         => node'[n].nodes[y].slots \cap node[n].nodes[x].slots \subseteq node[n].notClaiming]_vars

Running == {n \in Node \ Gone : up[n]}
Owners(v) == [s \in Slot |-> {x \in Node : s \in v.nodes[x].slots}]
\* All say the same of every slot: it has one owner, and who runs and is one is a master
AllAgree ==
  /\ \A n, m \in Running : Owners(node[n]) = Owners(node[m])
  /\ \A n \in Running, s \in Slot :
       \E x \in Node : Owners(node[n])[s] = {x} /\ (x \in Running => IsMaster(node[x], x))
\* Nothing is on its way, no heartbeat tells its receiver anything, nor does what it answers
Unmoved(n, v) == [v EXCEPT !.out = {}, !.save = FALSE] = node[n]
Answers(n, v) == \A m \in v.out : m.to = n /\ m.type = "UPDATE" => Unmoved(n, Updated(node[n], m))
AtRest ==
  /\ msgs = {}
  /\ \A n, peer \in Running :
       LET v == Heard(node[peer], Header(node[n]), {})
       IN n = peer \/ (Unmoved(peer, v) /\ Answers(n, v))
\* INV: SC-P2 where nobody is suspected: if no node has anything new to tell, all agree.
\* That a cluster comes to rest is not said here.
AgreementAtRest == AtRest => AllAgree

\* Witnesses: each must fail, or the claims above are made in vain
NobodyWins == \A n \in Node : won[n] = {}
NobodyIsDemoted == \A n \in Node \ Gone : IsMaster(Start[n], n) => IsMaster(node[n], n)
=============================================================================
