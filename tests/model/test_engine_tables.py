"""The tables of the engine agree with Python's own dictionaries and lists.

Clauses: none, the engine knows no protocol.
"""

from threading import Event

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_check.engine.arrays import Narrow, address_of
from model_check.engine.crew import Crew
from model_check.engine.directory import Directory
from model_check.engine.frontier import Frontier, joined, narrowed
from model_check.engine.layout import FIRST_FREE, KEY_BITS, NOTHING
from model_check.engine.memo import Memo, key_of
from model_check.engine.parts import Part, fingerprints
from model_check.engine.sheets import Sheet, Tape
from model_check.engine.spool import Spool
from model_check.engine.states import States

WIDTH = 3
rows_of_states = st.lists(st.tuples(*[st.integers(0, 5)] * WIDTH), max_size=60)


def as_rows(found: list[tuple[int, ...]]) -> Narrow:
    return np.array(found, dtype=np.int32).reshape(len(found), WIDTH)


def part_that_found(rows: Narrow) -> Part:
    part = Part(record=False)
    part.begin(np.empty((0, WIDTH), dtype=np.int32), 0)
    part.find(rows)
    return part


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("spills", [False, True])
@settings(deadline=None)  # the first call may compile kernels
@given(batches=st.lists(rows_of_states, max_size=6))
def test_states_are_new_once_in_the_order_of_their_coming(
    exact: bool,  # noqa: FBT001
    spills: bool,  # noqa: FBT001
    batches: list[list[tuple[int, ...]]],
) -> None:
    with Spool() as spool:
        states = States(numbered=False, exact=exact)
        seen: set[tuple[int, ...]] = set()

        for batch in batches:
            expected = [row for row in dict.fromkeys(batch) if row not in seen]
            seen.update(batch)

            (rows,) = states.absorb([part_that_found(as_rows(batch))], WIDTH)
            if spills:
                states.spill(spool)

            assert expected == [tuple(row) for row in rows.tolist()]
        assert len(states) == len(seen)


def test_an_address_is_where_numpy_says() -> None:
    fixed = np.arange(3)
    fixed.flags.writeable = False

    for numbers in (np.arange(3), np.arange(8)[2:], np.empty(0, dtype=np.int64), fixed):
        assert address_of(numbers) == numbers.ctypes.data


def test_states_survive_growth() -> None:
    states = States(numbered=True, exact=False)
    rows = np.arange(3 * 9_000, dtype=np.int32).reshape(-1, WIDTH)

    for some in np.array_split(rows, 5):
        part = Part(record=False)
        part.begin(np.empty((0, WIDTH), dtype=np.int32), 0)
        for piece in np.array_split(some, 2):
            part.find(piece)
            states.absorb([part], WIDTH)

    assert len(states) == 9_000
    assert not len(states.absorb([part_that_found(rows[:4_000])], WIDTH)[0])


def test_merged_files_know_what_each_of_them_knew() -> None:
    random = np.random.default_rng(3)
    runs = [np.sort(random.integers(-(2**63), 2**63 - 1, 5_000)) for _ in range(3)]
    runs.append(runs[0])

    with Spool() as spool:
        merged = spool.merge([spool.keep(run) for run in runs])

        assert np.unique(np.concatenate(runs)).tolist() == merged.tolist()
        assert spool.written > 0


def test_exact_states_with_one_fingerprint_are_told_apart() -> None:
    rows = as_rows([(1, 2, 3), (3, 2, 1)])
    outcomes = []
    for exact in (False, True):
        part = part_that_found(rows)
        part.find(rows, np.array([7, 7]))
        outcomes.append(len(States(numbered=False, exact=exact).absorb([part], WIDTH)[0]))

    assert outcomes == [1, 2]


def test_memo_computes_each_pair_once() -> None:
    computed: list[tuple[int, int]] = []

    def compute(a: int, b: int) -> int:
        computed.append((a, b))
        return NOTHING if a == b else 100 * a + b

    memo = Memo()
    memo.define(FIRST_FREE, compute)
    random = np.random.default_rng(2)

    for limit in (3, 20, 90):
        for a, b in random.integers(0, limit, (500, 2)).tolist():
            assert memo.value(FIRST_FREE, a, b) == (NOTHING if a == b else 100 * a + b)
    assert len(computed) == len(set(computed)) == len(memo)
    assert [key_of(FIRST_FREE, a, b) for a, b in computed] == list(memo.computed)


def test_memo_says_when_its_keys_are_too_small() -> None:
    memo = Memo()
    memo.define(FIRST_FREE, lambda a, _: a)

    with pytest.raises(OverflowError, match="67,108,864 distinct local states"):
        memo.value(FIRST_FREE, 1 << KEY_BITS, 0)
    with pytest.raises(OverflowError, match="functions to remember"):
        memo.reserve(1 << 12)


def test_fingerprints_do_not_see_columns_that_are_not_used_yet() -> None:
    rows = np.random.default_rng(1).integers(0, 1000, (500, 4)).astype(np.int32)
    wider = np.zeros((500, 6), dtype=np.int32)
    wider[:, :4] = rows

    assert fingerprints(rows).tolist() == fingerprints(wider).tolist()
    assert len(set(fingerprints(rows).tolist())) == len({tuple(row) for row in rows.tolist()})


@given(st.lists(st.lists(st.integers(0, 99), max_size=5), max_size=8), st.sets(st.integers(0, 7)))
def test_tape_has_what_was_added(pieces: list[list[int]], spilled: set[int]) -> None:
    tape = Tape()
    with Spool() as spool:
        for at, piece in enumerate(pieces):
            tape.extend(np.array(piece, dtype=np.int32))
            if at in spilled:
                tape.spill(spool)
        flat = [number for piece in pieces for number in piece]

        assert flat == [tape[at] for at in range(len(tape))]
        assert flat == tape.whole().tolist()


@given(st.lists(st.integers(1, 7), max_size=6), st.integers(1, 9), st.booleans(), st.integers(0, 2))
def test_frontier_gives_its_states_in_order(
    sizes: list[int],
    size: int,
    spilled: bool,  # noqa: FBT001
    more: int,
) -> None:
    total = sum(sizes)
    rows = np.arange(2 * total, dtype=np.int32).reshape(-1, 2)
    frontier = Frontier(10)
    with Spool() as spool:
        for part in np.split(rows, np.cumsum(sizes)[:-1]) if sizes else []:
            frontier.add(narrowed(part))
        if spilled:
            frontier.spill(spool)
            assert frontier.bytes == 0

        taken: list[Narrow] = []
        while frontier.size:
            first = frontier.first
            chunk = joined(frontier.take(size), 2 + more)
            assert first == 10 + sum(len(each) for each in taken)
            assert chunk.shape[1] == 2 + more
            taken.append(chunk)

        if total:
            assert np.concatenate(taken)[:, :2].tolist() == rows.tolist()


def test_sheet_keeps_its_rows_when_it_grows() -> None:
    sheet = Sheet(3)
    for number in range(1000):
        assert sheet.append(number, 2 * number, 7) == number
    sheet.set(5, 2, 8)

    assert sheet.column(1).tolist() == list(range(0, 2000, 2))
    assert (sheet.get(5, 2), sheet.get(6, 2)) == (8, 7)


def test_directory_takes_arrays_in_one_piece() -> None:
    with pytest.raises(ValueError, match="one piece"):
        Directory().point(50, np.zeros((4, 4), dtype=np.int32)[:, ::2])


def test_no_job_is_left_behind_by_an_interrupt() -> None:
    begun, raised = Event(), Event()
    done: list[str] = []

    def slow() -> None:
        begun.set()
        assert raised.wait(60)
        done.append(str(sum(range(3_000_000))))

    def interrupted() -> None:
        assert begun.wait(60)
        raised.set()
        raise KeyboardInterrupt

    with Crew(2) as crew:
        with pytest.raises(KeyboardInterrupt):
            crew.do([slow, interrupted])

        assert len(done) == 1
        assert crew.do([lambda: 1, lambda: 2]) == [1, 2]
