"""The HTTP API of `slotproof cluster`: what the console does, for programs, on loopback only.

    GET  /state                             all of it as JSON
    POST /nodes/7000/kill                   also restart, pause, resume
    POST /partition {"groups": [[7000], [7001, 7002]]}
    POST /delay     {"from": 7000, "to": 7001, "ms": 100}
    POST /drop      {"from": 7000, "to": 7001, "types": ["ping"], "count": 3}
    POST /heal

A POST has the type application/json, which no page of a browser may send without being asked.
"""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from typing_extensions import override

from reference.runtime.host.cluster_host import ClusterHost, HostError
from reference.runtime.options import LOOPBACK

_LARGEST_BODY: Final = 64 * 1024
_Do = Callable[[ClusterHost, Request, dict[str, Any]], Awaitable[None]]


async def _kill(host: ClusterHost, request: Request, _: dict[str, Any]) -> None:
    await host.kill(request.path_params["node"])


async def _restart(host: ClusterHost, request: Request, _: dict[str, Any]) -> None:
    await host.restart(request.path_params["node"])


async def _pause(host: ClusterHost, request: Request, _: dict[str, Any]) -> None:
    await host.pause(request.path_params["node"])


async def _resume(host: ClusterHost, request: Request, _: dict[str, Any]) -> None:
    await host.resume(request.path_params["node"])


async def _partition(host: ClusterHost, _: Request, body: dict[str, Any]) -> None:
    groups = _field(body, "groups", list)
    if not all(isinstance(group, list) for group in groups):
        raise HostError("groups: expected a list of lists of nodes")
    host.partition([[str(node) for node in group] for group in groups])


async def _delay(host: ClusterHost, _: Request, body: dict[str, Any]) -> None:
    host.delay(str(body.get("from")), str(body.get("to")), _field(body, "ms", int))


async def _drop(host: ClusterHost, _: Request, body: dict[str, Any]) -> None:
    types = _field(body, "types", list) if "types" in body else []
    count = _field(body, "count", int) if body.get("count") is not None else None
    host.drop(str(body.get("from")), str(body.get("to")), map(str, types), count)


async def _heal(host: ClusterHost, _: Request, __: dict[str, Any]) -> None:
    host.heal()


_ACTIONS: Final[dict[str, _Do]] = {
    "/nodes/{node}/kill": _kill,
    "/nodes/{node}/restart": _restart,
    "/nodes/{node}/pause": _pause,
    "/nodes/{node}/resume": _resume,
    "/partition": _partition,
    "/delay": _delay,
    "/drop": _drop,
    "/heal": _heal,
}


def _field(body: dict[str, Any], name: str, kind: type) -> Any:  # noqa: ANN401 - of that kind
    value = body.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise HostError(f"{name}: expected a {kind.__name__}, not {value!r}")
    return value


async def _body(request: Request) -> dict[str, Any]:
    """The object that was sent, an empty one if nothing was; HostError if it is none."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise HostError("a POST has the content type application/json")
    sent = bytearray()
    async for part in request.stream():
        sent += part
        if len(sent) > _LARGEST_BODY:
            raise HostError(f"a body has at most {_LARGEST_BODY} bytes")
    try:
        body = json.loads(sent or b"{}")
    except (ValueError, RecursionError) as error:
        raise HostError(f"this is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise HostError("expected an object")
    return body


def application(host: ClusterHost) -> Starlette:
    """The API as an ASGI application."""

    async def state(_: Request) -> Response:
        return JSONResponse(host.status())

    def action(do: _Do) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                await do(host, request, await _body(request))
            except HostError as error:
                return JSONResponse({"error": str(error)}, status_code=400)
            return JSONResponse(host.status())

        return endpoint

    routes = [Route("/", state), Route("/state", state)]
    routes += [Route(path, action(do), methods=["POST"]) for path, do in _ACTIONS.items()]
    # A name that somebody has resolve to loopback is no way in.
    hosts = Middleware(TrustedHostMiddleware, allowed_hosts=[LOOPBACK, "localhost"])
    return Starlette(routes=routes, middleware=[hosts])


class _Server(uvicorn.Server):
    """A server that leaves the signals to the process it is part of."""

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def http_api(host: ClusterHost, port: int) -> AsyncIterator[int]:
    """The API answers at this port of loopback, or at any free one for 0: the one it has.

    OSError if it cannot be bound.
    """
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((LOOPBACK, port))
        listening.listen()  # who dials before the server runs waits for it
        config = uvicorn.Config(
            application(host), log_level="warning", lifespan="off", ws="none", access_log=False
        )
        server = _Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield int(listening.getsockname()[1])
        finally:
            server.should_exit = True
            server.force_exit = True
            await serving
