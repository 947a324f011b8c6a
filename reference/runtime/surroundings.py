"""What a node finds around it in its process, beside its options."""

from typing import Final

import attrs

from reference.runtime.faults import NO_FAULTS, NodeFaults
from reference.runtime.journal import Journal


@attrs.frozen(kw_only=True)
class Surroundings:
    """Where its events are recorded, and what goes wrong on its bus."""

    journal: Journal | None = None
    faults: NodeFaults = NO_FAULTS


NO_SURROUNDINGS: Final = Surroundings()
"""For a node that is alone in its process."""
