"""Audits of failures: who makes FAIL of a suspicion."""

from collections.abc import Iterator

from model_check.audit.situation import Breach, Situation, votes
from reference.core.effects import Happening, Refusal


def failures(here: Situation) -> Iterator[Breach]:
    """FD-6: a majority makes FAIL, or another name at its address (HS-6).

    What the same message says of slots is heard first, so the masters are those that it leaves.
    """
    replaced = {note.subject for note in here.noticed(Refusal.SENDER_MISMATCH)}
    for note in here.noticed(Happening.MARKED_FAIL):
        if note.subject in replaced and here.rules.mismatch_is_failure:
            continue
        subject = None if note.subject is None else here.after.nodes.get(note.subject)
        if subject is None:
            continue
        masters = sum(map(votes, here.after.nodes))
        told = len(subject.fail_reports) + here.before.myself.is_master
        if told * 2 <= masters:
            yield Breach(
                "FD-6",
                f"marks {note.subject} as FAIL with the word of {told} of {masters} masters",
            )
