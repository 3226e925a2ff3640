"""Connections that end: whoever sends a head or reads a reply too slowly is cut off.

References
----------
.. [1] R. Hansen, "Slowloris HTTP DoS", 2009: connections whose requests never become whole.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from aares.serve.limits import Limits

FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n"
    b"Content-Type: application/json\r\nContent-Length: 33\r\n\r\n"
    b'{"error": "too many connections"}'
)


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 whose connections are limited in number and in time [1]_.

    Parameters
    ----------
    *args, **kwargs
        Of uvicorn's protocol.
    """

    limits = Limits()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadlines: dict[str, asyncio.TimerHandle] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, or refuse it.

        Parameters
        ----------
        transport : asyncio.Transport
        """
        super().connection_made(transport)
        if len(self.connections) > self.limits.n_connections:
            transport.write(FULL)
            transport.close()
        else:
            self._expect("head", self.limits.head_s)

    def data_received(self, data: bytes) -> None:
        """Read what has come; until it is a whole head, the time for that runs.

        Parameters
        ----------
        data : bytes
        """
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            self._expect("head", self.limits.head_s)
        else:
            self._forget("head")

    def on_response_complete(self) -> None:
        """Pass over the rest of a body that was not wanted, for a moment."""
        super().on_response_complete()
        if self.cycle.more_body and self.cycle.response_complete:
            self._expect("head", self.limits.linger_s)

    def pause_writing(self) -> None:
        """Give the client a time in which to read what it asked for."""
        super().pause_writing()
        self._expect("reader", self.limits.body_s)

    def resume_writing(self) -> None:
        """Go on writing."""
        super().resume_writing()
        self._forget("reader")

    def timeout_keep_alive_handler(self) -> None:
        """End a connection on which nothing is asked any more, read or not."""
        super().timeout_keep_alive_handler()
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection.

        Parameters
        ----------
        exc : Exception or None
        """
        for name in list(self._deadlines):
            self._forget(name)
        super().connection_lost(exc)

    def _expect(self, name: str, seconds: float) -> None:
        """End the connection after a time, unless it is forgotten before; a later one is none."""
        if name not in self._deadlines and not self.transport.is_closing():
            self._deadlines[name] = self.loop.call_later(seconds, self.transport.abort)

    def _forget(self, name: str) -> None:
        if name in self._deadlines:
            self._deadlines.pop(name).cancel()


def bound_connections(limits: Limits) -> type[BoundedProtocol]:
    """Return the protocol with limits.

    Parameters
    ----------
    limits : Limits

    Returns
    -------
    type of BoundedProtocol

    Examples
    --------
    >>> bound_connections(Limits(head_s=2.0)).limits.head_s
    2.0
    """
    return type("Bounded", (BoundedProtocol,), {"limits": limits})
