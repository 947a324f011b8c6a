"""Requests out of the bytes of a client, and replies into bytes.

Clauses: RP-1, RP-2, RP-3, RP-4.
"""

import pytest

from reference.wire.resp import (
    OK,
    ErrorReply,
    Reply,
    RequestReader,
    RespProtocolError,
    SimpleString,
    encode_reply,
)
from reference.wire.resp_inline import split_args

LINE = 64 * 1024


def requests(data: bytes, reader: RequestReader | None = None) -> list[list[bytes]]:
    reader = reader or RequestReader()
    reader.feed(data)
    return list(reader)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"*1\r\n$4\r\nPING\r\n", [[b"PING"]]),
        (b"*2\r\n$0\r\n\r\n$4\r\n\r\n*3\r\n", [[b"", b"\r\n*3"]]),
        (b"*0\r\n*-1\r\n*1\r\n$1\r\na\r\n", [[b"a"]]),
        (b"*1\r\n$1000\r\n" + b"x" * 1000 + b"\r\n", [[b"x" * 1000]]),
        (b"*10\r\n" + b"$1\r\nx\r\n" * 10, [[b"x"] * 10]),
        (b"*2\r\n$1\r\nx\r\n$1000\r\n" + bytes(1002), [[b"x", bytes(1000)]]),
        (b"PING\r\n\r\n\nset a b\n", [[b"PING"], [b"set", b"a", b"b"]]),
        (b"GET x\r\n*1\r\n$1\r\na\r\nGET y\n", [[b"GET", b"x"], [b"a"], [b"GET", b"y"]]),
        (b"x" * LINE + b"\n", [[b"x" * LINE]]),
        (b"", []),
    ],
)
def test_requests_are_cut_out_of_the_stream(data: bytes, expected: list[list[bytes]]) -> None:
    assert requests(data) == expected


@pytest.mark.parametrize("split", range(1, 60))
def test_request_may_arrive_in_two_pieces(split: int) -> None:
    data = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$12\r\nhello\r\nworld\r\nPING\r\n*1\r\n$4\r\nQUIT\r\n"
    expected = [[b"SET", b"k", b"hello\r\nworld"], [b"PING"], [b"QUIT"]]
    reader = RequestReader()

    assert requests(data[:split], reader) + requests(data[split:], reader) == expected


@pytest.mark.parametrize("length", [9, 300])
def test_request_may_arrive_byte_by_byte(length: int) -> None:
    data = b"*2\r\n$4\r\nECHO\r\n$%d\r\n%b\r\n" % (length, b"x" * length)
    reader = RequestReader()
    seen = [requests(data[i : i + 1], reader) for i in range(len(data))]

    assert seen == [[]] * (len(data) - 1) + [[[b"ECHO", b"x" * length]]]


def test_iteration_may_be_left_and_taken_up_again() -> None:
    reader = RequestReader()
    reader.feed(b"a\r\nb\r\nc\r\n")

    first = next(iter(reader))

    assert [first, *reader] == [[b"a"], [b"b"], [b"c"]]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"*x\r\n", "invalid multibulk length"),
        (b"*\r\n", "invalid multibulk length"),
        (b"*01\r\n", "invalid multibulk length"),
        (b"*+1\r\n", "invalid multibulk length"),
        (b"* 1\r\n", "invalid multibulk length"),
        (b"*2147483648\r\n", "invalid multibulk length"),
        (b"*1\r\n$-1\r\n", "invalid bulk length"),
        (b"*1\r\n$\r\n", "invalid bulk length"),
        (b"*1\r\n$536870913\r\n", "invalid bulk length"),
        (b"*1\r\nPING\r\n", "expected '$', got 'P'"),
        (b"*1\r\n\r\n", "expected '$', got '\r'"),
        (b"*1\r\n:1\r\n", "expected '$', got ':'"),
        (b"*1\r\n\xff1\r\n", "expected '$', got '\udcff'"),
        (b"x" * (LINE + 1), "too big inline request"),
        (b"x" * (LINE + 1) + b"\n", "too big inline request"),
        (b"*" + b"1" * (LINE + 1), "too big mbulk count string"),
        (b"*1\r\n$" + b"1" * (LINE + 1), "too big bulk count string"),
        (b"set k 'x\r\n", "unbalanced quotes in request"),
    ],
)
def test_mistake_ends_the_requests_with_the_servers_words(data: bytes, reason: str) -> None:
    with pytest.raises(RespProtocolError) as caught:
        requests(data)

    assert caught.value.reason == f"Protocol error: {reason}"
    assert caught.value.reply == ErrorReply(f"ERR Protocol error: {reason}")


def test_requests_before_a_mistake_are_given() -> None:
    reader = RequestReader()
    reader.feed(b"PING\r\n*x\r\n")
    stream = iter(reader)

    assert next(stream) == [b"PING"]
    with pytest.raises(RespProtocolError):
        next(stream)


def test_nothing_is_read_after_a_mistake() -> None:
    reader = RequestReader()
    with pytest.raises(RespProtocolError):
        requests(b"*x\r\n", reader)

    with pytest.raises(RespProtocolError) as again:
        requests(b"PING\r\n", reader)

    assert again.value is reader.error


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"*11\r\n", "unauthenticated multibulk length"),
        (b"*1\r\n$16385\r\n", "unauthenticated bulk length"),
    ],
)
def test_strangers_have_narrow_limits(data: bytes, reason: str) -> None:
    with pytest.raises(RespProtocolError, match=reason):
        requests(data, RequestReader(authenticated=False))

    assert requests(data) == []


def test_authentication_counts_from_the_next_request_on() -> None:
    reader = RequestReader(authenticated=False)
    reader.feed(b"AUTH x\r\n*11\r\n" + b"$1\r\nx\r\n" * 11)
    read = []

    for request in reader:
        reader.authenticated = True
        read.append(request)

    assert read == [[b"AUTH", b"x"], [b"x"] * 11]


def test_longest_argument_is_configured() -> None:
    assert requests(b"*1\r\n$9\r\n123456789\r\n", RequestReader(max_bulk_len=9)) == [[b"123456789"]]
    with pytest.raises(RespProtocolError, match="invalid bulk length"):
        requests(b"*1\r\n$10\r\n1234567890\r\n", RequestReader(max_bulk_len=9))


@pytest.mark.parametrize("data", [b"*20\r\n" + b"$0\r\n\r\n" * 20, b"*1\r\n$1000\r\n"])
def test_request_beyond_the_buffer_limit_gets_no_answer(data: bytes) -> None:
    with pytest.raises(RespProtocolError, match="query buffer limit") as caught:
        requests(data, RequestReader(max_request=1000))

    assert caught.value.reply is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"  set  a\tb ", [b"set", b"a", b"b"]),
        (b"", []),
        (b' "" ', [b""]),
        (b'"a b" c', [b"a b", b"c"]),
        (rb'"\n\r\t\b\a\x41\x4g\q\"" d', [b'\n\r\t\b\aAx4gq"', b"d"]),
        (rb"'a \n\' b'", [rb"a \n' b"]),
        (b'ab"cd"', [b"abcd"]),
        (b"a\vb\f \vc", [b"a\vb\f", b"c"]),
        (b"'a'\vb", [b"a", b"b"]),
        (b'"a"b', None),
        (b'"a', None),
        (b"'a", None),
        (b'"a\\', None),
        (b"'a'b", None),
    ],
)
def test_line_is_split_as_a_shell_would(line: bytes, expected: list[bytes] | None) -> None:
    assert split_args(line) == expected


@pytest.mark.parametrize(
    ("reply", "data"),
    [
        (OK, b"+OK\r\n"),
        (SimpleString("a\r\nb"), b"+a  b\r\n"),
        (ErrorReply("MOVED 1 h:1"), b"-MOVED 1 h:1\r\n"),
        (-3, b":-3\r\n"),
        (b"\0\r\n", b"$3\r\n\0\r\n\r\n"),
        ("h\u00e9", b"$3\r\nh\xc3\xa9\r\n"),
        (None, b"$-1\r\n"),
        ([], b"*0\r\n"),
        ((1, [b"a", None]), b"*2\r\n:1\r\n*2\r\n$1\r\na\r\n$-1\r\n"),
        ({"a": 1}, b"*2\r\n$1\r\na\r\n:1\r\n"),
    ],
)
def test_reply_is_encoded(reply: Reply, data: bytes) -> None:
    assert encode_reply(reply) == data


def test_version_3_has_maps_and_a_null_of_its_own() -> None:
    assert encode_reply({b"a": None}, 3) == b"%1\r\n$1\r\na\r\n_\r\n"
