"""What no model of a run without arguments exercises, by design, and why.

A test ties this to what happens: an entry that is exercised all the same is a mistake. What is
neither exercised nor named here is a gap, and reported as such.
"""

from typing import Final, Literal

import attrs

Kind = Literal["functions", "refusals", "happenings", "switches"]
KINDS: Final[tuple[Kind, ...]] = ("functions", "refusals", "happenings", "switches")


@attrs.frozen(kw_only=True)
class Exclusion:
    """A reason, and all that is out of scope for it."""

    reason: str
    functions: tuple[str, ...] = ()  # as `Function.short` has it; module.* is all of a module
    refusals: tuple[str, ...] = ()
    happenings: tuple[str, ...] = ()
    switches: tuple[str, ...] = ()

    def names(self, kind: Kind, known: tuple[str, ...]) -> list[str]:
        """Those of the known names that are meant."""
        meant = getattr(self, kind)
        return [name for name in known if name in meant or f"{name.partition('.')[0]}.*" in meant]


EXCLUSIONS: Final = (
    Exclusion(
        reason="clients are not modelled: what they are answered changes no node",
        functions=("redirection.*", "cluster_state.count_slots", "slots.key_hash_slot"),
        switches=(
            "crossing_is_seen_first",
            "open_slots_stay_in_database",
            "queued_keys_are_looked_up",
            "replicas_ask",
            "transactions_publish",
        ),
    ),
    Exclusion(
        reason="data is not modelled: no node of a model has keys",
        functions=("slot_migration.load_dataset", "migration_ends.lose_dataset"),
        happenings=("TOOK_SLOTS_OF_KEYS",),
        switches=("misplaced_keys_are_deleted",),
    ),
    Exclusion(
        reason="a node of a model keeps its address",
        functions=("handshake.move_unreachable", "handshake.update_address"),
    ),
    Exclusion(
        reason="connections are not modelled: a link that is closed is dialled again",
        functions=("handshake.dial_again", "handshake.is_second_meet"),
        switches=("second_meet_is_ignored",),
    ),
    Exclusion(
        reason="every node of a model has the default settings, for good",
        functions=("commands.change_settings",),
        refusals=("MAY_NOT_MOVE",),
    ),
    Exclusion(
        reason="a handshake that expires is begun anew, as if its messages were lost",
        functions=("handshake.expire_handshake",),
    ),
    Exclusion(
        reason="the nodes of a model have started before it begins",
        functions=("state.new_node",),
    ),
    Exclusion(
        reason="the timer of a replica's migration is pending only where nothing is to be refused",
        functions=("replica_migration.why_no_migration",),
        refusals=("NOT_ORPHANED", "NO_REPLICA_TO_MOVE"),
    ),
    Exclusion(
        reason="the timer of an election is pending only while none is under way",
        refusals=("ELECTION_RUNNING",),
    ),
    Exclusion(
        reason="no replica forgets its master: none is unknown but where a file says so",
        refusals=("MASTER_UNKNOWN",),
    ),
    Exclusion(
        reason="a job of an atomic migration is under way when its model begins",
        functions=(
            "atomic_migration._why_not_there",
            "atomic_migration._why_slots_stay",
            "atomic_migration.establish_import",
            "atomic_migration.migrate_slots",
            "atomic_migration.why_no_import",
            "atomic_migration.why_no_migration",
            "atomic_migration.why_none_can_start",
        ),
    ),
    Exclusion(
        reason="a replica that its master names does what FORCE has it do, which is modelled",
        refusals=("NOT_NAMED",),
        switches=("master_names_successor",),
    ),
)
"""All that is out of scope, by reason."""
