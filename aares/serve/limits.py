"""What the service takes: of one request, and of all at once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What the service takes.

    Parameters
    ----------
    most_bytes : int
        Of an upload.
    longest_s : float
        Of the sound in it, decoded.
    search_s : float
        In which a file is decoded and searched for; then its searcher is ended.
    wait_s : float
        For a searcher.
    n_waiting : int
        Requests that may wait for one.
    n_connections : int
        At once; further ones are told to come back.
    head_s : float
        In which the head of a request has to arrive.
    body_s : float
        In which a body has to arrive, and a second more for each `least_rate` bytes of it.
    least_rate : int
        Bytes a second.
    linger_s : float
        For which the rest of a refused body is passed over, so that the reply can be read.
    stop_s : float
        For requests that are under way when the service is stopped.

    Examples
    --------
    >>> Limits(most_bytes=1000).allow_body(received=16_000)
    14.0
    """

    most_bytes: int = 64_000_000
    longest_s: float = 600.0
    search_s: float = 30.0
    wait_s: float = 30.0
    n_waiting: int = 64
    n_connections: int = 256
    head_s: float = 10.0
    body_s: float = 10.0
    least_rate: int = 4000
    linger_s: float = 2.0
    stop_s: float = 10.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 < value < float("inf"):
                raise ValueError(f"{name}: expected a number above 0, found {value}")

    def allow_body(self, received: int) -> float:
        """Return how long a body may have taken of which so much has arrived.

        Parameters
        ----------
        received : int
            Bytes.

        Returns
        -------
        float
            Seconds.
        """
        return self.body_s + received / self.least_rate
