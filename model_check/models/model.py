"""What a model is: a scope, what is claimed in it, and the links it is checked with."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import attrs

from model_check.links import Links, parse_links
from model_check.models.cluster import Scope
from model_check.properties import Property
from reference.core.rules import DIALECTS, Rules

EVERYWHERE: Final = tuple(DIALECTS)
"""All dialects."""

RELEASES: Final = ("redis-7.0", "redis-8.0", "valkey-8.1", "valkey-9.1")
"""The dialects of releases, for what none of them mends."""


@attrs.frozen(kw_only=True)
class Expected:
    """A property that is known not to hold: in which dialects, and where that is told."""

    property_id: str
    dialects: tuple[str, ...]
    told: str  # the line of known bugs or the finding, and the report
    clause: str  # the rule that lets it happen


@attrs.frozen(kw_only=True)
class Model:
    """A scope with what is claimed of it, for any dialect that has what it is about."""

    name: str
    text: str  # one sentence
    scope: Callable[[Rules], Scope]
    properties: tuple[Property, ...]
    links: str  # the kind in which it is checked unless another is asked for
    quicker_links: Mapping[str, str] = attrs.field(factory=dict)  # in dialects with more states
    clauses: tuple[str, ...]  # what it exercises
    happens: tuple[type, ...]  # kinds of events and messages that must occur, besides the scope's
    happens_in: Mapping[type, tuple[str, ...]] = attrs.field(factory=dict)  # only in these dialects
    dialects: tuple[str, ...] = EVERYWHERE  # those that have what it is about
    by_default: bool = True  # part of a run that names no model
    expected: tuple[Expected, ...] = ()  # what is known not to hold

    def usual_links(self, rules: Rules) -> Links:
        """The links in which it is checked in this dialect unless others are asked for."""
        return parse_links(self.quicker_links.get(rules.dialect, self.links))

    def expects(self, property_id: str, rules: Rules) -> Expected | None:
        """Why the property is known not to hold in this dialect, None if it is to hold."""
        for each in self.expected:
            if each.property_id == property_id and rules.dialect in each.dialects:
                return each
        return None

    def kinds(self, rules: Rules) -> Iterable[type]:
        """The kinds of events and messages without which it would show nothing in this dialect."""
        yield from self.happens
        yield from (kind for kind, where in self.happens_in.items() if rules.dialect in where)
