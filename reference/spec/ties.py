"""The functions of the code and the clauses that their `@clause` names."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs

_PACKAGE: Final = Path(__file__).parents[1]


@attrs.frozen
class Function:
    """A function or method of the code, and the clauses it is tied to."""

    module: str  # dotted
    name: str  # qualified within the module
    line: int
    ties: tuple[tuple[str, ...], ...]  # the ids of each @clause; there should be one at most

    @property
    def clauses(self) -> tuple[str, ...]:
        """The ids of the clauses that it realises."""
        return tuple(clause_id for ids in self.ties for clause_id in ids)

    @property
    def file(self) -> str:
        """Its file, from the folder in which the package lies."""
        return f"{self.module.replace('.', '/')}.py"

    @property
    def place(self) -> str:
        """Where a reader finds it, for messages."""
        return f"{self.file}:{self.line} {self.name}"

    @property
    def is_public(self) -> bool:
        """Whether other modules may call it."""
        return not any(part.startswith("_") for part in self.name.split("."))

    @property
    def short(self) -> str:
        """Its name with the module's last word, as the table shows it."""
        return f"{self.module.split('.')[-1]}.{self.name}"

    @property
    def path(self) -> Path:
        """Where its file is on this machine."""
        return _PACKAGE.parent / self.file


def functions_of(module: str, source: str) -> Iterator[Function]:
    """The functions that a module defines, with the methods and properties of its classes.

    Read from the text, so that nothing has to be installed to import it.
    """
    for node in ast.parse(source, filename=module).body:
        if isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef):
                    name = f"{node.name}.{member.name}"
                    yield Function(module, name, member.lineno, _ties(member))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield Function(module, node.name, node.lineno, _ties(node))


def _ties(function: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[tuple[str, ...], ...]:
    return tuple(
        tuple(str(ast.literal_eval(argument)) for argument in decorator.args)
        for decorator in function.decorator_list
        if isinstance(decorator, ast.Call)
        and isinstance(decorator.func, ast.Name)
        and decorator.func.id == "clause"
    )


def read_functions() -> list[Function]:
    """Every function of the package `reference`."""
    return [
        function
        for path in sorted(_PACKAGE.rglob("*.py"))
        for function in functions_of(
            ".".join(path.relative_to(_PACKAGE.parent).with_suffix("").parts),
            path.read_text(encoding="utf-8"),
        )
    ]
