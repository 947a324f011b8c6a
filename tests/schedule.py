"""Which tests run in which process where there are two: servers in one, while the other computes.

Clauses: none, this is about the tests themselves.
"""

from pathlib import PurePath
from typing import Final

from typing_extensions import override
from xdist.scheduler import LoadScopeScheduling

from tests.begun import PROGRAMS

OF_SERVERS: Final = ("clients", "interop", "runtime", "tcl")
"""The folders whose tests start servers: these mostly wait, and run one after another."""
OF_PROGRAMS: Final = {program.used_by for program in PROGRAMS} | {"test_pins.py"}
"""The files that share what a program has found, which is then run once."""


def scope_of(nodeid: str) -> str:
    """Tests of one scope run in one process."""
    path = PurePath(nodeid.partition("::")[0])
    if path.parts[1] in OF_SERVERS:
        return "servers"
    return "programs" if path.name in OF_PROGRAMS else nodeid


class ByWhatIsNeeded(LoadScopeScheduling):
    """The largest scope is begun first."""

    @override
    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)
