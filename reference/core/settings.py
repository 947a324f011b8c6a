"""What an operator configures and a rule reads: the same in every dialect, different by node."""

from typing import Final

import attrs


@attrs.frozen(kw_only=True, cache_hash=True)
class Settings:
    """The directives, named as in the server's configuration without the `cluster-` prefix."""

    allow_replica_migration: bool = True
    migration_barrier: int = 1  # working replicas that a master keeps when one of them leaves
    require_full_coverage: bool = True
    allow_reads_when_down: bool = False
    allow_pubsubshard_when_down: bool = True


DEFAULT_SETTINGS: Final = Settings()
"""What the servers do if nothing is configured."""
