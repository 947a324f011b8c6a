------------------------------ MODULE MC_emptied ------------------------------
(***************************************************************************)
(* A has no slots and is a master; B, of its shard, has taken slot 0 over, *)
(* of which C has not heard.  D, the replica of C, was told by the stream  *)
(* that C has taken slot 2 from B, which C does not claim yet.             *)
(***************************************************************************)
EXTENDS MCRedisCluster

MCOrder == <<"A", "B", "C", "D">>
After == [A |-> AMaster({}, 1, "A"), B |-> AMaster({0, 2}, 2, "A"),
          C |-> AMaster({1}, 3, "C"), D |-> AReplica("C")]
Before == [After EXCEPT !["A"] = AMaster({0}, 1, "A"), !["B"] = AMaster({2}, 2, "A")]
Told == [After EXCEPT !["B"] = AMaster({0}, 2, "A"), !["C"] = AMaster({1, 2}, 3, "C")]
MCStart ==
  [n \in Node |->
     CASE n = "C" -> AView(n, Before)
       [] n = "D" -> Took(AView(n, Told), {2}, "B")
       [] OTHER -> AView(n, After)]
MCTalk == {<<"B", "A">>, <<"A", "C">>, <<"C", "D">>, <<"B", "C">>}
=============================================================================
