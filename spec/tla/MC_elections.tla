----------------------------- MODULE MC_elections -----------------------------
(***************************************************************************)
(* A is dead, and all know it.  Its replica D may stand once; of the       *)
(* voters B and C, B may crash and come back.                              *)
(***************************************************************************)
EXTENDS MCRedisCluster

MCOrder == <<"A", "B", "C", "D">>
MCNodes == [A |-> AMaster({0}, 1, "A"), B |-> AMaster({1}, 2, "B"), C |-> AMaster({2}, 3, "C"),
            D |-> AReplica("A")]
MCStart == InFail(Agreed(MCNodes), "A")
MCCrashes == [n \in Node |-> IF n = "B" THEN 1 ELSE 0]
MCTalk == {<<"B", "D">>, <<"D", "B">>, <<"D", "C">>}
=============================================================================
