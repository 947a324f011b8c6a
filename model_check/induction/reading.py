"""States that the real core reaches in a model of the checker, read as the proof's relations."""

from collections.abc import Iterable
from itertools import combinations

from model_check.induction.logic import SortName
from model_check.induction.structure import Structure, Table
from model_check.induction.vocabulary import SYMBOLS
from model_check.models.cluster import ClusterSystem, Process
from reference.core.epoch_kinds import kind_of, round_of
from reference.core.messages import FailoverAuthAck, FailoverAuthRequest, Header, Update
from reference.core.state import ClusterState, restarted

Facts = dict[str, dict[tuple[int, ...], int]]
"""Where each symbol is not 0 or false."""

Sent = Iterable[tuple[int, int, object]]
"""Every message that was ever sent, with the numbers of its sender and its receiver."""


class Reading:
    """How the states of one model are read. The voters of the start are the voters for good."""

    def __init__(self, system: ClusterSystem) -> None:
        """Of a model in which all nodes agree at the start and three masters vote."""
        self._numbers = {state.myself_id: i for i, state in enumerate(system.scope.nodes)}
        self._start = [_running(node) for node in system.initial()]
        known = self._start[0].nodes
        voters = [node.node_id for node in known if node.is_voting_master]
        for name in voters:  # one that is dead from the start is a voter, too
            self._numbers.setdefault(name, len(self._numbers))
        self._dead = [node for node in known if self._numbers[node.node_id] >= len(self._start)]
        majority = len(voters) // 2 + 1
        self._majorities = list(combinations([self._numbers[name] for name in voters], majority))
        self._base = max(node.config_epoch for state in self._start for node in state.nodes)
        self._rounds = self._start[0].rules.unique_epochs

    def structure(self, nodes: tuple[Process, ...], sent: Sent) -> Structure:
        """The state. Of a node that is down, what will run when it has restarted, does."""
        facts: Facts = {name: {} for name in SYMBOLS}
        self._read_start(facts)
        self._read_messages(facts, sent)
        for number, node in enumerate(nodes):
            state = _running(node)
            self._read_running(facts, number, state)
            _read_saved(facts, number, node.saved or state)
            self._read_wins(facts, number, node)
        return self._filled(facts)

    def _read_start(self, facts: Facts) -> None:
        facts["base"][()] = self._base
        for number, voters in enumerate(self._majorities):
            facts["member"].update({(voter, number): 1 for voter in voters})
        for number, state in enumerate(self._start):
            if state.myself.config_epoch:
                facts["granted"][number, state.myself.config_epoch] = 1

    def _read_messages(self, facts: Facts, sent: Sent) -> None:
        for source, to, message in sent:
            header = getattr(message, "header", None)
            if not isinstance(header, Header):
                continue
            if header.replicaof is None:
                facts["header"][source, header.config_epoch] = 1
                facts["told"][source, header.config_epoch] = 1
                for slot in header.slots:
                    facts["held"][source, slot, header.config_epoch] = 1
                    _read_claim(facts, source, slot, header.config_epoch)
            if isinstance(message, Update):
                subject = self._numbers[message.subject]
                facts["told"][subject, message.config_epoch] = 1
                for slot in message.slots:
                    _read_claim(facts, subject, slot, message.config_epoch)
            elif isinstance(message, FailoverAuthRequest):
                facts["request"][source, header.current_epoch] = 1
                stood = facts["stood"].get((source,), 0)
                facts["stood"][source,] = max(stood, header.current_epoch)
            elif isinstance(message, FailoverAuthAck):
                facts["ack"][source, to, header.current_epoch] = 1

    def _read_running(self, facts: Facts, number: int, state: ClusterState) -> None:
        myself = state.myself
        facts["alone"][number,] = len(state.nodes) == 1
        facts["current_epoch"][number,] = state.current_epoch
        facts["last_vote_epoch"][number,] = state.last_vote_epoch
        facts["config_epoch"][number,] = myself.config_epoch
        facts["master"][number,] = myself.is_master
        facts["owns"].update({(number, slot): 1 for slot in myself.slots})
        facts["marked"].update({(number, slot): 1 for slot in state.owner_not_claiming_slot})
        if state.my_master is not None:
            facts["inherits"].update({(number, slot): 1 for slot in state.my_master.slots})
        for other in state.nodes:
            if other.node_id in self._numbers and other.node_id != state.myself_id:
                facts["recorded"][number, self._numbers[other.node_id]] = other.config_epoch
        if state.election is not None:
            facts["running"][number,] = 1
            facts["auth_epoch"][number,] = state.election.failover_auth_epoch
            for voter in state.election.voters:
                facts["counted"][number, self._numbers[voter]] = 1

    def _read_wins(self, facts: Facts, number: int, node: Process) -> None:
        """By every majority that voted for it; by the first if there is none, which breaks."""
        for epoch in node.epochs_won:
            facts["granted"][number, epoch] = 1
            given = {
                voter
                for voter, candidate, other in facts["ack"]
                if candidate == number and self._same_round(other, epoch)
            }
            elected = [q for q, voters in enumerate(self._majorities) if given.issuperset(voters)]
            facts["won"].update({(number, epoch, quorum): 1 for quorum in elected or [0]})

    def _same_round(self, one: int, other: int) -> bool:
        return one == other or (self._rounds and round_of(one) == round_of(other))

    def _filled(self, facts: Facts) -> Structure:
        """Of epochs only the order counts: each is its number among those that there are."""
        epochs = sorted(_epochs_in(facts))
        newest = epochs[-1]
        sizes: dict[SortName, int] = {
            "node": len(self._numbers),
            "slot": 3,
            "quorum": len(self._majorities),
            "epoch": len(epochs),
        }
        for node in self._dead:  # it is what the others remember, and knows all epochs
            number = self._numbers[node.node_id]
            for prefix in ("", "saved_"):
                facts[f"{prefix}current_epoch"][number,] = newest
                facts[f"{prefix}config_epoch"][number,] = node.config_epoch
                facts[f"{prefix}master"][number,] = node.is_master
                facts[f"{prefix}owns"].update({(number, slot): 1 for slot in node.slots})
            facts["granted"][number, node.config_epoch] = 1
        self._read_rounds(facts, epochs)
        facts = _ranked(facts, {epoch: rank for rank, epoch in enumerate(epochs)})
        bare = Structure(sizes, {})
        tables: dict[str, Table] = {
            name: {args: int(facts[name].get(args, 0)) for args in bare.elements(*symbol.sorts)}
            for name, symbol in SYMBOLS.items()
        }
        return Structure(sizes, tables)

    def _read_rounds(self, facts: Facts, epochs: list[int]) -> None:
        """A vote in an epoch is one in all of its round, and a node's own epochs were given to it.

        So that what was not elected need not be remembered: the epoch itself says whose it is.
        """
        alike = [(e, f) for e in epochs for f in epochs if self._same_round(e, f)]
        facts["same_round"] = dict.fromkeys(alike, 1)
        votes = [(v, c, f) for v, c, e in facts["ack"] for other, f in alike if other == e]
        facts["ack"] = dict.fromkeys(votes, 1)
        for name, number in self._numbers.items():
            for epoch in epochs:
                own = self._rounds and kind_of(epoch, name) is not None
                if own:
                    facts["granted"][number, epoch] = 1
                if own or not self._rounds:
                    facts["takes"][number, epoch] = 1


def _epochs_in(facts: Facts) -> set[int]:
    epochs = {0}
    for name, symbol in SYMBOLS.items():
        places = [i for i, sort in enumerate(symbol.sorts) if sort == "epoch"]
        epochs |= {args[place] for args in facts[name] for place in places}
        if symbol.result == "epoch":
            epochs |= set(facts[name].values())
    return epochs


def _ranked(facts: Facts, rank: dict[int, int]) -> Facts:
    ranked: Facts = {}
    for name, symbol in SYMBOLS.items():
        ranked[name] = {
            tuple(
                rank[arg] if sort == "epoch" else arg
                for arg, sort in zip(args, symbol.sorts, strict=True)
            ): rank[value] if symbol.result == "epoch" else value
            for args, value in facts[name].items()
        }
    return ranked


def _running(node: Process) -> ClusterState:
    if node.state is not None:
        return node.state
    if node.saved is None:
        raise ValueError("nothing was saved to restart from")
    return restarted(node.saved)


def _read_saved(facts: Facts, number: int, saved: ClusterState) -> None:
    """A node that cannot crash any more has saved whatever it has."""
    facts["saved_alone"][number,] = len(saved.nodes) == 1
    facts["saved_current_epoch"][number,] = restarted(saved).current_epoch
    facts["saved_last_vote_epoch"][number,] = saved.last_vote_epoch
    facts["saved_config_epoch"][number,] = saved.myself.config_epoch
    facts["saved_master"][number,] = saved.myself.is_master
    facts["saved_owns"].update({(number, slot): 1 for slot in saved.myself.slots})


def _read_claim(facts: Facts, owner: int, slot: int, epoch: int) -> None:
    facts["claim"][owner, slot, epoch] = 1
    facts["newest"][slot,] = max(epoch, facts["newest"].get((slot,), 0))
