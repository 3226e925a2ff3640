"""The service's HTTP: a file comes in, what the index knows of it goes out.

``POST /identify`` takes the file itself as the body, ``GET /recordings`` lists the index in pages,
``GET /health`` and ``GET /metrics`` are for whoever looks after it. No word of a request becomes
part of a path on the disk: an upload is a file with a number, and is deleted when it is answered.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aares.audio.sources import show_name
from aares.identify import Index
from aares.identify.timeline import check_windows
from aares.serve.guard import Guard, refuse, reply
from aares.serve.living import LivingIndex
from aares.serve.metrics import KIND, Metrics
from aares.serve.pool import Pool
from aares.serve.refusals import RequestError
from aares.serve.uploads import check_kind, receive_file

PATHS = ("/identify", "/recordings", "/health", "/metrics")
MOST_ROWS = 1000  # of a page
LONGEST_NAME = 200
OF_IDENTIFY = ("window", "step", "timeline", "name", "token")
OF_RECORDINGS = ("offset", "limit", "token")
SWITCH = {"true": True, "1": True, "false": False, "0": False}


class ServiceGuard(Guard):
    """Lets whoever has the token ask, and everybody see that the service is there."""

    open_paths = ("/health",)


def read_wishes(query: Mapping[str, str]) -> dict[str, Any]:
    """Read what a request wants of a file.

    Parameters
    ----------
    query : mapping of str to str
        ``window`` and ``step`` in seconds, ``timeline`` (true or false), ``name`` of the file.

    Returns
    -------
    dict
        ``windows``, ``timeline`` and ``name`` as of `aares.identify.hearing.hear_file`.

    Raises
    ------
    RequestError
        Something is unknown, or out of range.

    Examples
    --------
    >>> read_wishes({"window": "8", "name": "radio.mp3"})
    {'windows': {'window_s': 8.0, 'step_s': 4.0}, 'timeline': True, 'name': 'radio.mp3'}
    """
    _refuse_unknown(query, OF_IDENTIFY)
    given = {f"{name}_s": _read_seconds(query, name) for name in ("window", "step")}
    windows = {name: value for name, value in given.items() if value is not None}
    if "window_s" in windows:
        windows.setdefault("step_s", windows["window_s"] / 2)
    try:
        check_windows(**windows)
    except ValueError as error:
        raise RequestError(400, f"window, step: {error}") from error
    switch = query.get("timeline", "true").lower()
    if switch not in SWITCH:
        raise RequestError(400, f"timeline: expected true or false, found {switch[:20]!r}")
    name = show_name(query.get("name", "-")[:LONGEST_NAME])
    return {"windows": windows, "timeline": SWITCH[switch], "name": name}


def _refuse_unknown(query: Mapping[str, str], known: Collection[str]) -> None:
    for name in query:
        if name not in known:
            options = ", ".join(option for option in known if option != "token")
            raise RequestError(400, f"no option {show_name(name[:20])!r}; there are {options}")


def _read_seconds(query: Mapping[str, str], name: str) -> float | None:
    if name not in query:
        return None
    if not re.fullmatch(r"\d{1,6}(\.\d{1,6})?", query[name], re.ASCII):
        raise RequestError(400, f"{name}: expected seconds, found {query[name][:20]!r}")
    return float(query[name])


def _read_count(query: Mapping[str, str], name: str, usual: int, most: int) -> int:
    text = query.get(name, str(usual))
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or int(text) > most:
        raise RequestError(400, f"{name}: expected a number up to {most:,}, found {text[:20]!r}")
    return int(text)


def list_page(index: Index, offset: int, limit: int) -> dict[str, Any]:
    """List some of the recordings; the names of others are not read.

    Parameters
    ----------
    index : Index
    offset, limit : int

    Returns
    -------
    dict
        ``total``, ``offset``, and ``recordings`` with name and seconds.

    Examples
    --------
    >>> import numpy as np
    >>> index = Index.from_signals({name: np.ones(8000) for name in "abc"})
    >>> [row["name"] for row in list_page(index, 1, 5)["recordings"]]
    ['b', 'c']
    """
    present = (part.recordings[row] for part in index.parts for row in part.list_present())
    rows = itertools.islice(present, offset, offset + limit)
    listed = [{"name": one.name, "seconds": one.seconds} for one in rows]
    return {"total": len(index), "offset": offset, "recordings": listed}


class Service:
    """What the routes do.

    Parameters
    ----------
    living : LivingIndex
    pool : Pool
    folder : Path
        Of the uploads.
    """

    def __init__(self, living: LivingIndex, pool: Pool, folder: Path) -> None:
        self.living, self.pool, self.folder = living, pool, folder
        self.metrics, self.n_in_flight = Metrics(), 0
        self._numbers = itertools.count(1)

    async def identify(self, request: Request) -> Response:
        """Answer for the file that a request brings.

        Parameters
        ----------
        request : Request

        Returns
        -------
        Response
        """
        wishes = read_wishes(request.query_params)
        check_kind(request)
        self.pool.refuse_more()  # before the upload, which would be for nothing
        limits = self.pool.limits
        path = self.folder / f"{next(self._numbers)}.upload"
        job = {"path": str(path), "longest_s": limits.longest_s, **wishes}
        try:
            await receive_file(request, path, limits)
            found = await self.pool.ask(job, is_gone=request.is_disconnected)
        finally:
            path.unlink(missing_ok=True)
        if found["status"] != 200:
            self.metrics.count_outcome("refused")
            raise RequestError(found["status"], found["error"])
        self.metrics.count_outcome(found["told"]["reason"])
        return reply(found["told"])

    async def list_recordings(self, request: Request) -> Response:
        """List a page of the index.

        Parameters
        ----------
        request : Request

        Returns
        -------
        Response
        """
        _refuse_unknown(request.query_params, OF_RECORDINGS)
        offset = _read_count(request.query_params, "offset", 0, 10**9 - 1)
        limit = _read_count(request.query_params, "limit", 100, MOST_ROWS)
        return reply(await run_in_threadpool(lambda: list_page(self.living.get(), offset, limit)))

    async def tell_health(self, request: Request) -> Response:
        """Tell whether files can be answered for.

        Parameters
        ----------
        request : Request

        Returns
        -------
        Response
        """
        n_ready = self.pool.n_ready
        about = {"status": "ok" if n_ready else "no searcher", "searchers": n_ready}
        return reply(about, 200 if n_ready else 503)

    async def tell_metrics(self, request: Request) -> Response:
        """Tell what was counted.

        Parameters
        ----------
        request : Request

        Returns
        -------
        Response
        """
        index = await run_in_threadpool(self.living.get)
        levels = {
            "aares_index_recordings": len(index),
            "aares_index_bytes": self.living.count_bytes(),
            "aares_index_opened": self.living.n_opened,
            "aares_requests_in_flight": self.n_in_flight,
            "aares_requests_waiting": self.pool.n_waiting,
            "aares_searches_running": self.pool.n_searching,
            "aares_searchers_ready": self.pool.n_ready,
            "aares_searchers_restarted": self.pool.n_restarted,
        }
        return Response(self.metrics.write(levels), headers={"Content-Type": KIND})


class Counted:
    """Counts requests and the time that they take.

    Parameters
    ----------
    app : ASGI application
    service : Service
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        clock, status = asyncio.get_running_loop().time, 500
        begin = clock()

        async def send_counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self._service.n_in_flight += 1
        try:
            await self._app(scope, receive, send_counted)
        finally:
            self._service.n_in_flight -= 1
            path = scope["path"] if scope["path"] in PATHS else "other"
            self._service.metrics.count_request(path, status, clock() - begin)


def make_service_app(service: Service, *, hosts: Collection[str], token: str = "") -> ASGIApp:
    """Make the application; its searchers live as long as it does.

    Parameters
    ----------
    service : Service
    hosts : collection of str
        Names by which it may be asked.
    token : str
        Needed in requests; empty: none is.

    Returns
    -------
    ASGI application
    """

    @asynccontextmanager
    async def _live(app: Starlette) -> AsyncIterator[None]:
        await service.pool.start()
        try:
            yield
        finally:
            await service.pool.stop()

    ways: dict[str, tuple[str, Callable[[Request], Awaitable[Response]]]] = {
        "/identify": ("POST", service.identify),
        "/recordings": ("GET", service.list_recordings),
        "/health": ("GET", service.tell_health),
        "/metrics": ("GET", service.tell_metrics),
    }
    routes = [Route(path, way, methods=[method]) for path, (method, way) in ways.items()]
    handlers: dict[Any, Any] = {
        RequestError: lambda request, error: refuse(error),
        HTTPException: _refuse_route,
        ClientDisconnect: lambda request, error: refuse(RequestError(499, "it was cut off")),
    }
    app = Starlette(routes=routes, exception_handlers=handlers, lifespan=_live)
    return Counted(ServiceGuard(app, hosts=hosts, token=token), service)


async def _refuse_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    there = "POST /identify, GET /recordings, GET /health, GET /metrics"
    return refuse(RequestError(error.status_code, f"{error.detail}; there are {there}"))
