"""What scripts pack and unpack, bit by bit: the results are those of Redis 7.0.15.

Clauses: RP-12.
"""

import pytest

from reference.core.rules import REDIS_7_0
from reference.runtime.commands.dispatch import execute
from reference.runtime.replies import ClientReply
from reference.wire.resp import ErrorReply
from tests.runtime.room import Room

ROOM = Room(REDIS_7_0)


def returned(code: str) -> ClientReply:
    return execute(ROOM.session(1), [b"EVAL", f"return {code}".encode(), b"0"])


@pytest.mark.parametrize(
    ("code", "reply"),
    [
        ("bit.tobit(4294967295)", -1),
        ("bit.tohex(255)", b"000000ff"),
        ("bit.tohex(-1,-4)", b"FFFF"),
        ("bit.tohex(255,2)", b"ff"),
        ("bit.bnot(5)", -6),
        ("bit.band(12,10,14)", 8),
        ("bit.bor(1,2,4)", 7),
        ("bit.bxor(7,2)", 5),
        ("bit.lshift(1,31)", -2147483648),
        ("bit.lshift(1,33)", 2),
        ("bit.rshift(-1,4)", 268435455),
        ("bit.arshift(-256,4)", -16),
        ("bit.rol(305419896,12)", 1164411171),
        ("bit.ror(305419896,12)", 1736516421),
        ("bit.bswap(305419896)", 2018915346),
        ("bit.band('12',10)", 8),
        ("tostring(bit.tobit(1.5))", b"2"),
        ("cmsgpack.pack(1,-1,200,70000,5000000000,-33,-200,-70000,-5000000000)",
         (b"\x01\xff\xcc\xc8\xce\x00\x01\x11p\xcf\x00\x00\x00\x01*\x05\xf2\x00\xd0\xdf"
         b"\xd1\xff8\xd2\xff\xfe\xee\x90\xd3\xff\xff\xff\xfe\xd5\xfa\x0e\x00")),
        ("cmsgpack.pack(1.5,0.1,true,false,nil)",
         b"\xca?\xc0\x00\x00\xcb?\xb9\x99\x99\x99\x99\x99\x9a\xc3\xc2\xc0"),
        ("cmsgpack.pack('a',('x'):rep(40),('x'):rep(300))",
         b"\xa1a\xd9(" + b"x" * 40 + b"\xda\x01," + b"x" * 300),
        ("cmsgpack.pack({1,2,3},{},{a=1})", b"\x93\x01\x02\x03\x90\x81\xa1a\x01"),
        ("cmsgpack.pack({{1},{x={2}}})", b"\x92\x91\x01\x81\xa1x\x91\x02"),
        ("{cmsgpack.unpack(cmsgpack.pack(1,'a',{1,2,{3}}))}", [1, b"a", [1, 2, [3]]]),
        ("{cmsgpack.unpack_one(cmsgpack.pack(1,'a'))}", [1, 1]),
        ("{cmsgpack.unpack_one(cmsgpack.pack(1,'a'),1)}", [-1, b"a"]),
        ("{cmsgpack.unpack_limit(cmsgpack.pack(1,2,3,4),2)}", [2, 1, 2]),
        ("cmsgpack.unpack('')", None),
        ("cjson.encode(cmsgpack.unpack(cmsgpack.pack({a={1,2},b='x'})))", b'{"a":[1,2],"b":"x"}'),
        ("tostring(cmsgpack.unpack(cmsgpack.pack(0.1)))", b"0.1"),
        ("tostring(cmsgpack.unpack(cmsgpack.pack(2^40)))", b"1099511627776"),
        ("struct.pack('>I2',258)", b"\x01\x02"),
        ("struct.pack('<I2',258)", b"\x02\x01"),
        ("struct.pack('bBhHlL',-1,255,-2,65534,-3,4)",
         (b"\xff\xff\xfe\xff\xfe\xff\xfd\xff\xff\xff\xff\xff\xff\xff\x04\x00\x00\x00\x00\x00"
         b"\x00\x00")),
        ("struct.pack('>i4d',7,1.5)", b"\x00\x00\x00\x07?\xf8\x00\x00\x00\x00\x00\x00"),
        ("struct.pack('s','abc')", b"abc\x00"),
        ("struct.pack('c3','abcdef')", b"abc"),
        ("struct.pack('c0','abcdef')", b"abcdef"),
        ("{struct.unpack('>I2','\\1\\2')}", [258, 3]),
        ("{struct.unpack('<i4','\\255\\255\\255\\255')}", [-1, 5]),
        ("{struct.unpack('s','abc\\0def')}", [b"abc", 5]),
        ("{struct.unpack('c2c1','abc')}", [b"ab", b"c", 4]),
        ("{struct.unpack('bc0','\\3abcdef')}", [b"abc", 5]),
        ("struct.size('bhl')", 11),
        ("struct.size('!bhl')", 16),
        ("struct.size('>I4d')", 12),
        ("struct.pack('!bi4',1,2)", b"\x01\x00\x00\x00\x02\x00\x00\x00"),
        ("struct.pack('xbx',1)", b"\x00\x01\x00"),
        ("struct.pack('I3',1)", b"\x01\x00\x00"),
        ("{struct.unpack('!4 b i4', struct.pack('!4 b i4',1,9))}", [1, 9, 9]),
        ("struct.pack('>B',300)", b","),
        ("{#cmsgpack.pack(('x'):rep(31)), #cmsgpack.pack(('x'):rep(32))}", [32, 34]),
    ],
)  # fmt: skip
def test_what_the_libraries_return(code: str, reply: ClientReply) -> None:
    assert returned(code) == reply


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("cmsgpack.unpack('\\130')", "Missing bytes in input."),
        ("cmsgpack.unpack('\\193')", "Bad data format in input."),
        ("cmsgpack.unpack('\\221\\255\\255\\255\\255')", "Missing bytes in input."),
        ("struct.size('s')", "bad argument #1 to 'size' (option 's' has no fixed size)"),
        ("struct.pack('q', 1)", "bad argument #1 to 'pack' (invalid format option 'q')"),
        ("struct.unpack('>I4', 'ab')", "bad argument #2 to 'unpack' (data string too short)"),
        ("struct.pack('c10', 'abc')", "bad argument #3 to 'pack' (string too short)"),
        ("struct.pack('I99', 1)", "integral size 99 is larger than limit of 32"),
        ("struct.pack('!3', 1)", "alignment is not a power of 2"),
        ("struct.unpack('b', 'a', 0)", "offset must be 1 or greater"),
        ("bit.band('x')", "bad argument"),
        ("select(2, pcall(bit.band, {}))", "bad argument"),
    ],
)
def test_what_is_wrong_is_said(code: str, problem: str) -> None:
    reply = returned(code)

    text = reply.text if isinstance(reply, ErrorReply) else str(reply)
    assert problem in text


def test_tables_that_hold_each_other_come_to_an_end() -> None:
    wide = "(function() local t = {} for n = 1, 99 do t[n] = t end return cmsgpack.pack(t) end)()"

    reply = returned(wide)

    assert isinstance(reply, ErrorReply)
    assert "too many elements" in reply.text
    assert isinstance(
        returned("#cmsgpack.pack((function() local t = {} t[1] = t return t end)())"), int
    )


def test_what_cannot_be_packed_is_nothing() -> None:
    assert returned("cmsgpack.pack(type, cjson.null)") == b"\xc0\xc0"
