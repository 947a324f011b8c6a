----------------------------- MODULE MC_late_role -----------------------------
(***************************************************************************)
(* A took slot 0 from C with epoch 2 and has moved on to 3, which B knows. *)
(* On their way to B are a heartbeat of A from the time in which it was a  *)
(* replica of C, and one of C, which follows A and knows of epoch 2.       *)
(***************************************************************************)
EXTENDS MCRedisCluster

MCOrder == <<"A", "B", "C">>
Old == [A |-> AReplica("C"), B |-> AMaster({1}, 1, "B"), C |-> AMaster({0}, 1, "C")]
New(epoch) == [A |-> AMaster({0}, epoch, "C"), B |-> AMaster({1}, 1, "B"), C |-> AReplica("A")]
Seen == [New(3) EXCEPT !["C"] = AMaster({}, 1, "C")]
Shards(nodes) == [nodes EXCEPT !["C"].shard = nodes["A"].shard]
MCStart == [n \in Node |-> AView(n, Shards(CASE n = "A" -> New(3) [] n = "B" -> Seen [] n = "C" -> New(2)))]
ToB(v) == [type |-> "PONG", to |-> "B", head |-> Header(v), pfail |-> {}]
MCStale == {ToB(AView("A", Old)), ToB(MCStart["C"])}
=============================================================================
