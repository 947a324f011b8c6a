"""A stand-in for docker, as node-redis's tests use it: a container is a process of a server.

`docker run -e PORT=N ... IMAGE [argument ...]` starts the server that SERVER_OF_DOCKER names (words
that a shell would part), or ALONE_OF_DOCKER if it is not to be one of a cluster, says its process
id, and returns; `docker rm -f ID` ends it. Everything else fails, as it would without such an
image. FOLDER_OF_DOCKER is where the servers keep their files. It needs nothing but Python.
"""

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

_WITH_VALUE = ("-e", "-v", "--network")


def command_of(words: list[str]) -> list[str]:
    """What a server is started with in the place of `docker run`."""
    environment: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        if word in _WITH_VALUE:
            name, _, value = next(rest).partition("=")
            if word == "-e":
                environment[name] = value
        elif not word.startswith("-"):
            break
    unlike = set(environment) - {"PORT"}
    if unlike or "PORT" not in environment:
        raise SystemExit(f"no such image here: {unlike or words}")
    directives = ["--port", environment["PORT"], "--save", "", *rest]
    of_cluster = "--cluster-enabled" in directives
    server = os.environ["SERVER_OF_DOCKER" if of_cluster else "ALONE_OF_DOCKER"]
    return [*shlex.split(server), *directives]


def main(words: list[str]) -> None:
    """A server is started, or ended."""
    if words[:1] == ["run"]:
        command = command_of(words[1:])
        folder = Path(tempfile.mkdtemp(dir=os.environ["FOLDER_OF_DOCKER"]))
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        (folder / "pid").write_text(str(process.pid))
        sys.stdout.write(f"{process.pid}\n")
        process.returncode = 0  # it goes on without us
    elif words[:2] == ["rm", "-f"]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(words[2]), signal.SIGKILL)
    else:
        raise SystemExit(f"not known here: docker {' '.join(words)}")


if __name__ == "__main__":
    main(sys.argv[1:])
