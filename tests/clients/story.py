"""A failover while clients are at work, which all of them live through together.

The failover's window opens when a master is killed. It closes for a client with the first whole
step of its work after all nodes that live say that the cluster is ok: before that it may get
errors, after it none.
"""

import threading
from collections.abc import Callable
from typing import Final

from tests.support import wait_until

STEPS: Final = 20
Step = Callable[[int], None]


class Story:
    """The clients and the failover, in step with each other."""

    def __init__(self, clients: int) -> None:
        """So many clients are expected, and whoever kills a master."""
        self.ready = threading.Barrier(clients + 1, timeout=100)
        self.killed = threading.Event()
        self.over = threading.Event()
        self.failures: list[str] = []
        self.errors_meanwhile: dict[str, int] = {}

    def tell(self, name: str, step: Step, errors: tuple[type[Exception], ...]) -> None:
        """The client works before and after the failover without an error; meanwhile it may not."""
        try:
            for number in range(STEPS):
                step(number)
            self.ready.wait()
            assert self.killed.wait(100)
            count = 0
            while not self.over.is_set():
                if not _works(step, count, errors):
                    self.errors_meanwhile[name] = self.errors_meanwhile.get(name, 0) + 1
                count += 1
            wait_until(lambda: _works(step, 0, errors), 30, what=f"{name} finds the new master")
            for number in range(STEPS):
                step(number)
        except BaseException as error:  # noqa: BLE001 - told by the test
            self.failed(name, error)

    def failed(self, name: str, error: BaseException) -> None:
        """The client's story is not as it should be, and nobody waits for it."""
        self.failures.append(f"{name}: {error!r}")
        self.ready.abort()


def _works(step: Step, number: int, errors: tuple[type[Exception], ...]) -> bool:
    try:
        step(number)
    except errors:
        return False
    return True
