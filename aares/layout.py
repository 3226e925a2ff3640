"""Where songs lie on a plane, so that a page or a figure can show which are alike.

Used by notebook 01 and by the page beside the report. t-SNE keeps neighbours together; how far
apart two groups lie on the plane says little.

References
----------
van der Maaten, L. and Hinton, G. (2008). Visualizing data using t-SNE, section 3.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

from aares import exact
from aares.errors import require_songs

FEWEST = 4
PERPLEXITY = 30.0
ROUNDS = 350
"""Steps of the layout: later ones move the songs of a big table by less than a dot."""


def lay_out_songs(
    points: npt.ArrayLike,
    *,
    perplexity: float = PERPLEXITY,
    rounds: int = ROUNDS,
    random_state: int = 0,
) -> npt.NDArray[np.float32]:
    """Place songs on a plane so that those that are close in many dimensions are close there.

    Parameters
    ----------
    points : array-like of float, shape (n, d)
        Such as :attr:`aares.recommend.Recommender.points_`; n >= 4, d >= 2, not all alike.
    perplexity : float
        Neighbours that count, at most n / 4 of them.
    rounds : int
        Steps, 250 or more.
    random_state : int

    Returns
    -------
    ndarray of float32, shape (n, 2)
        The same on any number of threads.

    Raises
    ------
    ValueError
        Fewer songs or dimensions, a value that is not finite, or songs that are all alike.

    Examples
    --------
    >>> far = np.repeat([[0.0, 0, 0], [9, 9, 9]], 10, axis=0) + np.tri(20, 3) / 9
    >>> flat = lay_out_songs(far)
    >>> gap = np.linalg.norm(flat[:10].mean(axis=0) - flat[10:].mean(axis=0))
    >>> bool(gap > np.linalg.norm(flat[:10] - flat[:10].mean(axis=0), axis=1).max())
    True
    """
    points = np.asarray(points, dtype=float)
    if points.ndim != 2 or points.shape[1] < 2:
        raise ValueError(f"points: expected two columns or more, found shape {points.shape}")
    require_songs(len(points), FEWEST, what="songs to lay out")
    if not np.isfinite(points).all():
        row = int(np.argmin(np.isfinite(points).all(axis=1)))
        raise ValueError(f"points, row {row}: expected finite numbers")
    if np.ptp(points, axis=0).max() == 0:
        raise ValueError("points: expected some that differ, found all alike")
    layout = TSNE(
        perplexity=min(perplexity, len(points) / 4), init=_start_flat(points, random_state),
        max_iter=rounds, random_state=random_state, n_jobs=1,
    )  # fmt: skip
    # Threads would add up the forces in any order, and the layout amplifies it.
    with threadpool_limits(1):
        return np.asarray(layout.fit_transform(points), dtype=np.float32)


def _start_flat(points: npt.NDArray[np.float64], random_state: int) -> npt.NDArray[np.float32]:
    """Return a tiny picture of the two main axes, the same everywhere.

    No two songs start in one place, from which equal forces would never part them: scikit-learn's
    tree of places then grows until the stack is full.
    """
    centred = exact.snap(points - points.mean(axis=0))
    axes = np.linalg.eigh(exact.multiply(centred.T, centred))[1][:, :-3:-1]
    axes = exact.snap(axes * np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]]))
    flat = exact.multiply(centred, axes)
    apart = np.random.default_rng(random_state).normal(scale=0.01, size=flat.shape)
    return np.asarray(1e-4 * (flat / (flat[:, 0].std() or 1) + apart), dtype=np.float32)
