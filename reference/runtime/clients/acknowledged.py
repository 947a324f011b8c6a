"""Requests that are answered once so many replicas have what was written before them."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

from reference.clauses import clause
from reference.runtime.clients.session import Session
from reference.runtime.replies import ClientReply, Raw
from reference.wire.resp import ErrorReply

_DEMOTED: Final = ErrorReply(
    "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)"
)


@clause("RE-20")
def answer_when_acknowledged(
    session: Session,
    count: int,
    timeout_ms: int,
    *,
    reached: Callable[[], ClientReply],
    over: Callable[[], ClientReply],
) -> ClientReply:
    """The client hears what `reached` says, or `over` after so many milliseconds (0: never).

    If the node is a replica before that the client is told so, and its connection ends.
    Counterpart: `blockClientForReplicaAck`, `disconnectOrRedirectAllBlockedClients`.
    """
    replicas = session.node.replicas
    alarms: list[asyncio.TimerHandle] = []

    def end(reply: ClientReply) -> None:
        for alarm in alarms:
            alarm.cancel()
        session.settle(reply)

    def demoted() -> None:
        session.closing = True
        end(_DEMOTED)

    waiter = replicas.wait(count, done=lambda: end(reached()), lost=demoted)
    if waiter is None:
        return reached()
    session.hold()
    session.at_end.append(partial(replicas.give_up, waiter))
    if timeout_ms:

        def too_late() -> None:
            replicas.give_up(waiter)
            end(over())

        alarms.append(asyncio.get_running_loop().call_later(timeout_ms / 1000, too_late))
    return Raw()
