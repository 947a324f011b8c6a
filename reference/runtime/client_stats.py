"""What a node counts of its clients, for INFO."""

import time
from collections import Counter
from collections.abc import Iterator

import attrs

from reference.clauses import clause
from reference.runtime.client_replies import ClientReply
from reference.wire.resp import ErrorReply


@attrs.define
class Stats:
    """Counts since the start, or since CONFIG RESETSTAT (`server.stat_*`)."""

    started_s: float = attrs.field(factory=time.monotonic)
    connections: int = 0
    rejected: int = 0
    commands: int = 0
    errors: Counter[str] = attrs.field(factory=Counter)  # by their codes

    @clause("CM-92")
    def count(self, reply: ClientReply) -> None:
        """One more request was answered so. Counterpart: `call`, `afterErrorReply`."""
        self.commands += 1
        if type(reply) is ErrorReply:
            self.errors[reply.text.partition(" ")[0]] += 1

    def reset(self) -> None:
        """Nothing was counted yet. Counterpart: `resetServerStats`."""
        self.connections = self.rejected = self.commands = 0
        self.errors.clear()

    def lines(self) -> Iterator[str]:
        """The counts as INFO shows them in its section Stats."""
        yield f"total_connections_received:{self.connections}"
        yield f"total_commands_processed:{self.commands}"
        yield f"rejected_connections:{self.rejected}"
        yield f"total_error_replies:{self.errors.total()}"

    def error_lines(self) -> Iterator[str]:
        """The errors by code, as in the section Errorstats."""
        for code, count in sorted(self.errors.items()):
            yield f"errorstat_{code}:count={count}"
