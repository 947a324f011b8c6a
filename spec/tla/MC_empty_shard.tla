---------------------------- MODULE MC_empty_shard ----------------------------
(***************************************************************************)
(* C has no slots and is dead.  Of its replicas D and E one may stand, and *)
(* E says that it is of another shard.                                     *)
(***************************************************************************)
EXTENDS MCRedisCluster

MCOrder == <<"A", "C", "D", "E">>
MCNodes == [A |-> AMaster({0}, 1, "A"), C |-> AMaster({}, 2, "C"), D |-> AReplica("C"),
            E |-> AReplica("C")]
MCStart == [InFail(Agreed(MCNodes), "C") EXCEPT
              !["E"].nodes["E"].shard = IF MCRules.shards THEN "X" ELSE None]
MCTalk == {<<"D", "A">>, <<"D", "E">>, <<"E", "D">>, <<"E", "A">>}
=============================================================================
