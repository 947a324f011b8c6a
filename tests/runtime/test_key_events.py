"""What happens to keys is told by the names that servers have for it.

The events are those of Redis 7.0.15, taken from a running server.

Clauses: CM-120.
"""

import re

import pytest

from reference.core.rules import REDIS_7_0
from reference.runtime.data.keyspace import Keyspace
from reference.runtime.replies import ClientReply
from tests.runtime.room import Room

_STORY = """
SET @k 1 -> k:set
SET @k 2 EX 100 -> k:set k:expire
SET @k 2 GET -> k:set
SETNX @n 1 -> n:set
SETNX @n 2 ->
SETEX @e 10 v -> e:set e:expire
PSETEX @e 10000 v -> e:set e:expire
MSET @ka 1 @kb 2 -> ka:set kb:set
MSETNX @kc 1 @kd 2 -> kc:set kd:set
MSETNX @kc 1 @ke 2 ->
APPEND @k x -> k:append
SETRANGE @k 1 yy -> k:setrange
GETSET @k 9 -> k:set
INCR @k -> k:incrby
DECRBY @k 3 -> k:incrby
INCRBYFLOAT @k 1.5 -> k:incrbyfloat
GETDEL @k -> k:del
GETDEL @k ->
SETBIT @b 3 1 -> b:setbit
BITFIELD @b SET u8 0 7 -> b:setbit
BITFIELD @b GET u8 0 ->
BITOP OR @b2 @b @b -> b2:set
BITOP AND @b2 @bnone @bnone -> b2:del
GETEX @e EX 50 -> e:expire
GETEX @e PERSIST -> e:persist
GETEX @e ->
EXPIRE @e 100 -> e:expire
EXPIRE @e 100 NX ->
PEXPIREAT @e 9999999999999 -> e:expire
PERSIST @e -> e:persist
PERSIST @e ->
EXPIRE @e -1 -> e:del
SET @e 1 -> e:set
EXPIREAT @e 5 -> e:del
DEL @ka @kb @kzz -> ka:del kb:del
UNLINK @kc -> kc:del
RPUSH @l a b c d -> l:rpush
LPUSH @l z -> l:lpush
LPUSHX @l y -> l:lpush
RPUSHX @nol y ->
LINSERT @l BEFORE a q -> l:linsert
LSET @l 0 w -> l:lset
LREM @l 0 q -> l:lrem
LREM @l 0 nothing ->
LTRIM @l 0 3 -> l:ltrim
LPOP @l -> l:lpop
RPOP @l 2 -> l:rpop
LMOVE @l @l2 LEFT RIGHT -> l2:rpush l:lpop l:del
RPOPLPUSH @l2 @l2 -> l2:lpush l2:rpop
LMPOP 1 @l2 LEFT -> l2:lpop l2:del
RPUSH @l a b -> l:rpush
LMPOP 1 @l RIGHT COUNT 10 -> l:rpop l:del
HSET @h a 1 b 2 -> h:hset
HSET @h a 1 -> h:hset
HMSET @h c 3 -> h:hset
HSETNX @h d 4 -> h:hset
HSETNX @h d 4 ->
HINCRBY @h a 2 -> h:hincrby
HINCRBYFLOAT @h a 1.5 -> h:hincrbyfloat
HDEL @h a -> h:hdel
HDEL @h b c d -> h:hdel h:del
SADD @s a b c -> s:sadd
SADD @s a ->
SREM @s a -> s:srem
SMOVE @s @s2 b -> s:srem s2:sadd
SMOVE @s @s2 c -> s:srem s:del s2:sadd
SPOP @s2 -> s2:spop
SPOP @s2 5 -> s2:spop s2:del
SADD @s a b -> s:sadd
SADD @s2 b -> s2:sadd
SINTERSTORE @s3 @s @s2 -> s3:sinterstore
SUNIONSTORE @s3 @s @s2 -> s3:sunionstore
SDIFFSTORE @s3 @s2 @s -> s3:del
SDIFFSTORE @s3 @s2 @s ->
ZADD @z 1 a 2 b 3 c -> z:zadd
ZADD @z 1 a ->
ZADD @z XX CH 5 a -> z:zadd
ZADD @z INCR 2 a -> z:zincr
ZINCRBY @z 1 a -> z:zincr
ZREM @z a -> z:zrem
ZREMRANGEBYSCORE @z 0 1 ->
ZREMRANGEBYRANK @z 0 0 -> z:zremrangebyrank
ZADD @z 1 a 2 b 3 c 4 d -> z:zadd
ZREMRANGEBYLEX @z [a [b -> z:zremrangebylex
ZPOPMIN @z -> z:zpopmin
ZPOPMAX @z -> z:zpopmax z:del
ZADD @z 1 a 2 b -> z:zadd
ZMPOP 1 @z MIN COUNT 5 -> z:zpopmin z:del
ZADD @z 1 a 2 b -> z:zadd
ZUNIONSTORE @z2 1 @z -> z2:zunionstore
ZINTERSTORE @z2 2 @z @znone -> z2:del
ZDIFFSTORE @z2 1 @z -> z2:zdiffstore
ZRANGESTORE @z3 @z 0 -1 -> z3:zrangestore
ZRANGESTORE @z3 @z 7 9 -> z3:del
PFADD @p a b -> p:pfadd
PFADD @p a ->
PFADD @p2 c -> p2:pfadd
PFMERGE @p3 @p @p2 -> p3:pfadd
GEOADD @g 13 38 x -> g:zadd
GEOSEARCHSTORE @g2 @g FROMLONLAT 13 38 BYRADIUS 9 km -> g2:geosearchstore
GEORADIUS @g 13 38 9 km STORE @g3 -> g3:georadiusstore
XADD @x 1-1 f v -> x:xadd
XADD @x 3-1 f v -> x:xadd
XDEL @x 3-1 -> x:xdel
XADD @x 4-1 f v -> x:xadd
XTRIM @x MAXLEN 1 -> x:xtrim
XSETID @x 9-9 -> x:xsetid
XGROUP CREATE @x gr $ -> x:xgroup-create
XGROUP SETID @x gr 0 -> x:xgroup-setid
XGROUP CREATECONSUMER @x gr c -> x:xgroup-createconsumer
XGROUP CREATECONSUMER @x gr c ->
XGROUP DELCONSUMER @x gr c -> x:xgroup-delconsumer
XGROUP DESTROY @x gr -> x:xgroup-destroy
XGROUP DESTROY @x gr ->
SET @k 1 -> k:set
RENAME @k @kr -> k:rename_from kr:rename_to
RENAMENX @kr @k -> kr:rename_from k:rename_to
COPY @k @kcp -> kcp:copy_to
COPY @k @kcp ->
RPUSH @l 3 1 2 -> l:rpush
SORT @l STORE @ls -> ls:sortstore
SORT @l LIMIT 9 9 STORE @ls -> ls:del
LPOP @l 0 ->
XADD @x NOMKSTREAM 5-1 a b ->
XADD @nox NOMKSTREAM 5-1 a b ->
LPUSH @wrong 1 -> wrong:lpush
HSET @wrong a b ->
SET @k v -> k:set
"""
_CHANNELS = "PSUBSCRIBE __key*__:*"
_SAID = re.compile(r"\*4 pmessage __key\*__:\* __key(space|event)@0__:(\S+) (\S+)")


def _listening(letters: str) -> Room:
    """Client 1 hears what happens."""
    room = Room(REDIS_7_0)
    assert room(9, f"CONFIG SET notify-keyspace-events {letters}") == "+OK"
    room(1, _CHANNELS)
    return room


def _heard(room: Room) -> list[str]:
    """Channels and messages; keys without what puts them all into one slot."""
    text = room.heard(1).replace("{bar}", "")
    return [f"{channel}:{said}" for _, channel, said in _SAID.findall(text)]


def test_each_command_has_its_events() -> None:
    room = _listening("KA")
    wrong = []
    for line in _STORY.strip().split("\n"):
        command, _, told = line.partition(" ->")
        room(2, command.replace("@", "{bar}"))
        heard = _heard(room)
        if heard != told.split():
            wrong.append(f"{command}: {heard} instead of {told.split()}")
    assert not wrong


def test_the_classes_that_are_asked_for_are_told_on_the_channels_that_are() -> None:
    room = _listening("E$n")

    room(2, "SET bar 1 EX 100")
    room(2, "SET bar 1")
    room(2, "RPUSH {bar}l 1")

    assert _heard(room) == ["new:bar", "set:bar", "set:bar", "new:l"]
    room(9, "CONFIG SET notify-keyspace-events K")
    room(2, "SET bar 1")
    assert _heard(room) == []


@pytest.mark.parametrize(
    ("given", "shown"),
    [("KEA", "AKE"), ("AKEn", "AKE"), ("g$lshzxet", "g$lshzxet"), ("g$lshzxetd", "A"),
     ("Kx", "xK"), ("mn", "nm"), ("EKd", "dKE")],
)  # fmt: skip
def test_how_classes_are_shown(given: str, shown: str) -> None:
    room = _listening(given)

    assert room(9, "CONFIG GET notify-keyspace-events").split()[-1] == shown
    assert "Invalid event class character. Use 'Ag$lshzxeKEtmdn'." in room(
        9, "CONFIG SET notify-keyspace-events KQ"
    )


def test_keys_whose_time_is_over_are_told_once() -> None:
    room = _listening("KA")
    room(2, "SET bar 1 PXAT 1")
    assert _heard(room) == ["bar:set", "bar:expire"]

    room(2, "EXISTS bar")
    assert _heard(room) == ["bar:expired"]
    room(2, "SET bar 1")
    room(2, "PEXPIREAT bar 1")
    room(2, "EXISTS bar")
    assert _heard(room) == ["bar:set", "bar:del"]


def test_a_transaction_and_a_script_are_told_command_by_command() -> None:
    room = _listening("KA")
    for line in ("MULTI", "SET bar 1", "DEL bar", "EXEC"):
        room(2, line)

    assert _heard(room) == ["bar:set", "bar:del"]


def test_a_replica_tells_what_its_master_has_done() -> None:
    keyspace, told = Keyspace(), list[tuple[str, str, bytes]]()
    keyspace.events.listener = told.append

    for request in ([b"SET", b"k", b"v"], [b"DEL", b"k"]):
        reply: ClientReply = keyspace.apply(request)
        assert reply is not None

    assert told == [("n", "new", b"k"), ("$", "set", b"k"), ("g", "del", b"k")]
    keyspace.close()
