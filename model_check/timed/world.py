"""All nodes, what is on its way, and everything that one tick can bring.

Any message that waits at a stopped A may be lost in a cut. Nobody can tell before A reads, so that
is decided when it goes on, and until then the message is in doubt: one world stands for all those
in which some of them are lost. Two things must not depend on it meanwhile. A message that is behind
one like it is not sent; if that one is in doubt the later one takes its place, for a message that
is read twice at one instant tells what it tells once. And none overtakes another, so only those are
in doubt that have arrived already. With `lost_when_cut` all is decided at once, as one would write
it down first; `tests/model/test_timed.py` compares both.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple, TypeVar

import attrs

from model_check.timed.apart import NEVER, Apart, Others
from model_check.timed.clockwork import Post, Told
from model_check.timed.scope import NAMES, NEW, OLD, SLOT, Scope

_T = TypeVar("_T")
_ON_TIME: Final = 0


class Flying(NamedTuple):
    """A message on its way, which arrives after so many ticks."""

    ticks: int
    sender: int
    receiver: int
    answer: bool
    message: int
    in_doubt: bool = False  # it may be lost: that is decided when it is read


class World(NamedTuple):
    """A state of the whole: node numbers, messages, and what may still go wrong."""

    nodes: tuple[int, ...]
    flying: tuple[Flying, ...]
    cut: bool
    paused: bool
    cuts: int
    heals: int
    pauses: int
    late: int
    rested: tuple[int, ...]  # for each slow clock, how many ticks it has not missed
    both: bool  # whether both took writes at this instant


@attrs.frozen
class Step:
    """Something that happened at an instant, for a story."""

    who: int | None  # None: the surroundings
    what: "str | Told"


Choose = Callable[[Sequence[_T]], _T]


class Choices:
    """Every way through a function that chooses: it is called until all have been taken."""

    def __init__(self) -> None:
        self._taken: list[int] = []
        self._counts: list[int] = []
        self._at = 0

    def choose(self, options: Sequence[_T]) -> _T:
        """One of the options; another one at another time."""
        if self._at == len(self._taken):
            self._taken.append(0)
            self._counts.append(len(options))
        self._at += 1
        return options[self._taken[self._at - 1]]

    def again(self) -> bool:
        """Whether there is a way that was not taken; the next call takes it."""
        self._at = 0
        while self._taken:
            if self._taken[-1] + 1 < self._counts[-1]:
                self._taken[-1] += 1
                return True
            self._taken.pop()
            self._counts.pop()
        return False


class Worlds:
    """The worlds of a scope: where they start, and what follows each."""

    def __init__(
        self, scope: Scope, *, one_for_all: bool = True, lost_when_cut: bool = False
    ) -> None:
        """Those who are alike once A is cut off for good are told apart if not `one_for_all`.

        And so are those that differ in what waits at a stopped A, if `lost_when_cut`.
        """
        self.scope = scope
        self.lost_when_cut = lost_when_cut
        self.clockwork = scope.clockwork()
        self._one_for_all = one_for_all and not scope.one_way and scope.slow <= {OLD}
        self._old = next(iter(scope.starts(self.clockwork)))[OLD]
        self._apart = Apart(
            self._alone, lambda others: self.clockwork.takes_writes(others[NEW - 1], SLOT)
        )

    def starts(self) -> Iterator[World]:
        """Every cluster at rest, with all faults still to come."""
        scope = self.scope
        for nodes in self.scope.starts(self.clockwork):
            yield World(
                nodes=nodes,
                flying=(),
                cut=False,
                paused=False,
                cuts=scope.cuts,
                heals=scope.heals,
                pauses=scope.pauses,
                late=scope.late,
                rested=(0,) * len(scope.slow),
                both=False,
            )

    def is_over(self, world: World) -> bool:
        """Whether the two can never both take writes any more.

        A follows its successor, or serves nobody and is cut off for good.
        """
        old = self.clockwork.nodes[world.nodes[OLD]]
        if old.state.myself.is_replica:
            return True
        cut_off = world.cut and not self.scope.one_way
        alone = cut_off and not world.heals and not world.paused
        if alone and not world.flying and not old.availability.serving:
            return True
        return self._is_apart(world) and self._apart.left(world.nodes[OLD + 1 :]) == NEVER

    def following(self, world: World) -> set[World]:
        """Every world that can come of this one after a tick, or one that stands for it."""
        return set(map(self._standing_for, self.each_after(world)))

    def really(self, worlds: Sequence[World]) -> list[World]:
        """The way from a start, where each world stands for others, as it really goes."""
        way = list(worlds[:1])
        for after in worlds[1:]:
            each = self.each_after(way[-1])
            way.append(next(world for world in each if self._standing_for(world) == after))
        return way

    def each_after(self, world: World) -> set[World]:
        """Every world that can come of this one after a tick."""
        found: set[World] = set()
        choices = Choices()
        while True:
            found.add(_Instant(self, world, choices, None).passed())
            if not choices.again():
                return found

    def _standing_for(self, world: World) -> World:
        if not self._is_apart(world):
            return world
        others = self._apart.standing_for(world.nodes[OLD + 1 :])
        return world._replace(nodes=(world.nodes[OLD], *others))

    def _is_apart(self, world: World) -> bool:
        """Whether A and the others have nothing to do with each other any more."""
        for_good = self._one_for_all and world.cut and not world.heals
        return for_good and all(fly.receiver == OLD for fly in world.flying)

    def _alone(self, others: Others) -> Others:
        """The others an instant later, while A is cut off; and does nothing, which is the same."""
        world = World(
            nodes=(self._old, *others), flying=(), cut=True, paused=True,
            cuts=0, heals=0, pauses=0, late=0, rested=(0,) * len(self.scope.slow), both=False,
        )  # fmt: skip
        return _Instant(self, world, Choices(), None).passed().nodes[OLD + 1 :]

    def told(self, world: World, after: World) -> list[Step]:
        """What happened between the two."""
        choices = Choices()
        while True:
            steps: list[Step] = []
            if _Instant(self, world, choices, steps).passed() == after or not choices.again():
                return steps


class _Instant:
    """The next tick of a world, on the way that is chosen."""

    def __init__(
        self, worlds: Worlds, world: World, choices: Choices, steps: list[Step] | None
    ) -> None:
        self._scope, self._clockwork = worlds.scope, worlds.clockwork
        self._in_doubt = not worlds.lost_when_cut
        self._world = world
        self._choices = choices
        self._steps = steps
        self._nodes = list(world.nodes)
        self._cut, self._paused = world.cut, world.paused
        self._cuts, self._heals, self._pauses = world.cuts, world.heals, world.pauses
        self._late = world.late
        self._flying: list[Flying] = []
        self._resumed_serving = False

    def passed(self) -> World:
        """The world after it."""
        rested = self._let_time_pass()
        self._flying = [fly._replace(ticks=max(fly.ticks - 1, 0)) for fly in self._world.flying]
        self._go_wrong()
        self._arrive()
        for at in range(len(NAMES)):
            if at != OLD or not self._paused:
                outcome = self._clockwork.act(self._nodes[at])
                self._take(at, outcome.node, outcome.told)
                self._deliver(outcome.posts)
        return World(
            nodes=tuple(self._nodes),
            flying=tuple(sorted(self._flying, key=_stream)),
            cut=self._cut,
            paused=self._paused,
            cuts=self._cuts,
            heals=self._heals,
            pauses=self._pauses,
            late=self._late,
            rested=rested,
            both=self._both(),
        )

    def _both(self) -> bool:
        clockwork = self._clockwork
        old = clockwork.takes_writes(self._nodes[OLD], SLOT) and not self._paused
        return (old or self._resumed_serving) and clockwork.takes_writes(self._nodes[NEW], SLOT)

    def _let_time_pass(self) -> tuple[int, ...]:
        scope, rested = self._scope, list(self._world.rested)
        slow = sorted(scope.slow)
        for at in range(len(NAMES)):
            ms = scope.tick
            if at in scope.slow:
                index = slow.index(at)
                may_miss = rested[index] >= scope.drift - 1
                if may_miss and self._choices.choose((True, False)):
                    ms, rested[index] = 0, 0
                else:
                    rested[index] = min(rested[index] + 1, scope.drift - 1)
            self._nodes[at] = self._clockwork.later(self._nodes[at], ms)
        return tuple(rested)

    def _go_wrong(self) -> None:
        """At most one thing goes wrong, or right again, at an instant."""
        options = ["nothing"]
        if not self._cut and self._cuts:
            options.append("cut")
        if self._cut and self._heals:
            options.append("heal")
        if not self._paused and self._pauses:
            options.append("pause")
        if self._paused:
            options.append("resume")
        match self._choices.choose(options):
            case "cut":
                self._cut, self._cuts = True, self._cuts - 1
                self._tell("A is CUT OFF from the others")
                self._lose()
            case "heal":
                self._cut, self._heals = False, self._heals - 1
                self._tell("A is reached again")
            case "pause":
                self._paused, self._pauses = True, self._pauses - 1
                self._tell("A is STOPPED")
            case "resume":
                self._paused = False
                self._tell("A goes on")
                self._resumed_serving = self._clockwork.takes_writes(self._nodes[OLD], SLOT)
            case _:
                pass

    def _lose(self) -> None:
        """Any message to or from A may be lost; what nobody will read for now, when it is read."""
        kept: list[Flying] = []
        for fly in self._flying:
            if not _with_old(fly):
                kept.append(fly)
            elif self._waits(fly) and self._for_good:
                kept.append(fly._replace(in_doubt=False))  # so are they all
            elif self._waits(fly) and not fly.ticks and self._in_doubt:
                kept.append(fly._replace(in_doubt=True))
            elif self._choices.choose((True, False)):
                kept.append(fly)
        self._flying = kept

    @property
    def _for_good(self) -> bool:
        """Whether A is cut off and will never be reached again."""
        return self._cut and not self._heals and not self._scope.one_way

    def _arrive(self) -> None:
        """What is due arrives, in the order of its sending; a stopped node reads nothing."""
        due = [fly for fly in self._flying if not fly.ticks and not self._waits(fly)]
        self._flying = [fly for fly in self._flying if fly.ticks or self._waits(fly)]
        if self._for_good and all(fly.receiver == OLD for fly in due):
            self._read_some([_post(fly) for fly in due])
            return
        for fly in due:
            if not fly.in_doubt or self._is_there(_post(fly)):
                self._hear(_post(fly))

    def _is_there(self, post: Post) -> bool:
        """Whether a message in doubt was not lost; no matter if it changes nothing."""
        outcome = self._clockwork.hear(self._nodes[post.receiver], post)
        if outcome.node == self._nodes[post.receiver] and not outcome.posts:
            return False
        return self._choices.choose((True, False))

    def _read_some(self, posts: Sequence[Post]) -> None:
        """A has read some of these, whose answers go nowhere; only what it is then is chosen."""
        found: dict[int, tuple[Told, ...]] = {self._nodes[OLD]: ()}
        for post in posts:
            for node, told in tuple(found.items()):
                outcome = self._clockwork.hear(node, post)
                found.setdefault(outcome.node, (*told, *outcome.told))
        node = self._choices.choose(sorted(found))
        self._take(OLD, node, found[node])

    def _waits(self, fly: Flying) -> bool:
        return self._paused and fly.receiver == OLD

    def _take(self, at: int, node: int, told: tuple[Told, ...]) -> None:
        self._nodes[at] = node
        if self._steps is not None:
            self._steps += [Step(at, one) for one in told]

    def _tell(self, what: str) -> None:
        if self._steps is not None:
            self._steps.append(Step(None, what))

    def _hear(self, post: Post) -> None:
        outcome = self._clockwork.hear(self._nodes[post.receiver], post)
        self._take(post.receiver, outcome.node, outcome.told)
        self._deliver(outcome.posts)

    def _deliver(self, posts: Sequence[Post]) -> None:
        for post in posts:
            ticks = self._delay(post)
            if ticks is None:
                continue
            fly = Flying(ticks, post.sender, post.receiver, post.answer, post.message)
            if ticks or self._waits(fly):
                self._put_behind(fly)
            else:
                self._hear(post)

    def _put_behind(self, fly: Flying) -> None:
        """It follows what is in its stream; behind one like it, it would tell nothing new."""
        before = [each for each in self._flying if _stream(each) == _stream(fly)]
        if not before or before[-1]._replace(in_doubt=False) != fly:
            self._flying.append(fly)
        elif before[-1].in_doubt:
            self._flying[self._flying.index(before[-1])] = fly

    def _delay(self, post: Post) -> int | None:
        """How long the message takes, never shorter than what is before it; None: it is lost."""
        if OLD not in (post.sender, post.receiver):
            return _ON_TIME
        if self._cut:
            heard = self._scope.one_way and post.receiver == OLD and post.sender != NEW
            return _ON_TIME if heard else None
        before = max(
            (
                fly.ticks
                for fly in self._flying
                if (fly.sender, fly.receiver, fly.answer)
                == (post.sender, post.receiver, post.answer)
            ),
            default=0,
        )
        if not self._late or before == self._scope.delay:
            return before
        ticks = self._choices.choose(range(before, self._scope.delay + 1))
        self._late -= ticks > before
        return ticks


def _stream(fly: Flying) -> tuple[int, int, bool]:
    """A direction of a connection, in which nothing is overtaken."""
    return fly.sender, fly.receiver, fly.answer


def _post(fly: Flying) -> Post:
    return Post(sender=fly.sender, receiver=fly.receiver, message=fly.message, answer=fly.answer)


def _with_old(fly: Flying) -> bool:
    return OLD in (fly.sender, fly.receiver)
