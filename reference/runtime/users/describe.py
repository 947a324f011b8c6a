"""Users as rules again: the words that would make such a user."""

from collections.abc import Iterator
from itertools import chain
from typing import Final

import attrs

from reference.clauses import clause
from reference.runtime.users.names import CATEGORIES, Names
from reference.runtime.users.rules import KeyPattern, Language, Selector, User

_KEYS: Final = {(True, True): b"~", (True, False): b"%R~", (False, True): b"%W~"}


def user_flags(user: User, language: Language) -> list[str]:
    """What is said of the user as a whole (`ACLUserFlags`)."""
    told = {
        "on": user.enabled,
        "off": not user.enabled,
        "nopass": user.no_password,
    }
    if language.tells_of_payloads:
        told["skip-sanitize-payload"] = user.sanitizes is False
        told["sanitize-payload"] = user.sanitizes is True
    return [word for word, so in told.items() if so]


def keys_text(selector: Selector) -> bytes:
    """The rules about keys."""
    return b"~*" if selector.all_keys else b" ".join(map(_key_text, selector.keys))


def _key_text(key: KeyPattern) -> bytes:
    if key.pattern == b"*" and key.reads and key.writes:
        return b"%RW~*"  # the short form would not let others stand beside it
    return _KEYS.get((key.reads, key.writes), b"") + key.pattern


def channels_text(selector: Selector) -> bytes:
    """The rules about channels."""
    return b"&*" if selector.all_channels else b" ".join(b"&" + each for each in selector.channels)


def databases_text(selector: Selector) -> bytes:
    """The rule about databases, empty if there is none that may be used."""
    if selector.databases is None:
        return b"alldbs"
    if not selector.databases:
        return b""
    return b"db=" + b",".join(b"%d" % each for each in sorted(selector.databases))


@clause("US-3")
def commands_text(selector: Selector, language: Language) -> bytes:
    """The rules about commands, the first about all of them.

    As they were given, or the shortest that kinds and single commands give. Counterpart:
    `ACLDescribeSelectorCommandRules`.
    """
    start = "+@all" if selector.future else "-@all"
    if language.in_order:
        return " ".join((start, *selector.command_rules)).encode("latin-1")
    kinds, reached = _by_kinds(selector, language.names)
    rules: Iterator[bytes] = (each.encode("latin-1") for each in (start, *kinds))
    return b" ".join(chain(rules, _one_by_one(selector, reached, language.names)))


def _by_kinds(selector: Selector, names: Names) -> tuple[list[str], frozenset[str]]:
    """Rules about kinds that come near, the best first, and which commands they would allow."""
    adds = not selector.future
    left, reached = selector.allowed, frozenset[str]() if adds else names.all
    rules: list[str] = []
    open_kinds = list(CATEGORIES)
    while best := _best_kind(open_kinds, left, names, adds=adds):
        open_kinds.remove(best)
        meant = names.reached_by(best)
        rules.append(f"{'+' if adds else '-'}@{best}")
        left = left - meant if adds else left | meant
        reached = reached | meant if adds else reached - meant
    return rules, reached


def _best_kind(
    kinds: list[str], allowed: frozenset[str], names: Names, *, adds: bool
) -> str | None:
    """The kind with the fewest commands for which it would be wrong, and more for which right."""
    best, found = None, (-len(names.all), 0)
    for kind in kinds:
        members = names.of_kind(kind) or ()
        on = sum(name in allowed for name in members)
        off = len(members) - on
        wrong, right = (off, on) if adds else (on, off)
        if right > wrong and (-wrong, right) > found:
            best, found = kind, (-wrong, right)
    return best


def _one_by_one(selector: Selector, reached: frozenset[str], names: Names) -> Iterator[bytes]:
    """Rules about single commands that make of what is allowed so far what is to be."""
    for name in _containers_first(names):
        allow = name in selector.allowed
        if allow != (name in reached):
            meant = names.parts_of(name) | {name}
            reached = reached | meant if allow else reached - meant
            yield f"{'+' if allow else '-'}{name}".encode("latin-1")
        if not allow:
            for word in selector.words_of(name):
                yield b"+%b|%b" % (name.encode("latin-1"), word)


def _containers_first(names: Names) -> list[str]:
    return sorted(names.kinds, key=lambda name: "|" in name)


@clause("US-3")
def user_text(user: User, language: Language) -> bytes:
    """Everything about the user as rules. Counterpart: `ACLDescribeUser`."""
    head = [*user_flags(user, language), *(f"#{each}" for each in user.passwords)]
    root, *others = (_selector_text(each, language) for each in user.selectors)
    tail = [b"(%b)" % each for each in others]
    return b" ".join([*(word.encode() for word in head), root, *tail])


def _selector_text(selector: Selector, language: Language) -> bytes:
    channels = channels_text(selector)
    if not selector.all_channels:
        channels = b"resetchannels " + channels
    databases = b"" if selector.databases is None else databases_text(selector) or b"resetdbs"
    parts = (keys_text(selector), channels.strip(), databases, commands_text(selector, language))
    return b" ".join(part for part in parts if part)


def user_line(user: User, language: Language) -> bytes:
    """The line of a configuration that makes the user."""
    return b"user %b %b" % (user.name, user_text(user, language))


@attrs.frozen(kw_only=True)
class SelectorTexts:
    """The rules of one selector, each group by itself."""

    commands: bytes
    keys: bytes
    channels: bytes
    databases: bytes


def selector_texts(selector: Selector, language: Language) -> SelectorTexts:
    """They as ACL GETUSER tells them."""
    return SelectorTexts(
        commands=commands_text(selector, language),
        keys=keys_text(selector),
        channels=channels_text(selector),
        databases=databases_text(selector),
    )
