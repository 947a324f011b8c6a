"""The clients' own test suites: where each looks for its servers, and how it is run.

A suite is a checkout of its repository in which its own tests can be run: what it needs is
installed, and what it builds is built. Every suite tells what became of its tests in the form of
JUnit.
"""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import attrs

from tests.support import LOOPBACK

_NOT_OURS: Final = (
    "not onlynoncluster and not redismod and not ssl and not fixed_client"
    " and not multidb_integration"
)
_OF_OTHER_PLACES: Final = ("tests/test_scenario", "tests/test_asyncio/test_scenario")
"""Tests of redis-py that need servers which somebody else runs."""
_IMITATION: Final = Path(__file__).with_name("docker.py")


@attrs.frozen(kw_only=True)
class Run:
    """What is to be run for a suite."""

    words: Sequence[str | Path]
    place: Path
    environment: Mapping[str, str] = attrs.field(factory=dict)
    programs: Mapping[str, Path] = attrs.field(factory=dict)
    """What stands in for programs that the suite starts."""


@attrs.frozen(kw_only=True)
class Suite:
    """A client's own tests that have to do with a cluster."""

    client: str
    is_at: Callable[[Path], bool]
    files: tuple[str, ...]
    dialect: str = "redis-7.0"
    port: int | None
    """Where the first of six nodes is expected; None if the suite starts its servers itself."""
    prepare: Callable[[Path, str, int, tuple[str, ...], Path], Run]
    """The run: folder of the suite, Python, the cluster's port, files, and where to report."""
    also: tuple[str, ...] = ()
    """What its own tool is told besides."""


def suite_at(folder: Path) -> Suite | None:
    """Whose checkout it is."""
    return next((suite for suite in SUITES if suite.is_at(folder)), None)


def _is_package(name: str) -> Callable[[Path], bool]:
    def is_at(folder: Path) -> bool:
        file = folder / "package.json"
        return file.exists() and json.loads(file.read_text(encoding="utf-8")).get("name") == name

    return is_at


def _like_redis_py(scheme: str) -> Callable[[Path, str, int, tuple[str, ...], Path], Run]:
    def prepare(folder: Path, python: str, port: int, files: tuple[str, ...], report: Path) -> Run:
        present = [f"tests/{name}" for name in files if (folder / "tests" / name).exists()]
        ignored = [f"--ignore={name}" for name in _OF_OTHER_PLACES]
        words = [
            python, "-m", "pytest", "-q", f"--{scheme}-url={scheme}://{LOOPBACK}:{port}/0",
            f"--junitxml={report}", "-m", _NOT_OURS, "-p", "no:cacheprovider", *ignored, *present,
        ]  # fmt: skip
        return Run(words=words, place=folder)

    return prepare


def _glide(folder: Path, python: str, port: int, files: tuple[str, ...], report: Path) -> Run:
    place = folder / "python"
    words = [
        python, "-m", "pytest", "-q", f"--cluster-endpoints={LOOPBACK}:{port}",
        f"--junitxml={report}", "-p", "no:cacheprovider", *(f"tests/{name}" for name in files),
    ]  # fmt: skip
    return Run(words=words, place=place, environment={"PYTHONPATH": str(place)})


def _mocha(*words: str | Path, report: Path) -> list[str | Path]:
    npx = shutil.which("npx") or "npx"
    return [npx, "mocha", "--reporter", "xunit", "--reporter-option", f"output={report}", *words]


def _ioredis(folder: Path, _: str, __: int, files: tuple[str, ...], report: Path) -> Run:
    return Run(
        words=_mocha("--no-experimental-strip-types", *files, report=report),
        place=folder,
        environment={"TS_NODE_TRANSPILE_ONLY": "true", "NODE_ENV": "test"},
    )


def _node_redis(folder: Path, _: str, __: int, files: tuple[str, ...], report: Path) -> Run:
    release = ("--redis-tag=7.0", "--redis-version=7.0")
    return Run(
        words=_mocha(
            "-r", "tsx", "--exit", "--grep", "[Cc]luster", *files, *release, report=report
        ),
        place=folder / "packages" / "client",
        programs={"docker": _IMITATION},
    )


_PORT: Final = 16379
"""Where some tests of redis-py look for a cluster, whatever they are told."""

SUITES: Final = (
    Suite(
        client="redis-py",
        is_at=lambda folder: (folder / "redis" / "cluster.py").exists(),
        files=(".",),
        port=_PORT,
        prepare=_like_redis_py("redis"),
    ),
    Suite(
        client="valkey-py",
        dialect="valkey-9.1",
        is_at=lambda folder: (folder / "valkey" / "cluster.py").exists(),
        files=(".",),
        port=_PORT,
        prepare=_like_redis_py("valkey"),
    ),
    Suite(
        client="valkey-glide",
        dialect="valkey-9.1",
        is_at=lambda folder: (folder / "python" / "glide-async").is_dir(),
        files=("async_tests", "sync_tests"),
        port=_PORT,
        prepare=_glide,
    ),
    Suite(
        client="ioredis",
        is_at=_is_package("ioredis"),
        files=("test/cluster/**/*.ts",),
        port=3000,
        prepare=_ioredis,
    ),
    Suite(
        client="node-redis",
        is_at=_is_package("redis-monorepo"),
        files=("lib/**/*.spec.ts",),
        port=None,
        prepare=_node_redis,
    ),
)
