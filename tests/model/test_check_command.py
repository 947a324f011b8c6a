"""The command line of the checker: what it prints and what it exits with.

Clauses: EL-P1, SC-P1.
"""

import io
import json
from pathlib import Path

import attrs
import networkx as nx
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from model_check import __main__ as cli
from model_check import check_models
from model_check.links import parse_links
from model_check.models import MODELS
from model_check.report import as_json, show_total
from model_check.run import check
from reference.core.rules import DIALECTS


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.command, list(arguments))


def test_exit_code_is_0_if_all_properties_hold() -> None:
    result = run("claims", "--links", "held(1)")

    assert result.exit_code == 0
    assert f"{len(DIALECTS)} runs: " in result.output
    assert "2 violated as expected" in result.output


def test_exit_code_is_1_and_the_story_is_told_if_a_property_is_violated() -> None:
    result = run("two-replicas", "--dialect", "valkey-9.1", "--without", "persist_vote")

    assert result.exit_code == 1
    assert "The shortest story that breaks EL-P1" in result.output
    assert "RESTARTS from what was saved" in result.output


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("no-such-model",), "'no-such-model' is not one of"),
        (("claims", "--links", "held(many)"), "held needs a whole number"),
        (("claims", "--without", "no_such_rule"), "'no_such_rule' is not one of"),
        (
            ("claims", "--dialect", "valkey-9.1", "--without", "vote_cooldown"),
            "vote_cooldown is off in valkey-9.1 already",
        ),
        (("--graphml", "graph.xml"), "--graphml takes one MODEL and one --dialect"),
        (("claims", "--limit-states", "0"), "0 is not in the range"),
    ],
)
def test_exit_code_is_2_if_the_command_line_is_wrong(
    arguments: tuple[str, ...], complaint: str
) -> None:
    result = run(*arguments)

    assert result.exit_code == 2
    assert complaint in result.output


def test_exit_code_is_3_if_a_limit_is_reached_first() -> None:
    result = run("failover", "--dialect", "valkey-9.1", "--limit-states", "500")

    assert result.exit_code == 3
    assert "this is no pass" in result.output


def test_exit_code_is_4_if_the_checker_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(request: check_models.Request) -> int:
        raise RuntimeError(str(request))

    monkeypatch.setattr(check_models, "obey", broken)

    result = run("claims")

    assert result.exit_code == 4
    assert "RuntimeError" in result.output


def test_json_has_what_was_found_and_the_story(tmp_path: Path) -> None:
    file = tmp_path / "found.json"

    run("take-back", "--dialect", "redis-7.0", "--json", str(file))

    found = json.loads(file.read_text())
    (only,) = found["runs"]
    assert found["schema"] == 1
    assert (only["model"], only["dialect"], only["links"]) == ("take-back", "redis-7.0", "held(1)")
    assert only["verdict"] == "violated"
    assert {"distinct_states", "transitions", "depth", "seconds"} <= only.keys()
    claim = next(each for each in only["properties"] if each["id"] == "SC-P1")
    assert (claim["kind"], claim["verdict"], claim["trace"][0]["who"]) == (
        "invariant",
        "violated",
        "A",
    )


def test_json_on_standard_output_is_nothing_but_json() -> None:
    result = run("learnt-epoch", "--dialect", "redis-7.0", "--json", "-")

    assert [each["model"] for each in json.loads(result.stdout)["runs"]] == ["learnt-epoch"]


def test_graph_has_a_node_for_each_state(tmp_path: Path) -> None:
    file = tmp_path / "graph.xml"

    result = run("claims", "--dialect", "valkey-9.1", "--links", "held(0)", "--graphml", str(file))

    graph = nx.read_graphml(file)
    assert result.exit_code == 0
    assert f"{len(graph):,} states, {graph.number_of_edges():,} transitions" in result.output


def test_total_and_json_tell_of_rules_that_are_not_kept() -> None:
    rules = DIALECTS["valkey-9.1"]
    broken = check(
        MODELS["two-replicas"], rules, parse_links("held(0)"), without=("one_vote_per_epoch",)
    )
    # As if the core had the mistake.
    run = attrs.evolve(broken, without=())
    console = Console(file=io.StringIO(), record=True, width=200)

    show_total([run, run], console)

    # A second vote in the same epoch saves what was saved before.
    assert "2 violated but EL-4, MO-7 not kept" in console.export_text()
    (told,) = json.loads(as_json([run]))["runs"]
    assert [each["clause"] for each in told["not_kept"]] == ["EL-4", "MO-7"]
    assert told["not_kept"][0]["text"].startswith("votes for ")
