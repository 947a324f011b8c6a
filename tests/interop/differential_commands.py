"""The commands that both nodes are asked, as strategies."""

from typing import Final

from hypothesis import strategies as st

from tests.interop.differential import IDS

Words = tuple[str, ...]

SLOTS: Final = ("0", "1", "99", "100", "150", "3300", "5061", "12182", "15495", "16383")
"""5061 is the slot of bar, 15495 of a, 3300 of b, 12182 of foo; the peers own some of them."""

_KEYS: Final = ("{a}1", "{a}2", "{bar}1", "{bar}2", "{b}1", "{foo}1", "{foo}2")

slots = st.sampled_from([*SLOTS, *SLOTS, "16384", "-1", "x", "01", ""])
nodes = st.sampled_from([*IDS, *IDS, *IDS, "x", ""])
keys = st.sampled_from(_KEYS)
numbers = st.sampled_from(["0", "1", "2", "5", "10", "-1", "x", "99999999999999999999"])


def _command(*parts: "str | st.SearchStrategy[str]") -> st.SearchStrategy[Words]:
    return st.tuples(*(st.just(part) if isinstance(part, str) else part for part in parts))


def _list(
    prefix: Words, part: st.SearchStrategy[str], least: int = 0, most: int = 4
) -> st.SearchStrategy[Words]:
    return st.lists(part, min_size=least, max_size=most).map(lambda tail: (*prefix, *tail))


def _ranges(name: str) -> st.SearchStrategy[Words]:
    spans = st.lists(st.tuples(slots, slots), min_size=1, max_size=3)
    return spans.map(lambda pairs: ("CLUSTER", name, *(word for pair in pairs for word in pair)))


_opening = st.sampled_from(["MIGRATING", "IMPORTING", "NODE", "migrating", "node"])

CHANGES: Final = st.one_of(
    _list(("CLUSTER", "ADDSLOTS"), slots),
    _list(("CLUSTER", "DELSLOTS"), slots),
    _ranges("ADDSLOTSRANGE"),
    _ranges("DELSLOTSRANGE"),
    _list(("CLUSTER", "ADDSLOTSRANGE"), slots, most=5),
    _command("CLUSTER", "SETSLOT", slots, _opening, nodes),
    _command("CLUSTER", "SETSLOT", slots, _opening, nodes),
    _command("CLUSTER", "SETSLOT", st.sampled_from(SLOTS), _opening, st.sampled_from([*IDS])),
    _command("CLUSTER", "SETSLOT", slots, "STABLE"),
    _list(
        ("CLUSTER", "SETSLOT"),
        st.sampled_from(
            ["0", "99", "STABLE", "NODE", "MIGRATING", "$other", "$myself", "TIMEOUT", "5", "-1"]
        ),
        most=6,
    ),
    _command("CLUSTER", "FLUSHSLOTS"),
    _command("CLUSTER", "BUMPEPOCH"),
    _command("CLUSTER", "SAVECONFIG"),
    _command("CLUSTER", "SET-CONFIG-EPOCH", numbers),
    _command("CLUSTER", "REPLICATE", nodes),
    _command("CLUSTER", "REPLICATE", "NO", st.sampled_from(["ONE", "one", "x"])),
    _command("CLUSTER", "FORGET", nodes),
    _list(("CLUSTER", "FAILOVER"), st.sampled_from(["FORCE", "TAKEOVER", "takeover", "x"]), most=2),
    _list(("CLUSTER", "RESET"), st.sampled_from(["HARD", "soft", "SOFT", "x"]), most=2),
    _list(("CLUSTER", "FLUSHSLOT"), st.sampled_from(["99", "5061", "ASYNC", "sync", "x"]), most=3),
)
"""What may change the cluster."""

QUESTIONS: Final = st.one_of(
    _command("CLUSTER", "COUNTKEYSINSLOT", slots),
    _command("CLUSTER", "GETKEYSINSLOT", slots, st.sampled_from(["0", "1", "-1", "x"])),
    _command("CLUSTER", "COUNT-FAILURE-REPORTS", nodes),
    _command("CLUSTER", st.sampled_from(["REPLICAS", "SLAVES"]), st.just("x")),
    _command("CLUSTER", "KEYSLOT", keys),
    _command("CLUSTER", "MYID"),
    _command("CLUSTER", "MYSHARDID"),
    _command("CLUSTER", "SLOT-STATS", "SLOTSRANGE", slots, slots),
    _list(
        ("CLUSTER", "SLOT-STATS", "ORDERBY"),
        st.sampled_from(["KEY-COUNT", "LIMIT", "1", "0", "ASC", "desc", "x"]),
        most=6,
    ),
    _command("CLUSTER", "MEET", st.sampled_from(["x", "127.1", "127.0.0.1"]), numbers, numbers),
    _list(("CLUSTER", "MEET"), numbers, most=4),
    _list(
        ("CLUSTER",),
        st.sampled_from(["FOO", "INFO", "NODES", "x", "BUMPEPOCH", "MYID", "LINKS", "SHARDS"]),
        least=2,
        most=4,
    ),
)
"""What changes nothing."""

DATA: Final = st.one_of(
    _command("SET", keys, st.sampled_from(["1", "2"])),
    _command("SET", st.sampled_from(["{a}1", "{a}2", "{bar}1"]), "1"),
    _command("GET", keys),
    _list(("DEL",), keys, least=1, most=2),
    _list(("MGET",), keys, least=1, most=3),
    _list(("EXISTS",), keys),
    _command("ASKING"),
    _command("ASKING"),
    _command("READONLY"),
    _command("READWRITE"),
    _command("MULTI"),
    _command("EXEC"),
    _command("EXEC"),
    _command("DISCARD"),
    _list(("WATCH",), keys, least=1, most=2),
    _command("UNWATCH"),
    _command("DBSIZE"),
    _command("FLUSHALL"),
)
"""What clients ask, and how they are sent elsewhere."""

_YES_OR_NO: Final = st.sampled_from(["yes", "no", "YES", "x"])

CONFIGURATION: Final = st.one_of(
    _command(
        "CONFIG",
        "SET",
        st.sampled_from(
            [
                "cluster-allow-reads-when-down",
                "cluster-allow-replica-migration",
                "cluster-replica-no-failover",
                "cluster-slave-no-failover",
                "cluster-nonsense",
            ]
        ),
        _YES_OR_NO,
    ),
    _command(
        "CONFIG",
        "SET",
        st.sampled_from(["cluster-migration-barrier", "cluster-replica-validity-factor"]),
        numbers,
    ),
    _command(
        "CONFIG", "SET", "cluster-announce-hostname", st.sampled_from(["", "h1.x", "a_b", "h 2"])
    ),
    _command(
        "CONFIG",
        "SET",
        "cluster-preferred-endpoint-type",
        st.sampled_from(["ip", "hostname", "unknown-endpoint", "x"]),
    ),
    _command("CONFIG", "SET", "cluster-announce-port", st.sampled_from(["7001", "7009", "70000"])),
    _command("CONFIG", "SET", "cluster-announce-human-nodename", st.sampled_from(["n1", "n 1"])),
    _command("CONFIG", "SET", "cluster-announce-client-ipv4", st.sampled_from(["10.9.8.7", "x"])),
    _command("CONFIG", "GET", "cluster-replica-no-failover"),
)
"""What operators configure."""

_DESTINATIONS: Final = st.sampled_from(["$other", "$empty", "$replica"])
_READS: Final = (("GET", "{k}1"), ("GET", "{k}2"), ("MGET", "{k}1", "{k}2"), ("EXISTS", "{k}1"))


def _stories(tag: str, slot: str) -> st.SearchStrategy[list[Words]]:
    """A slot on its way, with what its clients ask meanwhile."""
    asked = st.lists(st.sampled_from(_READS), min_size=1, max_size=3)
    before = st.sampled_from([[], [("SET", "{k}1", "1")], [("ASKING",), ("SET", "{k}2", "1")]])
    opened = st.builds(
        lambda way, node: ("CLUSTER", "SETSLOT", slot, way, node),
        st.sampled_from(["MIGRATING", "IMPORTING"]),
        _DESTINATIONS,
    )
    closed = st.builds(
        lambda node: ("CLUSTER", "SETSLOT", slot, "NODE", node),
        st.sampled_from(["$myself", "$other", "$empty"]),
    )
    asking = st.sampled_from([(), (("ASKING",),), (("READONLY",),), (("MULTI",),)])
    ended = st.sampled_from([(), (("EXEC",),), (("DEL", "{k}1", "{k}2"),)])

    def story(
        first: list[Words], way: Words, said: Words, reads: list[Words], last: Words, end: Words
    ) -> list[Words]:
        words = [*first, way]
        for read in reads:
            words += [*said, read]  # type: ignore[list-item]
        told = [*words, *end, last]
        return [tuple(word.replace("{k}", f"{{{tag}}}") for word in each) for each in told]

    return st.builds(story, before, opened, asking, asked, closed, ended)


STORIES: Final = st.one_of(
    _stories("a", "15495"), _stories("bar", "5061"), _stories("b", "3300"), _stories("foo", "12182")
)
"""Commands in an order that makes sense."""

COMMANDS: Final = st.one_of(CHANGES, CHANGES, DATA, DATA, QUESTIONS, CONFIGURATION)
