------------------------------- MODULE Paxos --------------------------------
(***************************************************************************)
(* Single-decree Paxos after Lamport.  All messages stay in one set that   *)
(* everyone may look at; a majority of acceptors is a quorum.              *)
(***************************************************************************)
EXTENDS Integers, FiniteSets

CONSTANTS Acceptor, Value, Ballot

None == -1
Quorum == {q \in SUBSET Acceptor : 2 * Cardinality(q) > Cardinality(Acceptor)}

VARIABLES
  joined,    \* joined[a]: the highest ballot the acceptor took part in
  accBal,    \* the ballot and the value that it accepted last
  accVal,
  sent

vars == <<joined, accBal, accVal, sent>>

Init ==
  /\ joined = [a \in Acceptor |-> None]
  /\ accBal = [a \in Acceptor |-> None]
  /\ accVal = [a \in Acceptor |-> None]
  /\ sent = {}

Send(m) == sent' = sent \cup {m}

Start(b) == Send([type |-> "1a", bal |-> b]) /\ UNCHANGED <<joined, accBal, accVal>>

Join(a) == \E m \in sent :
  /\ m.type = "1a" /\ m.bal > joined[a]
  /\ joined' = [joined EXCEPT ![a] = m.bal]
  /\ Send([type |-> "1b", acc |-> a, bal |-> m.bal, accBal |-> accBal[a], accVal |-> accVal[a]])
  /\ UNCHANGED <<accBal, accVal>>

Propose(b, v) ==
  /\ ~\E m \in sent : m.type = "2a" /\ m.bal = b
  /\ \E q \in Quorum :
       LET promises == {m \in sent : m.type = "1b" /\ m.acc \in q /\ m.bal = b}
           voted == {m \in promises : m.accBal >= 0}
       IN /\ \A a \in q : \E m \in promises : m.acc = a
          /\ \/ voted = {}
             \/ \E m \in voted : m.accVal = v /\ \A n \in voted : m.accBal >= n.accBal
  /\ Send([type |-> "2a", bal |-> b, val |-> v])
  /\ UNCHANGED <<joined, accBal, accVal>>

Accept(a) == \E m \in sent :
  /\ m.type = "2a" /\ m.bal >= joined[a]
  /\ joined' = [joined EXCEPT ![a] = m.bal]
  /\ accBal' = [accBal EXCEPT ![a] = m.bal]
  /\ accVal' = [accVal EXCEPT ![a] = m.val]
  /\ Send([type |-> "2b", acc |-> a, bal |-> m.bal, val |-> m.val])

Next ==
  \/ \E b \in Ballot : Start(b) \/ \E v \in Value : Propose(b, v)
  \/ \E a \in Acceptor : Join(a) \/ Accept(a)

Spec == Init /\ [][Next]_vars

Chosen == {v \in Value : \E b \in Ballot, q \in Quorum :
             \A a \in q : [type |-> "2b", acc |-> a, bal |-> b, val |-> v] \in sent}
Agreement == Cardinality(Chosen) <= 1
=============================================================================
