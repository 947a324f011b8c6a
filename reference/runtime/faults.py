"""What goes wrong between the nodes of one process: partitions, delays and losses on the bus."""

from collections.abc import Callable, Iterable

import attrs

from reference.clauses import clause

Way = tuple[int, int]
"""From which node to which, by their client ports."""


@attrs.define
class Loss:
    """Messages that do not arrive."""

    types: frozenset[str] = frozenset()  # as CLUSTER INFO calls them; none: of all types
    left: int | None = None  # how many more; None: all

    def takes(self, kind: str) -> bool:
        """Whether a message of this type is lost, which then counts."""
        if (self.types and kind not in self.types) or self.left == 0:
            return False
        if self.left is not None:
            self.left -= 1
        return True


@attrs.frozen(kw_only=True)
class FaultsView:
    """What is wrong at the moment."""

    groups: tuple[tuple[int, ...], ...]
    delays_ms: dict[Way, int]
    losses: dict[Way, Loss]


class Faults:
    """What each node of a cluster in one process asks before it hears or dials another."""

    def __init__(self) -> None:
        """Nothing is wrong."""
        self._groups: tuple[frozenset[int], ...] = ()
        self._delays: dict[Way, int] = {}
        self._losses: dict[Way, Loss] = {}

    @property
    def any(self) -> bool:
        """Whether anything is wrong."""
        return bool(self._groups or self._delays or self._losses)

    def view(self) -> FaultsView:
        """What is wrong."""
        return FaultsView(
            groups=tuple(tuple(sorted(group)) for group in self._groups),
            delays_ms=dict(self._delays),
            losses=dict(self._losses),
        )

    @clause("RT-42")
    def partition(self, groups: Iterable[Iterable[int]]) -> None:
        """Nodes of different groups do not hear each other; who is in none hears everybody."""
        self._groups = tuple(frozenset(group) for group in groups)

    def delay(self, way: Way, ms: int) -> None:
        """Messages this way arrive so much later, in their order; at once again with 0."""
        if ms:
            self._delays[way] = ms
        else:
            self._delays.pop(way, None)

    def lose(self, way: Way, loss: Loss) -> None:
        """These messages do not arrive."""
        self._losses[way] = loss

    def heal(self) -> None:
        """Nothing is wrong any more; what was lost stays lost."""
        self._groups = ()
        self._delays.clear()
        self._losses.clear()

    @clause("RT-42")
    def cut(self, one: int, other: int) -> bool:
        """Whether the two are on different sides of a partition."""
        sides = [
            next((number for number, group in enumerate(self._groups) if node in group), None)
            for node in (one, other)
        ]
        return None not in sides and sides[0] != sides[1]

    def loses(self, way: Way, kind: str) -> bool:
        """Whether a message of this type is lost on this way."""
        if self.cut(*way):
            return True
        loss = self._losses.get(way)
        return loss is not None and loss.takes(kind)

    def delay_of(self, way: Way) -> int:
        """By how many milliseconds a message is late on this way."""
        return self._delays.get(way, 0)


class NodeFaults:
    """The faults as one node sees them."""

    def __init__(self, faults: Faults, port: int, port_of: Callable[[str], int | None]) -> None:
        """`port_of` finds the node of a name, if it is one of this process."""
        self._faults = faults
        self._port = port
        self._port_of = port_of

    @property
    def any(self) -> bool:
        """Whether anything is wrong anywhere."""
        return self._faults.any

    def unreachable(self, node_id: str) -> bool:
        """Whether this node cannot dial the other."""
        other = self._port_of(node_id)
        return other is not None and self._faults.cut(self._port, other)

    def loses(self, node_id: str, kind: str) -> bool:
        """Whether a message of the other, of this type, does not arrive here."""
        other = self._port_of(node_id)
        return other is not None and self._faults.loses((other, self._port), kind)

    def delay_ms(self, node_id: str) -> int:
        """By how much messages of the other are late here."""
        other = self._port_of(node_id)
        return 0 if other is None else self._faults.delay_of((other, self._port))


NO_FAULTS = NodeFaults(Faults(), 0, lambda _: None)
"""For a node that is alone in its process."""
