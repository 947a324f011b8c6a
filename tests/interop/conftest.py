"""Servers for the interoperability tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import Workshop, workshop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    """A place to start servers in, which are ended with the test."""
    with workshop(tmp_path) as made:
        yield made
