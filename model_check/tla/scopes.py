"""The scopes in which the module and the core are compared, on the core's side.

On the side of TLC each is a module spec/tla/MC_*.tla with its .cfg, which say the same.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import attrs
from typing_extensions import override

from model_check.links import Links, parse_links
from model_check.models.cluster import ClusterSystem, ModelEvent, Process, Scope
from model_check.models.start import (
    agreed,
    crashes,
    master,
    replica,
    suspected,
    three_masters,
    view,
    without_dead,
)
from model_check.system import Move
from model_check.tla.mapping import Bounds
from reference.core.events import (
    ClusterSetslot,
    ClusterSetslotImporting,
    ClusterSetslotMigrating,
    ClusterSetslotNode,
    ClusterSetslotStable,
    HeartbeatDue,
)
from reference.core.open_slots import open_slots
from reference.core.rules import STRICT, Rules
from reference.core.slots import SlotSet
from reference.core.state import ClusterState, Election
from reference.core.types import Health, NodeId, ShardId


class TalkingSystem(ClusterSystem):
    """A cluster in which not everybody sends heartbeats to everybody."""

    def __init__(self, scope: Scope, talk: frozenset[tuple[str, str]] | None) -> None:
        """The system in which heartbeats go from whom to whom `talk` says; None: no bound."""
        super().__init__(scope)
        self._talk = talk

    @override
    def moves(self, process: int, state: Process) -> Iterable[Move[ModelEvent]]:
        for move in super().moves(process, state):
            match move.event:
                case HeartbeatDue(peer=peer) if self._talk is not None:
                    if (self.processes[process], peer) in self._talk:
                        yield move
                case _:
                    yield move


@attrs.frozen(kw_only=True)
class TwinScope:
    """A scope on the core's side, and the module of TLC that says the same."""

    name: str
    text: str
    scope: Callable[[Rules], Scope]
    links: str
    slots: tuple[int, ...]
    talk: frozenset[tuple[str, str]] | None = None
    strict_only: bool = False  # an invariant fails with the rules of a release

    def is_for(self, rules: Rules) -> bool:
        """Whether the invariants are to hold with these rules, so that the graph is whole."""
        return not self.strict_only or rules.dialect == STRICT.dialect

    @property
    def module(self) -> str:
        """The module, whose .cfg has the same name."""
        return f"MC_{self.name.replace('-', '_')}"

    def system(self, rules: Rules) -> TalkingSystem:
        """The system to be explored."""
        return TalkingSystem(self.scope(rules), self.talk)

    @property
    def the_links(self) -> Links:
        """The kind of links."""
        return parse_links(self.links)

    def bounds(self, rules: Rules) -> Bounds:
        """What the mapping has to know."""
        scope = self.scope(rules)
        commands = tuple(
            (str(at), command)
            for at, command in scope.commands
            if isinstance(command, ClusterSetslot)
        )
        return Bounds(
            processes=tuple(str(state.myself_id) for state in scope.nodes),
            slots=self.slots,
            commands=commands,
            elections=scope.elections,
        )


def _claims(rules: Rules) -> Scope:
    before = (
        replica("A", of="C"),
        master("B", 1, epoch=1),
        master("C", 0, epoch=1),
    )
    after = (master("A", 0, epoch=2, shard="C"), master("B", 1, epoch=1), master("C", epoch=1))
    return Scope(
        nodes=(view(rules, "A", *after), view(rules, "B", *before), view(rules, "C", *before))
    )


def _tie(rules: Rules) -> Scope:
    """As it can be after a collision that was settled without a vote: see SC-P1."""
    a = view(rules, "A", master("A", 0, epoch=1), master("B", 1, epoch=1))
    return Scope(nodes=(a, view(rules, "B", master("A", epoch=1), master("B", 0, 1, epoch=1))))


def _elections(rules: Rules) -> Scope:
    return Scope(
        nodes=without_dead(three_masters(rules, "D"), "A"), crashes=crashes(B=1), elections=1
    )


def _duplicates(rules: Rules) -> Scope:
    return Scope(
        nodes=without_dead(three_masters(rules, "D"), "A"), crashes=crashes(D=1), elections=1
    )


def _suspicion(rules: Rules) -> Scope:
    return Scope(nodes=three_masters(rules), suspects=suspected(A="B C"), crashes=crashes(B=1))


def _demotion(rules: Rules) -> Scope:
    """A master that was replaced by its replica comes back; it has another replica."""
    entries = (master("A", 0, epoch=1), master("B", 1, epoch=2))
    before = (*entries, replica("D", of="A"), replica("E", of="A"))
    after = (
        replica("A", of="D", shard="A"),
        master("B", 1, epoch=2),
        master("D", 0, epoch=3, shard="A"),
        replica("E", of="A"),
    )
    a, b, _, e = agreed(rules, *before)
    e = attrs.evolve(e, current_epoch=3, election=Election(failover_auth_epoch=3))
    return Scope(nodes=(a, b, view(rules, "D", *after), e))


def _empty_reporter(rules: Rules) -> Scope:
    return Scope(
        nodes=agreed(rules, master("A", 0, epoch=1), master("B", 1, epoch=2), master("C", epoch=3)),
        suspects=suspected(A="B C"),
    )


def _votes(rules: Rules) -> Scope:
    """What a voter may have against a candidate: each has something else."""
    entries = (
        master("A", 0, epoch=1),
        *(master("B", 1, epoch=2), master("C", 2, epoch=3), master("E", 3, epoch=3)),
        replica("D", of="A"),
    )
    b, c, e, d = without_dead(agreed(rules, *entries), "A")
    b = attrs.evolve(b, current_epoch=4, last_vote_epoch=4)
    b = b.put(attrs.evolve(b.myself, config_epoch=4))
    c = attrs.evolve(c, current_epoch=5)
    c = c.put(attrs.evolve(c.nodes[NodeId("A")], config_epoch=3))
    e = e.put(attrs.evolve(e.nodes[NodeId("A")], health=Health.OK))
    return Scope(nodes=(b, c, e, d), elections=2)


def _import(rules: Rules) -> Scope:
    """B is importing slot 0 from A, whose replica D has replaced it; nobody else knows of that."""
    a, b = NodeId("A"), NodeId("B")
    entries = (master("A", 0, 2, epoch=1), master("B", 1, epoch=2), replica("D", of="A"))
    after = (
        master("A", epoch=1),
        master("B", 1, epoch=2),
        master("D", 0, 2, epoch=3, shard="A"),
    )
    old = agreed(rules, *entries)
    importing = attrs.evolve(old[1], importing_slots_from=open_slots([(0, a)]))
    migrating = attrs.evolve(old[0], migrating_slots_to=open_slots([(0, b)]))
    return Scope(
        nodes=(migrating, importing, view(rules, "D", *after)),
        commands=_at(
            ("A", ClusterSetslotNode(slot=0, node=b)),
            ("A", ClusterSetslotMigrating(slot=2, node=a)),
            ("B", ClusterSetslotStable(slot=0)),
        ),
    )


def _empty_shard(rules: Rules) -> Scope:
    """C has no slots and is dead; D and E, its replicas, do not agree on the shard."""
    entries = (master("A", 0, epoch=1), master("C", epoch=2), replica("D", of="C"))
    nodes = without_dead(agreed(rules, *entries, replica("E", of="C")), "C")
    e = nodes[-1]
    if rules.shards:
        e = e.put(attrs.evolve(e.myself, shard_id=ShardId("X")))
    return Scope(nodes=(*nodes[:-1], e), elections=1)


def _at(*given: tuple[str, ClusterSetslot]) -> tuple[tuple[NodeId, ClusterSetslot], ...]:
    return tuple((NodeId(at), command) for at, command in given)


def _took(state: ClusterState, slots: Iterable[int], source: str) -> ClusterState:
    """The slots were taken from that node, where it is remembered."""
    rules = state.rules
    if not (rules.taken_slots_are_kept or rules.told_imports_are_kept):
        return state
    return attrs.evolve(state, taken_from=((NodeId(source), SlotSet.of(slots)),))


def _kept(rules: Rules) -> Scope:
    """B took slot 0 from A, which collides with C and moves on; B knows from whom it took it."""
    before = (master("A", 0, epoch=1), replica("B", of="A"), master("C", 1, epoch=1))
    after = (master("A", epoch=1), master("B", 0, epoch=2, shard="A"), master("C", 1, epoch=1))
    b = _took(view(rules, "B", *after), [0], "A")
    return Scope(nodes=(view(rules, "A", *before), b, view(rules, "C", *before)))


def _emptied(rules: Rules) -> Scope:
    """A has no slots beside B of its shard; D was told that its master C took slot 2 from B."""
    d, c = replica("D", of="C"), master("C", 1, epoch=3)
    after = (master("A", epoch=1), master("B", 0, 2, epoch=2, shard="A"), c, d)
    before = (master("A", 0, epoch=1), master("B", 2, epoch=2, shard="A"), c, d)
    b_then = master("B", 0, epoch=2, shard="A")
    told = (master("A", epoch=1), b_then, master("C", 1, 2, epoch=3), d)
    views = [view(rules, "A", *after), view(rules, "B", *after), view(rules, "C", *before)]
    return Scope(nodes=(*views, _took(view(rules, "D", *told), [2], "B")))


def _setslot(rules: Rules) -> Scope:
    """Slot 0, the only one of A, goes to B, which has a replica."""
    a, b = NodeId("A"), NodeId("B")
    return Scope(
        nodes=agreed(rules, master("A", 0, epoch=1), master("B", 1, epoch=2), replica("D", of="B")),
        commands=_at(
            ("B", ClusterSetslotImporting(slot=0, node=a)),
            ("A", ClusterSetslotMigrating(slot=0, node=b)),
            ("B", ClusterSetslotNode(slot=0, node=b)),
            ("A", ClusterSetslotNode(slot=0, node=b)),
        ),
    )


def _pairs(*pairs: str) -> frozenset[tuple[str, str]]:
    return frozenset((pair[0], pair[1]) for pair in pairs)


SCOPES: Final[Mapping[str, TwinScope]] = {
    scope.name: scope
    for scope in (
        TwinScope(
            name="claims",
            text="A took the slot of C, and the observer B has the configEpoch of C",
            scope=_claims,
            links="flight(1)",
            slots=(0, 1),
        ),
        TwinScope(
            name="tie",
            text="two masters own a slot with the same configEpoch",
            scope=_tie,
            links="flight(1)",
            slots=(0, 1),
        ),
        TwinScope(
            name="elections",
            text="the master of D is dead, and one of its two voters may crash",
            scope=_elections,
            links="flight(2)",
            slots=(0, 1, 2),
            talk=_pairs("BD", "DB", "DC"),
        ),
        TwinScope(
            name="duplicates",
            text="the same, but every message may come again, and it is the replica that may crash",
            scope=_duplicates,
            links="set",
            slots=(0, 1, 2),
            talk=_pairs("DB"),
        ),
        TwinScope(
            name="suspicion",
            text="A is suspected, rightly or not, by two masters, one of which may crash",
            scope=_suspicion,
            links="flight(2)",
            slots=(0, 1, 2),
            talk=_pairs("CB", "AB"),
        ),
        TwinScope(
            name="demotion",
            text="a master that was replaced comes back, with a replica of its own",
            scope=_demotion,
            links="flight(1)",
            slots=(0, 1),
            talk=_pairs("DA", "AE", "EB", "BA", "EA", "ED", "BE", "DB"),
        ),
        TwinScope(
            name="setslot",
            text="a slot, the last of its owner, goes to a master with a replica",
            scope=_setslot,
            links="flight(1)",
            slots=(0, 1),
        ),
        TwinScope(
            name="kept",
            text="B took the slot of A, and remembers it; A has a newer claim and does not know",
            scope=_kept,
            strict_only=True,
            links="flight(1)",
            slots=(0, 1),
        ),
        TwinScope(
            name="emptied",
            text="a master without slots, and an import that only a replica was told of",
            scope=_emptied,
            links="flight(1)",
            slots=(0, 1, 2),
            talk=_pairs("BA", "AC", "CD", "BC"),
        ),
        TwinScope(
            name="votes",
            text="a replica stands twice, and each voter has something against it",
            scope=_votes,
            links="flight(3)",
            slots=(0, 1, 2, 3),
            talk=_pairs("BD"),
        ),
        TwinScope(
            name="import",
            text="a slot is on its way while its owner is replaced",
            scope=_import,
            links="flight(1)",
            slots=(0, 1, 2),
            talk=_pairs("AB", "DB", "BA", "DA"),
        ),
        TwinScope(
            name="empty-shard",
            text="a dead master without slots, and two replicas of it",
            scope=_empty_shard,
            links="flight(2)",
            slots=(0, 1),
            talk=_pairs("DA", "DE", "ED", "EA"),
        ),
        TwinScope(
            name="empty-reporter",
            text="a master is suspected by another, and by one without slots",
            scope=_empty_reporter,
            links="flight(2)",
            slots=(0, 1),
            talk=_pairs("CB", "BC"),
        ),
    )
}
"""The scopes by name."""
