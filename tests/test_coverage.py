"""Every line and branch of the core, of pacing and of the wire is run by the unit tests alone.

Clauses: none, this is about the project's files.
"""

import pytest

from tests.begun import BEGUN, PATIENCE, UNIT_COVERAGE


@pytest.mark.timeout(PATIENCE)
def test_unit_tests_cover_all() -> None:
    """Not so the properties: what chance leads to is no proof that a test looks there."""
    done = BEGUN.done(UNIT_COVERAGE)

    assert done.code == 0, done.output
