"""More rows of commands, in the form that `command_rows` describes.

In the place of the first key there may be a keyword that goes before it and where to look for the
keyword from, and at the end of how many arguments left one is a key. "?" is where only the command
itself can tell.
"""

from typing import Final

MORE_NODE_ROWS: Final = """
dump 2 readonly keyspace nondeterministic_output 1/0/1/RO,access
migrate -6 write keyspace,dangerous nondeterministic_output 3/0/1/RW,access,delete KEYS@-2/-1/1/RW,access,delete,incomplete
restore -4 write,denyoom keyspace,dangerous - 1/0/1/OW,update
restore-asking -4 write,denyoom,asking keyspace,dangerous - 1/0/1/OW,update
psubscribe -2 pubsub,noscript,loading,stale pubsub -
publish 3 pubsub,loading,stale,fast pubsub -
pubsub -2 - - -
pubsub|channels -2 pubsub,loading,stale pubsub -
pubsub|help 2 loading,stale - -
pubsub|numpat 2 pubsub,loading,stale pubsub -
pubsub|numsub -2 pubsub,loading,stale pubsub -
pubsub|shardchannels -2 pubsub,loading,stale pubsub -
pubsub|shardnumsub -2 pubsub,loading,stale pubsub -
punsubscribe -1 pubsub,noscript,loading,stale pubsub -
reset 1 noscript,loading,stale,fast,no_auth,allow_busy connection -
spublish 3 pubsub,loading,stale,fast pubsub - 1/0/1/not_key
ssubscribe -2 pubsub,noscript,loading,stale pubsub - 1/-1/1/not_key
subscribe -2 pubsub,noscript,loading,stale pubsub -
sunsubscribe -1 pubsub,noscript,loading,stale pubsub - 1/-1/1/not_key
unsubscribe -1 pubsub,noscript,loading,stale pubsub -
"""  # noqa: E501 - a line for each
"""Commands that the node answers itself, as Redis 7.0 has them."""

MORE_DATA_ROWS: Final = """
"""
"""Commands that the keyspace answers."""

_VALKEY_ROWS: Final = ""

MORE_RELEASE_ROWS: Final = {
    "redis-7.0": "",
    "redis-8.0": "",
    "valkey-8.1": _VALKEY_ROWS,
    "valkey-9.1": _VALKEY_ROWS,
}
"""What a dialect has besides, or instead."""
