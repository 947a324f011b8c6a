"""What can happen to a message on its way, in four strengths, each with its bound.

`held(k)`: a message is delivered at once, or lost, or held back and delivered at any later moment
or never; at most k messages are held at a time in the whole system. An equal message on the same
channel is not held twice. Messages that lie in the network at the start are held, even beyond k.
With `held(k,fifo)` nothing on a channel overtakes a held message of that channel: a message behind
one can only be lost or held too, unless it equals the last one held there.

`fifo(c)`: each channel is a queue of at most c messages. A step that sends a message for which
there is no room cannot be made: the bound was hit, and the result says so. A message equal to the
last one in its channel's queue is not put behind it. With a budget named "break", a channel may
break: its queue is lost from some point on, and what is kept, the leftover, may still be read at
any later moment beside what is sent afterwards. There is one leftover for each channel: that of a
second break replaces it. Nothing is lost without a break, except on a process that is down.

`flight(n)`: what is in flight is one set of at most n messages in the whole system. They are
delivered in any order, each once. A message equal to one that is in flight to the same process on
the same lane merges with it, whoever sent it. With `flight(n,c)` at most c of them are on lane 1,
the crowded one. A step after which there were more cannot be made: the bound was hit, and the
result says so. Nothing is lost, except to a process that is down; with `flight(n,c,lossy)`
anything may be. A trace names the first process that ever sent the message.

`set`: any order, any loss, any duplication. What was ever sent to a process may be delivered to it
any number of times.

When a process goes down, messages held for it or in flight to it, and queues and leftovers to it,
are lost, as its TCP connections are; those from it stay. A `set` is the strongest adversary and
forgets nothing.
"""

import re
from typing import Final

import attrs
from typing_extensions import override

BREAK: Final = "break"
"""The budget that each break of a channel uses up by one."""

CROWDED_LANE: Final = 1
"""The lane on which flights may have a bound of its own."""

MOST: Final = 255
"""The greatest capacity: beyond it nothing is ever explored to the end."""


@attrs.frozen
class HeldLinks:
    """Messages are delivered at once, lost, or held back, at most `capacity` at a time."""

    capacity: int = attrs.field(validator=attrs.validators.in_(range(MOST + 1)))
    ordered: bool = False  # nothing overtakes a held message of its channel

    @override
    def __str__(self) -> str:
        return f"held({self.capacity},fifo)" if self.ordered else f"held({self.capacity})"


@attrs.frozen
class FifoLinks:
    """Each channel is a queue of at most `capacity` messages that may break."""

    capacity: int = attrs.field(validator=attrs.validators.in_(range(1, MOST + 1)))

    @override
    def __str__(self) -> str:
        return f"fifo({self.capacity})"


@attrs.frozen
class FlightLinks:
    """At most `capacity` messages are in flight, at most `crowded` of them on the crowded lane."""

    capacity: int = attrs.field(validator=attrs.validators.in_(range(1, MOST + 1)))
    crowded: int | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.in_(range(MOST + 1)))
    )
    lossy: bool = False

    @override
    def __str__(self) -> str:
        crowded = "" if self.crowded is None else f",{self.crowded}"
        return f"flight({self.capacity}{crowded}{',lossy' if self.lossy else ''})"


@attrs.frozen
class SetLinks:
    """What was ever sent may be delivered at any time, any number of times."""

    @override
    def __str__(self) -> str:
        return "set"


Links = HeldLinks | FifoLinks | FlightLinks | SetLinks

_FORM = re.compile(r"(?P<kind>[a-z]+)(\((?P<arguments>[^()]*)\))?")


def parse_links(text: str) -> Links:
    """The links that the text names.

    Raises ValueError, saying what is wrong, if it names none.
    """
    form = _FORM.fullmatch("".join(text.split()))
    if form is None:
        raise ValueError(
            f"links {text!r}: expected held(K), held(K,fifo), fifo(C), flight(N) or set"
        )
    given = form["arguments"]
    arguments = [] if given is None else given.split(",")
    match form["kind"]:
        case "held":
            return _held(text, arguments)
        case "fifo":
            if len(arguments) != 1:
                raise ValueError(f"links {text!r}: fifo takes one number, as in fifo(3)")
            return FifoLinks(_number(text, "fifo", arguments[0], least=1))
        case "flight":
            return _flight(text, arguments)
        case "set":
            if given is not None:
                raise ValueError(f"links {text!r}: set takes nothing in parentheses")
            return SetLinks()
        case kind:
            raise ValueError(
                f"links {text!r}: unknown kind {kind!r}, expected held, fifo, flight or set"
            )


def _held(text: str, arguments: list[str]) -> HeldLinks:
    if not 1 <= len(arguments) <= 2:
        raise ValueError(f"links {text!r}: held takes a number, as in held(1) or held(1,fifo)")
    capacity = _number(text, "held", arguments[0], least=0)
    if arguments[1:] not in ([], ["fifo"]):
        raise ValueError(
            f"links {text!r}: after the number, held takes only fifo, not {arguments[1]!r}"
        )
    return HeldLinks(capacity, ordered=len(arguments) == 2)


def _flight(text: str, arguments: list[str]) -> FlightLinks:
    lossy = arguments[-1:] == ["lossy"]
    numbers = arguments[: len(arguments) - lossy]
    if not 1 <= len(numbers) <= 2 or "lossy" in numbers:
        raise ValueError(
            f"links {text!r}: flight takes one number or two, and then lossy, as in flight(4,1)"
        )
    capacity = _number(text, "flight", numbers[0], least=1)
    crowded = _number(text, "flight", numbers[1], least=0) if numbers[1:] else None
    return FlightLinks(capacity, crowded, lossy)


def _number(text: str, kind: str, argument: str, *, least: int) -> int:
    if not (argument.isascii() and argument.isdecimal()) or not least <= int(argument) <= MOST:
        raise ValueError(
            f"links {text!r}: {kind} needs a whole number of at least {least}, "
            f"at most {MOST}, not {argument!r}"
        )
    return int(argument)
