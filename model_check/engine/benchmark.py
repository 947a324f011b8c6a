"""The speed of the engine on a toy failover: `python -m model_check.engine.benchmark`.

Voters and candidates gossip a claim by heartbeats; a candidate asks for votes in a new term, a
majority of voters makes it the owner, and one voter may crash and forget nothing.
"""

import sys
from collections.abc import Iterable
from typing import Final

import attrs
from typing_extensions import override

from model_check.engine import Limits, explore
from model_check.links import parse_links
from model_check.properties import Invariant, Property, Sometimes
from model_check.system import Move, Send, Step, System

VOTERS: Final = 3
CANDIDATES: Final = 2


@attrs.frozen(cache_hash=True)
class Node:
    """A voter or a candidate."""

    term: int = 0
    voted: int = 0  # the last term in which it gave its vote
    owner: tuple[int, int] = (0, 0)  # the newest claim it knows: term, candidate
    votes: frozenset[int] | None = None  # while it is asking for them
    up: bool = True


@attrs.frozen(cache_hash=True)
class Message:
    """A heartbeat, a request for votes or a vote."""

    kind: str
    sender: int
    term: int
    owner: tuple[int, int] = (0, 0)


class ToyFailover(System[Node, Message, tuple[str, int]]):
    """Voters, then candidates."""

    processes = tuple(f"voter {v}" for v in range(VOTERS)) + tuple(
        f"candidate {c}" for c in range(CANDIDATES)
    )

    def __init__(self, elections: int) -> None:
        self._elections = elections

    @property
    @override
    def budgets(self) -> dict[str, int]:
        return {"election": self._elections, "crash": 1}

    @override
    def initial(self) -> tuple[Node, ...]:
        return (Node(),) * len(self.processes)

    @override
    def moves(self, process: int, state: Node) -> Iterable[Move[tuple[str, int]]]:
        if not state.up:
            return [Move(("restart", 0))]
        moves = [
            Move(("heartbeat", other)) for other in range(len(self.processes)) if other != process
        ]
        if process < VOTERS:
            moves.append(Move(("crash", 0), "crash"))
        else:
            moves.append(Move(("election", 0), "election"))
        return moves

    @override
    def act(self, process: int, state: Node, move: Move[tuple[str, int]]) -> Step[Node, Message]:
        match move.event:
            case ("heartbeat", dest):
                beat = Message("heartbeat", process, state.term, state.owner)
                return Step(state, (Send(dest, beat),))
            case ("election", _):
                asked = Message("request", process, state.term + 1)
                asking = attrs.evolve(state, term=state.term + 1, votes=frozenset())
                return Step(asking, tuple(Send(voter, asked) for voter in range(VOTERS)))
            case ("crash", _):
                return Step(attrs.evolve(state, up=False))
            case _:
                return Step(attrs.evolve(state, up=True))

    @override
    def receive(
        self, process: int, state: Node, message: Message, lane: int
    ) -> Step[Node, Message] | None:
        if message.term > state.term:
            state = attrs.evolve(state, term=message.term, votes=None)
        if message.owner > state.owner:
            state = attrs.evolve(state, owner=message.owner)
        if message.kind == "request" and message.term > state.voted and message.term == state.term:
            vote = Message("vote", process, message.term)
            return Step(attrs.evolve(state, voted=message.term), (Send(message.sender, vote),))
        if message.kind == "vote" and state.votes is not None and message.term == state.term:
            votes = state.votes | {message.sender}
            if 2 * len(votes) > VOTERS:
                return Step(attrs.evolve(state, votes=None, owner=(state.term, process)))
            return Step(attrs.evolve(state, votes=votes))
        return Step(state)

    @override
    def is_down(self, process: int, state: Node) -> bool:
        return not state.up


PROPERTIES: Final[tuple[Property, ...]] = (
    Invariant(
        id="one owner in a term",
        project=lambda process, node: node.owner if node.owner[1] == process else None,
        judge=lambda own: len({o[0] for o in own if o}) == len([o for o in own if o]),
    ),
    Sometimes(
        id="two owners, one after the other",
        project=lambda process, node: node.owner if node.owner[1] == process else None,
        judge=lambda own: len([o for o in own if o and o[0]]) == 2,
    ),
)


def main(elections: int, links: str, limit: int) -> None:
    """Prints what the exploration took."""
    found = explore(ToyFailover(elections), parse_links(links), PROPERTIES, Limits(states=limit))
    print(  # noqa: T201  this is what the script is for
        f"{links}, {elections} elections: {found.verdict}, "
        f"{found.distinct_states:,} states, {found.transitions:,} transitions, "
        f"depth {found.depth}, {found.seconds:.2f} s, "
        f"{found.transitions / found.seconds / 1e6:.2f} M transitions/s, "
        f"{found.step_calls:,} step calls, "
        f"one for {found.transitions / found.step_calls:,.0f} transitions"
    )


if __name__ == "__main__":
    main(
        elections=int(sys.argv[1]) if len(sys.argv) > 1 else 2,
        links=sys.argv[2] if len(sys.argv) > 2 else "held(1)",
        limit=int(sys.argv[3]) if len(sys.argv) > 3 else 2_000_000,
    )
