"""The faults, each as it is seeded in the three legs."""

from typing import Final

import attrs

from model_check.legs.ways import Checked, InTlc, NotModelled, Proved, Way

LEGS: Final = ("check", "prove", "tlc")
"""The names of the legs, as fields of `Fault`."""


@attrs.frozen(kw_only=True)
class Fault:
    """A rule that is turned off, or something let in that the rules do not bear."""

    name: str  # the switch, or the assumption of the proof
    text: str
    check: Way
    prove: Way
    tlc: Way


def _two_replicas(*off: str) -> Checked:
    return Checked(model="two-replicas", property_id="EL-P1", links="held(0)", off=off)


def _claims(property_id: str, *off: str) -> Checked:
    return Checked(model="claims", property_id=property_id, links="held(1)", off=off)


def _agreement(model: str, links: str, off: str) -> Checked:
    return Checked(model=model, property_id="SC-P2", links=links, off=(off,))


def _proved(property_id: str, conjunct: str, off: str) -> Proved:
    return Proved(property_id=property_id, conjunct=conjunct, off=(off,))


_NO_AGREEMENT: Final = NotModelled("that runs end in agreement is no claim of the proof")

FAULTS: Final[dict[str, Fault]] = {
    fault.name: fault
    for fault in (
        Fault(
            name="persist_vote",
            text="a vote is forgotten in a crash",
            check=_two_replicas("persist_vote"),
            prove=_proved("EL-P1", "vote-saved", "persist_vote"),
            tlc=InTlc(negative="persist_vote"),
        ),
        Fault(
            name="save_before_send",
            text="a vote is sent before it is saved",
            check=_two_replicas("save_before_send"),
            prove=_proved("EL-P1", "vote-saved", "save_before_send"),
            tlc=InTlc(negative="save_before_send"),
        ),
        Fault(
            name="one_vote_per_epoch",
            text="a voter votes twice in an epoch",
            check=_two_replicas("one_vote_per_epoch"),
            prove=_proved("EL-P1", "one-vote", "one_vote_per_epoch"),
            tlc=InTlc(negative="one_vote_per_epoch"),
        ),
        Fault(
            name="majority_wins",
            text="one vote is enough",
            check=_two_replicas("majority_wins"),
            prove=_proved("EL-P1", "elected-by-majority", "majority_wins"),
            tlc=InTlc(negative="majority_wins"),
        ),
        Fault(
            name="vote_checks_request_epoch",
            text="a vote is given to a request of an epoch that is over",
            check=Checked(
                model="three-replicas",
                property_id="EL-P1",
                links="held(0)",
                off=("vote_checks_request_epoch",),
            ),
            prove=_proved("EL-P1", "vote-not-ahead", "vote_checks_request_epoch"),
            tlc=InTlc(negative="vote_checks_request_epoch"),
        ),
        Fault(
            name="late_votes_count",
            text="votes of one election count for the next one, as in all releases",
            check=Checked(model="late-votes", property_id="EL-P1", links="held(2)"),
            prove=Proved(property_id="EL-P1", conjunct="counted-were-given", late=True),
            tlc=InTlc(negative="late_votes_count"),
        ),
        Fault(
            name="views",
            text="nodes count different voters, as after a failover of which not all have heard",
            check=Checked(model="views", property_id="EL-P1", links="held(1)"),
            prove=Proved(property_id="EL-P1", conjunct="one-winner", dropped=("views",)),
            tlc=InTlc(negative="views"),
        ),
        Fault(
            name="bumps",
            text="a configEpoch is taken without a vote, as in a collision or by an operator",
            check=Checked(model="take-back", property_id="SC-P1", links="held(1)"),
            prove=Proved(property_id="SC-P1", conjunct="exclusive-claim", dropped=("bumps",)),
            tlc=InTlc(negative="bumps"),
        ),
        Fault(
            name="claims_need_newer_epoch",
            text="any claim takes the slot",
            check=_claims("SC-P1:kept", "claims_need_newer_epoch"),
            prove=_proved("SC-P1:kept", "newest-claim-kept", "claims_need_newer_epoch"),
            tlc=InTlc(negative="claims_need_newer_epoch"),
        ),
        Fault(
            name="config_epoch_only_rises",
            text="an old header lowers the configEpoch of its sender",
            check=_claims("EP-P1", "config_epoch_only_rises"),
            prove=_proved("EP-P1", "recorded-rises", "config_epoch_only_rises"),
            tlc=InTlc(negative="config_epoch_only_rises"),
        ),
        Fault(
            name="merge_current_epoch",
            text="nobody takes the currentEpoch of a header, and so no vote is of the epoch asked",
            check=Checked(
                model="two-replicas",
                property_id="EL-P4",
                links="held(0)",
                off=("merge_current_epoch",),
            ),
            prove=_proved("EP-P1", "config-known", "merge_current_epoch"),
            tlc=InTlc(negative="nobody_wins", off=("merge_current_epoch",), gone=True),
        ),
        Fault(
            name="collision_moves_smaller_id_only",
            text="of two masters with one configEpoch both move on",
            check=_claims("SC-P1", "collision_moves_smaller_id_only"),
            prove=NotModelled("in a collision either node may move, with the rule too"),
            tlc=InTlc(negative="smaller_id_moves"),
        ),
        Fault(
            name="role_switch_heeds_sender",
            text="a header that a master sent when it was a replica makes it one again",
            check=_claims("EP-P1", "role_switch_heeds_sender"),
            prove=NotModelled(
                "no node is made a master by hearsay; `--with-hearsay` lets any header do it"
            ),
            tlc=InTlc(negative="role_switch_heeds_sender"),
        ),
        Fault(
            name="collision_resolution",
            text="two masters with one configEpoch keep it",
            check=_agreement("split", "held(1)", "collision_resolution"),
            prove=_NO_AGREEMENT,
            tlc=InTlc(negative="collision_resolution"),
        ),
        Fault(
            name="not_claiming_slots",
            text="a slot that its owner gave up stays with it in the table of others",
            check=_agreement("observer", "held(0)", "not_claiming_slots"),
            prove=_NO_AGREEMENT,
            tlc=InTlc(negative="not_claiming_slots"),
        ),
    )
}
"""The faults by name."""
