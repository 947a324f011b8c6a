"""What holds for all tests."""

import pytest
from hypothesis import settings

from tests.begun import BEGUN, PROGRAMS

# How long an example takes says how busy the machine is, and nothing of what is tested.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


def pytest_collection_finish(session: pytest.Session) -> None:
    """If real servers are tested, what else takes long is begun, as far as it is tested."""
    if session.config.option.collectonly:
        return
    if any(item.get_closest_marker("interop") for item in session.items):
        files = {item.path.name for item in session.items}
        BEGUN.begin(program for program in PROGRAMS if program.used_by in files)


def pytest_sessionfinish() -> None:
    """What was begun has ended."""
    BEGUN.end()
