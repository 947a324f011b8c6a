"""Links that deliver at once, lose, or hold back.

Columns: the local state of each process, what is to be resolved now, what is held, the budgets.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from model_check.engine.arrays import NOTHING, Flags, Ints
from model_check.engine.batch import (
    DELIVER,
    DELIVER_HELD,
    HOLD,
    LOSE,
    LOSE_HELD,
    MOVE,
    SEND_AND_DELIVER,
    SEND_AND_HOLD,
    Batch,
    Chunk,
    Edit,
    code,
)
from model_check.engine.budgets import Budgets
from model_check.engine.holding import HeldContents, PendingContents
from model_check.engine.local import ACTIVE, PURE, LocalTables
from model_check.engine.moves import enabled_moves
from model_check.links import HeldLinks
from model_check.system import System


class HeldExpander:
    """The transitions of a system on links that hold messages back."""

    def __init__(
        self, system: System[Any, Any, Any], links: HeldLinks, local: LocalTables, budgets: Budgets
    ) -> None:
        self._system = system
        self._ordered = links.ordered
        self._local = local
        self._alphabet = local.alphabet
        self._budgets = budgets
        self._pending = PendingContents(local.alphabet)
        self._held = HeldContents(local.alphabet, links)
        self._processes = len(system.processes)
        self._now_column = self._processes
        self._held_column = self._processes + 1
        self._budget_column = self._processes + 2
        self.columns = self._processes + 3
        self.bounds_hit = False

    @property
    def values(self) -> int:
        """A number that no value in any column reaches."""
        return max(len(self._local.states), len(self._pending), len(self._held), len(self._budgets))

    def initial(self) -> Ints:
        """The row of the initial state."""
        states = [self._local.state(p, value) for p, value in enumerate(self._system.initial())]
        down = [bool(self._local.down.view[state]) for state in states]
        envelopes = [
            self._alphabet.envelope(sender, send)
            for sender, send in self._system.initial_messages()
            if not down[send.dest]
        ]
        return np.array([*states, 0, self._held.of(envelopes), 0], dtype=np.int64)

    def expand(self, chunk: Chunk) -> Iterator[Batch]:
        """Every transition from every state of the chunk."""
        now = chunk.rows[:, self._now_column]
        busy, quiet = np.flatnonzero(now != 0), np.flatnonzero(now == 0)
        if busy.size:
            yield from self._resolve(chunk, busy, now[busy])
        if quiet.size:
            yield from self._move(chunk, quiet)
            yield from self._deliver_held(chunk, quiet)

    def sizes(self) -> dict[str, int]:
        """How many contents of links there are."""
        return {"pending": len(self._pending), "held": len(self._held)}

    def _resolve(self, chunk: Chunk, parent: Ints, now: Ints) -> Iterator[Batch]:
        """The oldest pending message is delivered, lost or held."""
        envelope, rest = self._pending.head.view[now], self._pending.rest.view[now]
        yield Batch(parent=parent, code=code(LOSE, envelope), edits=((self._now_column, rest),))
        step = self._reaction(chunk, parent, envelope)
        alive = np.flatnonzero(step != NOTHING)
        parent, envelope, rest, step = parent[alive], envelope[alive], rest[alive], step[alive]
        held = chunk.column(self._held_column, parent)
        kept = self._held.hold(held, envelope)
        room = np.flatnonzero(kept != NOTHING)
        yield Batch(
            parent=parent[room],
            code=code(HOLD, envelope[room]),
            edits=((self._now_column, rest[room]), (self._held_column, kept[room])),
        )
        go = np.flatnonzero(self._may_pass(held, envelope))
        parent, envelope, rest, step = parent[go], envelope[go], rest[go], step[go]
        yield self._delivery(
            chunk, parent, code(DELIVER, envelope), envelope=envelope, step=step, rest=rest
        )

    def _move(self, chunk: Chunk, quiet: Ints) -> Iterator[Batch]:
        """A process moves; a message that it sends without changing is fused with its fate."""
        parent, move, left, step = enabled_moves(
            chunk, quiet, self._local, self._budgets, self._budget_column
        )
        sort = self._local.move_class.view[move]
        active = np.flatnonzero(sort == ACTIVE)
        pure = np.flatnonzero(sort == PURE)
        yield self._plain(chunk, parent[active], move[active], left[active], step[active])
        yield from self._fused(chunk, parent[pure], move[pure], step[pure])

    def _plain(self, chunk: Chunk, parent: Ints, move: Ints, left: Ints, step: Ints) -> Batch:
        after = self._local.after.view[step]
        process = self._local.process_of(move)
        pending = self._pending.append(np.zeros_like(step), self._local.batch.view[step])
        edits: list[Edit] = [
            (process, after),
            (self._now_column, pending),
            (self._budget_column, left),
        ]
        held = chunk.column(self._held_column, parent)
        edits += self._dropped(held, after, process)
        return Batch(parent=parent, code=code(MOVE, move), edits=tuple(edits), step=step, move=move)

    def _fused(self, chunk: Chunk, parent: Ints, move: Ints, step: Ints) -> Iterator[Batch]:
        envelope = self._alphabet.first_envelope.view[self._local.batch.view[step]]
        reaction = self._reaction(chunk, parent, envelope)
        alive = np.flatnonzero(reaction != NOTHING)
        parent, move, envelope = parent[alive], move[alive], envelope[alive]
        reaction = reaction[alive]
        held = chunk.column(self._held_column, parent)

        room = np.flatnonzero(self._held.has_room(held))
        kept = self._held.hold(held[room], envelope[room])
        new = kept != NOTHING
        room = room[new]
        yield Batch(
            parent=parent[room],
            code=code(SEND_AND_HOLD, move[room]),
            edits=((self._held_column, kept[new]),),
            move=move[room],
        )

        go = np.flatnonzero((self._local.idle.view[reaction] == 0) & self._may_pass(held, envelope))
        parent, move, envelope, reaction = parent[go], move[go], envelope[go], reaction[go]
        yield self._delivery(
            chunk,
            parent,
            code(SEND_AND_DELIVER, move),
            envelope=envelope,
            step=reaction,
            rest=np.zeros_like(parent),
            move=move,
        )

    def _deliver_held(self, chunk: Chunk, quiet: Ints) -> Iterator[Batch]:
        """A message that was held back arrives."""
        held = chunk.column(self._held_column, quiet)
        owner, item = self._held.deliverable.expand(held)
        parent, held = quiet[owner], held[owner]
        envelope = self._held.deliverable.items.view[item]
        kept = self._held.remove(held, envelope)
        step = self._reaction(chunk, parent, envelope)
        lost, alive = np.flatnonzero(step == NOTHING), np.flatnonzero(step != NOTHING)
        yield Batch(
            parent=parent[lost],
            code=code(LOSE_HELD, envelope[lost]),
            edits=((self._held_column, kept[lost]),),
        )
        parent, envelope = parent[alive], envelope[alive]
        yield self._delivery(
            chunk,
            parent,
            code(DELIVER_HELD, envelope),
            envelope=envelope,
            step=step[alive],
            rest=np.zeros_like(parent),
            kept=kept[alive],
        )

    def _reaction(self, chunk: Chunk, parent: Ints, envelope: Ints) -> Ints:
        receiver = self._alphabet.receiver.view[envelope]
        return self._local.receive(
            chunk.column(receiver, parent), self._alphabet.arrival.view[envelope]
        )

    def _may_pass(self, held: Ints, envelope: Ints) -> Flags:
        """Whether nothing that is held must arrive before the message."""
        if not self._ordered:
            return np.ones(len(held), dtype=np.bool_)
        blocked = self._held.blocks(held, self._alphabet.channel.view[envelope])
        return np.equal(blocked, 0)

    def _delivery(
        self,
        chunk: Chunk,
        parent: Ints,
        codes: Ints,
        *,
        envelope: Ints,
        step: Ints,
        rest: Ints,
        kept: Ints | None = None,
        move: Ints | None = None,
    ) -> Batch:
        """The receivers have taken the steps; `rest` was pending and `kept`, if given, is held."""
        receiver, after = self._alphabet.receiver.view[envelope], self._local.after.view[step]
        pending = self._pending.append(rest, self._local.batch.view[step])
        edits: list[Edit] = [(receiver, after), (self._now_column, pending)]
        held = chunk.column(self._held_column, parent) if kept is None else kept
        dropped = self._dropped(held, after, receiver)
        if kept is not None and not dropped:
            edits.append((self._held_column, kept))
        edits += dropped
        return Batch(
            parent=parent,
            code=codes,
            edits=tuple(edits),
            step=step,
            move=move,
            envelope=envelope,
        )

    def _dropped(self, held: Ints, after: Ints, process: Ints) -> list[Edit]:
        """The change that what is held for a process that is down now is lost, if there is any."""
        down = np.flatnonzero(self._local.down.view[after])
        if not down.size:
            return []
        left = held.copy()
        left[down] = self._held.drop(held[down], process[down])
        return [(self._held_column, left)]
