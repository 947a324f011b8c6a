"""The end of listening."""

import asyncio
from typing import Final

_ROUNDS: Final = 4
"""Of the event loop: an accepted connection gets a transport, and its protocol hears of it."""


async def stop_listening(server: asyncio.Server | None) -> None:
    """Nobody is accepted any more, and the protocols of all who were know that they are connected.

    Who is closed after this leaves no connection behind that nobody would close: a server that is
    closed at once forgets those that it has accepted and that have no transport yet.
    """
    if server is None:
        return
    loop = asyncio.get_running_loop()
    for listener in server.sockets:
        loop.remove_reader(listener.fileno())
    for _ in range(_ROUNDS):
        await asyncio.sleep(0)
    server.close()
