"""What holds for all tests."""

import os
from pathlib import Path
from typing import Final

import pytest
from hypothesis import settings

from tests.begun import BEGUN, PROGRAMS

TESTS: Final = Path(__file__).parent
OF_SERVERS: Final = ("clients", "interop", "runtime", "tcl")
"""The folders whose tests start servers: these mostly wait, and run one after another."""

# How long an example takes says how busy the machine is, and nothing of what is tested.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With `-n 2 --dist loadgroup` one process tests servers while the other computes."""
    users = {program.used_by for program in PROGRAMS}
    for item in items:
        if item.path.relative_to(TESTS).parts[0] in OF_SERVERS:
            item.add_marker(pytest.mark.xdist_group("servers"))
        elif item.path.name in users or item.path.name == "test_pins.py":
            item.add_marker(pytest.mark.xdist_group("programs"))  # each is run once


def pytest_collection_finish(session: pytest.Session) -> None:
    """If this process tests real servers, what else takes long is begun, as far as it is tested."""
    if session.config.option.collectonly:
        return
    files = {item.path.name for item in session.items}
    programs = [program for program in PROGRAMS if program.used_by in files]
    if "PYTEST_XDIST_WORKER" in os.environ:  # the one process or the other does
        BEGUN.plan(programs)
    elif any(item.get_closest_marker("interop") for item in session.items):
        BEGUN.begin(programs)


def pytest_sessionfinish() -> None:
    """What was begun has ended."""
    BEGUN.end()
