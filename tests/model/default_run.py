"""`slotproof check` without arguments, kept for all tests that are about its runs.

`python -m tests.model.default_run FILE` writes what it ends with, what it found and exercised, and
what is pinned of each run.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

from click.testing import CliRunner

from model_check import __main__ as cli
from model_check import check_models
from model_check.run import Run, check
from tests.model.pins import Key, told

Kept = dict[str, Any]


def kept_run() -> Kept:
    """It has been run."""
    pins: list[Kept] = []

    def noted(*arguments: Any, **more: Any) -> Run:
        run = check(*arguments, **more)
        pins.append(told(run))
        return run

    with tempfile.TemporaryDirectory() as folder, mock.patch.object(check_models, "check", noted):
        file = Path(folder, "found.json")
        result = CliRunner().invoke(cli.command, ["--coverage", "--json", str(file)])
        found = json.loads(file.read_text(encoding="utf-8")) if file.exists() else None
    return {"code": result.exit_code, "output": result.output, "found": found, "pins": pins}


def pins_of(kept: Kept) -> dict[Key, Kept]:
    """What is pinned of its runs, by model and dialect."""
    return {(each["pin"]["model"], each["pin"]["dialect"]): each for each in kept["pins"]}


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(kept_run()), encoding="utf-8")
