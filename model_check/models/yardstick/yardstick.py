"""What a yardstick is: a classic system whose counts are published, with its scope from a file."""

from collections.abc import Callable
from typing import Any

import attrs

from model_check.links import Links
from model_check.models.yardstick.cfg import Cfg
from model_check.properties import Property
from model_check.system import System


@attrs.frozen
class Scope:
    """A system of a certain size on its links, and its size in words."""

    system: System[Any, Any, Any]
    links: Links
    text: str


@attrs.frozen(kw_only=True)
class Yardstick:
    """A system, what is claimed of it under the names of its TLA+ module, and how it is sized."""

    name: str
    text: str  # one sentence
    scope: Callable[[Cfg], Scope]  # raises CfgError
    properties: tuple[Property, ...]

    def scope_of(self, cfg: Cfg) -> Scope:
        """The scope that the file asks for.

        Raises CfgError if it says anything else besides.
        """
        scope = self.scope(cfg)
        cfg.finish({prop.id for prop in self.properties if prop.kind == "invariant"})
        return scope
