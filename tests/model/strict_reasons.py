"""What is claimed of a cluster in `strict` and cannot be asked of a model, and why."""

from typing import Final

SILENT: Final = "nodes say nothing unless they are asked, so that nobody hears who was elected"
ONE_SPEAKS: Final = "only one node says anything of its own accord, and only to one other"
PARTED: Final = "the network is parted for good"
STARTS_SO: Final = "it is broken where the model starts"
GIVEN_UP: Final = "an operator gives slots up by hand, and one is nobody's from the start"
FORGOTTEN: Final = "an operator has a voter forget the owner, and the voter then knows no candidate"
RENAMED: Final = "nobody knows the new name until an operator greets it, and none need do so"
ALONE: Final = "who was reset knows nobody, and nobody greets it"
STRANGERS: Final = "two clusters, which nobody introduces"
NO_ELECTION: Final = "the new owner is dead, and no election is in scope; SC-P3 is asked instead"
ONE_ELECTION: Final = (
    "the one election may be lost with its messages; EL-P2 and SC-P2:elected are asked instead"
)
WITHOUT_SLOTS: Final = "a master without slots is replaced, too (EL-1)"

NOT_ASKED: Final[dict[tuple[str, str], str]] = {
    ("split", "SC-P1"): STARTS_SO,
    ("slots-by-hand", "SC-P2"): GIVEN_UP,
    ("unknown-master", "SC-P2"): FORGOTTEN,
    ("reset-hard", "SC-P2"): RENAMED,
    ("first-epochs", "SC-P2"): STRANGERS,
    ("forget-and-reset", "SC-P2"): ALONE,
    ("importer-dies", "SC-P2"): NO_ELECTION,
    ("late-claim", "SC-P2"): NO_ELECTION,
    ("importer-dies-electing", "SC-P2"): ONE_ELECTION,
    ("empty-master", "EL-P3"): WITHOUT_SLOTS,
    ("empty-master-speaking", "EL-P3"): WITHOUT_SLOTS,
    ("goes-first", "SC-P2"): SILENT,
    ("more-than-enough", "SC-P2"): SILENT,
    ("voter-crashes", "SC-P2"): SILENT,
    ("empty-master", "SC-P2"): SILENT,
    **{
        (model, name): SILENT
        for model in ("views", "aging", "never-stands", "put-off", "two-candidates")
        for name in ("SC-P2", "SC-P7")
    },
    **{
        (model, name): PARTED
        for model in ("two-electorates", "one-shard-twice")
        for name in ("SC-P2", "SC-P7")
    },
    ("one-shard-twice", "SC-P4"): PARTED,
    ("one-redis", "SC-P2"): ONE_SPEAKS,
    ("one-redis", "SC-P7"): ONE_SPEAKS,
}
"""Why a property does not hold in a model, by model and property. What is not here holds."""
