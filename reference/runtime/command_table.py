"""The commands a node serves, with the facts that clients route by (COMMAND, arity, keys).

Everything a client may send is one row here; what has no row is an unknown command.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import attrs

from reference.clauses import clause
from reference.runtime.client_replies import ClientReply, SetReply
from reference.wire.resp import SimpleString

# Name, arity, flags, categories, tips ("request:" is request_policy, "response:" is
# response_policy), then one word for each key specification: first key / last key / step / flags,
# where the last key counts from the first, or from the end if it is negative, and "n" means that
# the first argument says how many keys follow it. "-" is nothing.
_NODE_ROWS: Final = """
ping -1 fast connection request:all_shards,response:all_succeeded
echo 2 loading,stale,fast connection -
quit -1 noscript,loading,stale,fast,no_auth,allow_busy connection -
hello -1 noscript,loading,stale,fast,no_auth,allow_busy connection -
select 2 loading,stale,fast connection -
asking 1 fast connection -
readonly 1 loading,stale,fast connection -
readwrite 1 loading,stale,fast connection -
info -1 loading,stale dangerous nondeterministic_output,request:all_shards,response:special
client -2 - - -
client|id 2 noscript,loading,stale connection -
client|getname 2 noscript,loading,stale connection -
client|setinfo 4 noscript,loading,stale connection -
client|setname 3 noscript,loading,stale connection -
command -1 loading,stale connection nondeterministic_output_order
command|count 2 loading,stale connection -
command|docs -2 loading,stale connection nondeterministic_output_order
command|getkeys -4 loading,stale connection -
command|info -2 loading,stale connection nondeterministic_output_order
command|list -2 loading,stale connection nondeterministic_output_order
config -2 - - -
config|get -3 admin,noscript,loading,stale admin,dangerous -
cluster -2 - - -
cluster|addslots -3 admin,stale,no_async_loading admin,dangerous -
cluster|addslotsrange -4 admin,stale,no_async_loading admin,dangerous -
cluster|countkeysinslot 3 stale - -
cluster|getkeysinslot 4 stale - nondeterministic_output
cluster|help 2 loading,stale - -
cluster|info 2 stale - nondeterministic_output
cluster|keyslot 3 stale - -
cluster|meet -4 admin,stale,no_async_loading admin,dangerous -
cluster|myid 2 stale - -
cluster|myshardid 2 loading,stale - -
cluster|nodes 2 stale - nondeterministic_output
cluster|replicas 3 admin,stale admin,dangerous nondeterministic_output
cluster|slaves 3 admin,stale admin,dangerous nondeterministic_output
cluster|replicate 3 admin,stale,no_async_loading admin,dangerous -
cluster|set-config-epoch 3 admin,stale,no_async_loading admin,dangerous -
cluster|shards 2 stale - nondeterministic_output
cluster|slots 2 stale - nondeterministic_output
"""

_DATA_ROWS: Final = """
get 2 readonly,fast string - 1/0/1/RO,access
set -3 write,denyoom string - 1/0/1/RW,access,update,variable_flags
del -2 write keyspace request:multi_shard,response:agg_sum 1/-1/1/RM,delete
exists -2 readonly,fast keyspace request:multi_shard,response:agg_sum 1/-1/1/RO
incr 2 write,denyoom,fast string - 1/0/1/RW,access,update
decr 2 write,denyoom,fast string - 1/0/1/RW,access,update
incrby 3 write,denyoom,fast string - 1/0/1/RW,access,update
decrby 3 write,denyoom,fast string - 1/0/1/RW,access,update
incrbyfloat 3 write,denyoom,fast string - 1/0/1/RW,access,update
append 3 write,denyoom,fast string - 1/0/1/RW,insert
strlen 2 readonly,fast string - 1/0/1/RO
getrange 4 readonly string - 1/0/1/RO,access
setrange 4 write,denyoom string - 1/0/1/RW,update
setnx 3 write,denyoom,fast string - 1/0/1/OW,insert
setex 4 write,denyoom string - 1/0/1/OW,update
psetex 4 write,denyoom string - 1/0/1/OW,update
getset 3 write,denyoom,fast string - 1/0/1/RW,access,update
getdel 2 write,fast string - 1/0/1/RW,access,delete
getex -2 write,fast string - 1/0/1/RW,access,update
mget -2 readonly,fast string request:multi_shard 1/-1/1/RO,access
mset -3 write,denyoom string request:multi_shard,response:all_succeeded 1/-1/2/OW,update
msetnx -3 write,denyoom string request:multi_shard,response:agg_min 1/-1/2/OW,insert
substr 4 readonly string - 1/0/1/RO,access
lcs -3 readonly string - 1/1/1/RO,access
unlink -2 write,fast keyspace request:multi_shard,response:agg_sum 1/-1/1/RM,delete
type 2 readonly,fast keyspace - 1/0/1/RO
expire -3 write,fast keyspace - 1/0/1/RW,update
pexpire -3 write,fast keyspace - 1/0/1/RW,update
expireat -3 write,fast keyspace - 1/0/1/RW,update
pexpireat -3 write,fast keyspace - 1/0/1/RW,update
expiretime 2 readonly,fast keyspace - 1/0/1/RO,access
pexpiretime 2 readonly,fast keyspace - 1/0/1/RO,access
persist 2 write,fast keyspace - 1/0/1/RW,update
ttl 2 readonly,fast keyspace nondeterministic_output 1/0/1/RO,access
pttl 2 readonly,fast keyspace nondeterministic_output 1/0/1/RO,access
rename 3 write keyspace - 1/0/1/RW,access,delete 2/0/1/OW,update
renamenx 3 write,fast keyspace - 1/0/1/RW,access,delete 2/0/1/OW,insert
hset -4 write,denyoom,fast hash - 1/0/1/RW,update
hsetnx 4 write,denyoom,fast hash - 1/0/1/RW,insert
hget 3 readonly,fast hash - 1/0/1/RO,access
hmset -4 write,denyoom,fast hash - 1/0/1/RW,update
hmget -3 readonly,fast hash - 1/0/1/RO,access
hgetall 2 readonly hash nondeterministic_output_order 1/0/1/RO,access
hdel -3 write,fast hash - 1/0/1/RW,delete
hexists 3 readonly,fast hash - 1/0/1/RO
hincrby 4 write,denyoom,fast hash - 1/0/1/RW,access,update
hincrbyfloat 4 write,denyoom,fast hash - 1/0/1/RW,access,update
hkeys 2 readonly hash nondeterministic_output_order 1/0/1/RO,access
hvals 2 readonly hash nondeterministic_output_order 1/0/1/RO,access
hlen 2 readonly,fast hash - 1/0/1/RO
hstrlen 3 readonly,fast hash - 1/0/1/RO
hscan -3 readonly hash nondeterministic_output 1/0/1/RO,access
lpush -3 write,denyoom,fast list - 1/0/1/RW,insert
rpush -3 write,denyoom,fast list - 1/0/1/RW,insert
lpushx -3 write,denyoom,fast list - 1/0/1/RW,insert
rpushx -3 write,denyoom,fast list - 1/0/1/RW,insert
lpop -2 write,fast list - 1/0/1/RW,access,delete
rpop -2 write,fast list - 1/0/1/RW,access,delete
llen 2 readonly,fast list - 1/0/1/RO
lindex 3 readonly list - 1/0/1/RO,access
lset 4 write,denyoom list - 1/0/1/RW,update
linsert 5 write,denyoom list - 1/0/1/RW,insert
lrange 4 readonly list - 1/0/1/RO,access
lrem 4 write list - 1/0/1/RW,delete
ltrim 4 write list - 1/0/1/RW,delete
lpos -3 readonly list - 1/0/1/RO,access
lmove 5 write,denyoom list - 1/0/1/RW,access,delete 2/0/1/RW,insert
rpoplpush 3 write,denyoom list - 1/0/1/RW,access,delete 2/0/1/RW,insert
lmpop -4 write list - 1/n/1/RW,access,delete
sadd -3 write,denyoom,fast set - 1/0/1/RW,insert
srem -3 write,fast set - 1/0/1/RW,delete
scard 2 readonly,fast set - 1/0/1/RO
sismember 3 readonly,fast set - 1/0/1/RO
smismember -3 readonly,fast set - 1/0/1/RO,access
smembers 2 readonly set nondeterministic_output_order 1/0/1/RO,access
spop -2 write,fast set nondeterministic_output 1/0/1/RW,access,delete
srandmember -2 readonly set nondeterministic_output 1/0/1/RO,access
smove 4 write,fast set - 1/0/1/RW,access,delete 2/0/1/RW,insert
sinter -2 readonly set nondeterministic_output_order 1/-1/1/RO,access
sinterstore -3 write,denyoom set - 1/0/1/RW,update 2/-1/1/RO,access
sunion -2 readonly set nondeterministic_output_order 1/-1/1/RO,access
sunionstore -3 write,denyoom set - 1/0/1/OW,update 2/-1/1/RO,access
sdiff -2 readonly set nondeterministic_output_order 1/-1/1/RO,access
sdiffstore -3 write,denyoom set - 1/0/1/OW,update 2/-1/1/RO,access
sscan -3 readonly set nondeterministic_output 1/0/1/RO,access
zadd -4 write,denyoom,fast sortedset - 1/0/1/RW,update
zrem -3 write,fast sortedset - 1/0/1/RW,delete
zcard 2 readonly,fast sortedset - 1/0/1/RO
zcount 4 readonly,fast sortedset - 1/0/1/RO,access
zscore 3 readonly,fast sortedset - 1/0/1/RO,access
zmscore -3 readonly,fast sortedset - 1/0/1/RO,access
zincrby 4 write,denyoom,fast sortedset - 1/0/1/RW,access,update
zrank 3 readonly,fast sortedset - 1/0/1/RO,access
zrevrank 3 readonly,fast sortedset - 1/0/1/RO,access
zrange -4 readonly sortedset - 1/0/1/RO,access
zrevrange -4 readonly sortedset - 1/0/1/RO,access
zrangebyscore -4 readonly sortedset - 1/0/1/RO,access
zrevrangebyscore -4 readonly sortedset - 1/0/1/RO,access
zrangebylex -4 readonly sortedset - 1/0/1/RO,access
zrevrangebylex -4 readonly sortedset - 1/0/1/RO,access
zlexcount 4 readonly,fast sortedset - 1/0/1/RO,access
zpopmin -2 write,fast sortedset - 1/0/1/RW,access,delete
zpopmax -2 write,fast sortedset - 1/0/1/RW,access,delete
zremrangebyrank 4 write sortedset - 1/0/1/RW,delete
zremrangebyscore 4 write sortedset - 1/0/1/RW,delete
zremrangebylex 4 write sortedset - 1/0/1/RW,delete
zscan -3 readonly sortedset nondeterministic_output 1/0/1/RO,access
zrangestore -5 write,denyoom sortedset - 1/0/1/OW,update 2/0/1/RO,access
zunion -3 readonly sortedset - 1/n/1/RO,access
zunionstore -4 write,denyoom sortedset - 1/0/1/OW,update 2/n/1/RO,access
zinter -3 readonly sortedset - 1/n/1/RO,access
zinterstore -4 write,denyoom sortedset - 1/0/1/OW,update 2/n/1/RO,access
zintercard -3 readonly sortedset - 1/n/1/RO,access
zdiff -3 readonly sortedset - 1/n/1/RO,access
zdiffstore -4 write,denyoom sortedset - 1/0/1/OW,update 2/n/1/RO,access
setbit 4 write,denyoom bitmap - 1/0/1/RW,access,update
getbit 3 readonly,fast bitmap - 1/0/1/RO,access
bitcount -2 readonly bitmap - 1/0/1/RO,access
bitpos -3 readonly bitmap - 1/0/1/RO,access
bitop -4 write,denyoom bitmap - 2/0/1/OW,update 3/-1/1/RO,access
bitfield -2 write,denyoom bitmap - 1/0/1/RW,access,update,variable_flags
pfadd -2 write,denyoom,fast hyperloglog - 1/0/1/RW,insert
pfcount -2 readonly hyperloglog - 1/-1/1/RW,access
pfmerge -2 write,denyoom hyperloglog - 1/0/1/RW,access,insert 2/-1/1/RO,access
xadd -5 write,denyoom,fast stream nondeterministic_output 1/0/1/RW,update
xlen 2 readonly,fast stream - 1/0/1/RO
xrange -4 readonly stream - 1/0/1/RO,access
xrevrange -4 readonly stream - 1/0/1/RO,access
xdel -3 write,fast stream - 1/0/1/RW,delete
xtrim -4 write stream nondeterministic_output 1/0/1/RW,delete
scan -2 readonly keyspace nondeterministic_output,request:special
keys 2 readonly keyspace,dangerous request:all_shards,nondeterministic_output_order
randomkey 1 readonly keyspace request:all_shards,nondeterministic_output
dbsize 1 readonly,fast keyspace request:all_shards,response:agg_sum
flushall -1 write keyspace,dangerous request:all_shards,response:all_succeeded
flushdb -1 write keyspace,dangerous request:all_shards,response:all_succeeded
time 1 loading,stale,fast - nondeterministic_output
"""


@attrs.frozen(kw_only=True)
class KeySpec:
    """Where keys stand in a request; argument 0 is the command's name (`keySpec`)."""

    first: int
    last: int | None  # from the first key, or from the end if negative; None: a number says it
    step: int
    flags: tuple[str, ...]

    def positions(self, arguments: Sequence[bytes]) -> range | None:
        """The positions of the keys, None if the request has none where it should."""
        if self.last is None:
            return self._counted(arguments)
        last = self.first + self.last if self.last >= 0 else len(arguments) + self.last
        if last < self.first or last >= len(arguments):
            return None
        return range(self.first, last + 1, self.step)

    def _counted(self, arguments: Sequence[bytes]) -> range | None:
        count = arguments[self.first] if self.first < len(arguments) else b""
        if not count.isdigit() or len(count) > len(b"%d" % len(arguments)):
            return None
        end = self.first + 1 + int(count)
        return range(self.first + 1, end) if self.first + 1 < end <= len(arguments) else None

    def describe(self) -> ClientReply:
        """The specification as COMMAND shows it."""
        found: dict[bytes | str, ClientReply] = {"lastkey": self.last, "keystep": self.step}
        kind, spec = "range", found | {"limit": 0}
        if self.last is None:
            kind, spec = "keynum", {"keynumidx": 0, "firstkey": 1, "keystep": self.step}
        return {
            "flags": SetReply([SimpleString(flag) for flag in self.flags]),
            "begin_search": {"type": "index", "spec": {"index": self.first}},
            "find_keys": {"type": kind, "spec": spec},
        }


@attrs.frozen(kw_only=True)
class CommandInfo:
    """What clients and the node itself know of a command (`redisCommand`)."""

    name: str  # a subcommand is called "cluster|info"
    arity: int  # with the name; negative: at least
    flags: tuple[str, ...]
    categories: tuple[str, ...]
    tips: tuple[str, ...]
    key_specs: tuple[KeySpec, ...]
    subcommands: tuple["CommandInfo", ...] = ()

    @property
    def writes(self) -> bool:
        """Whether it may change data."""
        return "write" in self.flags

    @property
    def legacy_range(self) -> tuple[int, int, int]:
        """First key, last key and step as one range; zeros if no range comes near.

        Counterpart: `populateCommandLegacyRangeSpec`.
        """
        ranges = [spec for spec in self.key_specs if spec.last is not None]
        if not ranges:
            return 0, 0, 0
        lasts = [
            spec.last + spec.first if spec.last >= 0 else spec.last
            for spec in ranges
            if spec.last is not None
        ]
        last = min(lasts) if min(lasts) < 0 else max(lasts)
        return ranges[0].first, last, ranges[0].step

    def takes(self, count: int) -> bool:
        """Whether a request of this many arguments, the name included, has the right number."""
        return count == self.arity if self.arity >= 0 else count >= -self.arity

    def describe(self) -> ClientReply:
        """The ten elements of a COMMAND reply. Counterpart: `addReplyCommandInfo`."""
        return [
            self.name,
            self.arity,
            SetReply([SimpleString(flag) for flag in self.flags]),
            *self.legacy_range,
            SetReply([SimpleString(f"@{category}") for category in self.categories]),
            SetReply(self.tips),
            SetReply([spec.describe() for spec in self.key_specs]),
            [subcommand.describe() for subcommand in self.subcommands],
        ]


def _words(column: str) -> tuple[str, ...]:
    return () if column == "-" else tuple(column.split(","))


def _key_spec(word: str) -> KeySpec:
    first, last, step, flags = word.split("/")
    return KeySpec(
        first=int(first),
        last=None if last == "n" else int(last),
        step=int(step),
        flags=_words(flags),
    )


def _tip(word: str) -> str:
    kind, colon, policy = word.partition(":")
    return f"{kind}_policy:{policy}" if colon else word


def _categories(group: tuple[str, ...], flags: tuple[str, ...]) -> tuple[str, ...]:
    """The categories of a row, with those that servers derive from the flags."""
    reads = ("read",) if "readonly" in flags else ()
    writes = ("write",) if "write" in flags else ()
    return (*group, *reads, *writes, "fast" if "fast" in flags else "slow")


def _command(row: str) -> CommandInfo:
    name, arity, flags_column, group, tips, *specs = row.split()
    flags = _words(flags_column)
    key_specs = tuple(_key_spec(word) for word in specs)
    movable = any(spec.last is None for spec in key_specs)
    return CommandInfo(
        name=name,
        arity=int(arity),
        flags=(*flags, "movablekeys") if movable else flags,
        categories=_categories(_words(group), flags),
        tips=tuple(_tip(word) for word in _words(tips)),
        key_specs=key_specs,
    )


def _commands(rows: str) -> Iterator[CommandInfo]:
    """The commands of the rows, each with the subcommands that have rows of their own."""
    parsed = [_command(row) for row in rows.splitlines() if row]
    for info in parsed:
        if "|" not in info.name:
            parts = [sub for sub in parsed if sub.name.startswith(f"{info.name}|")]
            yield attrs.evolve(info, subcommands=tuple(parts))


NODE_COMMANDS: Final = {info.name: info for info in _commands(_NODE_ROWS)}
"""What the node answers itself, by name."""

DATA_COMMANDS: Final = {info.name: info for info in _commands(_DATA_ROWS)}
"""What the keyspace answers, by name: the only commands that may ever reach it."""

COMMANDS: Final = NODE_COMMANDS | DATA_COMMANDS
"""Every command, by its lower-case name."""

SUBCOMMANDS: Final = {sub.name: sub for info in COMMANDS.values() for sub in info.subcommands}
"""Every subcommand, by its full lower-case name."""


def lookup(arguments: Sequence[bytes]) -> CommandInfo | None:
    """The command or subcommand of a request, None if there is none of that name.

    Counterpart: `lookupCommand`.
    """
    info = COMMANDS.get(_name(arguments[0]))
    if info is None or not info.subcommands or len(arguments) == 1:
        return info
    return SUBCOMMANDS.get(f"{info.name}|{_name(arguments[1])}")


def _name(argument: bytes) -> str:
    return argument.decode("latin-1").lower()


@clause("CM-10")
def keys_of(info: CommandInfo, arguments: Sequence[bytes]) -> tuple[bytes, ...] | None:
    """The keys in a request of this command, None if one of its parts is missing.

    A key that stands in two places is given twice. Counterpart: `getKeysFromCommand`.
    """
    keys: list[bytes] = []
    for spec in info.key_specs:
        positions = spec.positions(arguments)
        if positions is None:
            return None
        keys += [arguments[position] for position in positions]
    return tuple(keys)
