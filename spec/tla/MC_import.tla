------------------------------- MODULE MC_import -------------------------------
(***************************************************************************)
(* Slot 0 is on its way from A to B.  D, a replica of A, has replaced A,   *)
(* and nobody else has heard of it.                                        *)
(***************************************************************************)
EXTENDS MCRedisCluster

MCOrder == <<"A", "B", "D">>
Before == [A |-> AMaster({0, 2}, 1, "A"), B |-> AMaster({1}, 2, "B"), D |-> AReplica("A")]
After == [A |-> AMaster({}, 1, "A"), B |-> AMaster({1}, 2, "B"), D |-> AMaster({0, 2}, 3, "A")]
MCStart ==
  [n \in Node |->
     IF n = "D" THEN AView(n, After)
     ELSE IF n = "A" THEN [Agreed(Before)[n] EXCEPT !.migrating[0] = "B"]
     ELSE [Agreed(Before)[n] EXCEPT !.importing[0] = "A"]]
To(at, what, slot, x) == [at |-> at, command |-> [what |-> what, slot |-> slot, node |-> x]]
MCCommands == {To("A", "NODE", 0, "B"), To("A", "MIGRATING", 2, "A"), To("B", "STABLE", 0, None)}
MCTalk == {<<"A", "B">>, <<"D", "B">>, <<"B", "A">>, <<"D", "A">>}
=============================================================================
