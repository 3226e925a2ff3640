"""The vote of a search as one relational expression: any engine that has the postings can count it.

What :mod:`aares.identify.vote` does with arrays is written once in `ibis`: hashes of a query are
joined with postings, votes are grouped by recording and offset, summed, crowds of neighbouring
offsets are compared, and what belongs to the best recordings comes back. DuckDB computes it within
this process, Polars likewise, from the same expression; `write_sql` prints it for Trino, BigQuery
and Spark, which have room for 40 million songs. What an engine returns are candidates; evidence and
answer are the library's (:mod:`aares.identify.evidence`, :mod:`~aares.identify.answer`).

>>> text = write_sql("trino")
>>> [name for name in ("asked", "postings", "shifts") if f'"{name}"' not in text]
[]

Why the answers are those of the index, to the last digit. Which hashes vote, and with how many
64ths of a bit, tells :func:`aares.identify.vote.weigh_hashes` from counts that the engine made
once; the engine adds whole numbers. Recordings lie so far apart that no crowd has votes of two
(where a query that was played fast might reach over the gap, all votes are asked for). A crowd
among the best n is then in one of the n recordings whose best crowds are highest, or in one that
ties with the last of these. All of these come back, and :func:`aares.identify.vote.find_crowds`
sees the votes that decide.

References
----------
.. [1] A. L.-C. Wang, "An Industrial-Strength Audio Search Algorithm", ISMIR 2003: section 2.3.
"""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aares.identify import Index, search, vote
from aares.identify.answer import THRESHOLD, Answer
from aares.identify.catalogue import BLOCK_STEPS, GAP_BLOCKS, Part
from aares.identify.peaks import BLOCK_FRAMES, STEPS
from aares.identify.query import QUICK, Hashed, Look, Query
from aares.identify.ranking import Ranking
from aares.scale.needs import ScaleError, require_scale
from aares.scale.postings import COLUMNS, Postings, open_postings, read_names

if TYPE_CHECKING:
    from ibis.expr.types import Table

ASKED = ("hash", "step", "weight")
"""Columns of a query: a hash that votes, when it is heard, and its weight in 64ths of a bit."""
DIALECTS = ("trino", "bigquery", "pyspark", "duckdb")


# --- the expression -------------------------------------------------------------------------------


def express_votes(asked: Table, postings: Table) -> Table:
    """Let the hashes of a query vote: their weights by recording and offset.

    Parameters
    ----------
    asked : ibis Table
        `ASKED`, whole numbers.
    postings : ibis Table
        See :mod:`.postings`.

    Returns
    -------
    ibis Table
        ``recording``, ``offset`` (steps of 16 ms at which the query begins in it) and ``weight``,
        in no order.
    """
    found = asked.join(postings, "hash")
    votes = found.select(
        found.recording,
        offset=found.time.cast("int64") * STEPS - found.step,
        weight=found.weight.cast("int64"),
    )
    return votes.group_by("recording", "offset").aggregate(weight=votes.weight.sum())


def express_leaders(votes: Table, shifts: Table, n_leaders: int) -> Table:
    """Keep the votes for recordings whose best crowd is among the best.

    Parameters
    ----------
    votes : ibis Table
        From `express_votes`.
    shifts : ibis Table
        ``shift``, 0 to the steps within which votes are for one place: a crowd that ends at an
        offset is what votes for it and for those so far before it.
    n_leaders : int
        At least so many recordings; all that tie with the last.

    Returns
    -------
    ibis Table
        ``recording``, ``offset``, ``weight`` and ``best``, of the recording's best crowd in 64ths
        of a bit; the highest first, of equal ones the first recording; offsets rise.
    """
    import ibis

    spread = votes.cross_join(shifts)
    ends = spread.select(spread.recording, spread.weight, end=spread.offset + spread.shift)
    crowds = ends.group_by("recording", "end").aggregate(total=ends.weight.sum())
    best = crowds.group_by("recording").aggregate(best=crowds.total.max())
    leaders = best.order_by(ibis.desc("best"), "recording").limit(n_leaders)
    least = leaders.aggregate(least=leaders.best.min())
    kept = best.cross_join(least)
    kept = kept.filter(kept.best >= kept.least).select("recording", "best")
    rows = votes.join(kept, "recording").select("recording", "offset", "weight", "best")
    return rows.order_by(ibis.desc("best"), "recording", "offset")


def write_sql(dialect: str, *, look: Look = QUICK) -> str:
    """Write the vote as text for an engine that is not at hand.

    Parameters
    ----------
    dialect : {"trino", "bigquery", "pyspark", "duckdb"}
        "pyspark" is Spark SQL.
    look : Look
        How closely the query is looked at: its candidates and its slack.

    Returns
    -------
    str
        It reads the tables ``asked``, ``postings`` and ``shifts``.

    Raises
    ------
    ScaleError
        The extra ``[scale]`` is not installed.
    ValueError
        There is no such dialect.

    Examples
    --------
    >>> write_sql("bigquery").split()[-10:-6]
    ['`t21`.`best`', 'DESC,', '`t21`.`recording`', 'ASC']
    """
    if dialect not in DIALECTS:
        raise ValueError(f"dialect: expected one of {', '.join(DIALECTS)}, found {dialect!r}")
    require_scale("ibis")
    import ibis

    asked, postings, shifts = (
        ibis.table(dict.fromkeys(columns, "int32"), name=name)
        for name, columns in (("asked", ASKED), ("postings", COLUMNS), ("shifts", ("shift",)))
    )
    leaders = express_leaders(express_votes(asked, postings), shifts, look.n_candidates)
    return str(ibis.to_sql(leaders, dialect=dialect))


def count_votes(
    postings: Postings,
    hashed: Hashed,
    weights: np.ndarray,
    *,
    slack: int = 0,
    n_leaders: int | None = None,
) -> dict[str, np.ndarray]:
    """Let an engine count the votes of a query.

    Parameters
    ----------
    postings : Postings
    hashed : Hashed
        Of the query.
    weights : ndarray of int64, shape (n,)
        From `vote.weigh_hashes`; a hash of weight 0 is not asked for.
    slack : int
        See `vote.find_places`.
    n_leaders : int, optional
        See `express_leaders`; without, all votes are returned, in no order.

    Returns
    -------
    dict of str to ndarray of int64, shape (m,)
        ``recording``, ``offset`` and ``weight``.

    Examples
    --------
    Hashes 7 and 9 agree on the second recording, 15 steps before its frame 10 - 2 * 5.

    >>> import ibis, pyarrow
    >>> rows = {"hash": [7, 7, 9], "recording": [0, 1, 1], "time": [90, 10, 12]}
    >>> view = ibis.polars.connect().create_view("rows", ibis.memtable(pyarrow.table(rows)))
    >>> hashed = Hashed(np.array([7, 9]), np.array([5, 9]), np.ones(2, dtype=np.float32))
    >>> found = count_votes(Postings(view), hashed, np.array([64, 64]), n_leaders=1)
    >>> {name: column.tolist() for name, column in found.items()}
    {'recording': [1], 'offset': [15], 'weight': [128], 'best': [128]}
    """
    asked = weights > 0
    columns = hashed.hashes[asked], hashed.times[asked], weights[asked]
    rows = express_votes(_make_table(ASKED, columns), postings.table)
    if n_leaders is not None:
        shifts = np.arange(vote.measure_window(slack) + 1)
        rows = express_leaders(rows, _make_table(("shift",), [shifts]), n_leaders)
    return postings.fetch(rows)


def _make_table(names: tuple[str, ...], columns: Any) -> Table:
    import ibis
    import pyarrow as pa

    arrays = [pa.array(np.asarray(column).astype(np.int32)) for column in columns]
    return ibis.memtable(pa.table(dict(zip(names, arrays, strict=True))))


# --- the search -----------------------------------------------------------------------------------


class EnginePart(Part):
    """A part of an index whose postings an engine holds; peaks and names are the part's.

    Parameters
    ----------
    part : Part
    postings : Postings
        Of the same recordings.
    """

    def __init__(self, part: Part, postings: Postings) -> None:
        super().__init__(part.recordings, part.segment, part.first_block, part.guard)
        self.postings = postings

    def find_places(
        self, hashed: Hashed, look: Look, total: int = 0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Find the places for which most hashes vote, as :meth:`.Part.find_places` does.

        Parameters
        ----------
        hashed : Hashed
        look : Look
        total : int
            Postings of the index, if it has other parts.

        Returns
        -------
        places : ndarray of int64, shape (m,)
        scores : ndarray of float32, shape (m,)
        """
        grown, n_rows = look.grow(self.postings.n_rows, total), self.postings.n_rows
        counts = self.postings.counts[hashed.hashes]
        weights = vote.weigh_hashes(counts, hashed.weights, n_postings=n_rows, budget=grown.budget)
        n_places, slack = grown.n_candidates, look.slack
        n_leaders = n_places if self._can_limit(hashed, n_places, slack) else None
        votes = count_votes(self.postings, hashed, weights, slack=slack, n_leaders=n_leaders)
        places = self.starts[votes["recording"]] * BLOCK_STEPS + votes["offset"]
        order = np.argsort(places, kind="stable")
        rows = places[order], votes["weight"][order]
        return vote.find_crowds(*rows, n_places=n_places, slack=slack)

    def _can_limit(self, hashed: Hashed, n_places: int, slack: int) -> bool:
        """Tell whether some recordings can be left out, and no crowd lies in two of them."""
        reach = int(hashed.times.max(initial=0)) + 2 * vote.measure_window(slack)
        return n_places < len(self.recordings) and reach < GAP_BLOCKS * BLOCK_STEPS


class EngineIndex:
    """An index whose votes an engine counts: the same answers.

    Parameters
    ----------
    index : Index
        It has the peaks and the names.
    folder : str or Path
        From :func:`.export_postings`, of the index as it is.
    engine : {"duckdb", "polars"}

    Raises
    ------
    ScaleError
        The folder holds other tables than the index's postings, or the extra ``[scale]`` is not
        installed.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from aares.scale.postings import export_postings
    >>> rng = np.random.default_rng(0)
    >>> songs = {name: rng.standard_normal(80_000) for name in ("a", "b")}
    >>> index = Index.from_signals(songs)
    >>> with TemporaryDirectory() as folder:
    ...     engine = EngineIndex(index, export_postings(index, folder), engine="polars")
    ...     answer = engine.identify(songs["b"][24_000:64_000], 8000)
    >>> answer == index.identify(songs["b"][24_000:64_000], 8000), answer.match.song
    (True, 'b')
    """

    def __init__(self, index: Index, folder: str | Path, *, engine: str = "duckdb") -> None:
        name = Path(folder).name
        listed = [[one.name for one in part.recordings] for part in index.parts]
        if read_names(folder) != listed:
            raise ScaleError(
                f"{name}: expected the postings of this index, found other recordings; "
                "export_postings writes them anew"
            )
        tables = open_postings(folder, engine=engine)
        if len(tables) != len(listed):
            raise ScaleError(
                f"{name}: expected a table for each of {len(listed)} parts, found {len(tables)}; "
                "export_postings writes them anew"
            )
        self.parts = tuple(
            EnginePart(part, _check_rows(part, table.check()))
            for part, table in zip(index.parts, tables, strict=True)
        )

    def identify(
        self, y: np.ndarray, sr: int, *, threshold: float = THRESHOLD, bank: bool = True
    ) -> Answer:
        """Tell which recording an excerpt comes from; see :meth:`aares.identify.Index.identify`.

        Parameters
        ----------
        y : ndarray of float, shape (n,) or (channels, n)
        sr : int
        threshold : float
        bank : bool

        Returns
        -------
        Answer
        """
        return search.identify_signal(self.parts, y, sr, threshold=threshold, bank=bank)

    def ask(self, query: Query, *, threshold: float = THRESHOLD, bank: bool = True) -> Answer:
        """Search one way after another; see :meth:`aares.identify.Index.ask`.

        Parameters
        ----------
        query : Query
        threshold : float
        bank : bool

        Returns
        -------
        Answer
        """
        return search.answer_query(self.parts, query, threshold=threshold, bank=bank)

    def rank(self, query: Query, way: str, *, without: Container[str] = ()) -> Ranking:
        """Find the best candidates; see :meth:`aares.identify.Index.rank`.

        Parameters
        ----------
        query : Query
        way : {"quick", "thorough", "speeds", "stretched"}
        without : container of str

        Returns
        -------
        Ranking
        """
        return search.rank_candidates(self.parts, query, way, without=without)


def _check_rows(part: Part, postings: Postings) -> Postings:
    """Return postings that lie within the recordings of a part, as many as it has."""
    rows = postings.table.group_by("recording").aggregate(last=postings.table.time.max())
    found = postings.fetch(rows)
    known = found["recording"] < len(part.recordings)
    lengths = part.recordings.n_blocks[found["recording"][known]] * BLOCK_FRAMES
    n_postings = len(part.segment.postings)
    if known.all() and (found["last"] < lengths).all() and postings.n_rows == n_postings:
        return postings
    raise ScaleError(
        f"{postings.name}: expected the {n_postings:,} postings of this index, found "
        f"{postings.n_rows:,}, or times that its recordings have not; export_postings writes them "
        "anew"
    )
