"""What a reduction refuses."""


class RefusedError(ValueError):
    """The reduction would be unsound, or has nothing to say, for what was asked; and why."""
