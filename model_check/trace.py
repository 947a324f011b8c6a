"""A path from the initial state, as data: what happened, to whom, and what changed."""

from collections.abc import Hashable
from typing import Any, Literal

import attrs

from model_check.system import Channel, Send

StepKind = Literal["move", "deliver", "deliver_held", "lose", "hold", "break"]


@attrs.frozen(kw_only=True)
class TraceStep:
    """One transition: `process` went from `before` to `after`, and sent `sends`.

    - move: `process` made the move of `event`.
    - deliver: `process` received `message` on `channel`. With an `event`, it is that of the move
      by which the sender, whose state it left unchanged, sent the message in this very transition.
    - deliver_held: as deliver, of a message that was held back, or kept when its channel broke.
    - lose: `message`, sent by `process`, was lost.
    - hold: `message`, sent by `process`, was held back, with an `event` as for deliver.
    - break: `channel`, from `process`, broke, and `kept` messages of its queue can still be read.
    """

    kind: StepKind
    process: int
    event: Hashable | None = None
    message: Hashable | None = None
    channel: Channel | None = None
    before: Hashable
    after: Hashable
    sends: tuple[Send[Any], ...] = ()
    notes: tuple[Hashable, ...] = ()
    kept: int | None = None


@attrs.frozen(kw_only=True)
class Trace:
    """A path: where every process started, what lay in the network, and each transition.

    The last `loop` transitions lead back to the state before them, and so may repeat for ever.
    """

    initial: tuple[Hashable, ...]
    initial_messages: tuple[tuple[int, Send[Any]], ...]
    steps: tuple[TraceStep, ...]
    loop: int = 0
