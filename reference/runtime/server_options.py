"""A configuration becomes the options of a node, or the error that servers tell."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs

from reference.clauses import clause
from reference.core.rules import DIALECTS
from reference.runtime.configuration.directives import (
    DirectiveError,
    with_addresses,
    with_value,
)
from reference.runtime.configuration.file import ConfigLine, ConfigLineError, config_lines
from reference.runtime.options import NodeOptions, OptionError, bus_port
from reference.runtime.users.users import UserLineError, check_user_line

_LARGEST_PORT: Final = 65535
_NEEDS_MORE: Final = frozenset({"loadmodule", "rename-command", "replicaof", "slaveof"})


class ConfigFileError(Exception):
    """A line that no node can be started with: its number, what it says, and why."""

    def __init__(self, line: ConfigLine, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason

    @property
    def told(self) -> str:
        """What stderr tells, in the form of the servers."""
        return (
            "\n*** FATAL CONFIG FILE ERROR (slotproof) ***\n"
            f"Reading the configuration file, at line {self.line.number}\n"
            f">>> '{self.line.text}'\n{self.reason}\n"
        )


@attrs.frozen(kw_only=True)
class _Start:
    """What has been read so far."""

    options: NodeOptions
    cluster_enabled: bool
    cluster_port: int = 0


@clause("RT-30", "RT-32")
def started_with(text: str, config_file: Path | None, *, cluster_enabled: bool) -> NodeOptions:
    """The options that the configuration says; a later line counts more than an earlier one.

    ConfigFileError for a line that is not understood, OptionError for a whole that cannot run,
    OSError for a file to include that cannot be read. Counterpart: `loadServerConfigFromString`.
    """
    lines = list(_with_included(config_lines(text)))
    start = _Start(
        options=NodeOptions(port=6379, cport=0, config_file=config_file and config_file.absolute()),
        cluster_enabled=cluster_enabled,
    )
    # The dialect decides which directives there are, wherever its line is.
    for line in sorted(lines, key=lambda line: not line.text.lower().startswith("dialect")):
        try:
            start = _read(start, line)
        except (DirectiveError, ConfigLineError) as error:
            raise ConfigFileError(line, str(error)) from None
    if not start.cluster_enabled:
        raise OptionError("only nodes of a cluster are served: cluster-enabled yes is needed")
    options = start.options
    if not options.port and not options.tls_port:
        raise OptionError("port 0 and no tls-port: a node without a port for clients is not served")
    base = options.tls_port if options.tls_cluster else options.port
    if not base and not start.cluster_port:
        other = "tls-port" if options.tls_cluster else "port"
        raise OptionError(f"{other} 0: the port of the bus follows from it, or cluster-port is")
    return attrs.evolve(options, cport=bus_port(base, start.cluster_port))


def _with_included(lines: Iterator[ConfigLine], depth: int = 0) -> Iterator[ConfigLine]:
    for line in lines:
        words = line.text.split()
        if words[0].lower() != "include":
            yield line
            continue
        named = _words(line)
        if len(named) != 2 or depth > 10:
            raise ConfigFileError(
                line, "wrong number of arguments, or files that include each other"
            )
        paths = sorted(Path().glob(named[1])) if "*" in named[1] else [Path(named[1])]
        for path in paths:
            yield from _with_included(config_lines(path.read_text(encoding="utf-8")), depth + 1)


def _words(line: ConfigLine) -> list[str]:
    try:
        return line.words
    except ConfigLineError as error:
        raise ConfigFileError(line, str(error)) from None


def _read(start: _Start, line: ConfigLine) -> _Start:
    name, *words = line.words
    name = name.lower()
    if name in _NEEDS_MORE:
        raise DirectiveError(f"{name} is not served by slotproof")
    if name == "dialect":
        return attrs.evolve(start, options=_with_dialect(start.options, words))
    if name == "user" and words:
        return attrs.evolve(start, options=_with_user(start.options, words))
    options = start.options
    if name == "save" and words not in ([], [""]):
        words = [*options.kept.get("save", "").split(), *words]  # each line adds to those before
    kept = with_value(options, name, words)
    if name not in _AT_START:
        return attrs.evolve(start, options=kept)
    return _decided(start, name, words)


@clause("US-8")
def _with_user(options: NodeOptions, words: list[str]) -> NodeOptions:
    """The options with one more user; what commands his rules name is looked at by the start."""
    name = words[0]
    if any(name == user[0] for user in options.users):
        twice = "Duplicate user found. A user can only be defined once in config files"
        raise DirectiveError(f"Error in user declaration '{name}': {twice}")
    try:
        check_user_line(options.dialect, words)
    except UserLineError as error:
        raise DirectiveError(f"Error in user declaration '{error.word}': {error.reason}") from None
    return attrs.evolve(options, users=(*options.users, tuple(words)))


def _decided(start: _Start, name: str, words: list[str]) -> _Start:
    """What has been read, with a directive that only the start acts upon."""
    options, text = start.options, " ".join(words)
    match name:
        case "cluster-enabled":
            return attrs.evolve(start, cluster_enabled=text.lower() == "yes")
        case "cluster-port":
            return attrs.evolve(start, cluster_port=int(text))
        case "port":
            return attrs.evolve(start, options=attrs.evolve(options, port=int(text)))
        case "bind":
            return attrs.evolve(start, options=with_addresses(options, words))
        case "dir":
            if not Path(text).is_dir():
                raise DirectiveError("No such file or directory")
            return attrs.evolve(start, options=attrs.evolve(options, directory=Path(text)))
        case _:
            return attrs.evolve(start, options=attrs.evolve(options, cluster_config_file=text))


_AT_START: Final = frozenset(
    {"bind", "cluster-config-file", "cluster-enabled", "cluster-port", "dir", "port"}
)


def _with_dialect(options: NodeOptions, words: list[str]) -> NodeOptions:
    if len(words) != 1 or words[0] not in DIALECTS:
        choices = ", ".join(sorted(DIALECTS))
        raise DirectiveError(f"argument(s) must be one of the following: {choices}")
    return attrs.evolve(options, dialect=words[0])
