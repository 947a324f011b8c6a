"""Whose rules are proved, and what is assumed of the world besides them."""

from typing import Any, Final

import attrs

from reference.core.rules import STRICT, SWITCHES, VALKEY_9_1, Rules

LATE: Final = "late_votes_count"
"""The one rule of the releases that our node does not follow (EL-D1)."""

OUTSIDE: Final = {
    "shards": "shards only matter for hand-overs by hearsay (SC-18)",
    "stale_role_switch_is_ignored": "it is about hand-overs by hearsay (SC-18)",
    "reliable_meet": "handshakes are not in the proof: all nodes know each other",
    "mismatch_is_failure": "addresses are not in the proof: nobody answers for another node",
    "meet_introduces": "handshakes are not in the proof: all nodes know each other",
}
"""Switches that the proof has nothing to say about, and why."""

FREE: Final = {
    "empty_masters_report": "a replica may stand whatever is known of its master",
    "reports_kept_after_fail": "a replica may stand whatever is known of its master",
    "fail_checked_at_pfail": "a replica may stand whatever is known of its master",
    "empty_master_is_replaced": "a replica may stand whatever is known of its master",
    "vote_cooldown": "a voter may vote as often as its epochs allow",
    "vote_needs_failed_master": "a voter may vote for any replica",
    "vote_checks_claims": "a voter may vote for any replica",
    "election_reset_by_newer_master": "an election may be given up at any moment",
    "election_ends_with_role_change": "an election may go on or be given up at any moment",
    "election_ends_with_win": "an election may go on or be given up at any moment",
    "failover_restarts_election": "an election may be given up at any moment",
    "newcomer_does_not_vote": "a voter may also not vote",
    "best_ranked_goes_first": "a replica may stand at any moment",
    "lone_master_decides_at_pfail": "a replica may stand whatever is known of its master",
    "failed_master_is_announced": "a replica may stand whatever is known of its master",
    "failed_master_mark_sticks": "a replica may stand whatever is known of its master",
    "replicas_are_updated": "an UPDATE may be sent to anybody at any moment",
    "empty_shard_follows": "a master without slots may follow another at any moment",
    "sub_replica_guard_at_role_change": "whom a replica follows decides nothing",
    "role_change_is_broadcast": "a header may be sent at any moment",
    "bump_is_broadcast": "a header may be sent at any moment",
    "collision_moves_smaller_id_only": "in a collision either node may move",
    "taken_slots_are_kept": "a newer claim may be refused and a configEpoch taken at any moment",
    "old_headers_are_ignored": "a header may be ignored at any moment",
    "told_imports_are_kept": "a slot may also not be marked",
    "named_masters_are_masters": "whom a table has as a master decides nothing",
    "empty_master_follows_shard": "a master without slots may follow another at any moment",
    "owners_are_not_forgotten": "a node may forget another at any moment",
    "forget_is_gossiped": "a node may forget another at any moment",
}
"""Switches that change nothing here: the proof allows more than the rule does in both positions."""

MODELLED: Final = (
    "persist_vote",
    "one_vote_per_epoch",
    "vote_checks_request_epoch",
    "majority_wins",
    "save_before_send",
    "claims_need_newer_epoch",
    "config_epoch_only_rises",
    "merge_current_epoch",
    "collision_resolution",
    "late_votes_count",
    "config_epoch_from_replicas",
    "refused_candidate_is_updated",
    "binding_clears_not_claiming",
    "not_claiming_slots",
    "unique_epochs",
    "learnt_epoch_is_saved",
    "demoted_keep_no_slots",
    "updates_add_slots",
    "reset_owners_take_back",
)
"""Switches that a guard or an effect of the proof's actions asks for."""


@attrs.frozen(kw_only=True)
class Setting:
    """The rules, and which of the usual assumptions are dropped."""

    rules: Rules
    without: tuple[str, ...] = ()
    bumps: bool = False
    marks: bool = False
    hearsay: bool = False
    views: bool = False
    numbers: bool = False
    names: bool = False
    apart: tuple[str, ...] = ()  # switches that some nodes may have and others not

    @property
    def mixed(self) -> bool:
        """Whether nodes differ in their rules."""
        return bool(self.apart)

    def some(self, switch: str) -> bool:
        """Whether a node may have the rule."""
        return switch in self.apart or bool(getattr(self.rules, switch))

    @property
    def strict(self) -> bool:
        """Whether what is claimed is claimed of `strict`."""
        return self.rules.dialect == STRICT.dialect

    @property
    def about_oneself(self) -> bool:
        """Whether a node may be sent an UPDATE about itself."""
        return self.some("refused_candidate_is_updated") or self.some("reset_owners_take_back")

    @property
    def marking(self) -> bool:
        """Whether slots may come to be marked as not claimed."""
        return self.marks and self.some("not_claiming_slots")


@attrs.frozen
class Assumption:
    """Something that the world is taken not to do, and the option that lets it."""

    name: str  # the field of `Setting`
    text: str
    dropped: str  # what is said if it is dropped


ASSUMPTIONS: Final = (
    Assumption(
        "views",
        "any two majorities that nodes count share a voter: the voting masters stay the same, "
        "or change so that this is kept",
        "two nodes may count majorities that share no voter",
    ),
    Assumption(
        "bumps",
        "configEpochs are elected, or were different from the start: no TAKEOVER, SETSLOT NODE, "
        "BUMPEPOCH or REPLICATE NO ONE, and who joins is a replica at once, or was given a "
        "configEpoch before",
        "a node may take a configEpoch without a vote, and operators may move slots and roles",
    ),
    Assumption(
        "marks",
        "an owner claims all that is recorded for it (no marks by SC-3)",
        "slots may be marked as not claimed by their owner (SC-3)",
    ),
    Assumption(
        "hearsay",
        "no node is made a master by another's header (SC-18)",
        "a header may tell the configEpoch of another node (SC-18)",
    ),
    Assumption(
        "numbers",
        "SET-CONFIG-EPOCH gives a configEpoch that no other node was given, none larger than those "
        "of the start; and who joins hears of a currentEpoch as large as them, first of all",
        "SET-CONFIG-EPOCH may give any configEpoch",
    ),
    Assumption(
        "names",
        "RESET HARD gives a node a name of which nobody has heard",
        "a node that is reset hard may keep its name, and forgets how it voted",
    ),
)


_SHARE: Final = f"(for EL-P1:round alone) {ASSUMPTIONS[0].text}"
_NAMES: Final = "no two names have the same 30 bits of CRC-32 (EP-13)"
_GIVEN: Final = "the configEpochs of the start are different, and who is given a slot has one"


def assumed(setting: Setting) -> tuple[tuple[bool, str], ...]:
    """What the proof takes for granted (True), and what it lets happen (False)."""
    told = [
        (False, each.dropped) if getattr(setting, each.name) else (True, each.text)
        for each in ASSUMPTIONS
    ]
    if setting.strict and setting.rules.unique_epochs:
        if not setting.views:
            told[0] = (True, _SHARE)
        told.append((True, _NAMES))
    if setting.strict:
        told.append((True, _GIVEN))
    if setting.mixed:
        told.append(_of_mixed(setting))
    return tuple(told)


def _of_mixed(setting: Setting) -> tuple[bool, str]:
    return False, f"nodes may differ in {', '.join(setting.apart)}"


APART: Final = (
    "config_epoch_from_replicas",
    "refused_candidate_is_updated",
    "binding_clears_not_claiming",
    "not_claiming_slots",
    "learnt_epoch_is_saved",
    "demoted_keep_no_slots",
    "updates_add_slots",
    "reset_owners_take_back",
    "unique_epochs",
)
"""What the dialects differ in of what is modelled: the nodes of a mixed cluster may, too."""

MIXES: Final = (
    tuple(name for name in APART[1:8] if name != "updates_add_slots"),
    ("config_epoch_from_replicas", *APART[2:6]),
)
"""In what nodes may differ all at once: where nobody takes replicas' epochs, and where some do."""


def mixed(setting: Setting, apart: tuple[str, ...]) -> Setting:
    """Each node has its own rules in these, whatever the setting has; the rest is common.

    A node that saves what it has learnt (EP-14) is one that happens to save then.
    Raises ValueError if a name is no switch that nodes may differ in.
    """
    for name in apart:
        if name not in APART:
            raise ValueError(f"nodes may differ in {', '.join(APART)}, but not in {name}")
    rules = setting.rules
    if "unique_epochs" in apart and not rules.unique_epochs:
        raise ValueError("nodes may differ in unique_epochs where it is on: in strict")
    if "learnt_epoch_is_saved" in apart:
        rules = attrs.evolve(rules, learnt_epoch_is_saved=False)
    return attrs.evolve(setting, rules=rules, apart=apart)


def setting_of(rules: Rules, without: tuple[str, ...], dropped: tuple[str, ...] = ()) -> Setting:
    """The rules without these switches, in a world without these assumptions.

    `strict` is to do without them all; that majorities share a voter is for EL-P1:round alone, so
    it is left out as soon as epochs are not unique.
    Raises ValueError if a name is no switch, is off already, or is outside the proof.
    """
    left = rules.without(*without)
    for name in without:
        if name in OUTSIDE:
            raise ValueError(f"{name} is not modelled by the proof: {OUTSIDE[name]}")
        if name not in FREE and name not in MODELLED:
            modelled = ", ".join(each for each in SWITCHES if each in MODELLED or each in FREE)
            raise ValueError(f"{name} is not modelled by the proof; it models {modelled}")
    if rules.dialect == STRICT.dialect:
        dropped = (*dropped, "bumps", "marks", "hearsay")
        dropped = dropped if left.unique_epochs else (*dropped, "views")
    flags: dict[str, Any] = dict.fromkeys(dropped, True)
    return Setting(rules=left, without=without, **flags)


def mixed_of_releases(apart: tuple[str, ...], dropped: tuple[str, ...] = ()) -> Setting:
    """Our nodes, which differ in these; in what the releases differ in besides, all are alike."""
    off = ("config_epoch_from_replicas", "refused_candidate_is_updated")
    left = tuple(name for name in (LATE, *off) if getattr(VALKEY_9_1, name))
    setting = setting_of(VALKEY_9_1.without(*left), (), dropped)
    return mixed(setting, apart)
