"""The classes of what happens to keys, by the letters of `notify-keyspace-events`."""

from typing import Final

from reference.clauses import clause

ALL: Final = "g$lshzxetd"
"""What the letter A stands for."""
_KNOWN: Final = frozenset(f"A{ALL}KEmn")


@clause("CM-120")
def in_order(text: str) -> str:
    """The letters as servers show them; ValueError if one of them is none.

    Counterpart: `keyspaceEventsStringToFlags`, `keyspaceEventsFlagsToString`.
    """
    given = set(text)
    if not given <= _KNOWN:
        raise ValueError("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.")
    if "A" in given or given.issuperset(ALL):
        return "A" + "".join(each for each in "KEm" if each in given)
    return "".join(each for each in f"{ALL}nKEm" if each in given)
