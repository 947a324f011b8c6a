"""The relations that a state of the whole cluster consists of, and how they change.

`current_epoch` and the like are what a running node has, and `saved_...` what a crash leaves of
it. Messages are relations that only grow: a message once sent may arrive at any later moment, any
number of times, or never. Some relations are history, which no rule looks at.
"""

from collections.abc import Callable, Mapping
from typing import Final, Literal

import attrs
from typing_extensions import override

from model_check.induction.logic import Logic, SortName, Term

Kind = Literal["fixed", "running", "saved", "message", "history"]


@attrs.frozen
class Symbol:
    """A relation, or a function to epochs."""

    name: str
    sorts: tuple[SortName, ...]
    result: SortName | None  # None: a relation
    kind: Kind


SYMBOLS: Final = {
    symbol.name: symbol
    for symbol in (
        Symbol("member", ("node", "quorum"), None, "fixed"),
        Symbol("takes", ("node", "epoch"), None, "fixed"),  # it is one that the node may take
        Symbol("same_round", ("epoch", "epoch"), None, "fixed"),
        Symbol("base", (), "epoch", "fixed"),  # no configEpoch of the start is larger
        Symbol("follows_replicas", ("node",), None, "fixed"),  # config_epoch_from_replicas
        Symbol("clears_marks", ("node",), None, "fixed"),  # binding_clears_not_claiming
        Symbol("marks", ("node",), None, "fixed"),  # not_claiming_slots
        Symbol("keeps_none", ("node",), None, "fixed"),  # demoted_keep_no_slots
        Symbol("adds_slots", ("node",), None, "fixed"),  # updates_add_slots
        Symbol("takes_back", ("node",), None, "fixed"),  # reset_owners_take_back
        Symbol("takes_own", ("node",), None, "fixed"),  # unique_epochs
        Symbol("alone", ("node",), None, "running"),  # it knows no other node
        Symbol("current_epoch", ("node",), "epoch", "running"),
        Symbol("last_vote_epoch", ("node",), "epoch", "running"),
        Symbol("config_epoch", ("node",), "epoch", "running"),
        Symbol("master", ("node",), None, "running"),
        Symbol("owns", ("node", "slot"), None, "running"),  # in its own table
        Symbol("marked", ("node", "slot"), None, "running"),  # not claimed by its owner
        Symbol("inherits", ("node", "slot"), None, "running"),  # what its master has in its table
        Symbol("recorded", ("node", "node"), "epoch", "running"),  # configEpoch of the second
        Symbol("running", ("node",), None, "running"),  # it stands in an election
        Symbol("auth_epoch", ("node",), "epoch", "running"),
        Symbol("counted", ("node", "node"), None, "running"),  # candidate, voter
        Symbol("put_off", ("node",), None, "running"),  # between two elections
        Symbol("late", ("node", "node"), None, "running"),  # votes counted meanwhile
        Symbol("saved_alone", ("node",), None, "saved"),
        Symbol("saved_current_epoch", ("node",), "epoch", "saved"),
        Symbol("saved_last_vote_epoch", ("node",), "epoch", "saved"),
        Symbol("saved_config_epoch", ("node",), "epoch", "saved"),
        Symbol("saved_master", ("node",), None, "saved"),
        Symbol("saved_owns", ("node", "slot"), None, "saved"),
        Symbol("request", ("node", "epoch"), None, "message"),  # candidate
        Symbol("ack", ("node", "node", "epoch"), None, "message"),  # voter, candidate, its epoch
        Symbol("header", ("node", "epoch"), None, "message"),  # a master, its configEpoch
        Symbol("told", ("node", "epoch"), None, "message"),  # anybody's word on a configEpoch
        Symbol("claim", ("node", "slot", "epoch"), None, "message"),
        Symbol("stood", ("node",), "epoch", "history"),  # the last election it stood in
        Symbol("won", ("node", "epoch", "quorum"), None, "history"),  # and who elected it
        Symbol("granted", ("node", "epoch"), None, "history"),  # its own configEpoch at a time
        # It announced so itself, and was not told to give it away since.
        Symbol("held", ("node", "slot", "epoch"), None, "history"),
        Symbol("newest", ("slot",), "epoch", "history"),  # the largest epoch of a claim
    )
}

SAVED: Final = {
    name.removeprefix("saved_"): name for name, symbol in SYMBOLS.items() if symbol.kind == "saved"
}
"""What of a running node is saved, and as what."""

Meaning = Callable[..., Term]
"""What a symbol is of its arguments."""


class World:
    """One state: what each symbol means in it. `world.owns(n, s)` is a term."""

    def __init__(self, logic: Logic, meanings: Mapping[str, Meaning]) -> None:
        """The state in which the symbols mean this."""
        self.logic = logic
        self._meanings = meanings

    def __getattr__(self, name: str) -> Meaning:
        try:
            return self._meanings[name]
        except KeyError:
            raise AttributeError(name) from None

    def meaning(self, name: str) -> Meaning:
        """What the symbol of this name means."""
        return self._meanings[name]

    def put(self, name: str, at: tuple[Term, ...], value: Term) -> "World":
        """The state with this value of the symbol for these arguments."""
        old, logic = self._meanings[name], self.logic

        def new(*args: Term) -> Term:
            here = logic.both(*(logic.same(a, b) for a, b in zip(args, at, strict=True)))
            return logic.pick(here, value, old(*args))

        return World(logic, {**self._meanings, name: new})

    def row(self, name: str, node: Term, value: Callable[..., Term]) -> "World":
        """The state with these values of the symbol wherever its first argument is the node."""
        old, logic = self._meanings[name], self.logic

        def new(first: Term, *rest: Term) -> Term:
            return logic.pick(logic.same(first, node), value(*rest), old(first, *rest))

        return World(logic, {**self._meanings, name: new})

    def with_meaning(self, name: str, meaning: Meaning) -> "World":
        """The state in which the symbol means this."""
        return World(self.logic, {**self._meanings, name: meaning})

    def add(self, name: str, where: Callable[..., Term]) -> "World":
        """The state in which the relation holds there, too."""
        old, logic = self._meanings[name], self.logic
        return World(
            logic, {**self._meanings, name: lambda *args: logic.either(old(*args), where(*args))}
        )

    def raised(self, name: str, to: Term, where: Callable[..., Term]) -> "World":
        """The state in which the epochs there are at least that."""
        old, logic = self._meanings[name], self.logic

        def new(*args: Term) -> Term:
            return logic.pick(where(*args), logic.later(old(*args), to), old(*args))

        return World(logic, {**self._meanings, name: new})


class Spy(World):
    """A state that remembers which symbols it was asked for."""

    def __init__(self, world: World) -> None:
        """The same state."""
        super().__init__(world.logic, {name: world.meaning(name) for name in SYMBOLS})
        self.asked: set[str] = set()

    @override
    def __getattr__(self, name: str) -> Meaning:
        self.asked.add(name)
        return super().__getattr__(name)

    @override
    def meaning(self, name: str) -> Meaning:
        self.asked.add(name)
        return super().meaning(name)
