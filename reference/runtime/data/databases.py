"""What is said of keys and of who sees them change, whatever the engine behind the data is."""

from enum import Enum
from typing import Generic, Protocol, TypeVar

import attrs

from reference.core.slots import SlotSet

_Holder = TypeVar("_Holder")


class Unsure(Enum):
    """What is said of a key that only the engine can tell of."""

    UNSURE = "ask the engine"


@attrs.frozen
class Arrival(Generic[_Holder]):
    """Slots that are on their way to this node, and where their keys are until then."""

    slots: SlotSet
    keyspace: _Holder


class Observer(Protocol):
    """Who is told of each key whose value is another."""

    def changed(self, key: bytes, *, by_itself: bool) -> None:
        """The key has changed, or has gone; by itself: because its time is over."""

    def emptied(self) -> None:
        """Any key may have changed."""
