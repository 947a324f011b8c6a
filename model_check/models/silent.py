"""Nodes of which each says what it must and nothing else, so that few of their states differ."""

from collections.abc import Iterable

from typing_extensions import override

from model_check.models.cluster import ClusterSystem, ModelEvent
from model_check.system import Move
from reference.core.state import ClusterState


class SilentSystem(ClusterSystem):
    """Nodes that say nothing unless they are asked: no heartbeat is heard."""

    @override
    def _heartbeats(self, node: ClusterState) -> Iterable[Move[ModelEvent]]:
        return ()
