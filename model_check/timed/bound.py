"""How long both can take writes at the most, by argument instead of by search.

A serves as long as it misses no majority, so there is another master X that it does not miss and
whose vote D needs. A misses X no later than NT/2 and a round after X's last PONG, when it pings X,
and NT more. X heard of A when it sent that PONG, which took `delay` at the most, and does not miss
A before NT has passed since. Then D waits for its election, and votes are there at once:

    A stops within      NT/2 + round + NT + notice   of the PONG, by its own clock
    D starts no sooner than       NT + notice + election delay   after X sent it

The difference is the window of one cut. A that is reached again before it stops, or goes on after a
pause, may get one more PONG while what would demote it is late and is lost in the next cut: then it
serves for the whole of the first line once more.
"""

from typing import Final

import attrs

from reference.pacing.pace import ROUND_MS


@attrs.frozen(kw_only=True)
class Setting:
    """What the bound depends on; times in milliseconds."""

    node_timeout: int
    election_delay: int
    delay: int = 0  # of a message to or from A, at the most
    notice: int = 0  # after which a missing PONG is noticed: at A later than at X by so much
    missed: int = 0  # A's clock misses this long...
    missed_in: int = 0  # ... in so long, 0: it is true
    returns: int = 0  # how often A is reached again, or goes on after a pause


def serving_after_pong(setting: Setting, granted: int = 0) -> int:
    """How long A goes on after the last PONG; `granted` is added to its own time.

    A slow clock may miss a time at once, and then again after each time that it did not miss.
    """
    own = setting.node_timeout // 2 + ROUND_MS + setting.node_timeout + granted
    if not setting.missed_in:
        return own
    apart = setting.missed_in - setting.missed
    return own + setting.missed * (1 + (own - 1) // apart)


def bound(setting: Setting, granted: int = 0) -> int:
    """The longest window, in milliseconds; `granted` is the grain of the time in which all act."""
    alone = serving_after_pong(setting, granted + setting.notice)
    first = alone + setting.delay - setting.node_timeout - granted - setting.election_delay
    first = max(first, 0)
    if not setting.returns:
        return first
    if not setting.delay:
        return max(first, alone)
    return first + setting.returns * (alone + setting.delay)


SERVERS_NOTICE_MS: Final = ROUND_MS
"""Servers look for missing PONGs in their rounds, and not when they are due."""
