"""A heartbeat comes late, and what it says of roles and slots was true once."""

from typing import Final

import attrs

from model_check.models.at_rest import FLAT, NO_CIRCLE, SLOTS_WITH_MASTERS, roles_change
from model_check.models.claims import TAKE_BACK
from model_check.models.kinds import CORRECTING
from model_check.models.model import RELEASES, Expected, Model
from model_check.models.replica_migration import REPLICA_MIGRATION
from model_check.models.resharding import IMPORTER_DIES

_VALKEY: Final = ("valkey-8.1", "valkey-9.1")

LATE_ROLE: Final = Model(
    name="late-role",
    text="as replica-migration, and a heartbeat comes late, from before its sender led a shard",
    scope=REPLICA_MIGRATION.scope,
    properties=(FLAT, roles_change("SC-P4")),
    links="held(1)",
    quicker_links=dict.fromkeys(("redis-7.0", "redis-8.0"), "held(0)"),
    clauses=("HB-17", "SC-12", "SC-13"),
    happens=CORRECTING,
    by_default=False,
    expected=(
        Expected(
            property_id="SC-P4", dialects=("redis-8.0", *_VALKEY), told="F-18", clause="SC-12"
        ),
    ),
)

CIRCLE: Final = attrs.evolve(
    LATE_ROLE,
    by_default=True,
    name="circle",
    text="as late-role: two replicas follow each other in the table of a third node",
    properties=(NO_CIRCLE, roles_change("SC-P6")),
    quicker_links={},
    clauses=("HB-17", "SC-12", "SC-37"),
    expected=(Expected(property_id="SC-P6", dialects=RELEASES, told="F-18", clause="SC-12"),),
)

LATE_CLAIM: Final = attrs.evolve(
    IMPORTER_DIES,
    name="late-claim",
    text="as importer-dies, and a heartbeat of the importer comes late to its replica",
    links="held(1)",
    clauses=("SC-3", "SC-36", "SM-8"),
    expected=(Expected(property_id="SC-P3", dialects=RELEASES, told="F-19", clause="SC-3"),),
)

DEMOTED: Final = Model(
    name="demoted",
    text="as take-back: an observer hears that A gave up its role, before it hears B's last claim",
    scope=TAKE_BACK.scope,
    properties=(SLOTS_WITH_MASTERS, roles_change("SC-P5")),
    links="held(1)",
    clauses=("SC-18", "SC-29", "SC-35"),
    happens=CORRECTING,
    expected=(
        Expected(
            property_id="SC-P5",
            dialects=("redis-8.0", *_VALKEY),
            told="F-17",
            clause="SC-29",
        ),
    ),
)
