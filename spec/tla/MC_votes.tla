------------------------------- MODULE MC_votes -------------------------------
(***************************************************************************)
(* A is dead, and its replica D may stand twice.  Each voter has something *)
(* else against it: B has voted in the epoch and has a configEpoch that D  *)
(* has not heard of; C is in a later epoch and knows of a newer claim to   *)
(* the slot; E does not see A in FAIL.                                     *)
(***************************************************************************)
EXTENDS MCRedisCluster

MCOrder == <<"A", "B", "C", "D", "E">>
MCNodes == [A |-> AMaster({0}, 1, "A"), B |-> AMaster({1}, 2, "B"), C |-> AMaster({2}, 3, "C"),
            D |-> AReplica("A"), E |-> AMaster({3}, 3, "E")]
MCStart ==
  [InFail(Agreed(MCNodes), "A") EXCEPT
     !["B"].currentEpoch = 4, !["B"].lastVoteEpoch = 4, !["B"].nodes["B"].configEpoch = 4,
     !["C"].currentEpoch = 5, !["C"].nodes["A"].configEpoch = 3,
     !["E"].nodes["A"].health = "ok"]
MCTalk == {<<"B", "D">>}
=============================================================================
