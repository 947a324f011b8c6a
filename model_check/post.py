"""The messages of a story, numbered in the order in which they were sent, and where each one is."""

from collections.abc import Iterable
from typing import Any, Literal

import attrs

from model_check.links import FifoLinks, HeldLinks, Links, SetLinks
from model_check.system import Channel, Send, System
from model_check.trace import StepKind, Trace, TraceStep

Place = Literal["on its way", "held", "gone"]


@attrs.define(kw_only=True)
class Letter:
    """A message with its channel; a `held` one was held back, or kept when its channel broke."""

    channel: Channel
    message: Any
    place: Place


class Post:
    """What was sent, the stale messages of the start first; a message's number is its index."""

    def __init__(self, system: System[Any, Any, Any], links: Links) -> None:
        """Only the stale messages have been sent."""
        self.letters: list[Letter] = []
        self._links = links
        for sender, send in system.initial_messages():
            self.send(sender, [send])
        if isinstance(links, HeldLinks):
            for letter in self.letters:
                letter.place = "held"

    def send(
        self, sender: int, sends: Iterable[Send[Any]], down: frozenset[int] = frozenset()
    ) -> None:
        """These have been sent; a queue takes none for a process that is down, nor one twice."""
        for send in sends:
            channel = (sender, send.dest, send.lane)
            letter = Letter(channel=channel, message=send.message, place="on its way")
            if isinstance(self._links, FifoLinks):
                queue = self._at("on its way", channel)
                if send.dest in down or (queue and self.letters[queue[-1]].message == send.message):
                    letter.place = "gone"
            self.letters.append(letter)

    def find(self, kind: StepKind, channel: Channel, message: object) -> int | None:
        """The number of the first such message that a step of this kind can be about."""
        places: dict[StepKind, tuple[Place, ...]] = {
            "deliver_held": ("held",),
            "lose": ("on its way", "held"),
        }
        for place in places.get(kind, ("on its way",)):
            for number in self._at(place, channel):
                if self.letters[number].message == message:
                    return number
        return None

    def why_not(self, kind: StepKind, number: int | None) -> str | None:
        """Why the links forbid a step of this kind about this message, None if they allow it.

        The number is None for a step about no message, and for one that sends its own.
        """
        if isinstance(self._links, SetLinks):
            return None
        letter = None if number is None else self.letters[number]
        if letter is not None:
            if letter.place == "gone":
                return f"message {number} has been delivered or lost before"
            if kind != "lose" and (letter.place == "held") != (kind == "deliver_held"):
                return f"message {number} is {letter.place}"
        if isinstance(self._links, FifoLinks):
            if letter is not None and self._at(letter.place, letter.channel)[0] != number:
                return f"message {number} is not the next on its channel"
            return None
        return self._why_not_held(kind, number)

    def _why_not_held(self, kind: StepKind, number: int | None) -> str | None:
        first = next((n for n, each in enumerate(self.letters) if each.place == "on its way"), None)
        if first is not None and number != first:
            return f"message {first} has to arrive, be lost or be held first"
        held = sum(each.place == "held" for each in self.letters)
        if kind == "hold" and isinstance(self._links, HeldLinks) and held >= self._links.capacity:
            return f"{self._links} holds no more"
        return None

    def resolve(self, kind: StepKind, number: int) -> None:
        """The message was delivered, lost or held."""
        if not isinstance(self._links, SetLinks):
            self.letters[number].place = "held" if kind == "hold" else "gone"

    def lose_to(self, process: int) -> None:
        """The process went down: what was held for it, or queued to it, is lost."""
        if isinstance(self._links, SetLinks):
            return
        for letter in self.letters:
            waits = letter.place == "held" or isinstance(self._links, FifoLinks)
            if waits and letter.channel[1] == process:
                letter.place = "gone"

    def break_off(self, channel: Channel, kept: int) -> None:
        """The channel broke; the first `kept` messages of its queue can still be read."""
        queue = self._at("on its way", channel)
        for number in self._at("held", channel):
            self.letters[number].place = "gone"
        for at, number in enumerate(queue):
            self.letters[number].place = "held" if at < kept else "gone"

    def _at(self, place: Place, channel: Channel) -> list[int]:
        return [
            number
            for number, letter in enumerate(self.letters)
            if letter.place == place and letter.channel == channel
        ]


def follow(
    post: Post, system: System[Any, Any, Any], step: TraceStep, down: frozenset[int]
) -> int | None:
    """What the step did to messages has been done; its message's number, if it is about one."""
    number = None
    if step.channel is not None and step.kind == "break":
        post.break_off(step.channel, step.kept or 0)
    elif step.channel is not None:
        if step.event is not None:
            sender, receiver, lane = step.channel
            post.send(sender, [Send(receiver, step.message, lane)])
            number = len(post.letters) - 1
        else:
            number = post.find(step.kind, step.channel, step.message)
        if number is not None:
            post.resolve(step.kind, number)
    if system.is_down(step.process, step.after):
        post.lose_to(step.process)
    post.send(step.process, step.sends, down)
    return number


def numbered(trace: Trace, system: System[Any, Any, Any], links: Links) -> list[int | None]:
    """For each step of the trace the number of the message that it is about."""
    post = Post(system, links)
    states = list(trace.initial)
    numbers = []
    for step in trace.steps:
        states[step.process] = step.after
        down = frozenset(p for p, state in enumerate(states) if system.is_down(p, state))
        numbers.append(follow(post, system, step, down))
    return numbers
