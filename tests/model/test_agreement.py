"""Agreement by where runs end comes to agreement sooner or later, but for nodes that are gone.

Clauses: SC-P2.
"""

import pytest

from model_check.engine import Limits, explore
from model_check.models import MODELS
from model_check.models.cluster import Process, system_of
from model_check.models.properties import View
from model_check.properties import LeadsTo, Settles
from reference.core.rules import DIALECTS

NEVER_DOWN = ("split", "role-switch", "observer", "forget", "return", "source-replaced")
DOWN = ("resharding", "restarts", "takeover")


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", [*NEVER_DOWN, *DOWN])
def test_who_disagrees_for_ever_does_so_with_a_node_down(name: str, dialect: str) -> None:
    model, rules = MODELS[name], DIALECTS[dialect]
    (settles,) = (
        each for each in model.properties if isinstance(each, Settles) if each.id == "SC-P2"
    )

    def agree_or_down(views: tuple[View, ...]) -> bool:
        return settles.judge(views) or None in views

    sooner_or_later = LeadsTo[Process](
        id="agree",
        project=settles.project,
        when=lambda views: not settles.judge(views),
        then=settles.judge if name in NEVER_DOWN else agree_or_down,
    )

    found = explore(
        system_of(model.scope(rules)),
        model.usual_links(rules),
        (settles, sooner_or_later),
        Limits(),
    )

    at_the_end, sooner = (each.verdict for each in found.properties)
    assert at_the_end == sooner
