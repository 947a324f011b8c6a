"""Rules of users: what they make is told again by rules that make the same.

Clauses: US-1, US-2, US-3, US-4, US-5.
"""

import random
from collections.abc import Sequence

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.runtime.command_table.table import table_of
from reference.runtime.users.check import why_refused
from reference.runtime.users.describe import user_text
from reference.runtime.users.rules import (
    Language,
    OpenSelectorError,
    RuleError,
    Selector,
    User,
    changed,
    merged,
    new_user,
)
from reference.runtime.users.users import language_of
from tests.acl_words import REQUESTS, rule, rules

DIALECTS = ("redis-7.0", "redis-8.0", "valkey-8.1", "valkey-9.1")
dialects = st.sampled_from(DIALECTS)
chances = st.integers(0, 2**32).map(random.Random)


def _some_user(chance: random.Random, language: Language) -> User:
    """What is left of many rules, of which those that are wrong do nothing."""
    user = new_user(b"u")
    for _ in range(chance.randint(1, 8)):
        user = _after(user, rules(chance), language)
    return user


def _after(user: User, words: Sequence[str], language: Language) -> User:
    try:
        return changed(user, merged([word.encode() for word in words], language), language)
    except (RuleError, OpenSelectorError):
        return user


def _meaning(selector: Selector) -> Selector:
    """The selector without what is only told: first words of commands that are allowed anyway."""
    words = [each for each in selector.first_words if each[0] not in selector.allowed]
    return attrs.evolve(selector, first_words=tuple(sorted(words)), command_rules=())


@settings(deadline=None)
@given(chances, dialects)
def test_what_is_told_of_a_user_makes_the_same_user(chance: random.Random, dialect: str) -> None:
    language = language_of(dialect)
    user = _some_user(chance, language)

    told = user_text(user, language)
    again = changed(new_user(b"u"), merged(told.split(b" "), language), language)

    assert user_text(again, language) == told
    if not language.in_order:  # later releases tell a rule that a kind has made void
        assert [*map(_meaning, again.selectors)] == [*map(_meaning, user.selectors)]
    assert [each.allowed for each in again.selectors] == [each.allowed for each in user.selectors]
    assert again.unrestricted == user.unrestricted


@settings(deadline=None)
@given(chances, dialects)
def test_another_selector_only_adds(chance: random.Random, dialect: str) -> None:
    language = language_of(dialect)
    user = _some_user(chance, language)
    inner = " ".join(rule(chance, inner=True) for _ in range(3))
    more = _after(user, [f"({inner})"], language)

    for words in chance.sample(REQUESTS, 12):
        request = [word.encode() for word in words]
        info = table_of(dialect).lookup(request)
        if info is not None and info.takes(len(request)):
            before, after = why_refused(user, info, request), why_refused(more, info, request)

            assert before is not None or after is None, (words, inner)


@settings(deadline=None)
@given(chances, dialects)
def test_who_may_do_everything_is_never_refused(chance: random.Random, dialect: str) -> None:
    language = language_of(dialect)
    user = _some_user(chance, language)
    free = changed(user, [b"allkeys", b"allchannels", b"+@all"], language)
    if language.has_databases:
        free = changed(free, [b"alldbs"], language)
    looked_at = attrs.evolve(free, unrestricted=False)

    assert free.unrestricted
    for words in chance.sample(REQUESTS, 12):
        request = [word.encode() for word in words]
        info = table_of(dialect).lookup(request)

        assert info is None or why_refused(looked_at, info, request) is None


@pytest.mark.parametrize("dialect", DIALECTS)
def test_each_command_is_allowed_by_its_name_and_by_each_of_its_kinds(dialect: str) -> None:
    language = language_of(dialect)
    for name, kinds in language.names.kinds.items():
        for word in (name, *(f"@{kind}" for kind in kinds)):
            with_it = changed(new_user(b"u"), [b"+" + word.encode()], language)
            without = changed(with_it, [b"-" + word.encode()], language)

            assert name in with_it.root.allowed
            assert not without.root.allowed
