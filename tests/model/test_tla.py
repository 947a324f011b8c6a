"""The TLA+ module: the same graph as the core's, and invariants that must fail.

Clauses: none, the module has no rule that the core has not.
"""

import re
from functools import cache

import attrs
import pytest
from click.testing import CliRunner

from model_check.properties import Settles
from model_check.tla import tlc
from model_check.tla.command import command
from model_check.tla.core_graph import graph_of_core
from model_check.tla.fault_scopes import FAULT_SCOPES
from model_check.tla.graphs import Difference, Graph, difference
from model_check.tla.negatives import NEGATIVES
from model_check.tla.scopes import SCOPES, TwinScope
from model_check.tla.tlc import JAR_VARIABLE, TlcError, configured, modules, run_tlc
from model_check.tla.twin import TlcGraph, compare, graph_of_tlc
from model_check.tla.values import Function, read_value
from reference.core.rules import DIALECTS, RELEASES, STRICT, SWITCHES, VALKEY_9_1, Rules

MODULE = "RedisCluster.tla"

DECIDES = [
    ("empty_masters_report", "empty-reporter", "valkey-9.1", "ReceivePong"),
    ("reports_kept_after_fail", "suspicion", "valkey-9.1", "ReceivePong"),
    ("fail_checked_at_pfail", "suspicion", "valkey-9.1", "PongOverdue"),
    ("lone_master_decides_at_pfail", "suspicion", "valkey-9.1", "PongOverdue"),
    ("refused_candidate_is_updated", "votes", "redis-7.0", "ReceiveFailoverAuthRequest"),
    ("late_votes_count", "demotion", "valkey-9.1", "ElectionExpired"),
    ("election_reset_by_newer_master", "votes", "redis-7.0", "ReceivePong"),
    ("election_ends_with_role_change", "demotion", "valkey-9.1", "ReceivePong"),
    ("election_ends_with_win", "votes", "valkey-9.1", "ReceiveFailoverAuthAck"),
    ("empty_master_is_replaced", "empty-shard", "redis-7.0", "ElectionDue"),
    ("config_epoch_from_replicas", "claims", "valkey-9.1", "ReceivePong"),
    ("replicas_are_updated", "demotion", "valkey-9.1", "ReceivePong"),
    ("replica_shard_must_agree", "empty-shard", "valkey-9.1", "ReceivePong"),
    ("stale_role_switch_is_ignored", "elections", "valkey-9.1", "ReceivePong"),
    ("role_switch_heeds_sender", "elections", "valkey-9.1", "ReceivePong"),
    ("role_switch_heeds_master", "claims", "valkey-9.1", "ReceivePong"),
    ("role_switch_spares_masters", "claims", "valkey-9.1", "ReceivePong"),
    ("empty_shard_follows", "empty-shard", "valkey-9.1", "ReceivePong"),
    ("sub_replica_guard_at_role_change", "demotion", "valkey-9.1", "ReceivePong"),
    ("binding_clears_not_claiming", "import", "redis-7.0", "ReceivePong"),
    ("importing_slots_are_guarded", "import", "redis-7.0", "ReceivePong"),
    ("open_slots_follow_claims", "import", "redis-7.0", "ReceiveUpdate"),
    ("importing_slots_are_claimed", "import", "redis-7.0", "ReceivePong"),
    ("role_switch_hands_over", "demotion", "valkey-9.1", "ReceivePong"),
    ("setslot_is_replicated", "setslot", "valkey-9.1", "ClusterSetslot"),
    ("setslot_target_is_another", "import", "redis-7.0", "ClusterSetslot"),
    ("merge_current_epoch", "demotion", "valkey-9.1", "ReceivePong"),
    ("shards", "claims", "valkey-9.1", "Init"),
    ("config_epoch_only_rises", "duplicates", "redis-7.0", "ReceiveFailoverAuthRequest"),
    ("collision_moves_smaller_id_only", "claims", "valkey-9.1", "ReceivePong"),
    ("collision_resolution", "claims", "valkey-9.1", "ReceivePong"),
    ("persist_vote", "elections", "valkey-9.1", "ReceiveFailoverAuthRequest"),
    ("one_vote_per_epoch", "votes", "redis-7.0", "ReceiveFailoverAuthRequest"),
    ("vote_checks_request_epoch", "votes", "valkey-9.1", "ReceiveFailoverAuthRequest"),
    ("vote_needs_failed_master", "votes", "redis-7.0", "ReceiveFailoverAuthRequest"),
    ("vote_checks_claims", "votes", "redis-7.0", "ReceiveFailoverAuthRequest"),
    ("majority_wins", "elections", "valkey-9.1", "ReceiveFailoverAuthAck"),
    ("save_before_send", "elections", "valkey-9.1", "ReceiveFailoverAuthRequest"),
    ("claims_need_newer_epoch", "claims", "valkey-9.1", "ReceivePong"),
    ("not_claiming_slots", "setslot", "valkey-9.1", "ReceivePong"),
    ("unique_epochs", "votes", "strict", "ElectionDue"),
    ("learnt_epoch_is_saved", "elections", "strict", "ReceivePong"),
    ("taken_slots_are_kept", "kept", "strict", "ReceivePong"),
    ("old_headers_are_ignored", "kept", "strict", "ReceivePong"),
    ("told_imports_are_kept", "emptied", "strict", "ReceivePong"),
    ("updates_add_slots", "kept", "strict", "ReceiveUpdate"),
    ("named_masters_are_masters", "demotion", "strict", "ReceivePong"),
    ("demoted_keep_no_slots", "emptied", "strict", "ReceivePong"),
    ("empty_master_follows_shard", "emptied", "strict", "ReceivePong"),
    ("reset_owners_take_back", "emptied", "strict", "ReceivePong"),
]
"""For each switch of the module a scope in which it decides, and the action that differs first."""


@cache
def theirs(scope: str, dialect: str) -> TlcGraph:
    return graph_of_tlc(SCOPES[scope], DIALECTS[dialect])


@cache
def ours(scope: TwinScope, rules: Rules) -> Graph:
    return graph_of_core(scope.system(rules), scope.the_links, scope.bounds(rules))


def source(name: str = MODULE) -> str:
    return (modules() / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("scope", "dialect", "counts"),
    [
        ("claims", "redis-7.0", (1_529, 2_569, 17)),
        ("claims", "valkey-9.1", (1_165, 1_945, 17)),
        ("tie", "valkey-9.1", (14, 18, 7)),
        ("elections", "valkey-9.1", (663, 2_047, 13)),
        ("duplicates", "redis-7.0", (336, 841, 13)),
        ("duplicates", "valkey-9.1", (282, 730, 11)),
        ("suspicion", "redis-7.0", (552, 2_420, 18)),
        ("suspicion", "valkey-9.1", (464, 1_986, 15)),
        ("demotion", "valkey-9.1", (342, 689, 13)),
        ("setslot", "valkey-9.1", (824, 2_228, 13)),
        ("votes", "redis-7.0", (364, 1_089, 16)),
        ("votes", "valkey-9.1", (492, 1_488, 18)),
        ("import", "redis-7.0", (1_120, 2_978, 15)),
        ("empty-shard", "redis-7.0", (11, 32, 2)),
        ("empty-shard", "valkey-9.1", (1_144, 3_128, 16)),
        ("empty-reporter", "valkey-9.1", (47, 148, 6)),
        ("kept", "strict", (358, 593, 14)),
        ("emptied", "strict", (36, 57, 6)),
        ("votes", "strict", (234, 740, 16)),
        ("elections", "strict", (529, 1_661, 13)),
        ("demotion", "strict", (684, 1_378, 15)),
    ],
)
def test_tlc_and_the_core_find_the_same_graph(
    scope: str, dialect: str, counts: tuple[int, int, int]
) -> None:
    twin = compare(SCOPES[scope], DIALECTS[dialect], theirs(scope, dialect))

    assert twin.difference is None
    assert (twin.states, twin.transitions, twin.depth) == counts
    assert twin.theirs == counts[:2]


@pytest.mark.parametrize(("switch", "scope", "dialect", "action"), DECIDES)
def test_a_rule_that_is_other_in_the_core_only_is_found(
    switch: str, scope: str, dialect: str, action: str
) -> None:
    rules = DIALECTS[dialect]
    flipped: dict[str, bool] = {switch: not getattr(rules, switch)}

    found = difference(
        ours(SCOPES[scope], attrs.evolve(rules, **flipped)),  # type: ignore[arg-type]
        theirs(scope, dialect).graph,
    )

    assert found is not None
    assert found.action == action


def test_every_switch_of_the_module_decides_somewhere() -> None:
    known = set(re.findall(r"Rules\.(\w+)", source()))

    assert {switch for switch, _, _, _ in DECIDES} == known
    assert known <= set(SWITCHES)


@pytest.mark.parametrize(
    ("old", "new", "scope", "dialect", "action"),
    [
        (  # SC-1: a claim must be newer, not as new
            "v.nodes[x].configEpoch >= c.epoch}",
            "v.nodes[x].configEpoch > c.epoch}",
            "tie",
            "valkey-9.1",
            "ReceivePong",
        ),
        (  # EL-10: the vote is saved
            "[v EXCEPT !.lastVoteEpoch = v.currentEpoch, !.save = TRUE]",
            "[v EXCEPT !.lastVoteEpoch = v.currentEpoch]",
            "elections",
            "valkey-9.1",
            "ReceiveFailoverAuthRequest",
        ),
        (  # EL-2: the next epoch
            "ELSE v.currentEpoch + 1",
            "ELSE v.currentEpoch + 2",
            "votes",
            "redis-7.0",
            "ElectionDue",
        ),
        (  # SC-33: who only keeps what it had was not asked for
            "ELSE kind # Kept",
            "ELSE TRUE",
            "kept",
            "strict",
            "ReceivePong",
        ),
    ],
)
def test_a_mutated_action_of_the_module_is_found_and_named(
    old: str, new: str, scope: str, dialect: str, action: str
) -> None:
    text = source()
    assert text.count(old) == 1
    rules = DIALECTS[dialect]

    mutant = graph_of_tlc(SCOPES[scope], rules, sources={MODULE: text.replace(old, new)})
    found = difference(ours(SCOPES[scope], rules), mutant.graph)

    assert found is not None
    assert found.action == action
    assert found.ours or found.theirs


@pytest.mark.parametrize("name", NEGATIVES)
def test_what_must_fail_fails_on_both_sides_after_as_many_steps(name: str) -> None:
    negative, rules = NEGATIVES[name], DIALECTS["valkey-9.1"]

    run = negative.in_tlc(rules)

    steps = negative.steps_in_checker(rules)
    assert run.violated == negative.fails
    assert steps is not None
    if not isinstance(negative.prop, Settles):  # whose story ends where it cannot be left
        assert len(run.steps) == steps


@pytest.mark.parametrize(
    "name",
    [name for name, each in NEGATIVES.items() if each.scope.name in FAULT_SCOPES and each.off],
)
def test_what_must_fail_does_not_fail_with_the_rule(name: str) -> None:
    mended = attrs.evolve(NEGATIVES[name], off=())

    assert mended.steps_in_checker(DIALECTS["valkey-9.1"]) is None


def test_each_configuration_that_must_fail_has_its_counterpart() -> None:
    named = {path.name for path in modules().glob("NEG_*.cfg")}

    assert {negative.path for negative in NEGATIVES.values()} == named


def test_strict_of_the_module_is_that_of_the_core() -> None:
    text = source("Dialects.tla")
    record = re.search(r"^Strict ==\n  \[Valkey91 EXCEPT\n(.*?)\]", text, re.MULTILINE | re.DOTALL)
    assert record is not None

    changed = dict(re.findall(r"!\.(\w+) = (TRUE|FALSE)", record[1]))

    known = set(re.findall(r"Rules\.(\w+)", source()))
    differ = {name for name in known if getattr(STRICT, name) != getattr(VALKEY_9_1, name)}
    assert changed == {name: str(getattr(STRICT, name)).upper() for name in differ}


def test_a_scope_of_strict_alone_is_left_out_for_a_release() -> None:
    done = CliRunner().invoke(command, ["--scope", "kept", "--dialect", "valkey-9.1"])

    assert done.exit_code == 0
    assert "kept is of strict alone" in done.output


def test_graphs_are_compared_where_an_invariant_does_not_hold() -> None:
    done = CliRunner().invoke(command, ["--scope", "claims", "--dialect", "redis-8.0"])

    assert done.exit_code == 0, done.output
    assert "EpochsMonotone is violated in claims" in done.output
    assert " same " in done.output


@pytest.mark.parametrize("dialect", RELEASES)
def test_the_dialects_of_the_module_are_those_of_the_core(dialect: str) -> None:
    text = source("Dialects.tla")
    preset = re.search(rf'name = "{dialect}" -> (\w+)', text)
    assert preset is not None
    record = re.search(rf"^{preset[1]} ==\n(  \[.*?\])", text, re.MULTILINE | re.DOTALL)
    assert record is not None

    switches = read_value(record[1]).as_dict()

    rules = DIALECTS[dialect]
    assert switches == {name: getattr(rules, name) for name in switches}
    assert set(re.findall(r"Rules\.(\w+)", source())) == set(switches)


def test_the_shortest_path_to_a_difference_is_shown() -> None:
    def graph(*steps: tuple[str, str, str]) -> Graph:
        places = {place for source, _, target in steps for place in (source, target)}
        return Graph(
            first=("a",),
            steps={
                (place,): frozenset(((act, (to,)) for at, act, to in steps if at == place))
                for place in places
            },
        )

    found = difference(
        graph(("a", "go", "b"), ("b", "turn", "c"), ("b", "stop", "a")),
        graph(("a", "go", "b"), ("b", "turn", "b"), ("b", "stop", "a"), ("b", "go", "c")),
    )

    assert found == Difference(
        path=("go",),
        action="go",
        state=("b",),
        ours=frozenset(),
        theirs=frozenset({("c",)}),
    )


def test_the_command_tells_where_the_sides_differ() -> None:
    asked = ["--scope", "tie", "--dialect", "redis-7.0"]

    done = CliRunner().invoke(command, [*asked, "--without-in-core", "collision_resolution"])

    assert done.exit_code == 1, done.output
    assert "The graphs differ after 1 steps, in ReceivePong." in done.output
    assert "different in ReceivePong" in done.output


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-3", -3),
        ("TRUE", True),
        ("{}", frozenset()),
        ('{"a", "b"}', frozenset({"a", "b"})),
        ("<<1, 2>>", Function.of({1: 1, 2: 2})),
        ('[x |-> {1}, y |-> "z"]', Function.of({"x": frozenset({1}), "y": "z"})),
        ('(0 :> "n" @@ 1 :> "m")', Function.of({0: "n", 1: "m"})),
    ],
)
def test_values_of_tlc_are_read(text: str, value: object) -> None:
    assert read_value(text) == value


@pytest.mark.parametrize("text", ["", "{1", "[x |-> ]", "1 2", "(0 :> 1", "$"])
def test_what_is_no_value_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a TLA"):
        read_value(text)


def test_a_jar_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(JAR_VARIABLE, "no/such.jar")

    with pytest.raises(TlcError, match=r"TLA2TOOLS_JAR names no/such\.jar"):
        tlc.jar()


def test_a_constant_that_a_configuration_does_not_have_is_named() -> None:
    with pytest.raises(TlcError, match="no constant Speed"):
        configured("CONSTANTS\n  Slot = {0}\n", {"Speed": "1"})


def test_what_tlc_does_not_understand_is_shown() -> None:
    with pytest.raises(TlcError, match="no verdict"):
        run_tlc("MC_claims", "SPECIFICATION MCSpec\n", sources={MODULE: "no module"})
