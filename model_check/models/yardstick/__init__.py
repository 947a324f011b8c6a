"""Classic systems with published counts, a check of the engine itself.

TLC's "states generated" are the transitions counted here, and one for the initial state, and one
for each step of TLC that leaves everything as it was, and each further way in which TLC finds the
same step; distinct states are the same, and TLC's depth, which counts states, is one more.
"""

from typing import Final

from model_check.models.yardstick.scopes import PAXOS, REDIS_FAILOVER, TWO_PHASE
from model_check.models.yardstick.yardstick import Yardstick

YARDSTICKS: Final[dict[str, Yardstick]] = {
    yardstick.name: yardstick for yardstick in (REDIS_FAILOVER, TWO_PHASE, PAXOS)
}
"""Every yardstick by its name."""
