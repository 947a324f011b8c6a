"""Links that keep what is sent in boxes: queues of channels, or sets of receivers.

Columns: the local state of each process, the budgets, the content of each box.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from model_check.engine.arrays import NOTHING, Flags, Ints
from model_check.engine.batch import (
    BREAK,
    DELIVER_HELD,
    KEPT_BITS,
    LOSE,
    LOSE_HELD,
    MOVE,
    Batch,
    Chunk,
    Edit,
    code,
)
from model_check.engine.budgets import Budgets
from model_check.engine.contents import EMPTY, Contents, FifoContents, Parcels, SetContents
from model_check.engine.flights import FlightContents, Room
from model_check.engine.local import LocalTables
from model_check.engine.moves import enabled_moves
from model_check.links import BREAK as BREAK_BUDGET
from model_check.links import FifoLinks, FlightLinks, SetLinks
from model_check.system import System


class BoxExpander:
    """The transitions of a system on links that keep all that is sent."""

    def __init__(
        self,
        system: System[Any, Any, Any],
        links: FifoLinks | FlightLinks | SetLinks,
        local: LocalTables,
        budgets: Budgets,
    ) -> None:
        self.bounds_hit = False
        self._system = system
        self._local = local
        self._budgets = budgets
        self._break_cost = budgets.cost(BREAK_BUDGET) if BREAK_BUDGET in system.budgets else None
        self._first_box = len(system.processes) + 1
        self._room: Room | None = None
        self._contents = self._empty(links)
        self._parcels = Parcels(local.alphabet, self._contents)
        self._budget_column = len(system.processes)

    def _empty(self, links: FifoLinks | FlightLinks | SetLinks) -> Contents:
        alphabet, process_count = self._local.alphabet, self._local.process_count
        if isinstance(links, FifoLinks):
            return FifoContents(alphabet, links)
        if isinstance(links, SetLinks):
            return SetContents(alphabet, process_count)
        contents = FlightContents(alphabet, links, process_count)
        self._room = Room(contents, links, self._first_box)
        return contents

    @property
    def columns(self) -> int:
        """How many columns a row has by now."""
        return self._first_box + self._contents.box_count()

    @property
    def values(self) -> int:
        """A number that no value in any column reaches."""
        return max(len(self._local.states), len(self._budgets), len(self._contents))

    def initial(self) -> Ints:
        """The row of the initial state.

        Raises ValueError if there is no room for the initial messages.
        """
        states = [self._local.state(p, value) for p, value in enumerate(self._system.initial())]
        boxes: dict[int, int] = {}
        for sender, send in self._system.initial_messages():
            envelope = self._local.alphabet.envelope(sender, send)
            if self._contents.cleared_when_down and self._local.down.view[states[send.dest]]:
                continue
            box = self._contents.box_of(envelope)
            parcel = self._local.alphabet.parcels.add((envelope,))
            content = np.array([boxes.get(box, EMPTY)])
            boxes[box] = int(self._contents.append(content, np.array([parcel]))[0])
            if boxes[box] == NOTHING:
                raise ValueError(f"no room for the initial message {send}")
        contents = [boxes.get(box, EMPTY) for box in range(self._contents.box_count())]
        row = np.array([*states, 0, *contents], dtype=np.int64)
        if self._room is not None and not self._room.has_room(row):
            raise ValueError("no room for the initial messages")
        return row

    def expand(self, chunk: Chunk) -> Iterator[Batch]:
        """Every transition from every state of the chunk."""
        if self._room is not None:
            self._room.measure(chunk)
        yield from self._move(chunk)
        chunk.widen(self.columns)
        boxes = chunk.rows[:, self._first_box :]
        parent, box = np.nonzero(boxes)
        content = boxes[parent, box]
        yield from self._deliver(chunk, parent, box, content)
        if self._break_cost is not None:
            yield self._break(chunk, parent, box, content)

    def sizes(self) -> dict[str, int]:
        """How many contents of links there are."""
        return {"boxes": self._contents.box_count(), "contents": len(self._contents)}

    def _move(self, chunk: Chunk) -> Iterator[Batch]:
        rows = np.arange(len(chunk.rows))
        parent, move, left, step = enabled_moves(
            chunk, rows, self._local, self._budgets, self._budget_column
        )
        process = self._local.process_of(move)
        moved = Batch(
            parent=parent,
            code=code(MOVE, move),
            edits=((self._budget_column, left),),
            step=step,
            move=move,
        )
        yield from self._stepped(chunk, moved, process, None)

    def _deliver(self, chunk: Chunk, parent: Ints, box: Ints, content: Ints) -> Iterator[Batch]:
        owner, item = self._contents.deliverable.expand(content)
        delivery = self._contents.deliverable.items.view[item]
        parent, box = parent[owner], self._first_box + box[owner]
        deliveries = self._contents.deliveries
        envelope, rest = deliveries.envelope.view[delivery], deliveries.rest.view[delivery]
        kind = deliveries.kind.view[delivery]
        receiver = self._local.alphabet.receiver.view[envelope]
        step = self._local.receive(
            chunk.column(receiver, parent), self._local.alphabet.arrival.view[envelope]
        )
        lost = np.flatnonzero((kind == LOSE) if self._contents.lossy else (step == NOTHING))
        lose = np.where(kind == DELIVER_HELD, LOSE_HELD, LOSE)
        yield self._changing(
            chunk,
            Batch(
                parent=parent[lost],
                code=code(lose[lost], envelope[lost]),
                edits=((box[lost], rest[lost]),),
            ),
        )
        alive = np.flatnonzero((step != NOTHING) & (kind != LOSE))
        delivered = Batch(
            parent=parent[alive],
            code=code(kind[alive], envelope[alive]),
            edits=(),
            step=step[alive],
            envelope=envelope[alive],
        )
        yield from self._stepped(chunk, delivered, receiver[alive], (box[alive], rest[alive]))

    def _break(self, chunk: Chunk, parent: Ints, box: Ints, content: Ints) -> Batch:
        """A channel breaks: a part of its queue becomes its leftover, the rest is lost."""
        owner, item = self._contents.breakable.expand(content)
        way = self._contents.breakable.items.view[item]
        parent, box = parent[owner], box[owner]
        cost = np.full(len(parent), self._break_cost)
        left = self._budgets.spend(chunk.column(self._budget_column, parent), cost)
        kept, rest = self._contents.breaks.kept.view[way], self._contents.breaks.rest.view[way]
        broken = Batch(
            parent=parent,
            code=code(BREAK, (box << KEPT_BITS) | kept),
            edits=((self._budget_column, left), (self._first_box + box, rest)),
        )
        return broken.take(np.flatnonzero(left != NOTHING))

    def _stepped(
        self, chunk: Chunk, batch: Batch, process: Ints, taken: Edit | None
    ) -> Iterator[Batch]:
        """The processes have taken the steps of the batch, and a box what `taken` says."""
        after = self._local.after.view[_steps(batch)]
        batch = batch.with_edits((process, after))
        lived = batch if taken is None else batch.with_edits(taken)
        if not self._contents.cleared_when_down:
            yield from self._sent(chunk, lived)
            return
        down = self._local.down.view[after] == 1
        if not down.any():
            yield from self._sent(chunk, lived)
            return
        yield from self._sent(chunk, lived.take(np.flatnonzero(~down)))
        for dead in np.unique(process[down]).tolist():
            died = batch.take(np.flatnonzero(down & (process == dead)))
            empty = np.full(len(died.parent), EMPTY)
            boxes = [self._first_box + box for box in self._contents.inbound(dead)]
            yield from self._sent(chunk, died.with_edits(*((box, empty) for box in boxes)))

    def _sent(self, chunk: Chunk, batch: Batch) -> Iterator[Batch]:
        """What the steps of the batch send is in its boxes; those without room are not made."""
        if not batch.parent.size:
            return
        self._parcels.catch_up()
        chunk.widen(self.columns)
        sent = self._local.batch.view[_steps(batch)]
        first, count = self._parcels.of_batch.bounds(sent)
        for size in np.flatnonzero(np.bincount(count)).tolist():
            these = np.flatnonzero(count == size)
            part, item = batch.take(these), first[these]
            for _ in range(size):
                box = self._first_box + self._parcels.box.view[item]
                content, fits = self._put(chunk, part.parent, box, item)
                self.bounds_hit |= not fits.all()
                part, item = part.with_edits((box, content)), item + 1
                if not fits.all():
                    part, item = part.take(np.flatnonzero(fits)), item[fits]
            if size and self._room is not None:
                fits = self._room.fits(chunk, part)
                if not fits.all():
                    self.bounds_hit = True
                    part = part.take(np.flatnonzero(fits))
            yield self._changing(chunk, part)

    def _put(self, chunk: Chunk, parent: Ints, box: Ints, item: Ints) -> tuple[Ints, Flags]:
        """The content of the box with the parcel in it, and whether there is room for it."""
        content = chunk.column(box, parent)
        grown = self._contents.append(content, self._parcels.parcel.view[item])
        if self._contents.cleared_when_down:
            receiver = self._parcels.receiver.view[item]
            dead = self._local.down.view[chunk.column(receiver, parent)] == 1
            grown[dead] = content[dead]
        return grown, grown != NOTHING

    def _changing(self, chunk: Chunk, batch: Batch) -> Batch:
        """Those transitions that change anything."""
        changed = np.zeros(len(batch.parent), dtype=np.bool_)
        for column, values in batch.edits:
            changed |= chunk.column(column, batch.parent) != values
        return batch if changed.all() else batch.take(np.flatnonzero(changed))


def _steps(batch: Batch) -> Ints:
    return np.empty(0, dtype=np.int64) if batch.step is None else batch.step
