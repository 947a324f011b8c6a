"""Programs that are begun while others wait.

Clauses: none, this is about the tests themselves.
"""

import signal
from pathlib import Path

import attrs

from tests.begun import Begun, Program
from tests.schedule import scope_of
from tests.support import wait_until

TEXT = "import sys; sys.stdout.write('said'); open(sys.argv[1], 'a').write('x'); sys.exit(3)"


def test_a_program_is_run_once_and_its_end_is_told() -> None:
    begun = Begun()
    program = Program(("-c", TEXT, "FOLDER/file"), used_by="")
    try:
        begun.begin([program, program])
        told = begun.done(program)

        assert (told.code, told.output) == (3, "said")
        assert begun.done(program) is told
        assert (told.folder / "file").read_text() == "x"
    finally:
        begun.end()
    assert not told.folder.exists()


def test_what_is_planned_is_run_when_it_is_asked_for() -> None:
    begun = Begun()
    program = Program(("-c", TEXT, "FOLDER/file"), used_by="")
    other = attrs.evolve(program, used_by="nobody")
    try:
        begun.plan([program])

        assert begun.has(program)
        assert not begun.has(other)
        assert begun.done(program).code == 3
    finally:
        begun.end()


def test_nothing_runs_on_after_the_end(tmp_path: Path) -> None:
    begun = Begun()
    endless = "import sys, threading; open(sys.argv[1], 'w'); threading.Event().wait()"
    first, second = (
        Program(("-c", endless, str(tmp_path / name)), used_by="") for name in ("first", "second")
    )
    begun.begin([first, second])
    wait_until((tmp_path / "first").exists, 60, what="the first runs")

    begun.end()

    assert begun.done(first).code == -signal.SIGKILL
    assert not (tmp_path / "second").exists()


def test_servers_are_tested_in_one_process_and_what_shares_a_program_in_one() -> None:
    assert scope_of("tests/interop/test_vote.py::test_x") == "servers"
    assert scope_of("tests/runtime/test_node.py::test_x[a::b]") == "servers"
    assert scope_of("tests/test_readme.py::test_x") == scope_of("tests/model/test_pins.py::test_y")
    assert scope_of("tests/unit/test_epochs.py::test_x") == "tests/unit/test_epochs.py::test_x"
