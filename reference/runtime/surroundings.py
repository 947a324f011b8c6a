"""What a node finds around it in its process, beside its options."""

from typing import Final, Protocol

import attrs

from reference.core.events import Event
from reference.core.state import ClusterState
from reference.runtime.bus.dialling_turns import DialSpace
from reference.runtime.faults import NO_FAULTS, NodeFaults


class Recorder(Protocol):
    """Who is told what happens to nodes, named by their client ports."""

    def started(self, node: int, state: ClusterState) -> None:
        """The node starts in this state."""

    def happened(self, node: int, event: Event) -> None:
        """The event is about to change the node's state."""

    def adjusted(self, node: int, state: ClusterState) -> None:
        """The node has this state now, and no event has made it so."""

    def ended(self, node: int, state: ClusterState) -> None:
        """The node does not run any more; this was its state."""


@attrs.frozen(kw_only=True)
class Surroundings:
    """Where its events are recorded, what goes wrong on its bus, and whom it has to spare."""

    journal: Recorder | None = None
    faults: NodeFaults = NO_FAULTS
    dial_space: DialSpace | None = None  # None: all that are due may be dialled


NO_SURROUNDINGS: Final = Surroundings()
"""For a node that is alone in its process."""
