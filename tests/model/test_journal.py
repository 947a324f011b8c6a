"""A recorded run goes through the core again, and its properties are judged.

Clauses: EL-P1, SC-P1, EP-P1, RT-40.
"""

from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner

from model_check.journal import DamagedJournalError, Replay, replay_journal
from model_check.replay import command
from reference.core.events import ClusterBumpEpoch, ClusterReset, Received
from reference.core.messages import FailoverAuthAck
from reference.core.state import ClusterState
from reference.core.step import step
from reference.core.types import NodeId
from reference.wire.journal import (
    SCHEMA,
    Adjusted,
    Ended,
    Entry,
    Happened,
    Opened,
    Started,
    write_entry,
)
from tests.builders import A1, A2, A, B, C, candidate, cluster, says, slots, view

OPENED = Opened(schema=SCHEMA, version="0")


def _lines(*entries: Entry) -> list[str]:
    return [write_entry(entry) for entry in (OPENED, *entries)]


def _violated(done: Replay) -> dict[str, int]:
    return {violation.property_id: violation.line for violation in done.violations.values()}


def _vote(node: int, sender: NodeId, number: int) -> Happened:
    header = says(sender, current_epoch=4, config_epoch=number, claims=slots(number - 1))
    return Happened(node=node, event=Received(message=FailoverAuthAck(header=header)))


def test_a_quiet_run_holds() -> None:
    entries = [Started(node=n, state=s) for n, s in enumerate(cluster().values())]

    done = replay_journal(_lines(*entries, Happened(node=0, event=ClusterBumpEpoch())))

    assert (done.events, done.won, done.differences) == (1, 0, [])
    assert not done.violations
    assert not done.cut_off


def test_two_winners_of_one_epoch_are_found() -> None:
    started = [
        Started(node=number, state=candidate(name, voters=[B]))
        for number, name in enumerate((A1, A2))
    ]
    votes = [_vote(0, C, 3), _vote(1, C, 3)]

    done = replay_journal(_lines(*started, *votes))

    assert done.won == 2
    assert _violated(done)["EL-P1"] == 5
    assert _violated(done)["SC-P1"] == 5  # and both claim the slots of the master with that epoch


def test_equal_claims_are_found() -> None:
    double = attrs.evolve(view(B), myself_id=A)

    done = replay_journal(_lines(Started(node=0, state=view(A)), Started(node=1, state=double)))

    assert _violated(done) == {"SC-P1": 3}


def _restart(before: ClusterState, after: ClusterState) -> Iterator[Entry]:
    yield Started(node=0, state=before)
    yield Ended(node=0, state=before)
    yield Started(node=0, state=after)


def test_a_vote_that_a_crash_forgot_is_found() -> None:
    voted = attrs.evolve(view(A), last_vote_epoch=3)

    assert _violated(replay_journal(_lines(*_restart(voted, view(A))))) == {"EP-P1": 4}
    assert not replay_journal(_lines(*_restart(voted, voted))).violations


def test_a_hard_reset_makes_another_node() -> None:
    state = attrs.evolve(view(A1), last_vote_epoch=3)
    reset = ClusterReset(new_id=NodeId("z"), holds_keys=False)

    done = replay_journal(_lines(Started(node=0, state=state), Happened(node=0, event=reset)))

    assert not done.violations


def test_what_the_core_does_not_do_any_more_is_told() -> None:
    bumped, _ = step(view(A), ClusterBumpEpoch())
    run: list[Entry] = [Started(node=0, state=view(A)), Happened(node=0, event=ClusterBumpEpoch())]

    assert not replay_journal(_lines(*run, Ended(node=0, state=bumped))).differences
    assert replay_journal(_lines(*run, Ended(node=0, state=view(A)))).differences == [
        "line 4: node 0 ended in another state"
    ]


def test_a_state_that_no_event_has_made_is_taken_over() -> None:
    other = attrs.evolve(view(A), current_epoch=9)
    run: list[Entry] = [Started(node=0, state=view(A)), Adjusted(node=0, state=other)]

    done = replay_journal(_lines(*run, Ended(node=0, state=other)))

    assert not done.differences


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([*_lines(), "garbage\n", *_lines()], "line 2: "),
        (_lines(Happened(node=0, event=ClusterBumpEpoch())), "line 2: node 0 does not run"),
        (_lines(Started(node=0, state=view(A)), Ended(node=0, state=view(A)),
                Happened(node=0, event=ClusterBumpEpoch())), "line 4: node 0 does not run"),
    ],
)  # fmt: skip
def test_damaged_journals_are_refused(lines: list[str], reason: str) -> None:
    with pytest.raises(DamagedJournalError, match=reason):
        replay_journal(lines)


def test_a_last_line_that_is_cut_off_is_left_out() -> None:
    lines = _lines(Started(node=0, state=view(A)), Happened(node=0, event=ClusterBumpEpoch()))
    lines[-1] = lines[-1][:20]

    done = replay_journal(lines)

    assert done.cut_off
    assert done.events == 0


@pytest.mark.parametrize(("double", "code"), [(A, 1), (B, 0)])
def test_the_command_tells_journals_from_stories(tmp_path: Path, double: NodeId, code: int) -> None:
    file = tmp_path / "run.jsonl"
    states = [Started(node=0, state=view(A)), Started(node=1, state=view(B))]
    states[1] = Started(node=1, state=attrs.evolve(view(B), myself_id=double))
    file.write_text("".join(_lines(*states)))

    result = CliRunner().invoke(command, [str(file)])

    assert result.exit_code == code
    assert ("SC-P1 VIOLATED at line 3" in result.output) == bool(code)


def test_the_command_names_the_damage(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    file.write_text("".join([*_lines(), '{"is":"Popen"}\n']))

    result = CliRunner().invoke(command, [str(file)])

    assert result.exit_code == 2
    assert "line 2" in result.output
