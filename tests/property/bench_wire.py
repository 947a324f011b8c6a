"""What a PING with six gossip entries takes: `python -m tests.property.bench_wire`.

It is the time of this process only, so that a busy machine does not count.
"""

import sys
from statistics import median
from time import process_time
from timeit import repeat
from typing import Final

from reference.core.slots import SlotSet
from reference.core.types import NodeId, ShardId
from reference.wire.bus import PingMessage, decode, encode
from reference.wire.bus_extensions import HostnameExtension, ShardIdExtension
from reference.wire.bus_gossip import GossipEntry
from reference.wire.bus_header import BusHeader, MessageFlag, NodeFlag
from reference.wire.dialects import WIRE_DIALECTS

ROUNDS: Final = 21
CALLS: Final = 1000
_IDS: Final = [NodeId(f"{number:040x}") for number in range(7)]


def ping(*, extended: bool) -> PingMessage:
    """A PING of a master with a third of the slots, about six others."""
    header = BusHeader(
        sender=_IDS[0],
        current_epoch=7,
        config_epoch=5,
        offset=1234,
        slots=SlotSet.between(0, 5460),
        port=7000,
        cport=17000,
        flags=NodeFlag.MASTER | NodeFlag.MYSELF,
        mflags=MessageFlag.EXT_DATA,
    )
    gossip = tuple(
        GossipEntry(
            nodename=node_id, pong_received=5, ip="10.0.0.7", port=7001, cport=17001,
            flags=NodeFlag.MASTER,
        )
        for node_id in _IDS[1:]
    )  # fmt: skip
    said = (HostnameExtension(hostname="a.example"), ShardIdExtension(shard_id=ShardId(_IDS[0])))
    return PingMessage(header=header, gossip=gossip, extensions=said if extended else ())


def main() -> None:
    kinds = WIRE_DIALECTS["valkey-9.1"].extensions
    for name, message in (("plain", ping(extended=False)), ("extended", ping(extended=True))):
        data = encode(message)
        for what, call in (
            ("encode", lambda message=message: encode(message)),
            ("decode", lambda data=data: decode(data, extensions=kinds)),
        ):
            took = [
                seconds / CALLS * 1e6
                for seconds in repeat(call, timer=process_time, number=CALLS, repeat=ROUNDS)
            ]
            sys.stdout.write(f"{name:10} {what} {median(took):6.1f} us (best {min(took):.1f})\n")


if __name__ == "__main__":
    main()
