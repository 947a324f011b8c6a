"""How sure it is that no state was missed."""

from model_check.engine import Exploration


def chance(found: Exploration) -> str:
    """The chance that two states had one fingerprint, in words."""
    if not found.missed_probability:
        return "states compared whole, none can be missed"
    return f"chance of a missed state below {found.missed_probability:.1g}"
