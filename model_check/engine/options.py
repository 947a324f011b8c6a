"""How an exploration is made; none of this changes what is found."""

import os
from pathlib import Path

import attrs


def cores() -> int:
    """How many cores this process may use."""
    available = getattr(os, "sched_getaffinity", None)
    return len(available(0)) if available is not None else os.cpu_count() or 1


@attrs.frozen(kw_only=True)
class Options:
    """How an exploration is made."""

    workers: int = attrs.field(factory=cores, validator=attrs.validators.ge(1))
    exact: bool = False  # whole states are kept and compared, not only their fingerprints
    symmetry: bool = False  # states that are images of each other count as one
    memory: int | None = None  # bytes that states may take before they go to files
    folder: Path | None = None  # for these files; None: where temporary files belong
    checkpoint: Path | None = None  # the folder for checkpoints; None: there are none
    checkpoint_seconds: float = 60.0  # at least so much time is between two
    resume: bool = False  # from the checkpoint, if there is one
    identity: str = ""  # a checkpoint is of an exploration with the same identity
    chunk: int = attrs.field(default=1 << 15, validator=attrs.validators.ge(1))
    part: int = attrs.field(default=1 << 12, validator=attrs.validators.ge(1))
    """States that are expanded before any of what they lead to is kept, and those of them that
    one worker expands at a time. Traces may depend on these, counts and verdicts do not."""
