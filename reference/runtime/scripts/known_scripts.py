"""The scripts that a node knows."""

import re
from collections.abc import Sequence
from typing import Final

import attrs

from reference.runtime.scripts.lua import Lua, ScriptError, sha1

_SHEBANG: Final = re.compile(rb"#!([^\s]*)([^\n]*)")
_FLAGS: Final = {"no-writes", "allow-oom", "allow-stale", "no-cluster", "allow-cross-slot-keys"}


@attrs.frozen(kw_only=True)
class Script:
    """A script with what its first line says of it."""

    name: str
    code: bytes
    flags: frozenset[str] | None  # None: there is no such line, and nothing is asked of it

    @property
    def body(self) -> bytes:
        """What Lua gets: lines keep their numbers."""
        found = _SHEBANG.match(self.code)
        return self.code[found.end() :] if found else self.code


def script_of(code: bytes) -> Script:
    """The script; ScriptError if its first line is not understood."""
    found = _SHEBANG.match(code)
    if found is None:
        return Script(name=sha1(code), code=code, flags=None)
    if found[1] != b"lua":
        engine = found[1].decode("utf-8", "surrogateescape")
        raise ScriptError(f"ERR Unexpected engine in script shebang: {engine}")
    flags: list[str] = []
    for word in found[2].decode("utf-8", "surrogateescape").split():
        name, _, given = word.partition("=")
        if name != "flags":
            raise ScriptError(f"ERR Unknown lua shebang option: {word}")
        flags += given.split(",")
    for flag in flags:
        if flag not in _FLAGS:
            raise ScriptError(f"ERR Unexpected flag in script shebang: {flag}")
    return Script(name=sha1(code), code=code, flags=frozenset(flags))


class Scripts:
    """The scripts that a node knows by name (`lua`)."""

    def __init__(self) -> None:
        """None, and Lua is not started before one is to run."""
        self.known: dict[str, Script] = {}
        self._lua: Lua | None = None

    @property
    def lua(self) -> Lua:
        """What they run in; NoLuaError if Lua is not installed."""
        if self._lua is None:
            self._lua = Lua()
        return self._lua

    def learn(self, code: bytes) -> Script:
        """The script is known by its name from now on; ScriptError if it is none."""
        script = self.known.get(sha1(code))
        if script is None:
            script = script_of(code)
            reason = self.lua.why_not(script.body)
            if reason is not None:
                raise ScriptError(f"ERR Error compiling script (new function): {reason}")
            self.known[script.name] = script
        return script

    def flags_of(self, arguments: Sequence[bytes]) -> frozenset[str] | None:
        """The flags of the script that is asked for; None if it has none, or cannot be found."""
        if arguments[0].upper().startswith(b"EVALSHA"):
            known = self.known.get(arguments[1].decode("latin-1").lower())
            return None if known is None else known.flags
        if not arguments[1].startswith(b"#!"):
            return None
        try:
            return script_of(arguments[1]).flags
        except ScriptError:
            return None

    def forget(self) -> None:
        """No script is known, and nothing is left of what they did to Lua."""
        self.known.clear()
        self._lua = None
