----------------------------- MODULE MC_suspicion -----------------------------
(***************************************************************************)
(* B and C may wait in vain for A, which runs.  B may crash and come back. *)
(***************************************************************************)
EXTENDS MCRedisCluster

MCOrder == <<"A", "B", "C">>
MCNodes == [A |-> AMaster({0}, 1, "A"), B |-> AMaster({1}, 2, "B"), C |-> AMaster({2}, 3, "C")]
MCStart == Agreed(MCNodes)
MCCrashes == [n \in Node |-> IF n = "B" THEN 1 ELSE 0]
MCSuspects == {<<"B", "A">>, <<"C", "A">>}
MCTalk == {<<"C", "B">>, <<"A", "B">>}
=============================================================================
