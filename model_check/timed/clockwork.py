"""Nodes with their clocks as numbers: each thing that can happen to one is computed once."""

from collections.abc import Callable, Hashable
from itertools import count
from typing import Final

import attrs

from model_check.timed.instants import TimedNode, later
from reference.core.effects import Broadcast, CloseLink, Effect, Notice, Send
from reference.core.events import Event, HeartbeatDue, Received
from reference.core.messages import Message
from reference.core.rules import Rules
from reference.core.step import step
from reference.core.types import Link, NodeId
from reference.pacing.availability import Availability, judge
from reference.pacing.draws import below
from reference.pacing.elections import voted_recently
from reference.pacing.heartbeat import link_dialled, link_lost
from reference.pacing.pace import Pace
from reference.pacing.pacemaker import Dial, Drop, after_step, due

NOW: Final = 0
"""A node's own instant, whenever that is."""


def drawing(drawn: int, limit: int) -> int:
    """An entropy for which that number is drawn of those below the limit."""
    return next(chance for chance in count() if below(limit, chance) == drawn)


@attrs.frozen(kw_only=True)
class Post:
    """A message on its way: on the sender's own link, or in answer on the receiver's."""

    sender: int
    receiver: int
    message: int
    answer: bool


@attrs.frozen(kw_only=True)
class Told:
    """Something that a node did, for a story: the event, and what the core said of it."""

    event: object
    notices: tuple[str, ...]
    before: TimedNode
    after: TimedNode


@attrs.frozen(kw_only=True)
class Outcome:
    """What became of a node, and what it sent, in order."""

    node: int
    posts: tuple[Post, ...] = ()
    told: tuple[Told, ...] = ()


Judge = Callable[..., Availability]
"""`reference.pacing.availability.judge`, or a broken one in its place."""


class Clockwork:
    """The nodes of a scope by number, and the messages between them by number."""

    def __init__(
        self, names: tuple[NodeId, ...], rules: Rules, chance: int, judged_by: Judge = judge
    ) -> None:
        """Nothing is known; `chance` is the entropy of every decision."""
        self.names = names
        self.nodes: list[TimedNode] = []
        self.messages: list[Message] = []
        self._rules = rules
        self.chance = chance
        self._judge = judged_by
        self._node_ids: dict[Hashable, int] = {}
        self._message_ids: dict[Message, int] = {}
        self._indexes = {name: at for at, name in enumerate(names)}
        self._elapsed: dict[tuple[int, int], int] = {}
        self._acted: dict[int, Outcome] = {}
        self._heard: dict[tuple[int, int, int, bool], Outcome] = {}
        self._serving: dict[int, bool] = {}

    def number(self, node: TimedNode) -> int:
        """The number of the node, a new one if there was none like it."""
        known = self._node_ids.setdefault(node.key, len(self.nodes))
        if known == len(self.nodes):
            self.nodes.append(node)
        return known

    def _message(self, message: Message) -> int:
        known = self._message_ids.setdefault(message, len(self.messages))
        if known == len(self.messages):
            self.messages.append(message)
        return known

    def takes_writes(self, node: int, slot: int) -> bool:
        """Whether the node serves a client that writes to the slot."""
        known = self._serving.get(node)
        if known is None:
            known = self._serving[node] = self.nodes[node].takes_writes(slot)
        return known

    def later(self, node: int, ms: int) -> int:
        """The node, so much later by its own clock."""
        known = self._elapsed.get((node, ms))
        if known is None:
            moved = later(self.nodes[node], ms)
            known = self._elapsed[node, ms] = self.number(moved)
        return known

    def act(self, node: int) -> Outcome:
        """The node does what is due now."""
        known = self._acted.get(node)
        if known is None:
            doing = _Doing(self, self.nodes[node])
            doing.act(self.chance)
            known = self._acted[node] = doing.outcome()
        return known

    def hear(self, node: int, post: Post) -> Outcome:
        """The node takes in the message."""
        asked = (node, post.sender, post.message, post.answer)
        known = self._heard.get(asked)
        if known is None:
            doing = _Doing(self, self.nodes[node])
            doing.hear(post, self.chance)
            known = self._heard[asked] = doing.outcome()
        return known

    def judge(self, node: TimedNode) -> TimedNode:
        """The node, which knows whether it serves clients."""
        judged = self._judge(
            node.availability, node.state, now=NOW, node_timeout=node.pace.node_timeout
        )
        if judged == node.availability:
            return node
        return TimedNode(state=node.state, pace=node.pace, availability=judged)

    def post(self, sender: TimedNode, to: NodeId, message: Message, *, answer: bool) -> Post | None:
        """The message is on its way, if there is a link for it."""
        linked = sender.pace.peer(to).linked_since is not None
        if to not in self._indexes or not (answer or linked):
            return None
        return Post(
            sender=self._indexes[sender.state.myself_id],
            receiver=self._indexes[to],
            message=self._message(message),
            answer=answer,
        )


class _Doing:
    """A node at one instant, while it does one thing after the other."""

    def __init__(self, clockwork: Clockwork, node: TimedNode) -> None:
        self._clockwork = clockwork
        self._node = clockwork.judge(node)
        self._posts: list[Post] = []
        self._told: list[Told] = []

    def outcome(self) -> Outcome:
        """What became of it."""
        return Outcome(
            node=self._clockwork.number(later(self._node, 0)),
            posts=tuple(self._posts),
            told=tuple(self._told),
        )

    def act(self, chance: int) -> None:
        """What is due is done, as a driver does it: a link that is dialled stands at once."""
        pace, actions = due(self._node.pace, self._node.state, NOW, chance)
        self._put(pace)
        for action in actions:
            match action:
                case Dial():
                    self._put(link_dialled(self._node.pace, action.peer, NOW))
                    self._step(HeartbeatDue(peer=action.peer), chance)
                case Drop():
                    self._put(link_lost(self._node.pace, action.peer, NOW))
                case HeartbeatDue():
                    self._step(HeartbeatDue(peer=action.peer), chance)
                case _:
                    self._step(action, chance)

    def hear(self, post: Post, chance: int) -> None:
        """A message came on the link that the sender or this node dialled."""
        sender = self._clockwork.names[post.sender]
        pace, state = self._node.pace, self._node.state
        event = Received(
            message=self._clockwork.messages[post.message],
            link=Link.OUTBOUND if post.answer else Link.INBOUND,
            link_node=sender,
            voted_recently=voted_recently(pace, state, sender, NOW),
            newcomer=self._node.availability.newcomer,
            sender_known_long=True,
        )
        self._step(event, chance)

    def _put(self, pace: Pace) -> None:
        self._node = attrs.evolve(self._node, pace=pace)

    def _step(self, event: Event, chance: int) -> None:
        before = self._node
        state, effects = step(before.state, event)
        pace = after_step(before.pace, before.state, state, event, now=NOW, entropy=chance)
        self._node = TimedNode(state=state, pace=pace, availability=before.availability)
        if state is not before.state:
            self._node = self._clockwork.judge(self._node)
        for effect in effects:
            self._carry_out(effect, event)
        notices = tuple(effect.text for effect in effects if isinstance(effect, Notice))
        self._told.append(Told(event=event, notices=notices, before=before, after=self._node))

    def _carry_out(self, effect: Effect, event: Event) -> None:
        match effect:
            case Send():
                answered = event.link_node if isinstance(event, Received) else None
                to = answered if effect.reply else effect.to
                if to is not None:
                    self._send(to, effect.message, answer=effect.reply)
            case Broadcast():
                for node in self._node.state.nodes:
                    if node.node_id != self._node.state.myself_id:
                        self._send(node.node_id, effect.message, answer=False)
            case CloseLink():
                self._put(link_lost(self._node.pace, effect.peer, NOW))
            case _:
                pass  # what is saved, and what is about data, has no part in when writes are taken

    def _send(self, to: NodeId, message: Message, *, answer: bool) -> None:
        post = self._clockwork.post(self._node, to, message, answer=answer)
        if post is not None:
            self._posts.append(post)
