"""How many states there are, in words."""

from model_check.engine import Exploration


def states(found: Exploration) -> str:
    """How many distinct states were found, and with symmetry for how many they stand."""
    words = f"{found.distinct_states:,} states"
    if found.states_of_orbits is None:
        return words
    return f"{words} (that stand for {found.states_of_orbits:,} by symmetry)"
