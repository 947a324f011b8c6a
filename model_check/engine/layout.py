"""How the engine's tables and a kernel's directory are laid out: what stands at which position.

Tables are flat arrays of 32-bit numbers, row after row; `X_WIDTH` is the number of fields of a row.
The directory is one array of 64-bit numbers: sizes, counters and the addresses of all other arrays.
"""

from typing import Final

UNKNOWN: Final = -1  # not computed yet
NOTHING: Final = -2  # computed, and there is no such thing

# Local states.
STATE_PROCESS: Final = 0
STATE_DOWN: Final = 1
STATE_FIRST: Final = 2  # its moves are consecutive
STATE_COUNT: Final = 3  # UNKNOWN until they are listed
STATE_LOOKS: Final = 4  # whether it is one in which a watcher looks at the others
STATE_WIDTH: Final = 5

MOVE_STATE: Final = 0
MOVE_COST: Final = 1
MOVE_EVENT: Final = 2
MOVE_STEP: Final = 3  # UNKNOWN until it is first enabled
MOVE_CLASS: Final = 4
MOVE_WIDTH: Final = 5

IDLE: Final = 0  # costs nothing, changes nothing and sends nothing: never a transition
PURE: Final = 1  # costs nothing, changes nothing and sends one message, as a heartbeat does
ACTIVE: Final = 2  # any other move

STEP_AFTER: Final = 0
STEP_BATCH: Final = 1
STEP_IDLE: Final = 2  # 1 if it changes nothing and sends nothing
STEP_REFUTED: Final = 3  # bit i if step property i rejects it
STEP_WIDTH: Final = 4

ENVELOPE_ARRIVAL: Final = 0
ENVELOPE_CHANNEL: Final = 1
ENVELOPE_RECEIVER: Final = 2
ENVELOPE_WIDTH: Final = 3

BATCH_FIRST_ENVELOPE: Final = 0  # -1 for the empty one
BATCH_FIRST_PARCEL: Final = 1
BATCH_PARCELS: Final = 2
BATCH_WIDTH: Final = 3

PARCEL_BOX: Final = 0
PARCEL_NUMBER: Final = 1
PARCEL_RECEIVER: Final = 2
PARCEL_WIDTH: Final = 3

# What is pending, what is held, or what lies in a box: each content a number.
PENDING_HEAD: Final = 0  # the envelope to be resolved first
PENDING_REST: Final = 1  # the content without it
PENDING_WIDTH: Final = 2

CONTENT_FIRST_WAY: Final = 0  # its ways are consecutive
CONTENT_WAYS: Final = 1
CONTENT_FIRST_BREAK: Final = 2
CONTENT_BREAKS: Final = 3
CONTENT_LOAD: Final = 4  # messages
CONTENT_CROWD: Final = 5  # those on the crowded lane
CONTENT_WIDTH: Final = 6

WAY_KIND: Final = 0  # DELIVER, DELIVER_HELD or LOSE
WAY_ENVELOPE: Final = 1
WAY_REST: Final = 2  # the content afterwards
WAY_WIDTH: Final = 3

LISTED_CODE: Final = 0  # a transition by one process and at most one box
LISTED_KIND: Final = 1
LISTED_PROCESS: Final = 2
LISTED_AFTER: Final = 3  # the local state of the process then
LISTED_COLUMN: Final = 4  # of the box, or of the process again
LISTED_REST: Final = 5  # what is in the column then; the way if it is to be worked out
LISTED_WIDTH: Final = 6

CLOSED: Final = 0  # nothing else changes
SENDING: Final = 1  # a move that puts one parcel into a box: REST is the parcel
OPEN_MOVE: Final = 2  # to be worked out in each state
OPEN_WAY: Final = 3  # to be worked out in each state

# What is listed, as parts of a key.
OF_STATE: Final = 1  # local state, 0: its moves
OF_SENDING: Final = 2  # move, content of the box that it puts a parcel into
OF_BOX: Final = 3  # and the boxes after the first: receiver's local state, content

BREAK_KEPT: Final = 0  # how many messages of the queue can still be read
BREAK_REST: Final = 1
BREAK_WIDTH: Final = 2

CHOICE_FIRST: Final = 0  # what a watcher may do besides
CHOICE_COUNT: Final = 1
CHOICE_WIDTH: Final = 2

# Functions of two numbers that are remembered, as parts of a key.
LIST_MOVES: Final = 1  # local state, 0
ACT: Final = 2  # move, 0
RECEIVE: Final = 3  # local state, arrival -> step, or NOTHING if the message is lost
SPEND: Final = 4  # what is left, cost -> what is left then, or NOTHING
APPEND: Final = 5  # content, batch or parcel -> content, or NOTHING if there is no room
HOLD_BACK: Final = 6  # content, envelope -> content that holds it too, or NOTHING
DROP: Final = 7  # content, process -> content without what is held for the process
BLOCKS: Final = 8  # content, channel -> 1 if something is held on the channel
CHOOSE: Final = 9  # local state, tuple of observations -> choice
FIRST_FREE: Final = 16  # the numbers from here on are given out

KEY_BITS: Final = 26  # of each of the two numbers
KEY_SPREAD: Final = -7046029254386353131  # 2**64 / golden ratio: neighbours land far apart

# The directory: sizes and settings.
WIDTH: Final = 0  # columns of a row
PROCESSES: Final = 1
BUDGET_COLUMN: Final = 2
LINKS: Final = 3  # one of the kinds of links below
ORDERED: Final = 4  # nothing overtakes a held message of its channel
BREAK_COST: Final = 5  # 0: channels do not break
CAPACITY: Final = 6  # of flights
CROWDED: Final = 7  # of flights on the crowded lane; -1: no bound of its own
FIRST_BOX: Final = 8
BOXES: Final = 9
CLEARED: Final = 10  # what is on its way to a process that goes down is lost
LOSSY: Final = 11
WATCHERS: Final = 12
RECORD: Final = 13  # every transition is listed, with its target
EXACT: Final = 14  # states are told apart by their rows, not only by their fingerprints
SYMMETRIES: Final = 15  # besides the identity

# The directory: where a part of a level stands, and what has come of it.
POSITION: Final = 16  # the next state to be expanded, a row of the chunk
STOP: Final = 17
FOUND: Final = 18  # states found, as far as can be told without the other parts
FOUND_ROOM: Final = 19
EDGES: Final = 20
EDGE_ROOM: Final = 21
MISSES: Final = 22
MISS_ROOM: Final = 23
TRANSITIONS: Final = 24
BOUND_HIT: Final = 25
FULL: Final = 26  # there was no room for what the next state has
MISSED: Final = 27  # the state at hand needs what is not known
LATER_COUNT: Final = 28  # states that were left for later
ROWS_OFFERED: Final = 29  # by the states at hand
PARENT_PRINT: Final = 30  # the fingerprint of the state at hand
SEEN: Final = 31  # of the state at hand: the tuple of observations
REFUTED: Final = 32  # bit i: step property i was refuted by a transition of the part
COUNT: Final = 33  # states known
SLOTS: Final = 34  # places of the table of states
NUMBERED: Final = 35  # the table of states has their numbers
PRINT: Final = 37  # the fingerprint of the scratch row
CHANGES: Final = 38  # columns that were written in the scratch row
SHARD: Final = 39  # the first of the shards that a kernel is to look at
SHARD_END: Final = 40
PART_COUNT: Final = 41  # parts at once
BITS: Final = 42  # of a class of local states, in keys of tuples
SPAN: Final = 43  # so many classes are in one number of such a key
SIGHT_BITS: Final = 44
SIGHT_SPAN: Final = 45
LISTED: Final = 46  # transitions that are listed
OFFERS: Final = 47  # of the states at hand
FIRST_NUMBER: Final = 36  # the number of the row 0 of the chunk

# The directory: addresses.
ROWS: Final = 48
SCRATCH: Final = 49
STATES: Final = 50
MOVES: Final = 51
STEPS: Final = 52
ENVELOPES: Final = 53
BATCHES: Final = 54
PARCELS: Final = 55
PENDING: Final = 56
CONTENTS: Final = 57
WAYS: Final = 58
BREAKS: Final = 59
CHOICES: Final = 60
CHOICE_MOVES: Final = 61
WATCHER_LIST: Final = 62
BOX_RECEIVERS: Final = 63
MEMO_KEYS: Final = 64
MEMO_VALUES: Final = 65
MEMO_MASK: Final = 66
MISS_KEYS: Final = 67
FOUND_ROWS: Final = 68
FOUND_PRINTS: Final = 69
FOUND_PARENTS: Final = 70
FOUND_CODES: Final = 71
FOUND_NUMBERS: Final = 72
EDGE_SOURCES: Final = 73
EDGE_CODES: Final = 74
EDGE_TARGETS: Final = 75
OFFER_ROWS: Final = 76  # those that are not listed
EVENT_TALLY: Final = 77
ENVELOPE_TALLY: Final = 78
REFUTED_AT: Final = 79  # for each step property: the row and the code of the first refutation
CHANGED: Final = 98  # these columns
LATER: Final = 88  # the rows of states that were left for later
RECENT: Final = 89  # by some bits of their fingerprints: where states stand among those found
SLOT_KEYS: Final = 80
SLOT_NUMBERS: Final = 81
ALL_ROWS: Final = 82
COLUMN_KINDS: Final = 83  # of each column: which function renames it; -1: none
COLUMN_IMAGES: Final = 84
SIGHT_CLASSES: Final = 85  # of local states: what watchers see of each
SYMMETRY_TABLE: Final = 87  # not an address: the first of the functions that rename
SIGHT_TABLE: Final = 86  # not an address: the first of the functions that make tuples of it

# The directory: what else the kernels for many states at once take.
INPUT: Final = 90
OUTPUT: Final = 91
SIZE: Final = 92
TABLE: Final = 93  # the first of the functions that make tuples of projections
CLASSES: Final = 94
OLD_KEYS: Final = 95
OLD_NUMBERS: Final = 96
OLD_SLOTS: Final = 97
PARTS: Final = 99  # the addresses of their directories
LIST_HEADS: Final = 100  # a key, and where its list stands: first and count
LISTS: Final = 101
LISTED_DELTAS: Final = 102  # by how much each changes the fingerprint
OFFER_REFS: Final = 103  # what is listed, or -1 - which row is offered, and the code then
OFFER_PRINTS: Final = 104  # the fingerprints to which they lead
BLOCK: Final = 105  # of each of the states at hand: end of its offers, missed

# The directory: what the kernels for where runs end take.
DEGREES: Final = 106  # of each state: how many transitions it has
TARGETS: Final = 107  # of all these, in the order of their sources
MARKS: Final = 108  # of each state, 8 bits
ALL_MARKS: Final = 109  # all that there are
UPWARDS: Final = 110  # states are taken from the first to the last
STARTS: Final = 111  # of every 16th state: where its transitions start
VISITS: Final = 112  # of each state: when it was visited, and then what was found of it
STACK: Final = 113  # the states on the way at its front, those that wait for others at its end
PROGRESS: Final = 114  # of the states on the way: how many transitions were followed
REMARKS: Final = 115  # of each state, 8 bits
ENDS: Final = 116  # bottom components found

DIRECTORY_SIZE: Final = 117

STARTS_BITS: Final = 4
"""For one state of so many (as a power of 2) it is kept where its transitions start."""

NO_END: Final = -1
"""Of a state once visited: it is in no bottom component. What is below says in which it is."""

LIST_PLACES: Final = 1 << 14
"""Lists of transitions that a thread remembers, a power of 2."""

LIST_ROOM: Final = 1 << 16
"""Transitions in these lists."""

BLOCK_SIZE: Final = 16
"""States at hand at a time: what they lead to is on its way to the cache meanwhile."""

BLOCK_OFFERS: Final = 1 << 12
"""Once there are as many, no further state is taken in hand."""

SHARD_BITS: Final = 3  # the topmost of a fingerprint: which shard of the table it belongs to
SHARDS: Final = 1 << SHARD_BITS
"""Consecutive parts of the table of states, of equal size; one thread at a time fills each."""

CHANGE_ROOM: Final = 1 << 12
"""Columns that one transition may write."""

RECENT_ROOM: Final = 1 << 15
"""Places for what was found recently, a power of 2."""

MOST_OFFERS: Final = 1 << 16
"""Transitions that one state may have."""

OFFER_ROOM: Final = BLOCK_OFFERS + MOST_OFFERS

MOST_STEP_PROPERTIES: Final = 31

HELD_LINKS: Final = 0
BOXED_LINKS: Final = 1
