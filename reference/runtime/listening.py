"""The addresses that are listened on, and the end of listening."""

import asyncio
import logging
import socket
from collections.abc import Iterable, Iterator
from typing import Final

from reference.clauses import clause

log = logging.getLogger(__name__)

_ROUNDS: Final = 4
"""Of the event loop: an accepted connection gets a transport, and its protocol hears of it."""


def family_of(address: str) -> socket.AddressFamily:
    """The kind of address that it is."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


@clause("RT-35")
def present(addresses: Iterable[str]) -> list[str]:
    """The addresses, those with a dash only if this machine has them. Counterpart: `listenToPort`.

    Those without are not looked at: who listens there finds out.
    """
    return list(_present(addresses))


def _present(addresses: Iterable[str]) -> Iterator[str]:
    for word in addresses:
        address = word.removeprefix("-")
        if address != word:
            try:
                with socket.socket(family_of(address), socket.SOCK_STREAM) as trial:
                    trial.bind((address, 0))
            except OSError as error:
                log.info("not listened on %s: %s", address, error)
                continue
        yield address


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
