"""Classic systems have exactly the counts that TLC has published or finds for them.

Clauses: none, these are other people's models.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from model_check.__main__ import command
from model_check.engine import Exploration, Limits, Options, explore
from model_check.links import SetLinks
from model_check.models.yardstick import YARDSTICKS
from model_check.models.yardstick.cfg import CfgError, read_cfg
from model_check.models.yardstick.paxos import Paxos
from model_check.models.yardstick.two_phase import TwoPhase

SCOPES = Path(__file__).parent / "cfg"


def measure(name: str, file: Path) -> Exploration:
    yardstick = YARDSTICKS[f"yardstick/{name}"]
    scope = yardstick.scope_of(read_cfg(file))
    return explore(scope.system, scope.links, yardstick.properties, Limits())


@pytest.mark.parametrize(
    ("file", "distinct", "generated", "depth"),
    [("rf_xs.cfg", 55_961, 223_664, 39), ("rf_s.cfg", 335_420, 1_870_762, 37)],
)
def test_redis_failover_has_the_counts_of_tlc(
    file: str, distinct: int, generated: int, depth: int
) -> None:
    found = measure("redis-failover", SCOPES / file)

    assert found.verdict == "holds"
    assert {result.verdict for result in found.properties} == {"holds"}
    assert found.distinct_states == distinct
    # No action of the module leaves everything as it was; TLC counts the initial state too.
    assert found.transitions + 1 == generated
    assert found.depth + 1 == depth
    assert found.bounds_hit


@pytest.mark.parametrize(("persist_vote", "verdict"), [("TRUE", "holds"), ("FALSE", "violated")])
def test_forgotten_votes_let_two_replicas_win_an_epoch(
    persist_vote: str, verdict: str, tmp_path: Path
) -> None:
    file = tmp_path / "rf.cfg"
    text = (SCOPES / "rf_forgotten_votes.cfg").read_text()
    file.write_text(text.replace("PersistVote = FALSE", f"PersistVote = {persist_vote}"))

    found = measure("redis-failover", file)

    verdicts = {result.id: result.verdict for result in found.properties}
    assert verdicts["OneWinnerPerEpoch"] == verdict


def stutters(found: Exploration) -> int:
    """How many steps of TwoPhase.tla leave everything as it was: messages received again."""
    assert found.graph is not None
    rows = found.graph.rows
    states: list[tuple[str, frozenset[int]]] = list(found.graph.local_states)  # type: ignore[arg-type]
    known = np.array([len(prepared) if name == "init" else 0 for name, prepared in states])
    committed = np.array([name == "committed" for name, _ in states])
    aborted = np.array([name == "aborted" for name, _ in states])
    abort_sent = np.array([name == "done abort" for name, _ in states])
    again = known[rows[:, 0]] + committed[rows].sum(axis=1)
    return int((again + abort_sent[rows[:, 0]] * aborted[rows].sum(axis=1)).sum())


@pytest.mark.parametrize(
    ("managers", "distinct", "generated"), [(3, 288, 1146), (7, 296_448, 2_744_706)]
)
def test_two_phase_commit_has_the_counts_of_tlc(
    managers: int, distinct: int, generated: int
) -> None:
    found = explore(TwoPhase(managers), SetLinks(), (), Limits(), keep_states=True)

    assert found.distinct_states == distinct
    assert found.transitions + stutters(found) + 1 == generated


@pytest.mark.parametrize(("ballots", "distinct"), [(2, 3_921)])
def test_paxos_has_the_distinct_states_of_tlc(ballots: int, distinct: int) -> None:
    found = explore(Paxos(acceptors=3, values=2, ballots=ballots), SetLinks(), (), Limits())

    assert found.distinct_states == distinct


@pytest.mark.parametrize(
    ("name", "file"), [("two-phase", "two_phase_7.cfg"), ("paxos", "paxos.cfg")]
)
def test_scope_comes_from_the_file(name: str, file: str) -> None:
    found = measure(name, SCOPES / file)

    assert found.verdict == "holds"
    assert found.distinct_states in {296_448, 185_369}


RIGHT = (SCOPES / "rf_xs.cfg").read_text()


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("MaxEpoch = 4", "MaxEpoch = many", ":4: MaxEpoch = many: MaxEpoch must be a whole"),
        ("MaxEpoch = 4", "MaxEpoch <- 4", ":4: MaxEpoch <- 4: MaxEpoch must be followed by ="),
        ("MaxEpoch = 4", "MaxEpoch =", ":5: MaxMsgs = 2  MaxHB = 1: '=' is not understood here"),
        ("MaxEpoch = 4", "", "the constant MaxEpoch is missing"),
        ("MaxEpoch = 4", "MaxEpoch = 4 M = 3", "M has a value already"),
        ("MaxEpoch = 4", "MaxEpoch = 4 Extra = 1", "there is no constant Extra"),
        ('"same"', '"other"', 'Assign must be "same" or "spread"'),
        ("Lossy = FALSE", "Lossy = 0", "Lossy must be TRUE or FALSE"),
        ("CanCrash = {1}", "CanCrash = {5}", "a set of whole numbers from 1 to 4"),
        ("CanCrash = {1}", "CanCrash = 1", "CanCrash must be a set"),
        ("CanCrash = {1}", "CanCrash = {1 2}", "a set must go on with , or end with }"),
        ("TypeOK", "NoFailover", "there is no invariant NoFailover"),
        ("CHECK_DEADLOCK FALSE", "CHECK_DEADLOCK TRUE", "only FALSE is known"),
        ("CHECK_DEADLOCK FALSE", "SYMMETRY Perms", "'SYMMETRY' is not understood here"),
        ("SPECIFICATION Spec", "INIT Init", ":1: INIT Init: 'INIT' is not understood here"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_line(
    old: str, new: str, complaint: str, tmp_path: Path
) -> None:
    file = tmp_path / "rf.cfg"
    file.write_text(RIGHT.replace(old, new))

    with pytest.raises(CfgError) as refusal:
        YARDSTICKS["yardstick/redis-failover"].scope_of(read_cfg(file))

    assert complaint in str(refusal.value)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


def test_command_checks_a_yardstick(tmp_path: Path) -> None:
    out = tmp_path / "found.json"

    result = run(
        *("yardstick/redis-failover", "--cfg", str(SCOPES / "rf_xs.cfg"), "--json", str(out))
    )

    assert result.exit_code == 0, result.output
    assert "holds: 55,961 states, 223,663 transitions, depth 38" in result.output
    (found,) = json.loads(out.read_text())["runs"]
    assert (found["model"], found["distinct_states"]) == ("yardstick/redis-failover", 55_961)


def test_command_shows_the_path_of_a_violation() -> None:
    file = SCOPES / "rf_forgotten_votes.cfg"

    result = run("yardstick/redis-failover", "--cfg", str(file))

    assert result.exit_code == 1, result.output
    assert "The shortest path that breaks OneWinnerPerEpoch:" in result.output


def test_limit_makes_a_yardstick_incomplete() -> None:
    file = SCOPES / "rf_xs.cfg"

    result = run("yardstick/redis-failover", "--cfg", str(file), "--limit-states", "100")

    assert result.exit_code == 3, result.output
    assert "this is no pass" in result.output


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("yardstick/paxos",), "a yardstick takes --cfg"),
        (("claims", "--cfg", "{paxos}"), "--cfg takes one yardstick"),
        (("yardstick/paxos", "--cfg", "{paxos}", "--links", "set"), "takes no --dialect, --links"),
        (("yardstick/two-phase", "--cfg", "{paxos}"), "the constant RM is missing"),
    ],
)
def test_command_line_that_makes_no_sense_is_refused(
    arguments: tuple[str, ...], complaint: str
) -> None:
    result = run(*(each.format(paxos=SCOPES / "paxos.cfg") for each in arguments))

    assert result.exit_code == 2, result.output
    assert complaint in result.output


@pytest.mark.parametrize("symmetry", [False, True])
def test_paxos_has_the_distinct_states_of_tlc_with_symmetry(
    symmetry: bool,  # noqa: FBT001
) -> None:
    paxos = Paxos(acceptors=3, values=2, ballots=3)
    properties = YARDSTICKS["yardstick/paxos"].properties

    found = explore(paxos, SetLinks(), properties, Limits(), options=Options(symmetry=symmetry))

    assert found.verdict == "holds"
    assert found.distinct_states == (17_153 if symmetry else 185_369)
    assert found.states_of_orbits == (185_369 if symmetry else None)


IMPORTS_ONLY_WHAT_IT_NEEDS = """
import sys
from model_check.__main__ import command
command(["yardstick/redis-failover", "--cfg", sys.argv[1]], standalone_mode=False)
slow = {"networkx", "reference.core.step", "model_check.models.cluster", "scipy"}
sys.exit(f"imported: {slow & {*sys.modules}}" if slow & {*sys.modules} else 0)
"""


def test_a_yardstick_is_checked_without_what_takes_long_to_import() -> None:
    line = [sys.executable, "-c", IMPORTS_ONLY_WHAT_IT_NEEDS, str(SCOPES / "rf_xs.cfg")]

    done = subprocess.run(line, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
