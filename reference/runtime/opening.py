"""How a node comes to be, from its nodes.conf or new, and how it ends."""

import contextlib
import logging
from collections.abc import AsyncIterator
from functools import partial

import attrs

from reference.clauses import clause
from reference.core.state import ClusterState, new_node
from reference.core.types import NodeId
from reference.runtime.clock import new_node_id, new_shard_id
from reference.runtime.data.keyspace import Keyspace
from reference.runtime.files.nodes_file import announced_by_nodes, from_conf
from reference.runtime.files.storage import ConfigFile, ConfigLockedError
from reference.runtime.listening import present
from reference.runtime.node import Node
from reference.runtime.options import NodeOptions
from reference.runtime.saving.append_log import AppendLogError, Recording
from reference.runtime.saving.data_file import DataFileError, Loaded, load_file
from reference.runtime.serving.port import serve_clients
from reference.runtime.surroundings import NO_SURROUNDINGS, Surroundings
from reference.runtime.tls.settings import TlsError
from reference.runtime.users.users import AclError
from reference.wire.announced import Announced
from reference.wire.nodes_conf_parse import NodesConfError, parse_nodes_conf

log = logging.getLogger(__name__)


class StartError(Exception):
    """Why the node cannot start, in one line for its operator."""


def read_state(
    config: ConfigFile, options: NodeOptions
) -> tuple[ClusterState, dict[NodeId, Announced]]:
    """The state to start from, with the address that the options say, and what nodes announced.

    The file is not touched.

    StartError if the file is damaged. Counterpart: `clusterLoadConfig`, `clusterInit`.
    """
    rules, content = options.rules, config.load()
    if not content:
        state = new_node(rules, new_node_id(), shard_id=new_shard_id(), address=options.address)
        log.info("No cluster configuration found, I'm %s", state.myself_id)
        return state, {}
    try:
        conf = parse_nodes_conf(content)
    except NodesConfError as error:
        raise StartError(f"{config.path}: {error}") from error
    state = from_conf(conf, rules, tls=options.tls_cluster)
    myself = attrs.evolve(state.myself, address=options.address)
    if rules.shards and myself.shard_id is None:
        myself = attrs.evolve(myself, shard_id=new_shard_id())
    log.info("Node configuration loaded, I'm %s", state.myself_id)
    return state.put(myself), announced_by_nodes(conf)


@contextlib.asynccontextmanager
async def listening_node(
    options: NodeOptions,
    state: ClusterState | None = None,
    surroundings: Surroundings = NO_SURROUNDINGS,
) -> AsyncIterator[Node]:
    """A node that answers on its bus and to its clients, until the end of the block.

    It does nothing by itself before its `start`. With a state it begins with that one instead of
    its file's. StartError if it cannot start.
    """
    async with contextlib.AsyncExitStack() as at_end:
        config = _open_config(options)
        at_end.callback(config.close)
        announced: dict[NodeId, Announced] = {}
        if state is None:
            state, announced = read_state(config, options)
        keyspace = Keyspace()
        at_end.callback(keyspace.close)
        keyspace.follows(master=state.myself.is_replica)
        failures: list[Node] = []
        recording = Recording(keyspace, partial(_fail, failures))
        at_end.push_async_callback(recording.close)
        loaded = _load(recording, keyspace, options, master=state.myself.is_master)
        node = Node(options, state, config, keyspace, announced, surroundings)
        failures.append(node)
        keyspace.record_as = recording.follow
        at_end.push_async_callback(node.close)
        port = options.port
        try:
            node.tls.load(options)()
            hosts = present(options.addresses)
            clients = await serve_clients(node, keyspace, hosts, port)
            at_end.push_async_callback(clients.close)
            node.clients = clients
            clients.service.file.loaded = loaded
            if loaded.history is not None and state.myself.is_replica:
                node.replicas.stream.adopt(*loaded.history)
            if options.tls_port:
                port = options.tls_port
                clients.start_tls(hosts, port)
            port = options.cport
            await node.listen()
        except OSError as error:
            raise StartError(f"Failed listening on port {port}: {error}") from error
        except AclError as error:
            raise StartError(str(error)) from error
        except TlsError as error:
            raise StartError(f"Failed to configure TLS: {error}") from error
        yield node


@contextlib.asynccontextmanager
async def running_node(
    options: NodeOptions, state: ClusterState | None = None
) -> AsyncIterator[Node]:
    """A node that does all that a node does, until the end of the block; StartError as above."""
    async with listening_node(options, state) as node:
        node.start()
        yield node


def _fail(nodes: list[Node], error: OSError) -> None:
    """The node stops, since it cannot keep what it would acknowledge."""
    log.critical("Fatal: can't write the append only file: %s", error)
    for node in nodes:
        if not node.failed.done():
            node.failed.set_exception(error)


@clause("RT-50", "RT-80")
def _load(
    recording: Recording, keyspace: Keyspace, options: NodeOptions, *, master: bool
) -> Loaded:
    """The keyspace has what was recorded, else what was saved; StartError if it cannot be read."""
    try:
        recording.start(options)
    except (AppendLogError, OSError, UnicodeError) as error:
        raise StartError(f"the append only file cannot be used: {error}") from error
    if keyspace.recorder is not None:
        return Loaded()
    try:
        return load_file(keyspace, options, master=master) or Loaded()
    except (DataFileError, OSError) as error:
        raise StartError(f"Fatal error loading the DB: {error}. Exiting.") from error


def _open_config(options: NodeOptions) -> ConfigFile:
    try:
        options.directory.mkdir(parents=True, exist_ok=True)
        return ConfigFile(options.config_path)
    except ConfigLockedError as error:
        raise StartError(str(error)) from error
    except OSError as error:
        raise StartError(f"{options.config_path} cannot be opened: {error}") from error
