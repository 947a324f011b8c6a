"""A replica tells of its master's newest epoch, and what that one said before comes late."""

from typing import Final

from model_check.models.cluster import Process, Scope
from model_check.models.history import History
from model_check.models.kinds import TELLING
from model_check.models.model import RELEASES, Expected, Model
from model_check.models.properties import EPOCHS_MONOTONE, EXCLUSIVE_CLAIM, some_node
from model_check.models.start import agreed, master, replica
from model_check.properties import StepProperty
from reference.core.announce import pong
from reference.core.events import ClusterBumpEpoch
from reference.core.rules import Rules
from reference.core.types import Epoch, NodeId

_A: Final = NodeId("A")


def _scope(rules: Rules) -> Scope:
    """A took one epoch after another; D, its replica, has heard of the last, and C of none.

    What A said of the one between is still on its way to C.
    """
    history = History(
        agreed(
            rules,
            master("A", 0, epoch=1),
            master("B", 1, epoch=2),
            master("C", 2, epoch=3),
            replica("D", of="A"),
        )
    )
    history.happen("A", ClusterBumpEpoch())
    between = pong(next(node for node in history.nodes if node.myself_id == _A))
    history.tell("A", "B")
    history.happen("B", ClusterBumpEpoch())
    history.tell("B", "A")
    history.happen("A", ClusterBumpEpoch())
    history.tell("A", "D")
    nodes = tuple(node for node in history.nodes if node.myself_id in "ACD")
    return Scope(nodes=nodes, stale=((_A, NodeId("C"), between),))


def _known(node: Process) -> Epoch:
    """The newest epoch of A that the node has heard of, from whomever."""
    entry = None if node.state is None else node.state.nodes.get(_A)
    return 0 if entry is None else max(entry.config_epoch, entry.told_epoch)


def _never_forgets(process: int, before: Process, after: Process) -> bool:
    del process
    return _known(before) <= _known(after)


TOLD_EPOCHS: Final = Model(
    name="told-epochs",
    text="D tells of the last epoch of A, its master, and C hears A itself of one before",
    scope=_scope,
    properties=(
        EXCLUSIVE_CLAIM,
        EPOCHS_MONOTONE,
        StepProperty(
            id="HB-17",
            clause="HB-17",
            text="nobody forgets the newest epoch of a master that it heard of",
            judge=_never_forgets,
        ),
        some_node(
            "HB-17:witness",
            "a node has heard of A's epochs: of one from A, of a newer one from its replica",
            lambda state: (
                state.myself_id == "C"
                and state.nodes[_A].told_epoch > state.nodes[_A].config_epoch > 1
            ),
        ),
    ),
    links="held(1)",
    clauses=("HB-17", "EP-2"),
    happens=TELLING,
    expected=(
        Expected(
            property_id="HB-17:witness",
            dialects=RELEASES,
            told="only strict remembers it",
            clause="HB-17",
        ),
    ),
)
