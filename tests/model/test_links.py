"""The kinds of links, from their names.

Clauses: none, the engine knows no protocol.
"""

import pytest

from model_check.links import FifoLinks, FlightLinks, HeldLinks, Links, SetLinks, parse_links


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("held(0)", HeldLinks(0)),
        ("held(12)", HeldLinks(12)),
        ("held(2,fifo)", HeldLinks(2, ordered=True)),
        (" held( 2, fifo ) ", HeldLinks(2, ordered=True)),
        ("fifo(3)", FifoLinks(3)),
        ("flight(4)", FlightLinks(4)),
        ("flight(4,1)", FlightLinks(4, 1)),
        ("flight(4,0,lossy)", FlightLinks(4, 0, lossy=True)),
        ("flight(4,lossy)", FlightLinks(4, lossy=True)),
        ("set", SetLinks()),
    ],
)
def test_links_are_what_the_text_names(text: str, expected: Links) -> None:
    assert expected == parse_links(text)
    assert expected == parse_links(str(expected))


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "expected held"),
        ("held", "held takes a number"),
        ("held()", "not ''"),
        ("held(-1)", "not '-1'"),
        ("held(one)", "not 'one'"),
        ("held(²)", "not '²'"),
        ("held(1,set)", "only fifo, not 'set'"),
        ("held(1,fifo,fifo)", "held takes a number"),
        ("held(1", "expected held"),
        ("fifo", "fifo takes one number"),
        ("fifo(1,2)", "fifo takes one number"),
        ("fifo(0)", "not '0'"),
        ("fifo(256)", "at most 255"),
        ("flight", "flight takes one number or two"),
        ("flight(lossy)", "flight takes one number or two"),
        ("flight(0)", "not '0'"),
        ("flight(4,lossy,1)", "and then lossy"),
        ("set(1)", "set takes nothing"),
        ("bag(1)", "unknown kind 'bag'"),
        ("Held(1)", "expected held"),
    ],
)
def test_a_text_that_names_no_links_is_refused_with_the_reason(text: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=r"links .*: ") as refusal:
        parse_links(text)

    assert wrong in str(refusal.value)
