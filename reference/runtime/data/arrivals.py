"""Keys that have come with slots which are not this node's yet: nobody sees them until they are.

They are in keyspaces of their own, one for each job of atomic slot migration. What becomes of a job
decides what becomes of its keys: they are this node's, all at once, or they are gone.
"""

from collections.abc import Sequence

from reference.clauses import clause
from reference.core.slots import SlotSet, key_hash_slot
from reference.runtime.command_table.table import DATA_COMMANDS, keys_of
from reference.runtime.data.databases import Arrival
from reference.runtime.data.effects import Request, restore_of
from reference.runtime.data.keyspace import Keyspace


@clause("SM-37")
def expect(keyspace: Keyspace, name: str, slots: SlotSet) -> Keyspace:
    """Where the keys of the job are and go; they are hidden there.

    Counterpart: `setSlotImportingStateInAllDbs`.
    """
    arrival = keyspace.arrivals.get(name)
    if arrival is None:
        arrival = keyspace.arrivals[name] = Arrival(slots, Keyspace())
        arrival.keyspace.follows(master=True)
    return arrival.keyspace


@clause("SM-37")
def settle(keyspace: Keyspace, name: str, *, keep: bool) -> int:
    """The keys of the job are this node's, or they are gone; the answer is how many there were.

    Counterpart: `finishSlotMigrationJob`, `delKeysNotOwnedByMyself`.
    """
    arrival = keyspace.arrivals.pop(name, None)
    if arrival is None:
        return 0
    come = arrival.keyspace
    keys = list(come.database())
    for see in come.before_write:
        see(keys)
    if keep:
        for see in keyspace.before_write:
            see(keys)
        keyspace.database().take_in(come.database())
        if keyspace.recorder is not None:
            found = (keyspace.entry(key) for key in keys)
            keyspace.recorder.record([restore_of(entry) for entry in found if entry is not None])
    come.close()
    return len(keys)


def drop_all(keyspace: Keyspace) -> None:
    """No keys are expected, and those that have come are gone."""
    for name in list(keyspace.arrivals):
        settle(keyspace, name, keep=False)


@clause("SM-37")
def keyspace_of(keyspace: Keyspace, request: Request) -> Keyspace:
    """The keyspace that a request of a master's stream is about."""
    if not keyspace.arrivals:
        return keyspace
    key = first_key(request)
    return keyspace if key is None else keyspace_of_slot(keyspace, key_hash_slot(key))


def keyspace_of_slot(keyspace: Keyspace, slot: int) -> Keyspace:
    """The keyspace where the keys of the slot are, hidden or not."""
    for arrival in keyspace.arrivals.values():
        if slot in arrival.slots:
            return arrival.keyspace
    return keyspace


def first_key(request: Sequence[bytes]) -> bytes | None:
    """The first key of a command that changes data, None if it has none."""
    info = DATA_COMMANDS.get(request[0].decode("latin-1").lower())
    if info is None:
        return request[1] if len(request) > 1 else None
    keys = keys_of(info, request)
    return keys[0] if keys else None
