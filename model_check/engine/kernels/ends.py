"""Kernels for where runs end: which states can come to a mark, and the bottom components.

A graph is here the transitions of all states in the order of these: DEGREES and TARGETS.
"""

from model_check.engine.kernels.native import Array, narrow, octets, part, wide
from model_check.engine.layout import (
    ALL_MARKS,
    DEGREES,
    EDGES,
    ENDS,
    MARKS,
    NO_END,
    PROGRESS,
    REMARKS,
    SIZE,
    STACK,
    STARTS,
    STARTS_BITS,
    TARGETS,
    UPWARDS,
    VISITS,
)

_LOW = 0xFF  # what is read as 8 bits is a number like all others then

_NO_ROOT = 1  # a state visited before can be reached again: another is the root of the component
_LEAVES = 2  # a transition leads to another component


@part
def take_marks(d: Array, state: int, first: int) -> int:
    """The state has the marks of all that its transitions lead to as well; 1 if it had fewer."""
    marks, targets, all_marks = octets(d[MARKS]), narrow(d[TARGETS]), d[ALL_MARKS]
    before = marks[state] & _LOW
    mark = before
    at, end = first, first + narrow(d[DEGREES])[state]
    while at < end and mark != all_marks:
        mark |= marks[targets[at]] & _LOW
        at += 1
    if mark == before:
        return 0
    marks[state] = mark
    return 1


def spread(d: Array) -> int:
    """Each of SIZE states has the marks of those it leads to as well, taken one after the other.

    From the last to the first, or UPWARDS. The result is how many had fewer.
    """
    degrees, size, changed = narrow(d[DEGREES]), d[SIZE], 0
    if d[UPWARDS] != 0:
        edge = 0
        for state in range(size):
            changed += take_marks(d, state, edge)
            edge += degrees[state]
    else:
        edge = d[EDGES]
        for back in range(1, size + 1):
            edge -= degrees[size - back]
            changed += take_marks(d, size - back, edge)
    return changed


@part
def first_edge(d: Array, state: int) -> int:
    """Where the transitions of the state start."""
    block = state >> STARTS_BITS
    edge, degrees = wide(d[STARTS])[block], narrow(d[DEGREES])
    for before in range(block << STARTS_BITS, state):
        edge += degrees[before]
    return edge


@part
def visit(d: Array, state: int, depth: int, number: int) -> None:
    """The state is visited for the first time, and is the last on the way."""
    narrow(d[VISITS])[state] = number
    narrow(d[STACK])[depth] = state
    narrow(d[PROGRESS])[depth] = 0


@part
def look_on(d: Array, state: int, depth: int) -> int:
    """What the state leads to is looked at; the first that was not visited, or -1.

    VISITS has for a state whose component is not complete the lowest number among those that are
    known to be in it.
    """
    visits, targets, remarks = narrow(d[VISITS]), narrow(d[TARGETS]), octets(d[REMARKS])
    first, count = first_edge(d, state), narrow(d[DEGREES])[state]
    for at in range(narrow(d[PROGRESS])[depth], count):
        target = targets[first + at]
        seen = visits[target]
        if seen == 0:
            narrow(d[PROGRESS])[depth] = at
            return target
        if seen < 0:
            remarks[state] = remarks[state] | _LEAVES
        elif seen < visits[state]:
            visits[state] = seen
            remarks[state] = remarks[state] | _NO_ROOT
    return -1


@part
def complete(d: Array, root: int, waiting: int) -> int:
    """The component of the root is complete; what is left of those that wait starts there."""
    visits, stack = narrow(d[VISITS]), narrow(d[STACK])
    lowest, found = visits[root], NO_END
    if octets(d[REMARKS])[root] & _LEAVES == 0:
        d[ENDS] += 1
        found = NO_END - d[ENDS]
    visits[root] = found
    while waiting < d[SIZE] and visits[stack[waiting]] >= lowest:
        visits[stack[waiting]] = found
        waiting += 1
    return waiting


def descend(d: Array) -> int:
    """VISITS says in which bottom component each marked state is, and each that these lead to.

    It says NO_END if in none, and 0 of other states; the first component is NO_END - 1. The result
    is how many there are. This is Tarjan's algorithm as Pearce spares memory in it: a state takes
    one number, and is either on the way or waits for the root of its component.
    """
    marks, visits, remarks = octets(d[MARKS]), narrow(d[VISITS]), octets(d[REMARKS])
    stack, waiting, visited = narrow(d[STACK]), d[SIZE], 0
    for start in range(d[SIZE]):
        if marks[start] & _LOW == 0 or visits[start] != 0:
            continue
        visited += 1
        visit(d, start, 0, visited)
        depth = 0
        while depth >= 0:
            state = stack[depth]
            following = look_on(d, state, depth)
            if following >= 0:
                depth += 1
                visited += 1
                visit(d, following, depth, visited)
                continue
            depth -= 1
            if remarks[state] & _NO_ROOT == 0:
                waiting = complete(d, state, waiting)
                continue
            waiting -= 1
            stack[waiting] = state
            if remarks[state] & _LEAVES != 0:
                remarks[stack[depth]] = remarks[stack[depth]] | _LEAVES
    return d[ENDS]
