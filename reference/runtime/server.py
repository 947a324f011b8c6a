"""The executable `slotproof-server`: the command line, log and exit codes of `redis-server`."""

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Final, NoReturn

from reference.clauses import clause
from reference.runtime.configuration.file import config_text, reads_stdin
from reference.runtime.data.keyspace import preload_engine
from reference.runtime.driver import NodeFailedError, run_nodes
from reference.runtime.driver_log import LEVELS, log_to_file, log_to_stdout
from reference.runtime.node import Node
from reference.runtime.opening import StartError
from reference.runtime.options import NodeOptions, OptionError
from reference.runtime.server_options import ConfigFileError, started_with

log = logging.getLogger(__name__)

_USAGE: Final = """Usage: slotproof-server [FILE.conf] [--directive value ...] [-]
       slotproof-server - (reads the configuration from standard input)
       slotproof-server -v or --version
       slotproof-server -h or --help

One node of a Redis Cluster. The configuration is the one of redis-server, with cluster-enabled yes.
One directive more: --dialect redis-7.0 | redis-8.0 | valkey-8.1 | valkey-9.1 | strict
"""

_ACTED_UPON: Final = frozenset(
    {
        "acl-pubsub-default",
        "aclfile",
        "acllog-max-len",
        "aof-load-truncated",
        "appenddirname",
        "appendfilename",
        "appendfsync",
        "appendonly",
        "auto-aof-rewrite-min-size",
        "auto-aof-rewrite-percentage",
        "bind",
        "client-output-buffer-limit",
        "client-query-buffer-limit",
        "cluster-link-sendbuf-limit",
        "daemonize",
        "dbfilename",
        "enable-debug-command",
        "logfile",
        "loglevel",
        "masterauth",
        "masteruser",
        "maxclients",
        "pidfile",
        "proto-max-bulk-len",
        "repl-backlog-size",
        "repl-backlog-ttl",
        "repl-diskless-sync",
        "repl-ping-replica-period",
        "repl-timeout",
        "rdb-key-save-delay",
        "requirepass",
        "save",
        "shutdown-on-sigint",
        "shutdown-on-sigterm",
        "shutdown-timeout",
        "stop-writes-on-bgsave-error",
        "tls-auth-clients",
        "tls-ca-cert-dir",
        "tls-ca-cert-file",
        "tls-cert-file",
        "tls-ciphers",
        "tls-ciphersuites",
        "tls-client-cert-file",
        "tls-client-key-file",
        "tls-client-key-file-pass",
        "tls-cluster",
        "tls-dh-params-file",
        "tls-key-file",
        "tls-key-file-pass",
        "tls-port",
        "tls-prefer-server-ciphers",
        "tls-protocols",
        "tls-replication",
        "cluster-announce-tls-port",
    }
)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """A node has run as these words of the command line say; the process exits."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if len(words) == 1 and words[0] in ("-v", "--version"):
        sys.stdout.write(f"slotproof server v={version('slotproof')}\n")
        sys.exit(0)
    if len(words) == 1 and words[0] in ("-h", "--help"):
        sys.stdout.write(_USAGE)
        sys.exit(0)
    if words[:1] in (["--test-memory"], ["--check-system"]):
        sys.stderr.write(f"slotproof-server: {words[0]} is a matter of other tools\n")
        sys.exit(1)
    try:
        options = read_options(words, cluster_enabled=False)
    except ConfigFileError as error:
        sys.stderr.write(error.told)
        sys.exit(1)
    except (OptionError, ConfigReadError) as error:
        sys.stderr.write(f"slotproof-server: {error}\n")
        sys.exit(1)
    serve(options)


class ConfigReadError(Exception):
    """A file of the configuration that cannot be read, and why."""


def read_options(words: Sequence[str], *, cluster_enabled: bool) -> NodeOptions:
    """The options that a command line says; an error of this module or `server_options` if none."""
    try:
        stdin = sys.stdin.read() if reads_stdin(words) else ""
        path, text = config_text(words, stdin)
        return started_with(text, path, cluster_enabled=cluster_enabled)
    except (OSError, UnicodeError) as error:
        raise ConfigReadError(f"Fatal error, can't open config file: {error}") from error


@clause("RT-33")
def serve(options: NodeOptions) -> NoReturn:
    """The node has run until a signal asked for its end, and the process exits.

    With 0 if it was asked to end, with 1 if it cannot start or go on. Counterpart: `main`.
    """
    level = LEVELS[options.kept.get("loglevel", "notice")]
    if options.kept.get("daemonize") == "yes":
        _leave_terminal()
    try:
        _open_log(options, level)
    except OSError as error:
        sys.stderr.write(
            f"\n*** FATAL CONFIG FILE ERROR (slotproof) ***\nCan't open the log file: {error}\n"
        )
        sys.exit(1)
    log.info("slotproof, dialect %s, port %d, PID: %d", options.dialect, options.port, os.getpid())
    _say_without_effect(options)
    try:
        with _pid_file(options) as pid_file:
            leave = partial(_leave, pid_file)
            asyncio.run(run_nodes([(options, None)], ready=_say_ready, leave=leave))
    except StartError as error:
        _say_why(error)
        sys.exit(1)
    sys.exit(0)


@clause("RT-33")
def _leave(pid_file: Path | None, error: NodeFailedError | None) -> NoReturn:
    """The process ends now: Python would take its time to, with its ports closed already."""
    if error is not None:
        _say_why(error)
    _remove(pid_file)
    logging.shutdown()
    os._exit(0 if error is None else 1)


def _say_why(error: Exception) -> None:
    log.warning("%s", error)
    sys.stderr.write(f"slotproof: {error}\n")
    sys.stderr.flush()


def _say_ready(nodes: list[Node]) -> None:
    log.info("Server initialized")
    for node in nodes:
        if node.options.port:
            log.info("Ready to accept connections tcp")
        if node.options.tls_port:
            log.info("Ready to accept connections tls")
    preload_engine()


def _open_log(options: NodeOptions, level: int) -> None:
    path = options.kept.get("logfile")
    if path:
        log_to_file(options.directory / path, level)
    else:
        log_to_stdout(level)


def _say_without_effect(options: NodeOptions) -> None:
    names = sorted(options.kept.keys() - _ACTED_UPON)
    if names:
        log.info("Kept without effect: %s", ", ".join(names))


@contextlib.contextmanager
def _pid_file(options: NodeOptions) -> Iterator[Path | None]:
    """The file that was asked for has the process id, and is gone afterwards."""
    name = options.kept.get("pidfile")
    if not name:
        yield None
        return
    path = options.directory / name
    try:
        path.write_text(f"{os.getpid()}\n")
    except OSError as error:
        log.warning("Failed to write PID file: %s", error)
    try:
        yield path
    finally:
        _remove(path)


def _remove(pid_file: Path | None) -> None:
    if pid_file is not None:
        with contextlib.suppress(OSError):
            pid_file.unlink()


def _leave_terminal() -> None:
    """The process goes on in the background, the one that was started has ended with 0.

    Counterpart: `daemonize`.
    """
    if os.fork():
        os._exit(0)
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nowhere, number)
