"""What a node counts of its clients, for INFO."""

import time
from collections import Counter
from collections.abc import Iterator

import attrs

from reference.clauses import clause
from reference.runtime.clients.slow_log import SlowLog
from reference.runtime.replies import ClientReply
from reference.wire.resp import ErrorReply


@attrs.define
class CommandStat:
    """What a command has come to (`redisCommand.calls` and its like)."""

    calls: int = 0
    spent_ns: int = 0
    rejected: int = 0  # before they were carried out
    failed: int = 0  # while they were

    def line(self, name: str) -> str:
        """The line of INFO. Counterpart: `genValkeyInfoStringCommandStats`."""
        us = self.spent_ns / 1000
        return (
            f"cmdstat_{name}:calls={self.calls},usec={int(us)},"
            f"usec_per_call={us / self.calls if self.calls else 0:.2f},"
            f"rejected_calls={self.rejected},failed_calls={self.failed}"
        )


@attrs.define
class Stats:
    """Counts since the start, or since CONFIG RESETSTAT (`server.stat_*`)."""

    started_s: float = attrs.field(factory=time.monotonic)
    connections: int = 0
    rejected: int = 0
    commands: int = 0
    errors: Counter[str] = attrs.field(factory=Counter)  # by their codes
    by_command: dict[str, CommandStat] = attrs.field(factory=dict)
    slow: SlowLog = attrs.field(factory=SlowLog)

    @clause("CM-92")
    def count(self, reply: ClientReply) -> None:
        """One more request was answered so. Counterpart: `call`, `afterErrorReply`."""
        self.commands += 1
        self.count_error(reply)

    def count_error(self, reply: ClientReply) -> None:
        """If the request was refused, it was for one more time with this code."""
        if type(reply) is ErrorReply:
            self.errors[reply.text.partition(" ")[0]] += 1

    def count_plain(self, name: str, spent_ns: int) -> None:
        """One more request for this command was carried out, and it did not fail."""
        self.commands += 1
        stat = self.of(name)
        stat.calls += 1
        stat.spent_ns += spent_ns

    def of(self, name: str) -> CommandStat:
        """What this command has come to; nothing yet if it was never asked for."""
        found = self.by_command.get(name)
        if found is None:
            found = self.by_command[name] = CommandStat()
        return found

    def reset(self) -> None:
        """Nothing was counted yet. Counterpart: `resetServerStats`."""
        self.connections = self.rejected = self.commands = 0
        self.errors.clear()
        self.by_command.clear()

    def lines(self) -> Iterator[str]:
        """The counts as INFO shows them in its section Stats."""
        yield f"total_connections_received:{self.connections}"
        yield f"total_commands_processed:{self.commands}"
        yield f"rejected_connections:{self.rejected}"
        yield f"total_error_replies:{self.errors.total()}"

    @clause("CM-92")
    def command_lines(self) -> Iterator[str]:
        """The commands that were asked for, as in the section Commandstats."""
        for name, stat in self.by_command.items():
            yield stat.line(name)

    def error_lines(self) -> Iterator[str]:
        """The errors by code, as in the section Errorstats."""
        for code, count in sorted(self.errors.items()):
            yield f"errorstat_{code}:count={count}"
