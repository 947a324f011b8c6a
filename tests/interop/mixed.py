"""Clusters of slotproof and real nodes that know each other from the start."""

import secrets
from collections.abc import Sequence

from tests.interop.data import Raw, Words, have_same_data
from tests.support import (
    DIALECT_OF,
    LOOPBACK,
    Server,
    Workshop,
    all_linked,
    cluster_is_ok,
    start,
    wait_until,
)

OURS = "slotproof"
RUNS = ("0-5460", "5461-10922", "10923-16383")


class Mixed:
    """Three masters, and replicas of the first."""

    def __init__(
        self,
        shop: Workshop,
        kind: str,
        *,
        masters: Sequence[str],
        replicas: Sequence[str] = (),
        options: Sequence[str] = (),
    ) -> None:
        """All are ready to be started; each is a real node of the kind named, or one of ours."""
        self._kind = kind
        self._masters = [self._node(shop, who, options) for who in masters]
        self.master = self._masters[0]
        self.others = self._masters[1:]
        self.replicas = [self._node(shop, who, options) for who in replicas]
        self.nodes = [*self._masters, *self.replicas]
        self.ids = {node.port: secrets.token_hex(20) for node in self.nodes}
        self._shards = {node.port: secrets.token_hex(20) for node in self._masters}
        for node in self.nodes:
            node.directory.mkdir(parents=True)
            (node.directory / "node.conf").touch()  # so that CONFIG REWRITE can write it
            (node.directory / "nodes.conf").write_text(self._conf(node))

    def _node(self, shop: Workshop, who: str, options: Sequence[str]) -> Server:
        ours = who == OURS
        dialect = DIALECT_OF[self._kind]
        node = shop.unstarted_slotproof(dialect) if ours else shop.unstarted_real(who)
        words = list(node.command)
        words.insert(words.index("node") + 1 if ours else 1, "node.conf")
        node.command = [*words, "--cluster-allow-replica-migration", "no", *options]
        return node

    def _conf(self, myself: Server) -> str:
        lines = []
        for number, node in enumerate(self.nodes):
            master = node if number < len(self._masters) else self.master
            flags = "master" if node is master else "slave"
            mine = "myself," if node is myself else ""
            of = "-" if node is master else self.ids[master.port]
            shard = f",,shard-id={self._shards[master.port]}" if self._kind == "valkey" else ""
            run = f" {RUNS[number]}" if number < len(RUNS) and node is master else ""
            epoch = self._masters.index(master) + 1
            lines.append(
                f"{self.ids[node.port]} {LOOPBACK}:{node.port}@{node.port + 10000}{shard} "
                f"{mine}{flags} {of} 0 0 {epoch} connected{run}\n"
            )
        last = f"vars currentEpoch {len(self._masters)} lastVoteEpoch 0\n"
        return "".join([*lines, last])

    def start(self, *, replicas: bool = True) -> None:
        """The masters run and serve, and the replicas too, linked, with their master's data."""
        nodes = self.nodes if replicas else self._masters
        start(nodes)
        wait_until(lambda: cluster_is_ok(nodes), 30, what="the cluster is ok")
        if replicas:
            self.wait_for_links()
            self.wait_for_data()

    def start_replicas(self) -> None:
        """The replicas run, and have links, and their master's data."""
        start(self.replicas)
        self.wait_for_links()
        self.wait_for_data()

    def wait_for_links(self) -> None:
        """Everyone has a link to everyone.

        A node that is just started takes the cluster for ok before: it remembers it so. Without a
        link it tells others of no change, and redis-cli passes over a node that is not connected.
        """
        wait_until(lambda: all_linked(self.nodes), 30, what="all have links to all")

    def wait_for_data(self) -> None:
        """The replicas have their master's data."""
        wait_until(lambda: all(self.same(each) for each in self.replicas), 30, what="same data")

    def same(self, replica: Server, master: Server | None = None) -> bool:
        """Whether it has its master's data, and says that the link is up."""
        info = replica.client.info("replication")
        up = info.get("master_link_status") == "up"
        return up and have_same_data(replica, master or self.master)

    def write(self, *commands: Words, to: Server | None = None) -> None:
        """The commands have been carried out."""
        raw = Raw(to or self.master)
        for words in commands:
            raw(*words)
        raw.close()

    def confirmed(self, *commands: Words, to: Server | None = None, by: int = 1) -> None:
        """The commands have been carried out, and so many replicas have said so."""
        raw = Raw(to or self.master)
        for words in commands:
            raw(*words)
        count = raw("WAIT", by, 10_000)
        raw.close()
        assert count >= by

    def owns(self, node: Server, views: Sequence[Server]) -> bool:
        """Whether all of these take that node for the master of the first slots."""
        rows = [each.view()[self.ids[node.port]] for each in views]
        return all("master" in row.flags and row.slots == ("0-5460",) for row in rows)

    def fail_over(self, node: Server) -> None:
        """The node has taken over by hand, and all know it."""
        may_stand = lambda: self._may_stand(node)  # noqa: E731 - asked until true
        wait_until(may_stand, 20, what="all know whose replica it is")
        assert node.cluster("FAILOVER") == "OK"
        wait_until(lambda: self.owns(node, self.nodes), 20, what="the replica took over")

    def _may_stand(self, node: Server) -> bool:
        """Whether all have their links, and take it for a replica of the owner of the first slots.

        A voter without a link to it has nowhere to send its vote, and it asks once.

        Who takes it for the replica of the owner before, for whom it voted a moment ago, does not
        vote for it in Redis 7.0 (EL-8), and the time of a manual failover is over before the next
        election.
        """
        rows = [each.view() for each in self.nodes]
        name = self.ids[node.port]
        [owner] = [row for row in rows[self.nodes.index(node)].values() if row.slots == (RUNS[0],)]
        return all_linked(self.nodes) and all(
            view[name].replicaof == owner.node_id for view in rows
        )
