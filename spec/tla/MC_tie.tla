-------------------------------- MODULE MC_tie --------------------------------
(***************************************************************************)
(* A and B both own slot 0, with the same configEpoch, as each sees it.    *)
(***************************************************************************)
EXTENDS MCRedisCluster

MCOrder == <<"A", "B">>
Theirs(a, b) == [A |-> AMaster(a, 1, "A"), B |-> AMaster(b, 1, "B")]
MCStart == [n \in Node |-> AView(n, IF n = "A" THEN Theirs({0}, {1}) ELSE Theirs({}, {0, 1}))]
=============================================================================
