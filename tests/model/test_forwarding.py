"""What stands between a system and who asks it hides nothing of it.

Clauses: none, this is about the checker.
"""

from model_check.forwarding import ForwardingSystem
from model_check.system import System


def test_everything_is_asked_of_the_system() -> None:
    asked = {name for name in vars(System) if not name.startswith("_")}

    assert {name for name in vars(ForwardingSystem) if not name.startswith("_")} == asked
