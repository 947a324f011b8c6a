"""The rules in which releases differ, or that a check may turn off, and what each release does.

Everything that depends on the release lives here: a rule function asks `state.rules` and never
looks at a version.
"""

from typing import Any, Final

import attrs


@attrs.frozen(kw_only=True, cache_hash=True)
class Rules:
    """One named switch for each rule that differs; the clause it belongs to stands beside it."""

    dialect: str

    # Where the releases differ.
    empty_masters_report: bool  # FD-3 masters without slots count as reporters of a failure
    reports_kept_after_fail: bool  # FD-13 reports are added while the subject is in FAIL
    fail_checked_at_pfail: bool  # FD-7 a voting master looks for a quorum when it sets PFAIL
    lone_master_decides_at_pfail: bool  # FD-7 it does if it is the only voting master
    vote_cooldown: bool  # EL-8 no second vote about the same master for a while
    refused_candidate_is_updated: bool  # EL-15 a voter tells a stale candidate who is newer
    late_votes_count: bool  # EL-21 a vote between two elections counts for the second
    election_reset_by_newer_master: bool  # EL-14
    election_ends_with_role_change: bool  # EL-16 when the node follows another master
    election_ends_with_win: bool  # EL-24 when the node becomes a master
    empty_master_is_replaced: bool  # EL-1 replicas of a master without slots may stand
    config_epoch_from_replicas: bool  # EP-3
    replicas_are_updated: bool  # SC-5 a replica with stale claims gets an UPDATE too
    shards: bool  # HB-9 nodes have shard ids
    replica_shard_must_agree: bool  # HB-9 a replica is of its master's shard, whatever it says
    stale_role_switch_is_ignored: bool  # SC-12 else the role changes without the slots
    role_switch_heeds_sender: bool  # SC-28 stale by what is known of who was the master
    role_switch_heeds_master: bool  # SC-28 stale by what is known of who shall be it
    role_switch_spares_masters: bool  # SC-29 else one known as a master has its epoch set
    empty_shard_follows: bool  # SC-9 a shard without slots follows its newest master
    sub_replica_guard_at_role_change: bool  # SC-13 else only when slots are processed
    role_change_is_broadcast: bool  # SC-14 a node that follows another one says so at once
    binding_clears_not_claiming: bool  # SC-3 else a mark stays on a slot that changes hands
    bump_is_broadcast: bool  # EP-6 a new epoch after a collision is announced at once
    reliable_meet: bool  # HS-2 MEET is repeated until the node answers
    second_meet_is_ignored: bool  # HS-13 a MEET on a link that is bound to a node in handshake
    mismatch_is_failure: bool  # HS-6 a node whose address answers to another name is in FAIL
    meet_introduces: bool  # HS-8 the nodes that a stranger's MEET speaks of become known
    meet_is_repeated: bool  # HS-11 a node that has no link to us is greeted again
    forget_is_gossiped: bool  # NO-4 heartbeats tell whom this node was told to forget
    forget_may_be_repeated: bool  # NO-2 to forget a node a second time is no error
    importing_slots_are_guarded: bool  # SC-21 no claim takes a slot that is being imported
    open_slots_follow_claims: bool  # SC-22 migrations are redirected or closed by claims
    importing_slots_are_claimed: bool  # SC-25 an importer takes a slot its owner gave up
    only_own_shard_is_followed: bool  # SC-26 else whoever claims just what was lost
    role_switch_hands_over: bool  # SC-18 slots go with the role to the new master of the shard
    setslot_is_replicated: bool  # SM-7 replicas execute SETSLOT before their master does
    newcomer_does_not_vote: bool  # EL-20 nor does a master that has just started
    failed_master_is_announced: bool  # HB-13 a replica says that its master is in FAIL
    failed_master_mark_sticks: bool  # HB-14 and goes on saying so when it is well again
    best_ranked_goes_first: bool  # EL-23 at once, and votes need not see the master in FAIL
    winner_deletes_keys: bool  # EL-25 those of slots that belong to other nodes
    failover_restarts_election: bool  # MF-8 CLUSTER FAILOVER ends a running election
    master_names_successor: bool  # MF-11 one that ends tells a replica to take over
    replicate_again_does_nothing: bool  # CM-31 REPLICATE of the present master
    replicas_may_be_detached: bool  # CM-30 REPLICATE NO ONE
    reset_clears_blacklist: bool  # CM-34 who was forgotten may come back after RESET
    soft_reset_changes_shard: bool  # CM-33 else only a hard one does
    setslot_target_is_another: bool  # SM-2 no slot is opened to the node itself
    misplaced_keys_are_deleted: bool  # SM-10 at start, else their slots are imported
    crossing_is_seen_first: bool  # RD-2 else a first slot without owner is
    replicas_ask: bool  # RD-12 replicas send READONLY clients after a slot on its way
    transactions_publish: bool  # RD-13 transactions with sharded pub/sub count as such
    open_slots_stay_in_database: bool  # RD-14 no key of an open slot changes its database
    queued_keys_are_looked_up: bool  # RD-16 also before EXEC, when a command is queued
    atomic_slot_migration: bool  # SM-20 CLUSTER MIGRATESLOTS

    # What no release does, and `strict` does.
    unique_epochs: bool = False  # EP-13 else two nodes can take the same epoch
    learnt_epoch_is_saved: bool = False  # EP-14 else it is lost in a crash
    taken_slots_are_kept: bool = False  # SC-33 else whoever has not heard of it takes them back
    old_headers_are_ignored: bool = False  # HB-17 else roles and slots go back for a while
    told_imports_are_kept: bool = False  # SC-36 else an old claim of the master undoes them
    updates_add_slots: bool = False  # SC-38 else one is lost on who knows the epoch already
    named_masters_are_masters: bool = False  # SC-37 else a table can have a circle
    demoted_keep_no_slots: bool = False  # SC-35 else a table can give slots to a replica
    empty_master_follows_shard: bool = False  # SC-34 else it does when it loses its last slot
    owners_are_not_forgotten: bool = False  # NO-13 by hearsay
    reset_owners_take_back: bool = False  # SC-40 else nobody has the slots of who was reset

    # What every release does; a check may turn one off to see what it is there for.
    merge_current_epoch: bool = True  # EP-1
    config_epoch_only_rises: bool = True  # EP-2
    collision_moves_smaller_id_only: bool = True  # EP-5 else whoever sees the collision moves
    collision_resolution: bool = True  # EP-4
    persist_vote: bool = True  # EL-9
    one_vote_per_epoch: bool = True  # EL-4
    vote_checks_request_epoch: bool = True  # EL-5
    vote_needs_failed_master: bool = True  # EL-6
    vote_checks_claims: bool = True  # EL-7
    majority_wins: bool = True  # EL-12 else one vote is enough
    save_before_send: bool = True  # MO-3
    claims_need_newer_epoch: bool = True  # SC-1 else any claim takes the slot
    not_claiming_slots: bool = True  # SC-3 (all releases since 7.0.13)

    def without(self, *names: str) -> "Rules":
        """These rules with the named switches turned off.

        Raises ValueError if a name is no switch, or is off in this dialect already.
        """
        for name in names:
            if name not in SWITCHES:
                raise ValueError(f"no rule is called {name!r}; the rules are {', '.join(SWITCHES)}")
            if not getattr(self, name):
                raise ValueError(f"{name} is off in {self.dialect} already")
        off: dict[str, Any] = dict.fromkeys(names, False)
        return attrs.evolve(self, **off)


SWITCHES: Final = tuple(field.name for field in attrs.fields(Rules) if field.name != "dialect")
"""The names that `Rules.without` takes."""

REDIS_7_0: Final = Rules(
    dialect="redis-7.0",
    empty_masters_report=True,
    reports_kept_after_fail=True,
    fail_checked_at_pfail=False,
    lone_master_decides_at_pfail=False,
    vote_cooldown=True,
    refused_candidate_is_updated=False,
    late_votes_count=True,
    election_reset_by_newer_master=False,
    election_ends_with_role_change=False,
    election_ends_with_win=False,
    empty_master_is_replaced=False,
    config_epoch_from_replicas=True,
    replicas_are_updated=True,
    shards=False,
    replica_shard_must_agree=False,
    stale_role_switch_is_ignored=False,
    role_switch_heeds_sender=False,
    role_switch_heeds_master=False,
    role_switch_spares_masters=False,
    empty_shard_follows=False,
    sub_replica_guard_at_role_change=False,
    role_change_is_broadcast=False,
    binding_clears_not_claiming=False,
    bump_is_broadcast=False,
    reliable_meet=False,
    second_meet_is_ignored=False,
    mismatch_is_failure=False,
    meet_introduces=False,
    meet_is_repeated=False,
    forget_is_gossiped=False,
    forget_may_be_repeated=False,
    importing_slots_are_guarded=True,
    open_slots_follow_claims=False,
    importing_slots_are_claimed=False,
    only_own_shard_is_followed=False,
    role_switch_hands_over=False,
    setslot_is_replicated=False,
    newcomer_does_not_vote=False,
    failed_master_is_announced=False,
    failed_master_mark_sticks=False,
    best_ranked_goes_first=False,
    winner_deletes_keys=False,
    failover_restarts_election=False,
    master_names_successor=False,
    replicate_again_does_nothing=False,
    replicas_may_be_detached=False,
    reset_clears_blacklist=False,
    soft_reset_changes_shard=False,
    setslot_target_is_another=False,
    misplaced_keys_are_deleted=False,
    crossing_is_seen_first=False,
    replicas_ask=False,
    transactions_publish=False,
    open_slots_stay_in_database=False,
    queued_keys_are_looked_up=True,
    atomic_slot_migration=False,
)

VALKEY_9_1: Final = Rules(
    dialect="valkey-9.1",
    empty_masters_report=False,
    reports_kept_after_fail=False,
    fail_checked_at_pfail=True,
    lone_master_decides_at_pfail=False,
    vote_cooldown=False,
    refused_candidate_is_updated=True,
    late_votes_count=True,
    election_reset_by_newer_master=True,
    election_ends_with_role_change=True,
    election_ends_with_win=True,
    empty_master_is_replaced=True,
    config_epoch_from_replicas=False,
    replicas_are_updated=False,
    shards=True,
    replica_shard_must_agree=True,
    stale_role_switch_is_ignored=True,
    role_switch_heeds_sender=True,
    role_switch_heeds_master=True,
    role_switch_spares_masters=True,
    empty_shard_follows=True,
    sub_replica_guard_at_role_change=True,
    role_change_is_broadcast=True,
    binding_clears_not_claiming=True,
    bump_is_broadcast=True,
    reliable_meet=True,
    second_meet_is_ignored=True,
    mismatch_is_failure=True,
    meet_introduces=True,
    meet_is_repeated=True,
    forget_is_gossiped=True,
    forget_may_be_repeated=True,
    importing_slots_are_guarded=False,
    open_slots_follow_claims=True,
    importing_slots_are_claimed=True,
    only_own_shard_is_followed=True,
    role_switch_hands_over=True,
    setslot_is_replicated=True,
    newcomer_does_not_vote=True,
    failed_master_is_announced=True,
    failed_master_mark_sticks=True,
    best_ranked_goes_first=True,
    winner_deletes_keys=True,
    failover_restarts_election=True,
    master_names_successor=True,
    replicate_again_does_nothing=True,
    replicas_may_be_detached=True,
    reset_clears_blacklist=True,
    soft_reset_changes_shard=True,
    setslot_target_is_another=True,
    misplaced_keys_are_deleted=True,
    crossing_is_seen_first=True,
    replicas_ask=True,
    transactions_publish=True,
    open_slots_stay_in_database=True,
    queued_keys_are_looked_up=False,
    atomic_slot_migration=True,
)

REDIS_8_0: Final = attrs.evolve(
    REDIS_7_0,
    dialect="redis-8.0",
    lone_master_decides_at_pfail=True,
    shards=True,
    role_switch_heeds_sender=True,
    binding_clears_not_claiming=True,
    forget_is_gossiped=True,
    forget_may_be_repeated=True,
    role_switch_hands_over=True,
    reset_clears_blacklist=True,
)

VALKEY_8_1: Final = attrs.evolve(
    VALKEY_9_1,
    dialect="valkey-8.1",
    reports_kept_after_fail=True,
    refused_candidate_is_updated=False,
    bump_is_broadcast=False,
    role_switch_heeds_sender=False,
    role_switch_spares_masters=False,
    role_switch_hands_over=False,
    newcomer_does_not_vote=False,
    failed_master_is_announced=False,
    failed_master_mark_sticks=False,
    best_ranked_goes_first=False,
    election_ends_with_win=False,
    master_names_successor=False,
    winner_deletes_keys=False,
    replicas_may_be_detached=False,
    atomic_slot_migration=False,
    crossing_is_seen_first=False,
    open_slots_stay_in_database=False,
    queued_keys_are_looked_up=True,
    soft_reset_changes_shard=False,
)

STRICT: Final = attrs.evolve(
    VALKEY_9_1,
    dialect="strict",
    late_votes_count=False,
    unique_epochs=True,
    learnt_epoch_is_saved=True,
    taken_slots_are_kept=True,
    old_headers_are_ignored=True,
    told_imports_are_kept=True,
    updates_add_slots=True,
    named_masters_are_masters=True,
    demoted_keep_no_slots=True,
    empty_master_follows_shard=True,
    owners_are_not_forgotten=True,
    reset_owners_take_back=True,
)

RELEASES: Final = {rules.dialect: rules for rules in (REDIS_7_0, REDIS_8_0, VALKEY_8_1, VALKEY_9_1)}
"""The presets that say what a release does, by name."""

DIALECTS: Final = RELEASES | {STRICT.dialect: STRICT}
"""All presets by name: the releases, and `strict`, which is ours."""
