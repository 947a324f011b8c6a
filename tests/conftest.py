"""What holds for all tests."""

import os
from typing import Any

import pytest
from hypothesis import settings

from tests.begun import BEGUN, PROGRAMS
from tests.schedule import ByWhatIsNeeded

# How long an example takes says how busy the machine is, and nothing of what is tested.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

# Nor does it matter how wide the terminal is; pytest-xdist tells its processes so.
os.environ.pop("COLUMNS", None)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByWhatIsNeeded:
    """With `-n 2` one process tests servers, while the other computes."""
    return ByWhatIsNeeded(config, log)


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
