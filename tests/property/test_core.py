"""What holds for every node in every walk of a small cluster, and for events of any kind.

Clauses: MO-1, MO-2, MO-3, MO-4, MO-5, EP-1, EP-2, EP-7, EP-8, EL-9, SC-1, SC-2.
"""

from typing import Final

import attrs
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from reference.core.effects import Broadcast, Effect, Happening, Refusal, SaveConfig, Send
from reference.core.events import ClusterReset, Event
from reference.core.nodes import ClusterNode
from reference.core.slots import NO_SLOTS
from reference.core.state import durable, restarted
from reference.core.step import step
from reference.core.timers import timers
from tests.builders import told
from tests.scenarios.world import Moment, World
from tests.strategies import NODES, any_rules, events, worlds

quick = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
surprises = st.tuples(st.sampled_from(NODES), events)


def with_surprise(world: World, surprise: tuple[str, Event]) -> list[Moment]:
    """All steps of the walk, and one more with an event that nobody expected."""
    node, event = surprise
    before = next(state for name, state in world.states.items() if name == node)
    after, effects = step(before, event)
    last = Moment(node=before.myself_id, before=before, event=event, after=after, effects=effects)
    return [*world.history, last]


@quick
@given(worlds(any_rules()), st.sampled_from(NODES), st.lists(events, max_size=5))
def test_no_event_is_refused_with_an_exception(
    world: World, node: str, unexpected: list[Event]
) -> None:
    state = next(state for name, state in world.states.items() if name == node)

    for event in unexpected:
        state, effects = step(state, event)

        assert isinstance(effects, tuple)


@quick
@given(worlds(any_rules()), surprises)
def test_a_step_depends_on_nothing_but_the_state_and_the_event(
    world: World, surprise: tuple[str, Event]
) -> None:
    for moment in with_surprise(world, surprise):
        assert (moment.after, moment.effects) == step(moment.before, moment.event)


@quick
@given(worlds(any_rules()), surprises)
def test_a_step_that_changes_nothing_gives_the_very_same_state(
    world: World, surprise: tuple[str, Event]
) -> None:
    for moment in with_surprise(world, surprise):
        assert (moment.after == moment.before) == (moment.after is moment.before)


def sends(effect: Effect) -> bool:
    """Whether the effect lets others know something."""
    return isinstance(effect, Send | Broadcast)


@quick
@given(worlds(any_rules()), surprises)
def test_what_is_saved_is_saved_before_anything_is_sent_or_after_everything(
    world: World, surprise: tuple[str, Event]
) -> None:
    for moment in with_surprise(world, surprise):
        saves = [i for i, effect in enumerate(moment.effects) if isinstance(effect, SaveConfig)]
        others = [i for i, effect in enumerate(moment.effects) if sends(effect)]

        assert len(saves) <= 1
        if moment.before.rules.save_before_send:
            assert all(save < other for save in saves for other in others)
        else:
            assert all(save > other for save in saves for other in others)


@quick
@given(worlds(), surprises)
def test_what_a_message_says_of_a_vote_or_an_own_claim_is_saved_first(
    world: World, surprise: tuple[str, Event]
) -> None:
    """A change of the own epochs or role that is sent is never lost in a crash."""
    for moment in with_surprise(world, surprise):
        before, after = moment.before, moment.after
        own = (before.last_vote_epoch, before.myself.config_epoch, before.myself.replicaof)
        changed = own != (after.last_vote_epoch, after.myself.config_epoch, after.myself.replicaof)
        saved = any(isinstance(effect, SaveConfig) for effect in moment.effects)

        assert saved or not changed


def begins_anew(moment: Moment) -> bool:
    """Whether a hard reset has made the node another one."""
    return isinstance(moment.event, ClusterReset) and moment.after.myself_id != moment.node


@quick
@given(worlds(), surprises)
def test_epochs_do_not_fall_while_a_node_runs(world: World, surprise: tuple[str, Event]) -> None:
    for moment in with_surprise(world, surprise):
        before, after = moment.before, moment.after
        if begins_anew(moment):
            continue

        assert before.current_epoch <= after.current_epoch
        assert before.last_vote_epoch <= after.last_vote_epoch <= after.current_epoch
        assert before.myself.config_epoch <= after.myself.config_epoch


def promoted_by_hearsay(before: ClusterNode, after: ClusterNode) -> bool:
    """Whether a replica became master, possibly since its master said so (SC-18)."""
    return before.is_replica and after.is_master


@quick
@given(worlds(), surprises)
def test_recorded_config_epochs_do_not_fall_while_a_node_runs(
    world: World, surprise: tuple[str, Event]
) -> None:
    for moment in with_surprise(world, surprise):
        handed_over = moment.before.rules.shards
        for node in moment.before.nodes:
            after = moment.after.nodes.get(node.node_id) or node

            assert node.config_epoch <= after.config_epoch or (
                handed_over and promoted_by_hearsay(node, after)
            )


@quick
@given(worlds(any_rules()), surprises)
def test_a_slot_has_at_most_one_owner(world: World, surprise: tuple[str, Event]) -> None:
    for moment in with_surprise(world, surprise):
        seen = NO_SLOTS
        for node in moment.after.nodes:
            assert not seen & node.slots
            seen |= node.slots


@quick
@given(worlds(any_rules()), surprises)
def test_a_node_has_one_entry_of_its_own_and_a_replica_never_itself_as_master(
    world: World, surprise: tuple[str, Event]
) -> None:
    for moment in with_surprise(world, surprise):
        myself = moment.after.myself

        assert myself.node_id == moment.node or begins_anew(moment)
        assert not myself.handshake
        assert myself.replicaof != myself.node_id
        assert myself.is_master or myself.replicaof is not None


@quick
@given(worlds(any_rules()), surprises)
def test_every_pending_timer_does_something(world: World, surprise: tuple[str, Event]) -> None:
    for moment in with_surprise(world, surprise):
        for timer in timers(moment.after):
            assert step(moment.after, timer)[0] is not moment.after


@quick
@given(worlds(any_rules()), surprises)
def test_a_node_that_starts_again_and_again_stays_as_it_is(
    world: World, surprise: tuple[str, Event]
) -> None:
    for moment in with_surprise(world, surprise):
        saved = durable(moment.after)
        started = restarted(saved)

        assert saved == durable(saved)
        assert started == restarted(durable(started))
        assert started.current_epoch >= moment.after.current_epoch


@quick
@given(worlds(any_rules()))
def test_equal_states_reached_in_different_ways_are_one(world: World) -> None:
    rebuilt = [attrs.evolve(state) for state in world.states.values()]

    assert rebuilt == [*world.states.values()]
    assert len({*rebuilt, *world.states.values()}) == len(world.states)


def won(moment: Moment) -> bool:
    """Whether the node became master by an election in this step."""
    return Happening.WON_ELECTION in told(moment.effects)


@quick
@given(worlds(operators=False))  # who changes who may vote can break any majority
def test_an_epoch_has_at_most_one_winner(world: World) -> None:
    winners: dict[int, set[str]] = {}
    for moment in world.history:
        if won(moment):
            winners.setdefault(moment.after.myself.config_epoch, set()).add(moment.node)

    assert all(len(nodes) == 1 for nodes in winners.values())


WORTH_SEEING: Final = {
    Happening.MARKED_FAIL,
    Happening.VOTED,
    Happening.WON_ELECTION,
    Happening.ELECTION_EXPIRED,
    Happening.FOLLOWED,
}


def test_walks_reach_wins_votes_and_demotions() -> None:
    """The walks are worth something: what the properties are about happens in them.

    Examples are drawn from constants of all modules that are loaded, so the same seed gives other
    walks when other tests run too: there are several seeds.
    """
    seen: set[Happening | Refusal] = set()

    @settings(max_examples=400, deadline=None, database=None)
    @given(worlds())
    def walk(world: World) -> None:
        for moment in world.history:
            seen.update(told(moment.effects))

    for number in range(6):
        seed(number)(walk)()
        if seen >= WORTH_SEEING:
            break

    assert seen >= WORTH_SEEING
