------------------------------ MODULE MC_setslot ------------------------------
(***************************************************************************)
(* Slot 0, the only one of A, goes to B, which has the replica D.  The     *)
(* commands come in any order.                                             *)
(***************************************************************************)
EXTENDS MCRedisCluster

MCOrder == <<"A", "B", "D">>
MCNodes == [A |-> AMaster({0}, 1, "A"), B |-> AMaster({1}, 2, "B"), D |-> AReplica("B")]
MCStart == Agreed(MCNodes)
To(at, what, x) == [at |-> at, command |-> [what |-> what, slot |-> 0, node |-> x]]
MCCommands == {To("B", "IMPORTING", "A"), To("A", "MIGRATING", "B"),
               To("B", "NODE", "B"), To("A", "NODE", "B")}
=============================================================================
