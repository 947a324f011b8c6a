"""The tables of the engine agree with Python's own dictionaries.

Clauses: none, the engine knows no protocol.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_check.engine.arrays import NOTHING, Column, Lists, ranges, widened
from model_check.engine.numbering import Numbering
from model_check.engine.pairs import PairTable
from model_check.engine.tally import Tally
from model_check.engine.words import WordTable

KEYS = st.one_of(st.integers(1, 40), st.integers(1, 2**64 - 1))


@given(st.lists(st.lists(KEYS, max_size=60), max_size=6))
def test_numbering_counts_keys_in_the_order_of_their_coming(batches: list[list[int]]) -> None:
    numbering = Numbering()
    expected: dict[int, int] = {}

    for batch in batches:
        first = len(expected)
        new = [at for at, key in enumerate(batch) if key not in expected and key not in batch[:at]]
        for key in batch:
            expected.setdefault(key, len(expected))

        numbers, fresh = numbering.claim(np.array(batch, dtype=np.uint64))

        assert [expected[key] for key in batch] == numbers.tolist()
        assert new == fresh.tolist()
        assert list(range(first, len(expected))) == numbers[fresh].tolist()
    assert len(expected) == len(numbering)


def test_numbering_survives_growth() -> None:
    numbering = Numbering()
    keys = np.random.default_rng(1).integers(1, 2**63, 50_000).astype(np.uint64)

    for part in np.array_split(keys, 7):
        numbering.claim(part)
    numbers, fresh = numbering.claim(keys)

    assert numbers.tolist() == list(range(50_000))
    assert not fresh.size


@pytest.mark.parametrize("dense_cells", [0, 1 << 10, 1 << 20])
def test_pair_table_computes_each_pair_once(dense_cells: int) -> None:
    computed: list[tuple[int, int]] = []

    def compute(a: int, b: int) -> int:
        computed.append((a, b))
        return NOTHING if a == b else 100 * a + b

    table = PairTable(compute, dense_cells)
    random = np.random.default_rng(2)

    for limit in (3, 20, 90):
        a, b = random.integers(0, limit, 500), random.integers(0, limit, 500)
        expected = np.where(a == b, NOTHING, 100 * a + b)
        assert table(a, b).tolist() == expected.tolist()
    assert len(computed) == len(set(computed)) == len(table)
    assert not table(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)).size


def test_words_do_not_depend_on_how_the_table_grew() -> None:
    grown, made = WordTable(), WordTable()

    grown.reserve(2, 10)
    grown.reserve(3, 5000)
    made.reserve(3, 5000)

    values = np.arange(5000)
    for column in range(3):
        assert np.array_equal(grown.of(column, values), made.of(column, values))
        assert grown.of(column, values)[0] == 0
    assert len(np.unique(made.of(values % 3, values))) == 4999 + 1


def test_fingerprint_is_the_sum_of_the_words() -> None:
    words = WordTable()
    words.reserve(3, 10)
    row, other = np.array([4, 0, 7]), np.array([4, 2, 7])

    difference = int(words.fingerprint(other)) - int(words.fingerprint(row))

    assert difference % 2**64 == int(words.of(1, np.array([2]))[0])


def test_columns_and_lists_keep_what_is_added() -> None:
    column, lists = Column(), Lists()
    for number in range(3000):
        column.append(number)
    column.extend([1, 2])
    lists.append([5, 6])
    lists.append([])
    lists.append([7])

    owner, item = lists.expand(np.array([2, 0, 1, 2]))

    assert column.view.tolist() == [*range(3000), 1, 2]
    assert len(lists) == 3
    assert owner.tolist() == [0, 1, 1, 3]
    assert lists.items.view[item].tolist() == [7, 5, 6, 7]


def test_ranges_are_listed() -> None:
    owner, number = ranges(np.array([3, 9, 0]), np.array([2, 0, 1]))

    assert (owner.tolist(), number.tolist()) == ([0, 0, 2], [3, 4, 0])


def test_rows_are_widened_with_zeros() -> None:
    rows = np.array([[1, 2]])

    assert widened(rows, 2) is rows
    assert widened(rows, 4).tolist() == [[1, 2, 0, 0]]


def test_tally_counts() -> None:
    tally = Tally()
    for numbers in ([3, 3], [], [0, 3, 5]):
        tally.add(np.array(numbers, dtype=np.int64))

    assert tally.items() == [(0, 1), (3, 3), (5, 1)]
