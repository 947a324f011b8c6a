"""Users as Redis 7.0.15 and Valkey 9.1.2 have them: the same rules and requests, the same replies.

Clauses: US-1, US-2, US-3, US-4, US-5, US-6, US-7, US-9, US-10.
"""

import random
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import pytest

from reference.core.rules import REDIS_7_0, VALKEY_9_1
from reference.runtime.commands.dispatch import execute
from reference.runtime.replies import ClientReply, Push, SetReply, Several, Verbatim
from reference.wire.resp import ErrorReply, SimpleString
from tests.acl_words import REQUESTS, rules
from tests.interop.differential import Connection, Failure
from tests.runtime.room import Room
from tests.support import Workshop, wait_until

pytestmark = pytest.mark.interop

_RULES: Final = {"redis": REDIS_7_0, "valkey": VALKEY_9_1}
_ROUNDS: Final = 150
_STORY: Final = (
    "ACL LIST", "ACL GETUSER default", "ACL GETUSER nobody", "ACL USERS", "ACL WHOAMI",
    "ACL CAT foo", "ACL SETUSER u on >pw ~bar* &c* +@all -config +config|get", "AUTH u bad",
    "AUTH u pw", "ACL WHOAMI", "GET hello", "GET bar", "SET hello 1", "SET bar 1",
    "CONFIG SET timeout 0", "CONFIG GET nothing", "PUBLISH d x", "SPUBLISH d x", "SUBSCRIBE d",
    "PSUBSCRIBE c", "UNSUBSCRIBE d", "EVAL return(1) 1 hello", "MULTI", "GET hello", "EXEC",
    "MULTI", "GET bar", "ACL SETUSER u -get", "GET bar", "EXEC", "GET bar",
    "ACL SETUSER u +get", "GET bar", "MULTI", "ACL SETUSER u resetkeys", "GET bar", "EXEC",
    "MULTI", "ACL SETUSER u ~bar*", "EXEC", "MULTI", "GET bar", "PUBLISH c x",
    "ACL SETUSER u resetkeys ~x", "ACL SETUSER u resetchannels", "GET bar", "PUBLISH c x",
    "EXEC", "HELLO 2 AUTH nobody x", "ACL SETUSER u off", "AUTH u pw", "ACL LOG", "ACL LOG 1",
    "ACL LOG x", "ACL LOG -1", "ACL LOG 1 1", "ACL LOG RESET", "ACL LOG", "ACL LOAD",
    "ACL SAVE", "ACL GENPASS 0", "ACL GENPASS x", "ACL FOO", "ACL SETUSER", "ACL DELUSER",
    "ACL WHOAMI x", "ACL DELUSER default", "ACL DELUSER nobody", "CLIENT KILL USER nobody",
    "AUTH default x", "ACL DELUSER u nobody u", "AUTH u pw", "AUTH x", "AUTH a b c",
    "ACL USERS", "CONFIG SET requirepass pw", "ACL LIST", "CONFIG SET requirepass ''",
    "ACL LIST",
)  # fmt: skip


def _plain(reply: ClientReply) -> Any:
    """A reply of ours in the form in which a client of version 2 reads it."""
    match reply:
        case ErrorReply():
            return Failure(" ".join(re.split("[\r\n]", reply.text)))
        case SimpleString() | Verbatim():
            return reply.text
        case bytes():
            return reply.decode()
        case float():
            return repr(reply)
        case dict():
            return [_plain(part) for pair in reply.items() for part in pair]
        case SetReply() | Push():
            return [_plain(each) for each in reply.elements]
        case Several():
            return _plain(reply.replies[0])
        case list() | tuple():
            return [_plain(each) for each in reply]
        case _:
            return reply


def _as_sets(reply: Any) -> Any:
    """The same without the order of rules about commands, which Redis 7.0 has by chance."""
    if isinstance(reply, list):
        return [_as_sets(each) for each in reply]
    if isinstance(reply, str) and re.match(r"[+-]@all|user ", reply):
        return sorted(re.sub("[()]", r" \g<0> ", reply).split())
    return reply


def _with_short_form(reply: Any) -> Any:
    """US-3: the servers tell a pattern for all keys in a form that they do not take back."""
    if isinstance(reply, list):
        return [_with_short_form(each) for each in reply]
    return reply.replace("%RW~*", "~*") if isinstance(reply, str) else reply


class _Both:
    """A real server and a room of ours, which are asked the same."""

    def __init__(self, real: Connection, kind: str) -> None:
        self._real = real
        self._real.ask(["CLUSTER", "ADDSLOTSRANGE", "0", "16383"])
        self._room = Room(_RULES[kind])
        self._in_order = kind == "valkey"

    def ours(self, words: Sequence[str]) -> Any:
        """The reply of ours."""
        return _plain(execute(self._room.session(1), [word.encode() for word in words]))

    def real(self, words: Sequence[str]) -> Any:
        """The reply of the server."""
        return self._real.ask(words)

    def compare(self, words: Sequence[str]) -> None:
        """Both give the same reply."""
        real, ours = self.real(words), _with_short_form(self.ours(words))
        if not self._in_order:
            real, ours = _as_sets(real), _as_sets(ours)

        assert real == ours, words


@pytest.fixture(params=["redis", "valkey"])
def both(shop: Workshop, request: pytest.FixtureRequest) -> Iterator[_Both]:
    connection = Connection(shop.real(request.param).port)
    made = _Both(connection, request.param)
    wait_until(lambda: made.real(["GET", "bar"]) is None, 30, what="all slots are served")
    yield made
    connection.close()


def test_users_by_chance_are_told_and_kept_out_alike(both: _Both) -> None:
    chance = random.Random(2026)  # noqa: S311 - nothing is kept secret by it
    for _ in range(_ROUNDS):
        if chance.random() < 0.15:
            both.compare(["ACL", "DELUSER", "u"])
            both.compare(["ACL", "SETUSER", "u"])
        both.compare(["ACL", "SETUSER", "u", *rules(chance)])
        both.compare(["ACL", "GETUSER", "u"])
        both.compare(["ACL", "LIST"])
        for request in chance.sample(REQUESTS, 8):
            both.compare(["ACL", "DRYRUN", "u", *request])


def test_all_kinds_have_the_same_commands(both: _Both) -> None:
    both.compare(["ACL", "CAT"])
    for each in both.ours(["ACL", "CAT"]):
        words = ["ACL", "CAT", each]

        assert sorted(both.real(words)) == sorted(both.ours(words)), each


def _without_chance(reply: Any) -> Any:
    """An entry of the log without instants, and without what the two may know of a client."""
    if isinstance(reply, list) and reply[:1] == ["count"]:
        told = dict(zip(reply[::2], reply[1::2], strict=True))
        client = re.search("cmd=.* user=[^ ]*", told["client-info"])
        chance = {name: "" for name in told if "age" in name or "timestamp" in name}
        return told | chance | {"client-info": client and client[0]}
    return [_without_chance(each) for each in reply] if isinstance(reply, list) else reply


def test_both_refuse_the_same_with_the_same_words(both: _Both) -> None:
    for line in _STORY:
        words = [word.replace("''", "") for word in line.split()]
        real, ours = both.real(words), both.ours(words)

        assert _without_chance(real) == _without_chance(ours), line
