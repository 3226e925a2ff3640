"""What the commands say when something is wrong."""

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
