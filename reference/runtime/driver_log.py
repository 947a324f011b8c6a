"""The log of a process: its form, its level, and where it goes."""

import logging
import sys
from pathlib import Path
from typing import Final

from typing_extensions import override

_MARKS: Final = {logging.DEBUG: ".", logging.INFO: "*", logging.WARNING: "#"}

LEVELS: Final = {
    "debug": logging.DEBUG,
    "verbose": logging.INFO,
    "notice": logging.INFO,
    "warning": logging.WARNING,
    "nothing": logging.CRITICAL + 1,
}
"""The levels by the names that servers have for them."""


class _ServerFormatter(logging.Formatter):
    """Lines as the servers write them: process id, instant, mark of the level, text."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        record.mark = _MARKS.get(record.levelno, "#")
        return super().format(record)


def log_to_stdout(level: int = logging.INFO) -> None:
    """Everything from this level on is told on stdout, as those who watch servers expect."""
    _log_to(logging.StreamHandler(sys.stdout), level)


def log_to_file(path: Path, level: int) -> None:
    """Everything from this level on is added to the file; OSError if it cannot be opened."""
    _log_to(logging.FileHandler(path, encoding="utf-8"), level)


def _log_to(handler: logging.Handler, level: int) -> None:
    handler.setFormatter(
        _ServerFormatter(
            "%(process)d:M %(asctime)s.%(msecs)03d %(mark)s %(message)s", "%d %b %Y %H:%M:%S"
        )
    )
    logging.basicConfig(level=level, handlers=[handler])


def set_log_level(name: str) -> None:
    """The log of this process tells what this level tells."""
    logging.getLogger().setLevel(LEVELS[name])
