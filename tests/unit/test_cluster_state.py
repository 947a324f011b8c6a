"""When a node takes the cluster to be ok, and the numbers it gives.

Clauses: CS-1, CS-2, CS-3, CS-4, CS-5.
"""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.core.cluster_state import (
    SlotCounts,
    WhyDown,
    count_slots,
    is_minority,
    why_down,
    why_not_covered,
)
from reference.core.rules import DIALECTS, Rules
from reference.core.settings import Settings
from reference.core.slots import NO_SLOTS
from reference.core.state import ClusterState
from reference.core.types import Health
from tests.builders import A1, A, B, C, change, slots, view


def _with_health(**healths: Health) -> ClusterState:
    state = view(A1)
    for name, health in healths.items():
        state = change(state, {"a": A, "b": B, "c": C}[name], health=health)
    return state


def test_cluster_at_rest_is_ok() -> None:
    assert why_down(view(A), slot_count=3) is None


def test_cluster_with_an_unassigned_slot_is_down() -> None:
    assert why_down(view(A), slot_count=4) is WhyDown.SLOT_UNASSIGNED


def test_slots_beyond_the_last_do_not_matter() -> None:
    assert why_down(view(A), slot_count=2) is None


def test_owner_in_fail_takes_the_cluster_down() -> None:
    assert why_down(_with_health(b=Health.FAIL), slot_count=3) is WhyDown.OWNER_FAILED


def test_owner_in_pfail_does_not() -> None:
    assert why_down(_with_health(b=Health.PFAIL), slot_count=3) is None


def test_unassigned_slot_is_named_before_a_failed_owner() -> None:
    state = _with_health(b=Health.FAIL)

    assert why_not_covered(state, 4) is WhyDown.SLOT_UNASSIGNED


def test_failed_node_without_slots_does_not_matter() -> None:
    state = change(view(B), A1, health=Health.FAIL)

    assert why_down(state, slot_count=3) is None


@pytest.mark.parametrize("health", [Health.PFAIL, Health.FAIL])
def test_without_full_coverage_one_of_three_masters_may_fail(health: Health) -> None:
    state = _with_health(b=health)

    assert why_down(state, slot_count=3, require_full_coverage=False) is None


@pytest.mark.parametrize("health", [Health.PFAIL, Health.FAIL])
def test_two_of_three_masters_out_of_reach_are_a_minority(health: Health) -> None:
    state = _with_health(b=Health.PFAIL, c=health)

    assert why_down(state, slot_count=3, require_full_coverage=False) is WhyDown.MINORITY


def test_two_masters_in_pfail_take_a_covered_cluster_down() -> None:
    state = _with_health(b=Health.PFAIL, c=Health.PFAIL)

    assert why_not_covered(state, 3) is None
    assert why_down(state, slot_count=3) is WhyDown.MINORITY


def test_masters_without_slots_are_no_part_of_the_majority() -> None:
    state = view(A, masters=4)
    state = change(state, C, slots=NO_SLOTS)
    state = change(state, A, slots=slots(0, 2))

    one_out = change(state, B, health=Health.PFAIL)
    two_out = change(one_out, A, health=Health.PFAIL)

    assert why_down(one_out, slot_count=4) is None
    assert why_down(two_out, slot_count=4) is WhyDown.MINORITY


def test_nobody_with_slots_is_a_minority_even_without_full_coverage() -> None:
    state = change(view(A, masters=1, replicas=0), A, slots=NO_SLOTS)

    assert why_down(state, slot_count=1, require_full_coverage=False) is WhyDown.MINORITY


def test_slots_are_counted_by_the_health_of_their_owners() -> None:
    state = change(_with_health(b=Health.PFAIL, c=Health.FAIL), A, slots=slots(0, 5, 6))

    assert count_slots(state) == SlotCounts(assigned=5, ok=3, pfail=1, fail=1)


@given(st.lists(st.sampled_from(Health), min_size=3, max_size=3))
def test_down_is_what_the_definition_says(healths: list[Health]) -> None:
    state = _with_health(**dict(zip("abc", healths, strict=True)))

    covered = Health.FAIL not in healths
    majority = healths.count(Health.OK) >= 2

    assert (why_down(state, slot_count=3) is None) == (covered and majority)
    assert (why_down(state, slot_count=3, require_full_coverage=False) is None) == majority


@pytest.mark.parametrize("rules", DIALECTS.values())
@pytest.mark.parametrize(
    ("asks", "expected"), [(True, WhyDown.SLOT_UNASSIGNED), (False, None)], ids=["asks", "does not"]
)
def test_the_settings_say_whether_every_slot_is_asked_for(
    asks: bool,  # noqa: FBT001
    expected: WhyDown | None,
    rules: Rules,
) -> None:
    settings = Settings(require_full_coverage=asks)

    assert why_down(attrs.evolve(view(A, rules=rules), settings=settings)) is expected


@pytest.mark.parametrize("rules", DIALECTS.values())
def test_a_minority_is_down_whatever_the_settings_say(rules: Rules) -> None:
    state = attrs.evolve(
        _with_health(b=Health.PFAIL, c=Health.FAIL),
        rules=rules,
        settings=Settings(require_full_coverage=False),
    )

    assert is_minority(state)
    assert why_down(state) is WhyDown.MINORITY
    assert not is_minority(_with_health(b=Health.FAIL))


def test_a_cluster_without_slots_is_a_minority() -> None:
    state = change(view(A, masters=1, replicas=0), A, slots=NO_SLOTS)

    assert why_down(state, require_full_coverage=False) is WhyDown.MINORITY
