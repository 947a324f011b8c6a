--------------------------- MODULE MC_stale_request ---------------------------
(***************************************************************************)
(* A is dead.  D stands in epoch 4; the votes of B and C for it are on     *)
(* their way.  E, the other replica, has not heard of it.  F, a master     *)
(* without slots, knows of epoch 5 already, and tells B and C.             *)
(***************************************************************************)
EXTENDS MCRedisCluster

MCOrder == <<"A", "B", "C", "D", "E", "F">>
MCNodes == [A |-> AMaster({0}, 1, "A"), B |-> AMaster({1}, 2, "B"), C |-> AMaster({2}, 3, "C"),
            D |-> AReplica("A"), E |-> AReplica("A"), F |-> AMaster({}, 0, "F")]
Voter(v) == [v EXCEPT !.currentEpoch = 4, !.lastVoteEpoch = 4]
MCStart ==
  [InFail(Agreed(MCNodes), "A") EXCEPT
     !["B"] = Voter(@), !["C"] = Voter(@), !["D"] = Stands(@, 4), !["F"].currentEpoch = 5]
MCStale == {Vote(MCStart[x], "D") : x \in {"B", "C"}}
MCTalk == {<<"F", "B">>, <<"F", "C">>}
=============================================================================
