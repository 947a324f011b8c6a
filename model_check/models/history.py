"""How a model comes to a start that is not a cluster in good order: by steps of the nodes."""

from typing import TypeVar

from reference.core import effects
from reference.core.announce import header, pong
from reference.core.events import ElectionDue, Event, PongOverdue, Received
from reference.core.messages import Fail, FailoverAuthAck, FailoverAuthRequest, Message
from reference.core.state import ClusterState
from reference.core.step import step
from reference.core.types import Health, Link, NodeId

M = TypeVar("M", FailoverAuthRequest, FailoverAuthAck)


class History:
    """Nodes whose states are what their own rules have made of a few events.

    Nothing is put into a state by hand, so what a history ends with is reachable.
    """

    def __init__(self, nodes: tuple[ClusterState, ...]) -> None:
        """Nothing has happened to the nodes."""
        self._states = {str(node.myself_id): node for node in nodes}

    @property
    def nodes(self) -> tuple[ClusterState, ...]:
        """The nodes as they are now."""
        return tuple(self._states.values())

    def node(self, name: str) -> ClusterState:
        """The node of that name as it is now."""
        return self._states[name]

    def happen(self, who: str, event: Event) -> tuple[effects.Effect, ...]:
        """The event has happened to the node, which asks for these effects."""
        self._states[who], done = step(self._states[who], event)
        return done

    def tell(self, who: str, *others: str) -> None:
        """A heartbeat of the node, which speaks of all that are not well, has reached the others.

        Each of them in turn has heard it.
        """
        state = self._states[who]
        about = tuple(node.node_id for node in state.nodes if node.health is not Health.OK)
        for other in others:
            self.hear(other, pong(state, about))

    def fail(self, subject: str, *, seen_by: str, with_help_of: str, heard_by: str) -> None:
        """Two masters have agreed that the node is in FAIL, and others, in one text, heard it."""
        self.suspect(subject, seen_by=seen_by, with_help_of=with_help_of)
        self.say_failed(subject, seen_by, f"{with_help_of} {heard_by}")

    def suspect(self, subject: str, *, seen_by: str, with_help_of: str) -> None:
        """Two masters wait in vain for the node, and one has heard of it from the other."""
        for who in (seen_by, with_help_of):
            self.happen(who, PongOverdue(peer=NodeId(subject)))
        self.tell(with_help_of, seen_by)

    def say_failed(self, subject: str, seen_by: str, heard_by: str) -> None:
        """Others, in one text, have heard from this node that the subject is in FAIL."""
        said = Fail(header=header(self._states[seen_by]), subject=NodeId(subject))
        for other in heard_by.split():
            self.hear(other, said)

    def elect(self, candidate: str, *, voters: str, heard_by: str) -> None:
        """The replica stands; the voters are asked and answer, and others hear that it stands."""
        for vote in self.ask(candidate, voters=voters, heard_by=heard_by):
            self.hear(candidate, vote)

    def stand(self, candidate: str) -> FailoverAuthRequest:
        """The replica stands, and its request is still on its way to everybody."""
        [request] = _sent(self.happen(candidate, ElectionDue()), FailoverAuthRequest)
        return request

    def ask(self, candidate: str, *, voters: str, heard_by: str = "") -> list[FailoverAuthAck]:
        """The replica stands, others hear it, and the voters' answers are still on their way."""
        request = self.stand(candidate)
        heard = {name: self.hear(name, request) for name in f"{voters} {heard_by}".split()}
        return [vote for name in voters.split() for vote in _sent(heard[name], FailoverAuthAck)]

    def hear(self, who: str, message: Message) -> tuple[effects.Effect, ...]:
        """The message has reached the node, which asks for these effects."""
        sender = message.header.sender
        return self.happen(who, Received(message=message, link=Link.OUTBOUND, link_node=sender))


def _sent(done: tuple[effects.Effect, ...], kind: type[M]) -> list[M]:
    return [
        effect.message
        for effect in done
        if isinstance(effect, effects.Send | effects.Broadcast) and isinstance(effect.message, kind)
    ]
