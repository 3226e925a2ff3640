"""The course's toolbox: three tools that the exercises call by these names.

`get_maxima` and `search_song` serve exercises 4 and 5 (notebook ``04_fingerprints``),
`ConformalPrediction` the bonus exercise (notebook ``05_conformal``). The module stands alone: it
needs numpy, scipy, scikit-learn and numba. Names, arguments, attributes and types are those of the
course's own file, so that a notebook written for it runs; where an answer differs, the function
says so under Notes, with the reason.

Conventions
-----------
A spectrogram has the axis order (frequency bin, frame); a position in it is the pair (bin, frame).
A dictionary of hashes maps a hash to the frame of its anchor. `ConformalPrediction` takes feature
rows ``X`` of shape (n, d) and labels ``y`` of shape (n,); ``eps`` is the accepted error rate.

References
----------
.. [1] A. L.-C. Wang, "An Industrial-Strength Audio Search Algorithm", ISMIR 2003: section 2.1
   (peaks of the spectrogram), section 2.3 (the histogram of time offsets).
.. [2] G. Shafer and V. Vovk, "A Tutorial on Conformal Prediction", Journal of Machine Learning
   Research 9, 2008: section 4 (prediction regions from nonconformity measures).
"""

import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any, Literal, overload

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

MAXIMA_QUANTILE = 0.9  # exercise 4.2: a maximum must exceed this quantile of the spectrogram
MAXIMA_DISTANCE = 10  # exercise 4.2: bins; a maximum suppresses lower ones that are nearer
BEST_SONGS = 3  # exercise 5.2c: how many songs search_song returns
ROUNDING = 1e-9  # bonus: by how much an eps that was summed up may lie beside 0 or 1

Spectrogram = NDArray[np.float32] | NDArray[np.float64]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
HashTable = Mapping[int, int]  # hash -> frame of its anchor
Label = Any  # of a song: text or a number
Estimator = Any  # of scikit-learn, which carries no types

# Bonus: scipy measures these by differences of coordinates; scikit-learn's name -> scipy's
DIRECT_METRICS: dict[str, Any] = {
    "euclidean": "euclidean",
    "l2": "euclidean",
    "manhattan": "cityblock",
    "l1": "cityblock",
    "cityblock": "cityblock",
    "minkowski": "minkowski",
    "p": "minkowski",
    "chebyshev": "chebyshev",
    "infinity": "chebyshev",
}
BLOCK_ROWS = 128  # bonus: rows of a block of distances; 128 x 1,500 doubles are 1.5 MB


def get_maxima(S: ArrayLike) -> Ints:
    """Find the prominent local maxima of a spectrogram (exercise 4.2).

    A pixel is a candidate when none of its neighbours in the 3x3 square around it (cut off at the
    borders) is higher and when it exceeds the 0.9 quantile of `S`. The candidates are then
    thinned from the highest down: each survivor suppresses all others at a Euclidean distance of
    less than 10 bins. Of equally high candidates the first in raster order goes first, so a
    plateau keeps its first pixel and then only pixels at least 10 bins away from it.

    Parameters
    ----------
    S : array-like, shape (bins, frames)
        Spectrogram, linear or in dB; minus infinity, the logarithm of silence, is its lowest value.
        Of complex numbers, such as those of ``librosa.stft``, the modulus is taken, with a warning.

    Returns
    -------
    ndarray of int64, shape (n, 2)
        (bin, frame) of each maximum in raster order: by bin, then by frame. Shape (0, 2) when
        nothing exceeds the quantile: a constant, silent, empty or 1x1 spectrogram.

    Raises
    ------
    ValueError
        When `S` is not a two-dimensional array of numbers, or holds NaN or plus infinity.

    Notes
    -----
    The course's file pads `S` with a border and then reads heights one bin and one frame too early,
    so that the quantile and the thinning see a neighbour's height. Here it is the maximum's own;
    the two keep different maxima.

    References
    ----------
    Wang 2003 [1]_, section 2.1.

    Examples
    --------
    >>> import numpy as np
    >>> from utils_projet import get_maxima
    >>> S = np.zeros((30, 40))
    >>> S[3, 5], S[4, 8], S[20, 30] = 3.0, 2.0, 1.0
    >>> get_maxima(S).tolist()
    [[3, 5], [20, 30]]
    """
    S = _read_spectrogram(S)
    if S.size == 0:
        return np.empty((0, 2), dtype=np.int64)
    candidates = _find_candidates(S, np.quantile(S, MAXIMA_QUANTILE))
    heights = S[candidates[:, 0], candidates[:, 1]]
    # a stable sort keeps equal heights in raster order
    order = np.argsort(-heights, kind="stable")
    return candidates[_thin_candidates(candidates, order, S.shape)]


@overload
def search_song(  # numpydoc ignore=GL08
    db_hashes: Iterable[HashTable], song_hashes: HashTable, *, return_scores: Literal[False] = False
) -> Ints: ...


@overload
def search_song(  # numpydoc ignore=GL08
    db_hashes: Iterable[HashTable], song_hashes: HashTable, *, return_scores: Literal[True]
) -> tuple[Ints, Ints]: ...


def search_song(
    db_hashes: Iterable[HashTable], song_hashes: HashTable, *, return_scores: bool = False
) -> Ints | tuple[Ints, Ints]:
    """Name the three songs of a database that an excerpt resembles most (exercise 5.2c).

    For every hash that a song shares with the excerpt, the offset is the song's anchor frame minus
    the excerpt's. A song's score is the height of the tallest bar in the histogram of its offsets,
    a bar being one exact offset. Songs with equal scores keep the order of the database.

    Parameters
    ----------
    db_hashes : iterable of dict
        One dictionary {hash: anchor frame} for each song: a list, an array, a Series, the
        ``values()`` of a dictionary of songs, a generator.
    song_hashes : dict
        {hash: anchor frame} of the excerpt.
    return_scores : bool
        Also return the scores. The indices alone cannot say that nothing matched: without a
        shared hash they are the first songs of the database, and only a score of 0 tells.

    Returns
    -------
    indices : ndarray of int64, shape (3,)
        Indices of the three best songs, best first; fewer if the database is smaller.
    scores : ndarray of int64, shape (3,)
        Only with ``return_scores=True``: number of hashes on the best offset of those songs.

    Raises
    ------
    TypeError
        When `db_hashes` does not give dictionaries, `song_hashes` is none, a frame is no number,
        or one side has hashes of text, as JSON makes them, and the other numbers.

    Notes
    -----
    Three things differ from the course's file. Its histogram has ten bars, whatever the length of
    the song: chance matches of many offsets share a bar and lift the wrong songs, and here a bar is
    one offset. Of equal scores it names the last songs first, here the first. It has no
    `return_scores`.

    References
    ----------
    Wang 2003 [1]_, section 2.3; appendix C of the assignment.

    Examples
    --------
    >>> from utils_projet import search_song
    >>> database = [{7: 0, 8: 3}, {7: 40, 8: 41}]
    >>> search_song(database, {7: 10, 8: 11})
    array([1, 0])
    >>> search_song(database, {7: 10, 8: 11}, return_scores=True)
    (array([1, 0]), array([2, 1]))
    """
    excerpt = _read_hashes(song_hashes, "song_hashes")
    heights = [_count_tallest_bar(hashes, excerpt) for hashes in _read_database(db_hashes, excerpt)]
    scores = np.array(heights, dtype=np.int64)
    # a stable sort keeps equal scores in the order of the database
    best: Ints = np.argsort(-scores, kind="stable")[:BEST_SONGS]
    return (best, scores[best]) if return_scores else best


def _read_spectrogram(S: ArrayLike) -> Spectrogram:
    """Return `S` as a C-ordered array of finite floats, or say what is wrong with it."""
    values: NDArray[Any] = np.asarray(S)
    if values.ndim != 2:
        raise ValueError(f"S must have the shape (bins, frames), found {values.ndim} dimension(s)")
    if values.dtype.kind == "c":
        text = "S is complex: its modulus is taken; compute_spectrogram squares it, np.abs(S) ** 2"
        warnings.warn(text, UserWarning, stacklevel=3)
        values = np.abs(values)
    if values.dtype.kind not in "fiub":
        raise ValueError(f"S must hold numbers, found dtype {values.dtype}")
    if values.dtype not in (np.float32, np.float64):
        values = values.astype(np.float64)
    finite = np.isfinite(values)
    if not finite.all():
        for row, column in np.argwhere(~finite & ~np.isneginf(values))[:1]:
            found = f"{values[row, column]} at bin {row}, frame {column}"
            raise ValueError(f"S must be finite, or minus infinity for silence, found {found}")
        # no maximum is lost: none is as low as the lowest
        lowest = values[finite].min() if finite.any() else values.dtype.type(0)
        values = np.where(finite, values, lowest)
    return np.ascontiguousarray(values)


@njit(cache=True)
def _find_candidates(S: Spectrogram, threshold: np.floating) -> Ints:
    """Return (bin, frame) of the 3x3 maxima above the threshold, in raster order."""
    bins, frames = S.shape
    found = []
    for b in range(bins):
        for t in range(frames):
            if S[b, t] <= threshold:
                continue
            is_maximum = True
            for i in range(max(b - 1, 0), min(b + 2, bins)):
                for j in range(max(t - 1, 0), min(t + 2, frames)):
                    if S[i, j] > S[b, t]:
                        is_maximum = False
            if is_maximum:
                found.append((b, t))
    candidates = np.empty((len(found), 2), dtype=np.int64)
    for k in range(len(found)):
        candidates[k, 0], candidates[k, 1] = found[k]
    return candidates


@njit(cache=True)
def _thin_candidates(
    candidates: Ints, order: NDArray[np.intp], shape: tuple[int, int]
) -> NDArray[np.bool_]:
    """Return which candidates survive when the first in `order` suppress their surroundings.

    Every survivor paints its disc into a mask of the spectrogram's shape. Survivors are far apart,
    so each pixel is painted a bounded number of times: the cost is linear in the pixels, where
    comparing all pairs of candidates would be quadratic.
    """
    bins, frames = shape
    reach = MAXIMA_DISTANCE
    suppressed = np.zeros((bins, frames), dtype=np.bool_)
    survives = np.zeros(len(candidates), dtype=np.bool_)
    for k in order:
        b, t = candidates[k]
        if suppressed[b, t]:
            continue
        survives[k] = True
        for i in range(max(b - reach, 0), min(b + reach + 1, bins)):
            for j in range(max(t - reach, 0), min(t + reach + 1, frames)):
                if (i - b) ** 2 + (j - t) ** 2 < MAXIMA_DISTANCE**2:
                    suppressed[i, j] = True
    return survives


def _read_hashes(hashes: HashTable, name: str) -> HashTable:
    """Return what maps hashes to frames, such as a dict or a Series, or say what was found."""
    if not hasattr(hashes, "keys") or hasattr(hashes, "columns"):
        found = type(hashes).__name__
        raise TypeError(f"{name} must be a dict {{hash: frame}}, found {found}")
    return hashes if isinstance(hashes, Mapping) else dict(hashes)


def _read_database(db_hashes: Iterable[HashTable], excerpt: HashTable) -> Iterator[HashTable]:
    """Yield the dictionaries of a database, whose hashes must be of the excerpt's kind."""
    try:
        songs = iter(db_hashes)
    except TypeError:
        songs = None
    if songs is None or isinstance(db_hashes, Mapping | str) or hasattr(db_hashes, "columns"):
        raise TypeError(
            "db_hashes must hold one dict {hash: frame} for each song, such as a list or the "
            f"values() of a dict of songs, found {type(db_hashes).__name__}"
        )
    sought = next(iter(excerpt), None)
    for index, hashes in enumerate(songs):
        hashes = _read_hashes(hashes, f"db_hashes[{index}]")
        known = next(iter(hashes), sought)
        if sought is not None and isinstance(known, str) != isinstance(sought, str):
            raise TypeError(
                f"db_hashes[{index}] has hashes like {known!r}, song_hashes like {sought!r}, which "
                "are never equal: after json.load, {int(h): t for h, t in hashes.items()} mends it"
            )
        yield hashes


def _count_tallest_bar(hashes: HashTable, song_hashes: HashTable) -> int:
    """Return the largest number of shared hashes that agree on one time offset."""
    # the intersection of two key views walks over the smaller dictionary: usually the excerpt
    shared = hashes.keys() & song_hashes.keys()
    if not shared:
        return 0
    try:
        return max(Counter(hashes[key] - song_hashes[key] for key in shared).values())
    except TypeError:
        key = next(iter(shared))
        found = f"{hashes[key]!r} and {song_hashes[key]!r}"
        raise TypeError(
            f"a hash must map to one number, the frame of its anchor; {key!r} has {found}"
        ) from None


class TooFewExamplesWarning(UserWarning):
    """There are too few examples for a prediction set to exclude any label.

    Examples
    --------
    >>> from utils_projet import TooFewExamplesWarning
    >>> isinstance(TooFewExamplesWarning("n = 4"), UserWarning)
    True
    """


def check_eps(eps: float, n: int | None = None) -> float:
    """Return an error rate as a number in [0, 1], and warn if n examples cannot make use of it.

    No p-value among n examples is below 1 / (n + 1). Where that exceeds eps, the set
    ``{y: p(y) > eps}`` holds every label of every song. (At eps = 0 it always does, and must.)

    Parameters
    ----------
    eps : float in [0, 1]
        Accepted probability of missing the true label; 0 and 1 are meant up to 1e-9.
    n : int, optional
        Number of examples that a new song is ranked among.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        When `eps` is no number in [0, 1].

    Warns
    -----
    TooFewExamplesWarning
        When ``1 / (n + 1) > eps > 0``: with n, eps and the least n that would do.

    Examples
    --------
    >>> from utils_projet import check_eps
    >>> check_eps(0.1 + 0.2 + 0.7000000000000002, 9)
    1.0
    """
    try:
        value = float("nan" if isinstance(eps, str) or np.ndim(eps) else eps)
    except (TypeError, ValueError):
        value = float("nan")
    if not -ROUNDING <= value <= 1 + ROUNDING:
        raise ValueError(f"eps must lie in [0, 1], found {eps!r}")
    value = next((end for end in (0.0, 1.0) if abs(value - end) <= ROUNDING), value)
    if n is not None and 1 / (n + 1) > value > 0:
        least = int(np.ceil(1 / value - ROUNDING)) - 1
        text = (
            f"no label can be excluded at eps = {value:g}: with n = {n} examples no p-value is "
            f"below 1/{n + 1}; at least {least} examples would do"
        )
        warnings.warn(text, TooFewExamplesWarning, stacklevel=3)
    return value


class ConformalPrediction:
    """Prediction sets from nearest neighbours, by full conformal prediction (bonus exercise).

    For every label y the bag is made of the n training examples and (`x_new`, y). The strangeness
    of an example is ``alpha = a / b``: a is the sum of the distances to its `k` nearest other
    examples of the same label, b the sum to its `k` nearest examples of other labels. The new
    example counts as a neighbour of the others, and an example is left out of its own neighbours
    by its index, so that a duplicate at distance 0 stays one. Then

        ``p(y) = #{i in the bag: alpha_i >= alpha_new} / (n + 1)``

    where the new example is one of the i, and the set at eps is ``{y: p(y) > eps}``. If the bag
    and the new song are exchangeable, the set misses the true label with probability at most eps.

    Parameters
    ----------
    KNNmodel : fitted KNeighborsClassifier, or fitted Pipeline or search that ends in one
        Gives the metric; its steps before the last, such as a scaler, are applied to all features.
    X : array-like or DataFrame, shape (n, d), n >= 2
        Training features. Where the model or `X` knows the names of its columns, whatever comes as
        a table, a Series or a dict is put in their order; an array is taken as it stands.
    y : array-like, shape (n,) or (n, 1)
        Training labels of at least two classes, numbers or text.
    k : int, >= 1
        Number of neighbours in both sums; 1 is the measure of the references. It does not depend
        on the model's ``n_neighbors``, which is a matter of voting.

    Attributes
    ----------
    model, X, y
        `KNNmodel`, `X` and `y` as they were passed.
    labels : ndarray, shape (n_labels,)
        ``np.unique(y)``.
    pz : list of float, length n_labels, or None
        The p-values of the last `predict`, in the order of `labels`.

    Raises
    ------
    TypeError
        When `KNNmodel` is no nearest-neighbour model.
    ValueError
        When the model is not fitted (a NotFittedError) or its metric is "precomputed"; when `X` has
        another number of features than the model, lacks a column, or holds NaN or infinity; when
        labels are missing, do not match `X` or are of fewer than two classes; when `k` is no
        positive integer.

    Notes
    -----
    Four things differ from the course's file. A set holds the labels with ``p > eps``, there
    ``p >= eps``: both keep the promise, and the strict set is the smaller one. A set names its best
    label first, there in the order of `labels`: the first is the prediction. `predict` returns its
    p-values by label, there nothing, and prints nothing: in a notebook the answer shows. And the
    strangeness is the textbook's; there the model's own neighbours are searched, so that the new
    song is nobody's neighbour, duplicates are passed over, and the neighbour of another label is
    sought only behind that of the same one. So p-values differ, and need no minutes.

    Conventions: 0 / anything = 0; a / 0 = infinity for a > 0; fewer than `k` other examples of the
    label make a, and alpha, infinite, whatever b is; fewer than `k` of other labels make b
    infinite and alpha 0. Euclidean and similar distances are sums over the differences of
    coordinates, never |u|^2 - 2uv + |v|^2, which would leave duplicates at a positive distance;
    rarer metrics are scikit-learn's. A sum runs from the nearest neighbour up, a ratio is one
    division, all in float64 and the same for each member of the bag: two examples tie when these
    floats are equal.

    Cost: the strangeness of a training example changes only when the new song enters its `k`
    nearest. That is true of few, so the others are counted by bisection in a sorted list.

    References
    ----------
    Shafer and Vovk 2008 [2]_, section 4 (the nearest-neighbour measure on the iris data); V. Vovk,
    A. Gammerman and G. Shafer, "Algorithmic Learning in a Random World", 2005, section 3.1.

    Examples
    --------
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from utils_projet import ConformalPrediction
    >>> X, y = [[0.0], [1.0], [2.0], [10.0], [11.0], [12.0]], ["jazz"] * 3 + ["punk"] * 3
    >>> predictor = ConformalPrediction(KNeighborsClassifier(1).fit(X, y), X, y)
    >>> {label: round(p, 2) for label, p in predictor.predict([1.2]).items()}
    {'jazz': 0.86, 'punk': 0.14}
    >>> predictor.compute_interval(0.2)
    ['jazz']
    """

    def __init__(self, KNNmodel: Estimator, X: ArrayLike, y: ArrayLike, *, k: int = 1) -> None:
        if not isinstance(k, int | np.integer) or k < 1:
            raise ValueError(f"k must be a positive integer, found {k!r}")
        self.model, self.X, self.y = KNNmodel, X, y
        self._steps, self._knn = _open_model(KNNmodel)
        self._names = _name_columns(KNNmodel, X)
        features = self._read_features(X, "X")
        self.labels, codes = _read_labels(y, len(features))
        self.k = int(k)
        self.pz: list[float] | None = None
        # examples of one label lie side by side, so that a label is a slice of the columns
        order = np.argsort(codes, kind="stable")
        self._features, self._codes = features[order], codes[order]
        self._bounds = np.searchsorted(self._codes, np.arange(len(self.labels) + 1))
        self._fit_strangeness()

    def predict(self, x_new: ArrayLike) -> dict[Label, float]:
        """Compute the p-value of every label for one song.

        Parameters
        ----------
        x_new : array-like, shape (d,) or (1, d)
            The song's features, as in `X`; also a DataFrame of one row, or a Series, dict or
            named tuple by the names of its columns.

        Returns
        -------
        dict
            {label: p-value in (0, 1]}, in the order of `labels`; also kept in `pz`.

        Raises
        ------
        ValueError
            When `x_new` is not one song of d finite features, or lacks a column of `X`.

        Examples
        --------
        >>> from sklearn.neighbors import KNeighborsClassifier
        >>> from utils_projet import ConformalPrediction
        >>> X, y = [[0], [1], [10], [11]], ["jazz", "jazz", "punk", "punk"]
        >>> predictor = ConformalPrediction(KNeighborsClassifier(1).fit(X, y), X, y)
        >>> predictor.predict([0.5])
        {'jazz': 0.8, 'punk': 0.2}
        """
        x_new = _make_row(x_new)
        shape = np.shape(x_new)
        if len(shape) != 2 or shape[0] != 1:
            raise ValueError(
                f"x_new must have the shape (d,) or (1, d), found {shape}: "
                "predict_many takes several songs"
            )
        counts = self._count_features(self._read_features(x_new, "x_new"))
        self.pz = (counts[0] / (len(self._features) + 1)).tolist()
        return dict(zip(self.labels.tolist(), self.pz, strict=True))

    def compute_interval(self, eps: float = 0.05) -> list[Label]:
        """Return the labels whose p-value exceeds eps, for the song of the last `predict`.

        Parameters
        ----------
        eps : float in [0, 1]
            Accepted probability of missing the true label. What summing up left beside 0 or 1,
            such as 1.0000000000000002, is taken for it.

        Returns
        -------
        list
            Labels, the largest p-value first; equal p-values in the order of `labels`.

        Raises
        ------
        RuntimeError
            Before the first `predict`.
        ValueError
            When `eps` is no number in [0, 1].

        Warns
        -----
        TooFewExamplesWarning
            When no label could be excluded, whatever the song: see `check_eps`.

        Examples
        --------
        >>> from sklearn.neighbors import KNeighborsClassifier
        >>> from utils_projet import ConformalPrediction
        >>> X, y = [[0], [1], [10], [11]], ["jazz", "jazz", "punk", "punk"]
        >>> predictor = ConformalPrediction(KNeighborsClassifier(1).fit(X, y), X, y)
        >>> p = predictor.predict([0.5])
        >>> predictor.compute_interval(0.2)
        ['jazz']
        >>> predictor.compute_interval(0)
        ['jazz', 'punk']
        """
        if self.pz is None:
            raise RuntimeError("no song yet: call predict(x_new) before compute_interval(eps)")
        eps, pz = check_eps(eps, len(self._features)), np.array(self.pz)
        order = np.argsort(-pz, kind="stable")
        labels: list[Label] = self.labels[order[pz[order] > eps]].tolist()
        return labels

    def predict_many(self, X_new: ArrayLike) -> Floats:
        """Compute the p-value of every label for many songs; `pz` stays as it is.

        Parameters
        ----------
        X_new : array-like or DataFrame, shape (m, d)
            Each row is a new song of its own: the rows do not see each other.

        Returns
        -------
        ndarray of float64 in (0, 1], shape (m, n_labels)
            Columns in the order of `labels`.

        Raises
        ------
        ValueError
            When `X_new` has another number of features than the model, NaN or infinity.

        Examples
        --------
        >>> from sklearn.neighbors import KNeighborsClassifier
        >>> from utils_projet import ConformalPrediction
        >>> X, y = [[0], [1], [10], [11]], ["jazz", "jazz", "punk", "punk"]
        >>> predictor = ConformalPrediction(KNeighborsClassifier(1).fit(X, y), X, y)
        >>> predictor.predict_many([[0.5], [10.5]]).tolist()
        [[0.8, 0.2], [0.2, 0.8]]
        """
        return self.count_stranger(X_new) / (len(self._features) + 1)

    def count_stranger(
        self, X_new: ArrayLike, *, strict: bool = False, within_label: bool = False
    ) -> Ints:
        """Count the members of the bag that are at least as strange as the new song.

        Parameters
        ----------
        X_new : array-like or DataFrame, shape (m, d)
            New songs, one a row.
        strict : bool
            Count only what is stranger; the new song itself and its ties are then left out.
        within_label : bool
            Count only members of the label in question (for label-conditional p-values).

        Returns
        -------
        ndarray of int64, shape (m, n_labels)
            Between 0 and n + 1; at least 1 unless `strict`, since the new song counts itself.

        Raises
        ------
        ValueError
            When `X_new` has another number of features than the model, NaN or infinity.

        Examples
        --------
        >>> from sklearn.neighbors import KNeighborsClassifier
        >>> from utils_projet import ConformalPrediction
        >>> X, y = [[0], [1], [10], [11]], ["jazz", "jazz", "punk", "punk"]
        >>> predictor = ConformalPrediction(KNeighborsClassifier(1).fit(X, y), X, y)
        >>> predictor.count_stranger([[0.5], [10.5]]).tolist()
        [[4, 1], [1, 4]]
        >>> predictor.count_stranger([[0.5], [10.5]], strict=True).tolist()
        [[3, 0], [0, 3]]
        """
        return self._count_features(self._read_features(X_new, "X_new"), strict, within_label)

    def _read_features(self, X: ArrayLike, name: str) -> Floats:
        """Transform `X` by the steps before the model and return it as a checked float array."""
        X = _order_columns(X, self._names, name, complete=self._steps is None)
        if self._steps is not None:
            X = self._steps.transform(X)
        if hasattr(X, "toarray"):  # sparse, as an encoder among the steps makes it
            X = X.toarray()
        X = np.asarray(X, dtype=np.float64)
        expected = self._knn.n_features_in_
        if X.ndim != 2 or X.shape[1] != expected:
            raise ValueError(f"{name} must have {expected} features, found the shape {X.shape}")
        if not np.isfinite(X).all():
            row, column = np.argwhere(~np.isfinite(X))[0]
            raise ValueError(
                f"{name} must be finite, found {X[row, column]} in row {row}, feature {column}"
            )
        return X

    def _fit_strangeness(self) -> None:
        """Store each training example's k nearest of both kinds, and its strangeness."""
        n = len(self._features)
        self._same, self._other = np.empty((n, self.k)), np.empty((n, self.k))
        for rows in _cut_blocks(n):
            index = np.arange(n)[rows]
            distances = _measure_distances(self._features[rows], self._features, self._knn)
            distances[np.arange(len(index)), index] = np.inf  # excluded by index, not by distance
            same, other = self._find_nearest(distances)
            own = np.arange(len(index)), self._codes[rows]
            self._same[rows], self._other[rows] = same[own], other[own]
        self._alphas = _divide_sums(self._same, self._other)
        self._sorted = np.sort(self._alphas)
        self._sorted_of = [
            np.sort(self._alphas[start:stop]) for start, stop in pairwise(self._bounds)
        ]

    def _find_nearest(self, distances: Floats) -> tuple[Floats, Floats]:
        """Return the k smallest distances to each label, and to all labels but each.

        Two arrays of shape (rows, n_labels, k), ascending, padded with infinity.
        """
        same = np.full((len(distances), len(self.labels), self.k), np.inf)
        for code, (start, stop) in enumerate(pairwise(self._bounds)):
            found = _keep_smallest(distances[:, start:stop], self.k)
            same[:, code, : found.shape[1]] = found
        other = np.empty_like(same)
        for code in range(len(self.labels)):
            rest = np.delete(same, code, axis=1).reshape(len(distances), -1)
            other[:, code] = _keep_smallest(rest, self.k)
        return same, other

    def _count_features(
        self, features: Floats, strict: bool = False, within_label: bool = False
    ) -> Ints:
        """Count for many new songs, a block at a time; each counts itself unless `strict`."""
        counts = np.empty((len(features), len(self.labels)), dtype=np.int64)
        for rows in _cut_blocks(len(features)):
            distances = _measure_distances(features[rows], self._features, self._knn)
            counts[rows] = self._count_block(distances, strict, within_label)
        return counts if strict else counts + 1

    def _count_block(self, distances: Floats, strict: bool, within_label: bool) -> Ints:
        """Count for a block of new songs, themselves left out, from their distances to the bag."""
        alphas = _divide_sums(*self._find_nearest(distances))
        counts = self._count_undisturbed(alphas, strict, within_label)
        compare = np.greater if strict else np.greater_equal
        if not within_label:
            self._correct_other_labels(counts, distances, alphas, compare)
        self._correct_own_label(counts, distances, alphas, compare)
        return counts

    def _count_undisturbed(self, alphas: Floats, strict: bool, within_label: bool) -> Ints:
        """Count as if the new songs were no neighbours of the training examples."""
        counts = np.empty(alphas.shape, dtype=np.int64)
        for code, members in enumerate(self._sorted_of):
            ranked = members if within_label else self._sorted
            below = np.searchsorted(ranked, alphas[:, code], "right" if strict else "left")
            counts[:, code] = len(ranked) - below
        return counts

    def _correct_other_labels(
        self, counts: Ints, distances: Floats, alphas: Floats, compare: np.ufunc
    ) -> None:
        """Correct for members whose k nearest of other labels the new song enters."""
        song, member = np.nonzero(distances < self._other[:, -1])
        nearer = _insert_distance(self._other[member], distances[song, member])
        after = _divide_sums(self._same[member], nearer)[:, None]
        before, limits = self._alphas[member, None], alphas[song]
        shift = compare(after, limits).astype(np.int64) - compare(before, limits)
        # under its own label the member sees the new song as one of its kind
        shift[np.arange(len(song)), self._codes[member]] = 0
        np.add.at(counts, song, shift)

    def _correct_own_label(
        self, counts: Ints, distances: Floats, alphas: Floats, compare: np.ufunc
    ) -> None:
        """Correct for members whose k nearest of their own label the new song enters."""
        song, member = np.nonzero(distances < self._same[:, -1])
        nearer = _insert_distance(self._same[member], distances[song, member])
        place = song, self._codes[member]
        after = compare(_divide_sums(nearer, self._other[member]), alphas[place])
        np.add.at(
            counts, place, after.astype(np.int64) - compare(self._alphas[member], alphas[place])
        )


def _open_model(model: Estimator) -> tuple[Estimator | None, Estimator]:
    """Return the steps before a nearest-neighbour model (or None) and the model itself."""
    steps = None
    model = getattr(model, "best_estimator_", model)  # what a search has found
    if hasattr(model, "steps"):
        steps, model = (model[:-1] if len(model.steps) > 1 else None), model.steps[-1][1]
    if not hasattr(model, "n_neighbors"):
        raise TypeError(f"KNNmodel must be a KNeighborsClassifier, found {type(model).__name__}")
    if not hasattr(model, "effective_metric_"):
        from sklearn.exceptions import NotFittedError  # a ValueError, and loaded by the model

        raise NotFittedError("KNNmodel is not fitted: call its fit(X, y) first")
    if model.effective_metric_ == "precomputed":
        raise ValueError('KNNmodel must measure features, found metric "precomputed"')
    return steps, model


def _name_columns(model: Estimator, X: ArrayLike) -> list[str] | None:
    """Return the names of the columns that a model was fitted on, or those of its table."""
    names = getattr(model, "feature_names_in_", None)
    return _list_names(getattr(X, "columns", []) if names is None else names)


def _list_names(columns: Iterable[Any]) -> list[str] | None:
    """Return the names of columns, or None where these are no text, such as numbers."""
    names = list(columns)
    return names if names and all(isinstance(name, str) for name in names) else None


def _make_row(x_new: Any) -> Any:
    """Return one song as a table of one row: a DataFrame where its values have names."""
    if hasattr(x_new, "_asdict"):  # a row of itertuples
        x_new = x_new._asdict()
    named = x_new.keys() if hasattr(x_new, "keys") and not hasattr(x_new, "columns") else []
    if _list_names(named):
        from pandas import DataFrame  # who brings names has it

        return DataFrame([dict(x_new)])
    return np.reshape(x_new, (1, -1)) if np.ndim(x_new) == 1 else x_new


def _order_columns(X: Any, names: list[str] | None, argument: str, *, complete: bool) -> Any:
    """Return a table's columns in the order of `names`; what has no names stays as it is.

    A pipeline may use fewer columns than it saw: unless `complete`, it says what it lacks.
    """
    found = _list_names(getattr(X, "columns", []))
    if names is None or found is None or found == names:
        return X
    missing = [name for name in names if name not in found]
    if missing and complete:
        raise ValueError(
            f"{argument} must have the columns {', '.join(names)}; it lacks {', '.join(missing)} "
            f"and has {', '.join(found)}"
        )
    return X[[name for name in names if name in found]]


def _read_labels(y: ArrayLike, n: int) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Return the sorted labels and each example's place among them."""
    y = np.asarray(y)
    if y.shape == (n, 1):  # a column of a table
        y = y[:, 0]
    if y.shape != (n,):
        raise ValueError(f"y must have the shape ({n},) like the rows of X, found {y.shape}")
    for row, label in enumerate(y):
        if _is_missing(label):
            raise ValueError(f"y must have no missing label, found {label} in row {row}")
    try:
        labels, codes = np.unique(y, return_inverse=True)
    except TypeError:
        kinds = sorted({type(label).__name__ for label in y})
        raise ValueError(f"y must hold labels of one kind, found {' and '.join(kinds)}") from None
    if len(labels) < 2:
        raise ValueError(f"y must have at least two labels, found {labels.tolist()}")
    return labels, codes


def _is_missing(label: Label) -> bool:
    """Tell whether a label is None, NaN, NaT or NA, whichever library made it."""
    try:
        return label is None or bool(label != label)  # NaN and NaT do not equal themselves
    except TypeError:  # pandas' NA answers neither yes nor no
        return True


def _cut_blocks(n: int) -> Iterator[slice]:
    """Yield slices over n rows, short enough for a block of distances to stay in the cache."""
    for start in range(0, n, BLOCK_ROWS):
        yield slice(start, min(start + BLOCK_ROWS, n))


def _measure_distances(A: Floats, B: Floats, model: Estimator) -> Floats:
    """Return the distances (rows of A, rows of B) in the metric of a fitted model."""
    metric, options = model.effective_metric_, model.effective_metric_params_
    if metric in DIRECT_METRICS:
        from scipy.spatial.distance import cdist  # only a model that is asked needs it

        return cdist(A, B, DIRECT_METRICS[metric], **options)
    from sklearn.metrics import pairwise_distances  # half a second, for rare metrics only

    distances: Floats = pairwise_distances(A, B, metric=metric, **options)
    return distances


def _keep_smallest(values: Floats, k: int) -> Floats:
    """Return the k smallest of each row, ascending; all of them where a row is shorter."""
    if values.shape[1] > k:
        values = np.partition(values, k - 1, axis=1)[:, :k]
    return np.sort(values, axis=1)


def _insert_distance(nearest: Floats, distance: Floats) -> Floats:
    """Replace the last of each row's ascending distances by a smaller one, in its place."""
    nearest = nearest.copy()
    nearest[:, -1] = distance
    nearest.sort(axis=1)
    return nearest


def _divide_sums(same: Floats, other: Floats) -> Floats:
    """Return the strangeness from the k nearest distances (last axis) of both kinds."""
    a, b = same.sum(axis=-1), other.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        alphas: Floats = a / b
    alphas[a == 0] = 0.0
    alphas[np.isinf(a)] = np.inf
    return alphas
