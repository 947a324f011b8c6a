"""Links that keep what is sent in boxes: queues of channels, or sets of receivers, as numbers.

Columns: the local state of each process, the budgets, the content of each box.
"""

from collections.abc import Callable
from typing import Any

from model_check.engine.budgets import Budgets
from model_check.engine.contents import (
    EMPTY,
    Contents,
    FifoContents,
    FlightContents,
    SetContents,
)
from model_check.engine.directory import Directory
from model_check.engine.layout import (
    BOX_RECEIVERS,
    BOXED_LINKS,
    BOXES,
    BREAK_COST,
    BREAKS,
    BUDGET_COLUMN,
    CAPACITY,
    CLEARED,
    CONTENTS,
    CROWDED,
    FIRST_BOX,
    LINKS,
    LOSSY,
    NOTHING,
    PARCEL_WIDTH,
    PARCELS,
    WAYS,
)
from model_check.engine.local import LocalTables
from model_check.engine.sheets import Sheet
from model_check.engine.symmetry import FIRST_CONTENT, UNCHANGED
from model_check.links import BREAK as BREAK_BUDGET
from model_check.links import CROWDED_LANE, FifoLinks, FlightLinks, SetLinks
from model_check.system import Channel, System


class BoxTables:
    """What lies in a system's boxes, and what can become of it."""

    def __init__(
        self,
        system: System[Any, Any, Any],
        links: FifoLinks | FlightLinks | SetLinks,
        local: LocalTables,
        budgets: Budgets,
    ) -> None:
        self._system = system
        self._links = links
        self._local = local
        self._break_cost = budgets.cost(BREAK_BUDGET) if BREAK_BUDGET in system.budgets else 0
        self._budget_column = len(system.processes)
        self._contents: Contents
        if isinstance(links, FifoLinks):
            self._contents = FifoContents(local, links)
        elif isinstance(links, SetLinks):
            self._contents = SetContents(local)
        else:
            self._contents = FlightContents(local, links)
        self._parcels = Sheet(PARCEL_WIDTH)  # those of a batch are consecutive
        self._batches = 0  # that have their parcels
        self._receivers = Sheet()  # of each box

    @property
    def ordered(self) -> bool:
        """Whether the order in which one step sends decides anything."""
        return isinstance(self._links, FifoLinks)

    @property
    def columns(self) -> int:
        """How many columns a row has by now."""
        return self._budget_column + 1 + len(self._contents.receivers())

    def initial(self) -> list[int]:
        """The row of the initial state.

        Raises ValueError if there is no room for the initial messages.
        """
        states = [self._local.state(p, value) for p, value in enumerate(self._system.initial())]
        boxes: dict[int, int] = {}
        for sender, send in self._system.initial_messages():
            envelope = self._local.alphabet.envelope(sender, send)
            if self._contents.cleared_when_down and self._local.is_down(states[send.dest]):
                continue
            box = self._contents.box_of(envelope)
            parcel = self._local.alphabet.parcels.add((envelope,))
            boxes[box] = self._contents.append(boxes.get(box, EMPTY), parcel)
            if boxes[box] == NOTHING:
                raise ValueError(f"no room for the initial message {send}")
        if isinstance(self._links, FlightLinks) and self._too_much(self._links):
            raise ValueError("no room for the initial messages")
        count = len(self._contents.receivers())
        return [*states, 0, *(boxes.get(box, EMPTY) for box in range(count))]

    def _too_much(self, links: FlightLinks) -> bool:
        """Whether there is no room for the initial messages to those who are up."""
        flying = {
            (send.dest, send.lane, send.message)
            for _, send in self._system.initial_messages()
            if not self._system.is_down(send.dest, self._system.initial()[send.dest])
        }
        crowd = sum(lane == CROWDED_LANE for _, lane, _ in flying)
        return len(flying) > links.capacity or (links.crowded is not None and crowd > links.crowded)

    def describe(self, directory: Directory) -> None:
        """The directory says where the tables are; every batch has its parcels."""
        self.catch_up()
        links, sheets = self._links, self._contents.sheets
        directory[LINKS] = BOXED_LINKS
        directory[BUDGET_COLUMN] = self._budget_column
        directory[FIRST_BOX] = self._budget_column + 1
        directory[BOXES] = len(self._receivers)
        directory[BREAK_COST] = self._break_cost
        directory[CLEARED] = int(self._contents.cleared_when_down)
        directory[LOSSY] = int(self._contents.lossy)
        if isinstance(links, FlightLinks):
            directory[CAPACITY] = links.capacity
            directory[CROWDED] = -1 if links.crowded is None else links.crowded
        directory.point(PARCELS, self._parcels)
        directory.point(BOX_RECEIVERS, self._receivers)
        directory.point(CONTENTS, sheets.contents)
        directory.point(WAYS, sheets.ways)
        directory.point(BREAKS, sheets.breaks)

    def sizes(self) -> dict[str, int]:
        """How many contents of links there are."""
        return {
            "boxes": len(self._contents.receivers()),
            "contents": len(self._contents.sheets.contents),
        }

    def column_kinds(self) -> list[int]:
        """The budgets, and the content of each box."""
        return [UNCHANGED, *[FIRST_CONTENT] * len(self._contents.receivers())]

    def renamed_column(self, column: int, rename: Callable[[Channel], Channel]) -> int:
        """The column of the box once its channel or its receiver is renamed."""
        return column if column == 0 else 1 + self._contents.renamed_box(column - 1, rename)

    def renamed_content(self, kind: int, content: int, rename: Callable[[int], int]) -> int:
        """The content with its envelopes renamed."""
        del kind
        return self._contents.renamed(content, rename)

    def catch_up(self) -> None:
        """Every batch has its parcels, and every box its receiver."""
        alphabet = self._local.alphabet
        while self._batches < len(alphabet.batches):
            boxes: dict[int, list[int]] = {}
            for envelope in alphabet.batches[self._batches]:
                boxes.setdefault(self._contents.box_of(envelope), []).append(envelope)
            first = len(self._parcels)
            for box, envelopes in sorted(boxes.items()):
                parcel = alphabet.parcels.add(tuple(envelopes))
                self._parcels.append(box, parcel, alphabet.receiver(envelopes[0]))
            alphabet.set_parcels(self._batches, first, len(self._parcels) - first)
            self._batches += 1
        self._receivers.extend(self._contents.receivers()[len(self._receivers) :])
