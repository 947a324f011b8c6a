"""The subcommands `slotproof node` and `slotproof cluster`."""

import asyncio
import contextlib
import logging
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import click
from click.core import ParameterSource

from reference.core.rules import DIALECTS
from reference.core.state import ClusterState
from reference.runtime.configuration.directives import (
    DIRECTIVES,
    DirectiveError,
    with_addresses,
    with_value,
)
from reference.runtime.configuration.kept_directives import kept_directives
from reference.runtime.driver import asked_to_stop
from reference.runtime.driver_log import LEVELS, log_to_stdout
from reference.runtime.host.cluster import formed_cluster
from reference.runtime.host.cluster_host import ClusterHost
from reference.runtime.host.console import serve_console
from reference.runtime.node import Node
from reference.runtime.opening import StartError
from reference.runtime.options import LOOPBACK, NodeOptions, OptionError, bus_port
from reference.runtime.server import ConfigReadError, read_options, serve
from reference.runtime.server_options import ConfigFileError
from reference.runtime.surroundings import Recorder

_PORT: Final = click.IntRange(1, 65535)
_TIMEOUT: Final = click.IntRange(min=1)
_Decorator = Callable[[Callable[..., None]], Callable[..., None]]

_SHARED: Final[tuple[_Decorator, ...]] = (
    click.option("--cluster-node-timeout", type=_TIMEOUT, default=15000, show_default=True,
                 metavar="MS", help="How long a node may be silent, in milliseconds."),
    click.option("--dialect", type=click.Choice(sorted(DIALECTS)), default="valkey-9.1",
                 show_default=True, help="Which release's rules the node follows."),
    click.option("--bind", default=LOOPBACK, show_default=True, metavar="A",
                 help="The address to listen on."),
    click.option("--loglevel", type=click.Choice(list(LEVELS)), default="notice",
                 show_default=True, help="What the log on stdout tells."),
)  # fmt: skip


def _shared(function: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_SHARED):
        function = option(function)
    return function


def _directives(function: Callable[..., None]) -> Callable[..., None]:
    """An option for each directive that `_SHARED` does not have."""
    for directive in reversed(DIRECTIVES):
        if directive.name != "cluster-node-timeout":
            names = [f"--{name}" for name in (directive.name, directive.alias) if name]
            function = click.option(*names, metavar="V", help=directive.help)(function)
    return function


def _read(context: click.Context, words: Sequence[str]) -> NodeOptions:
    """The options of the file and of all directives given; UsageError if one is refused."""
    given = [
        text
        for name, value in context.params.items()
        if name != "words" and context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        for text in ("--dir" if name == "directory" else f"--{name.replace('_', '-')}", str(value))
    ]
    try:
        return read_options([*words, *given], cluster_enabled=True)
    except ConfigFileError as error:
        raise click.UsageError(f"{error.line.text}: {error}") from error
    except (OptionError, ConfigReadError) as error:
        raise click.UsageError(str(error)) from error


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[FILE]")
@click.option("--port", type=_PORT, default=6379, show_default=True, help="For clients.")
@click.option("--cluster-port", type=_PORT, help="For the bus.  [default: port + 10000]")
@click.option("--cluster-config-file", default="nodes.conf", show_default=True, metavar="F",
              help="Where the node keeps what it must not forget.")  # fmt: skip
@click.option("--dir", "directory", type=click.Path(file_okay=False, path_type=Path),
              default=Path(), metavar="D", help="Where that file is.  [default: here]")  # fmt: skip
@click.option("--cluster-enabled", type=click.Choice(["yes", "no"]), default="yes",
              help="Only yes.")  # fmt: skip
@_directives
@_shared
@click.pass_context
def node(context: click.Context, /, words: tuple[str, ...], **given: Any) -> None:  # noqa: ANN401 - click passes the options above by name
    """Run one node of a Redis Cluster, until SIGINT or SIGTERM.

    FILE is a configuration as redis-server has it; all its directives are options too, and those
    that mean nothing here are only kept and shown.
    """
    if given["cluster_enabled"] == "no":
        raise click.BadParameter(
            "a slotproof node is always one of a cluster", param_hint="--cluster-enabled"
        )
    given["directory"].mkdir(parents=True, exist_ok=True)
    serve(_read(context, words))


def _bus_port(port: int, cluster_port: int | None) -> int:
    try:
        return bus_port(port, cluster_port)
    except OptionError as error:
        raise click.UsageError(str(error)) from error


_TLS_HELP: Final = {
    "tls-cert-file": "The certificate that all nodes show.",
    "tls-key-file": "Its key.",
    "tls-ca-cert-file": "The authorities that nodes believe.",
    "tls-auth-clients": "Whether clients need certificates: yes, no or optional.",
    "tls-cluster": "yes: the links of the bus have TLS.",
    "tls-replication": "yes: links between masters and replicas have TLS.",
}
_TLS: Final = tuple(
    dict.fromkeys(
        name
        for name in (*_TLS_HELP, *kept_directives("valkey-9.1"))
        if name.startswith("tls-") and name != "tls-port"
    )
)


def _tls_options(function: Callable[..., None]) -> Callable[..., None]:
    """An option for each directive about TLS; those that few need are not shown."""
    for name in reversed(_TLS):
        text = _TLS_HELP.get(name)
        function = click.option(f"--{name}", metavar="V", help=text, hidden=not text)(function)
    return click.option("--tls-port", type=_PORT, metavar="P",
                        help="For clients with TLS; of the first node.")(function)  # fmt: skip


def seated(given: Mapping[str, Any], directory: Path, number: int) -> NodeOptions:
    """The options of one node of a cluster; UsageError if a directive is refused."""
    port, first_tls = given["port"] + number, given["tls_port"]
    kept = {"dbfilename": f"dump-{port}.rdb"}
    if first_tls:
        kept["tls-port"] = str(first_tls + number)
    options = NodeOptions(
        port=port,
        cport=0,
        dialect=given["dialect"],
        node_timeout_ms=given["cluster_node_timeout"],
        cluster_config_file=f"nodes-{port}.conf",
        kept=kept,
        directory=directory,
        writable_delay_ms=0,  # nobody can know anything newer: all start together
    )
    try:
        options = with_addresses(options, [given["bind"]])
        for name in _TLS:
            if (text := given[name.replace("-", "_")]) is not None:
                options = with_value(options, name, [text])
    except DirectiveError as error:
        raise click.UsageError(str(error)) from error
    if options.tls_cluster and not first_tls:
        raise click.UsageError("--tls-cluster yes needs a --tls-port")
    base = options.tls_port if options.tls_cluster else port
    return attrs.evolve(options, cport=_bus_port(base, None))


@click.command()
@click.option("--masters", type=click.IntRange(1, 1000), default=3, show_default=True)
@click.option("--replicas", type=click.IntRange(0, 1000), default=3, show_default=True,
              help="Of the whole cluster.")  # fmt: skip
@click.option("--port", type=_PORT, default=7000, show_default=True,
              help="Of the first node; the others follow.")  # fmt: skip
@click.option("--dir", "directory", type=click.Path(file_okay=False, path_type=Path), metavar="D",
              help="Where the nodes keep their files, to go on from later.")  # fmt: skip
@click.option("--journal", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Record every event of every node, for `slotproof replay`.")  # fmt: skip
@click.option("--api", type=click.IntRange(0, 65535), metavar="PORT",
              help="Answer HTTP on this port of 127.0.0.1; 0: on any free one.")  # fmt: skip
@_tls_options
@_shared
def cluster(**given: Any) -> None:  # noqa: ANN401 - click passes the options above by name
    """Run a whole Redis Cluster in this process, until SIGINT or SIGTERM.

    Standard input is a console: `help` lists its commands.
    """
    count = given["masters"] + given["replicas"]
    for first in (given["port"], given["tls_port"] or 0):
        if first + count - 1 > 65535:
            raise click.UsageError(f"{count} nodes from port {first} on need ports above 65535")
    log_to_stdout(max(LEVELS[given["loglevel"]], logging.WARNING))
    with _directory(given["directory"]) as directory:
        options = [seated(given, directory, number) for number in range(count)]
        nodes = _with_states(options, given["masters"])
        try:
            failures = asyncio.run(_host(nodes, given["journal"], given["api"]))
        except (StartError, OSError) as error:
            failures = [str(error)]
    for failure in failures:
        click.echo(f"slotproof: {failure}", err=True)
    if failures:
        sys.exit(1)


async def _host(
    nodes: Sequence[tuple[NodeOptions, ClusterState | None]],
    journal_path: Path | None,
    api_port: int | None,
) -> list[str]:
    """The cluster has run to its end; the answer is why nodes failed."""
    stop = asked_to_stop()
    async with contextlib.AsyncExitStack() as at_end:
        journal: Recorder | None = None
        if journal_path is not None:
            from reference.runtime.host.journal import Journal  # noqa: PLC0415 - most runs have none

            journal = at_end.enter_context(contextlib.closing(Journal(journal_path)))
        host = await at_end.enter_async_context(ClusterHost(journal))
        await host.start(nodes)
        if api_port is not None:
            port = await at_end.enter_async_context(_api(host, api_port))
            click.echo(f"api http://{LOOPBACK}:{port}/")
        _say_cluster(host.running)
        console = asyncio.create_task(serve_console(host, click.echo, stop))
        await stop.wait()
        console.cancel()
        await asyncio.wait([console])
        return host.failures


def _api(host: ClusterHost, port: int) -> contextlib.AbstractAsyncContextManager[int]:
    try:
        from reference.runtime.host.http_api import http_api  # noqa: PLC0415 - of an extra
    except ImportError as error:
        raise StartError(
            f"--api needs the extra: pip install 'slotproof[api]' ({error})"
        ) from error
    return http_api(host, port)


@contextlib.contextmanager
def _directory(given: Path | None) -> Iterator[Path]:
    """The directory that was given, else one that is gone afterwards."""
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="slotproof-") as temporary:
        yield Path(temporary)


def _with_states(
    options: list[NodeOptions], masters: int
) -> Sequence[tuple[NodeOptions, ClusterState | None]]:
    """New states if there are no files, those of the files if there are all."""
    saved = [each.config_path.exists() for each in options]
    if all(saved):
        return [(each, None) for each in options]
    if any(saved):
        found = options[saved.index(True)].config_path
        raise click.UsageError(f"{found} is there, but not the files of all nodes")
    return formed_cluster(options, masters)


def _say_cluster(nodes: list[Node]) -> None:
    for each in nodes:
        myself = each.state.myself
        role = f"slave  {myself.replicaof}" if myself.is_replica else f"master {myself.slots}"
        address = f"{each.options.ip}:{each.options.port}@{each.options.cport}"
        tls = f" tls-port={each.options.tls_port}" if each.options.tls_port else ""
        click.echo(f"{myself.node_id} {address} {role}{tls}")
    click.echo("ready")
