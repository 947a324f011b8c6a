------------------------------ MODULE MC_observer ------------------------------
(***************************************************************************)
(* Slot 0 has moved from A to B, and since then A has a newer configEpoch. *)
(* C has heard of neither.                                                 *)
(***************************************************************************)
EXTENDS MCRedisCluster

MCOrder == <<"A", "B", "C">>
Table(a, b) == [A |-> a, B |-> b, C |-> AMaster({3}, 3, "C")]
Before == Table(AMaster({0, 1}, 1, "A"), AMaster({2}, 2, "B"))
Moved == Table(AMaster({1}, 1, "A"), AMaster({0, 2}, 4, "B"))
After == Table(AMaster({1}, 5, "A"), AMaster({0, 2}, 4, "B"))
MCStart == [n \in Node |-> AView(n, CASE n = "A" -> After [] n = "B" -> Moved [] n = "C" -> Before)]
=============================================================================
