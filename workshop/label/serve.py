"""``run.py label``: opens the page where songs are paired, until Ctrl-C."""

from __future__ import annotations

import sys
import threading
import webbrowser
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import uvicorn

from aares.serve.addresses import is_local, list_hosts, make_token, name_address, open_listener
from workshop.label.app import make_app
from workshop.label.desk import Desk
from workshop.label.learning import Learner
from workshop.label.songs import list_songs
from workshop.label.store import Store

SWITCH_S = 0.0005  # a request does not wait for the thread that cuts clips: a tenth of the usual


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
    with open_listener(host, port) as listener, ExitStack() as stack:
        store = Store(database)
        stack.callback(store.close)
        with suppress(KeyboardInterrupt):
            token = make_token(host)
            desk = Desk(store, songs)
            learner = Learner(folder, desk.pairs, desk.learn)
            stack.callback(learner.close)
            learner.learn(desk.list_answers())
            desk.on_answers = learner.learn
            app = make_app(desk, hosts=list_hosts(host), token=token)
            address = name_address(host, listener.getsockname()[1], token)
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


def _introduce(desk: Desk, address: str, host: str):
    songs = desk.songs
    questions = int((desk.pairs["kind"] == "question").sum())
    yield f"{len(songs.seconds)} songs of {songs.folder}, {questions:,} pairs to ask about"
    if songs.failed:
        yield f"{len(songs.failed)} files were left out, such as: {songs.failed[0]}"
    yield f"Answers are kept in {desk.store.path}"
    if not is_local(host):
        yield (
            "Everybody who can reach this machine and has the address below can hear these songs "
            "and answer. It is not encrypted: use it in a network that you trust."
        )
    yield f"\n  {address}\n\nCtrl-C stops it."
