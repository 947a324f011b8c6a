"""A model in which something never happens that it is about is told to be vacuous.

Clauses: EL-P1, SC-P2, MO-A1.
"""

import json
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner

from model_check.__main__ import command
from model_check.engine import Limits
from model_check.links import parse_links
from model_check.models import MODELS
from model_check.models.cluster import Scope
from model_check.models.model import Model
from model_check.models.start import crashes, suspected, told
from model_check.run import Run, check
from reference.core.events import ClusterBumpEpoch, ClusterFailover, FailUndoAllowed
from reference.core.messages import Ping
from reference.core.rules import DIALECTS, Rules
from reference.core.types import NodeId

SPLIT = MODELS["split"]


def run(model: Model, *without: str, links: str = "", limits: Limits | None = None) -> Run:
    rules = DIALECTS["valkey-9.1"]
    kind = parse_links(links) if links else model.usual_links(rules)
    return check(model, rules, kind, without=without, limits=limits)


def test_what_a_model_counts_on_and_does_not_happen_is_named() -> None:
    model = attrs.evolve(
        SPLIT, happens=(*SPLIT.happens, Ping), happens_in={FailUndoAllowed: ("valkey-9.1",)}
    )

    assert run(model).vacuous == ("no Ping", "no FailUndoAllowed")
    assert run(attrs.evolve(model, happens=SPLIT.happens, happens_in={})).vacuous == ()


def test_what_a_scope_allows_and_does_not_happen_is_named() -> None:
    """Of the nodes that the scope speaks of there is but one, B, and it has nobody to stand for."""

    def scope(rules: Rules) -> Scope:
        return attrs.evolve(
            SPLIT.scope(rules),
            crashes=crashes(B=1, Z=1),
            deaths=frozenset({NodeId("Z")}),
            suspects=suspected(Z="A"),
            commands=(told("B", ClusterBumpEpoch()), told("Z", ClusterFailover())),
            elections=1,
            replica_migrations=1,
        )

    assert run(attrs.evolve(SPLIT, scope=scope, happens=())).vacuous == (
        "Z never crashes",
        "Z never restarts",
        "Z never dies",
        "A never suspects Z",
        "Z is never given CLUSTER FAILOVER",
        "no replica ever stands",
        "no replica ever migrates",
    )


def test_nothing_is_said_of_a_model_that_is_not_as_it_stands_or_not_exhausted() -> None:
    model = attrs.evolve(SPLIT, happens=(Ping,))

    assert run(model, "collision_resolution").vacuous == ()
    assert run(model, links="held(0)").vacuous == ()
    assert run(model, limits=Limits(states=1)).vacuous == ()


def test_exit_code_is_1_for_a_vacuous_model_and_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(MODELS, "split", attrs.evolve(SPLIT, happens=(Ping,)))
    file = tmp_path / "found.json"

    result = CliRunner().invoke(
        command, ["split", "--dialect", "redis-7.0", "--dialect", "valkey-9.1", "--json", str(file)]
    )

    assert result.exit_code == 1
    assert "vacuous  it never happens here: no Ping" in result.output
    assert "2 holds but vacuous" in result.output
    assert [each["vacuous"] for each in json.loads(file.read_text())["runs"]] == [["no Ping"]] * 2


def test_a_model_is_not_checked_in_a_dialect_that_has_nothing_of_it() -> None:
    assert MODELS["atomic-migration"].dialects == ("valkey-9.1", "strict")

    result = CliRunner().invoke(command, ["atomic-migration", "--dialect", "redis-7.0"])

    assert result.exit_code == 2
    assert "no MODEL asked for is about a --dialect asked for" in result.output
