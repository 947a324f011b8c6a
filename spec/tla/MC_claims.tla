------------------------------ MODULE MC_claims ------------------------------
(***************************************************************************)
(* A has taken slot 0 from C, which is back and has not heard of it.  Nor  *)
(* has the observer B, which has the same configEpoch as C.                *)
(***************************************************************************)
EXTENDS MCRedisCluster

MCOrder == <<"A", "B", "C">>
Before == [A |-> AReplica("C"), B |-> AMaster({1}, 1, "B"), C |-> AMaster({0}, 1, "C")]
After == [A |-> AMaster({0}, 2, "C"), B |-> AMaster({1}, 1, "B"), C |-> AMaster({}, 1, "C")]
MCStart == [n \in Node |-> AView(n, IF n = "A" THEN After ELSE Before)]
=============================================================================
