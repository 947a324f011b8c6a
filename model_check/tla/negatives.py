"""Configurations of TLC in which an invariant must fail, each with its counterpart in the checker.

Each is a file spec/tla/NEG_*.cfg. The shortest path to the violation is as long on both sides.
"""

from collections.abc import Mapping
from typing import Final

import attrs

from model_check.engine import Limits, explore
from model_check.links import parse_links
from model_check.models.cluster import Process
from model_check.models.properties import (
    ELECTION_SAFETY,
    ELECTION_WON,
    EPOCHS_MONOTONE,
    EXCLUSIVE_CLAIM,
    agreement,
    some_node,
)
from model_check.properties import Property, StepProperty
from model_check.tla.fault_scopes import (
    ELECTORATES,
    LATE_ROLE,
    LATE_VOTES,
    OBSERVER,
    STALE_REQUEST,
    TAKE_BACK,
    TWO_REPLICAS,
)
from model_check.tla.scopes import SCOPES, TwinScope
from model_check.tla.tlc import TlcRun, configured, modules, run_tlc
from reference.core.rules import Rules


def _goes_to_newer(process: int, before: Process, after: Process) -> bool:
    """A slot that is not up for grabs only goes to a node with a newer configEpoch."""
    del process
    if before.state is None or after.state is None:
        return True
    for old in before.state.nodes:
        for slot in old.slots - before.state.owner_not_claiming_slot:
            new = after.state.owner(slot)
            if new is None or new.node_id == old.node_id:
                continue
            if new.config_epoch <= old.config_epoch:
                return False
    return True


SLOTS_GO_TO_NEWER: Final = StepProperty(
    id="SC-1:step",
    text="a slot only goes to a node with a newer configEpoch than its owner had",
    judge=_goes_to_newer,
)
DEMOTED: Final = some_node(
    "SC-7:witness",
    "in a scope where all are masters at the start, a node follows another one",
    lambda state: state.myself.is_replica,
)


@attrs.frozen(kw_only=True)
class Negative:
    """A configuration that must fail."""

    name: str
    scope: TwinScope
    off: tuple[str, ...]  # the rules that are turned off
    fails: str  # the invariant or property of the module
    prop: Property  # the same in the checker
    links: str | None = None  # where they are not those of the scope

    @property
    def path(self) -> str:
        """The name of its file."""
        return f"NEG_{self.name}.cfg"

    def in_tlc(self, rules: Rules, off: tuple[str, ...] = ()) -> TlcRun:
        """What TLC finds in this dialect, with these rules off besides."""
        text = (modules() / self.path).read_text(encoding="utf-8")
        changes = {"Dialect": f'"{rules.dialect}"'}
        if off:
            names = ", ".join(f'"{name}"' for name in (*self.off, *off))
            changes["Off"] = f"{{{names}}}"
        cfg = configured(text, changes)
        return run_tlc(self.scope.module, cfg)

    def steps_in_checker(self, rules: Rules) -> int | None:
        """The length of the shortest story in which the property fails, None if there is none."""
        links = self.scope.the_links if self.links is None else parse_links(self.links)
        system = self.scope.system(rules.without(*self.off))
        found = explore(system, links, [self.prop], Limits(seconds=120))
        trace = found.properties[0].trace
        return None if trace is None else len(trace.steps)


NEGATIVES: Final[Mapping[str, Negative]] = {
    negative.name: negative
    for negative in (
        Negative(
            name="one_vote_per_epoch",
            scope=TWO_REPLICAS,
            off=("one_vote_per_epoch",),
            fails="ElectionSafety",
            prop=ELECTION_SAFETY,
        ),
        Negative(
            name="majority_wins",
            scope=TWO_REPLICAS,
            off=("majority_wins",),
            fails="ElectionSafety",
            prop=ELECTION_SAFETY,
            links="flight(5)",
        ),
        Negative(
            name="persist_vote",
            scope=SCOPES["elections"],
            off=("persist_vote",),
            fails="EpochsMonotone",
            prop=EPOCHS_MONOTONE,
        ),
        Negative(
            name="save_before_send",
            scope=SCOPES["elections"],
            off=("save_before_send",),
            fails="EpochsMonotone",
            prop=EPOCHS_MONOTONE,
        ),
        Negative(
            name="smaller_id_moves",
            scope=SCOPES["claims"],
            off=("collision_moves_smaller_id_only",),
            fails="ExclusiveClaim",
            prop=EXCLUSIVE_CLAIM,
        ),
        Negative(
            name="config_epoch_only_rises",
            scope=SCOPES["claims"],
            off=("config_epoch_only_rises",),
            fails="EpochsMonotone",
            prop=EPOCHS_MONOTONE,
            links="flight(2)",
        ),
        Negative(
            name="claims_need_newer_epoch",
            scope=SCOPES["claims"],
            off=("claims_need_newer_epoch",),
            fails="SlotsGoToNewer",
            prop=SLOTS_GO_TO_NEWER,
        ),
        Negative(
            name="vote_checks_request_epoch",
            scope=STALE_REQUEST,
            off=("vote_checks_request_epoch",),
            fails="ElectionSafety",
            prop=ELECTION_SAFETY,
        ),
        Negative(
            name="late_votes_count",
            scope=LATE_VOTES,
            off=(),
            fails="ElectionSafety",
            prop=ELECTION_SAFETY,
        ),
        Negative(
            name="views",
            scope=ELECTORATES,
            off=(),
            fails="ElectionSafety",
            prop=ELECTION_SAFETY,
        ),
        Negative(
            name="bumps",
            scope=TAKE_BACK,
            off=(),
            fails="ExclusiveClaim",
            prop=EXCLUSIVE_CLAIM,
        ),
        Negative(
            name="role_switch_heeds_sender",
            scope=LATE_ROLE,
            off=("role_switch_heeds_sender",),
            fails="EpochsMonotone",
            prop=EPOCHS_MONOTONE,
        ),
        Negative(
            name="collision_resolution",
            scope=SCOPES["tie"],
            off=("collision_resolution",),
            fails="AgreementAtRest",
            prop=agreement(2),
        ),
        Negative(
            name="not_claiming_slots",
            scope=OBSERVER,
            off=("not_claiming_slots",),
            fails="AgreementAtRest",
            prop=agreement(4),
        ),
        Negative(
            name="nobody_wins",
            scope=SCOPES["elections"],
            off=(),
            fails="NobodyWins",
            prop=ELECTION_WON,
        ),
        Negative(
            name="nobody_is_demoted",
            scope=SCOPES["claims"],
            off=(),
            fails="NobodyIsDemoted",
            prop=DEMOTED,
        ),
    )
}
"""The configurations by name."""
