"""Slots that move atomically from node to node in one process, with their keys and their clients.

Clauses: SM-20, SM-22, SM-26, SM-28, SM-29, SM-30, SM-31, SM-36, SM-37, SM-38, SM-39.
"""

import asyncio
from pathlib import Path

import pytest
import redis
from redis.asyncio import Redis

from reference.core.migration_jobs import MigrationStage
from reference.runtime.replication.snapshot import Snapshot
from reference.runtime.slots.exporting import Export
from reference.runtime.slots.importing import Import
from tests.runtime.moving_room import (
    KEYS,
    LOST,
    TAG,
    Cluster,
    fill,
    hold_at_the_pause,
    run,
    until,
)
from tests.runtime.room import Room
from tests.support import LOOPBACK


class Writer:
    """Adds 1 to the keys in turn, wherever they are, and counts what was confirmed."""

    def __init__(self, cluster: Cluster) -> None:
        self.confirmed = dict.fromkeys(KEYS, 0)
        self.moved = 0
        self.asked_to_end = False
        self._cluster = cluster
        self._at = 0

    async def write(self) -> None:
        """Until it is asked to end; nothing but MOVED goes wrong."""
        while not self.asked_to_end:
            for key in KEYS:
                await self._add(key)

    async def _add(self, key: str) -> None:
        while True:
            try:
                await self._cluster.clients[self._at].incr(key)
            except redis.exceptions.MovedError:
                self.moved += 1
                self._at = 1 - self._at
            else:
                self.confirmed[key] += 1
                return


def test_keys_arrive_with_every_write_that_was_confirmed(tmp_path: Path) -> None:
    async def story(cluster: Cluster) -> None:
        await fill(cluster)
        await cluster.clients[0].rpush(f"{TAG}list", *range(3000))
        writer = Writer(cluster)
        writing = asyncio.create_task(writer.write())
        await until(lambda: min(writer.confirmed.values()) >= 1)
        cluster.hold()
        assert await cluster.move(0, 0, 7, 9) == "OK"
        await cluster.is_told(0, "waiting-to-pause")
        before = min(writer.confirmed.values())
        await until(lambda: min(writer.confirmed.values()) > before)

        cluster.hold(on=False)

        source = await cluster.is_told(0, "success")
        target = await cluster.is_told(1, "success")
        assert writer.moved <= 1
        before = min(writer.confirmed.values())
        await until(lambda: min(writer.confirmed.values()) > before)
        writer.asked_to_end = True
        await writing

        values = {key: int(await cluster.clients[1].get(key)) for key in KEYS}
        assert values == writer.confirmed
        assert writer.moved == 1
        assert await cluster.clients[1].llen(f"{TAG}list") == 3000
        assert await cluster.clients[0].dbsize() == 0
        assert (source["operation"], target["operation"]) == ("EXPORT", "IMPORT")
        for row in (source, target):
            assert (row["slot_ranges"], row["message"]) == ("0-0 7-9", "")
            assert row["source_node"] == cluster.node(0).state.myself_id
            assert row["target_node"] == cluster.node(1).state.myself_id

    run(tmp_path, story)


def test_what_has_come_is_hidden_from_clients_of_the_target_and_of_its_replica(
    tmp_path: Path,
) -> None:
    async def story(cluster: Cluster) -> None:
        source, target, _, replica = cluster.clients
        await fill(cluster)
        await source.hset(f"{TAG}hash", mapping={"f": "v"})
        await source.set(f"{TAG}short", "x", px=60_000)
        mine = "foo"
        await target.set(mine, "x")
        cluster.hold()
        await cluster.move()
        await cluster.is_told(0, "waiting-to-pause")
        assert (await cluster.row(1))["state"] == "waiting-for-paused"
        await cluster.is_told(3, "occurring-on-primary")
        await target.execute_command("WAIT", 1, 10_000)

        for hiding in (target, replica):
            assert await hiding.keys("*") == [mine]
            assert await hiding.dbsize() == 1
            assert (await hiding.scan(0, count=1000))[1] == [mine]
            assert await hiding.randomkey() == mine
            assert await hiding.execute_command("CLUSTER", "COUNTKEYSINSLOT", 0) == 52
            assert len(await hiding.execute_command("CLUSTER", "GETKEYSINSLOT", 0, 9)) == 9
        await target.execute_command("CLUSTER", "FLUSHSLOT", 0)
        assert "target_node" not in await cluster.row(3)

        await source.set(f"{TAG}late", "x")
        await source.delete(KEYS[0])
        cluster.hold(on=False)
        await cluster.is_told(0, "success")
        await cluster.is_told(3, "success")

        await cluster.knows(3)
        await replica.execute_command("READONLY")
        for showing in (target, replica):
            assert len(await showing.keys(f"{TAG}*")) == len(KEYS) - 1 + 3
            assert await showing.hgetall(f"{TAG}hash") == {"f": "v"}
            assert 0 < await showing.pttl(f"{TAG}short") <= 60_000
            assert await showing.execute_command("CLUSTER", "COUNTKEYSINSLOT", 0) == 52

    run(tmp_path, story, replicas=2)


def test_a_cancelled_job_leaves_the_keys_where_they_were(tmp_path: Path) -> None:
    async def story(cluster: Cluster) -> None:
        with pytest.raises(redis.exceptions.ResponseError, match="No migrations ongoing"):
            await cluster.ask(0, "CANCELSLOTMIGRATIONS")
        await hold_at_the_pause(cluster)

        assert await cluster.ask(0, "CANCELSLOTMIGRATIONS") == "OK"

        assert (await cluster.row(0))["state"] == "cancelled"
        row = await cluster.is_told(1, "failed")
        assert row["message"] == LOST.format("source", "source")
        assert not cluster.node(1)._keyspace.arrivals
        assert await cluster.clients[0].dbsize() == len(KEYS)
        cluster.hold(on=False)
        await cluster.move()
        await cluster.is_told(0, "success")
        assert await cluster.clients[1].dbsize() == len(KEYS)
        await cluster.clients[0].config_set("cluster-slot-migration-log-max-len", 1)
        assert len(await cluster.ask(0, "GETSLOTMIGRATIONS")) == 1

    run(tmp_path, story)


def test_a_target_that_is_killed_has_taken_nothing(tmp_path: Path) -> None:
    async def story(cluster: Cluster) -> None:
        await hold_at_the_pause(cluster)

        await cluster.host.kill(cluster.ports[1])

        row = await cluster.is_told(0, "failed")
        assert row["message"] == LOST.format("target", "target")
        cluster.hold(on=False)
        assert await cluster.clients[0].incr(KEYS[0]) == 1
        gone = cluster.host.seat(cluster.ports[1]).last_id
        await cluster.ask(0, "MIGRATESLOTS", "SLOTSRANGE", 0, 0, "NODE", gone)
        row = await cluster.is_told(0, "failed")
        assert row["message"] == "Unable to connect to target node: Connection refused"
        assert await cluster.clients[0].dbsize() == len(KEYS)
        assert not cluster.node(0)._keyspace.followers

    run(tmp_path, story)


def test_keys_take_as_long_as_they_are_to_take_and_the_job_can_be_cancelled(tmp_path: Path) -> None:
    async def story(cluster: Cluster) -> None:
        await fill(cluster)
        await cluster.clients[0].config_set("rdb-key-save-delay", 1_000_000_000)
        await cluster.move()
        await cluster.is_told(0, "snapshotting")
        assert await cluster.ask(0, "CANCELSLOTMIGRATIONS") == "OK"
        assert (await cluster.row(0))["state"] == "cancelled"
        await cluster.is_told(1, "failed")

        await cluster.clients[0].config_set("rdb-key-save-delay", 0)
        await cluster.move()
        await cluster.is_told(0, "success")

    run(tmp_path, story)


def test_what_a_source_sent_is_gone_when_it_is_killed(tmp_path: Path) -> None:
    async def story(cluster: Cluster) -> None:
        await hold_at_the_pause(cluster)
        await cluster.is_told(3, "occurring-on-primary")

        await cluster.host.kill(cluster.ports[0])

        for number in (1, 3):
            row = await cluster.is_told(number, "failed")
            assert row["message"] == LOST.format("source", "source")
            assert not cluster.node(number)._keyspace.arrivals
            assert await cluster.clients[number].dbsize() == 0

    run(tmp_path, story, replicas=2)


def test_clients_wait_while_slots_change_hands_and_are_sent_to_the_target(tmp_path: Path) -> None:
    async def story(cluster: Cluster) -> None:
        await hold_at_the_pause(cluster)
        await cluster.host.pause(cluster.ports[1])
        cluster.hold(on=False)
        await until(lambda: cluster.stages(0) == [MigrationStage.FAILOVER_PAUSED])
        waiting = asyncio.create_task(cluster.clients[0].incr(KEYS[0]))
        assert await cluster.clients[0].get(KEYS[0]) == "0"
        assert not waiting.done()

        await cluster.host.resume(cluster.ports[1])

        with pytest.raises(redis.exceptions.MovedError):
            await waiting
        assert await cluster.clients[1].incr(KEYS[0]) == 1

    run(tmp_path, story)


def test_clients_wait_no_longer_than_the_pause(tmp_path: Path) -> None:
    async def story(cluster: Cluster) -> None:
        await cluster.clients[0].config_set("cluster-manual-failover-timeout", 400)
        await hold_at_the_pause(cluster)
        await cluster.host.pause(cluster.ports[1])
        cluster.hold(on=False)
        await until(lambda: cluster.stages(0) in ([], [MigrationStage.FAILOVER_PAUSED]))

        assert await cluster.clients[0].incr(KEYS[0]) == 1

        row = await cluster.row(0)
        assert (row["state"], row["message"]) == ("failed", "Timed out before streaming completed")
        await cluster.host.resume(cluster.ports[1])
        await cluster.is_told(1, "failed")
        assert await cluster.clients[1].dbsize() == 0

    run(tmp_path, story)


def test_without_keys_no_job_goes_on(tmp_path: Path) -> None:
    async def story(cluster: Cluster) -> None:
        await hold_at_the_pause(cluster)
        await cluster.clients[0].flushall()
        row = await cluster.row(0)
        assert (row["state"], row["message"]) == ("failed", "Data was flushed")
        await cluster.is_told(1, "failed")

    run(tmp_path, story)


def test_a_target_says_why_it_does_not_take_the_slots(tmp_path: Path) -> None:
    async def story(cluster: Cluster) -> None:
        await cluster.ask(1, "SETSLOT", 9, "IMPORTING", cluster.node(0).state.myself_id)
        await cluster.move()
        row = await cluster.is_told(0, "failed")
        assert row["message"] == (
            "Received error during handshake to target: -ERR Slots are being manually imported\r\n"
        )

    run(tmp_path, story)


def test_a_new_replica_of_the_target_gets_what_has_come_so_far(tmp_path: Path) -> None:
    async def story(cluster: Cluster) -> None:
        await hold_at_the_pause(cluster)
        await cluster.host.kill(cluster.ports[3])
        await cluster.clients[0].incr(KEYS[0])
        await cluster.host.restart(cluster.ports[3])
        await until(lambda: cluster.node(3).master_link_up)
        await cluster.is_told(3, "occurring-on-primary")
        assert await cluster.clients[3].dbsize() == 0
        await cluster.clients[0].incr(KEYS[0])

        cluster.hold(on=False)

        await cluster.is_told(3, "success")
        assert await cluster.clients[3].dbsize() == len(KEYS)
        await cluster.knows(3)
        await cluster.clients[3].execute_command("READONLY")
        assert await cluster.clients[3].get(KEYS[0]) == "2"

    run(tmp_path, story, replicas=2)


def test_keys_that_came_are_in_the_log_of_commands_when_they_are_owned(tmp_path: Path) -> None:
    async def story(cluster: Cluster) -> None:
        await hold_at_the_pause(cluster)
        cluster.hold(on=False)
        await cluster.is_told(1, "success")

        await cluster.host.kill(cluster.ports[1])
        await cluster.host.restart(cluster.ports[1])

        assert await cluster.clients[1].dbsize() == len(KEYS)

    run(tmp_path, story, appendonly="yes", appendfsync="always")


def test_the_source_has_the_password(tmp_path: Path) -> None:
    async def story(cluster: Cluster) -> None:
        secret = "secret"  # noqa: S105
        await cluster.clients[1].config_set("requirepass", secret)
        await cluster.clients[1].aclose()
        cluster.clients[1] = Redis(
            host=LOOPBACK, port=int(cluster.ports[1]), password=secret, decode_responses=True
        )
        await cluster.clients[0].config_set("masterauth", "wrong")
        await cluster.move()
        row = await cluster.is_told(0, "failed")
        assert row["message"].startswith("Failed to AUTH to target node: -WRONGPASS")
        await cluster.clients[0].config_set("masterauth", secret)
        await fill(cluster)

        await cluster.move()

        await cluster.is_told(0, "success")
        assert await cluster.clients[1].dbsize() == len(KEYS)

    run(tmp_path, story)


@pytest.mark.parametrize(
    "words",
    ["MIGRATESLOTS SLOTSRANGE 5 0", "MIGRATESLOTS x 0 0 NODE y", "SYNCSLOTS ESTABLISH x"],
)
def test_a_replica_says_that_it_is_one_before_it_complains_of_words(words: str) -> None:
    room = Room(replica=True)

    answer = room(1, f"CLUSTER {words}")

    assert answer == "-ERR Slot migration can only be used on primary nodes."


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("MIGRATESLOTS x 0 0 NODE y", "syntax error"),
        ("MIGRATESLOTS SLOTSRANGE 0 0", "syntax error"),
        ("MIGRATESLOTS SLOTSRANGE 9000 9000", "Slots are not served by this node."),
        ("MIGRATESLOTS SLOTSRANGE 9000 9000 NODE y", "Slots are not served by this node."),
        ("MIGRATESLOTS SLOTSRANGE 0 0 NODE y", "Invalid node name: y"),
        (f"MIGRATESLOTS SLOTSRANGE 0 0 NODE {'f' * 40}", f"Unknown node name: {'f' * 40}"),
        (f"MIGRATESLOTS SLOTSRANGE 9 9000 NODE {'f' * 40}", "Requested slots span multiple shards"),
        ("SYNCSLOTS XX", "syntax error"),
        (
            "SYNCSLOTS PAUSED",
            "CLUSTER SYNCSLOTS PAUSED should only be used by slot migration clients",
        ),
        (f"SYNCSLOTS FINISH STATE SUCCESS NAME {'a' * 40}", "No such slot migration job"),
        ("SYNCSLOTS ESTABLISH SOURCE x", "syntax error"),
    ],
)  # fmt: skip
def test_commands_are_refused_in_the_words_of_a_server(
    tmp_path: Path, words: str, error: str
) -> None:
    async def story(cluster: Cluster) -> None:
        with pytest.raises(redis.exceptions.ResponseError) as caught:
            await cluster.ask(0, *words.split())
        assert str(caught.value) == error

    run(tmp_path, story)


def test_a_source_that_granted_waits_for_the_claim_and_not_for_the_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(cluster: Cluster) -> None:
        await cluster.clients[0].config_set("cluster-manual-failover-timeout", 400)
        await hold_at_the_pause(cluster)
        hear = Import._hear

        def hear_no_grant(importing: Import, word: bytes) -> None:
            if word != b"FAILOVER-GRANTED":
                hear(importing, word)

        monkeypatch.setattr(Import, "_hear", hear_no_grant)
        cluster.hold(on=False)
        await until(lambda: cluster.stages(0) in ([], [MigrationStage.FAILOVER_GRANTED]))
        await cluster.host.kill(cluster.ports[1])
        await until(lambda: not cluster.node(0).migrations.busy)

        assert await cluster.clients[0].incr(KEYS[0]) == 1

        row = await cluster.row(0)
        assert row["message"] == (
            "Unpaused before migration completed (migration may have succeeded with lost writes)"
        )
        assert await cluster.clients[0].dbsize() == len(KEYS)

    run(tmp_path, story)


def test_what_is_written_while_the_keys_are_sent_comes_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(cluster: Cluster) -> None:
        await fill(cluster)
        keyspace = cluster.node(0)._keyspace
        send_all = Export._send_all

        async def send_all_between_writes(export: Export, snapshot: Snapshot) -> None:
            keyspace.execute([b"INCR", KEYS[0].encode()])
            await send_all(export, snapshot)
            keyspace.execute([b"INCR", KEYS[0].encode()])
            assert export.remaining > 0

        monkeypatch.setattr(Export, "_send_all", send_all_between_writes)
        await cluster.move()
        await cluster.is_told(0, "success")
        assert await cluster.clients[1].get(KEYS[0]) == "2"

    run(tmp_path, story)
