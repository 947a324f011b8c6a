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
    vote_cooldown: bool  # EL-8 no second vote about the same master for a while
    refused_candidate_is_updated: bool  # EL-15 a voter tells a stale candidate who is newer
    late_votes_count: bool  # EL-21 a vote between two elections counts for the second
    election_reset_by_newer_master: bool  # EL-14
    election_ends_with_role_change: bool  # EL-16
    empty_master_is_replaced: bool  # EL-1 replicas of a master without slots may stand
    config_epoch_from_replicas: bool  # EP-3
    replicas_are_updated: bool  # SC-5 a replica with stale claims gets an UPDATE too
    shards: bool  # HB-9 nodes have shard ids
    stale_role_switch_is_ignored: bool  # SC-12
    empty_shard_follows: bool  # SC-9 a shard without slots follows its newest master
    sub_replica_guard_at_role_change: bool  # SC-13 else only when slots are processed
    role_change_is_broadcast: bool  # SC-14 a node that follows another one says so at once
    binding_clears_not_claiming: bool  # SC-3 else a mark stays on a slot that changes hands
    bump_is_broadcast: bool  # EP-6 a new epoch after a collision is announced at once
    reliable_meet: bool  # HS-2 MEET is repeated until the node answers
    mismatch_is_failure: bool  # HS-6 a node whose address answers to another name is in FAIL
    meet_introduces: bool  # HS-8 the nodes that a stranger's MEET speaks of become known

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
    vote_cooldown=True,
    refused_candidate_is_updated=False,
    late_votes_count=True,
    election_reset_by_newer_master=False,
    election_ends_with_role_change=False,
    empty_master_is_replaced=False,
    config_epoch_from_replicas=True,
    replicas_are_updated=True,
    shards=False,
    stale_role_switch_is_ignored=False,
    empty_shard_follows=False,
    sub_replica_guard_at_role_change=False,
    role_change_is_broadcast=False,
    binding_clears_not_claiming=False,
    bump_is_broadcast=False,
    reliable_meet=False,
    mismatch_is_failure=False,
    meet_introduces=False,
)

VALKEY_9_1: Final = Rules(
    dialect="valkey-9.1",
    empty_masters_report=False,
    reports_kept_after_fail=False,
    fail_checked_at_pfail=True,
    vote_cooldown=False,
    refused_candidate_is_updated=True,
    late_votes_count=True,
    election_reset_by_newer_master=True,
    election_ends_with_role_change=True,
    empty_master_is_replaced=True,
    config_epoch_from_replicas=False,
    replicas_are_updated=False,
    shards=True,
    stale_role_switch_is_ignored=True,
    empty_shard_follows=True,
    sub_replica_guard_at_role_change=True,
    role_change_is_broadcast=True,
    binding_clears_not_claiming=True,
    bump_is_broadcast=True,
    reliable_meet=True,
    mismatch_is_failure=True,
    meet_introduces=True,
)

DIALECTS: Final = {rules.dialect: rules for rules in (REDIS_7_0, VALKEY_9_1)}
"""The presets by name."""
