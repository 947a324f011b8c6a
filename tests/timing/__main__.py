"""How long two nodes take writes for one slot, measured on running nodes.

    python -m tests.timing [--kind redis] [--node-timeout 1000] [--runs 5] [--json FILE]
                           [--pause] [--delay 100] [--slow 0.25]

A kind is a server, `redis` or `valkey`, or a dialect, for our own nodes.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import attrs

from model_check.timed.bound import SERVERS_NOTICE_MS, Setting, bound
from reference.core.rules import DIALECTS, RELEASES
from tests.interop.bus_relay import BusRelay
from tests.support import DIALECT_OF, workshop
from tests.timing.handover import Measured, Shard


@attrs.frozen(kw_only=True)
class Asked:
    """What is measured; times in milliseconds."""

    kind: str
    node_timeout: int
    delay: int = 0
    slow: float = 0
    paused: bool = False

    @property
    def bound(self) -> int:
        """The longest window by argument; a clock misses a part of the time by single ms."""
        goes_first = DIALECTS[DIALECT_OF.get(self.kind, self.kind)].best_ranked_goes_first
        setting = Setting(
            node_timeout=self.node_timeout,
            election_delay=0 if goes_first else 500,
            notice=SERVERS_NOTICE_MS,
            delay=self.delay,
            missed=1,
            missed_in=round(1 / self.slow) if self.slow else 0,
        )
        return bound(setting)


def measure(asked: Asked, runs: int) -> Iterator[Measured]:
    """So many handovers of one cluster."""
    with (
        tempfile.TemporaryDirectory() as folder,
        BusRelay() as relay,
        workshop(Path(folder), asked.node_timeout) as shop,
    ):
        shard = Shard.made(relay, shop, asked.kind, delay=asked.delay, slow=asked.slow)
        for _ in range(runs):
            if asked.paused:
                taken, one = shard.pause()
                said = f"a waiting write was {'taken' if taken else 'refused'}"
            else:
                one, said = shard.cut(), ""
            told = {name: round(value) for name, value in attrs.asdict(one).items()}
            sys.stdout.write(f"{asked} {told} {said}\n")
            sys.stdout.flush()
            yield one


def main() -> None:
    """Each kind with each node timeout."""
    parser = argparse.ArgumentParser(prog="python -m tests.timing", description=__doc__)
    kinds = ["redis", "valkey", *RELEASES]
    parser.add_argument("--kind", action="append", choices=kinds)
    parser.add_argument("--node-timeout", action="append", type=int)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--pause", action="store_true", help="stop the master, and let it go on")
    parser.add_argument("--delay", type=int, default=0, help="ms, of all messages of the master")
    parser.add_argument(
        "--slow", type=float, default=0, help="the part of the time that its clock misses"
    )
    parser.add_argument("--json", type=Path, help="add what was measured to this file")
    given = parser.parse_args()
    rows = json.loads(given.json.read_text()) if given.json and given.json.exists() else []
    for kind, node_timeout in product(
        given.kind or ["redis", "valkey"], given.node_timeout or [500, 1000, 2000]
    ):
        asked = Asked(
            kind=kind, node_timeout=node_timeout, delay=given.delay, slow=given.slow,
            paused=given.pause,
        )  # fmt: skip
        for one in measure(asked, given.runs):
            found = {name: round(value, 1) for name, value in attrs.asdict(one).items()}
            load = round(os.getloadavg()[0], 2)
            rows.append({**attrs.asdict(asked), "bound": asked.bound, "load": load, **found})
            if given.json:
                given.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
