"""The kernels as machine code: compiled by numba once, kept, and loaded without numba ever after.

Importing numba and having it look up its own cache takes most of a second; what it made is loaded
by llvmlite, which comes with it, in some milliseconds. Private names of numba are used here and
nowhere else; `tests/model/test_engine_compiling.py` pins what is expected of them.
"""

import ctypes
import hashlib
import importlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

import llvmlite
import llvmlite.binding as llvm

Kernel = Callable[[int], int]
"""A kernel takes the address of its directory. It lets other threads run meanwhile."""

KERNELS: Final = {
    "expand": "expand",
    "absorb": "tables",
    "descend": "ends",
    "gather": "tables",
    "judge": "tables",
    "print_rows": "tables",
    "remember": "tables",
    "resettle": "tables",
    "sift": "tables",
    "spread": "ends",
}
"""Each kernel, and the module that it is in."""

_SOURCES: Final = Path(__file__).parent
_SIGNATURE: Final = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_size_t)
_PROBE: Final = "import sys; from model_check.engine import compiling; compiling.probe(sys.argv[1])"

_OUTSIDE: Final = ("llvm.memset", "llvm.memcpy", "llvm.memmove")
"""What the compiler makes of loops that fill or copy memory: calls that nobody would resolve."""

_loaded: dict[str, Kernel] = {}
_engines: list[Any] = []  # what is loaded lives as long as these


def kernel(name: str) -> Kernel:
    """The kernel, compiled if need be: the first time ever, that takes some seconds."""
    if name not in _loaded:
        path = _place() / f"{name}.{_digest()}.o"
        code = _read(path)
        _loaded[name] = _compile(name, path) if code is None else _load(code, name)
    return _loaded[name]


def probe(path: str) -> None:
    """The object file can be loaded in a process that knows nothing of numba."""
    file = Path(path)
    _load(file.read_bytes(), file.name.split(".", maxsplit=1)[0])


def _read(path: Path) -> bytes | None:
    """The object file; None if there is none, or none that this user alone could have written."""
    try:
        mine = path.stat().st_uid == os.getuid() if hasattr(os, "getuid") else True
        return path.read_bytes() if mine else None
    except OSError:
        return None


def _place() -> Path:
    """The folder of the object files: beside the sources, as for Python's own, or the user's."""
    beside = _SOURCES / "__pycache__"
    if os.access(beside if beside.is_dir() else _SOURCES, os.W_OK):
        return beside
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "slotproof"


@cache
def _digest() -> str:
    """What the machine code depends on."""
    digest = hashlib.sha256()
    sources = [*sorted((_SOURCES / "kernels").glob("*.py")), _SOURCES / "layout.py"]
    for source in [*sources, _SOURCES / "codes.py", Path(__file__)]:
        digest.update(source.read_bytes())
    for part in (
        llvm.get_process_triple(),
        llvm.get_host_cpu_name(),
        llvm.get_host_cpu_features().flatten(),
        llvmlite.__version__,
        sys.version,
    ):
        digest.update(part.encode() + b"\0")
    digest.update(_numba_version())
    return digest.hexdigest()[:16]


def _numba_version() -> bytes:
    """The file that says which numba this is: to import it, or its metadata, takes long."""
    found = importlib.util.find_spec("numba")
    places = [] if found is None else found.submodule_search_locations or []
    return b"".join(Path(place, "_version.py").read_bytes() for place in places)


def _load(code: bytes, name: str) -> Kernel:
    """The kernel in an object file."""
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _machine())
    engine.add_object_file(llvm.object_file.ObjectFileRef.from_data(code))
    engine.finalize_object()
    _engines.append(engine)
    return _SIGNATURE(engine.get_function_address(_symbol(name)))


def _machine() -> Any:  # noqa: ANN401  llvmlite has no types
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple().create_target_machine(opt=3, jit=True)


def _symbol(name: str) -> str:
    return f"slotproof_{name}"


def _compile(name: str, path: Path) -> Kernel:
    """The kernel, fresh from the compiler; it is kept in `path` if it can be."""
    numba = importlib.import_module("numba")
    native = importlib.import_module("model_check.engine.kernels.native")
    module = importlib.import_module(f"model_check.engine.kernels.{KERNELS[name]}")
    callback = numba.cfunc(numba.types.int64(native.ADDRESS), error_model="numpy")(
        getattr(module, name)
    )
    _engines.append(callback)
    code = _object_code(callback, _symbol(name))
    if code is not None:
        _keep(code, path)
    return _SIGNATURE(callback.address)


def _object_code(callback: Any, symbol: str) -> bytes | None:  # noqa: ANN401  numba has no types
    """The machine code of the function under that name; None if it can't be loaded alone."""
    try:
        library = callback._library  # noqa: SLF001
        module = llvm.parse_bitcode(library._final_module.as_bitcode())  # noqa: SLF001
        if any(function.name.startswith(_OUTSIDE) for function in module.functions):
            return None
        module.get_function(callback._wrapper_name).name = symbol  # noqa: SLF001
        return bytes(library._codegen._tm.emit_object(module))  # noqa: SLF001
    except (AttributeError, NameError, RuntimeError):
        return None


def _keep(code: bytes, path: Path) -> None:
    """The code is in the file, if a fresh process can load it and the folder can be written."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            written = Path(folder) / path.name
            written.write_bytes(code)
            done = subprocess.run(  # noqa: S603  this very interpreter, on a file just written
                [sys.executable, "-c", _PROBE, str(written)],
                cwd=_SOURCES.parent.parent,
                capture_output=True,
                check=False,
            )
            if done.returncode == 0:
                written.replace(path)
    except OSError:
        pass
