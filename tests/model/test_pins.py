"""Every model in every dialect: its verdict, its counts and what happens in it are as pinned.

Clauses: EL-P1, EL-P2, EL-P3, SC-P1, SC-P2, SC-P3, SC-P4, SC-P5, SC-P6, SC-P7, SC-P8, SM-P1, EP-P1,
EP-P2, HS-P1, MO-A1, MO-A2, MO-A3.
"""

import pytest

from model_check.models import MODELS
from tests.model.pins import LARGE, explored, keys, pin, read_pins

PINS = read_pins()
SMALL = [key for key in keys() if key not in PINS or PINS[key]["transitions"] <= LARGE]


@pytest.mark.parametrize(("model", "dialect"), SMALL, ids="-".join)
def test_run_is_as_pinned_expected_and_not_vacuous(model: str, dialect: str) -> None:
    run = explored(MODELS[model], dialect)

    assert run.surprises == ()
    assert run.vacuous == ()
    assert run.strays == ()
    assert pin(run) == PINS[model, dialect]


def test_every_model_is_pinned_in_all_its_dialects() -> None:
    assert list(PINS) == keys()


def test_what_is_pinned_is_what_the_models_expect() -> None:
    """Also for the runs that are too large to be made here."""
    for (name, dialect), each in PINS.items():
        expected = {e.property_id for e in MODELS[name].expected if dialect in e.dialects}

        assert each["violated"].keys() == expected, (name, dialect)
        assert each["verdict"] == ("violated" if expected else "holds")


def test_everything_that_models_count_on_happens_in_the_large_runs_too() -> None:
    for (name, dialect), each in PINS.items():
        kinds = [*MODELS[name].happens]
        kinds += [kind for kind, where in MODELS[name].happens_in.items() if dialect in where]

        missing = {kind.__name__ for kind in kinds} - set(each["happens"])
        assert not missing or each["undecided"], (name, dialect)
