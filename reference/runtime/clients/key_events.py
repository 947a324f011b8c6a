"""The channels on which a node tells its clients what happens to keys."""

from collections.abc import Callable

from reference.clauses import clause
from reference.runtime.clients.channels import Channels
from reference.runtime.configuration.event_classes import ALL
from reference.runtime.data.key_events import Event


@clause("CM-120")
def teller(channels: Channels, letters: str) -> Callable[[Event], None] | None:
    """What tells of the events that these letters name; None if nobody is to be told.

    They are told at this node alone. Counterpart: `notifyKeyspaceEvent`.
    """
    classes = set(letters) | set(ALL if "A" in letters else "")
    by_key, by_event = "K" in classes, "E" in classes
    if not (by_key or by_event):
        return None

    def tell(event: Event) -> None:
        kind, name, key = event
        if kind not in classes:
            return
        if by_key:
            channels.deliver(b"__keyspace@0__:" + key, name.encode())
        if by_event:
            channels.deliver(b"__keyevent@0__:" + name.encode(), key)

    return tell
