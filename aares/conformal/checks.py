"""The door of the p-values: what comes in is checked once, here.

Conventions and references in :mod:`aares.conformal`.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from utils_projet import ROUNDING, TooFewExamplesWarning


def read_p(p: Any) -> npt.NDArray[np.float64]:
    """Return p-values as a table of floats, or say what is wrong with them.

    Parameters
    ----------
    p : array-like or DataFrame, shape (m, n_labels)

    Returns
    -------
    ndarray of float, shape (m, n_labels), in [0, 1]

    Raises
    ------
    ValueError
        When `p` has not two dimensions or holds what is no p-value, such as NaN.

    Examples
    --------
    >>> read_p([[0.5, float("nan")]])
    Traceback (most recent call last):
    ...
    ValueError: p: expected values in [0, 1], found nan in row 0, column 1
    """
    values = np.asarray(p, dtype=np.float64)
    if values.ndim != 2:
        raise ValueError(f"p: expected the shape (m, n_labels), found {values.shape}")
    for row, column in np.argwhere(~((values >= 0) & (values <= 1)))[:1]:
        found = f"{values[row, column]} in row {row}, column {column}"
        raise ValueError(f"p: expected values in [0, 1], found {found}")
    return values


def read_codes(codes: Any, n: int, n_labels: int) -> npt.NDArray[np.int64]:
    """Return the columns of the true labels, or say which song has a label that nobody knows.

    Parameters
    ----------
    codes : array-like of int, shape (n,)
    n, n_labels : int
        Number of songs, and of columns.

    Returns
    -------
    ndarray of int64, shape (n,), in [0, n_labels)

    Raises
    ------
    ValueError
        When there is not one whole number for each song, or one that is no column: -1, as pandas
        and others code what they do not know, would be the last label otherwise.

    Examples
    --------
    >>> read_codes([0, -1], 2, 3)
    Traceback (most recent call last):
    ...
    ValueError: codes: expected columns 0 to 2, found -1 in row 1
    """
    found = np.asarray(codes)
    if found.shape != (n,):
        raise ValueError(f"expected codes of shape ({n},), found {found.shape}")
    if n and found.dtype.kind not in "iu":
        raise ValueError(f"codes: expected whole numbers, found dtype {found.dtype}")
    for row in np.flatnonzero((found < 0) | (found >= n_labels))[:1]:
        raise ValueError(
            f"codes: expected columns 0 to {n_labels - 1}, found {found[row]} in row {row}"
        )
    return found.astype(np.int64)


def warn_of_full_sets(p: npt.NDArray[np.float64], eps: float) -> None:
    """Warn when every set at eps holds every label: they say nothing.

    Parameters
    ----------
    p : ndarray of float, shape (m, n_labels)
    eps : float in [0, 1]
        At 0 the sets must be full, and nothing is said.

    Warns
    -----
    TooFewExamplesWarning
        With eps, the smallest p-value, and the least number of examples that would do.

    Examples
    --------
    A p-value of 1/4 is excluded at 0.25; at 0.2 this would warn.

    >>> warn_of_full_sets(np.array([[0.25, 0.75]]), 0.25)
    """
    if eps > 0 and p.size and p.min() > eps:
        least = int(np.ceil(1 / eps - ROUNDING)) - 1
        text = (
            f"at eps = {eps:g} each of {len(p)} sets holds all {p.shape[1]} labels: the smallest "
            f"p-value is {p.min():.3g}. Ranked among fewer than {least} examples, no label can be "
            "excluded"
        )
        warnings.warn(text, TooFewExamplesWarning, stacklevel=3)
