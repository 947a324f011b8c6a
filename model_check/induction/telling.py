"""A counterexample to induction in the words of the protocol."""

from collections.abc import Iterator

import attrs

from model_check.induction.conjuncts import Conjunct
from model_check.induction.counterexample import Counterexample
from model_check.induction.logic import SortName
from model_check.induction.steps import FOLLOWED
from model_check.induction.structure import Structure
from model_check.induction.vocabulary import SAVED, SYMBOLS

_LETTERS = "ABCDEFGH"

_MESSAGES = {
    "request": "{0} asked for votes in epoch {1}",
    "ack": "{0} voted for {1} in epoch {2}",
    "header": "{0} announced configEpoch {1} as a master",
    "told": "somebody said that {0} has configEpoch {1}",
    "claim": "slot {1} was claimed for {0} with configEpoch {2}",
    "won": "{0} won election {1} with the votes of {2}",
    "granted": "{0} was given configEpoch {1}",
    "held": "{0} announced slot {1} with configEpoch {2}",
}

_FIELDS = {
    "current_epoch": "currentEpoch",
    "last_vote_epoch": "lastVoteEpoch",
    "config_epoch": "configEpoch",
}


@attrs.frozen
class Told:
    """What is shown of a counterexample."""

    size: str
    rows: tuple[tuple[str, ...], ...]  # of each node before the step; the first names the columns
    facts: tuple[str, ...]  # what was sent and what happened before
    step: str
    changes: tuple[str, ...]
    broken: str  # the words of the conjunct, and for whom it does not hold


def told_of(found: Counterexample) -> Told:
    """The counterexample in words."""
    state, action = found.before, found.condition.action
    names = _names(state)
    step = "at the start"
    if action is not None:
        arguments = zip(action.sorts, found.parameters, strict=True)
        step = action.words.format(*(names[sort][each] for sort, each in arguments))
    return Told(
        size=_size(state),
        rows=(_COLUMNS, *(_row(state, names, node) for node in range(state.sizes["node"]))),
        facts=tuple(_facts(state, names)),
        step=step,
        changes=tuple(_changes(found, names)),
        broken=_broken(found, names),
    )


_COLUMNS = ("node", "role", *_FIELDS.values(), "owns", "election")


def _names(state: Structure) -> dict[SortName, list[str]]:
    nodes = list(_LETTERS[: state.sizes["node"]])
    members = state.true("member")
    return {
        "node": nodes,
        "slot": [str(slot) for slot in range(state.sizes["slot"])],
        "epoch": [str(epoch) for epoch in range(state.sizes["epoch"])],
        "quorum": [
            "{" + " ".join(nodes[n] for n, q in members if q == quorum) + "}"
            for quorum in range(state.sizes["quorum"])
        ],
    }


def _size(state: Structure) -> str:
    count, majorities = state.sizes["node"], _names(state)["quorum"]
    nodes = "1 node" if count == 1 else f"{count} nodes"
    kinds = "the only majority is" if len(majorities) == 1 else "the majorities are"
    return f"{nodes}, epochs 0 to {state.sizes['epoch'] - 1}; {kinds} {' and '.join(majorities)}"


def _row(state: Structure, names: dict[SortName, list[str]], node: int) -> tuple[str, ...]:
    return (names["node"][node], *(_cell(state, names, node, each) for each in _COLUMNS[1:]))


def _cell(state: Structure, names: dict[SortName, list[str]], node: int, column: str) -> str:
    if column == "election":
        return _election(state, names, node)
    if column == "owns":
        now, saved = (_slots(state, names, each, node) for each in ("owns", "saved_owns"))
    elif column == "role":
        now, saved = (_role(state, node, prefix) for prefix in ("", "saved_"))
    else:
        symbol = next(name for name, title in _FIELDS.items() if title == column)
        now, saved = (str(state.tables[each][node,]) for each in (symbol, SAVED[symbol]))
    return now if now == saved else f"{now} (saved {saved})"


def _role(state: Structure, node: int, prefix: str) -> str:
    role = "master" if state.tables[f"{prefix}master"][node,] else "replica"
    return f"{role}, alone" if state.tables[f"{prefix}alone"][node,] else role


def _slots(state: Structure, names: dict[SortName, list[str]], symbol: str, node: int) -> str:
    return " ".join(names["slot"][s] for n, s in state.true(symbol) if n == node) or "-"


def _election(state: Structure, names: dict[SortName, list[str]], node: int) -> str:
    votes = {
        symbol: " ".join(names["node"][v] for c, v in state.true(symbol) if c == node)
        for symbol in ("counted", "late")
    }
    epoch = state.tables["auth_epoch"][node,]
    if state.tables["running"][node,]:
        return f"{epoch}, votes of {votes['counted'] or 'nobody'}"
    if state.tables["put_off"][node,]:
        return f"gave {epoch} up, late votes of {votes['late'] or 'nobody'}"
    return "-"


def _facts(state: Structure, names: dict[SortName, list[str]]) -> Iterator[str]:
    if not all(state.tables["takes"].values()):
        yield from _epochs(state, names)
    yield from _rules(state, names)
    for symbol, words in _MESSAGES.items():
        sorts = SYMBOLS[symbol].sorts
        for args in state.true(symbol):
            yield words.format(*(names[sort][a] for sort, a in zip(sorts, args, strict=True)))
    for node, slot in state.true("marked"):
        yield f"{names['node'][node]} has slot {slot} marked as not claimed by its owner"
    for node, slot in state.true("inherits"):
        yield f"{names['node'][node]} knows slot {slot} as its master's"
    for (node, other), epoch in state.tables["recorded"].items():
        if epoch:
            one, two = names["node"][node], names["node"][other]
            yield f"{one} has recorded configEpoch {epoch} of {two}"


def _rules(state: Structure, names: dict[SortName, list[str]]) -> Iterator[str]:
    """Who has which rule, where nodes differ in it."""
    for switch, symbol in FOLLOWED.items():
        having = [node for (node,) in state.true(symbol)]
        if len(having) < state.sizes["node"]:
            for node in having:
                yield f"{names['node'][node]} has {switch}"


def _epochs(state: Structure, names: dict[SortName, list[str]]) -> Iterator[str]:
    """Whose the epochs are, and which are of one round, where that is not so of all."""
    for node, epoch in state.true("takes"):
        yield f"epoch {epoch} is one that only {names['node'][node]} takes"
    for one, other in state.true("same_round"):
        if one < other:
            yield f"epochs {one} and {other} are of one round"


def _changes(found: Counterexample, names: dict[SortName, list[str]]) -> Iterator[str]:
    old, new = found.before, found.after
    for node in range(old.sizes["node"]):
        cells = zip(_COLUMNS, _row(old, names, node), _row(new, names, node), strict=True)
        for column, was, now in cells:
            if was != now:
                yield f"{names['node'][node]}: {column} {was} -> {now}"
    before = set(_facts(old, names))
    after = list(_facts(new, names))
    yield from (fact for fact in after if fact not in before)
    yield from (f"no longer: {fact}" for fact in sorted(before - set(after)))


def _broken(found: Counterexample, names: dict[SortName, list[str]]) -> str:
    conjunct = found.condition.conjunct
    kind = "" if isinstance(conjunct, Conjunct) else " (of this step)"
    nodes = dict.fromkeys(names["node"][n] for n in found.at[:2] if n < len(names["node"]))
    who = f" Not so for {' and '.join(nodes)}." if nodes else ""
    return f"{conjunct.words}{kind}{who}"
