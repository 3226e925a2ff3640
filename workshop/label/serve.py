"""``run.py label``: opens the page where songs are paired, until Ctrl-C."""

from __future__ import annotations

import ipaddress
import secrets
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import uvicorn

from aares.errors import AaresError
from workshop.label.app import make_app
from workshop.label.desk import Desk
from workshop.label.learning import Learner
from workshop.label.songs import list_songs
from workshop.label.store import Store

SWITCH_S = 0.0005  # a request does not wait for the thread that cuts clips: a tenth of the usual
LOCAL = ("127.0.0.1", "localhost", "[::1]")


class ServeError(AaresError):
    """The server cannot listen where it is told to."""


def serve(
    folder: Path,
    database: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8008,
    browse: bool = True,
    say: Callable[[str], None],
) -> None:
    """Serve the page until Ctrl-C.

    Parameters
    ----------
    folder : Path
        Of songs.
    database : Path
        Of answers.
    host : str
        Address of this machine to listen at.
    port : int
        0: any that is free.
    browse : bool
        Open the page in a browser.
    say : callable
        Given lines for whoever started it.

    Raises
    ------
    ServeError
        The port is in use, or the address is none of this machine.
    """
    songs = list_songs(folder)
    with _listen(host, port) as listener, ExitStack() as stack:
        store = Store(database)
        stack.callback(store.close)
        with suppress(KeyboardInterrupt):
            token = "" if _is_local(host) else secrets.token_urlsafe(16)
            desk = Desk(store, songs)
            learner = Learner(folder, desk.pairs, desk.learn)
            stack.callback(learner.close)
            learner.learn(desk.list_answers())
            desk.on_answers = learner.learn
            app = make_app(desk, hosts=list_hosts(host), token=token)
            address = _name_address(host, listener.getsockname()[1], token)
            for line in _introduce(desk, address, host):
                say(line)
            if browse:
                threading.Timer(0.5, webbrowser.open, [address]).start()
            config = uvicorn.Config(
                app, log_level="warning", access_log=False, lifespan="off", server_header=False,
                timeout_graceful_shutdown=2, date_header=False,
            )  # fmt: skip
            sys.setswitchinterval(SWITCH_S)
            uvicorn.Server(config).run(sockets=[listener])
    say("\nStopped; every answer is kept.")


def list_hosts(host: str) -> set[str]:
    """List the names by which a server may be asked that listens at an address.

    Parameters
    ----------
    host : str

    Returns
    -------
    set of str

    Examples
    --------
    >>> sorted(list_hosts("127.0.0.1"))
    ['127.0.0.1', '[::1]', 'localhost']
    """
    names = {*LOCAL, _bracket(host.lower())}
    if not _is_local(host):
        name = socket.gethostname().lower()
        names |= {name, f"{name}.local", *map(_bracket, _list_addresses(name))}
    return names


def _list_addresses(name: str) -> set[str]:
    """Return the addresses of this machine."""
    found = set()
    with suppress(OSError):
        found |= {str(info[4][0]).partition("%")[0] for info in socket.getaddrinfo(name, None)}
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # nothing is sent: the system only picks a way there
        found.add(probe.getsockname()[0])
    return found


def _bracket(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _is_local(host: str) -> bool:
    try:
        return host.lower() == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if hasattr(socket, "SO_REUSEADDR"):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise ServeError(
            f"cannot listen at {host}, port {port} ({reason}); another one: --port 0 takes any "
            "that is free"
        ) from error
    return listener


def _name_address(host: str, port: int, token: str) -> str:
    shown = host
    if host in ("0.0.0.0", "::"):
        shown = next(iter(sorted(_list_addresses(socket.gethostname()) - {"127.0.1.1"})), host)
    return f"http://{_bracket(shown)}:{port}/" + (f"?token={token}" if token else "")


def _introduce(desk: Desk, address: str, host: str):
    songs = desk.songs
    questions = int((desk.pairs["kind"] == "question").sum())
    yield f"{len(songs.seconds)} songs of {songs.folder}, {questions:,} pairs to ask about"
    if songs.failed:
        yield f"{len(songs.failed)} files were left out, such as: {songs.failed[0]}"
    yield f"Answers are kept in {desk.store.path}"
    if not _is_local(host):
        yield (
            "Everybody who can reach this machine and has the address below can hear these songs "
            "and answer. It is not encrypted: use it in a network that you trust."
        )
    yield f"\n  {address}\n\nCtrl-C stops it."
