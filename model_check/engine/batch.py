"""Transitions as arrays: from which states, what each does, and which columns it changes."""

from collections.abc import Iterator
from typing import Final, Protocol

import attrs

from model_check.engine.arrays import Ints, Words, widened

MOVE: Final = 0  # of a move
DELIVER: Final = 1  # of an envelope
DELIVER_HELD: Final = 2  # of an envelope
LOSE: Final = 3  # of an envelope
LOSE_HELD: Final = 4  # of an envelope
HOLD: Final = 5  # of an envelope
SEND_AND_DELIVER: Final = 6  # of a move
SEND_AND_HOLD: Final = 7  # of a move
BREAK: Final = 8  # of a channel and the number of messages that are kept

KIND_BITS: Final = 4
KEPT_BITS: Final = 8


Edit = tuple[int | Ints, Ints]
"""The column that changes, the same for all rows or each row its own, and its new values."""


def code(kind: int | Ints, operand: Ints) -> Ints:
    """What a transition does, in one number that is unique among those from its state."""
    return (operand << KIND_BITS) | kind


@attrs.define
class Chunk:
    """Some states of a level, one in each row. Shapes: (n, columns), (n,)."""

    rows: Ints
    fingerprints: Words

    def widen(self, columns: int) -> None:
        """The rows have at least so many columns; new ones are 0."""
        self.rows = widened(self.rows, columns)

    def column(self, column: int | Ints, row: Ints) -> Ints:
        """The value in each row, of one column or of each row's own. Shape: (n,)."""
        values: Ints = self.rows.ravel().take(row * self.rows.shape[1] + column)
        return values


@attrs.frozen(kw_only=True)
class Batch:
    """Transitions of one kind. All arrays have the same length, one entry for each transition."""

    parent: Ints  # the row in the chunk
    code: Ints
    edits: tuple[Edit, ...]  # no row has a column twice
    step: Ints | None = None  # the step of the process that acts or receives
    move: Ints | None = None
    envelope: Ints | None = None  # what is delivered

    def take(self, at: Ints) -> "Batch":
        """The transitions at these positions."""
        return Batch(
            parent=self.parent[at],
            code=self.code[at],
            edits=tuple(
                (column if isinstance(column, int) else column[at], values[at])
                for column, values in self.edits
            ),
            step=None if self.step is None else self.step[at],
            move=None if self.move is None else self.move[at],
            envelope=None if self.envelope is None else self.envelope[at],
        )

    def with_edits(self, *edits: Edit) -> "Batch":
        """The transitions, changing more columns."""
        return attrs.evolve(self, edits=(*self.edits, *edits))


class Expander(Protocol):
    """A kind of link, as the exploration uses it: states to rows of numbers, rows to batches."""

    @property
    def bounds_hit(self) -> bool:
        """Whether a transition could not be made for want of room."""

    @property
    def columns(self) -> int:
        """How many columns a row has by now."""

    @property
    def values(self) -> int:
        """A number that no value in any column reaches."""

    def initial(self) -> Ints:
        """The row of the initial state."""

    def expand(self, chunk: Chunk) -> Iterator[Batch]:
        """Every transition from every state of the chunk."""

    def sizes(self) -> dict[str, int]:
        """How many contents of links there are."""
