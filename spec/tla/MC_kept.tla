------------------------------- MODULE MC_kept -------------------------------
(***************************************************************************)
(* As MC_take_back: B has taken slot 0 from A, which has not heard of it,  *)
(* nor has C, with the configEpoch of A, so that A moves on.  But B        *)
(* remembers from whom it took the slot, where that is a rule.             *)
(***************************************************************************)
EXTENDS MCRedisCluster

MCOrder == <<"A", "B", "C">>
Before == [A |-> AMaster({0}, 1, "A"), B |-> AReplica("A"), C |-> AMaster({1}, 1, "C")]
After == [A |-> AMaster({}, 1, "A"), B |-> AMaster({0}, 2, "A"), C |-> AMaster({1}, 1, "C")]
MCStart == [n \in Node |-> IF n = "B" THEN Took(AView(n, After), {0}, "A") ELSE AView(n, Before)]
=============================================================================
