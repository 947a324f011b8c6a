"""The transcripts beside this file tell what happens; set SLOTPROOF_REWRITE=1 to renew them.

Clauses: EL-2, EL-4, EL-9, EL-11, EL-12, EL-13, EL-14, EP-4, EP-5, EP-6, FD-1, FD-6, FD-8, SC-4,
SC-6, SC-7, SC-11, SC-18, HS-1, HS-3, HS-4, HS-8.
"""

import os
from pathlib import Path

import pytest

from tests.scenarios.transcript import carried_out

TRANSCRIPTS = sorted(Path(__file__).parent.glob("*.txt"))


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_what_happens_is_what_the_transcript_tells(path: Path) -> None:
    told = path.read_text()

    happens = carried_out(told)

    if os.environ.get("SLOTPROOF_REWRITE"):
        path.write_text(happens)
    assert happens == path.read_text()


def test_there_are_transcripts() -> None:
    assert TRANSCRIPTS
