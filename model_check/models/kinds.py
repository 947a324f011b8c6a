"""The kinds of events and messages that belong together: what a model counts on to happen."""

from typing import Final

from reference.core.events import (
    ElectionDue,
    ElectionExpired,
    HeartbeatDue,
    PongOverdue,
    ReportExpired,
)
from reference.core.messages import Fail, FailoverAuthAck, FailoverAuthRequest, Pong, Update

TELLING: Final = (HeartbeatDue, Pong)
"""Nodes say what they know."""

CORRECTING: Final = (*TELLING, Update)
"""Nodes say what they know, and tell others that they are wrong."""

VOTING: Final = (ElectionDue, ElectionExpired, FailoverAuthRequest, FailoverAuthAck)
"""Replicas stand, give up, and are voted for."""

FAILING: Final = (PongOverdue, ReportExpired, Fail)
"""Nodes suspect others, agree on it, and think better of it."""
