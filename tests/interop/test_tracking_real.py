"""Clients that track keys hear the same from a real server and from a slotproof node.

Clauses: CM-110, CM-111, CM-112, CM-113.
"""

import re
import socket
from typing import Final

import pytest

from reference.wire.resp import encode_reply
from tests.support import LOOPBACK, Server

pytestmark = pytest.mark.interop

STORIES: Final = {
    "what was read": (
        "a HELLO 3", "a CLIENT TRACKING on", "a GET k", "b SET k 1", "b SET k 2",
        "a MGET {t}k {t}l", "b DEL {t}l {t}k", "b SET {t}l 1", "a GET {t}l", "b DEL {t}l",
        "a EXISTS n", "b SET n 1",
        "a SET w 1", "b SET w 2", "a GET k", "b FLUSHALL", "b SET k 1", "a CLIENT TRACKINGINFO",
        "a CLIENT GETREDIR", "a CLIENT TRACKING off", "a GET k", "b SET k 2", "b DEL k",
    ),
    "its own changes": (
        "a HELLO 3", "a CLIENT TRACKING on", "a GET k", "a SET k 1", "a GET k",
        "a MULTI;SET k 2;GET k;SET k 3;EXEC", "a CLIENT TRACKING on NOLOOP", "a GET k",
        "a SET k 4", "b SET k 5", "a GET k", "b SET k 5", "a FLUSHALL", "a GET k",
        "a CLIENT TRACKINGINFO",
    ),
    "when asked": (
        "a HELLO 3", "a CLIENT CACHING YES", "a CLIENT TRACKING on OPTIN", "a GET k", "b SET k 1",
        "a CLIENT CACHING NO", "a CLIENT CACHING FOO", "a CLIENT CACHING YES",
        "a CLIENT TRACKINGINFO", "a GET k", "b SET k 2", "a GET k", "b SET k 3",
        "a CLIENT CACHING YES", "a CLIENT CACHING YES;MULTI;GET k;GET {k}2;EXEC", "b SET k 4",
        "b SET {k}2 4", "a CLIENT TRACKING on OPTOUT", "a CLIENT TRACKING off",
        "a CLIENT TRACKING on OPTOUT", "a CLIENT CACHING YES", "a CLIENT CACHING NO", "a GET k",
        "b SET k 5", "a GET k", "b SET k 6", "b DEL k {k}2",
    ),
    "all of a kind": (
        "a HELLO 3", "a CLIENT TRACKING on BCAST PREFIX x: PREFIX y:", "b SET x:1 1", "b SET z:1 1",
        "b MSET x:{t} 1 y:{t} 2 z:{t} 3", "a SET y:1 1", "a CLIENT TRACKINGINFO",
        "a CLIENT TRACKING on", "a CLIENT TRACKING on BCAST PREFIX x:1",
        "a CLIENT TRACKING on BCAST PREFIX p PREFIX pq", "a CLIENT TRACKING on BCAST OPTIN",
        "a CLIENT TRACKING on BCAST PREFIX w NOLOOP", "a SET w1 1", "b SET w1 2", "b SET w1 3",
        "a MULTI;SET {t}2 1;SET {t}3 2;EXEC", "b FLUSHALL", "a CLIENT TRACKING off",
        "a CLIENT TRACKING on BCAST", "b SET any 1", "a SET any 2", "b DEL any",
        "a CLIENT TRACKING on PREFIX x", "a CLIENT TRACKING off", "a CLIENT TRACKING on PREFIX x",
        "a CLIENT TRACKING on OPTIN OPTOUT", "a CLIENT TRACKING on REDIRECT 99999",
        "a CLIENT TRACKING on REDIRECT x", "a CLIENT TRACKING on FOO", "a CLIENT TRACKING foo",
    ),
    "by way of another": (
        "c SUBSCRIBE __redis__:invalidate", "a CLIENT TRACKING on REDIRECT $c",
        "a CLIENT TRACKING on REDIRECT $c REDIRECT $c", "a CLIENT GETREDIR", "a GET k",
        "b SET k 1", "a GET k", "b FLUSHALL", "a CLIENT TRACKING on BCAST", "a CLIENT TRACKING off",
        "a CLIENT TRACKING on REDIRECT $c BCAST", "b MSET {t}1 1 {t}2 2", "a SET k 4", "b FLUSHALL",
        "a CLIENT TRACKING off", "a HELLO 3", "a CLIENT TRACKING on REDIRECT $c", "a GET k",
        "b CLIENT KILL ID $c", "b SET k 1", "a CLIENT TRACKINGINFO", "b DEL k",
    ),
    "without a way": ("a CLIENT TRACKING on", "a GET k", "b SET k 1", "a RESET", "b DEL k"),
    "what a script reads": (
        "a HELLO 3", "a CLIENT TRACKING on", "a EVAL_RO return(redis.call('get',KEYS[1])) 1 k",
        "b SET k 1", "a EVAL return(redis.call('get',KEYS[1])) 1 k", "b SET k 2",
        "a EVAL return(redis.call('incr',KEYS[1])) 1 k", "b SET k 3",
        "a HGETALL h", "b HSET h f v", "a XRANGE s - +", "b XADD s 1-1 f v", "a XRANGE s - +",
        "b XDEL s 1-1", "a TTL k", "b PEXPIRE k 100000", "a GET k", "b GETEX k PERSIST",
        "a GET {a}", "b RENAME k {k}", "a SSUBSCRIBE k", "a LRANGE l 0 -1", "b LPUSH l x",
        "a LRANGE l 0 -1", "b LPOP l", "b FLUSHALL",
    ),
}  # fmt: skip


class Ears:
    """Three clients of a server, all of whom are listened to."""

    def __init__(self, server: Server) -> None:
        self._clients = {
            name: socket.create_connection((LOOPBACK, server.port), timeout=10) for name in "abc"
        }
        self._said: dict[str, bytes] = dict.fromkeys("abc", b"")
        self._marks = 0
        ids = {name: self.ask(f"{name} CLIENT ID")[name] for name in "abc"}
        self._ids = {name: re.findall(rb":(\d+)", said)[0].decode() for name, said in ids.items()}

    def ask(self, line: str) -> dict[str, bytes]:
        """What each client hears once one of them has said this, without ids of connections."""
        who, words = line.split(" ", 1)
        for name, number in getattr(self, "_ids", {}).items():
            words = words.replace(f"${name}", number)
        requests = [request.encode().split() for request in words.split(";")]
        self._clients[who].sendall(b"".join(map(encode_reply, requests)))
        heard = {who: self._until_mark(who)}
        heard |= {name: self._until_mark(name) for name in "abc" if name != who}
        return {name: self._plain(said) for name, said in heard.items()}

    def _plain(self, said: bytes) -> bytes:
        for name, number in getattr(self, "_ids", {}).items():
            said = said.replace(b":" + number.encode() + b"\r\n", b":$" + name.encode() + b"\r\n")
        said = re.sub(rb"\$2\r\nid\r\n:\S+", b"", said)
        said = re.sub(rb"\$7\r\nmodules\r\n.*", b"", said, flags=re.DOTALL)
        return re.sub(rb"\$7\r\nversion\r\n\S+\r\n\S+", b"", said)

    def _until_mark(self, name: str) -> bytes:
        self._marks += 1
        mark = b"mark-%d" % self._marks
        said = b""
        try:
            self._clients[name].sendall(b"PING %b\r\n" % mark)
            while mark not in said:
                data = self._clients[name].recv(65536)
                if not data:
                    return said + b"<closed>"
                said += data
        except ConnectionError:
            return said + b"<closed>"
        return re.sub(rb"(\*2\r\n\$4\r\npong\r\n)?\$\d+\r\n" + mark + rb"\r\n", b"", said)

    def close(self) -> None:
        """All connections are closed."""
        for each in self._clients.values():
            each.close()


@pytest.mark.parametrize("name", STORIES)
def test_both_tell_the_same(pair: tuple[Server, Server], name: str) -> None:
    told = []
    for server in pair:
        ears = Ears(server)
        told.append([(line, ears.ask(line)) for line in STORIES[name]])
        ears.close()

    assert told[0] == told[1]
