"""What a model is: a scope, what is claimed in it, and the links it is checked with."""

from collections.abc import Callable, Mapping
from typing import Final

import attrs

from model_check.links import Links, parse_links
from model_check.models.cluster import Scope
from model_check.properties import Property
from reference.core.rules import DIALECTS, Rules

EVERYWHERE: Final = tuple(DIALECTS)
"""The dialects, for what none of them mends."""


@attrs.frozen(kw_only=True)
class Expected:
    """A property that is known not to hold: in which dialects, and where that is told."""

    property_id: str
    dialects: tuple[str, ...]
    told: str  # the line of known bugs or the finding, and the report
    clause: str  # the rule that lets it happen


@attrs.frozen(kw_only=True)
class Model:
    """A scope with what is claimed of it, for any dialect."""

    name: str
    text: str  # one sentence
    scope: Callable[[Rules], Scope]
    properties: tuple[Property, ...]
    links: str  # the kind in which it is checked unless another is asked for
    quicker_links: Mapping[str, str] = attrs.field(factory=dict)  # in dialects with more states
    clauses: tuple[str, ...]  # what it exercises
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
