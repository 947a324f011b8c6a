"""How far an exploration is: what the line says, when it is shown, and how good the estimate is.

Clauses: none, this is about the checker's command line.
"""

import re
from collections.abc import Iterator

import pytest

from model_check.engine import Limits, Progress
from model_check.estimate import Estimate
from model_check.progress import Watcher, memory, watching

FINAL = 1_000_000


def progress(
    *, depth: int = 3, states: int = 2_000, waiting: int = 500, seconds: float = 2.0
) -> Progress:
    return Progress(
        depth=depth,
        distinct_states=states,
        transitions=4 * states,
        waiting=waiting,
        seconds=seconds,
    )


def bell(share: float) -> Iterator[Progress]:
    """An exploration up to a share of its expanded states.

    Of the states that the next one leads to, fewer are new the more there are already.
    """
    distinct, expanded = 1_000.0, 0.0
    while expanded < share * FINAL:
        expanded += 1_000
        distinct += 1_000 * 5 * (1 - distinct / FINAL)
        if distinct <= expanded:
            return
        yield progress(
            states=int(distinct), waiting=int(distinct - expanded), seconds=expanded / 10_000
        )


def estimated(share: float) -> Estimate:
    estimate = Estimate()
    for each in bell(share):
        estimate.add(each)
    return estimate


@pytest.mark.parametrize("share", [0.5, 0.7, 0.9])
def test_from_the_middle_on_the_end_is_known_within_a_third(share: float) -> None:
    states = estimated(share).states()

    assert states is not None
    assert 2 / 3 < states / FINAL < 4 / 3


def test_what_is_left_is_told_with_what_it_rests_on() -> None:
    text = estimated(0.9).text()

    told = re.fullmatch(r"perhaps (\d+)% done and (\d+) s left, if new states go on .*", text)
    assert told is not None
    assert 80 <= int(told[1]) <= 100
    assert int(told[2]) <= 20


@pytest.mark.parametrize("exponent", [1.0, 1.1])
def test_while_states_multiply_nothing_is_said_of_the_end(exponent: float) -> None:
    estimate = Estimate()
    for expanded in range(1_000, 200_000, 1_000):
        states = int(3 * expanded**exponent)
        estimate.add(progress(states=states, waiting=states - expanded, seconds=expanded / 1_000))

    assert estimate.states() is None
    assert estimate.text() == "no telling yet how much is left"


def test_a_line_tells_states_depth_queue_rate_and_memory() -> None:
    lines: list[str] = []
    watch = Watcher("claims redis-7.0", Limits(), lines.append, 0.0)

    watch(progress())

    (line,) = lines
    assert line.startswith(
        "claims redis-7.0: 2,000 states, depth 3, 500 waiting, 4,000 transitions/s, "
    )
    assert memory() in line or re.search(r"[\d,]+ MB", line)
    assert "limit" not in line
    assert line.endswith("no telling yet how much is left")


def test_a_line_tells_the_share_of_each_limit() -> None:
    lines: list[str] = []
    watch = Watcher("it", Limits(states=8_000, seconds=4.0), lines.append, 0.0)

    watch(progress())
    watch(progress(states=9_000, seconds=5.0))

    assert "25% of the limit on states, 50% of the limit on seconds" in lines[0]
    assert "100% of the limit on states, 100% of the limit on seconds" in lines[1]


def test_without_a_terminal_a_line_comes_now_and_then() -> None:
    lines: list[str] = []
    watch = Watcher("it", Limits(), lines.append, 30.0)

    for seconds in (1.0, 29.0, 31.0, 32.0, 60.0, 61.5):
        watch(progress(seconds=seconds))

    assert [re.search(r"(\d+) s,", line)[1] for line in lines] == ["31", "62"]  # type: ignore[index]


def test_memory_is_told_in_megabytes() -> None:
    told = re.fullmatch(r"(?:at most )?([\d,]+) MB", memory())

    assert told is not None
    assert 10 < int(told[1].replace(",", "")) < 100_000


def test_without_a_terminal_nothing_is_shown_of_a_short_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with watching("split") as watch:
        assert watch is not None
        watch(progress(seconds=1.0))
        early = capsys.readouterr().err
        watch(progress(seconds=31.0))

    assert early == ""
    assert capsys.readouterr().err.startswith("split: 2,000 states")
