"""What can be wrong with bytes from the cluster bus, and what it costs: the link or the message."""


class BusProtocolError(Exception):
    """Bytes that are no message of the bus; `reason` says why, for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BusLinkError(BusProtocolError):
    """Nobody knows where the next message of this stream begins: close the link."""


class BusMessageError(BusProtocolError):
    """One message is unusable, and the next one is found all the same: drop it, keep the link."""
