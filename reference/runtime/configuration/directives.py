"""The directives of the configuration: their names, their values as text, and what is refused."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import attrs

from reference.clauses import clause
from reference.runtime.configuration.kept_directives import kept_directives, main_name
from reference.runtime.options import ANY_ADDRESS, LOOPBACK, NodeOptions
from reference.wire.texts import is_aux_value, is_ipv4, is_ipv6, is_word

_LARGEST: Final = 2**63 - 1
_LARGEST_INT: Final = 2**31 - 1
_LONGEST_NAME: Final = 255
_HOSTNAME: Final = re.compile(r"[A-Za-z0-9.-]*")
_NUMBER: Final = re.compile(r"0|-?[1-9][0-9]{0,18}")
_ENDPOINTS: Final = ("ip", "hostname", "unknown-endpoint")

_ALL: Final = frozenset({"redis-7.0", "redis-8.0", "valkey-8.1", "valkey-9.1"})
_AFTER_7_0: Final = _ALL - {"redis-7.0"}
_VALKEY: Final = frozenset({"valkey-8.1", "valkey-9.1"})
_VALKEY_9: Final = frozenset({"valkey-9.1"})


class DirectiveError(Exception):
    """Why a directive cannot have this value."""


Read = Callable[[str], Any]
"""A value out of its text; DirectiveError if it is none."""


@attrs.frozen(kw_only=True)
class Directive:
    """One directive that can be changed while the node runs (`standardConfig`)."""

    name: str
    option: str  # the field of NodeOptions
    read: Read
    help: str
    alias: str | None = None
    dialects: frozenset[str] = _ALL

    def text(self, options: NodeOptions) -> str:
        """The present value as CONFIG GET shows it."""
        value = getattr(options, self.option)
        return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _yes_or_no(text: str) -> bool:
    if text.lower() not in ("yes", "no"):
        raise DirectiveError("argument must be 'yes' or 'no'")
    return text.lower() == "yes"


def _integer(least: int, largest: int) -> Read:
    def read(text: str) -> int:
        if not _NUMBER.fullmatch(text):
            raise DirectiveError("argument couldn't be parsed into an integer")
        if not least <= int(text) <= largest:
            raise DirectiveError(f"argument must be between {least} and {largest} inclusive")
        return int(text)

    return read


def _hostname(text: str) -> str:
    if len(text) > _LONGEST_NAME:
        raise DirectiveError("Hostnames must be less than 256 characters")
    if not _HOSTNAME.fullmatch(text):
        raise DirectiveError("Hostnames may only contain alphanumeric characters, hyphens or dots")
    return text


def _nodename(text: str) -> str:
    if not is_aux_value(text):
        raise DirectiveError("Announced human node name contained invalid character")
    return text


def _zone(text: str) -> str:
    if not is_aux_value(text):
        raise DirectiveError("availability-zone contains invalid character")
    return text


def _ip(text: str) -> str:
    if not is_word(text) or not is_aux_value(text):
        raise DirectiveError("cluster-announce-ip contains invalid character")
    return text


def _ipv4(text: str) -> str:
    if text and not is_ipv4(text):
        raise DirectiveError("Invalid IPv4 address")
    return text


def _ipv6(text: str) -> str:
    if text and not is_ipv6(text):
        raise DirectiveError("Invalid IPv6 address")
    return text


def _endpoint(text: str) -> str:
    if text.lower() not in _ENDPOINTS:
        choices = ", ".join(_ENDPOINTS)
        raise DirectiveError(f"argument(s) must be one of the following: {choices}")
    return text.lower()


_port = _integer(0, 65535)


def _row(
    name: str, option: str, read: Read, help_text: str, dialects: frozenset[str] = _ALL
) -> Directive:
    alias = name.replace("replica", "slave") if name.startswith("cluster-replica") else None
    return Directive(
        name=name, option=option, read=read, help=help_text, alias=alias, dialects=dialects
    )


DIRECTIVES: Final = (
    _row("availability-zone", "availability_zone", _zone,
         "Where the node stands, for clients.", _VALKEY_9),
    _row("cluster-allow-pubsubshard-when-down", "allow_pubsubshard_when_down", _yes_or_no,
         "yes: sharded publish and subscribe while the cluster is down."),
    _row("cluster-allow-reads-when-down", "allow_reads_when_down", _yes_or_no,
         "yes: clients may read while the cluster is down."),
    _row("cluster-allow-replica-migration", "allow_replica_migration", _yes_or_no,
         "no: the node stays with its master, and a master without slots a master."),
    _row("cluster-announce-bus-port", "announce_bus_port", _port,
         "At which port others find the bus."),
    _row("cluster-announce-client-ipv4", "announce_client_ipv4", _ipv4,
         "Where clients find the node, if not where others do.", _VALKEY),
    _row("cluster-announce-client-ipv6", "announce_client_ipv6", _ipv6,
         "The same for clients with IPv6.", _VALKEY),
    _row("cluster-announce-client-port", "announce_client_port", _port,
         "At which port clients find the node.", _VALKEY_9),
    _row("cluster-announce-client-tls-port", "announce_client_tls_port", _port,
         "The same for clients with TLS.", _VALKEY_9),
    _row("cluster-announce-hostname", "announce_hostname", _hostname,
         "The host name that clients are told."),
    _row("cluster-announce-human-nodename", "announce_human_nodename", _nodename,
         "What logs call the node.", _AFTER_7_0),
    _row("cluster-announce-ip", "announce_ip", _ip, "Where others find the node."),
    _row("cluster-announce-port", "announce_port", _port,
         "At which port clients find the node."),
    _row("cluster-blacklist-ttl", "blacklist_ttl_s", _integer(0, _LARGEST),
         "For how many seconds a forgotten node is not learnt again.", _VALKEY),
    _row("cluster-manual-failover-timeout", "manual_failover_timeout_ms",
         _integer(1, _LARGEST_INT), "How long a manual failover may take, in ms.", _VALKEY),
    _row("cluster-message-gossip-perc", "gossip_percent", _integer(1, 100),
         "Of what part of the table a heartbeat speaks, in percent.", _VALKEY_9),
    _row("cluster-migration-barrier", "migration_barrier", _integer(0, _LARGEST_INT),
         "How many working replicas a master keeps when one leaves it."),
    _row("cluster-node-timeout", "node_timeout_ms", _integer(0, _LARGEST),
         "How long a node may be silent, in ms."),
    _row("cluster-ping-interval", "ping_interval_ms", _integer(0, _LARGEST),
         "How old a PONG may get, in ms; 0 for half of the node timeout.", _AFTER_7_0),
    _row("cluster-preferred-endpoint-type", "preferred_endpoint_type", _endpoint,
         "How clients are told of nodes: ip, hostname or unknown-endpoint."),
    _row("cluster-replica-no-failover", "replica_no_failover", _yes_or_no,
         "yes: the node never stands for election by itself."),
    _row("cluster-replica-validity-factor", "replica_validity_factor",
         _integer(0, _LARGEST_INT), "How many node timeouts old a candidate's data may be."),
    _row("cluster-require-full-coverage", "require_full_coverage", _yes_or_no,
         "no: slots are served while others are not."),
)  # fmt: skip
"""All of them, in the order of their names."""


def directives_of(dialect: str) -> Iterator[tuple[str, Directive]]:
    """The names and aliases that the dialect knows, with their directives."""
    known = dialect if dialect in _ALL else "valkey-9.1"
    for directive in DIRECTIVES:
        if known in directive.dialects:
            yield directive.name, directive
            if directive.alias is not None:
                yield directive.alias, directive


PLACES: Final = frozenset({"bind", "port", "tls-port"})
"""Where clients find the node."""

_FIXED_HERE: Final = frozenset({"tls-cluster"})
"""Servers change them while they run."""


def _fixed(options: NodeOptions) -> dict[str, str]:
    """What is decided at the start and acted upon."""
    return {
        "bind": " ".join(options.addresses),
        "cluster-config-file": options.cluster_config_file,
        "cluster-enabled": "yes",
        "cluster-port": str(options.cport),
        "dir": str(options.directory.absolute()),
        "port": str(options.port),
    }


def values(options: NodeOptions) -> Mapping[str, str]:
    """Every directive with its present value, by name."""
    known = kept_directives(options.dialect)
    kept = {name: kept_text(options, name) for name in known}
    return (
        kept
        | _fixed(options)
        | {name: directive.text(options) for name, directive in directives_of(options.dialect)}
    )


def kept_text(options: NodeOptions, name: str) -> str:
    """The value of a directive that has no effect here: as it was given, else the default."""
    main = main_name(options.dialect, name)
    if main == "save":  # nothing is saved unless somebody asks for it, and then it is only shown
        return options.kept.get(main, "")
    known = kept_directives(options.dialect)
    return options.kept.get(main, known[name].default)


def given_names(options: NodeOptions) -> set[str]:
    """The names of the directives whose values are not the defaults."""
    default = NodeOptions(port=options.port, cport=options.cport)
    live = {
        directive.name
        for directive in DIRECTIVES
        if getattr(options, directive.option) != getattr(default, directive.option)
    }
    return live | set(options.kept)


def is_hidden(options: NodeOptions, name: str) -> bool:
    """Whether it is shown only to those who name it."""
    directive = kept_directives(options.dialect).get(name)
    return directive is not None and directive.hidden


@clause("CM-41", "CM-D3")
def configured(options: NodeOptions, pairs: Sequence[tuple[str, str]]) -> NodeOptions:
    """The options with all these values, or DirectiveError with the text of the servers.

    Counterpart: `configSetCommand`.
    """
    before, chosen = options, dict[str, str]()
    for given, text in pairs:
        name = given.lower()
        _check_changeable(options, name, given)
        if name in chosen:
            raise _refused(name, "duplicate parameter")
        chosen[name] = text
    for name, text in chosen.items():
        try:
            options = with_value(options, name, [text])
        except DirectiveError as error:
            raise _refused(name, str(error)) from None
    if "bind" in chosen:
        return attrs.evolve(options, bus_bind=before.bus_bind or before.bind)
    return options


def _check_changeable(options: NodeOptions, name: str, given: str) -> None:
    if name in dict(directives_of(options.dialect)):
        return
    kept = kept_directives(options.dialect).get(name)
    if kept is not None and kept.protected:
        raise _refused(name, "can't set protected config")
    fixed = (_FIXED_HERE | set(_fixed(options))) - PLACES
    if name in fixed or (kept is not None and kept.fixed):
        raise _refused(name, "can't set immutable config")
    if kept is None:
        unknown = "Unknown option or number of arguments for CONFIG SET"
        raise DirectiveError(f"{unknown} - '{given}'")


@clause("RT-30")
def with_value(options: NodeOptions, name: str, words: list[str]) -> NodeOptions:
    """The options with this value; DirectiveError if it is none of the directive."""
    directive = dict(directives_of(options.dialect)).get(name)
    if directive is not None:
        if len(words) != 1:
            raise DirectiveError("wrong number of arguments")
        return attrs.evolve(options, **{directive.option: directive.read(words[0])})
    if name == "bind":
        return with_addresses(options, words)
    kept = kept_directives(options.dialect).get(name)
    if kept is None:
        raise DirectiveError("Bad directive or wrong number of arguments")
    try:
        text = kept.text(words)
    except ValueError as error:
        raise DirectiveError(str(error)) from None
    if name == "save" and not _is_save(text):
        raise DirectiveError("Invalid save parameters")
    if name == "port":
        return attrs.evolve(options, port=int(text))
    return attrs.evolve(options, kept={**options.kept, main_name(options.dialect, name): text})


_EVERYWHERE: Final = {"*": min(ANY_ADDRESS), "::*": max(ANY_ADDRESS)}


@clause("RT-35")
def with_addresses(options: NodeOptions, words: list[str]) -> NodeOptions:
    """The options with these addresses to listen on; the first without a dash is the node's own.

    DirectiveError if there is none.
    """
    addresses = [_address(part) for word in words for part in word.split()]
    own = next((each for each in addresses if not each.startswith("-")), None)
    own = addresses[0] if own is None and addresses else own
    if not own or not own.removeprefix("-"):
        raise DirectiveError("an address to listen on is needed")
    left_out = ("-", own, f"-{own}")
    others = tuple(each for each in dict.fromkeys(addresses) if each not in left_out)
    return attrs.evolve(options, bind=own.removeprefix("-"), also_bind=others)


def _address(word: str) -> str:
    dash, address = ("-", word[1:]) if word.startswith("-") else ("", word)
    named = LOOPBACK if address == "localhost" else _EVERYWHERE.get(address, address)
    return f"{dash}{named}"


def _is_save(text: str) -> bool:
    """Whether it has pairs of seconds and changes, or none."""
    words = text.split()
    return len(words) % 2 == 0 and all(word.isascii() and word.isdigit() for word in words)


def _refused(name: str, reason: str) -> DirectiveError:
    return DirectiveError(f"CONFIG SET failed (possibly related to argument '{name}') - {reason}")
