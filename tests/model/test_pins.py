"""Every model in every dialect: its verdict, its counts and what happens in it are as pinned.

Clauses: EL-P1, EL-P2, EL-P3, SC-P1, SC-P2, SC-P3, SC-P4, SC-P5, SC-P6, SC-P7, SC-P8, SM-P1, EP-P1,
EP-P2, HS-P1, MO-A1, MO-A2, MO-A3.
"""

import json
from functools import cache

import pytest

from model_check.models import MODELS
from tests.begun import BEGUN, DEFAULT_RUN, PATIENCE
from tests.model.default_run import Kept, pins_of
from tests.model.pins import LARGE, Key, Pin, explored, keys, read_pins, told

PINS = read_pins()
SMALL = [key for key in keys() if key not in PINS or PINS[key]["transitions"] <= LARGE]


@cache
def _of_default_run() -> dict[Key, Pin]:
    """What is pinned of the runs of `slotproof check` without arguments, if that is run anyway."""
    if not BEGUN.has(DEFAULT_RUN):
        return {}
    done = BEGUN.done(DEFAULT_RUN)
    assert done.code == 0, done.output
    kept: Kept = json.loads((done.folder / "found.json").read_text(encoding="utf-8"))
    return pins_of(kept)


@pytest.mark.timeout(PATIENCE)
@pytest.mark.parametrize(("model", "dialect"), SMALL, ids="-".join)
def test_run_is_as_pinned_expected_and_not_vacuous(model: str, dialect: str) -> None:
    found = _of_default_run().get((model, dialect)) or told(explored(MODELS[model], dialect))

    assert found["surprises"] == []
    assert found["vacuous"] == []
    assert found["strays"] == []
    assert found["pin"] == PINS[model, dialect]


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
