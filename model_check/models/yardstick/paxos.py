"""Single-decree Paxos, as Paxos.tla of the TLA+ examples has it.

There all messages stay in one set that everyone may look at. Here a ballot's messages to the
acceptors are on `set` links, where they may be received at any time and again. The acceptors keep
what they have sent, and the leader of a ballot looks at their promises: the same states.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import combinations, permutations
from typing import Any, Final

import attrs
from typing_extensions import override

from model_check.system import Move, Send, Step, Symmetry, System

NONE: Final = -1
"""No ballot, or no value."""


@attrs.frozen(cache_hash=True)
class Promise:
    """The message 1b of an acceptor: what it had accepted when it joined the ballot."""

    ballot: int
    accepted_ballot: int
    accepted_value: int


@attrs.frozen(cache_hash=True)
class Acceptor:
    """What an acceptor remembers and has sent."""

    ballot: int = NONE  # the highest it took part in
    accepted_ballot: int = NONE
    accepted_value: int = NONE
    promises: frozenset[Promise] = frozenset()  # messages 1b
    accepted: frozenset[tuple[int, int]] = frozenset()  # messages 2b: ballot, value


@attrs.frozen(cache_hash=True)
class Ballot:
    """What the leader of a ballot has sent."""

    started: bool = False  # message 1a
    value: int = NONE  # of the message 2a


State = Acceptor | Ballot
Message = tuple[int, int]
"""A ballot and its value: the message 2a; with NONE the message 1a."""


@attrs.frozen(kw_only=True)
class Paxos(System[State, Message, int]):
    """Acceptors, then ballots from 0 on; any majority of acceptors is a quorum."""

    acceptors: int
    values: int
    ballots: int

    @property
    @override
    def processes(self) -> tuple[str, ...]:
        return (
            *(f"acceptor {number + 1}" for number in range(self.acceptors)),
            *(f"ballot {number}" for number in range(self.ballots)),
        )

    @property
    @override
    def watchers(self) -> tuple[int, ...]:
        return tuple(range(self.acceptors, self.acceptors + self.ballots))

    @override
    def initial(self) -> tuple[State, ...]:
        return (*(Acceptor() for _ in range(self.acceptors)), *(Ballot(),) * self.ballots)

    @property
    @override
    def symmetries(self) -> Sequence[Symmetry[State, Message]]:
        """Acceptors are interchangeable, and so are values."""
        ballots = range(self.acceptors, self.acceptors + self.ballots)
        return [
            _renaming((*places, *ballots), values)
            for places in permutations(range(self.acceptors))
            for values in permutations(range(self.values))
            if [*places, *values] != [*range(self.acceptors), *range(self.values)]
        ]

    @override
    def looks(self, process: int, state: State) -> bool:
        """The leader of a ballot looks for promises once it has asked, until it proposes."""
        return isinstance(state, Ballot) and state.started and state.value == NONE

    @override
    def observe(self, process: int, state: State) -> frozenset[Promise]:
        """The promises of an acceptor."""
        return state.promises if isinstance(state, Acceptor) else frozenset()

    @override
    def moves(self, process: int, state: State) -> Iterable[Move[int]]:
        if isinstance(state, Ballot) and not state.started:
            yield Move(NONE)

    @override
    def moves_seeing(
        self, process: int, state: State, seen: tuple[Any, ...]
    ) -> Iterable[Move[int]]:
        if not self.looks(process, state):
            return ()
        ballot, quorum = process - self.acceptors, self.acceptors // 2 + 1
        # One for each acceptor at most.
        joined = [
            promise
            for sent in seen[: self.acceptors]
            for promise in sent
            if promise.ballot == ballot
        ]
        return _proposals(tuple(joined), quorum, self.values)

    @override
    def act(self, process: int, state: State, move: Move[int]) -> Step[State, Message]:
        message = (process - self.acceptors, move.event)
        sends = tuple(Send(acceptor, message) for acceptor in range(self.acceptors))
        return Step(Ballot(started=True, value=move.event), sends)

    @override
    def receive(
        self, process: int, state: State, message: Message, lane: int
    ) -> Step[State, Message] | None:
        ballot, value = message
        if not isinstance(state, Acceptor):
            return None
        if value == NONE and ballot > state.ballot:
            promise = Promise(ballot, state.accepted_ballot, state.accepted_value)
            promises = state.promises | {promise}
            return Step(
                Acceptor(
                    ballot, state.accepted_ballot, state.accepted_value, promises, state.accepted
                )
            )
        if value != NONE and ballot >= state.ballot:
            accepted = state.accepted | {message}
            return Step(Acceptor(ballot, ballot, value, state.promises, accepted))
        return None


@cache
def _proposals(joined: tuple[Promise, ...], quorum: int, values: int) -> tuple[Move[int], ...]:
    """The values that some quorum of the promises lets the leader propose, in rising order."""
    safe: set[int] = set()
    for some in combinations(joined, quorum):
        latest = max(some, key=lambda promise: promise.accepted_ballot)
        if latest.accepted_ballot == NONE:
            safe.update(range(values))
        else:
            safe.add(latest.accepted_value)
    return tuple(Move(value) for value in sorted(safe))


def _renaming(places: tuple[int, ...], values: tuple[int, ...]) -> Symmetry[State, Message]:
    """Process p becomes places[p], and value v becomes values[v]."""

    def value(number: int) -> int:
        return NONE if number == NONE else values[number]

    def promises(sent: frozenset[Promise]) -> frozenset[Promise]:
        return frozenset(attrs.evolve(p, accepted_value=value(p.accepted_value)) for p in sent)

    def state(_: int, known: State) -> State:
        if isinstance(known, Ballot):
            return attrs.evolve(known, value=value(known.value))
        return attrs.evolve(
            known,
            accepted_value=value(known.accepted_value),
            promises=promises(known.promises),
            accepted=frozenset((ballot, value(chosen)) for ballot, chosen in known.accepted),
        )

    return Symmetry(
        processes=places,
        state=state,
        message=lambda message: (message[0], value(message[1])),
        observation=lambda _, seen: promises(seen),
        name=f"processes as {places}, values as {values}",
    )
