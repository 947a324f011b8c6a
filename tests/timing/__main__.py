"""How long two nodes take writes for one slot, measured on real servers.

python -m tests.timing [--kind redis] [--node-timeout 1000] [--runs 5] [--pause] [--json FILE]
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

import attrs

from model_check.timed.bound import SERVERS_NOTICE_MS, Setting, bound
from tests.interop.bus_relay import BusRelay
from tests.support import workshop
from tests.timing.handover import Measured, Shard


def _bound(kind: str, node_timeout: int, delay: int) -> int:
    setting = Setting(
        node_timeout=node_timeout,
        election_delay=0 if kind == "valkey" else 500,
        notice=SERVERS_NOTICE_MS,
        delay=delay,
    )
    return bound(setting)


def measure(kind: str, node_timeout: int, runs: int, *, paused: bool) -> list[Measured]:
    """So many handovers of one cluster."""
    found = []
    with (
        tempfile.TemporaryDirectory() as folder,
        BusRelay() as relay,
        workshop(Path(folder), node_timeout) as shop,
    ):
        shard = Shard.made(relay, shop, kind)
        for _ in range(runs):
            if paused:
                taken, one = shard.pause()
                said = f"a waiting write was {'taken' if taken else 'refused'}"
            else:
                one, said = shard.cut(), ""
            found.append(one)
            told = {name: round(value) for name, value in attrs.asdict(one).items()}
            sys.stdout.write(f"{kind} NT {node_timeout} {told} {said}\n")
            sys.stdout.flush()
    return found


def main() -> None:
    """Each kind with each node timeout."""
    parser = argparse.ArgumentParser(prog="python -m tests.timing", description=__doc__)
    parser.add_argument("--kind", action="append", choices=["redis", "valkey"])
    parser.add_argument("--node-timeout", action="append", type=int)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--pause", action="store_true", help="stop the master, and let it go on")
    parser.add_argument("--json", type=Path, help="add what was measured to this file")
    asked = parser.parse_args()
    rows = json.loads(asked.json.read_text()) if asked.json and asked.json.exists() else []
    for kind in asked.kind or ["redis", "valkey"]:
        for node_timeout in asked.node_timeout or [500, 1000, 2000]:
            for one in measure(kind, node_timeout, asked.runs, paused=asked.pause):
                rows.append(
                    {"kind": kind, "node_timeout": node_timeout, "paused": asked.pause,
                     "bound": _bound(kind, node_timeout, 0), "load": os.getloadavg()[0],
                     **{name: round(value, 1) for name, value in attrs.asdict(one).items()}}
                )  # fmt: skip
                if asked.json:
                    asked.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
