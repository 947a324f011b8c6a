"""The page of mutants that the checker does not notice counts all that are not equivalent.

Clauses: none, this is about the tests.
"""

import pytest

from tests.mutation.checked_page import Found, Outcome, Reason, page


def outcome(end: str, *, module: str = "roles", after: str = "x", changed: int = 0) -> Outcome:
    return Outcome(
        module=module,
        function="strict" if module == "rules" else "f",
        operator="SC-1",
        before="y",
        after=after,
        end=end,
        run="split strict" if end == "killed" else "",
        changed=changed,
    )


OUTCOMES = (
    outcome("killed"),
    outcome("error"),
    outcome("survived", after="same"),
    outcome("survived", after="not reached", changed=2),
    outcome("killed", module="rules"),
    outcome("survived", module="rules", after="a off"),
    outcome("survived", module="rules", after="b off", changed=3),
    outcome("survived", module="rules", after="c off"),
)
REASONS = [
    Reason(module="roles", after="same", equivalent=True, why="it is the same"),
    Reason(module="rules", after="c off", equivalent=True, why="nobody reads it"),
    Reason(module="rules", after="a off", why="no scope has it"),
]


@pytest.mark.parametrize(
    "row",
    [
        "| roles | 4 | 2 | 1 | 1 | 1 | 66.7 % |",
        "| switches turned | 4 | 1 | 0 | 1 | 2 | 33.3 % |",
        "| all | 8 | 3 | 1 | 2 | 3 | 50.0 % |",
    ],
)
def test_shares_are_of_all_that_are_not_equivalent(row: str) -> None:
    found = Found(runs=("split strict",), states=9, outcomes=OUTCOMES)

    assert row in page(found, REASONS).splitlines()


def test_survivors_are_told_with_their_reasons() -> None:
    text = page(Found(runs=("split strict",), states=9, outcomes=OUTCOMES), REASONS)
    before, after = text.split("## Switches that change no step")

    assert "equivalent: it is the same" in before
    assert "2 runs explored anew, and none is judged otherwise: **not explained**" in before
    assert "- `b off` (SC-1) in strict: **not explained**" in before
    assert "- `c off` (SC-1) in strict: equivalent: nobody reads it" in before
    assert "- `a off` (SC-1) in strict: no scope has it" in after
