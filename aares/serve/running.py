"""``aares serve``: from an index and an address to a service, until it is told to stop."""

from __future__ import annotations

import math
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from aares.serve.addresses import is_local, list_hosts, make_token, name_address, open_listener
from aares.serve.app import Service, make_service_app
from aares.serve.connections import bound_connections
from aares.serve.limits import Limits
from aares.serve.living import LivingIndex
from aares.serve.pool import Pool

HEAD_BYTES = 16_384


def serve_index(
    index: str | Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8009,
    n_searchers: int = 2,
    limits: Limits | None = None,
    token: str | None = None,
    say: Callable[[str], None],
) -> None:
    """Serve an index until the process is told to stop.

    Parameters
    ----------
    index : str or Path
    host : str
        Address of this machine to listen at.
    port : int
        0: any that is free.
    n_searchers : int
        Processes that search, each on a core.
    limits : Limits, optional
    token : str, optional
        That requests need; without it one is made where others can reach the address.
    say : callable
        Given lines for whoever started it.

    Raises
    ------
    IndexFileError
        There is no index, or a damaged one.
    ServeError
        The port is in use, or the address is none of this machine.
    ValueError
        There would be no searcher.
    """
    if n_searchers < 1:
        raise ValueError(f"expected a searcher at least, found {n_searchers}")
    limits = limits or Limits()
    living = LivingIndex(index)
    token = make_token(host) if token is None else token
    with open_listener(host, port) as listener, _uploads() as folder:
        pool = Pool(living.path.resolve(), folder, n_searchers=n_searchers, limits=limits)
        app = make_service_app(Service(living, pool, folder), hosts=list_hosts(host), token=token)
        address = name_address(host, listener.getsockname()[1])
        say(f"{living.path}: {len(living.get())} recordings, {n_searchers} searchers")
        if not is_local(host):
            say(
                "Everybody who can reach this machine and has the token can ask. It is not "
                "encrypted: use it in a network that you trust."
            )
        if token:
            say(f"Each request needs the header  Authorization: Bearer {token}")
        say(f"\n  {address}identify\n\nPOST a file there. Ctrl-C stops it.")
        config = make_config(app, limits)
        with _ending_on_term(), suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])
    say("\nStopped.")


def make_config(app: ASGIApp, limits: Limits) -> uvicorn.Config:
    """Return how uvicorn serves an application within limits.

    Parameters
    ----------
    app : ASGI application
    limits : Limits

    Returns
    -------
    uvicorn.Config

    Examples
    --------
    >>> make_config(lambda scope, receive, send: None, Limits(stop_s=3.0)).timeout_graceful_shutdown
    3
    """
    return uvicorn.Config(
        app, http=bound_connections(limits), ws="none", lifespan="on", log_level="error",
        access_log=False, server_header=False, date_header=False, proxy_headers=False,
        h11_max_incomplete_event_size=HEAD_BYTES, timeout_keep_alive=math.ceil(limits.head_s),
        timeout_graceful_shutdown=math.ceil(limits.stop_s),
    )  # fmt: skip


@contextmanager
def _uploads() -> Iterator[Path]:
    """Make the folder of uploads; who is killed leaves it to the last searcher."""
    with tempfile.TemporaryDirectory(prefix="aares-serve-", ignore_cleanup_errors=True) as name:
        yield Path(name)


@contextmanager
def _ending_on_term() -> Iterator[None]:
    """Make of the signal that ends a process one that can be tidied up after."""

    def end(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
