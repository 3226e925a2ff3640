"""The body of a request becomes a file: within a size, within a time, under a name of ours."""

from __future__ import annotations

import asyncio
from pathlib import Path

from starlette.requests import Request

from aares.serve.guard import read_length
from aares.serve.limits import Limits
from aares.serve.refusals import RequestError


def check_kind(request: Request) -> None:
    """Refuse a body that is wrapped in something.

    Parameters
    ----------
    request : Request

    Raises
    ------
    RequestError
        It is a form, or compressed.

    Examples
    --------
    >>> check_kind(
    ...     Request({"type": "http", "headers": [(b"content-encoding", b"gzip")]})
    ... )  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
        ...
    aares.serve.refusals.RequestError: Content-Encoding: expected none, found 'gzip'
    """
    remedy = "send the file itself as the body, as curl --data-binary @FILE does"
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind.startswith("multipart/"):
        raise RequestError(415, f"Content-Type: expected none of a form, found {kind!r}; {remedy}")
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("", "identity"):
        raise RequestError(415, f"Content-Encoding: expected none, found {coding!r}; {remedy}")


async def receive_file(request: Request, path: Path, limits: Limits) -> int:
    """Write the body of a request to a file, as far as it is allowed.

    Parameters
    ----------
    request : Request
    path : Path
    limits : Limits

    Returns
    -------
    int
        Bytes.

    Raises
    ------
    RequestError
        It is too large or too slow, it is empty, or there is no room for it. What was written
        stays.
    ClientDisconnect
        It was cut off.

    Examples
    --------
    >>> import tempfile
    >>> async def receive():
    ...     return {"type": "http.request", "body": b"sound", "more_body": False}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     request = Request({"type": "http", "headers": []}, receive)
    ...     asyncio.run(receive_file(request, Path(folder, "1"), Limits(most_bytes=5)))
    5
    """
    read_length(request, limits.most_bytes)
    clock = asyncio.get_running_loop().time
    begin, size = clock(), 0
    stream = request.stream()
    try:
        with path.open("wb") as out:
            while True:
                left_s = begin + limits.allow_body(size) - clock()
                async with asyncio.timeout(max(left_s, 0.0)):
                    part = await anext(stream, None)
                if part is None:
                    break
                size += len(part)
                if size > limits.most_bytes:
                    raise RequestError(413, f"expected at most {limits.most_bytes:,} bytes")
                out.write(part)
    except TimeoutError:
        raise RequestError(
            408, f"the body came too slowly: {size:,} bytes in {clock() - begin:.0f} s"
        ) from None
    except OSError as error:
        raise RequestError(
            503, f"the upload cannot be kept ({error.strerror})", retry_s=5
        ) from error
    if not size:
        raise RequestError(400, "expected a file as the body, found an empty one")
    return size
