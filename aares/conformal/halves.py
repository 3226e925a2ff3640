"""Sets for songs that calibrate each other: each half is judged by the other.

Used by the page beside the report. Where labels are known for some of the songs that are to be
judged, they calibrate better than songs of another table, which need not be drawn alike. No song's
label has a part in its own p-values: it only calibrates the other half. Conventions and references
in :mod:`aares.conformal`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from zlib import crc32

import numpy as np
import numpy.typing as npt

from aares.conformal.split import split_p_values

UNKNOWN = -1
"""Code of a song whose label nobody knows."""


class HalfRanks(NamedTuple):
    """P-values as counts: ``p = (counts + 1) / (sizes + 1)``.

    Attributes
    ----------
    counts : ndarray of int, shape (m, n_labels)
        Calibration songs whose own label fits them no better than this label fits this song.
    sizes : ndarray of int, shape (m,)
        Calibration songs that the song was ranked among.
    """

    counts: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]

    @property
    def p(self) -> npt.NDArray[np.float64]:
        """The p-values.

        Returns
        -------
        ndarray of float, shape (m, n_labels)
        """
        return np.asarray((self.counts + 1) / (self.sizes[:, None] + 1))


def rank_in_halves(
    scores: np.ndarray, codes: np.ndarray, second: npt.NDArray[np.bool_]
) -> HalfRanks:
    """Rank the scores of each half among those of the other half's known songs.

    Parameters
    ----------
    scores : ndarray of float, shape (m, n_labels)
        How badly each label fits, of a model that saw none of these songs
        (:func:`aares.conformal.score_labels`).
    codes : ndarray of int, shape (m,)
        Column of the known label; :data:`UNKNOWN` where there is none.
    second : ndarray of bool, shape (m,)
        Which half a song is in, see :func:`split_by_name`.

    Returns
    -------
    HalfRanks

    Raises
    ------
    ValueError
        A half has no song with a known label, or a code is no column.

    References
    ----------
    Vovk, Gammerman and Shafer 2005, section 4.1 (inductive conformal predictors).

    Examples
    --------
    >>> scores = np.array([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
    >>> half = np.array([False, False, True, True])
    >>> ranks = rank_in_halves(scores, np.array([0, 1, 0, UNKNOWN]), half)
    >>> ranks.p.round(2).tolist()
    [[1.0, 0.5], [0.5, 1.0], [0.33, 0.33], [0.33, 0.33]]
    """
    codes, second = np.asarray(codes), np.asarray(second, dtype=bool)
    known = codes != UNKNOWN
    counts = np.zeros(np.shape(scores), dtype=np.int64)
    sizes = np.zeros(len(counts), dtype=np.int64)
    for half in (~second, second):
        judges = known & ~half
        if half.any() and not judges.any():
            raise ValueError("codes: expected known labels in both halves, found none in one")
        if half.any():
            sizes[half] = n = int(judges.sum())
            p = split_p_values(scores[judges], codes[judges], scores[half])
            counts[half] = np.rint(p * (n + 1)).astype(np.int64) - 1
    return HalfRanks(counts, sizes)


def split_by_name(names: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Split songs into halves so that those of one name, such as an artist's, stay together.

    Parameters
    ----------
    names : sequence of str, shape (m,)

    Returns
    -------
    ndarray of bool, shape (m,)
        Whether a song is in the second half; the same in every run.

    Examples
    --------
    >>> split_by_name(["ABBA", "Ramones", "ABBA"]).tolist()
    [True, False, True]
    """
    return np.array([crc32(name.encode()) & 1 == 1 for name in names], dtype=bool)
