"""The scopes that are checked, by name: `MODELS`.

They and the core take long to import, and a yardstick needs neither: they come when asked for.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from model_check.models.named import MODELS as MODELS
else:

    def __getattr__(name: str) -> object:
        if name != "MODELS":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from model_check.models.named import MODELS  # noqa: PLC0415 - as said above

        return MODELS
