"""The action of .github: its form, and its steps run as GitHub would run them.

Clauses: none, this is about continuous integration.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import pytest
from ruamel.yaml import YAML

from model_check.models import MODELS
from tests.traceability import ROOT

ACTION: Final = ROOT / ".github" / "actions" / "check" / "action.yml"
WORKFLOW: Final = ROOT / ".github" / "workflows" / "check.yml"
SCRIPTS: Final = Path(sysconfig.get_path("scripts"))


def read(path: Path) -> Any:
    return YAML(typ="safe").load(path)


def step(name: str) -> dict[str, Any]:
    (found,) = (each for each in read(ACTION)["runs"]["steps"] if each["name"] == name)
    return dict(found)


def filled(text: str, inputs: dict[str, str], temp: Path) -> str:
    """The text as GitHub fills it, with the defaults of the inputs that are not given."""
    known = {f"inputs.{name}": each["default"] for name, each in read(ACTION)["inputs"].items()}
    known |= {f"inputs.{name}": value for name, value in inputs.items()}
    known |= {"github.action_path": str(ACTION.parent), "runner.temp": str(temp)}
    return re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda found: known[found[1]], text)


def run_step(
    name: str, temp: Path, inputs: dict[str, str], **environment: str
) -> subprocess.CompletedProcess[str]:
    """The step run as a composite action's step with `shell: bash` is."""
    told = step(name)
    script = temp / f"{name.replace(' ', '-')}.sh"
    script.write_text(told["run"], encoding="utf-8")
    given = {key: filled(text, inputs, temp) for key, text in told["env"].items()}
    bash = shutil.which("bash")
    assert bash is not None
    assert told["shell"] == "bash"
    return subprocess.run(
        [bash, "--noprofile", "--norc", "-e", "-o", "pipefail", script],
        cwd=temp,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(temp),
            "GITHUB_OUTPUT": str(temp / "output"),
            "GITHUB_STEP_SUMMARY": str(temp / "summary.md"),
            **given,
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def checked(temp: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """The check with the slotproof under test in the place of an installed one."""
    script = temp / "slotproof" / "bin" / "slotproof"
    script.parent.mkdir(parents=True)
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m reference "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    given = {name.replace("_", "-"): value for name, value in inputs.items()}
    return run_step("Check", temp, given, PYTHONPATH=str(ROOT))


@pytest.mark.parametrize(
    ("schema", "file"), [("vendor.github-actions", ACTION), ("vendor.github-workflows", WORKFLOW)]
)
def test_github_knows_the_form(schema: str, file: Path) -> None:
    done = subprocess.run(
        [SCRIPTS / "check-jsonschema", "--builtin-schema", schema, file],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_no_script_has_an_input_in_it() -> None:
    steps = [*read(ACTION)["runs"]["steps"]]
    steps += [each for job in read(WORKFLOW)["jobs"].values() for each in job["steps"]]

    assert not [each["run"] for each in steps if "${{" in each.get("run", "")]


def test_every_input_is_used() -> None:
    text = ACTION.read_text(encoding="utf-8")

    for name in read(ACTION)["inputs"]:
        assert f"inputs.{name}" in text.partition("\nruns:")[2] or name in {"junit", "sarif"}


def test_the_workflow_gives_the_action_only_what_it_takes() -> None:
    used = [
        each
        for job in read(WORKFLOW)["jobs"].values()
        for each in job["steps"]
        if each.get("uses", "").startswith("./")
    ]

    assert used
    for each in used:
        assert ROOT / each["uses"] == ACTION.parent
        assert each["with"].keys() <= read(ACTION)["inputs"].keys()


def test_an_expected_violation_passes_with_annotations_summary_and_files(tmp_path: Path) -> None:
    done = checked(tmp_path, models="split take-back", dialects="redis-7.0")

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "output").read_text(encoding="utf-8") == "exit-code=0\n"
    assert done.stdout.count("\n::notice file=spec/20-properties.md,line=") == 2
    root = ET.fromstring((tmp_path / "slotproof-junit.xml").read_text(encoding="utf-8"))  # noqa: S314
    assert [suite.attrib["name"] for suite in root] == [
        f"{name} · redis-7.0 · {MODELS[name].links}" for name in ("split", "take-back")
    ]
    log = json.loads((tmp_path / "slotproof.sarif").read_text(encoding="utf-8"))
    assert {each["level"] for each in log["runs"][0]["results"]} == {"note"}
    assert "| take-back | redis-7.0 |" in (tmp_path / "summary.md").read_text(encoding="utf-8")


def test_a_violation_fails_the_step(tmp_path: Path) -> None:
    done = checked(
        tmp_path,
        models="claims",
        dialects="redis-7.0",
        without="collision_moves_smaller_id_only",
        links="held(0)",
        junit="",
        sarif="",
    )

    assert done.returncode == 1
    assert (tmp_path / "output").read_text(encoding="utf-8") == "exit-code=1\n"
    assert "\n::error file=spec/20-properties.md,line=" in done.stdout
    assert not (tmp_path / "slotproof.sarif").exists()


def test_what_is_incomplete_fails_the_step(tmp_path: Path) -> None:
    done = checked(tmp_path, models="failover", dialects="valkey-9.1", limit_states="100")

    assert done.returncode == 3
    assert (tmp_path / "output").read_text(encoding="utf-8") == "exit-code=3\n"
    assert "this is no pass" in done.stdout


def test_an_input_is_no_command(tmp_path: Path) -> None:
    done = checked(tmp_path, models="$(touch hacked); touch hacked", dialects="`touch hacked`")

    assert done.returncode == 2
    assert not (tmp_path / "hacked").exists()


def wheel(folder: Path) -> Path:
    """A distribution that says hello, in the form that pip takes without building anything."""
    file = folder / "hello-1.0-py3-none-any.whl"
    name = "Name: hello\nVersion: 1.0\n"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("hello.py", "print('hello')\n")
        archive.writestr("hello-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\n{name}")
        archive.writestr("hello-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("hello-1.0.dist-info/RECORD", "")
    return file


def test_what_is_installed_has_an_environment_of_its_own(tmp_path: Path) -> None:
    inputs = {"install": str(wheel(tmp_path))}

    done = run_step("Install slotproof", tmp_path, inputs, PIP_NO_INDEX="1")

    assert done.returncode == 0, done.stderr
    said = subprocess.run(
        [tmp_path / "slotproof" / "bin" / "python", "-m", "hello"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "hello\n"


def test_without_an_input_the_repository_of_the_action_is_installed(tmp_path: Path) -> None:
    told = step("Install slotproof")

    source = Path(filled(told["env"]["SOURCE"], {}, tmp_path))

    assert filled(told["env"]["INSTALL"], {}, tmp_path) == ""
    assert '"${INSTALL:-$SOURCE}"' in told["run"]
    assert source.resolve() == ROOT
    assert 'name = "slotproof"' in (source / "pyproject.toml").read_text(encoding="utf-8")
