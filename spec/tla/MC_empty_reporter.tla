--------------------------- MODULE MC_empty_reporter ---------------------------
(***************************************************************************)
(* B and C may wait in vain for A, and C is a master without slots.        *)
(***************************************************************************)
EXTENDS MCRedisCluster

MCOrder == <<"A", "B", "C">>
MCNodes == [A |-> AMaster({0}, 1, "A"), B |-> AMaster({1}, 2, "B"), C |-> AMaster({}, 3, "C")]
MCStart == Agreed(MCNodes)
MCSuspects == {<<"B", "A">>, <<"C", "A">>}
MCTalk == {<<"C", "B">>, <<"B", "C">>}
=============================================================================
