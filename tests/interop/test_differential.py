"""The same commands to a node of ours and to a real server, and the same answers.

Clauses: CM-1, CM-2, CM-6, CM-7, CM-8, CM-9, CM-11, CM-12, CM-13, CM-14, CM-15, CM-22, CM-23, CM-40,
CM-41, CM-42, CM-43, CM-45, CM-46, CM-47, CM-48, CM-49, CM-50, CM-51, CM-D1, RD-8.

SLOTPROOF_DIFFERENTIAL_EXAMPLES is how many situations are tried, each with up to 50 commands. Where
it is set, the situations are new ones each time.
"""

import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)
from typing_extensions import override

from tests.interop.differential import Ours, Side, Stock, both
from tests.interop.differential_commands import (
    CHANGES,
    CONFIGURATION,
    DATA,
    QUESTIONS,
    STORIES,
    Words,
)
from tests.support import TimedOutError, wait_until

pytestmark = pytest.mark.interop

_EXAMPLES: Final = os.environ.get("SLOTPROOF_DIFFERENTIAL_EXAMPLES", "")
_PATIENCE: Final = 20
"""Seconds in which both tell the same: an election of an operator begins with the next round."""


def tally(replies: Counter[str], words: Words, reply: Any) -> None:
    """One more reply of this kind."""
    text = getattr(reply, "text", "")
    replies[f"{words[0]} {text.split(' ')[0]}".strip() if text else "answered"] += 1


class Comparison(RuleBasedStateMachine):
    """One situation, in which both nodes are asked the same."""

    dialect: str
    directory: Path
    ours_in: Ours
    stock: Stock
    replies: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self.sides: list[Side] = []

    @initialize(replica=st.booleans())
    def start(self, replica: bool) -> None:  # noqa: FBT001 - a rule's argument
        """Both know the same peers."""
        self.replies["situations"] += 1
        folder = self.directory / f"ours-{self.replies['situations']}"
        self.sides = [self.stock.take(replica=replica)]
        self.sides.append(self.ours_in.start(folder, self.dialect, replica=replica))
        self.same_view()

    @rule(words=CHANGES)
    def change(self, words: Words) -> None:
        """The cluster is changed, or the command is refused."""
        self.ask(words)

    @rule(words=DATA)
    def use(self, words: Words) -> None:
        """A client reads or writes, or is sent elsewhere."""
        self.ask(words)

    @rule(story=STORIES)
    def move_slot(self, story: list[Words]) -> None:
        """A slot is on its way, and clients ask for its keys."""
        for words in story:
            self.ask(words)

    @rule(story=STORIES)
    def move_another(self, story: list[Words]) -> None:
        """The same, so that it happens more often."""
        self.move_slot(story)

    @rule(words=CONFIGURATION)
    def configure(self, words: Words) -> None:
        """An operator configures the node."""
        self.ask(words)

    @rule(words=QUESTIONS)
    def look(self, words: Words) -> None:
        """Somebody asks about the cluster."""
        self.ask(words)

    def ask(self, words: Words) -> None:
        """Both have given the same answer, and tell the same of the cluster."""
        expected, reply = (side.ask(words) for side in self.sides)
        tally(self.replies, words, expected)
        assert expected == reply, f"{words}: the server says {expected}, the node {reply}"
        self.same_view()

    def same_view(self) -> None:
        """Both tell the same of the cluster, at the latest after a moment."""
        try:
            wait_until(lambda: self.sides[0].view() == self.sides[1].view(), _PATIENCE, every=0.01)
        except TimedOutError:
            assert self.sides[0].view() == self.sides[1].view()

    @override
    def teardown(self) -> None:
        for side in self.sides:
            side.end()


@pytest.mark.timeout(6000)
@pytest.mark.parametrize("dialect", ["redis-7.0", "valkey-9.1"])
def test_a_node_answers_as_the_server_does(
    tmp_path: Path, dialect: str, capsys: pytest.CaptureFixture[str]
) -> None:
    replies: Counter[str] = Counter()
    with both(tmp_path, dialect) as (ours_in, stock):
        found = {
            "dialect": dialect, "directory": tmp_path, "ours_in": ours_in, "stock": stock,
            "replies": replies,
        }  # fmt: skip
        run_state_machine_as_test(
            type("Compared", (Comparison,), found),
            settings=settings(
                max_examples=int(_EXAMPLES or 20),
                stateful_step_count=50,
                derandomize=not _EXAMPLES,
                database=None,
                deadline=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            ),
        )

    asked = sum(replies.values()) - replies["situations"]
    with capsys.disabled():
        sys.stdout.write(f"\n{dialect}: {asked} commands: {dict(replies.most_common())}\n")
    assert replies["situations"] >= 10
    assert {"GET MOVED", "GET ASK", "MGET TRYAGAIN", "CLUSTER ERR"} <= replies.keys()
