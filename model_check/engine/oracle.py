"""The same exploration, object by object: slow, and simple enough to be believed.

It shares no code with the interned engine, and tests compare the two. Everything is said here
once more, in plain tuples and sets: which transitions there are, and what counts as one.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import attrs
import networkx as nx

from model_check.engine.oracle_fairness import unanswered, worlds
from model_check.links import BREAK, CROWDED_LANE, FifoLinks, FlightLinks, HeldLinks, Links
from model_check.properties import ON_GRAPHS, LeadsTo, Property, Verdict
from model_check.system import Channel, Move, Send, Step, System
from model_check.trace import StepKind

Parcel = tuple[Channel, Any]
"""A message on a channel."""

Queue = tuple[Channel, tuple[Any, ...], tuple[Any, ...]]
"""A channel, its leftover and its queue, not both empty."""


@attrs.frozen(cache_hash=True)
class World:
    """A global state. The fields for links of other kinds stay empty."""

    local: tuple[Any, ...]
    budgets: tuple[int, ...]
    pending: tuple[Parcel, ...] = ()  # held: to be resolved now
    held: tuple[Parcel, ...] | frozenset[Parcel] = ()  # held: in order, or in none
    queues: frozenset[Queue] = frozenset()
    sent: frozenset[Parcel] = frozenset()  # set: everything ever sent
    flying: frozenset[tuple[int, int, Any]] = frozenset()  # flight: receiver, lane, message


@attrs.frozen
class Deed:
    """What a transition does, as a `TraceStep` says it."""

    kind: StepKind
    channel: Channel | None = None
    message: Any = None
    event: Any = None
    kept: int | None = None


@attrs.frozen
class Arc:
    """A transition to a world, by a step of a process if there is one."""

    world: World
    deed: Deed
    stepped: int | None = None
    fault: bool = False


@attrs.frozen(kw_only=True)
class OracleResult:
    """What was found, to be compared with an `Exploration`."""

    verdict: Verdict
    distinct_states: int
    transitions: int
    depth: int
    bounds_hit: bool
    verdicts: dict[str, Verdict]
    trace_lengths: dict[str, int]  # of the properties that something was found for


class Oracle:
    """The transitions of a system on its links."""

    def __init__(self, system: System[Any, Any, Any], links: Links) -> None:
        self.bounds_hit = False
        self._system = system
        self._links = links
        self._costs = tuple(system.budgets)

    def initial(self) -> World:
        """Where every run starts."""
        world = World(
            local=tuple(self._system.initial()), budgets=tuple(self._system.budgets.values())
        )
        for sender, send in self._system.initial_messages():
            parcel = ((sender, send.dest, send.lane), send.message)
            if isinstance(self._links, HeldLinks):
                if not self._down(world, send.dest):
                    world = self._held_with(world, parcel) or world
            else:
                put = self._put(world, [parcel])
                if put is None:
                    raise ValueError(f"no room for {send}")
                world = put
        if isinstance(self._links, HeldLinks) and not self._links.ordered:
            world = attrs.evolve(world, held=frozenset(world.held))
        return world

    def arcs(self, world: World) -> Iterator[Arc]:
        """Every transition from the world."""
        if isinstance(self._links, HeldLinks):
            if world.pending:
                yield from self._resolve(world, world.pending[0])
            else:
                yield from self._moves_held(world)
                yield from self._deliver_held(world)
            return
        changing = (*self._moves_boxed(world), *self._deliver_boxed(world), *self._break(world))
        yield from (arc for arc in changing if arc.world != world)

    def _resolve(self, world: World, parcel: Parcel) -> Iterator[Arc]:
        rest = attrs.evolve(world, pending=world.pending[1:])
        step = self._reaction(world, parcel)
        if step is None:
            yield Arc(rest, Deed("lose", *parcel))
            return
        held = self._hold(rest, parcel)
        passes = self._may_pass(world, parcel[0])
        yield Arc(rest, Deed("lose", *parcel), fault=passes or held is not None)
        if held is not None:
            yield Arc(held, Deed("hold", *parcel), fault=passes)
        if passes:
            yield self._stepped_held(rest, parcel[0][1], step, Deed("deliver", *parcel))

    def _moves_held(self, world: World) -> Iterator[Arc]:
        for process, move, step, paid in self._payable(world):
            if move.cost is None and step.state == world.local[process] and len(step.sends) <= 1:
                for send in step.sends:
                    yield from _marked(self._fused(world, _parcel(process, send), move), move)
            else:
                deed = Deed("move", event=move.event)
                yield from _marked([self._stepped_held(paid, process, step, deed)], move)

    def _fused(self, world: World, parcel: Parcel, move: Move[Any]) -> Iterator[Arc]:
        channel = parcel[0]
        reaction = self._reaction(world, parcel)
        if reaction is None:
            return
        held = self._hold(world, parcel)
        if held is not None:
            yield Arc(held, Deed("hold", *parcel, move.event), fault=True)
        changes = reaction.state != world.local[channel[1]] or reaction.sends
        if changes and self._may_pass(world, channel):
            deed = Deed("deliver", *parcel, move.event)
            yield self._stepped_held(world, channel[1], reaction, deed)

    def _deliver_held(self, world: World) -> Iterator[Arc]:
        seen: set[Channel] = set()
        for parcel in world.held:
            if isinstance(world.held, tuple) and parcel[0] in seen:
                continue
            seen.add(parcel[0])
            left = [other for other in world.held if other != parcel]
            if isinstance(world.held, tuple):
                left = list(world.held)
                left.remove(parcel)
            rest = attrs.evolve(world, held=type(world.held)(left))
            step = self._reaction(world, parcel)
            if step is None:
                yield Arc(rest, Deed("lose", *parcel))
            else:
                deed = Deed("deliver_held", *parcel)
                yield self._stepped_held(rest, parcel[0][1], step, deed)

    def _stepped_held(self, world: World, process: int, step: Step[Any, Any], deed: Deed) -> Arc:
        after = _replaced(world, process, step.state)
        sent = tuple(_parcel(process, send) for send in step.sends)
        after = attrs.evolve(after, pending=world.pending + sent)
        if self._down(after, process):
            left = [parcel for parcel in after.held if parcel[0][1] != process]
            after = attrs.evolve(after, held=type(after.held)(left))
        return Arc(after, deed, process)

    def _hold(self, world: World, parcel: Parcel) -> World | None:
        if not isinstance(self._links, HeldLinks) or len(world.held) >= self._links.capacity:
            return None
        return self._held_with(world, parcel)

    def _held_with(self, world: World, parcel: Parcel) -> World | None:
        if isinstance(self._links, HeldLinks) and self._links.ordered:
            last = [other for other in world.held if other[0] == parcel[0]][-1:]
            if last == [parcel]:
                return None
            in_order = sorted((*world.held, parcel), key=lambda other: other[0])
            return attrs.evolve(world, held=tuple(in_order))
        return (
            None
            if parcel in world.held
            else attrs.evolve(world, held=frozenset({*world.held, parcel}))
        )

    def _may_pass(self, world: World, channel: Channel) -> bool:
        return isinstance(world.held, frozenset) or all(other[0] != channel for other in world.held)

    def _moves_boxed(self, world: World) -> Iterator[Arc]:
        for process, move, step, paid in self._payable(world):
            deed = Deed("move", event=move.event)
            yield from _marked(self._stepped_boxed(paid, process, step, deed), move)

    def _deliver_boxed(self, world: World) -> Iterator[Arc]:
        kind: StepKind = "deliver"
        ways = [(kind, parcel, world) for parcel in world.sent]
        for channel, leftover, queue in world.queues:
            if queue:
                rest = _requeued(world, channel, leftover, queue[1:])
                ways.append(("deliver", (channel, queue[0]), rest))
            if leftover:
                rest = _requeued(world, channel, leftover[1:], queue)
                ways.append(("deliver_held", (channel, leftover[0]), rest))
        lossy = isinstance(self._links, FlightLinks) and self._links.lossy
        for receiver, lane, message in world.flying:
            rest = attrs.evolve(world, flying=world.flying - {(receiver, lane, message)})
            parcel: Parcel = ((-1, receiver, lane), message)
            ways.append(("deliver", parcel, rest))
            if lossy:
                step, lost = self._reaction(world, parcel), Deed("lose", *parcel)
                arrives = step is not None and [*self._stepped_boxed(rest, receiver, step, lost)]
                yield Arc(rest, lost, fault=bool(arrives))
        for kind, parcel, rest in ways:
            step = self._reaction(world, parcel)
            if step is not None:
                yield from self._stepped_boxed(rest, parcel[0][1], step, Deed(kind, *parcel))
            elif not lossy:
                yield Arc(rest, Deed("lose", *parcel))

    def _break(self, world: World) -> Iterator[Arc]:
        paid = self._paid(world, BREAK) if BREAK in self._costs else None
        if paid is None:
            return
        for channel, _, queue in world.queues:
            for kept in range(len(queue) + 1):
                broken = _requeued(paid, channel, queue[:kept], ())
                yield Arc(broken, Deed("break", channel, kept=kept), fault=True)

    def _stepped_boxed(
        self, world: World, process: int, step: Step[Any, Any], deed: Deed
    ) -> Iterator[Arc]:
        after = _replaced(world, process, step.state)
        if self._down(after, process):
            queues = frozenset(queue for queue in after.queues if queue[0][1] != process)
            flying = frozenset(each for each in after.flying if each[0] != process)
            after = attrs.evolve(after, queues=queues, flying=flying)
        put = self._put(after, [_parcel(process, send) for send in step.sends])
        if put is None:
            self.bounds_hit = True
        else:
            yield Arc(put, deed, process)

    def _put(self, world: World, parcels: Iterable[Parcel]) -> World | None:
        """The world with these sent; None if there is no room."""
        if isinstance(self._links, FlightLinks):
            return self._launched(self._links, world, parcels)
        if not isinstance(self._links, FifoLinks):
            return attrs.evolve(world, sent=world.sent.union(parcels))
        for channel, message in parcels:
            if self._down(world, channel[1]):
                continue
            leftover, queue = next(
                ((left, queue) for other, left, queue in world.queues if other == channel),
                ((), ()),
            )
            if queue[-1:] == (message,):
                continue
            if len(queue) == self._links.capacity:
                return None
            world = _requeued(world, channel, leftover, (*queue, message))
        return world

    def _launched(
        self, links: FlightLinks, world: World, parcels: Iterable[Parcel]
    ) -> World | None:
        """The world with these in flight too; None if these are too many."""
        flying = world.flying.union(
            (channel[1], channel[2], message)
            for channel, message in parcels
            if not self._down(world, channel[1])
        )
        crowded = sum(lane == CROWDED_LANE for _, lane, _ in flying)
        if len(flying) > links.capacity or (links.crowded is not None and crowded > links.crowded):
            return None
        return attrs.evolve(world, flying=flying)

    def _payable(self, world: World) -> Iterator[tuple[int, Move[Any], Step[Any, Any], World]]:
        for process, value in enumerate(world.local):
            for move in self._moves(world, process, value):
                paid = world if move.cost is None else self._paid(world, move.cost)
                if paid is not None:
                    yield process, move, self._system.act(process, value, move), paid

    def lacks(self, world: World) -> bool:
        """Whether a move that costs something, and is no fault, cannot be made for some bound."""
        wanted = [
            (process, move, self._system.act(process, value, move))
            for process, value in enumerate(world.local)
            for move in self._moves(world, process, value)
            if move.cost is not None and not move.fault
        ]
        return any(not self._has_room(world, *each) for each in wanted)

    def _has_room(self, world: World, process: int, move: Move[Any], step: Step[Any, Any]) -> bool:
        paid = None if move.cost is None else self._paid(world, move.cost)
        if paid is None or isinstance(self._links, HeldLinks):
            return paid is not None
        return any(self._stepped_boxed(paid, process, step, Deed("move", event=move.event)))

    def _moves(self, world: World, process: int, value: Any) -> Iterator[Move[Any]]:  # noqa: ANN401
        yield from self._system.moves(process, value)
        if process in self._system.watchers:
            seen = tuple(self._system.observe(*pair) for pair in enumerate(world.local))
            yield from self._system.moves_seeing(process, value, seen)

    def _paid(self, world: World, cost: str) -> World | None:
        at = self._costs.index(cost)
        if not world.budgets[at]:
            return None
        left = (*world.budgets[:at], world.budgets[at] - 1, *world.budgets[at + 1 :])
        return attrs.evolve(world, budgets=left)

    def _reaction(self, world: World, parcel: Parcel) -> Step[Any, Any] | None:
        (_, receiver, lane), message = parcel
        if self._down(world, receiver):
            return None
        return self._system.receive(receiver, world.local[receiver], message, lane)

    def _down(self, world: World, process: int) -> bool:
        return self._system.is_down(process, world.local[process])


def explore_plainly(
    system: System[Any, Any, Any], links: Links, properties: Sequence[Property]
) -> OracleResult:
    """What `explore` must find, without limits."""
    oracle = Oracle(system, links)
    start = oracle.initial()
    seen, level, depth, transitions = {start: 0}, [start], 0, 0
    ways: nx.DiGraph[World] = nx.DiGraph()
    ways.add_node(start)
    found = {prop.id: 0 for prop in properties if _decides(prop, start)}
    while level and not _violated(properties, found):
        following = []
        for world in level:
            for arc in oracle.arcs(world):
                transitions += 1
                if arc.world not in seen:
                    seen[arc.world] = depth + 1
                    following.append(arc.world)
                    ways.add_node(arc.world)
                if not arc.fault:
                    ways.add_edge(world, arc.world)
                decided = _decided(properties, world, arc)
                found = dict.fromkeys(decided, depth + 1) | found
        level = following
        depth += bool(level)
    if not level:
        found |= _unsettled(properties, ways, seen)
        found |= _unanswered(properties, oracle, system, seen)
    verdicts = {prop.id: _verdict(prop, found, exhausted=not level) for prop in properties}
    verdict: Verdict = "incomplete" if level else "holds"
    return OracleResult(
        verdict="violated" if "violated" in verdicts.values() else verdict,
        distinct_states=len(seen),
        transitions=transitions,
        depth=depth,
        bounds_hit=oracle.bounds_hit,
        verdicts=verdicts,
        trace_lengths=found,
    )


def _decided(properties: Sequence[Property], world: World, arc: Arc) -> list[str]:
    """The properties that the transition, or the world it leads to, decides."""
    return [
        prop.id for prop in properties if _decides(prop, arc.world) or _refutes(prop, world, arc)
    ]


def _decides(prop: Property, world: World) -> bool:
    """Whether the world is a witness, or violates the invariant."""
    if prop.kind in {"step", *ON_GRAPHS}:
        return False
    return _accepts(prop, world) == (prop.kind == "sometimes")


def _accepts(prop: Property, world: World) -> bool:
    if prop.kind == "step":
        raise TypeError("a step property is not about worlds")
    return bool(prop.judge(tuple(prop.project(*pair) for pair in enumerate(world.local))))


def _unsettled(
    properties: Sequence[Property], ways: "nx.DiGraph[World]", depths: dict[World, int]
) -> dict[str, int]:
    """How deep the nearest world is where a run without faults may be for ever, unaccepted."""
    ends = {world for component in nx.attracting_components(ways) for world in component}
    found: dict[str, int] = {}
    for prop in properties:
        if prop.kind == "settles":
            unsettled = [depths[world] for world in ends if not _accepts(prop, world)]
            found |= {prop.id: min(unsettled)} if unsettled else {}
    return found


def _unanswered(
    properties: Sequence[Property],
    oracle: Oracle,
    system: System[Any, Any, Any],
    depths: dict[World, int],
) -> dict[str, int]:
    """How long the shortest path is to a fair run that never comes to what is asked for."""
    asked = [prop for prop in properties if isinstance(prop, LeadsTo)]
    known = worlds(oracle, system, depths) if asked else None
    lengths = {prop.id: unanswered(prop, known) for prop in asked if known is not None}
    return {name: length for name, length in lengths.items() if length is not None}


def _marked(arcs: Iterable[Arc], move: Move[Any]) -> Iterator[Arc]:
    """The transitions of a move, which are faults if it is one."""
    return (attrs.evolve(arc, fault=True) if move.fault else arc for arc in arcs)


def _refutes(prop: Property, world: World, arc: Arc) -> bool:
    if prop.kind != "step" or arc.stepped is None:
        return False
    before, after = world.local[arc.stepped], arc.world.local[arc.stepped]
    return before != after and not prop.judge(arc.stepped, before, after)


def _violated(properties: Sequence[Property], found: dict[str, int]) -> bool:
    return any(prop.kind != "sometimes" and prop.id in found for prop in properties)


def _verdict(prop: Property, found: dict[str, int], *, exhausted: bool) -> Verdict:
    if prop.id in found:
        return "holds" if prop.kind == "sometimes" else "violated"
    if not exhausted:
        return "incomplete"
    return "violated" if prop.kind == "sometimes" else "holds"


def _parcel(sender: int, send: Send[Any]) -> Parcel:
    return (sender, send.dest, send.lane), send.message


def _replaced(world: World, process: int, value: Any) -> World:  # noqa: ANN401  any local state
    return attrs.evolve(world, local=(*world.local[:process], value, *world.local[process + 1 :]))


def _requeued(
    world: World, channel: Channel, leftover: tuple[Any, ...], queue: tuple[Any, ...]
) -> World:
    others = frozenset(other for other in world.queues if other[0] != channel)
    return attrs.evolve(
        world, queues=others | {(channel, leftover, queue)} if leftover or queue else others
    )
