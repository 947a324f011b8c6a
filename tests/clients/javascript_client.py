"""The cluster clients of ioredis and node-redis, each in a process of its own."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from tests.clients.clients import Heard

_FOLDER: Final = Path(__file__).parent / "javascript"
_REQUIRE: Final = "SLOTPROOF_REQUIRE_JAVASCRIPT"


def why_no_javascript() -> str:
    """What is missing to run these clients, or nothing."""
    if shutil.which("node") is None:
        return "no node on PATH"
    if not (_FOLDER / "node_modules").is_dir():
        return "not done: npm install --no-package-lock --prefix tests/clients/javascript"
    return ""


def need_javascript() -> None:
    """These clients can run; else the test is skipped if it may be."""
    reason = why_no_javascript()
    if reason and os.environ.get(_REQUIRE) == "1":
        pytest.fail(f"{reason}, and {_REQUIRE} is 1")
    if reason:
        pytest.skip(f"{reason} (set {_REQUIRE}=1 to fail instead)")


class JavaScriptError(Exception):
    """What the client could not do."""


class JavaScript:
    """The process of a client, which is told what to do line by line."""

    goes_on_listening = True
    errors: tuple[type[Exception], ...] = (JavaScriptError,)

    def __init__(self, library: str, port: int) -> None:
        """It is connected."""
        self._process = subprocess.Popen(
            ["node", _FOLDER / f"{library}.mjs"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._ask("open", port)

    def _ask(self, *request: object) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the client ended at {request}"
        told = json.loads(line)
        if "error" in told:
            raise JavaScriptError(told["error"])
        return told["value"]

    def set(self, key: str, value: str) -> None:
        """The key has the value."""
        self._ask("set", key, value)

    def get(self, key: str) -> str | None:
        """The value of the key."""
        value: str | None = self._ask("get", key)
        return value

    def pipelined(self, pairs: Mapping[str, str]) -> int:
        """The keys have these values and were read; how many replies there were."""
        return int(self._ask("pipelined", list(pairs.items())))

    def mset(self, pairs: Mapping[str, str]) -> None:
        """The keys, all of one slot, have these values."""
        self._ask("mset", list(pairs.items()))

    def mget(self, keys: Sequence[str]) -> list[str | None]:
        """The values of the keys, all of one slot."""
        values: list[str | None] = self._ask("mget", list(keys))
        return values

    def subscribe(self, channel: str, *, sharded: bool) -> None:
        """It listens."""
        self._ask("subscribe", channel, sharded)

    def publish(self, channel: str, message: str, *, sharded: bool) -> None:
        """The message is published."""
        self._ask("publish", channel, message, sharded)

    def heard(self) -> Heard:
        """All that it has heard by now."""
        return {(channel, message) for channel, message in self._ask("heard")}

    def scan(self, pattern: str) -> int:
        """How many keys of all masters are so."""
        return int(self._ask("scan", pattern))

    def confirm(self, key: str) -> int:
        """How many replicas have all that was written to the node of the key."""
        return int(self._ask("confirm", key))

    def close(self) -> None:
        """Its process is gone."""
        self._process.kill()
        self._process.communicate()
