"""The written mapping between the variables of the module and the core: one table, both ways.

`state_of_tlc` and `state_of_core` bring a state of either side to the same tuple. The table in
spec/tla/README.md says the same in words.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final

import attrs

from model_check.models.cluster import ELECTION, Executed, ModelMessage, Process, Streamed
from model_check.tla.graphs import State
from model_check.tla.values import Function
from reference.core.epoch_kinds import EpochKind, kind_of, round_of, unique_epoch
from reference.core.events import (
    ClusterSetslot,
    ClusterSetslotImporting,
    ClusterSetslotMigrating,
    ClusterSetslotNode,
    ClusterSetslotStable,
)
from reference.core.messages import (
    Fail,
    FailoverAuthAck,
    FailoverAuthRequest,
    Header,
    Pong,
    Update,
)
from reference.core.nodes import ClusterNode
from reference.core.open_slots import OpenSlots
from reference.core.slots import NO_SLOTS, SlotSet
from reference.core.state import ClusterState, Election
from reference.core.types import Epoch, NodeId

NONE = "none"
"""What the module writes for no node and no shard."""


@attrs.frozen(kw_only=True)
class Bounds:
    """What of a scope the mapping has to know."""

    processes: tuple[str, ...]
    slots: tuple[int, ...]
    commands: tuple[tuple[str, ClusterSetslot], ...]
    elections: int


def state_of_tlc(values: Mapping[str, Any], bounds: Bounds) -> State:
    """A state of TLC: nothing of who is gone, nor of views and files that are never read again."""
    of = {name: value.as_dict() for name, value in values.items() if isinstance(value, Function)}
    processes = tuple(
        (
            of["node"][n] if of["up"][n] else None,
            of["saved"][n] if of["crashes"][n] or not of["up"][n] else None,
            of["crashes"][n],
            of["unsaved"][n],
            of["awaited"][n],
            of["won"][n],
        )
        for n in bounds.processes
    )
    return processes, values["msgs"], values["elections"], values["commands"]


def state_of_core(
    processes: Iterable[Process],
    messages: Iterable[tuple[str, ModelMessage]],
    budgets: Mapping[str, int],
    bounds: Bounds,
) -> State:
    """A state of the core: its processes, what is on its way to whom, and what may still happen."""
    left = frozenset(
        Function.of({"at": at, "command": _command(command)})
        for index, (at, command) in enumerate(bounds.commands, 1)
        if budgets[f"command {index}"]
    )
    return (
        tuple(_process(process, bounds.slots) for process in processes),
        frozenset(_message(to, message) for to, message in messages),
        budgets.get(ELECTION, 0),
        left,
    )


FIELDS = ("node", "saved", "crashes", "unsaved", "awaited", "won")
"""The variables of the module that each process has a part of, in the order of the mapping."""


@cache
def _process(process: Process, slots: tuple[int, ...]) -> tuple[Any, ...]:
    return (
        None if process.state is None else _view(process.state, slots),
        None if process.saved is None else _view(process.saved, slots),
        process.crashes_left,
        process.unsaved,
        process.awaited,
        frozenset(map(_epoch, process.epochs_won)),
    )


@cache
def _view(state: ClusterState, slots: tuple[int, ...]) -> Function:
    return Function.of(
        {
            "me": state.myself_id,
            "nodes": Function.of({entry.node_id: _entry(entry) for entry in state.nodes}),
            "currentEpoch": _epoch(state.current_epoch),
            "lastVoteEpoch": _epoch(state.last_vote_epoch),
            "taken": _taken(state),
            "notClaiming": _slots(state.owner_not_claiming_slot),
            "election": _election(state.election),
            "lastElection": _election(state.last_election),
            "migrating": _open(state.migrating_slots_to, slots),
            "importing": _open(state.importing_slots_from, slots),
            "out": frozenset(),
            "save": False,
        }
    )


@cache
def _entry(entry: ClusterNode) -> Function:
    return Function.of(
        {
            "role": entry.role.value,
            "replicaof": _name(entry.replicaof),
            "configEpoch": _epoch(entry.config_epoch),
            "toldEpoch": _epoch(entry.told_epoch),
            "slots": _slots(entry.slots),
            "health": entry.health.value,
            "reports": entry.fail_reports,
            "shard": _name(entry.shard_id),
        }
    )


def _election(election: Election | None) -> Function:
    if election is None:
        return Function.of({"epoch": 0, "voters": frozenset(), "late": 0})
    return Function.of(
        {
            "epoch": _epoch(election.failover_auth_epoch),
            "voters": election.voters,
            "late": election.late_votes,
        }
    )


def _open(opened: OpenSlots, slots: tuple[int, ...]) -> Function:
    return Function.of({slot: _name(opened.get(slot)) for slot in slots})


@cache
def _message(to: str, message: ModelMessage) -> Function:
    match message:
        case Streamed():
            said: dict[str, Any] = {"type": "STREAMED", "command": _command(message.command)}
        case Executed():
            said = {"type": "EXECUTED", "by": message.replica, "command": _command(message.command)}
        case Pong() | Fail() | FailoverAuthRequest() | FailoverAuthAck() | Update():
            said = {"head": _header(message.header), **_said(message)}
        case _:
            raise ValueError(f"the module has no message {type(message).__name__}")
    return Function.of({"to": to, **said})


def _said(message: Pong | Fail | FailoverAuthRequest | FailoverAuthAck | Update) -> dict[str, Any]:
    match message:
        case Pong():
            return {"type": "PONG", "pfail": frozenset(about.node_id for about in message.gossip)}
        case Fail():
            return {"type": "FAIL", "subject": message.subject}
        case FailoverAuthRequest():
            return {"type": "FAILOVER_AUTH_REQUEST"}
        case FailoverAuthAck():
            return {"type": "FAILOVER_AUTH_ACK"}
        case Update():
            return {
                "type": "UPDATE",
                "subject": message.subject,
                "configEpoch": _epoch(message.config_epoch),
                "slots": _slots(message.slots),
            }


def _header(header: Header) -> Function:
    return Function.of(
        {
            "from": header.sender,
            "replicaof": _name(header.replicaof),
            "currentEpoch": _epoch(header.current_epoch),
            "configEpoch": _epoch(header.config_epoch),
            "slots": _slots(header.slots),
            "shard": _name(header.shard_id),
        }
    )


def _command(command: ClusterSetslot) -> Function:
    match command:
        case ClusterSetslotMigrating():
            what = "MIGRATING"
        case ClusterSetslotImporting():
            what = "IMPORTING"
        case ClusterSetslotNode():
            what = "NODE"
        case ClusterSetslotStable():
            return Function.of({"what": "STABLE", "slot": command.slot, "node": NONE})
    return Function.of({"what": what, "slot": command.slot, "node": command.node})


_NAMES: Final = tuple(map(NodeId, "ABCDEF"))
"""The names that scopes use; the module numbers them in the order of their checksums."""


@cache
def _tags() -> tuple[NodeId, ...]:
    return tuple(sorted(_NAMES, key=lambda name: unique_epoch(0, name, EpochKind.ELECTED)))


@cache
def _epoch(epoch: Epoch) -> int:
    """The number that the module has for an epoch: its round in hundreds, and whose it is.

    Raises ValueError if a round is over which the scopes do not go, or nobody's.
    """
    if round_of(epoch) == 0:
        return epoch
    for tag, name in enumerate(_tags(), 1):
        kind = kind_of(epoch, name)
        if kind is not None:
            return 100 * round_of(epoch) + 4 * tag + kind.value
    raise ValueError(f"no node of the scopes takes epoch {epoch}")


def _taken(state: ClusterState) -> Function:
    taken = dict(state.taken_from)
    return Function.of(
        {entry.node_id: _slots(taken.get(entry.node_id, NO_SLOTS)) for entry in state.nodes}
    )


def _slots(slots: SlotSet) -> frozenset[int]:
    return frozenset(slots)


def _name(name: NodeId | str | None) -> str:
    return NONE if name is None else name
