---------------------------- MODULE MC_two_replicas ----------------------------
(***************************************************************************)
(* A is dead, and all know it.  Both of its replicas, D and E, may stand   *)
(* for the votes of B and C.  Nobody sends heartbeats.                     *)
(***************************************************************************)
EXTENDS MCRedisCluster

MCOrder == <<"A", "B", "C", "D", "E">>
MCNodes == [A |-> AMaster({0}, 1, "A"), B |-> AMaster({1}, 2, "B"), C |-> AMaster({2}, 3, "C"),
            D |-> AReplica("A"), E |-> AReplica("A")]
MCStart == InFail(Agreed(MCNodes), "A")
=============================================================================
