"""What the commands say when something is wrong, or takes long."""

from __future__ import annotations

import sys


def fail(message: str) -> int:
    """Say on standard error what is wrong, and return the exit status for it.

    Parameters
    ----------
    message : str

    Returns
    -------
    int
        1.

    Examples
    --------
    >>> fail("music.index: no such file")
    1
    """
    print(message, file=sys.stderr)
    return 1


def describe_progress(done: int, total: int, seconds: float, *, kept: int = 0) -> str:
    """Say how far a long work is, how fast, and how long it still takes.

    Parameters
    ----------
    done, total : int
        Of whatever is counted.
    seconds : float
        Since the beginning.
    kept : int
        Those that were done before it.

    Returns
    -------
    str

    Examples
    --------
    >>> describe_progress(300, 1000, 50.0)
    '   300 of 1000     6.0 a second   0:01:57 left'
    >>> describe_progress(300, 1000, 50.0, kept=300)
    '   300 of 1000'
    """
    text = f"{done:6d} of {total}"
    if done <= kept:
        return text
    rate = (done - kept) / max(seconds, 1e-3)
    minutes, rest = divmod(round((total - done) / rate), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{text}   {rate:5.1f} a second   {hours}:{minutes:02}:{rest:02} left"
