"""The language of rules that say what a user may do, and what the rules make of a user."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Final

import attrs

from reference.clauses import clause
from reference.runtime.configuration.file import ConfigLineError, split_words
from reference.runtime.users.names import CATEGORIES, Names

_BLANKS: Final = frozenset(b" \t\n\v\f\r\0")
_HASH: Final = re.compile(rb"[0-9a-f]{64}")
_DATABASES: Final = re.compile(rb"[0-9]+(?:,[0-9]+)*")
_LARGEST_DATABASE: Final = 2**31 - 1


class Wrong(Enum):
    """Why a rule cannot be meant, in the servers' words."""

    UNKNOWN_NAME = "Unknown command or category name in ACL"
    SYNTAX = "Syntax error"
    KEYS_AFTER_ALL = (
        "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not "
        "have any effect. Try 'resetkeys' to start with an empty list of patterns"
    )
    CHANNELS_AFTER_ALL = (
        "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does "
        "not have any effect. Try 'resetchannels' to start with an empty list of channels"
    )
    NO_SUCH_PASSWORD = "The password you are trying to remove from the user does not exist"  # noqa: S105
    NO_HASH = (
        "The password hash must be exactly 64 characters and contain only lowercase hexadecimal "
        "characters"
    )
    TWICE = "Duplicate user found. A user can only be defined once in config files"
    PART_OF_PART = "Allowing first-arg of a subcommand is not supported"
    DATABASE_RANGE = "The provided database ID is out of range"


class RuleError(Exception):
    """A rule that cannot be meant."""

    def __init__(self, rule: bytes, wrong: Wrong) -> None:
        super().__init__(wrong.value)
        self.rule = rule
        self.wrong = wrong


class OpenSelectorError(Exception):
    """A selector that is not closed, with the word that it begins with."""

    def __init__(self, word: bytes) -> None:
        super().__init__(word)
        self.word = word


@attrs.frozen(kw_only=True)
class Language:
    """What the rules of one release can say."""

    names: Names
    has_databases: bool = False
    tells_of_payloads: bool = True  # whether what RESTORE gets from a user is looked at
    in_order: bool = False  # rules about commands are told as they were given; later than 7.0


@attrs.frozen(kw_only=True)
class KeyPattern:
    """Keys that may be used, and how (`keyPattern`)."""

    pattern: bytes
    reads: bool
    writes: bool


@attrs.frozen(kw_only=True)
class Selector:
    """What may be done together; a user may do what one of his selectors allows (`aclSelector`)."""

    all_keys: bool = False
    keys: tuple[KeyPattern, ...] = ()
    all_channels: bool = False
    channels: tuple[bytes, ...] = ()
    databases: frozenset[int] | None = None  # None: all
    allowed: frozenset[str] = frozenset()
    future: bool = False  # also commands that there are not yet
    first_words: tuple[tuple[str, tuple[bytes, ...]], ...] = ()  # of commands not allowed as such
    command_rules: tuple[str, ...] = ()  # since the last about all, those that still count

    def words_of(self, name: str) -> tuple[bytes, ...]:
        """The first arguments with which the command, though not allowed as such, may be used."""
        return dict(self.first_words).get(name, ())


@attrs.frozen(kw_only=True)
class User:
    """Who a client may be (`user`)."""

    name: bytes
    enabled: bool = False
    no_password: bool = False  # every one is right
    sanitizes: bool | None = None  # what RESTORE gets from him; nothing is said for None
    passwords: tuple[str, ...] = ()  # their hashes
    selectors: tuple[Selector, ...] = (Selector(),)  # the first has no parentheses
    unrestricted: bool = False  # he may do everything that there is

    @property
    def root(self) -> Selector:
        """What the rules outside of parentheses say."""
        return self.selectors[0]


def new_user(name: bytes, *, all_channels: bool = False) -> User:
    """A user who may do nothing, but for channels if these are everybody's (`ACLCreateUser`)."""
    return User(name=name, selectors=(Selector(all_channels=all_channels),))


def hash_of(password: bytes) -> str:
    """The password as it is kept. Counterpart: `ACLHashPassword`."""
    return hashlib.sha256(password).hexdigest()


def has_blanks(word: bytes) -> bool:
    """Whether the word could not be one of a line. Counterpart: `ACLStringHasSpaces`."""
    return not _BLANKS.isdisjoint(word)


@clause("US-1")
def merged(words: Iterable[bytes], language: Language) -> list[bytes]:
    """The rules, each selector as one of them; OpenSelectorError if one does not end.

    Counterpart: `ACLMergeSelectorArguments`. Redis 7.0 forgets one in which another begins.
    """
    rules: list[bytes] = []
    begun: list[bytes] = []
    for word in words:
        opens = word.startswith(b"(") and not word.endswith(b")")
        if opens and not (begun and language.in_order):
            begun = [word]
        elif begun:
            begun.append(word)
            if word.endswith(b")"):
                rules.append(b" ".join(begun))
                begun = []
        else:
            rules.append(word)
    if begun:
        raise OpenSelectorError(begun[0])
    return rules


@clause("US-1")
def changed(
    user: User, rules: Sequence[bytes], language: Language, *, all_channels: bool = False
) -> User:
    """The user after these rules, one after the other; RuleError with the first that is wrong.

    New selectors allow all channels if these are everybody's. Counterpart: `ACLStringSetUser`.
    """
    for rule in rules:
        try:
            user = _changed(user, rule, language, all_channels=all_channels)
        except RuleError as error:
            raise RuleError(rule, error.wrong) from None
    root = user.root
    free = root.all_keys and root.all_channels and root.databases is None
    return attrs.evolve(user, unrestricted=free and root.allowed >= language.names.all)


def _changed(user: User, rule: bytes, language: Language, *, all_channels: bool) -> User:
    """The user after one rule. Counterpart: `ACLSetUser`."""
    fresh, word = Selector(all_channels=all_channels), rule.lower()
    match word:
        case b"":
            return user
        case b"on" | b"off":
            return attrs.evolve(user, enabled=word == b"on")
        case b"skip-sanitize-payload" | b"sanitize-payload":
            return attrs.evolve(user, sanitizes=word == b"sanitize-payload")
        case b"nopass" | b"resetpass":
            return attrs.evolve(user, no_password=word == b"nopass", passwords=())
        case b"clearselectors":
            return attrs.evolve(user, selectors=(user.root,))
        case b"reset":
            return User(name=user.name, sanitizes=True, selectors=(fresh,))
        case _:
            return _changed_by_form(user, rule, language, fresh)


def _changed_by_form(user: User, rule: bytes, language: Language, fresh: Selector) -> User:
    """The user after a rule that is not one of the words that stand for themselves."""
    if rule[:1] in (b">", b"#", b"<", b"!"):
        return _with_password(user, rule)
    if rule.startswith(b"(") and rule.endswith(b")"):
        inner = fresh
        for each in _words_of(rule[1:-1]):
            inner = _selector_after(inner, each, language)
        return attrs.evolve(user, selectors=(*user.selectors, inner))
    root = _selector_after(user.root, rule, language)
    return attrs.evolve(user, selectors=(root, *user.selectors[1:]))


def _words_of(text: bytes) -> list[bytes]:
    """The rules in a selector; those of one whose quotes do not match are none, as in servers."""
    try:
        return [word.encode("latin-1") for word in split_words(text.decode("latin-1"))]
    except ConfigLineError:
        return []


def _with_password(user: User, rule: bytes) -> User:
    kind, word = rule[:1], rule[1:]
    if kind in (b"#", b"!") and not _HASH.fullmatch(word):
        raise RuleError(rule, Wrong.NO_HASH)
    hashed = word.decode() if kind in (b"#", b"!") else hash_of(word)
    if kind in (b">", b"#"):
        kept = user.passwords if hashed in user.passwords else (*user.passwords, hashed)
        return attrs.evolve(user, passwords=kept, no_password=False)
    if hashed not in user.passwords:
        raise RuleError(rule, Wrong.NO_SUCH_PASSWORD)
    return attrs.evolve(user, passwords=tuple(each for each in user.passwords if each != hashed))


def _selector_after(selector: Selector, rule: bytes, language: Language) -> Selector:
    """The selector after one rule. Counterpart: `ACLSetSelector`."""
    match rule.lower():
        case b"allkeys" | b"~*":
            return attrs.evolve(selector, all_keys=True, keys=())
        case b"resetkeys":
            return attrs.evolve(selector, all_keys=False, keys=())
        case b"allchannels" | b"&*":
            return attrs.evolve(selector, all_channels=True, channels=())
        case b"resetchannels":
            return attrs.evolve(selector, all_channels=False, channels=())
        case b"allcommands" | b"+@all":
            return _with_commands(selector, language.names.all, future=True)
        case b"nocommands" | b"-@all":
            return _with_commands(selector, frozenset(), future=False)
        case _:
            return _selector_after_form(selector, rule, language)


def _selector_after_form(selector: Selector, rule: bytes, language: Language) -> Selector:
    """The selector after a rule that begins with a sign, or is about databases."""
    if rule[:1] in (b"~", b"%"):
        return _with_keys(selector, rule)
    if rule[:1] == b"&":
        return _with_channel(selector, rule)
    if rule[:1] in (b"+", b"-"):
        return _with_command(selector, rule, language)
    if language.has_databases:
        return _with_databases(selector, rule)
    raise RuleError(rule, Wrong.SYNTAX)


def _with_commands(selector: Selector, names: frozenset[str], *, future: bool) -> Selector:
    return attrs.evolve(selector, allowed=names, future=future, first_words=(), command_rules=())


def _with_keys(selector: Selector, rule: bytes) -> Selector:
    if selector.all_keys:
        raise RuleError(rule, Wrong.KEYS_AFTER_ALL)
    letters, pattern = b"RW", rule[1:]
    if rule[:1] == b"%":
        letters, _, pattern = pattern.partition(b"~")
        letters = letters.upper()
        if letters not in (b"R", b"W", b"RW", b"WR"):
            raise RuleError(rule, Wrong.SYNTAX)
    if has_blanks(pattern):
        raise RuleError(rule, Wrong.SYNTAX)
    new = KeyPattern(pattern=pattern, reads=b"R" in letters, writes=b"W" in letters)
    kept = {each.pattern: each for each in selector.keys}
    old = kept.get(pattern, new)
    kept[pattern] = attrs.evolve(new, reads=old.reads or new.reads, writes=old.writes or new.writes)
    return attrs.evolve(selector, keys=tuple(kept.values()))


def _with_channel(selector: Selector, rule: bytes) -> Selector:
    if selector.all_channels:
        raise RuleError(rule, Wrong.CHANNELS_AFTER_ALL)
    if has_blanks(rule):
        raise RuleError(rule, Wrong.SYNTAX)
    channels = dict.fromkeys((*selector.channels, rule[1:]))
    return attrs.evolve(selector, channels=tuple(channels))


def _with_databases(selector: Selector, rule: bytes) -> Selector:
    name, _, numbers = rule.partition(b"=")
    match name.lower():
        case b"alldbs" if name == rule:
            return attrs.evolve(selector, databases=None)
        case b"resetdbs" if name == rule:
            return attrs.evolve(selector, databases=frozenset())
        case b"db" if numbers.startswith(b"-") and _DATABASES.fullmatch(numbers[1:]):
            raise RuleError(rule, Wrong.DATABASE_RANGE)
        case b"db" if _DATABASES.fullmatch(numbers):
            found = frozenset(int(number) for number in numbers.split(b","))
            if max(found) > _LARGEST_DATABASE:
                raise RuleError(rule, Wrong.DATABASE_RANGE)
            return attrs.evolve(selector, databases=found)
        case _:
            raise RuleError(rule, Wrong.SYNTAX)


@clause("US-2")
def _with_command(selector: Selector, rule: bytes, language: Language) -> Selector:
    allow, name = rule[:1] == b"+", rule[1:].decode("latin-1").lower()
    if name.startswith("@"):
        if name[1:] not in CATEGORIES:
            raise RuleError(rule, Wrong.UNKNOWN_NAME)
        reached = language.names.reached_by(name[1:])
        begun = language.names.of_kind(name[1:]) or ()
        return _ruled(_allowing(selector, reached, begun, allow=allow), name, allow=allow)
    container, bar, word = name.rpartition("|")
    names = language.names
    if allow and bar:
        if container not in names.all:
            raise RuleError(rule, Wrong.UNKNOWN_NAME)
        if "|" in container:
            raise RuleError(rule, Wrong.PART_OF_PART)
        if not word:
            raise RuleError(rule, Wrong.SYNTAX)
        if not names.parts_of(container):
            first = rule[1:].rpartition(b"|")[2]
            return _ruled(_with_first_word(selector, container, first), name, allow=True)
    if name not in names.all:
        raise RuleError(rule, Wrong.UNKNOWN_NAME)
    reached = names.parts_of(name) | {name}
    return _ruled(_allowing(selector, reached, (name,), allow=allow), name, allow=allow)


def _allowing(
    selector: Selector, reached: frozenset[str], named: Iterable[str], *, allow: bool
) -> Selector:
    """The selector with these commands or without; what was said of their arguments is over."""
    allowed = selector.allowed | reached if allow else selector.allowed - reached
    gone = set(named) if selector.first_words else ()
    words = tuple(each for each in selector.first_words if each[0] not in gone)
    return attrs.evolve(selector, allowed=allowed, first_words=words)


def _with_first_word(selector: Selector, name: str, word: bytes) -> Selector:
    known = selector.words_of(name)
    if word.lower() in {each.lower() for each in known}:
        return selector
    words = {**dict(selector.first_words), name: (*known, word)}
    return attrs.evolve(selector, first_words=tuple(words.items()))


def _ruled(selector: Selector, name: str, *, allow: bool) -> Selector:
    """The rule is told behind those that it leaves something to say.

    Counterpart: `ACLUpdateCommandRules`.
    """
    kept = [
        rule
        for rule in selector.command_rules
        if rule[1:] != name and not rule[1:].startswith(f"{name}|")
    ]
    return attrs.evolve(selector, command_rules=(*kept, f"{'+' if allow else '-'}{name}"))
