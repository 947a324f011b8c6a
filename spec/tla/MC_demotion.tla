------------------------------ MODULE MC_demotion ------------------------------
(***************************************************************************)
(* D has replaced its master A, which comes back.  Neither A nor the       *)
(* observer B nor E, the other replica of A, has heard of it; E has asked  *)
(* for votes itself, for which nobody may vote any more.                   *)
(***************************************************************************)
EXTENDS MCRedisCluster

MCOrder == <<"A", "B", "D", "E">>
Before == [A |-> AMaster({0}, 1, "A"), B |-> AMaster({1}, 2, "B"), D |-> AReplica("A"),
           E |-> AReplica("A")]
After == [A |-> AReplicaIn("D", "A"), B |-> AMaster({1}, 2, "B"), D |-> AMaster({0}, 3, "A"),
          E |-> AReplica("A")]
MCStart == [[n \in Node |-> IF n = "D" THEN AView(n, After) ELSE Agreed(Before)[n]] EXCEPT
              !["E"].currentEpoch = 3, !["E"].election = [NoElection EXCEPT !.epoch = 3]]
MCTalk == {<<"D", "A">>, <<"A", "E">>, <<"E", "B">>, <<"B", "A">>, <<"E", "A">>, <<"E", "D">>,
           <<"B", "E">>, <<"D", "B">>}
=============================================================================
