"""Runs that outgrow memory or are cut short end with the counts of those that do not.

Clauses: none, the engine knows no protocol.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from model_check.engine import Exploration, Limits, Options, explore
from model_check.engine.checkpoint import CheckpointError
from model_check.links import SetLinks, parse_links
from model_check.models import MODELS
from model_check.models.cluster import system_of
from model_check.models.yardstick import YARDSTICKS
from model_check.models.yardstick.cfg import read_cfg
from model_check.models.yardstick.two_phase import TwoPhase
from reference.core.rules import DIALECTS
from tests.support import wait_until

SCOPES = Path(__file__).parent / "cfg"


def rf_xs(options: Options, limits: Limits | None = None) -> Exploration:
    yardstick = YARDSTICKS["yardstick/redis-failover"]
    scope = yardstick.scope_of(read_cfg(SCOPES / "rf_xs.cfg"))
    return explore(
        scope.system, scope.links, yardstick.properties, limits or Limits(), options=options
    )


def summary(found: Exploration) -> tuple[Any, ...]:
    """Everything that must not depend on how an exploration was made."""
    return (
        found.verdict,
        found.distinct_states,
        found.transitions,
        found.depth,
        found.bounds_hit,
        found.fired,
        found.delivered,
        [(result.id, result.verdict) for result in found.properties],
        [len(result.trace.steps) if result.trace else None for result in found.properties],
    )


@pytest.mark.parametrize(
    "options",
    [
        Options(workers=1),
        Options(workers=3, chunk=5000, part=500),
        Options(exact=True),
        Options(memory=1, chunk=3000),
    ],
    ids=["one worker", "three workers", "exact", "on disk"],
)
def test_how_it_is_explored_changes_nothing(options: Options) -> None:
    assert summary(rf_xs(Options())) == summary(rf_xs(options))


@pytest.mark.parametrize("options", [{}, {"memory": 1}, {"exact": True}], ids=str)
def test_a_run_goes_on_where_it_was_cut_short(options: dict[str, Any], tmp_path: Path) -> None:
    saving = Options(
        checkpoint=tmp_path / "saved", checkpoint_seconds=0, resume=True, chunk=999, **options
    )

    parts = [rf_xs(saving, Limits(states=states)) for states in (1_000, 20_000, 40_000)]
    whole = rf_xs(saving)

    assert {part.verdict for part in parts} == {"incomplete"}
    assert summary(rf_xs(Options())) == summary(whole)
    assert not (tmp_path / "saved").exists()


@pytest.mark.parametrize(
    ("model", "memory"), [("two-replicas", None), ("claims", None), ("claims", 140_000)]
)
def test_a_run_of_the_core_goes_on_with_its_graph(
    model: str, memory: int | None, tmp_path: Path
) -> None:
    rules = DIALECTS["valkey-9.1"]
    saving = Options(
        checkpoint=tmp_path, checkpoint_seconds=0, resume=True, chunk=500, memory=memory
    )

    def run(options: Options, limits: Limits) -> Exploration:
        system = system_of(MODELS[model].scope(rules))
        links, properties = parse_links("held(0)"), MODELS[model].properties
        return explore(system, links, properties, limits, options=options)

    run(saving, Limits(states=700))
    resumed = run(saving, Limits())

    assert summary(run(Options(), Limits())) == summary(resumed)


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    saving = Options(checkpoint=tmp_path, checkpoint_seconds=0, resume=True, chunk=50)
    explore(TwoPhase(4), SetLinks(), (), Limits(states=500), options=saving)

    with pytest.raises(CheckpointError, match="does not do what it did then"):
        explore(TwoPhase(5), SetLinks(), (), Limits(), options=saving)
    other = Options(checkpoint=tmp_path, resume=True, identity="something else")
    with pytest.raises(CheckpointError, match="the checkpoint is of"):
        explore(TwoPhase(4), SetLinks(), (), Limits(), options=other)


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    saving = Options(checkpoint=tmp_path, checkpoint_seconds=0, resume=True, chunk=50)
    explore(TwoPhase(4), SetLinks(), (), Limits(states=500), options=saving)
    (meta,) = tmp_path.glob("*/meta.json")
    meta.write_text(meta.read_text()[:40])

    with pytest.raises(CheckpointError, match="damaged"):
        explore(TwoPhase(4), SetLinks(), (), Limits(), options=saving)


def test_a_killed_process_is_followed_by_one_that_ends_with_the_same_counts(
    tmp_path: Path,
) -> None:
    command = [
        *(sys.executable, "-m", "model_check", "yardstick/redis-failover"),
        *("--cfg", str(SCOPES / "rf_s.cfg"), "--json", str(tmp_path / "found.json")),
        *("--checkpoint", str(tmp_path / "saved"), "--checkpoint-every", "0"),
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as first:
        wait_until(
            lambda: first.poll() is not None or any((tmp_path / "saved").glob("*/current")),
            60,
            what="a checkpoint is written",
        )
        os.kill(first.pid, signal.SIGKILL)
    assert first.returncode == -signal.SIGKILL

    done = subprocess.run(  # other seeds of hashes: nothing may hang on the order of sets
        [*command, "--resume"],
        env={**os.environ, "PYTHONHASHSEED": "7"},
        stdout=subprocess.DEVNULL,
        check=False,
    )

    (run,) = json.loads((tmp_path / "found.json").read_text())["runs"]
    assert done.returncode == 0
    assert (run["distinct_states"], run["transitions"], run["depth"]) == (335_420, 1_870_761, 36)
