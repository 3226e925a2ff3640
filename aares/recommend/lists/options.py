"""The options of a playlist: what they may be, and what chance does with them.

Used by notebook ``03_recommendation`` through :class:`aares.recommend.Recommender`.
"""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np
import numpy.typing as npt

from aares import exact
from aares.recommend.lists.arrange import COSTS
from aares.recommend.lists.transitions import ARCS

VARIETY = 0.06
"""Spread of chance, in shares of closeness: enough for other songs, too little for far ones."""


def check_options(
    n: object, max_per_artist: object, diversity: object, novelty: object, cost: object, arc: object
) -> None:
    """Refuse options of a playlist that are out of range, see :meth:`.Recommender.playlist`.

    Parameters
    ----------
    n, max_per_artist : int
    diversity, novelty : float
    cost, arc : str or None

    Raises
    ------
    ValueError
        The first that is.
    """
    check_count("n", n)
    check_count("max_per_artist", max_per_artist)
    check_share("diversity", diversity)
    check_share("novelty", novelty)
    check_order(cost, arc)


def check_count(name: str, value: object) -> None:
    """Refuse what is no whole number from 1.

    Parameters
    ----------
    name : str
    value : object

    Raises
    ------
    ValueError
        It is none.

    Examples
    --------
    >>> check_count("n", 10)
    >>> check_count("n", "10")
    Traceback (most recent call last):
    ValueError: n: expected a whole number from 1, found '10'
    """
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name}: expected a whole number from 1, found {value!r}")


def check_share(name: str, value: object) -> None:
    """Refuse what is no number from 0 to 1.

    Parameters
    ----------
    name : str
    value : object

    Raises
    ------
    ValueError
        It is none.

    Examples
    --------
    >>> check_share("diversity", 0.5)
    >>> check_share("diversity", None)
    Traceback (most recent call last):
    ValueError: diversity: expected a number from 0 to 1, found None
    """
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if not is_number or not 0 <= float(value) <= 1:  # type: ignore[arg-type]
        raise ValueError(f"{name}: expected a number from 0 to 1, found {value!r}")


def check_order(cost: object, arc: object) -> None:
    """Refuse an order that there is not.

    Parameters
    ----------
    cost : {"transition", "distance"} or None
    arc : {"rise", "fall", "wave"} or None

    Raises
    ------
    ValueError
        It is another, or an arc without a cost.

    Examples
    --------
    >>> check_order("transition", "up")
    Traceback (most recent call last):
    ValueError: arc: expected one of rise, fall, wave, or None, found 'up'
    """
    for name, value, known in (("cost", cost, COSTS), ("arc", arc, ARCS)):
        if value is not None and not (isinstance(value, str) and value in known):
            expected = f"expected one of {', '.join(known)}, or None"
            raise ValueError(f"{name}: {expected}, found {value!r}")
    if arc is not None and cost is None:
        raise ValueError(f"arc: expected a cost beside {arc!r}, found None, which orders nothing")


def draw_luck(random_state: object, n: int) -> npt.NDArray[np.floating] | float:
    """Return what chance adds to the closeness of each song.

    Parameters
    ----------
    random_state : None, int or Generator
        None leaves nothing to chance.
    n : int
        Number of songs.

    Returns
    -------
    ndarray of float, shape (n,), or 0.0
        From 0, :data:`VARIETY` on average: an exponential distribution.

    Raises
    ------
    ValueError
        It is none of these.

    Examples
    --------
    >>> draw_luck(None, 3)
    0.0
    >>> draw_luck(1, 3).round(2).tolist() == draw_luck(1, 3).round(2).tolist()
    True
    """
    if random_state is None:
        return 0.0
    is_seed = isinstance(random_state, Integral) and not isinstance(random_state, bool)
    is_seed = is_seed and random_state >= 0  # type: ignore[operator]
    if not is_seed and not isinstance(random_state, np.random.Generator):
        expected = "expected None, a whole number from 0 or a Generator"
        raise ValueError(f"random_state: {expected}, found {random_state!r}")
    chance = np.random.default_rng(random_state).random(n)  # type: ignore[arg-type]
    return -VARIETY * exact.snap(exact.log(1.0 - chance), 30)
