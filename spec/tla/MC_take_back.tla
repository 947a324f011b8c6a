----------------------------- MODULE MC_take_back -----------------------------
(***************************************************************************)
(* B has taken slot 0 from A, which is back and has not heard of it.  Nor  *)
(* has the observer C, which has the same configEpoch as A.  A has the     *)
(* smallest id, and so it is A that moves on.                              *)
(***************************************************************************)
EXTENDS MCRedisCluster

MCOrder == <<"A", "B", "C">>
Before == [A |-> AMaster({0}, 1, "A"), B |-> AReplica("A"), C |-> AMaster({1}, 1, "C")]
After == [A |-> AMaster({}, 1, "A"), B |-> AMaster({0}, 2, "A"), C |-> AMaster({1}, 1, "C")]
MCStart == [n \in Node |-> AView(n, IF n = "B" THEN After ELSE Before)]
=============================================================================
