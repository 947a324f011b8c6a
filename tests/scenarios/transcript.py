"""Transcripts: commands for a small cluster, and what its nodes tell when they are carried out.

A block is one or more command lines, a line of dashes, and the expected output, up to the next
empty line. Lines that begin with # explain.
"""

from collections.abc import Callable, Iterable
from typing import Final

from reference.core.effects import Effect, Notice, Reply
from reference.core.events import (
    ClusterAddSlots,
    ClusterMeet,
    ClusterReplicate,
    ClusterSetConfigEpoch,
    ElectionDue,
    ElectionExpired,
    Event,
    FailUndoAllowed,
    PongOverdue,
    ReportExpired,
)
from reference.core.nodes import ClusterNode
from reference.core.rules import DIALECTS
from reference.core.slots import SlotSet
from reference.core.state import new_node
from reference.core.types import Health, NodeId
from tests.builders import address_of, change, cluster
from tests.scenarios.world import Envelope, World

RULE: Final = "----"
_EVENTS: Final[dict[str, Callable[..., Event]]] = {
    "suspect": lambda peer: PongOverdue(peer=peer),
    "elect": lambda *flags: ElectionDue(data_too_old="data-too-old" in flags),
    "expire": ElectionExpired,
    "undo-fail": lambda peer: FailUndoAllowed(peer=peer),
    "expire-report": lambda subject, by: ReportExpired(subject=subject, reporter=by),
    "replicate": lambda master, *flags: ClusterReplicate(master=master, holds_keys=bool(flags)),
    "set-config-epoch": lambda epoch: ClusterSetConfigEpoch(config_epoch=int(epoch)),
    "addslots": lambda *slots: ClusterAddSlots(slots=SlotSet.of(map(int, slots))),
}


class Script:
    """Carries out the commands of one transcript."""

    def __init__(self) -> None:
        self.world = World({})

    def run(self, line: str) -> list[str]:
        """What is told when this command is carried out."""
        verb, *rest = line.split()
        words = [NodeId(word) for word in rest if "=" not in word]
        options = dict(word.split("=", 1) for word in rest if "=" in word)
        match verb:
            case "cluster":
                return self._cluster(**options)
            case "entry":
                return self._entry(words[0], **options)
            case "ping" | "deliver" | "lose":
                return getattr(self, f"_{verb}")(words, options)  # type: ignore[no-any-return]
            case "crash" | "restart":
                getattr(self.world, verb)(words[0])
            case "cut":
                self.world.cut = set(words)
            case "meet":
                new_id = self.world.new_name()
                greet = ClusterMeet(address=address_of(words[1]), new_id=new_id)
                return self._tell(words[0], self.world.do(words[0], greet))
            case "new":
                rules, address = DIALECTS[options["dialect"]], address_of(words[0])
                self.world.add(new_node(rules, words[0], address=address))
            case "table" | "epochs" | "flight":
                return self._show(verb, words)
            case _:
                event = _EVENTS[verb](*words[1:])
                return self._tell(words[0], self.world.do(words[0], event))
        return []

    def _show(self, what: str, nodes: list[NodeId]) -> list[str]:
        if what == "flight":
            return [self._in_flight(envelope) for envelope in self.world.flight]
        if what == "epochs":
            return [self._epochs(node) for node in nodes or sorted(self.world.states)]
        return [self._row(me, node) for me in nodes for node in self.world.states[me].nodes]

    def _cluster(
        self, masters: str = "3", replicas: str = "1", dialect: str = "redis-7.0", without: str = ""
    ) -> list[str]:
        rules = DIALECTS[dialect].without(*(name for name in without.split(",") if name))
        self.world = World(cluster(masters=int(masters), replicas=int(replicas), rules=rules))
        return []

    def _entry(self, subject: NodeId, **fields: str) -> list[str]:
        """Everybody's entry of the subject is changed, as if it had always been so."""
        for node, state in self.world.states.items():
            given: dict[str, object] = {}
            if "config-epoch" in fields:
                given["config_epoch"] = int(fields["config-epoch"])
            if "slots" in fields:
                given["slots"] = SlotSet.of(map(int, fields["slots"].split(",")))
            if "health" in fields and node != subject:
                given["health"] = Health(fields["health"])
            self.world.states[node] = change(state, subject, **given)
        return []

    def _ping(self, words: list[NodeId], options: dict[str, str]) -> list[str]:
        """The node greets the peer under the name it has for it, be it a made-up one."""
        node, peer = words
        about = [NodeId(name) for name in options.get("about", "").split(",") if name]
        there = (e.node_id for e in self.world.states[node].nodes if e.address == address_of(peer))
        return self._tell(node, self.world.ping(node, next(there, peer), about))

    def _chosen(self, words: Iterable[str], options: dict[str, str]) -> list[Envelope]:
        kinds = [*words]
        return [
            envelope
            for envelope in self.world.flight
            if options.get("from", envelope.sender) == envelope.sender
            and options.get("to", envelope.receiver) == envelope.receiver
            and (not kinds or type(envelope.message).__name__ in kinds)
        ]

    def _deliver(self, words: list[NodeId], options: dict[str, str]) -> list[str]:
        """All chosen messages arrive; without a choice, so does what they bring about."""
        told: list[str] = []
        chosen = self._chosen(words, options)
        while chosen:
            for envelope in chosen:
                told += self._tell(envelope.receiver, self.world.deliver(envelope))
            chosen = [] if words or options else [*self.world.flight]
        return told

    def _lose(self, words: list[NodeId], options: dict[str, str]) -> list[str]:
        lost = self._chosen(words, options)
        self.world.flight = [each for each in self.world.flight if each not in lost]
        return [f"lost {self._in_flight(envelope)}" for envelope in lost]

    @staticmethod
    def _tell(node: NodeId, effects: Iterable[Effect]) -> list[str]:
        told = []
        for effect in effects:
            if isinstance(effect, Notice):
                told.append(f"{node} {effect.text}")
            elif isinstance(effect, Reply):
                told.append(f"{node} answers {effect.error or 'OK'}")
        return told

    @staticmethod
    def _in_flight(envelope: Envelope) -> str:
        return f"{type(envelope.message).__name__} {envelope.sender} -> {envelope.receiver}"

    def _epochs(self, node: NodeId) -> str:
        state = self.world.states[node]
        return (
            f"{node} current_epoch {state.current_epoch} config_epoch {state.myself.config_epoch} "
            f"last_vote_epoch {state.last_vote_epoch}"
        )

    def _row(self, me: NodeId, node: ClusterNode) -> str:
        flags = ["myself"] if node.node_id == me else []
        flags += [node.role.value] + [f"of {node.replicaof}"] * (node.replicaof is not None)
        flags += [node.health.value] if node.health is not Health.OK else []
        marked = self.world.states[me].owner_not_claiming_slot & node.slots
        row = f"{node.node_id} {' '.join(flags)}, config_epoch {node.config_epoch}"
        row += f", slots {node.slots}" if node.slots else ""
        row += f", not claiming {marked}" if marked else ""
        return row + (
            f", reported by {', '.join(sorted(node.fail_reports))}" * bool(node.fail_reports)
        )


def carried_out(text: str) -> str:
    """The transcript with the output that its commands have now."""
    script = Script()
    blocks = []
    for block in text.strip().split("\n\n"):
        lines = block.split("\n")
        commands = lines[: lines.index(RULE)] if RULE in lines else lines
        if all(line.startswith("#") for line in commands):
            blocks.append(block)
            continue
        told = [out for line in commands if not line.startswith("#") for out in script.run(line)]
        blocks.append("\n".join([*commands, RULE, *(told or ["(nothing)"])]))
    return "\n\n".join(blocks) + "\n"
