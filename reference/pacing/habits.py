"""How the releases differ in when they do things; the rules themselves know nothing of it."""

from typing import Final

import attrs


@attrs.frozen(kw_only=True)
class Habits:
    """One named switch for each difference in timing; the clause it belongs to stands beside it."""

    election_delay_scales: bool  # PA-11 with the node timeout, else it is 500 to 1000 ms
    equal_offsets_go_by_id: bool  # PA-12 else replicas with equal offsets have equal ranks
    rank_may_fall: bool  # PA-12 a better rank brings the election forward


_REDIS_7_0: Final = Habits(
    election_delay_scales=False, equal_offsets_go_by_id=False, rank_may_fall=False
)

_VALKEY_9_1: Final = Habits(
    election_delay_scales=True, equal_offsets_go_by_id=True, rank_may_fall=True
)

HABITS: Final = {"redis-7.0": _REDIS_7_0, "valkey-9.1": _VALKEY_9_1}
"""By the dialect's name."""
