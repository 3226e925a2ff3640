"""Who is let in: nothing here trusts a request.

The Host header has to name this server (another name that leads here is a rebound one), a request
that another site makes a browser send is refused, and a server that others can reach wants its
token in every request but those for what is open.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aares.serve.refusals import RequestError

HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


class Guard:
    """Refuses what is not meant for this server.

    Parameters
    ----------
    app : ASGI application
    hosts : collection of str
        Names of this server, in small letters.
    token : str
        In ``?token=`` or in ``Authorization: Bearer``; empty: none is needed.
    """

    open_paths: Collection[str] = ()  # without a token
    linked_paths: Collection[str] = ()  # other sites may lead to them
    headers: Mapping[str, str] = HEADERS  # of every reply

    def __init__(self, app: ASGIApp, *, hosts: Collection[str], token: str = "") -> None:
        self._app, self._hosts, self._token = app, frozenset(hosts), token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [(k.lower().encode(), text.encode()) for k, text in self.headers.items()]
                message["headers"] = [*message["headers"], *own]
            await send(message)

        request = Request(scope)
        try:
            self.check(request)
        except RequestError as error:
            await refuse(error)(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)

    def check(self, request: Request) -> None:
        """Refuse a request, or let it pass.

        Parameters
        ----------
        request : Request

        Raises
        ------
        RequestError
            It is none for this server.
        """
        host = request.headers.get("host", "")
        if _read_host(host) not in self._hosts:
            raise RequestError(403, "Host: this server has another name")
        path = request.url.path
        if self._token and path not in self.open_paths and not self._has_token(request):
            raise RequestError(403, "token: the address has none, or another one")
        if request.headers.get("sec-fetch-site") == "cross-site" and path not in self.linked_paths:
            raise RequestError(403, "Origin: another site has no access")
        origin = request.headers.get("origin")
        if request.method in ("GET", "HEAD") or origin is None:
            return
        if origin != f"{request.url.scheme}://{host}":
            raise RequestError(403, "Origin: another site may not send anything")

    def _has_token(self, request: Request) -> bool:
        kind, _, bearer = request.headers.get("authorization", "").partition(" ")
        given = bearer if kind.lower() == "bearer" else request.query_params.get("token", "")
        return hmac.compare_digest(given.encode("utf-8", "replace"), self._token.encode())


def _read_host(host: str) -> str:
    """Return the name in a Host header, without the port."""
    found = re.fullmatch(r"(\[[0-9a-f:.]+\]|[^:\[\]@/\s]+)(:\d{1,5})?", host.lower())
    return found[1] if found else ""


def reply(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    r"""Make a reply of JSON in ASCII: names of files may hold what no Unicode text does.

    Parameters
    ----------
    content : JSON value
    status : int
    headers : mapping of str to str, optional

    Returns
    -------
    Response

    Examples
    --------
    >>> reply({"name": "caf\udce9.mp3"}).body
    b'{"name": "caf\\udce9.mp3"}'
    """
    body = json.dumps(content, allow_nan=False).encode()
    return Response(body, status, headers, "application/json")


def refuse(error: RequestError) -> Response:
    """Make the reply to a request that is refused.

    Parameters
    ----------
    error : RequestError

    Returns
    -------
    Response

    Examples
    --------
    >>> refused = refuse(RequestError(503, "busy", retry_s=2))
    >>> refused.status_code, refused.headers["retry-after"], refused.body
    (503, '2', b'{"error": "busy"}')
    """
    headers = {} if error.retry_s is None else {"Retry-After": str(error.retry_s)}
    return reply({"error": str(error)}, error.status, headers)


def read_length(request: Request, most: int) -> int:
    """Return how many bytes the body of a request is said to have.

    Parameters
    ----------
    request : Request
    most : int
        That are allowed.

    Returns
    -------
    int
        0 where nothing is said.

    Raises
    ------
    RequestError
        It is no number, or more than `most`.

    Examples
    --------
    >>> read_length(Request({"type": "http", "headers": [(b"content-length", b"12")]}), 100)
    12
    """
    promised = request.headers.get("content-length", "0")
    if not re.fullmatch(r"\d{1,18}", promised, re.ASCII):
        raise RequestError(400, "Content-Length: expected a number")
    if int(promised) > most:
        raise RequestError(413, f"expected at most {most:,} bytes")
    return int(promised)
