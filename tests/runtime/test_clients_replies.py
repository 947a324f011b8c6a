"""Replies in both versions of the client protocol.

Clauses: CM-3.
"""

import pytest

from reference.runtime.replies import ClientReply, SetReply, Verbatim, encode
from reference.wire.resp import ErrorReply, SimpleString


@pytest.mark.parametrize(
    ("reply", "version_2", "version_3"),
    [
        (1.5, b"$3\r\n1.5\r\n", b",1.5\r\n"),
        (float("inf"), b"$3\r\ninf\r\n", b",inf\r\n"),
        (Verbatim("é"), b"$2\r\n\xc3\xa9\r\n", b"=6\r\ntxt:\xc3\xa9\r\n"),
        (SetReply([b"a", 1]), b"*2\r\n$1\r\na\r\n:1\r\n", b"~2\r\n$1\r\na\r\n:1\r\n"),
        ({"a": [2.0]}, b"*2\r\n$1\r\na\r\n*1\r\n$1\r\n2\r\n", b"%1\r\n$1\r\na\r\n*1\r\n,2\r\n"),
        ({}, b"*0\r\n", b"%0\r\n"),
        ([None], b"*1\r\n$-1\r\n", b"*1\r\n_\r\n"),
        (SimpleString("OK"), b"+OK\r\n", b"+OK\r\n"),
        (ErrorReply("ERR a\r\nb"), b"-ERR a  b\r\n", b"-ERR a  b\r\n"),
        (
            (b"", "x", -3),
            b"*3\r\n$0\r\n\r\n$1\r\nx\r\n:-3\r\n",
            b"*3\r\n$0\r\n\r\n$1\r\nx\r\n:-3\r\n",
        ),
    ],
)
def test_reply_has_one_form_in_each_version(
    reply: ClientReply, version_2: bytes, version_3: bytes
) -> None:
    assert encode(reply, 2) == version_2
    assert encode(reply, 3) == version_3
