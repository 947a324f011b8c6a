"""Several clients of one node, without connections: what each is answered and hears."""

import re
from typing import Any

from reference.core.rules import VALKEY_9_1, Rules
from reference.runtime.clients.session import Service, Session
from reference.runtime.commands.dispatch import execute
from reference.runtime.data.keyspace import Keyspace
from reference.runtime.replies import encode
from tests.runtime.node_double import MASTERS, REPLICA, NodeDouble, three_masters


class Ear:
    """An outlet that keeps what is sent."""

    def __init__(self) -> None:
        self.heard = b""
        self.unsent = 0

    def write(self, data: bytes) -> None:
        """It is kept."""
        self.heard += data

    answer = write

    def abort(self) -> None:
        """It is kept."""
        self.heard += b"<aborted>"


class Room:
    """A node whose clients are called by number."""

    def __init__(self, rules: Rules = VALKEY_9_1, *, replica: bool = False) -> None:
        me = REPLICA if replica else MASTERS[0]
        self.node = NodeDouble(three_masters(me, rules=rules))
        self.service = Service(node=self.node, keyspace=Keyspace())
        self.node.when_changed(self.service.follow_node)
        self.sessions: dict[int, Session] = {}

    def session(self, number: int) -> Session:
        """The client of this number."""
        if number not in self.sessions:
            made = Session(service=self.service, client_id=number, outlet=Ear())
            self.sessions[number] = made
            self.service.sessions.add(made)
        return self.sessions[number]

    def __call__(self, number: int, line: str) -> str:
        """The reply as words."""
        session = self.session(number)
        return words(encode(execute(session, line.encode().split()), session.protocol))

    def heard(self, number: int) -> str:
        """What the client has heard since it was last asked."""
        ear: Any = self.session(number).outlet
        heard, ear.heard = ear.heard, b""
        return words(heard)


def words(data: bytes) -> str:
    """The elements of replies, one after another."""
    return " ".join(re.sub(rb"\$\d+\r\n", b"", data).decode().split("\r\n")).strip()
