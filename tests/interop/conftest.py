"""Servers for the interoperability tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import DIALECT_OF, Server, Workshop, wait_until, workshop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    """A place to start servers in, which are ended with the test."""
    with workshop(tmp_path) as made:
        yield made


@pytest.fixture(scope="module", params=["valkey", "redis"])
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Server, Server]:
    """A real server and one of ours, each a cluster by itself."""
    shop = Workshop(tmp_path_factory.mktemp("pair"))
    request.addfinalizer(shop.end)  # noqa: PT021 - also if what follows fails
    both = shop.real(request.param), shop.slotproof(DIALECT_OF[request.param])
    for each in both:
        each.cluster("ADDSLOTSRANGE", 0, 16383)
    for each in both:
        wait_until(lambda one=each: one.info()["cluster_state"] == "ok", 20)  # type: ignore[misc]
    return both
