"""What is claimed, and the invariant that it rests on: each conjunct with its words.

A property is proved if its conjuncts hold at the start and no action breaks one of them in a
state in which they, and those of the groups they rest on, hold.
"""

from typing import Final

from model_check.induction import formulas
from model_check.induction.conjuncts import Conjunct, Group, Property, StepConjunct
from model_check.induction.setting import Setting


def _own(setting: Setting) -> bool:
    """Whether each node takes epochs of its own (EP-13)."""
    return setting.rules.unique_epochs


def _elected(setting: Setting) -> bool:
    """Whether configEpochs are different because elections are."""
    return not setting.rules.unique_epochs


BOOKS: Final = Group(
    "books",
    (),
    (
        Conjunct(
            "vote-known",
            "No node's last_vote_epoch is larger than its current_epoch.",
            lambda w: formulas.at_most(w, "last_vote_epoch", "current_epoch"),
        ),
        Conjunct(
            "vote-known-saved",
            "No saved last_vote_epoch is larger than the saved current_epoch.",
            lambda w: formulas.at_most(w, "saved_last_vote_epoch", "saved_current_epoch"),
        ),
    ),
)

VOTES: Final = Group(
    "votes",
    (BOOKS,),
    (
        Conjunct(
            "one-winner",
            "Two nodes never win an election of the same epoch.",
            formulas.one_winner,
            _elected,
        ),
        Conjunct(
            "one-winner-of-round",
            "Two nodes never win elections of the same round.",
            formulas.one_winner_of_round,
            _own,
        ),
        Conjunct(
            "elected-by-majority",
            "Whoever won an epoch was sent a vote in that epoch by each voter of a majority.",
            formulas.won_by_majority,
        ),
        Conjunct(
            "one-vote",
            "A voter's votes of one epoch all went to the same candidate.",
            formulas.vote_unique,
        ),
        Conjunct(
            "vote-of-round",
            "A vote of an epoch is one of every epoch of its round.",
            formulas.vote_of_round,
            _own,
        ),
        Conjunct(
            "vote-remembered",
            "No vote is of a round later than its voter's last_vote_epoch.",
            lambda w: formulas.votes_at_most(w, "last_vote_epoch"),
        ),
        Conjunct(
            "vote-saved",
            "No vote is of a round later than the last_vote_epoch that its voter has saved.",
            lambda w: formulas.votes_at_most(w, "saved_last_vote_epoch"),
        ),
        Conjunct(
            "counted-were-given",
            "The votes counted in a running election were sent to its candidate in its epoch.",
            formulas.counted_were_given,
        ),
        Conjunct(
            "vote-not-ahead",
            "No vote is of a round later than the last one that its candidate stood in.",
            formulas.vote_not_beyond,
        ),
        Conjunct(
            "request-not-ahead",
            "No request is of an epoch larger than the last one that its candidate stood in.",
            formulas.request_not_beyond,
        ),
        Conjunct(
            "running-is-last",
            "A running election is the last one that its candidate stood in.",
            formulas.running_is_last,
        ),
        Conjunct(
            "late-were-given",
            "The late votes that count for the next election were given in the one before.",
            formulas.late_were_given,
            lambda setting: setting.rules.late_votes_count,
        ),
        Conjunct(
            "put-off-is-last",
            "An election that was given up is the last one that its candidate stood in.",
            formulas.put_off_is_last,
            lambda setting: setting.rules.late_votes_count,
        ),
        Conjunct(
            "not-for-itself",
            "Nobody votes for itself.",
            formulas.not_for_itself,
        ),
        Conjunct(
            "not-of-epoch-zero",
            "Requests, votes, elections and wins are of rounds later than that of epoch 0.",
            formulas.not_of_epoch_zero,
        ),
        Conjunct(
            "stood-known",
            "A candidate's current_epoch is at least the last epoch it stood in.",
            lambda w: formulas.at_most(w, "stood", "current_epoch"),
        ),
        Conjunct(
            "stood-saved",
            "Its saved current_epoch is at least the last epoch it stood in.",
            lambda w: formulas.at_most(w, "stood", "saved_current_epoch"),
        ),
    ),
    lends=1,
    counts=True,
)

_EXCLUSIVE: Final = (
    Conjunct(
        "exclusive-claim",
        "Two masters never own a slot, each in its own table, with the same config_epoch.",
        formulas.exclusive,
    ),
    Conjunct(
        "one-holder",
        "Two nodes were never given the same config_epoch.",
        formulas.one_holder,
    ),
)

_OWNERS: Final = (
    Conjunct(
        "owners-have-one",
        "Who owns a slot is a master, and its config_epoch is not 0.",
        lambda w: formulas.owners_have_epochs(w, "owns", "master", "config_epoch"),
    ),
    Conjunct(
        "owners-have-one-saved",
        "Who is saved as the owner of a slot is saved as a master, with a config_epoch "
        "that is not 0.",
        lambda w: formulas.owners_have_epochs(
            w, "saved_owns", "saved_master", "saved_config_epoch"
        ),
    ),
)

_GIVEN: Final = (
    Conjunct(
        "start-known",
        "The current_epoch of a node that knows others is at least all config_epochs of the start.",
        lambda w: formulas.knows_start(w, "current_epoch", "alone"),
    ),
    Conjunct(
        "start-saved",
        "So is its saved current_epoch, if it has saved that it knows others.",
        lambda w: formulas.knows_start(w, "saved_current_epoch", "saved_alone"),
    ),
    Conjunct(
        "elections-are-later",
        "A running election is of an epoch larger than all config_epochs of the start.",
        lambda w: formulas.node(
            w,
            lambda c: w.logic.implies(w.running(c), w.logic.less(w.base(), w.auth_epoch(c))),
        ),
    ),
    Conjunct(
        "own-epoch",
        "A node's config_epoch is 0 or was given to it.",
        lambda w: formulas.own(w, "config_epoch"),
    ),
    Conjunct(
        "own-epoch-saved",
        "A saved config_epoch is 0 or was given to its node.",
        lambda w: formulas.own(w, "saved_config_epoch"),
    ),
    Conjunct(
        "told-is-true",
        "A config_epoch that an UPDATE tells of a node is 0 or was given to that node "
        "(where a candidate may be sent one about itself).",
        formulas.told_is_true,
        lambda setting: setting.about_oneself,
    ),
    Conjunct(
        "recorded-is-true",
        "A config_epoch recorded of another node is 0 or was given to that node (as before).",
        formulas.recorded_is_true,
        lambda setting: setting.about_oneself,
    ),
)
"""What a config_epoch is, however it was come by."""

CLAIMS: Final = Group(
    "claims",
    (VOTES,),
    (
        *_EXCLUSIVE,
        Conjunct(
            "given-by-election",
            "A config_epoch larger than all of the start was won in the election of that epoch.",
            formulas.granted_by_election,
        ),
        Conjunct(
            "masters-have-one",
            "The config_epoch of a master that knows others is not 0.",
            lambda w: formulas.masters_have_epochs(w, "master", "config_epoch", "alone"),
        ),
        Conjunct(
            "masters-have-one-saved",
            "Nor is the saved config_epoch of a node saved as such a master.",
            lambda w: formulas.masters_have_epochs(
                w, "saved_master", "saved_config_epoch", "saved_alone"
            ),
        ),
        *_OWNERS,
        Conjunct(
            "headers-are-true",
            "A config_epoch that a master announced was given to it.",
            formulas.headers_are_true,
        ),
        Conjunct(
            "no-collision",
            "No master that knows others is announced with the config_epoch of another: EP-4 has "
            "nothing to do.",
            formulas.no_collision,
        ),
        *_GIVEN,
    ),
)

OWN: Final = Group(
    "own epochs",
    (),
    (
        Conjunct(
            "one-winner",
            "Two nodes never win an election of the same epoch.",
            formulas.one_winner,
        ),
        Conjunct(
            "own-won",
            "Whoever won an epoch is the one that takes it.",
            formulas.won_are_own,
        ),
        Conjunct(
            "own-running",
            "A running election is of an epoch that its candidate takes.",
            formulas.running_are_own,
        ),
    ),
)

OWN_CLAIMS: Final = Group(
    "claims with own epochs",
    (OWN,),
    (
        *_EXCLUSIVE,
        Conjunct(
            "given-is-own",
            "A config_epoch larger than all of the start was given to the node that takes it.",
            formulas.granted_are_own,
        ),
        *_OWNERS,
        *_GIVEN,
    ),
)

SURVIVAL: Final = Group(
    "survival",
    (),
    (
        Conjunct(
            "current-saved",
            "The current_epoch that a node has saved is at least the one that it has.",
            lambda w: formulas.at_most(w, "current_epoch", "saved_current_epoch"),
        ),
    ),
    (
        StepConjunct(
            "current-survives",
            "No current_epoch decreases, not even by a crash.",
            formulas.current_never_back,
        ),
    ),
)

EPOCHS: Final = Group(
    "epochs",
    (BOOKS,),
    (
        Conjunct(
            "vote-survives",
            "The last_vote_epoch that a node has saved is at least the one that it has.",
            lambda w: formulas.at_most(w, "last_vote_epoch", "saved_last_vote_epoch"),
        ),
        Conjunct(
            "master-survives",
            "A master is saved as one, with its config_epoch or a larger one.",
            formulas.masters_are_saved,
        ),
        Conjunct(
            "config-known",
            "No node's config_epoch is larger than its current_epoch.",
            lambda w: formulas.at_most(w, "config_epoch", "current_epoch"),
        ),
        Conjunct(
            "config-known-saved",
            "No saved config_epoch is larger than the saved current_epoch.",
            lambda w: formulas.at_most(w, "saved_config_epoch", "saved_current_epoch"),
        ),
        Conjunct(
            "running-known",
            "No running election is of an epoch larger than its candidate's current_epoch.",
            lambda w: formulas.node(
                w,
                lambda c: w.logic.implies(
                    w.running(c), w.logic.at_most(w.auth_epoch(c), w.current_epoch(c))
                ),
            ),
        ),
    ),
    (
        StepConjunct(
            "current-rises",
            "While a node runs, its current_epoch does not decrease.",
            formulas.never_back("current_epoch"),
        ),
        StepConjunct(
            "config-rises",
            "While a node runs, its config_epoch does not decrease.",
            formulas.never_back("config_epoch"),
        ),
        StepConjunct(
            "recorded-rises",
            "While a node runs, the config_epochs it has recorded of others do not decrease, but "
            "for those of nodes that it forgets.",
            formulas.never_back("recorded"),
        ),
        StepConjunct(
            "vote-rises",
            "No last_vote_epoch decreases, not even by a crash.",
            formulas.vote_never_back,
        ),
        StepConjunct(
            "claim-rises",
            "A master is a master after a crash, and its config_epoch has not decreased.",
            formulas.claim_never_back,
        ),
    ),
)

SLOTS: Final = Group(
    "slots",
    (EPOCHS,),
    (
        Conjunct(
            "newest-claim-kept",
            "A node that announced a slot with a config_epoch still owns it, unless somebody "
            "claimed it with a larger one, or it was told to give it away, or reset.",
            formulas.kept,
        ),
        Conjunct(
            "newest-claim-saved",
            "It would own it after a crash, too, and with a config_epoch at least as large "
            "(unless, again, somebody claimed it with a larger one).",
            formulas.kept_safely,
        ),
        Conjunct(
            "newest-is-newest",
            "No claim on a slot is newer than the newest.",
            formulas.newest_is_newest,
        ),
        Conjunct(
            "owned-is-saved",
            "What a node owns is saved as its own.",
            formulas.owned_is_saved,
        ),
        Conjunct(
            "owners-are-masters",
            "Who owns a slot is a master.",
            lambda w: formulas.owners_are_masters(w, "owns", "master"),
        ),
        Conjunct(
            "owners-are-masters-saved",
            "Who is saved as the owner of a slot is saved as a master.",
            lambda w: formulas.owners_are_masters(w, "saved_owns", "saved_master"),
        ),
        Conjunct(
            "own-not-marked",
            "No node has a slot of its own marked as not claimed by its owner.",
            formulas.own_unmarked,
            lambda setting: setting.marking,
        ),
        Conjunct(
            "nothing-marked",
            "No slot is marked as not claimed by its owner (where that is assumed).",
            formulas.nothing_marked,
            lambda setting: not setting.marking,
        ),
    ),
)

PROPERTIES: Final = (
    Property("EL-P1", "at most one node wins the election of an epoch", VOTES, _elected),
    Property("EL-P1", "at most one node wins the election of an epoch", OWN, _own),
    Property("EL-P1:round", "at most one node wins the elections of a round", VOTES, _own),
    Property("SC-P1", "no two masters claim a slot with the same configEpoch", CLAIMS, _elected),
    Property("SC-P1", "no two masters claim a slot with the same configEpoch", OWN_CLAIMS, _own),
    Property("EP-P1", "no epoch goes back; votes and claims survive a crash", EPOCHS),
    Property(
        "EP-P2",
        "no currentEpoch goes back, not even by a crash",
        SURVIVAL,
        lambda setting: setting.strict,
    ),
    Property("SC-P1:kept", "the newest claim on a slot is never given up", SLOTS),
)
"""What is proved."""


def properties_of(setting: Setting) -> tuple[Property, ...]:
    """What is claimed in this setting."""
    return tuple(each for each in PROPERTIES if each.included(setting))
