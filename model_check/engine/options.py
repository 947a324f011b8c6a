"""How an exploration is made; none of this changes what is found."""

import os

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
    chunk: int = attrs.field(default=1 << 15, validator=attrs.validators.ge(1))
    part: int = attrs.field(default=1 << 12, validator=attrs.validators.ge(1))
    """States that are expanded before any of what they lead to is kept, and those of them that
    one worker expands at a time. Traces may depend on these, counts and verdicts do not."""
