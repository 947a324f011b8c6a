"""What takes a processor for minutes, begun while tests of real servers wait.

Those tests mostly wait: for time-outs, elections and heartbeats. These programs run beside them,
one after another and with a low priority, so that they take little from the servers. A test
that needs a result waits for it. Where no real servers are tested, or another process tests them
(`-n 2`), a program is run when its result is asked for.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

import attrs

ROOT: Final = Path(__file__).parent.parent
NOT_ABOUT_UNITS: Final = ("test_spec*", "test_bus_memory*")
"""Of other modules, or only on how much memory the same calls take, which tracing makes slow."""
COVERED: Final = ("reference.core", "reference.pacing", "reference.wire")
PATIENCE: Final = 3600
"""Seconds after which a test that waits for a program takes it for hung."""


@attrs.frozen
class Program:
    """A command, and the test file that needs it."""

    words: tuple[str, ...]  # `FOLDER` stands for a folder of this run
    used_by: str


@attrs.frozen
class Done:
    """How a program ended, and where it wrote files."""

    code: int
    output: str
    folder: Path


DEFAULT_RUN: Final = Program(
    ("-m", "tests.model.default_run", "FOLDER/found.json"), used_by="test_readme.py"
)
TYPES: Final = Program(("-m", "mypy"), used_by="test_quality.py")
UNIT_COVERAGE: Final = Program(
    (
        "-m", "pytest", "tests/unit", "-q", "-x", "-p", "no:cacheprovider",
        *(f"--ignore-glob=*/{pattern}" for pattern in NOT_ABOUT_UNITS),
        *(f"--cov={package}" for package in COVERED),
        "--cov-branch", "--cov-fail-under=100", "--cov-report=term-missing:skip-covered",
    ),
    used_by="test_coverage.py",
)  # fmt: skip
PROGRAMS: Final = (DEFAULT_RUN, UNIT_COVERAGE, TYPES)


class Begun:
    """Programs that are run once each, one after another."""

    def __init__(self) -> None:
        self._worker = ThreadPoolExecutor(1)
        self._futures: dict[Program, Future[Done]] = {}
        self._planned: set[Program] = set()
        self._changing = threading.Lock()
        self._running: subprocess.Popen[str] | None = None
        self._ended = False
        self._folder: Path | None = None

    def plan(self, programs: Iterable[Program]) -> None:
        """They will be asked for; nothing is run yet."""
        self._planned.update(programs)

    def begin(self, programs: Iterable[Program]) -> None:
        """They are run in this order, behind those that were begun before."""
        for program in programs:
            if program not in self._futures:
                self._futures[program] = self._worker.submit(self._run, program)

    def has(self, program: Program) -> bool:
        """Whether the program was begun, or will be."""
        return program in self._futures or program in self._planned

    def done(self, program: Program) -> Done:
        """How the program ended; it is waited for."""
        self.begin([program])
        return self._futures[program].result(PATIENCE)

    def end(self) -> None:
        """Nothing runs any more, and nothing that was written is left."""
        with self._changing:
            self._ended = True
            if self._running is not None:
                os.killpg(self._running.pid, signal.SIGKILL)
        self._worker.shutdown(cancel_futures=True)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: Program) -> Done:
        with self._changing:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="slotproof-begun-"))
            if self._ended:
                return Done(-signal.SIGKILL, "", self._folder)
            process = self._running = self._started(program, self._folder)
        output, _ = process.communicate()
        with self._changing:
            self._running = None
        return Done(process.returncode, output, self._folder)

    @staticmethod
    def _started(program: Program, folder: Path) -> "subprocess.Popen[str]":
        words = [word.replace("FOLDER", str(folder)) for word in program.words]
        return subprocess.Popen(
            ["nice", "-n", "10", sys.executable, *words],
            cwd=ROOT,
            env={**os.environ, "COVERAGE_FILE": str(folder / "coverage")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )


BEGUN: Final = Begun()
"""The programs of this run of the tests."""
