"""The scopes that are checked, by name."""

from typing import Final

from model_check.models.aging import AGING
from model_check.models.atomic_migration import (
    ATOMIC_MIGRATION,
    CANCELLED,
    GRANTED_AND_CRASH,
    GRANTED_AND_ORPHANED,
    GRANTED_AND_REPLACED,
)
from model_check.models.by_hand import FIRST_EPOCHS, LAST_OF_ALL, ROLES_BY_HAND, SLOTS_BY_HAND
from model_check.models.claims import CLAIMS, TAKE_BACK
from model_check.models.contenders import TWO_CANDIDATES, WON_BEFORE
from model_check.models.dead_epoch import DEAD_EPOCH, REFUSED_FOR_EVER, REPLACEMENT
from model_check.models.electorates import ONE_SHARD_TWICE, TWO_ELECTORATES
from model_check.models.failover import FAILOVER
from model_check.models.forgetting import FORGET, FORGET_AND_MEET
from model_check.models.given_up import GIVEN_UP, GIVEN_UP_BY_THE_OTHER
from model_check.models.importing import IMPORT_STAYS
from model_check.models.introduced import INTRODUCED
from model_check.models.late_headers import CIRCLE, DEMOTED, LATE_CLAIM, LATE_ROLE
from model_check.models.late_requests import LATE_REQUEST
from model_check.models.late_votes import LATE_VOTES, MORE_THAN_ENOUGH, OUTDATED_VOTES, PUT_OFF
from model_check.models.learnt_epoch import LEARNT_EPOCH
from model_check.models.manual_failover import MANUAL_FAILOVER, OF_ANOTHER
from model_check.models.meeting import MEETING
from model_check.models.model import Model
from model_check.models.one_redis import ONE_REDIS
from model_check.models.open_slots import (
    IMPORTER_FOLLOWS,
    SOURCE_REPLACED,
    TAKEN_BY_ANOTHER,
    TARGET_REPLACED,
)
from model_check.models.overtaken import OVERTAKEN, VOTER_CRASHES
from model_check.models.partition import PARTITION
from model_check.models.ranks import GOES_FIRST, GOES_IN_TURN, NOT_ALL_ANNOUNCE
from model_check.models.refused import EMPTY_REPORTER, FORGET_AND_RESET, NO_MASTER, STAYS
from model_check.models.replica_migration import REPLICA_MIGRATION
from model_check.models.resetting import RESET, RESET_HARD, RESET_OWNER
from model_check.models.resharding import (
    IMPORT_AND_ELECTION,
    IMPORTER_DIES,
    OBSERVER,
    RESHARDING,
)
from model_check.models.restarts import RESTARTS
from model_check.models.role_switch import LATE_NEWS, NEWCOMER, RETURN, ROLE_SWITCH, SPLIT
from model_check.models.shards import DETACHED, EMPTY_SHARD
from model_check.models.standing import EMPTY_MASTER, NEVER_STANDS, UNKNOWN_MASTER
from model_check.models.successors import SECOND_FAILOVER, SUCCESSOR_DIES, TWO_FAILOVERS
from model_check.models.takeover import TAKE_OVER, TAKEOVER_AND_CRASH, TAKEOVER_COLLISION
from model_check.models.told_epochs import TOLD_EPOCHS
from model_check.models.tracked import TRACKED
from model_check.models.two_replicas import THREE_REPLICAS, TWO_REPLICAS
from model_check.models.updates import TOLD_BY_OTHERS
from model_check.models.views import VIEWS
from model_check.models.voter_replaced import VOTER_REPLACED

MODELS: Final[dict[str, Model]] = {
    model.name: model
    for model in (
        CLAIMS,
        ROLE_SWITCH,
        TAKE_OVER,
        RESHARDING,
        OBSERVER,
        SPLIT,
        REPLICA_MIGRATION,
        MEETING,
        FORGET,
        MANUAL_FAILOVER,
        FAILOVER,
        TWO_REPLICAS,
        SECOND_FAILOVER,
        PARTITION,
        RESTARTS,
        RESET,
        RESET_HARD,
        RESET_OWNER,
        FORGET_AND_MEET,
        SUCCESSOR_DIES,
        IMPORTER_DIES,
        IMPORT_AND_ELECTION,
        IMPORT_STAYS,
        TAKEOVER_COLLISION,
        TAKEOVER_AND_CRASH,
        RETURN,
        DEAD_EPOCH,
        ATOMIC_MIGRATION,
        GRANTED_AND_REPLACED,
        GRANTED_AND_CRASH,
        GRANTED_AND_ORPHANED,
        LEARNT_EPOCH,
        TAKE_BACK,
        CIRCLE,
        LATE_CLAIM,
        DEMOTED,
        VIEWS,
        TWO_ELECTORATES,
        ONE_SHARD_TWICE,
        AGING,
        GOES_FIRST,
        GOES_IN_TURN,
        NOT_ALL_ANNOUNCE,
        NEVER_STANDS,
        EMPTY_MASTER,
        UNKNOWN_MASTER,
        PUT_OFF,
        OUTDATED_VOTES,
        MORE_THAN_ENOUGH,
        SOURCE_REPLACED,
        TARGET_REPLACED,
        TAKEN_BY_ANOTHER,
        IMPORTER_FOLLOWS,
        GIVEN_UP,
        GIVEN_UP_BY_THE_OTHER,
        EMPTY_SHARD,
        DETACHED,
        FIRST_EPOCHS,
        LAST_OF_ALL,
        SLOTS_BY_HAND,
        ROLES_BY_HAND,
        TOLD_EPOCHS,
        LATE_REQUEST,
        OVERTAKEN,
        VOTER_CRASHES,
        TOLD_BY_OTHERS,
        VOTER_REPLACED,
        CANCELLED,
        TWO_CANDIDATES,
        WON_BEFORE,
        STAYS,
        NO_MASTER,
        FORGET_AND_RESET,
        EMPTY_REPORTER,
        OF_ANOTHER,
        ONE_REDIS,
        INTRODUCED,
        TRACKED,
        LATE_NEWS,
        NEWCOMER,
        THREE_REPLICAS,
        TWO_FAILOVERS,
        LATE_VOTES,
        LATE_ROLE,
        REFUSED_FOR_EVER,
        REPLACEMENT,
    )
}
"""Every model by its name, those of a run that names none first."""
