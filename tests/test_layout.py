"""Where things are, how long they may be, and who may import whom.

Clauses: none, this is about the project's files.
"""

import ast
import re
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.traceability import ROOT

MAX_FILE_LINES: Final = 499
MAX_FUNCTION_LINES: Final = 49
VALUES_ONLY: Final = {"__init__", "types", "messages", "events", "effects", "settings"}
"""The modules of the core without a unit-test file of their own: every other test builds them."""


def _sources() -> list[Path]:
    return [
        path
        for name in ("reference", "model_check", "tests")
        for path in (ROOT / name).rglob("*.py")
    ]


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _complain(complaints: list[str]) -> None:
    assert not complaints, "\n" + "\n".join(sorted(complaints))


def test_files_are_short() -> None:
    counts = {_name(p): len(p.read_text(encoding="utf-8").splitlines()) for p in _sources()}

    _complain([f"{name}: {n} lines" for name, n in counts.items() if n > MAX_FILE_LINES])


def test_functions_are_short() -> None:
    counts = [
        (f"{_name(path)}:{function.lineno} {function.name}", function)
        for path in _sources()
        for function in _functions(path)
    ]

    _complain(
        [
            f"{place}: {n} lines"
            for place, function in counts
            if (n := (function.end_lineno or function.lineno) - function.lineno + 1)
            > MAX_FUNCTION_LINES
        ]
    )


def test_modules_are_named_for_what_they_hold() -> None:
    vague = re.compile(r"(^|_)(helpers?|utils?|misc|common|manager)$")

    _complain([_name(path) for path in _sources() if vague.search(path.stem)])


def test_each_module_of_the_core_has_its_unit_tests() -> None:
    stems = {path.stem for path in (ROOT / "reference" / "core").glob("*.py")} - VALUES_ONLY

    _complain(
        [
            f"tests/unit/test_{stem}.py is missing"
            for stem in stems
            if not (ROOT / "tests" / "unit" / f"test_{stem}.py").exists()
        ]
    )


def test_no_file_names_a_place_on_one_machine() -> None:
    local = re.compile(r"(?<![\w.$}])/(?:work|home|root|Users)/\w")
    places = [*ROOT.glob("*.md"), ROOT / "pyproject.toml", *_sources()]
    for name in ("spec", ".ci", ".github"):
        places += [path for path in (ROOT / name).rglob("*") if path.is_file()]

    _complain(
        [
            f"{_name(path)}:{n}: {line.strip()}"
            for path in places
            if path.exists()
            for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
            if local.search(line)
        ]
    )


def test_imports_go_only_where_the_contracts_let_them() -> None:
    command = Path(sysconfig.get_path("scripts")) / "lint-imports"

    done = subprocess.run(
        [command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
