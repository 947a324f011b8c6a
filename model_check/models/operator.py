"""The commands of operators, as they type them."""

from collections.abc import Mapping
from typing import Final

from reference.core.events import (
    ClusterAddSlots,
    ClusterBumpEpoch,
    ClusterCancelSlotMigrations,
    ClusterDelSlots,
    ClusterFailover,
    ClusterFlushSlots,
    ClusterForget,
    ClusterMeet,
    ClusterMigrateSlots,
    ClusterReplicate,
    ClusterReplicateNoOne,
    ClusterReset,
    ClusterSaveConfig,
    ClusterSetConfigEpoch,
    ClusterSetslotImporting,
    ClusterSetslotMigrating,
    ClusterSetslotNode,
    ClusterSetslotStable,
    Command,
)

_SUBCOMMANDS: Final[Mapping[type, str]] = {
    ClusterMeet: "MEET {0.address.ip} {0.address.port}",
    ClusterAddSlots: "ADDSLOTS {0.slots}",
    ClusterDelSlots: "DELSLOTS {0.slots}",
    ClusterFlushSlots: "FLUSHSLOTS",
    ClusterReplicate: "REPLICATE {0.master}",
    ClusterReplicateNoOne: "REPLICATE NO ONE",
    ClusterForget: "FORGET {0.node}",
    ClusterSetConfigEpoch: "SET-CONFIG-EPOCH {0.config_epoch}",
    ClusterBumpEpoch: "BUMPEPOCH",
    ClusterSaveConfig: "SAVECONFIG",
    ClusterFailover: "FAILOVER {0.option.name}",
    ClusterSetslotMigrating: "SETSLOT {0.slot} MIGRATING {0.node}",
    ClusterSetslotImporting: "SETSLOT {0.slot} IMPORTING {0.node}",
    ClusterSetslotStable: "SETSLOT {0.slot} STABLE",
    ClusterSetslotNode: "SETSLOT {0.slot} NODE {0.node}",
    ClusterCancelSlotMigrations: "CANCELSLOTMIGRATIONS",
}


def command_text(command: Command) -> str:
    """The command line, `CLUSTER` included."""
    if isinstance(command, ClusterReset):
        return f"CLUSTER RESET {'HARD' if command.new_id else 'SOFT'}"
    if isinstance(command, ClusterMigrateSlots):
        asked = (f"SLOTSRANGE {each.slots} NODE {each.target}" for each in command.requests)
        return f"CLUSTER MIGRATESLOTS {' '.join(asked)}"
    text = _SUBCOMMANDS[type(command)].format(command)
    return f"CLUSTER {text.removesuffix(' PLAIN')}"
