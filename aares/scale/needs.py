"""What can go wrong beyond one machine, and the packages that most of it needs."""

from __future__ import annotations

from importlib.util import find_spec

from aares.errors import AaresError

REMEDY = "python3 run.py add scale, or pip install 'aares[scale]'"


class ScaleError(AaresError):
    """Shards, a cluster or a place that files lie in are not what they should be."""


def require_scale(*names: str) -> None:
    """Refuse to begin where a package of the extra ``[scale]`` is missing.

    Parameters
    ----------
    *names : str
        As in ``import name``.

    Raises
    ------
    ScaleError
        One is not installed.

    Examples
    --------
    >>> require_scale("json", "not_there")
    Traceback (most recent call last):
        ...
    aares.scale.needs.ScaleError: expected the package not_there, which is not installed: \
python3 run.py add scale, or pip install 'aares[scale]'
    """
    for name in names:
        if find_spec(name) is None:
            raise ScaleError(f"expected the package {name}, which is not installed: {REMEDY}")
