"""The presets, and turning rules off.

Clauses: MO-7.
"""

import attrs
import pytest

from reference.core.rules import DIALECTS, REDIS_7_0, RELEASES, STRICT, SWITCHES, VALKEY_9_1


def test_the_presets_are_found_by_name() -> None:
    assert [*RELEASES] == ["redis-7.0", "redis-8.0", "valkey-8.1", "valkey-9.1"]
    assert [*DIALECTS] == [*RELEASES, "strict"]
    assert all(rules.dialect == name for name, rules in DIALECTS.items())


def test_a_rule_turned_off_is_off_and_the_others_are_as_before() -> None:
    rules = REDIS_7_0.without("persist_vote", "majority_wins")

    assert not rules.persist_vote
    assert not rules.majority_wins
    assert attrs.evolve(rules, persist_vote=True, majority_wins=True) == REDIS_7_0


def test_an_unknown_rule_cannot_be_turned_off() -> None:
    with pytest.raises(ValueError, match="no rule is called 'dialect'; the rules are empty_ma"):
        REDIS_7_0.without("dialect")


def test_a_rule_that_is_off_already_cannot_be_turned_off() -> None:
    with pytest.raises(ValueError, match=r"shards is off in redis-7\.0 already"):
        REDIS_7_0.without("shards")


def test_no_release_has_what_only_strict_has() -> None:
    changed = {name for name in SWITCHES if getattr(STRICT, name) != getattr(VALKEY_9_1, name)}
    off = {name for name in changed if not getattr(STRICT, name)}

    assert off == {"late_votes_count"}
    assert not [
        (rules.dialect, name)
        for rules in RELEASES.values()
        for name in changed - off
        if getattr(rules, name)
    ]


def test_every_rule_but_the_name_is_a_switch() -> None:
    assert [*SWITCHES] == [field.name for field in attrs.fields(type(REDIS_7_0))][1:]
