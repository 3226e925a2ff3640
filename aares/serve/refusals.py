"""Why a request is refused, in a status and a sentence."""

from __future__ import annotations

from aares.errors import AaresError


class RequestError(AaresError):
    """A request that is refused.

    Parameters
    ----------
    status : int
        Of HTTP, 400 to 599.
    message : str
        A sentence for people.
    retry_s : int, optional
        After so many seconds it is worth asking again.
    """

    def __init__(self, status: int, message: str, *, retry_s: int | None = None) -> None:
        super().__init__(message)
        self.status, self.retry_s = status, retry_s
