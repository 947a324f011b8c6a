"""Runs the unit tests of a core module against each of its mutants: `python -m tests.mutation.run`.

Nothing on disk is changed: each mutant lives in a process of its own, forked from one that has
loaded everything except the code under test.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import os
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FunctionType, ModuleType

import click
import pytest
from typing_extensions import override

from tests.mutation.known import TESTS, Known, read_known, source_of
from tests.mutation.operators import MODULE, Mutant, mutants

SURVIVORS = Path(__file__).with_name("survivors.md")
CPU_SECONDS = 60
"""A mutant that runs longer never ends."""


class _MutantLoader(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives out the mutant where the module is imported."""

    def __init__(self, name: str, code: str) -> None:
        self.name, self.code = name, code

    @override
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None, /
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.name:
            return None
        return importlib.util.spec_from_loader(fullname, self)

    @override
    def exec_module(self, module: ModuleType) -> None:
        exec(self.code, module.__dict__)  # noqa: S102  what this is for


def survives(module: str, code: str, *, afresh: bool = False) -> bool:
    """Whether the tests of the module pass with this code in its place.

    Afresh: everything is imported again. Else the functions that exist get the new code, which is
    much faster, but what was computed when the tests were imported stays.
    """
    child = os.fork()
    if child == 0:
        os._exit(_test(module, code, afresh=afresh))
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == pytest.ExitCode.OK


def _test(module: str, code: str, *, afresh: bool) -> int:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    name = f"reference.core.{module}"
    if afresh:
        for loaded in [known for known in sys.modules if known.startswith(("reference", "tests"))]:
            del sys.modules[loaded]
        sys.meta_path.insert(0, _MutantLoader(name, code))
    else:
        replace_functions(sys.modules[name], code)
    return _pytest(module)


def _pytest(module: str, *more: str) -> int:
    """What pytest says; one that knows neither of caches nor of other plugins starts faster."""
    absent = [f"no:{plugin}" for plugin in ("cacheprovider", "cov", "xdist", "hypothesispytest")]
    quiet = ["-x", "-q", "--assert=plain", "--tb=no", *(f"-p{plugin}" for plugin in absent)]
    return int(pytest.main([*quiet, *more, *(f"tests/unit/{name}" for name in TESTS[module])]))


def replace_functions(module: ModuleType, code: str) -> None:
    """The functions of the module have the code that they have in this text."""
    mutated: dict[str, object] = {"__name__": module.__name__}
    exec(code, mutated)  # noqa: S102  what this is for
    for name, new in mutated.items():
        old = vars(module).get(name)
        if isinstance(new, FunctionType) and new.__module__ == module.__name__:
            assert isinstance(old, FunctionType), name
            old.__code__, old.__defaults__ = new.__code__, new.__defaults__
            old.__kwdefaults__ = new.__kwdefaults__


def run_module(module: str) -> tuple[int, list[Mutant]]:
    """How many mutants the module has, and those that no test kills."""
    source = source_of(module)
    _pytest(module, "--collect-only", "-qq")  # so that all is loaded
    if not survives(module, source) or not survives(module, source, afresh=True):
        raise click.ClickException(f"the tests of {module} fail without any mutation")
    all_mutants = mutants(source)
    alive = []
    for mutant in all_mutants:
        outside = mutant.function == MODULE
        if not outside and not survives(module, mutant.code):
            continue
        if survives(module, mutant.code, afresh=True):
            alive.append(mutant)
            click.echo(f"{module}.{mutant.function} {mutant.operator}", err=True)
            click.echo(f"  - {mutant.before}\n  + {mutant.after}", err=True)
    return len(all_mutants), alive


def is_about(row: Known, module: str, mutant: Mutant) -> bool:
    """Whether the row explains that mutant of that module."""
    known = row.module, row.function, row.before, row.after
    return known == (module, mutant.function, mutant.before, mutant.after)


def section(module: str, count: int, alive: list[Mutant], known: list[Known]) -> str:
    """What survivors.md says of a module."""
    share = 100 * len(alive) / count
    lines = [
        f"## {module}",
        "",
        f"Tests: {', '.join(f'`{name}`' for name in TESTS[module])}.",
        f"{count} mutants, {count - len(alive)} killed, {len(alive)} survive ({share:.1f} %).",
        "",
    ]
    for mutant in alive:
        whys = [row.why for row in known if is_about(row, module, mutant)]
        why = whys[0] if whys else "**not explained**"
        lines += [
            f"- `{mutant.function}`, {mutant.operator}: {why}",
            "",
            "  ```diff",
            f"  -{mutant.before}",
            f"  +{mutant.after}",
            "  ```",
            "",
        ]
    return "\n".join(lines)


@click.command()
@click.argument("modules", nargs=-1, type=click.Choice(list(TESTS)))
def main(modules: tuple[str, ...]) -> None:
    """Run all mutants of the MODULES, or of all; survivors.md is written if it was all."""
    known, sections, bad, total, total_alive = read_known(), [], [], 0, 0
    for module in modules or TESTS:
        begun = time.monotonic()
        count, alive = run_module(module)
        seconds = time.monotonic() - begun
        sections.append(section(module, count, alive, known))
        total, total_alive = total + count, total_alive + len(alive)
        mine = [row for row in known if row.module == module]
        bad += [
            f"{module}: no reason for {mutant}"
            for mutant in alive
            if not any(is_about(row, module, mutant) for row in mine)
        ]
        bad += [
            f"{module}: does not survive: {row}"
            for row in mine
            if not any(is_about(row, module, mutant) for mutant in alive)
        ]
        click.echo(f"{module}: {count} mutants, {len(alive)} survive, {seconds:.0f} s")
    if not modules:
        SURVIVORS.write_text(page(sections, total, total_alive))
    if bad:
        raise click.ClickException("\n".join(bad))


def page(sections: list[str], total: int, alive: int) -> str:
    """The whole of survivors.md."""
    share = 100 * alive / total
    return "\n".join(
        [
            "<!-- written by python -m tests.mutation.run -->",
            "",
            "# Mutants that survive",
            "",
            f"{total} mutants, {total - alive} killed, {alive} survive ({share:.1f} %).",
            "Each survivor does what the code does; it is said why. How: [README.md](README.md).",
            "",
            *sections,
        ]
    )


if __name__ == "__main__":
    main()
