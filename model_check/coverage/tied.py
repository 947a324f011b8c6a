"""The functions of the core that realise clauses, by the code object that runs."""

import importlib
from functools import cache
from types import CodeType
from typing import Final

from reference.clauses import CLAUSES_ATTRIBUTE
from reference.spec.ties import Function, read_functions

_CORE: Final = "reference.core."


@cache
def tied_functions() -> dict[CodeType, Function]:
    """Every function of the core with a @clause."""
    return {
        _code(each): each
        for each in read_functions()
        if each.module.startswith(_CORE) and each.clauses
    }


def _code(function: Function) -> CodeType:
    """The code of a function; a method's or a property's is found through its class."""
    found: object = importlib.import_module(function.module)
    for name in function.name.split("."):
        found = getattr(found, name)
    if isinstance(found, property):
        found = found.fget
    if getattr(found, CLAUSES_ATTRIBUTE, ()) != function.clauses:
        raise ValueError(f"{function.place} is not what its text says")
    code = getattr(found, "__code__", None)
    if not isinstance(code, CodeType):
        raise TypeError(f"{function.place} is no plain function")
    return code
