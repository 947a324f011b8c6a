----------------------------- MODULE MC_late_votes -----------------------------
(***************************************************************************)
(* A is dead.  D stands in epoch 4; the votes of B and C for it are on     *)
(* their way.  E, the other replica, has heard of the election.            *)
(***************************************************************************)
EXTENDS MCRedisCluster

MCOrder == <<"A", "B", "C", "D", "E">>
MCNodes == [A |-> AMaster({0}, 1, "A"), B |-> AMaster({1}, 2, "B"), C |-> AMaster({2}, 3, "C"),
            D |-> AReplica("A"), E |-> AReplica("A")]
Voter(v) == [v EXCEPT !.currentEpoch = 4, !.lastVoteEpoch = 4]
MCStart ==
  [InFail(Agreed(MCNodes), "A") EXCEPT
     !["B"] = Voter(@), !["C"] = Voter(@), !["D"] = Stands(@, 4), !["E"].currentEpoch = 4]
MCStale == {Vote(MCStart[x], "D") : x \in {"B", "C"}}
=============================================================================
