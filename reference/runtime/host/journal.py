"""Where a run is recorded: every event of every node, in the order in which they happened."""

from importlib.metadata import version
from pathlib import Path

from reference.clauses import clause
from reference.core.events import Event
from reference.core.state import ClusterState
from reference.wire.journal import (
    SCHEMA,
    Adjusted,
    Ended,
    Entry,
    Happened,
    Opened,
    Started,
    write_entry,
)


class Journal:
    """A file of lines, open until `close`; OSError if it cannot be made.

    A line is in the file, though not on the disk, before its event is carried out: what a process
    leaves behind when it is killed can be replayed.
    """

    def __init__(self, path: Path) -> None:
        """The file is new, and says what it is."""
        self._file = path.open("w", encoding="utf-8", buffering=1)
        self._write(Opened(schema=SCHEMA, version=version("slotproof")))

    @clause("RT-40")
    def started(self, node: int, state: ClusterState) -> None:
        """The node, named by its client port, starts in this state."""
        self._write(Started(node=node, state=state))

    @clause("RT-40")
    def happened(self, node: int, event: Event) -> None:
        """The event is about to change the node's state."""
        self._write(Happened(node=node, event=event))

    @clause("RT-40")
    def adjusted(self, node: int, state: ClusterState) -> None:
        """The node has this state now, and no event has made it so."""
        self._write(Adjusted(node=node, state=state))

    @clause("RT-40")
    def ended(self, node: int, state: ClusterState) -> None:
        """The node does not run any more; this was its state."""
        self._write(Ended(node=node, state=state))

    def close(self) -> None:
        """The file is complete."""
        self._file.close()

    def _write(self, entry: Entry) -> None:
        self._file.write(write_entry(entry))
