"""Rules of users and requests by chance: what tests of users are made of."""

import random
from typing import Final

NAMES: Final = (
    "get", "set", "GET", "config", "config|get", "Config|Set", "acl", "acl|whoami", "select|0",
    "select|1", "select", "debug|sleep", "debug", "eval", "del", "mget", "publish", "object",
    "object|freq", "client", "client|list", "function", "function|load", "hset", "xadd", "sort",
    "foo", "config|foo", "config|", "get|x|y", "config|get|x", "latency", "bitfield", "swapdb",
)  # fmt: skip
KINDS: Final = (
    "all", "read", "write", "slow", "fast", "dangerous", "admin", "keyspace", "string",
    "scripting", "pubsub", "connection", "hash", "list", "blocking", "stream", "transaction",
    "READ", "foo",
)  # fmt: skip
KEYS: Final = (
    "~*", "~a*", "~b", "%R~a*", "%W~a*", "%RW~b", "%WR~c?", "%R~*", "%W~*", "~[ab]x", "~",
    "%R~x", "%~x", "%R", "%RR~x", "allkeys", "resetkeys", "resetkeys",
)  # fmt: skip
CHANNELS: Final = ("&*", "&a*", "&b", "&a?", "&", "allchannels", "resetchannels", "resetchannels")
OTHERS: Final = (
    "on", "off", "nopass", "resetpass", ">pw", ">x", "<pw", "<x", "#" + "a" * 64,
    "!" + "a" * 64, "#zz", "reset", "clearselectors", "sanitize-payload",
    "skip-sanitize-payload", "", "bogus", "+", "-", "@read", "+@", "ALLKEYS", "On", "(+get",
    "~x)",
)  # fmt: skip
DATABASES: Final = ("alldbs", "resetdbs", "db=0", "db=1", "db=0,5", "db=x", "db=-1")
REQUESTS: Final = tuple(
    line.replace('""', "").split(" ")
    for line in (
        "GET a1", "GET b", "SET a1 1", "SET a1 1 GET", "SET b 1", "DEL a b", "MGET a b c1",
        "CONFIG GET x", "CONFIG SET a b", "SELECT 0", "SELECT 1", "ACL WHOAMI", "ACL LIST",
        "PUBLISH a x", "PUBLISH b x", "SPUBLISH a x", "SUBSCRIBE a b", "PSUBSCRIBE a*",
        "PSUBSCRIBE a? b", "SSUBSCRIBE c", "UNSUBSCRIBE x", "PING", "AUTH x", "HELLO",
        "EVAL x 1 a", "EVAL x 0", "EVAL x 2 a bx", "SORT a STORE b", "SORT b",
        "SORT a STORE b STORE c1", "BITFIELD a GET u8 0", "BITFIELD a SET u8 0 1",
        "BITFIELD a OVERFLOW SAT GET u8 0", "GEORADIUS a 1 1 1 m STORE b",
        "XREAD STREAMS a b 0 0", "XREADGROUP GROUP g c STREAMS a 0", "ZUNIONSTORE a 2 b c1",
        "ZUNIONSTORE a 9 b c1", "ZUNION 2 a b", "LMPOP 1 a LEFT", "COPY a b", "RENAME a b",
        "EXISTS a", "EXISTS ax bx", "MIGRATE h 1 a 0 1", 'MIGRATE h 1 "" 0 1 KEYS a b',
        "MIGRATE h 1 a 0 1 KEYS b", "OBJECT FREQ a", "OBJECT HELP", "DBSIZE", "KEYS *",
        "FLUSHALL", "CLIENT LIST", "DEBUG sleep 0", "WATCH a b", "GETEX a", "PFCOUNT a b",
        "PFMERGE a b", "BITOP AND a b c1", "SMOVE a b x", "LMOVE a b LEFT LEFT",
        "MEMORY USAGE a", "TOUCH a b", "EVAL_RO x 1 a", "BLPOP a b 0", "MULTI", "EXEC", "INFO",
        "CLUSTER INFO", "MSET a 1 b 2", "LCS a b", "SCAN 0", "GET", "NOSUCH x",
    )
)  # fmt: skip


def rule(chance: random.Random, *, inner: bool = False) -> str:
    """A rule, right or wrong; one that may stand in parentheses if `inner`."""
    kind = chance.random()
    if kind < 0.3:
        return chance.choice("+-") + chance.choice(NAMES)
    if kind < 0.5:
        return chance.choice("+-") + "@" + chance.choice(KINDS)
    if kind < 0.7:
        return chance.choice(KEYS)
    if kind < 0.8:
        return chance.choice(CHANNELS)
    if kind < 0.83:
        return chance.choice(DATABASES)
    if inner:
        return chance.choice(KEYS + CHANNELS)
    if kind < 0.93:
        return chance.choice(OTHERS)
    return f"({' '.join(rule(chance, inner=True) for _ in range(chance.randint(0, 4)))})"


def rules(chance: random.Random) -> list[str]:
    """Some rules."""
    return [rule(chance) for _ in range(chance.randint(1, 5))]
