"""The libraries of functions that a node has, as their sources: they are data, like keys."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import attrs

from reference.clauses import clause
from reference.wire.rdb_functions import parse_functions
from reference.wire.rdb_strings import RdbError

_NAME: Final = re.compile(r"[A-Za-z0-9_]+")
_BAD_NAME: Final = (
    "Library names can only contain letters, numbers, or underscores(_) and must be at least one "
    "character long"
)
Request = list[bytes]


class LibraryError(Exception):
    """Why something is no library, or cannot be one here, in the servers' words."""


def check_name(name: str) -> None:
    """LibraryError if nothing can be called so. Counterpart: `functionsVerifyName`."""
    if not _NAME.fullmatch(name):
        raise LibraryError(_BAD_NAME)


@attrs.frozen
class Source:
    """A library by its source, whose first line says how it is called."""

    name: str
    code: bytes
    body: bytes  # what Lua gets: lines keep their numbers

    @classmethod
    def parse(cls, code: bytes) -> "Source":
        """The library; LibraryError if its first line is none.

        Counterpart: `functionExtractLibMetaData`.
        """
        if not code.startswith(b"#!"):
            raise LibraryError("Missing library metadata")
        head, newline, _ = code.partition(b"\n")
        if not newline:
            raise LibraryError("Invalid library metadata")
        text = head[2:].decode("utf-8", "surrogateescape")
        engine, *words = re.split(r"[ \t\r]+", text.rstrip())
        name: str | None = None
        for word in filter(None, words):
            if not word.lower().startswith("name="):
                raise LibraryError(f"Invalid metadata value given: {word}")
            if name is not None:
                raise LibraryError("Invalid metadata value, name argument was given multiple times")
            name = word[len("name=") :]
        if name is None:
            raise LibraryError("Library name was not given")
        check_name(name)
        if engine.lower() != "lua":
            raise LibraryError(f"Engine '{engine}' not found")
        return cls(name, code, code[len(head) :])


class Libraries:
    """Libraries by name (`functionsLibCtx`)."""

    def __init__(self) -> None:
        """There are none."""
        self._sources: dict[str, Source] = {}

    def __iter__(self) -> Iterator[Source]:
        return iter(self._sources.values())

    def __len__(self) -> int:
        return len(self._sources)

    def get(self, name: str) -> Source | None:
        """The library of this name, None if there is none."""
        return self._sources.get(name)

    @property
    def codes(self) -> tuple[bytes, ...]:
        """The sources of all."""
        return tuple(source.code for source in self)

    def put(self, source: Source) -> None:
        """The library is there, in the place of another of its name."""
        self._sources[source.name] = source

    def remove(self, name: str) -> bool:
        """It is not there; whether it was."""
        return self._sources.pop(name, None) is not None

    def clear(self) -> None:
        """There are none."""
        self._sources.clear()

    def become(self, codes: Iterable[bytes]) -> None:
        """They are these."""
        sources = [Source.parse(code) for code in codes]
        self.clear()
        for source in sources:
            self.put(source)

    @clause("RE-23")
    def apply(self, request: Sequence[bytes]) -> None:
        """A FUNCTION of a master's stream has been carried out; LibraryError if it makes no sense.

        Counterpart: `functionLoadCommand`, `functionRestoreCommand`.
        """
        match [request[1].upper() if len(request) > 1 else b"", *request[2:]]:
            case [b"LOAD", *_, code]:
                self.put(Source.parse(code))
            case [b"DELETE", name]:
                self.remove(name.decode("utf-8", "surrogateescape"))
            case [b"FLUSH", *_]:
                self.clear()
            case [b"RESTORE", payload, *policy]:
                try:
                    codes = parse_functions(payload)
                except RdbError as error:
                    raise LibraryError(str(error)) from error
                if policy and policy[0].upper() == b"FLUSH":
                    self.clear()
                for code in codes:
                    self.put(Source.parse(code))
            case _:
                raise LibraryError("a FUNCTION that is not in the right form")
