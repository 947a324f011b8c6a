"""Commands for those who watch a node: OBJECT, MEMORY, SLOWLOG, LATENCY, and MONITOR."""

from collections.abc import Sequence
from typing import Final

from reference.clauses import clause
from reference.runtime.clients.arguments import CommandError, parse_integer
from reference.runtime.clients.session import Handlers, Session
from reference.runtime.configuration.directives import kept_text
from reference.runtime.data.effects import version_for
from reference.runtime.limits import OutputClass
from reference.runtime.replies import ClientReply, Verbatim
from reference.wire.rdb import RdbKey
from reference.wire.rdb_encode import format_value
from reference.wire.rdb_values import RdbHash, RdbList, RdbSet, RdbSortedSet, RdbString
from reference.wire.resp import OK, ErrorReply, SimpleString

_SYNTAX: Final = "ERR syntax error"
_OVERHEAD: Final = 56  # bytes of a key beside its name and value, about
_EMBEDDED: Final = 44  # bytes of a string that stands beside what describes it
_NO_LFU: Final = ErrorReply(
    "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that "
    "when switching between policies at runtime LRU and LFU data will take some time to adjust."
)
_LFU: Final = ErrorReply(
    "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when "
    "switching between policies at runtime LRU and LFU data will take some time to adjust."
)
_NO_LATENCIES: Final = "Latencies are not watched here."
_NO_ALLOCATOR: Final = "Memory is Python's here; no allocator tells of it."
_HELP: Final = {
    "object": (
        ("ENCODING <key>", "How the servers would keep the value."),
        ("FREQ <key>", "How often it is used; 0, it is not known here."),
        ("HELP", "Print these lines."),
        ("IDLETIME <key>", "How long it was not used; 0, it is not known here."),
        ("REFCOUNT <key>", "How many places refer to the value."),
    ),
    "module": (
        ("HELP", "Print these lines."),
        ("LIST", "The modules that are loaded: none ever is."),
    ),
    "memory": (
        ("DOCTOR", "What is wrong with the memory."),
        ("HELP", "Print these lines."),
        ("MALLOC-STATS", "What the allocator tells."),
        ("PURGE", "Give back what is not used."),
        ("STATS", "What the memory is used for, as far as it is known."),
        ("USAGE <key> [SAMPLES <count>]", "About how many bytes a key takes."),
    ),
    "slowlog": (
        ("GET [<count>]", "The newest requests that took long."),
        ("HELP", "Print these lines."),
        ("LEN", "How many there are."),
        ("RESET", "Forget them."),
    ),
    "latency": (
        ("DOCTOR", "What latencies there were."),
        ("HELP", "Print these lines."),
        ("HISTORY <event>", "Latencies of an event; none are watched."),
        ("LATEST", "The latest of each event; none are watched."),
        ("RESET [<event> ...]", "Forget them."),
    ),
}


def _help(_session: Session, arguments: list[bytes]) -> ClientReply:
    name = arguments[0].decode().lower()
    lines = [f"{name.upper()} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"]
    for usage, text in _HELP[name]:
        lines += [usage, f"    {text}"]
    return [SimpleString(line) for line in lines]


def _entry(session: Session, key: bytes) -> RdbKey | None:
    return session.service.keyspace.entry(key)


def _limit(session: Session, name: str, default: int) -> int:
    return int(session.node.options.kept.get(name, default))


def _is_integer(word: bytes) -> bool:
    try:
        parse_integer(word)
    except CommandError:
        return False
    return True


def _packed(session: Session, name: str, most: int, parts: Sequence[bytes], count: int) -> bool:
    """Whether so many elements, of these parts, fit into one piece of memory."""
    longest = _limit(session, f"{name}-max-listpack-value", 64)
    few = count <= _limit(session, f"{name}-max-listpack-entries", most)
    return few and all(len(part) <= longest for part in parts)


def _of_set(session: Session, members: frozenset[bytes]) -> str:
    few = len(members) <= _limit(session, "set-max-intset-entries", 512)
    if few and all(_is_integer(member) for member in members):
        return "intset"
    new = session.release.dialect != "redis-7.0"
    packed = new and _packed(session, "set", 128, tuple(members), len(members))
    return "listpack" if packed else "hashtable"


@clause("CM-100")
def encoding(session: Session, arguments: list[bytes]) -> ClientReply:
    """How servers keep such a value. Counterpart: `objectCommand`, `strEncoding`."""
    entry = _entry(session, arguments[2])
    match None if entry is None else entry.value:
        case None:
            return None
        case RdbString(value=word):
            if _is_integer(word):
                return "int"
            return "embstr" if len(word) <= _EMBEDDED else "raw"
        case RdbList(items=items):
            new = session.release.dialect != "redis-7.0"
            small = sum(len(each) + 2 for each in items) <= 8192
            return "listpack" if new and small else "quicklist"
        case RdbSet(members=members):
            return _of_set(session, members)
        case RdbSortedSet(scores=scores):
            names = tuple(member for member, _ in scores)
            return "listpack" if _packed(session, "zset", 128, names, len(scores)) else "skiplist"
        case RdbHash(pairs=pairs):
            words = tuple(word for pair in pairs for word in pair)
            return "listpack" if _packed(session, "hash", 512, words, len(pairs)) else "hashtable"
        case _:
            return "stream"


def _freq(session: Session, arguments: list[bytes]) -> ClientReply:
    if _entry(session, arguments[2]) is None:
        return None
    return 0 if _counts_uses(session) else _NO_LFU


def _idle_time(session: Session, arguments: list[bytes]) -> ClientReply:
    if _entry(session, arguments[2]) is None:
        return None
    return _LFU if _counts_uses(session) else 0


def _counts_uses(session: Session) -> bool:
    """Whether a policy is set by which servers count how often a key is used."""
    return kept_text(session.node.options, "maxmemory-policy").endswith("-lfu")


def _reference_count(session: Session, arguments: list[bytes]) -> ClientReply:
    return None if _entry(session, arguments[2]) is None else 1


@clause("CM-100")
def usage(session: Session, arguments: list[bytes]) -> ClientReply:
    """About how many bytes the key takes. Counterpart: `memoryCommand` (USAGE)."""
    options = arguments[3:]
    if options and (len(options) != 2 or options[0].upper() != b"SAMPLES"):
        return ErrorReply(_SYNTAX)
    if options and parse_integer(options[1]) < 0:
        return ErrorReply(_SYNTAX)
    entry = _entry(session, arguments[2])
    if entry is None:
        return None
    return _OVERHEAD + len(entry.key) + len(format_value(entry.value, version_for(entry))[1])


def _memory_stats(session: Session, _arguments: list[bytes]) -> ClientReply:
    keys = len(session.service.keyspace)
    links = sum(link.unsent for link in session.node.links())
    unsent = sum(each.outlet.unsent for each in session.service.sessions if each.outlet is not None)
    return {
        "peak.allocated": 0, "total.allocated": 0, "startup.allocated": 0,
        "replication.backlog": 0, "clients.slaves": 0, "clients.normal": unsent,
        "cluster.links": links, "aof.buffer": 0, "lua.caches": 0, "functions.caches": 0,
        "overhead.total": 0, "keys.count": keys, "keys.bytes-per-key": 0, "dataset.bytes": 0,
        "dataset.percentage": 0.0, "peak.percentage": 0.0, "fragmentation": 0.0,
        "fragmentation.bytes": 0, "allocator.allocated": 0, "allocator.active": 0,
        "allocator.resident": 0, "allocator-fragmentation.ratio": 0.0,
        "allocator-fragmentation.bytes": 0, "allocator-rss.ratio": 0.0,
        "allocator-rss.bytes": 0, "rss-overhead.ratio": 0.0, "rss-overhead.bytes": 0,
    }  # fmt: skip


def _memory_text(_session: Session, _arguments: list[bytes]) -> ClientReply:
    return Verbatim(_NO_ALLOCATOR)


def _ok(_session: Session, _arguments: list[bytes]) -> ClientReply:
    return OK


@clause("CM-99")
def slow_requests(session: Session, arguments: list[bytes]) -> ClientReply:
    """The newest requests that took long. Counterpart: `slowlogCommand` (GET)."""
    count = 10
    if len(arguments) > 2:
        error = "ERR count should be greater than or equal to -1"
        count = parse_integer(arguments[2], error)
        if count < -1:
            return ErrorReply(error)
    entries = list(session.service.stats.slow.entries)
    return [
        [e.number, e.at_s, e.spent_us, list(e.arguments), e.address, e.name]
        for e in (entries if count == -1 else entries[:count])
    ]


def _slow_count(session: Session, _arguments: list[bytes]) -> ClientReply:
    return len(session.service.stats.slow.entries)


def _slow_reset(session: Session, _arguments: list[bytes]) -> ClientReply:
    session.service.stats.slow.entries.clear()
    return OK


def _nothing(_session: Session, _arguments: list[bytes]) -> ClientReply:
    return []


def _none_forgotten(_session: Session, _arguments: list[bytes]) -> ClientReply:
    return 0


def _latency_doctor(_session: Session, _arguments: list[bytes]) -> ClientReply:
    return Verbatim(_NO_LATENCIES)


@clause("CM-101")
def monitor(session: Session, _arguments: list[bytes]) -> ClientReply:
    """The client hears every request from now on. Counterpart: `monitorCommand`."""
    monitors = session.service.monitors
    monitors.add(session)
    session.output_class = OutputClass.REPLICA
    session.at_end.append(lambda: monitors.discard(session))
    return OK


WATCHING_HANDLERS: Final[Handlers] = {
    **{f"{name}|help": _help for name in _HELP},
    "latency|doctor": _latency_doctor,
    "latency|history": _nothing,
    "latency|latest": _nothing,
    "latency|reset": _none_forgotten,
    "module|list": _nothing,
    "memory|doctor": _memory_text,
    "memory|malloc-stats": _memory_text,
    "memory|purge": _ok,
    "memory|stats": _memory_stats,
    "memory|usage": usage,
    "monitor": monitor,
    "object|encoding": encoding,
    "object|freq": _freq,
    "object|idletime": _idle_time,
    "object|refcount": _reference_count,
    "slowlog|get": slow_requests,
    "slowlog|len": _slow_count,
    "slowlog|reset": _slow_reset,
}
"""The handlers of this module by command."""
