----------------------------- MODULE MC_duplicates -----------------------------
(***************************************************************************)
(* A is dead, and all know it.  Its replica D may stand once, and may      *)
(* crash and come back.  What was ever sent may arrive again.              *)
(***************************************************************************)
EXTENDS MCRedisCluster

MCOrder == <<"A", "B", "C", "D">>
MCNodes == [A |-> AMaster({0}, 1, "A"), B |-> AMaster({1}, 2, "B"), C |-> AMaster({2}, 3, "C"),
            D |-> AReplica("A")]
MCStart == InFail(Agreed(MCNodes), "A")
MCCrashes == [n \in Node |-> IF n = "D" THEN 1 ELSE 0]
MCTalk == {<<"D", "B">>}
=============================================================================
