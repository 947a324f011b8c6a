"""The scopes that are checked, by name."""

from typing import Final

from model_check.models.claims import CLAIMS, TAKE_BACK
from model_check.models.failover import FAILOVER
from model_check.models.late_votes import LATE_VOTES
from model_check.models.learnt_epoch import LEARNT_EPOCH
from model_check.models.model import Model
from model_check.models.two_replicas import TWO_REPLICAS

MODELS: Final[dict[str, Model]] = {
    model.name: model
    for model in (CLAIMS, FAILOVER, TWO_REPLICAS, LEARNT_EPOCH, TAKE_BACK, LATE_VOTES)
}
"""Every model by its name, the quick ones first."""
