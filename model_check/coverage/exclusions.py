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
    models: tuple[str, ...] = ()  # those that exercise it when they are asked for

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
        switches=("misplaced_keys_are_deleted", "winner_deletes_keys"),
    ),
    Exclusion(
        reason="time is not modelled: to refuse since too little or too much of it has gone by is "
        "the same as that a message is lost or a timer fires late",
        refusals=("DATA_TOO_OLD", "NEWCOMER", "VOTED_RECENTLY"),
        switches=("newcomer_does_not_vote", "vote_cooldown"),
    ),
    Exclusion(
        reason="a node of a model keeps its address, and its address keeps its name",
        functions=("handshake.move_unreachable", "handshake.update_address"),
        refusals=("SENDER_MISMATCH",),
        switches=("mismatch_is_failure",),
    ),
    Exclusion(
        reason="connections are not modelled: a link that is closed is dialled again",
        functions=("handshake.dial_again", "handshake.is_second_meet"),
        switches=("second_meet_is_ignored",),
    ),
    Exclusion(
        reason="a PONG that is broadcast is not sent: any node may send a heartbeat at any time",
        switches=("bump_is_broadcast", "role_change_is_broadcast"),
    ),
    Exclusion(
        reason="every node of a model has the default settings, for good",
        functions=("commands.change_settings",),
        refusals=("MAY_NOT_MOVE", "NO_FAILOVER"),
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
        refusals=("NOT_ORPHANED",),
    ),
    Exclusion(
        reason="a job of an atomic migration is under way when its model begins",
        functions=(
            "atomic_migration._why_no_export",
            "atomic_migration._why_none_can_start",
            "atomic_migration.establish_import",
            "atomic_migration.migrate_slots",
            "atomic_migration.why_no_import",
            "atomic_migration.why_no_migration",
        ),
        switches=("atomic_slot_migration",),
    ),
    Exclusion(
        reason="atomic migrations are checked when asked for",
        models=("atomic-migration", "granted-and-replaced", "granted-and-orphaned"),
        functions=(
            "atomic_migration._grant",
            "atomic_migration._take_granted",
            "atomic_migration.advance_export",
            "atomic_migration.hear_sync_slots",
            "atomic_migration.tell_of_migration",
            "migration_ends._follow_export",
            "migration_ends._follow_import",
            "migration_ends.at_stage",
            "migration_ends.break_migration",
            "migration_ends.end_job",
            "migration_ends.expire_migration",
            "migration_ends.fail_job",
            "migration_ends.find_job",
            "migration_ends.follow_ownership",
            "state.granted_slots",
        ),
        happenings=("GAVE_GRANTED", "GRANTED_SLOTS", "TOOK_GRANTED"),
    ),
    Exclusion(
        reason="a SETSLOT that replicas execute first is checked when asked for",
        models=("importer-dies",),
        functions=(
            "slot_migration._has_replicas_to_ask",
            "slot_migration.acknowledge_setslot",
            "slot_migration.setslot_from_master",
        ),
        switches=("setslot_is_replicated",),
    ),
)
"""All that is out of scope, by reason."""
