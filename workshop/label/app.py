"""The labelling page's HTTP: routes, and who is let in.

Nothing here trusts a request (see :mod:`aares.serve.guard`): a POST has to come from the page
itself and to bring JSON of at most 1 MB, and a server that others can reach wants its token in
every address but those of the page's parts.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from aares.errors import AudioError
from aares.files import digest
from aares.serve.guard import Guard, read_length, refuse
from aares.serve.refusals import RequestError
from workshop.label import forms, sounds
from workshop.label.clips import CLIP_VERSION, ClipMaker, encode_wav
from workshop.label.desk import PLANNED, TRIALS, Desk, get_order
from workshop.label.songs import get_pieces
from workshop.label.store import StoreError

PAGE = Path(__file__).with_name("page")
PARTS = {
    "/label.css": "text/css", "/label.js": "text/javascript", "/join.js": "text/javascript",
    "/favicon.svg": "image/svg+xml", "/favicon.ico": "image/svg+xml",
}  # fmt: skip
DEFINITION = (
    "B can follow A if nothing changes brutally where they meet: whether you like them is "
    "another question."
)
MOST_BYTES = 1_000_000
POLICY = (
    "default-src 'self'; connect-src 'self'; media-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class PageGuard(Guard):
    """Refuses what does not come from the page, and says to browsers what the page may do."""

    open_paths = PARTS
    linked_paths = ("/",)
    headers = HEADERS

    def check(self, request: Request) -> None:
        """Refuse a request, or let it pass.

        Parameters
        ----------
        request : Request

        Raises
        ------
        RequestError
            It is none for this server, or brings something else than JSON.
        """
        super().check(request)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if request.method not in ("GET", "HEAD") and kind != "application/json":
            raise RequestError(415, "Content-Type: expected application/json")


def make_app(
    desk: Desk, *, hosts: Collection[str], token: str = "", clips: ClipMaker | None = None
) -> ASGIApp:
    """Make the application.

    Parameters
    ----------
    desk : Desk
    hosts : collection of str
        Names by which this server may be asked.
    token : str
        Needed in addresses; empty: none is.
    clips : ClipMaker, optional

    Returns
    -------
    ASGI application
    """
    clips = clips or ClipMaker()
    routes = [
        Route("/", _send_page),
        *(Route(path, _send_part) for path in PARTS),
        Route("/api/about", _tell_about),
        Route("/api/next", partial(_give_next, desk, clips)),
        Route("/clip/{pair}/{side}.wav", partial(_send_clip, desk, clips)),
        Route("/sound/{name}.wav", partial(_send_sound, desk)),
    ]
    posts = {
        "raters": (forms.OF_RATER, desk.register),
        "headphones": (forms.OF_HEADPHONES, desk.check_headphones),
        "answers": (forms.OF_ANSWER, desk.take_answer),
        "undo": (forms.OF_UNDO, desk.undo),
        "skip": (forms.OF_SKIP, desk.skip),
    }
    routes += [
        Route(f"/api/{name}", partial(_take, form, take), methods=["POST"])
        for name, (form, take) in posts.items()
    ]
    handlers: dict[Any, Any] = {
        RequestError: lambda request, error: refuse(error),
        AudioError: lambda request, error: _refuse(404, str(error)),
        StoreError: lambda request, error: _refuse(503, str(error)),
        HTTPException: lambda request, error: _refuse(error.status_code, error.detail),
        ClientDisconnect: lambda request, error: _refuse(400, "the request was cut off"),
    }
    return PageGuard(
        Starlette(routes=routes, exception_handlers=handlers), hosts=hosts, token=token
    )


def _refuse(status: int, sentence: str) -> Response:
    return refuse(RequestError(status, sentence))


async def _take(
    form: Mapping[str, forms.Reader],
    take: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]],
    request: Request,
) -> Response:
    found = forms.read_json(await _read_body(request))
    return JSONResponse(await take(forms.read_form(found, form)))


async def _read_body(request: Request) -> bytes:
    body = bytearray()
    read_length(request, MOST_BYTES)
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise RequestError(413, f"expected at most {MOST_BYTES:,} bytes")
    return bytes(body)


async def _send_page(request: Request) -> Response:
    return FileResponse(PAGE / "index.html", media_type="text/html")


async def _send_part(request: Request) -> Response:
    path = request.url.path
    name = "favicon.svg" if path == "/favicon.ico" else path[1:]
    return FileResponse(PAGE / name, media_type=PARTS[path])


@cache
def compute_page_version() -> str:
    """Return what changes when a part of the page does.

    Returns
    -------
    str
        12 hexadecimal digits.
    """
    parts = sorted(path for path in PAGE.iterdir() if path.is_file())
    return digest(b"\0".join(path.read_bytes() for path in parts))[:12]


async def _tell_about(request: Request) -> Response:
    return JSONResponse({
        "page_version": compute_page_version(), "clip_version": CLIP_VERSION,
        "definition": DEFINITION, "joins": list(forms.JOINS), "planned": PLANNED,
    })  # fmt: skip


async def _give_next(desk: Desk, clips: ClipMaker, request: Request) -> Response:
    hold = [name for name in request.query_params.get("hold", "").split(",") if name]
    answer = await desk.give_next(request.query_params.get("rater", ""), hold)
    if answer["pair"] is not None:
        pair = desk.get_pair(answer["pair"])
        pieces = get_pieces(desk.songs.folder, pair.a, pair.b, pair.at_s, pair.speed)
        clips.prepare(*pieces)
    return JSONResponse(answer)


async def _send_clip(desk: Desk, clips: ClipMaker, request: Request) -> Response:
    side, levels = request.path_params["side"], request.query_params.get("levels", "levelled")
    if side not in ("a", "b") or levels not in ("levelled", "record"):
        raise RequestError(404, "clip: expected a.wav or b.wav, levels: levelled or record")
    pair = desk.get_pair(request.path_params["pair"])
    pieces = get_pieces(desk.songs.folder, pair.a, pair.b, pair.at_s, pair.speed)
    make = partial(clips.make, *pieces, as_recorded=levels == "record")
    try:
        sound = (await run_in_threadpool(make))["ab".index(side)]
    except AudioError:
        desk.report_broken(pair)
        raise
    return Response(sound, media_type="audio/wav")


async def _send_sound(desk: Desk, request: Request) -> Response:
    name = request.path_params["name"]
    if name not in ("pink", "music", *TRIALS):
        raise RequestError(404, "sound: unknown")
    make = partial(_make_sound, name, next(iter(desk.songs.seconds)), desk.songs.folder)
    return Response(await run_in_threadpool(make), media_type="audio/wav")


@cache
def _make_sound(name: str, song: str, folder: Path) -> bytes:
    if name == "pink":
        return encode_wav(sounds.make_pink_noise())
    if name == "music":
        return encode_wav(sounds.cut_sample(folder / song))
    return encode_wav(sounds.make_trial(get_order(name)))
