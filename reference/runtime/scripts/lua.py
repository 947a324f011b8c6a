"""Lua for scripts: a world of their own, in which they can only compute and call commands."""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs

from reference.clauses import clause
from reference.runtime.libraries import LibraryError, check_name
from reference.runtime.replies import ClientReply, encode
from reference.runtime.scripts.lua_packing import libraries
from reference.runtime.scripts.lua_world import WORLD
from reference.wire.resp import ErrorReply, SimpleString

_LOG: Final = logging.getLogger(__name__)
_MOST_MEMORY: Final = 256 * 1024 * 1024
"""Bytes that all scripts of a node may have between them."""

_LEVELS: Final = (logging.DEBUG, logging.INFO, logging.INFO, logging.WARNING)

_NULL: Final = b"\0null"

Call = Callable[[Sequence[bytes]], ClientReply]
"""Carries out a command of a script."""


_FLAGS: Final = frozenset(
    {"no-writes", "allow-oom", "allow-stale", "no-cluster", "allow-cross-slot-keys"}
)


@attrs.frozen
class Declared:
    """A function as its library declares it."""

    name: str
    description: str | None
    flags: tuple[str, ...]


class NoLuaError(Exception):
    """Lua is not installed."""


class ScriptError(Exception):
    """How a script has failed: the error its client is told."""


class Lua:
    """One runtime, for all scripts of a node."""

    def __init__(self) -> None:
        """Nothing has run in it; NoLuaError if there is no Lua."""
        try:
            from lupa import lua51  # noqa: PLC0415 - of an extra
        except ImportError as error:
            raise NoLuaError(
                "ERR scripts need Lua, which is not installed: pip install 'slotproof[lua]'"
            ) from error
        self._lua = lua51.LuaRuntime(
            encoding=None,
            unpack_returned_tuples=True,
            register_eval=False,
            register_builtins=False,
            attribute_filter=_no_attribute,
            max_memory=_MOST_MEMORY,
        )
        self._kind = lua51.lua_type
        self._failure = lua51.LuaError
        self._call: Call | None = None
        self._until = 0.0
        self._broken: Exception | None = None  # what a command has raised
        build = self._lua.compile(WORLD)
        members = build(
            self._call_command, _log, _sha1hex, _encoded, self._decoded, self._is_over,
            _is_flag, _why_no_name, self._packing(),
        )  # fmt: skip
        self._run, self._compile, self._library, self._function, self._forget = members[:5]
        self._collect, self._raw = members[5:]  # what a metatable does is the script's to wait for

    def _packing(self) -> object:
        """The libraries of `lua_packing` as tables of Lua."""
        made = self._lua.table_from
        found = libraries(made, self._kind)
        tables = {
            name.encode(): made({each.encode(): function for each, function in members.items()})
            for name, members in found.items()
        }
        return made(tables)

    def why_not(self, code: bytes) -> str | None:
        """What is wrong with the code, None if it can be run."""
        made = self._compile(code)
        return None if not isinstance(made, tuple) else _text(made[1])

    @clause("RP-12", "RP-13")
    def run(
        self,
        code: bytes,
        keys: Sequence[bytes],
        values: Sequence[bytes],
        call: Call,
        limit: float,
    ) -> ClientReply:
        """What the script returns within so many seconds; ScriptError with its error's text.

        Counterpart: `luaCallFunction`.
        """
        made = self._lua.table_from
        return self._carried_out(lambda: self._run(code, made(keys), made(values)), call, limit)

    @clause("RP-14")
    def load(self, code: bytes, number: int, *, api: str, limit: float) -> list[Declared]:
        """The functions that a library registers; it is kept by this number.

        ScriptError with why there are none. Counterpart: `luaEngineCreate`.
        """
        self._call, self._until = None, time.monotonic() + limit
        try:
            fine, found = self._library(code, number, api.encode())
        except (self._failure, MemoryError) as error:
            self._collect()
            raise ScriptError(f"ERR {' '.join(str(error).split())}") from None
        if fine:
            return [_declared(each) for each in found.values()]
        text = _text(self._raw(found, b"err") if self._kind(found) == "table" else found)
        compiling = self._kind(found) == "table" and self._raw(found, b"compiling")
        what = "compiling function" if compiling else "registering functions"
        raise ScriptError(f"ERR Error {what}: {text}")

    def forget(self, number: int) -> None:
        """The library of this number is gone."""
        self._forget(number)

    @clause("RP-14")
    def call_function(
        self,
        place: tuple[int, int],
        keys: Sequence[bytes],
        values: Sequence[bytes],
        call: Call,
        limit: float,
    ) -> ClientReply:
        """What the function returns, by its library's number and its place in it; as `run`."""
        made = self._lua.table_from
        return self._carried_out(
            lambda: self._function(*place, made(keys), made(values)), call, limit
        )

    def _carried_out(
        self, run: Callable[[], tuple[bool, Any]], call: Call, limit: float
    ) -> ClientReply:
        self._call, self._until = call, time.monotonic() + limit
        try:
            fine, result = run()
        except (self._failure, MemoryError) as error:
            self._collect()
            raise ScriptError(f"ERR {' '.join(str(error).split())}") from None
        finally:
            self._call = None
        if not fine:  # what is left of it may be all the memory that scripts have
            self._collect()
        if self._broken is not None:
            broken, self._broken = self._broken, None
            raise broken
        if fine:
            return self._reply(result)
        if self._kind(result) != "table":
            raise ScriptError(f"ERR {_text(result)} script: {{}}")
        text, line = self._raw(result, b"err"), self._raw(result, b"line")
        if not isinstance(text, bytes):
            raise ScriptError("ERR unknown error")
        if self._raw(result, b"compiling"):
            raise ScriptError(f"ERR Error compiling script (new function): {_text(text)}")
        place = "" if line is None else f", on {_text(self._raw(result, b'source'))}:{int(line)}."
        raise ScriptError(f"{_text(text)} script: {{}}{place}")

    def _is_over(self) -> bool:
        return time.monotonic() > self._until

    def _call_command(self, *words: object) -> tuple[object, ...]:
        """A reply for Lua: its kind and its value."""
        if not words:
            return b"err", b"ERR Please specify at least one argument for this redis lib call"
        if any(type(word) not in (bytes, int, float) for word in words) or self._call is None:
            return b"err", b"ERR Lua redis lib command arguments must be strings or integers"
        arguments = [word if isinstance(word, bytes) else _number(word) for word in words]
        try:
            return self._pair(encode(self._call(arguments), 2))[:2]
        except Exception as error:  # noqa: BLE001 - no object of Python may reach the script
            self._broken = error
            return b"err", b"ERR internal error"

    def _pair(self, data: bytes, at: int = 0) -> tuple[bytes, object, int]:
        """The kind and the value that Lua makes of a reply in version 2, and where it ends.

        Counterpart: `redisProtocolToLuaType`.
        """
        end = data.index(b"\r\n", at)
        mark, text, end = data[at : at + 1], data[at + 1 : end], end + 2
        if text == b"-1" and mark in b"$*":
            return b"nothing", None, end
        match mark:
            case b"+":
                return b"ok", text, end
            case b"-":
                return b"err", text, end
            case b":":
                return b"plain", int(text), end
            case b"$":
                stop = end + int(text)
                return b"plain", data[end:stop], stop + 2
            case _:
                pass
        members: dict[object, object] = {b"n": int(text)}
        for place in range(1, int(text) + 1):
            members[2 * place - 1], members[2 * place], end = self._pair(data, end)
        return b"list", self._lua.table_from(members), end

    def _reply(self, value: Any) -> ClientReply:  # noqa: ANN401 - of Lua
        """What a script returns, as a reply. Counterpart: `luaReplyToRedisReply`."""
        if value is None or value is False:
            return None
        if value is True:
            return 1
        if isinstance(value, bytes):
            return value
        if isinstance(value, int | float):
            return int(value)
        if self._kind(value) != "table":
            return None
        return self._table(value, 0)

    def _table(self, table: Any, depth: int) -> ClientReply:  # noqa: ANN401 - of Lua
        if isinstance(error := self._raw(table, b"err"), bytes):
            return ErrorReply(_one_line(error.removeprefix(b"-")))
        if isinstance(status := self._raw(table, b"ok"), bytes):
            return SimpleString(_one_line(status))
        if isinstance(number := self._raw(table, b"double"), int | float):
            return float(number)
        found: list[ClientReply] = []
        while (member := self._raw(table, len(found) + 1)) is not None:
            if self._kind(member) == "table":
                deep = ErrorReply("ERR reached lua stack limit")
                found.append(self._table(member, depth + 1) if depth < 200 else deep)
            else:
                found.append(self._reply(member))
        return found

    def _decoded(self, text: bytes) -> tuple[object, ...]:
        try:
            return self._lua_value(json.loads(text)), None
        except (ValueError, RecursionError, OverflowError) as error:
            return None, str(error).encode()

    def _lua_value(self, value: object) -> object:
        if isinstance(value, str):
            return value.encode("utf-8", "surrogateescape")
        if isinstance(value, list):
            return self._lua.table_from([self._lua_value(each) for each in value])
        if isinstance(value, dict):
            pairs = {self._lua_value(name): self._lua_value(each) for name, each in value.items()}
            return self._lua.table_from(pairs)
        if value is None or isinstance(value, bool):
            return _NULL if value is None else value
        assert isinstance(value, int | float)  # noqa: S101 - JSON has nothing else
        return float(value)


def _declared(each: Any) -> Declared:  # noqa: ANN401 - of Lua
    described = each[b"description"]
    return Declared(
        name=_text(each[b"name"]),
        description=None if described is None else _text(described),
        flags=tuple(_text(flag) for flag in each[b"flags"].values()),
    )


def _is_flag(word: bytes) -> bool:
    return _text(word).lower() in _FLAGS


def _why_no_name(name: bytes) -> bytes | None:
    try:
        check_name(_text(name))
    except LibraryError as error:
        return str(error).encode()
    return None


def _no_attribute(_thing: object, _name: object, _setting: bool) -> object:  # noqa: FBT001 - Lua's
    raise AttributeError("scripts see nothing of Python")


def _number(value: object) -> bytes:
    assert isinstance(value, int | float)  # noqa: S101 - the caller has looked
    whole = float(value).is_integer() and abs(value) < 2**63
    return b"%d" % int(value) if whole else f"{value:.17g}".encode()


def _log(level: object, text: bytes) -> None:
    known = isinstance(level, int | float) and 0 <= level < len(_LEVELS)
    _LOG.log(_LEVELS[int(level)] if known else logging.INFO, "%s", _text(text))  # type: ignore[call-overload]


def _sha1hex(text: bytes) -> bytes:
    return sha1(text).encode()


def sha1(code: bytes) -> str:
    """The name of a script."""
    return hashlib.sha1(code, usedforsecurity=False).hexdigest()


def _encoded(text: bytes) -> bytes:
    return json.dumps(text.decode("utf-8", "surrogateescape"), ensure_ascii=False).encode(
        "utf-8", "surrogateescape"
    )


def _text(raw: object) -> str:
    return raw.decode("utf-8", "surrogateescape") if isinstance(raw, bytes) else str(raw)


def _one_line(raw: bytes) -> str:
    return _text(raw).replace("\r", " ").replace("\n", " ")
