"""The users of a node: who they are, whose password is right, and the files that tell of them."""

import hmac
import logging
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import attrs

from reference.clauses import clause
from reference.runtime.configuration.file import replace_file
from reference.runtime.options import NodeOptions
from reference.runtime.users.describe import user_line
from reference.runtime.users.log import AclLog
from reference.runtime.users.names import names_of
from reference.runtime.users.rules import (
    Language,
    OpenSelectorError,
    RuleError,
    User,
    Wrong,
    changed,
    has_blanks,
    hash_of,
    merged,
    new_user,
)

_LOG = logging.getLogger(__name__)

DEFAULT: Final = b"default"
"""Who everybody is who does not say who he is."""

_EVERYTHING: Final = (b"+@all", b"~*", b"&*", b"on", b"nopass")
_UNCHANGED: Final = (
    "WARNING: ACL errors detected, no change to the previously active ACL rules was performed"
)
_BOTH: Final = (
    "Configuring users in the configuration file and at the same setting an ACL file path is "
    "invalid: it is very likely to lead to configuration errors and security holes. Define either "
    "an ACL file or declare users in the configuration file, but not both."
)
_LATER: Final = frozenset({"redis-8.0", "valkey-8.1"})


class AclError(Exception):
    """Why users cannot be taken from a configuration or file."""


@cache
def language_of(dialect: str) -> Language:
    """The language of the dialect's rules."""
    newest = dialect not in _LATER | {"redis-7.0"}
    return Language(
        names=names_of(dialect),
        has_databases=newest,
        in_order=newest or dialect in _LATER,
        tells_of_payloads=not newest,
    )


class Users:
    """The users of a node (`Users`), with what was refused to them."""

    def __init__(self, dialect: str, options: NodeOptions) -> None:
        """Those of the options; AclError if these cannot be meant."""
        self.language = language_of(dialect)
        self.log = AclLog()
        self._options = options
        self._of: dict[bytes, User] = {DEFAULT: self._free_default()}
        self._protect(options)
        self._begin()

    def follow(self, options: NodeOptions) -> None:
        """The node runs with these options now, and `default` has their password if it is new."""
        old, self._options = self._options, options
        if old.kept.get("requirepass", "") != options.kept.get("requirepass", ""):
            self._protect(options)

    def __iter__(self) -> Iterator[User]:
        return iter(self._of[name] for name in sorted(self._of))

    def get(self, name: bytes) -> User | None:
        """The user of this name, if there is one."""
        return self._of.get(name)

    @property
    def default(self) -> User:
        """The user of clients that do not say who they are."""
        return self._of[DEFAULT]

    @property
    def open(self) -> bool:
        """Whether clients are let in that do not say who they are."""
        return self.default.enabled and self.default.no_password

    @property
    def all_channels(self) -> bool:
        """Whether channels are everybody's (`acl-pubsub-default`)."""
        return self._options.kept.get("acl-pubsub-default") == "allchannels"

    @property
    def path(self) -> Path | None:
        """The file that has the users, if one does (`aclfile`)."""
        name = self._options.kept.get("aclfile")
        return self._options.directory / name if name else None

    @clause("US-7")
    def authenticated(self, name: bytes, password: bytes) -> User | None:
        """The user if he may come in with this password, else None.

        Counterpart: `ACLCheckUserCredentials`.
        """
        user = self._of.get(name)
        if user is None or not user.enabled:
            return None
        hashed = hash_of(password)
        # The time that it takes says nothing of a password.
        right = [hmac.compare_digest(hashed, each) for each in user.passwords]
        return user if user.no_password or any(right) else None

    @clause("US-1")
    def changed(self, name: bytes, words: Iterable[bytes]) -> User:
        """The user, a new one if need be, after these rules; nothing is kept of him yet.

        RuleError or OpenSelectorError if the rules cannot be meant.
        """
        user = self._of.get(name) or new_user(name, all_channels=self.all_channels)
        return self._after(user, merged(words, self.language))

    def _after(self, user: User, rules: Sequence[bytes]) -> User:
        return changed(user, rules, self.language, all_channels=self.all_channels)

    def put(self, user: User) -> None:
        """The user of his name is this one."""
        self._of[user.name] = user

    def remove(self, name: bytes) -> bool:
        """There is no user of this name; whether there was one."""
        return self._of.pop(name, None) is not None

    def lines(self) -> list[bytes]:
        """The lines of a configuration that make these users."""
        return [user_line(user, self.language) for user in self]

    def config_lines(self) -> list[str]:
        """The lines for the configuration of the node, none if the users have their own file."""
        return [] if self.path is not None else [_text(line) for line in self.lines()]

    def _free_default(self) -> User:
        return self._after(new_user(DEFAULT, all_channels=self.all_channels), _EVERYTHING)

    def _protect(self, options: NodeOptions) -> None:
        """Counterpart: `ACLUpdateDefaultUserPassword`."""
        password = options.kept.get("requirepass", "").encode("utf-8", "surrogateescape")
        rules = [b"resetpass", b">" + password] if password else [b"nopass"]
        self.put(self._after(self.default, rules))

    # Files.

    @clause("US-8")
    def _begin(self) -> None:
        """Counterpart: `ACLLoadUsersAtStartup`."""
        if self.path is not None:
            if self._options.users:
                raise AclError(_BOTH)
            try:
                self.replace(self.read())
            except AclError as error:
                raise AclError(f"Aborting startup because of ACL errors: {error}") from None
        for name, *words in self._options.users:
            raw = name.encode("utf-8", "surrogateescape")
            if has_blanks(raw):
                raise AclError("Spaces not allowed in ACL usernames")
            user = new_user(raw, all_channels=self.all_channels)
            if raw == DEFAULT:
                user = self._after(user, [b"reset"])
            self.put(self._configured(user, words))

    def _configured(self, user: User, words: Sequence[str]) -> User:
        rules = [word.encode("utf-8", "surrogateescape") for word in words]
        try:
            made = self._after(user, merged(rules, self.language))
        except RuleError as error:
            rule, name = _text(error.rule), _text(user.name)
            raise AclError(
                f"Error loading ACL rule '{rule}' for the user named '{name}': {error}"
            ) from None
        if not made.enabled:
            _LOG.info(
                "The user '%s' is disabled (there is no 'on' modifier in the user description). "
                "Make sure this is not a configuration error.",
                _text(user.name),
            )
        return made

    @clause("US-8")
    def read(self) -> dict[bytes, User]:
        """The users that the file tells of; AclError with all that is wrong with it.

        Counterpart: `ACLLoadFromFile`.
        """
        assert self.path is not None  # noqa: S101 - asked for only if there is one
        try:
            lines = self.path.read_bytes().split(b"\n")
        except OSError as error:
            raise AclError(
                f"Error loading ACLs, opening file '{self.path}': {error.strerror}"
            ) from None
        found: dict[bytes, User] = {}
        wrong: list[str] = []
        for number, line in enumerate(lines, start=1):
            if line := line.strip(b" \t\r\n"):
                wrong += self._read_line(f"{self.path}:{number}", number, line, found)
        if wrong:
            raise AclError("".join((*wrong, _UNCHANGED)))
        return found

    def _read_line(
        self, place: str, number: int, line: bytes, found: dict[bytes, User]
    ) -> Iterator[str]:
        """What is wrong with the line; the user that it tells of is in `found`."""
        keyword, _, rest = line.partition(b" ")
        name, *words = rest.split(b" ")
        if keyword != b"user" or not rest:
            yield f"{place} should start with user keyword followed by the username. "
        elif has_blanks(name):
            yield f"'{place}: username '{_text(name)}' contains invalid characters. "
        elif name in found:
            yield f"WARNING: Duplicate user '{_text(name)}' found on line {number}. "
        else:
            found[name] = new_user(name, all_channels=self.all_channels)
            try:
                rules = merged(words, self.language)
            except OpenSelectorError:
                yield f"{place}: Unmatched parenthesis in selector definition."
                return
            yield from self._read_rules(place, name, rules, found)

    def _read_rules(
        self, place: str, name: bytes, rules: Sequence[bytes], found: dict[bytes, User]
    ) -> Iterator[str]:
        told = False
        for rule in rules:
            try:
                found[name] = self._after(found[name], [rule.strip(b"\t\r\n")])
            except RuleError as error:
                if error.wrong is Wrong.UNKNOWN_NAME:
                    rule_text = _text(error.rule)
                    yield f"{place}: Error in applying operation '{rule_text}': {error}. "
                elif not told:
                    told = True
                    yield f"{place}: {error}. "

    def replace(self, users: dict[bytes, User]) -> None:
        """There are these users, and `default` in any case."""
        self._of = {DEFAULT: self._free_default()} | users

    @clause("US-8")
    def save(self) -> None:
        """The file tells of these users; OSError if it cannot be written.

        Counterpart: `ACLSaveToFile`.
        """
        assert self.path is not None  # noqa: S101 - asked for only if there is one
        text = b"".join(line + b"\n" for line in self.lines())
        replace_file(self.path, text.decode("utf-8", "surrogateescape"))


def _text(word: bytes) -> str:
    return word.decode("utf-8", "surrogateescape")


@attrs.frozen
class UserLineError(Exception):
    """A line about a user that cannot be meant, whatever commands there are: its word, and why."""

    word: str
    reason: str


def check_user_line(dialect: str, words: Sequence[str]) -> None:
    """Nothing is wrong with the rules but that they may name what there is not; else UserLineError.

    Counterpart: `ACLAppendUserForLoading`.
    """
    language = language_of(dialect)
    user = new_user(words[0].encode("utf-8", "surrogateescape"))
    try:
        rules = merged([word.encode("utf-8", "surrogateescape") for word in words[1:]], language)
    except OpenSelectorError as error:
        raise UserLineError(_text(error.word), "Wrong format") from None
    for rule in rules:
        try:
            user = changed(user, [rule], language)
        except RuleError as error:
            if error.wrong is not Wrong.UNKNOWN_NAME:
                raise UserLineError(_text(error.rule), str(error)) from None
