"""How alike two songs are, learnt from a catalogue's artists (exercise 3, question 1).

Used by notebook ``03_recommendation``. Two stages: a learnt space finds candidates, a learnt
ranking scores them. A table too small to learn from gets the hand-weighted space and no ranking.

References
----------
Covington, Adams, Sargin, "Deep neural networks for YouTube recommendations", RecSys 2016: section 2
(candidates, then ranking).
Lundberg, Erion, Lee, "Consistent individualized feature attribution for tree ensembles", 2018
(contributions to a score).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import lightgbm
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from aares.data.door import read_column
from aares.recommend.catalogue import Catalogue, take_songs
from aares.recommend.space.columns import read_days, read_years
from aares.recommend.space.content import FloatArray, SongSpace
from aares.recommend.space.learnt import MIN_ARTISTS, LearntSpace
from aares.recommend.space.neighbourhood import Neighbourhood
from aares.recommend.space.pairs import Facts, IntArray, PairReader, measure_crowd, name_inputs
from aares.recommend.space.ranker import (
    Lesson,
    RankingOptions,
    digest_lessons,
    draw_rows,
    find_ranking,
    keep_ranking,
    learn_ranking,
    mark_names,
)
from aares.recommend.space.trees import Trees

BASE = "base"
"""Column of :meth:`SongIndex.explain` that is the same for all songs."""


class SongLikeness(BaseEstimator):
    """Learn from a catalogue which songs belong together.

    Parameters
    ----------
    columns : {"all", "audio"}
        ``audio`` reads the sound alone.
    use_release_day : bool
        Whether songs of the seed's day are candidates, and the days apart count.
    rounds : int
        Trees of the ranking; 0 learns none.
    n_draws : int
        Catalogues of 8,700 songs that are drawn to learn the ranking from.
    weights : mapping of str to float, optional
        Of the features, see :data:`aares.recommend.space.content.WEIGHTS`: the hand-weighted space
        with these, and nothing is learnt.
    random_state : int
    cache : path, optional
        Folder where learnt rankings are kept, by what they were learnt from.

    Attributes
    ----------
    space_ : LearntSpace or SongSpace
        The second where the catalogue is too small to learn from.
    ranker_ : lightgbm.Booster or None
        None where the catalogue is too small; the score is then minus the squared distance.

    Examples
    --------
    >>> from aares.data import make_songs
    >>> from aares.recommend.catalogue import read_catalogue
    >>> catalogue = read_catalogue(make_songs("recommendation", 3, energy=[0.1, 0.2, 0.9]))
    >>> likeness = SongLikeness().fit(catalogue)
    >>> likeness.ranker_ is None  # three songs teach nothing
    True
    >>> index = likeness.index(catalogue)
    >>> index.candidates(0, 2).tolist(), (index.score(0, [1, 2]) < 0).tolist()
    ([1, 2], [True, True])
    """

    def __init__(
        self,
        *,
        columns: str = "all",
        use_release_day: bool = True,
        rounds: int = 160,
        n_draws: int = 2,
        weights: Mapping[str, float] | None = None,
        random_state: int = 0,
        cache: str | Path | None = None,
    ) -> None:
        self.columns = columns
        self.use_release_day = use_release_day
        self.rounds = rounds
        self.n_draws = n_draws
        self.weights = weights
        self.random_state = random_state
        self.cache = cache

    def fit(
        self,
        catalogue: Catalogue,
        eras: npt.ArrayLike | None = None,
        *,
        more: Sequence[Catalogue] = (),
    ) -> SongLikeness:
        """Learn space and ranking.

        Parameters
        ----------
        catalogue : Catalogue
        eras : array-like of float, shape (n,), optional
            Years that replace the table's.
        more : sequence of Catalogue
            Further ones to learn the ranking from, whole. Genres, where they have them, are labels:
            no song that is asked about later needs any.

        Raises
        ------
        ValueError
            An option, `eras` or a cell is wrong.
        """
        self._learn(catalogue, eras, more)
        return self

    def fit_index(self, catalogue: Catalogue, eras: npt.ArrayLike | None = None) -> SongIndex:
        """Learn from a catalogue and prepare it for questions: it is read once for both.

        Parameters
        ----------
        catalogue : Catalogue
        eras : array-like of float, shape (n,), optional
            Years that replace the table's.

        Returns
        -------
        SongIndex
            What :meth:`fit` and then :meth:`index` give.

        Raises
        ------
        ValueError
            As :meth:`fit`.
        """
        read = self._learn(catalogue, eras, ())
        return self.index(catalogue, eras) if read is None else self._index(catalogue, *read)

    def _learn(
        self, catalogue: Catalogue, eras: npt.ArrayLike | None, more: Sequence[Catalogue]
    ) -> tuple[FloatArray, list[sparse.csr_matrix]] | None:
        """Learn, and return what was read of the catalogue for it; None in the space by hand."""
        if self.columns not in ("all", "audio"):
            raise ValueError(f"columns: expected 'all' or 'audio', found {self.columns!r}")
        self.ranker_: lightgbm.Booster | None = None
        credits = np.asarray(mark_names(catalogue.by).sum(axis=0))
        few = (credits >= 2).sum() < MIN_ARTISTS
        if few or self.weights is not None:
            self.space_ = SongSpace(weights=self.weights).fit(_add_years(catalogue, eras))
            return None
        self.space_ = LearntSpace(columns=self.columns)
        read = self.space_.fit_read(catalogue, eras)
        if self.rounds:
            years = None if eras is None else np.asarray(eras, dtype=float)
            drawn = draw_rows(len(catalogue), n_draws=self.n_draws, random_state=self.random_state)
            lessons = [
                self._make_lesson(
                    take_songs(catalogue, rows), None if years is None else years[rows]
                )
                for rows in drawn
            ]
            self._fit_ranking(lessons + [self._make_lesson(one, None) for one in more])
        return read

    def _make_lesson(self, catalogue: Catalogue, eras: npt.ArrayLike | None) -> Lesson:
        genres = None
        if "genres" in catalogue.songs:
            genres = mark_names(read_column(catalogue.songs, "genres").tolist())
        return Lesson(self._read(catalogue, eras), mark_names(catalogue.by), genres)

    def _fit_ranking(self, lessons: list[Lesson]) -> None:
        options = RankingOptions(
            use_release_day=self.use_release_day,
            rounds=self.rounds,
            random_state=self.random_state,
        )
        folder = None if self.cache is None else Path(self.cache)
        key = digest_lessons(lessons, options) if folder else ""
        inputs = name_inputs(lessons[0].facts.names, use_release_day=self.use_release_day)
        self.ranker_ = find_ranking(folder, key, len(inputs)) if folder else None
        if self.ranker_ is None:
            self.ranker_ = learn_ranking(lessons, options)
            if folder and self.ranker_ is not None:
                keep_ranking(folder, key, self.ranker_)

    def index(self, catalogue: Catalogue, eras: npt.ArrayLike | None = None) -> SongIndex:
        """Prepare a catalogue, learnt from or not, for questions.

        Parameters
        ----------
        catalogue : Catalogue
        eras : array-like of float, shape (n,), optional
            Years that replace the table's.

        Returns
        -------
        SongIndex
        """
        check_is_fitted(self)
        if isinstance(self.space_, SongSpace):
            points = self.space_.transform(_add_years(catalogue, eras))
            return SongIndex(points, [_strip(name) for name in self.space_.names_])
        return self._index(catalogue, *self.space_.read(catalogue, eras))

    def _index(
        self, catalogue: Catalogue, values: FloatArray, titles: list[sparse.csr_matrix]
    ) -> SongIndex:
        facts = self._note(catalogue, values, titles)
        reader = PairReader(facts, use_release_day=self.use_release_day)
        days = facts.days if self.use_release_day else None
        trees = None if self.ranker_ is None else Trees(self.ranker_)
        return SongIndex(
            facts.points, [group for _, group in reader.inputs], days, trees=trees, reader=reader
        )

    def _read(self, catalogue: Catalogue, eras: npt.ArrayLike | None) -> Facts:
        return self._note(catalogue, *self.space_.read(catalogue, eras))

    def _note(
        self, catalogue: Catalogue, values: FloatArray, titles: list[sparse.csr_matrix]
    ) -> Facts:
        points = self.space_.place(values)
        return Facts(
            names=self.space_.names_,
            values=values,
            points=points,
            crowd=measure_crowd(points),
            days=read_days(catalogue),
            titles=titles,
        )


class SongIndex:
    """A catalogue to search, see :meth:`SongLikeness.index`.

    Parameters
    ----------
    points : ndarray of float, shape (n, d)
    groups : list of str
        What each coordinate is of; with trees, what each of their inputs is of.
    days : ndarray of int, shape (n,), optional
        Days of release.
    trees : Trees, optional
        The learnt ranking; without it, the score is minus the squared distance.
    reader : PairReader, optional
        Goes with `trees`.
    """

    def __init__(
        self,
        points: FloatArray,
        groups: list[str],
        days: IntArray | None = None,
        *,
        trees: Trees | None = None,
        reader: PairReader | None = None,
    ) -> None:
        self.points = points
        self._trees, self._reader = trees, reader
        self.groups = list(dict.fromkeys(groups))
        self._codes = np.array([self.groups.index(group) for group in groups], dtype=np.intp)
        self._near = Neighbourhood(points, days)

    def candidates(
        self, row: int, k: int = 200, *, allowed: npt.NDArray[np.bool_] | None = None
    ) -> IntArray:
        """Return the k nearest songs and, nearest first, up to 100 of the same release day.

        Parameters
        ----------
        row : int
        k : int
        allowed : ndarray of bool, shape (n,), optional
            Which songs may be found; all where it is not given.

        Returns
        -------
        ndarray of int, shape (m,)
            Nearest first, without `row`.
        """
        return self._near.find(self._check(row), k, allowed)

    def score(self, row: int, rows: npt.ArrayLike) -> FloatArray:
        """Return how alike songs are to one, larger is closer.

        A score does not depend on the other songs asked about. Scores are comparable between songs
        for one `row`.

        Parameters
        ----------
        row : int
        rows : array-like of int, shape (m,)

        Returns
        -------
        ndarray of float, shape (m,)
        """
        seeds, songs = self._pair(row, rows)
        if self._trees is None or self._reader is None:
            return np.asarray(-((self.points[songs] - self.points[seeds]) ** 2).sum(axis=1))
        return self._trees.score(self._reader.read(seeds, songs))

    def explain(self, row: int, rows: npt.ArrayLike) -> pd.DataFrame:
        """Return what moved each score.

        Parameters
        ----------
        row : int
        rows : array-like of int, shape (m,)

        Returns
        -------
        DataFrame of float, shape (m, n_groups + 1)
            A column for each group of inputs, and :data:`BASE`; a row sums to the score. Index
            `rows`.
        """
        seeds, songs = self._pair(row, rows)
        if self._trees is None or self._reader is None:
            parts: FloatArray = -((self.points[songs] - self.points[seeds]) ** 2)
            base = 0.0
        else:
            parts, base = self._trees.explain(self._reader.read(seeds, songs))
        table = np.zeros((len(songs), len(self.groups) + 1))
        for column, code in enumerate(self._codes):
            table[:, code] += parts[:, column]
        table[:, -1] = base
        return pd.DataFrame(table, index=songs, columns=[*self.groups, BASE])

    def _pair(self, row: int, rows: npt.ArrayLike) -> tuple[IntArray, IntArray]:
        songs = np.atleast_1d(np.asarray(rows))
        if songs.size == 0:
            songs = songs.astype(np.int64)
        wrong = songs.ndim != 1 or songs.dtype.kind not in "iu"
        if wrong or ((songs < 0) | (songs >= len(self.points))).any():
            raise ValueError(f"rows: expected row numbers below {len(self.points)}, found {rows!r}")
        return np.full(len(songs), self._check(row), dtype=np.int64), songs.astype(np.int64)

    def _check(self, row: int) -> int:
        whole = isinstance(row, (int, np.integer)) and not isinstance(row, bool)
        if not whole or not 0 <= row < len(self.points):
            raise ValueError(f"row: expected a row number below {len(self.points)}, found {row!r}")
        return int(row)


def _add_years(catalogue: Catalogue, eras: npt.ArrayLike | None) -> pd.DataFrame:
    years = read_years(catalogue, eras)
    songs = catalogue.songs.drop(columns="year", errors="ignore")
    return songs.assign(year=years) if np.isfinite(years).all() else songs


def _strip(name: str) -> str:
    plain = {"key_x": "key", "key_y": "key", "mode": "key", "duration_ms": "duration"}
    return plain.get(name, name)
