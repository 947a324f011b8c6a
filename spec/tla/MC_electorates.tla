---------------------------- MODULE MC_electorates ----------------------------
(***************************************************************************)
(* D has replaced A, and the voters are D, B and C.  A, B and F have not   *)
(* heard of it: for them they are A, B and C.  C, D and E hold B for       *)
(* failed, whose replica E stands in epoch 5, with the votes of C and D.   *)
(* A, B and F hold C for failed, whose replica F may stand.                *)
(***************************************************************************)
EXTENDS MCRedisCluster

MCOrder == <<"A", "B", "C", "D", "E", "F">>
Table(a, d) == [A |-> a, B |-> AMaster({1}, 2, "B"), C |-> AMaster({2}, 3, "C"), D |-> d,
                E |-> AReplica("B"), F |-> AReplica("C")]
Before == Table(AMaster({0}, 1, "A"), AReplica("A"))
After == Table(AMaster({}, 1, "A"), AMaster({0}, 4, "A"))
Behind(n) == [AView(n, Before) EXCEPT !.currentEpoch = 4, !.nodes["C"].health = "fail"]
Ahead(n) == [AView(n, After) EXCEPT !.nodes["A"].health = "fail", !.nodes["B"].health = "fail"]
Voter(v) == [v EXCEPT !.currentEpoch = 5, !.lastVoteEpoch = 5]
MCStart == [n \in Node |-> CASE n \in {"A", "B", "F"} -> Behind(n)
                             [] n \in {"C", "D"} -> Voter(Ahead(n))
                             [] n = "E" -> Stands(Ahead(n), 5)]
MCStale == {Vote(MCStart[x], "E") : x \in {"C", "D"}}
=============================================================================
