"""Links that deliver at once, lose, or hold back: what is pending and what is held, as numbers.

Columns: the local state of each process, what is to be resolved now, what is held, the budgets.
"""

from collections.abc import Callable
from typing import Any, Final

from model_check.engine.alphabet import Alphabet
from model_check.engine.codes import DELIVER_HELD
from model_check.engine.directory import Directory
from model_check.engine.interner import Interner
from model_check.engine.layout import (
    APPEND,
    BLOCKS,
    BUDGET_COLUMN,
    CONTENT_WIDTH,
    CONTENTS,
    DROP,
    HELD_LINKS,
    HOLD_BACK,
    LINKS,
    NOTHING,
    ORDERED,
    PENDING,
    PENDING_WIDTH,
    UNKNOWN,
    WAY_WIDTH,
    WAYS,
)
from model_check.engine.local import LocalTables
from model_check.engine.sheets import Sheet
from model_check.engine.symmetry import FIRST_CONTENT, UNCHANGED
from model_check.links import HeldLinks
from model_check.system import Channel, System

_PENDING_KIND: Final = FIRST_CONTENT
_HELD_KIND: Final = FIRST_CONTENT + 1


class HeldTables:
    """What a system's links hold, and what can become of it."""

    def __init__(self, system: System[Any, Any, Any], links: HeldLinks, local: LocalTables) -> None:
        self._system = system
        self._local = local
        self._links = links
        self._pending = PendingContents(local)
        self._held = HeldContents(local, links)
        self.columns = len(system.processes) + 3
        self.ordered = True

    def initial(self) -> list[int]:
        """The row of the initial state."""
        states = [self._local.state(p, value) for p, value in enumerate(self._system.initial())]
        envelopes = [
            self._local.alphabet.envelope(sender, send)
            for sender, send in self._system.initial_messages()
            if not self._local.is_down(states[send.dest])
        ]
        return [*states, 0, self._held.of(envelopes), 0]

    def describe(self, directory: Directory) -> None:
        """The directory says where the tables are."""
        directory[LINKS] = HELD_LINKS
        directory[ORDERED] = int(self._links.ordered)
        directory[BUDGET_COLUMN] = self.columns - 1
        directory.point(PENDING, self._pending.sheet)
        directory.point(CONTENTS, self._held.sheet)
        directory.point(WAYS, self._held.ways)

    def column_kinds(self) -> list[int]:
        """What is pending, what is held, the budgets."""
        return [_PENDING_KIND, _HELD_KIND, UNCHANGED]

    def renamed_column(self, column: int, rename: Callable[[Channel], Channel]) -> int:
        """All processes share these columns."""
        del rename
        return column

    def renamed_content(self, kind: int, content: int, rename: Callable[[int], int]) -> int:
        """The content with its envelopes renamed."""
        contents = self._pending if kind == _PENDING_KIND else self._held
        return contents.renamed(content, rename)

    def catch_up(self) -> None:
        """Nothing has to follow what is computed."""

    def sizes(self) -> dict[str, int]:
        """How many contents of links there are."""
        return {"pending": len(self._pending.sheet), "held": len(self._held.sheet)}


class PendingContents:
    """Messages that are to be resolved one after the other; 0 is none."""

    def __init__(self, local: LocalTables) -> None:
        self._alphabet: Alphabet = local.alphabet
        self._contents: Interner[tuple[int, ...]] = Interner()
        self.sheet = Sheet(PENDING_WIDTH)
        local.memo.define(APPEND, self._append)
        self._number(())

    def renamed(self, content: int, rename: Callable[[int], int]) -> int:
        """The content with its envelopes renamed."""
        return self._number(tuple(map(rename, self._contents[content])))

    def _append(self, content: int, batch: int) -> int:
        return self._number(self._contents[content] + self._alphabet.batches[batch])

    def _number(self, envelopes: tuple[int, ...]) -> int:
        number = self._contents.find(envelopes)
        if number is None:
            rest = self._number(envelopes[1:]) if envelopes else 0
            number = self._contents.add(envelopes)
            self.sheet.append(envelopes[0] if envelopes else UNKNOWN, rest)
        return number


class HeldContents:
    """Messages that are held back: sorted, or in order on each channel; 0 is none."""

    def __init__(self, local: LocalTables, links: HeldLinks) -> None:
        self._alphabet = local.alphabet
        self._links = links
        self._contents: Interner[tuple[int, ...]] = Interner()
        self.sheet = Sheet(CONTENT_WIDTH)
        self.ways = Sheet(WAY_WIDTH)  # in which one of them can arrive
        local.memo.define(HOLD_BACK, self._hold)
        local.memo.define(DROP, self._drop)
        local.memo.define(BLOCKS, self._blocks)
        self._number(())

    def of(self, envelopes: list[int]) -> int:
        """The content that holds these, sent in this order, whatever the capacity."""
        held: tuple[int, ...] = ()
        for envelope in envelopes:
            held = self._with(held, envelope) or held
        return self._number(held)

    def renamed(self, content: int, rename: Callable[[int], int]) -> int:
        """The content with its envelopes renamed."""
        return self.of([rename(envelope) for envelope in self._contents[content]])

    def _hold(self, content: int, envelope: int) -> int:
        if len(self._contents[content]) >= self._links.capacity:
            return NOTHING
        held = self._with(self._contents[content], envelope)
        return NOTHING if held is None else self._number(held)

    def _with(self, held: tuple[int, ...], envelope: int) -> tuple[int, ...] | None:
        channel = self._alphabet.channel
        if not self._links.ordered:
            return None if envelope in held else tuple(sorted((*held, envelope)))
        last = [other for other in held if channel(other) == channel(envelope)][-1:]
        # A stable sort: by channel, and on each channel in the order of sending.
        return None if last == [envelope] else tuple(sorted((*held, envelope), key=channel))

    def _drop(self, content: int, process: int) -> int:
        receiver = self._alphabet.receiver
        return self._number(tuple(e for e in self._contents[content] if receiver(e) != process))

    def _blocks(self, content: int, channel: int) -> int:
        return int(any(self._alphabet.channel(e) == channel for e in self._contents[content]))

    def _number(self, held: tuple[int, ...]) -> int:
        number = self._contents.find(held)
        if number is not None:
            return number
        arriving: dict[int, int] = {}  # the first on each channel, or all
        for at, envelope in enumerate(held):
            arriving.setdefault(self._alphabet.channel(envelope) if self._links.ordered else at, at)
        ways = [
            (DELIVER_HELD, held[at], self._number(held[:at] + held[at + 1 :]))
            for at in arriving.values()
        ]
        number = self._contents.add(held)
        first = len(self.ways)
        for way in ways:
            self.ways.append(*way)
        self.sheet.append(first, len(ways), 0, 0, 0, 0)
        return number
