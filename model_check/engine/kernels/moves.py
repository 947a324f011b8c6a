"""Which moves can be made in a state, whatever the links."""

from model_check.engine.kernels.lookup import miss, recall, tuple_of
from model_check.engine.kernels.native import Array, narrow, part
from model_check.engine.layout import (
    ACT,
    CHOICE_COUNT,
    CHOICE_FIRST,
    CHOICE_MOVES,
    CHOICE_WIDTH,
    CHOICES,
    CHOOSE,
    IDLE,
    LIST_MOVES,
    MOVE_CLASS,
    MOVE_STEP,
    MOVE_WIDTH,
    MOVES,
    NOTHING,
    RECEIVE,
    ROWS,
    SEEN,
    SIGHT_BITS,
    SIGHT_CLASSES,
    SIGHT_SPAN,
    SIGHT_TABLE,
    STATE_COUNT,
    STATE_DOWN,
    STATE_FIRST,
    STATE_LOOKS,
    STATE_WIDTH,
    STATES,
    UNKNOWN,
    WATCHER_LIST,
    WATCHERS,
    WIDTH,
)


@part
def listed(d: Array, state: int) -> int:
    """How many moves the local state has; none as long as they are not listed."""
    count = narrow(d[STATES])[state * STATE_WIDTH + STATE_COUNT]
    if count == UNKNOWN:
        miss(d, LIST_MOVES, state, 0)
        return 0
    return count


@part
def first_move(d: Array, state: int) -> int:
    """The first of the moves of the local state."""
    return narrow(d[STATES])[state * STATE_WIDTH + STATE_FIRST]


@part
def outcome(d: Array, move: int) -> int:
    """The step of the move; NOTHING if it is never a transition, UNKNOWN if not known yet."""
    row = move * MOVE_WIDTH
    moves = narrow(d[MOVES])
    step = moves[row + MOVE_STEP]
    if step == UNKNOWN:
        miss(d, ACT, move, 0)
        return UNKNOWN
    return NOTHING if moves[row + MOVE_CLASS] == IDLE else step


@part
def reaction(d: Array, state: int, arrival: int) -> int:
    """The step of the delivery; NOTHING if the message is lost."""
    if narrow(d[STATES])[state * STATE_WIDTH + STATE_DOWN] != 0:
        return NOTHING
    return recall(d, RECEIVE, state, arrival)


@part
def look_around(d: Array, position: int) -> bool:
    """The tuple of observations in the state is in SEEN, if there are watchers and it is known."""
    if d[WATCHERS] == 0:
        return False
    rows, classes = narrow(d[ROWS]), narrow(d[SIGHT_CLASSES])
    base = position * d[WIDTH]
    seen = tuple_of(d, rows, base, classes, d[SIGHT_TABLE], d[SIGHT_BITS], d[SIGHT_SPAN])
    d[SEEN] = seen
    return seen != UNKNOWN


@part
def choice_of(d: Array, position: int, watcher: int) -> int:
    """What the watcher of that rank may do besides, as it sees the state.

    NOTHING if it does not look, UNKNOWN if that is not known yet.
    """
    process = narrow(d[WATCHER_LIST])[watcher]
    state = narrow(d[ROWS])[position * d[WIDTH] + process]
    if narrow(d[STATES])[state * STATE_WIDTH + STATE_LOOKS] == 0:
        return NOTHING
    return recall(d, CHOOSE, state, d[SEEN])


@part
def choices(d: Array, choice: int) -> int:
    """How many moves there are to choose from."""
    return narrow(d[CHOICES])[choice * CHOICE_WIDTH + CHOICE_COUNT]


@part
def chosen(d: Array, choice: int, rank: int) -> int:
    """The move of that rank."""
    first = narrow(d[CHOICES])[choice * CHOICE_WIDTH + CHOICE_FIRST]
    return narrow(d[CHOICE_MOVES])[first + rank]
