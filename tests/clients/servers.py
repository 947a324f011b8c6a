"""The servers of the clients' own tests: slotproof's, or others for comparison."""

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import attrs
import click

from tests.support import LOOPBACK, Server, all_linked, cluster_is_ok, wait_until

_NODES: Final = 6
_PATIENCE_S: Final = 120


@attrs.frozen(kw_only=True)
class Servers:
    """What is started, for a cluster of three masters with a replica each, or one by one."""

    dialect: str
    binary: str | None

    @property
    def command(self) -> list[str]:
        """A server; what follows are directives."""
        if self.binary is not None:
            return [self.binary]
        ours = str(Path(sys.executable).parent / "slotproof-server")
        return [ours, "--dialect", self.dialect, "--loglevel", "warning"]

    @contextlib.contextmanager
    def cluster(self, port: int) -> Iterator[None]:
        """The cluster runs on six ports; the masters have the first."""
        with tempfile.TemporaryDirectory() as folder:
            servers = [self._server(Path(folder), number) for number in range(port, port + _NODES)]
            try:
                for server in servers:
                    server.launch()
                for server in servers:
                    server.wait_for_start()
                _create(servers)
                yield
            finally:
                for server in servers:
                    server.ask_to_end()
                for server in servers:
                    server.end()

    def _server(self, folder: Path, port: int) -> Server:
        words = [
            "--port", str(port), "--cluster-enabled", "yes", "--cluster-node-timeout", "5000",
            "--save", "", "--enable-debug-command", "yes",
        ]  # fmt: skip
        return Server("server", port, folder / str(port), [*self.command, *words])

    @contextlib.contextmanager
    def instead_of_docker(self, programs: Mapping[str, Path]) -> Iterator[Mapping[str, str]]:
        """The environment in which the programs are found; what they started is gone afterwards."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for called, script in programs.items():
                wrapper = folder / called
                wrapper.write_text(f'#!/bin/sh\nexec {sys.executable} {script} "$@"\n')
                wrapper.chmod(0o755)
            alone = shutil.which("redis-server") or "redis-server"
            yield {
                "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
                "SERVER_OF_DOCKER": shlex.join(self.command),
                "ALONE_OF_DOCKER": alone,
                "FOLDER_OF_DOCKER": name,
            }
            for file in folder.glob("*/pid"):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(file.read_text()), 9)


def _create(servers: list[Server]) -> None:
    cli = shutil.which("redis-cli")
    if cli is None:
        raise click.UsageError("not installed: redis-cli")
    addresses = [f"{LOOPBACK}:{server.port}" for server in servers]
    words = [cli, "--cluster", "create", *addresses, "--cluster-replicas", "1", "--cluster-yes"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=_PATIENCE_S)
    if done.returncode != 0:
        raise click.ClickException(f"no cluster: {done.stdout[-500:]}{done.stderr[-500:]}")
    wait_until(lambda: all_linked(servers), _PATIENCE_S, what="all know all")
    wait_until(lambda: cluster_is_ok(servers), _PATIENCE_S, what="the cluster is ok")
    wait_until(lambda: all(map(_has_its_part, servers)), _PATIENCE_S, what="replicas have the data")


def _has_its_part(server: Server) -> bool:
    replication = server.client.info("replication")
    return bool(replication.get("master_link_status", "up") == "up")
