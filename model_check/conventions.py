"""What the commands of the checker have in common: exit codes, and how wide they print."""

from typing import Final

from model_check.properties import Verdict

EXIT_HOLDS, EXIT_VIOLATED, EXIT_USAGE, EXIT_INCOMPLETE, EXIT_INTERNAL = 0, 1, 2, 3, 4
WIDTH_WITHOUT_TERMINAL: Final = 120


def exit_code(verdicts: set[Verdict]) -> int:
    """What the process exits with: a violation counts most, then a limit that was reached."""
    if "violated" in verdicts:
        return EXIT_VIOLATED
    return EXIT_INCOMPLETE if "incomplete" in verdicts else EXIT_HOLDS
