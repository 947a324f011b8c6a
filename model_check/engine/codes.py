"""What a transition does, in one number that is unique among those from its state.

The kind is in the lowest bits, what it is about above them.
"""

from typing import Final

MOVE: Final = 0  # of a move
DELIVER: Final = 1  # of an envelope
DELIVER_HELD: Final = 2  # of an envelope
LOSE: Final = 3  # of an envelope
LOSE_HELD: Final = 4  # of an envelope
HOLD: Final = 5  # of an envelope
SEND_AND_DELIVER: Final = 6  # of a move
SEND_AND_HOLD: Final = 7  # of a move
BREAK: Final = 8  # of a channel and the number of messages that are kept

KIND_BITS: Final = 4
KEPT_BITS: Final = 8
