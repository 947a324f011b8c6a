------------------------------ MODULE TwoPhase ------------------------------
(***************************************************************************)
(* Two-phase commit after Gray and Lamport: a transaction manager and its  *)
(* resource managers agree to commit or to abort.  What was ever sent may  *)
(* be received at any time and again.                                      *)
(***************************************************************************)
CONSTANT RM

VARIABLES
  rm,        \* rm[r]: "working", "prepared", "committed" or "aborted"
  tm,        \* "init" or "done"
  heard,     \* the resource managers that the transaction manager knows to be prepared
  sent       \* all messages

vars == <<rm, tm, heard, sent>>

Ready(r) == [kind |-> "prepared", from |-> r]
Order(what) == [kind |-> what]

TPInit ==
  /\ rm = [r \in RM |-> "working"]
  /\ tm = "init"
  /\ heard = {}
  /\ sent = {}

HearReady(r) ==
  /\ tm = "init" /\ Ready(r) \in sent
  /\ heard' = heard \cup {r}
  /\ UNCHANGED <<rm, tm, sent>>

OrderCommit ==
  /\ tm = "init" /\ heard = RM
  /\ tm' = "done" /\ sent' = sent \cup {Order("commit")}
  /\ UNCHANGED <<rm, heard>>

OrderAbort ==
  /\ tm = "init"
  /\ tm' = "done" /\ sent' = sent \cup {Order("abort")}
  /\ UNCHANGED <<rm, heard>>

Prepare(r) ==
  /\ rm[r] = "working"
  /\ rm' = [rm EXCEPT ![r] = "prepared"] /\ sent' = sent \cup {Ready(r)}
  /\ UNCHANGED <<tm, heard>>

ChooseToAbort(r) ==
  /\ rm[r] = "working"
  /\ rm' = [rm EXCEPT ![r] = "aborted"]
  /\ UNCHANGED <<tm, heard, sent>>

Obey(r, what, outcome) ==
  /\ Order(what) \in sent
  /\ rm' = [rm EXCEPT ![r] = outcome]
  /\ UNCHANGED <<tm, heard, sent>>

TPNext ==
  \/ OrderCommit \/ OrderAbort
  \/ \E r \in RM :
       \/ HearReady(r) \/ Prepare(r) \/ ChooseToAbort(r)
       \/ Obey(r, "commit", "committed") \/ Obey(r, "abort", "aborted")

TPSpec == TPInit /\ [][TPNext]_vars

TCConsistent == \A a, b \in RM : ~(rm[a] = "aborted" /\ rm[b] = "committed")
=============================================================================
