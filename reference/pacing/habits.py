"""How the releases differ in when they do things; the rules themselves know nothing of it."""

from typing import Final

import attrs


@attrs.frozen(kw_only=True)
class Habits:
    """One named switch for each difference in timing; the clause it belongs to stands beside it."""

    election_delay_scales: bool  # PA-11 with the node timeout, else it is 500 to 1000 ms
    replica_without_data_waits: bool  # PA-11 500 ms more
    equal_offsets_go_by_id: bool  # PA-12 else replicas with equal offsets have equal ranks
    rank_may_fall: bool  # PA-12 a better rank brings the election forward
    failed_masters_take_turns: bool  # PA-24 else all shards hold their elections at once
    reports_last_whole_seconds: bool  # PA-21 from the next whole second on
    gossip_spares_receiver: bool  # PA-17 a node is not told of itself
    redials_are_rationed: bool  # PA-25 nodes that are gone are dialled less often


_REDIS: Final = Habits(
    election_delay_scales=False,
    replica_without_data_waits=False,
    equal_offsets_go_by_id=False,
    rank_may_fall=False,
    failed_masters_take_turns=False,
    reports_last_whole_seconds=False,
    gossip_spares_receiver=False,
    redials_are_rationed=False,
)

_VALKEY_8_1: Final = attrs.evolve(
    _REDIS, equal_offsets_go_by_id=True, rank_may_fall=True, failed_masters_take_turns=True
)

_VALKEY_9_1: Final = attrs.evolve(
    _VALKEY_8_1,
    election_delay_scales=True,
    replica_without_data_waits=True,
    reports_last_whole_seconds=True,
    gossip_spares_receiver=True,
    redials_are_rationed=True,
)

HABITS: Final = {
    "redis-7.0": _REDIS,
    "redis-8.0": _REDIS,
    "valkey-8.1": _VALKEY_8_1,
    "valkey-9.1": _VALKEY_9_1,
    "strict": _VALKEY_9_1,
}
"""By the dialect's name."""
