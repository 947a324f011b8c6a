"""The functions that a node can run, made of the libraries that are its data."""

import itertools
from collections.abc import Iterator
from typing import Final

import attrs

from reference.clauses import clause
from reference.runtime.libraries import Libraries, LibraryError, Source
from reference.runtime.scripts.lua import Declared, Lua, NoLuaError, ScriptError

_LOAD_LIMIT_S: Final = 0.5


@attrs.frozen
class Function:
    """A function of a library (`functionInfo`)."""

    declared: Declared
    place: tuple[int, int]  # the number of its library, and where in it

    @property
    def flags(self) -> frozenset[str]:
        """What it may do."""
        return frozenset(flag.lower() for flag in self.declared.flags)


@attrs.frozen
class Library:
    """A library that Lua has read (`functionLibInfo`)."""

    source: Source
    number: int
    functions: tuple[Function, ...]

    @property
    def names(self) -> set[str]:
        """What its functions are called, without regard to case."""
        return {each.declared.name.lower() for each in self.functions}


class Functions:
    """The functions of a node by name (`curr_functions_lib_ctx`)."""

    def __init__(self, libraries: Libraries) -> None:
        """None is read yet, and Lua is not started before one is."""
        self._libraries = libraries
        self._loaded: dict[str, Library] = {}
        self._lua: Lua | None = None
        self._numbers = itertools.count(1)

    @property
    def lua(self) -> Lua:
        """What they run in; NoLuaError if Lua is not installed."""
        if self._lua is None:
            self._lua = Lua()
        return self._lua

    @clause("RP-14")
    def load(self, source: Source, api: str, *, without: frozenset[str] = frozenset()) -> Library:
        """The library as Lua reads it, which is kept nowhere yet.

        ScriptError or LibraryError if it has no functions or those of another library, other than
        those without which it is to be. Counterpart: `functionsCreateWithLibraryCtx`.
        """
        number = next(self._numbers)
        declared = self.lua.load(source.body, number, api=api, limit=_LOAD_LIMIT_S)
        if not declared:
            raise LibraryError("No functions registered")
        functions = [Function(each, (number, place)) for place, each in enumerate(declared, 1)]
        library = Library(source, number, tuple(functions))
        for other in self:
            shared = library.names & other.names
            if other.source.name not in without and shared:
                self.lua.forget(number)
                names = [each.declared.name for each in functions]
                first = next(name for name in names if name.lower() in shared)
                raise LibraryError(f"Function {first} already exists")
        return library

    def keep(self, library: Library) -> None:
        """The library is one of the node's."""
        self._libraries.put(library.source)
        self._drop(library.source.name)
        self._loaded[library.source.name] = library

    def _drop(self, name: str) -> None:
        old = self._loaded.pop(name, None)
        if old is not None:
            self.lua.forget(old.number)

    def __iter__(self) -> Iterator[Library]:
        self._follow()
        return iter(list(self._loaded.values()))

    @clause("RP-14")
    def _follow(self) -> None:
        """What is loaded is what the node's libraries are, whoever has changed them."""
        sources = {source.name: source for source in self._libraries}
        for name, library in list(self._loaded.items()):
            if sources.get(name) != library.source:
                self._drop(name)
        for name, source in sources.items():
            if name not in self._loaded:
                number = next(self._numbers)
                try:
                    declared = self.lua.load(source.body, number, api="redis", limit=_LOAD_LIMIT_S)
                except ScriptError:
                    declared = []  # what a master has, and this node cannot run
                made = [Function(each, (number, place)) for place, each in enumerate(declared, 1)]
                self._loaded[name] = Library(source, number, tuple(made))

    def find(self, name: str) -> Function | None:
        """The function of this name, None if there is none."""
        wanted = name.lower()
        for library in self:
            for each in library.functions:
                if each.declared.name.lower() == wanted:
                    return each
        return None

    def flags_of(self, name: bytes) -> frozenset[str] | None:
        """The flags of the function of this name, None if it cannot be found."""
        try:
            function = self.find(name.decode("utf-8", "surrogateescape"))
        except NoLuaError:
            return None
        return None if function is None else function.flags

    def forget(self) -> None:
        """There are none, and nothing is left of what they did to Lua."""
        self._libraries.clear()
        self._loaded.clear()
        self._lua = None
