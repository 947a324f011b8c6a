"""What is asked of numba and llvmlite beyond what they promise: kernels are kept as object files.

Clauses: none, the engine knows no protocol.
"""

import os
import subprocess
import sys
from pathlib import Path

import numba
import pytest

from model_check.engine import compiling
from model_check.engine.kernels.native import ADDRESS, Array

LOADS_IT = """
import sys
from model_check.engine import compiling
compiling.probe(sys.argv[1])
assert "numba" not in sys.modules
"""
SMALL = "resettle"


def test_a_compiled_kernel_is_kept_and_loaded_by_a_process_without_numba(tmp_path: Path) -> None:
    file = tmp_path / f"{SMALL}.fresh.o"

    compiling._compile(SMALL, file)

    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    subprocess.run([sys.executable, "-c", LOADS_IT, str(file)], check=True)


def test_each_kernel_that_is_used_is_in_a_file_for_the_next_time() -> None:
    for name in compiling.KERNELS:
        compiling.kernel(name)

        assert compiling._read(compiling._place() / f"{name}.{compiling._digest()}.o")


def test_a_file_that_cannot_be_loaded_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiling, "_PROBE", "raise SystemExit(1)")

    compiling._keep(b"no object file", tmp_path / f"{SMALL}.broken.o")

    assert list(tmp_path.iterdir()) == []


def test_a_kernel_that_calls_what_is_not_in_its_file_is_not_kept() -> None:
    def clear(d: Array) -> int:
        for at in range(1_000):  # of which the compiler makes a call of memset
            d[at] = 0
        return 0

    def first(d: Array) -> int:
        return d[0]

    kept = [
        compiling._object_code(numba.cfunc(numba.types.int64(ADDRESS))(each), "kernel") is not None
        for each in (clear, first)
    ]

    assert kept == [False, True]


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="files have no owner here")
def test_a_file_of_another_user_is_not_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "kernel.o"
    file.write_bytes(b"code")
    mine = os.getuid()

    assert compiling._read(file) == b"code"
    monkeypatch.setattr(os, "getuid", lambda: mine + 1)
    assert compiling._read(file) is None
    assert compiling._read(tmp_path / "none.o") is None
