"""The vote on an engine: the same places, votes and answers as the index's, and files of others."""

from __future__ import annotations

import shutil
import sys

import numpy as np
import pytest

from aares.identify import Index, Settings, make_query, vote
from aares.identify.catalogue import Part, Prints, Recording, make_part
from aares.identify.query import QUICK, THOROUGH, Hashed, Look
from aares.scale.needs import ScaleError
from aares.scale.postings import (
    ENGINES,
    NAMES,
    Postings,
    connect_engine,
    export_postings,
    open_postings,
    read_names,
)
from aares.scale.relational import DIALECTS, EngineIndex, EnginePart, write_sql

ABSENT = "the extra [scale] is not installed"
ibis, _, _ = (pytest.importorskip(name, reason=ABSENT) for name in ("ibis", "duckdb", "polars"))
pa = pytest.importorskip("pyarrow", reason=ABSENT)
parquet = pytest.importorskip("pyarrow.parquet", reason=ABSENT)

SR = 8000
N_SONGS = 50
SEARCHED = 700  # hashes that occur: few, so that votes tie, crowd and exceed budgets


def play(seed: int, seconds: float = 12) -> np.ndarray:
    """Return notes of random heights, a quarter of a second each."""
    rng = np.random.default_rng(seed)
    heights = rng.choice(440 * 2 ** (np.arange(-12, 30) / 12), int(4 * seconds))
    return np.sin(2 * np.pi * np.cumsum(np.repeat(heights, SR // 4)) / SR).astype(np.float32)


@pytest.fixture(scope="module")
def index() -> Index:
    return Index.from_signals({f"song {seed:02d}": play(seed) for seed in range(N_SONGS)})


@pytest.fixture(scope="module")
def folder(index, tmp_path_factory):
    return export_postings(index, tmp_path_factory.mktemp("postings") / "songs")


@pytest.fixture(scope="module", params=ENGINES)
def engine(request, index, folder) -> EngineIndex:
    return EngineIndex(index, folder, engine=request.param)


def draw_queries(n: int) -> list[np.ndarray]:
    """Return excerpts of songs in noise, and of music that is not in the index."""
    rng = np.random.default_rng(5)
    seeds = rng.integers(0, N_SONGS + 10, n)
    starts = rng.integers(0, 7 * SR, n)
    noise = rng.normal(0, rng.choice([0.01, 1.0, 3.0], n)[:, None], (n, 5 * SR))
    return [
        make_query((play(int(seed))[at : at + 5 * SR] + hiss).astype(np.float32))
        for seed, at, hiss in zip(seeds, starts, noise, strict=True)
    ]


@pytest.fixture(scope="module")
def queries() -> list:
    return draw_queries(24)


# --- the same answers -----------------------------------------------------------------------------


def test_candidates_votes_and_answers_are_the_index_s(index, engine, queries):
    matched = 0
    for query in queries:
        expected = index.ask(query, bank=False)
        assert engine.ask(query, bank=False) == expected
        matched += expected.match is not None
    assert 5 < matched < len(queries)  # both known and unknown were asked for


def test_other_speeds_are_the_index_s_too(index, engine, queries):
    assert engine.rank(queries[0], "speeds") == index.rank(queries[0], "speeds")


def test_a_signal_is_identified_as_by_the_index(index, engine):
    y = play(7)[2 * SR : 8 * SR]
    answer = engine.identify(y, SR, bank=False)
    assert answer == index.identify(y, SR, bank=False)
    assert answer.match.song == "song 07"


def make_random_part(rng: np.random.Generator, n: int, n_blocks: int = 4) -> Part:
    """Return recordings whose hashes are drawn: each posting once."""
    prints = []
    for number in range(n):
        drawn = rng.integers(0, [SEARCHED, n_blocks * 32], (60, 2))
        hashes, times = np.unique(drawn, axis=0).astype(np.uint32).T
        counts = np.zeros(n_blocks, dtype=np.uint32)
        recording = Recording(f"{number}", n_blocks, n_blocks * 1.024)
        prints.append(Prints(recording, hashes, times, counts, np.zeros(0, dtype=np.uint16)))
    return make_part(prints, 0)


def draw_hashed(rng: np.random.Generator, n: int, longest: int = 900) -> Hashed:
    hashes = rng.integers(0, SEARCHED + 50, n).astype(np.uint32)  # some are in no recording
    times = rng.integers(0, longest, n).astype(np.int32)
    return Hashed(hashes, times, rng.choice(np.array([1, 0.7, 0.49], dtype=np.float32), n))


@pytest.mark.parametrize("name", ENGINES)
def test_places_and_votes_tie_crowd_and_exceed_the_budget_alike(name, tmp_path):
    """Few hashes in many recordings: equal crowds decide who is left out."""
    rng = np.random.default_rng(1)
    index = Index()
    index._set_parts([make_random_part(rng, 80)])
    part = index.parts[0]
    asked = EngineIndex(index, export_postings(index, tmp_path / "drawn"), engine=name).parts[0]
    some = 0
    for n_places in (1, 3, 10, 40):
        for slack, budget in ((0, 100_000), (2, 300), (0, 40)):
            look, hashed = Look(12, 4, budget, n_places, slack=slack), draw_hashed(rng, 60)
            places, votes = part.find_places(hashed, look)
            found = asked.find_places(hashed, look)
            assert found[0].tolist() == places.tolist()
            assert found[1].tolist() == votes.tolist()
            some += len(places)
    assert some > 100


@pytest.mark.parametrize("name", ENGINES)
def test_a_query_that_reaches_over_the_gap_is_counted_alike(name, tmp_path):
    """Played fast, its times are longer than the silence between recordings."""
    rng = np.random.default_rng(2)
    index = Index()
    index._set_parts([make_random_part(rng, 30)])
    asked = EngineIndex(index, export_postings(index, tmp_path / "drawn"), engine=name).parts[0]
    for _ in range(6):
        hashed, look = draw_hashed(rng, 400, longest=1300), Look(12, 4, 10_000, 4)
        places, votes = index.parts[0].find_places(hashed, look)
        found = asked.find_places(hashed, look)
        assert found[0].tolist() == places.tolist()
        assert found[1].tolist() == votes.tolist()


def test_an_index_of_several_parts_and_removed_songs_answers_alike(tmp_path, queries):
    index = Index.from_signals({f"song {seed:02d}": play(seed) for seed in range(12)})
    extra = Index.from_signals({f"song {seed:02d}": play(seed) for seed in range(12, 15)})
    index._parts += extra.parts
    index.remove(["song 03"])
    assert len(index.parts) == 2
    engine = EngineIndex(index, export_postings(index, tmp_path / "two"))
    for query in queries[:8]:
        assert engine.ask(query, bank=False) == index.ask(query, bank=False)
    y = play(3)[: 6 * SR]
    assert "song 03" not in {c.song for c in engine.identify(y, SR, bank=False).candidates}


def test_the_engine_counts_the_votes_not_the_index(index, folder):
    """With other rows on the engine the places are others."""
    part, query = index.parts[0], make_query(play(4)[: 6 * SR])
    table = parquet.read_table(folder / "postings-0000.parquet")
    moved = table.set_column(2, "time", pa.array(table["time"].to_numpy() + 1))
    view = connect_engine().create_view("moved", ibis.memtable(moved))
    found = EnginePart(part, Postings(view)).find_places(query.hash(QUICK), QUICK)
    places, votes = part.find_places(query.hash(QUICK), QUICK)
    assert found[0][0] == places[0] + 2
    assert found[1][0] == votes[0]


# --- the halves of the vote -----------------------------------------------------------------------


def test_the_halves_of_the_vote_are_the_whole():
    rng = np.random.default_rng(3)
    part = make_random_part(rng, 40)
    keys, starts = part.segment.keys, part.segment.starts.astype(np.int64)
    counts = np.zeros(1 << 22, dtype=np.int64)
    counts[keys] = np.diff(starts)
    hashed, look = draw_hashed(rng, 300), Look(12, 4, 900, 30, slack=1)
    n_postings = len(part.segment.postings)
    weights = vote.weigh_hashes(
        counts[hashed.hashes], hashed.weights, n_postings=n_postings, budget=look.budget
    )
    assert 0 < counts[hashed.hashes][weights > 0].sum() <= look.budget
    cells: dict[int, int] = {}
    for hash_, step, weight in zip(hashed.hashes, hashed.times, weights, strict=True):
        row = np.searchsorted(keys, hash_)
        if weight:
            for frame in part.segment.postings[starts[row] : starts[row + 1]]:
                place = 2 * int(frame) - int(step)
                cells[place] = cells.get(place, 0) + int(weight)
    places = np.array(sorted(cells))
    sums = np.array([cells[place] for place in places])
    found = vote.find_crowds(places, sums, n_places=30, slack=1)
    assert [x.tolist() for x in found] == [x.tolist() for x in part.find_places(hashed, look)]


def test_a_place_may_have_more_votes_than_a_word_holds():
    places, scores = vote.find_crowds(np.array([0, 500]), np.array([64, 64_000]), n_places=2)
    assert places.tolist() == [500, 0]
    assert scores.tolist() == [1000.0, 1.0]


# --- text for other engines -----------------------------------------------------------------------


@pytest.mark.parametrize("dialect", DIALECTS)
def test_text_for_other_engines_names_tables_columns_and_order(dialect):
    import sqlglot
    from sqlglot import exp

    parsed = sqlglot.parse_one(
        write_sql(dialect), dialect={"pyspark": "spark"}.get(dialect, dialect)
    )
    assert {table.name for table in parsed.find_all(exp.Table)} >= {"asked", "postings", "shifts"}
    names = {column.name for column in parsed.find_all(exp.Column)}
    assert names >= {"hash", "recording", "time", "step", "weight", "shift"}
    assert parsed.named_selects == ["*"] or {"recording", "offset"} <= set(parsed.named_selects)
    (order,) = (node for node in [parsed.args["order"]] if node)
    assert [term.this.name for term in order.expressions] == ["best", "recording", "offset"]
    assert order.expressions[0].args["desc"]
    (limit,) = parsed.find_all(exp.Limit)
    assert limit.expression.name == str(QUICK.n_candidates)


def test_the_text_for_duckdb_is_what_is_computed(index, folder):
    """What is shown is no other query than the one that is tested."""
    query = make_query(play(4)[: 6 * SR]).hash(QUICK)
    counts = np.full(len(query.hashes), 64, dtype=np.int32)
    con = connect_engine()
    con.read_parquet(folder / "postings-0000.parquet", table_name="postings")
    columns = {"hash": query.hashes.astype(np.int32), "step": query.times, "weight": counts}
    con.create_view("asked", ibis.memtable(pa.table(columns)))
    shifts = np.arange(vote.measure_window(0) + 1, dtype=np.int32)
    con.create_view("shifts", ibis.memtable(pa.table({"shift": shifts})))
    rows = con.raw_sql(write_sql("duckdb")).fetchall()
    assert index.parts[0].recordings[rows[0][0]].name == "song 04"
    assert rows == sorted(rows, key=lambda row: (-row[3], row[0], row[1]))


def test_a_closer_look_has_its_own_limit_and_other_dialects_are_refused():
    assert f"LIMIT {THOROUGH.n_candidates}" in write_sql("trino", look=THOROUGH)
    with pytest.raises(ValueError, match="expected one of trino, bigquery, pyspark, duckdb"):
        write_sql("oracle")


# --- files of others ------------------------------------------------------------------------------

GOOD = {"hash": [7, 9, 7], "recording": [0, 0, 1], "time": [5, 6, 5]}


def check_rows(name: str, **columns) -> Postings:
    table = pa.table(GOOD | columns)
    return Postings(connect_engine(name).create_view("rows", ibis.memtable(table))).check()


@pytest.mark.parametrize("name", ENGINES)
def test_tables_of_others_are_told_what_is_wrong(name):
    assert check_rows(name).n_rows == 3
    assert check_rows(name, hash=pa.array([7, 9, 7], pa.uint32())).counts[7] == 2
    for columns, message in (
        ({"hash": [7, 9, None]}, "a hash in each row, found 1 rows without"),
        ({"hash": [7, 9, 1 << 22]}, "hash from 0 to 4,194,303, found 7 to 4,194,304"),
        ({"time": [-1, 0, 0]}, "time from 0 to 2,147,483,647, found -1 to 0"),
        ({"time": [5.0, 6.0, 5.0]}, "whole numbers in time, found float64"),
        ({"recording": ["a", "a", "b"]}, "whole numbers in recording, found string"),
        ({"hash": [7, 7, 7], "recording": [0, 0, 0], "time": [5, 5, 5]},
         "each posting once, found 2 rows that stand there before"),
    ):  # fmt: skip
        with pytest.raises(ScaleError, match=message):
            check_rows(name, **columns)


def test_a_table_without_the_columns_is_refused():
    table = pa.table({"hash": [1], "song": [1], "time": [1]})
    with pytest.raises(ScaleError, match="recording, time, found hash, song, time"):
        Postings(connect_engine().create_view("rows", ibis.memtable(table))).check()


def test_a_foreign_folder_is_refused(index, folder, tmp_path):
    with pytest.raises(ScaleError, match="expected recordings.parquet and postings"):
        EngineIndex(index, tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ScaleError, match="empty folder or older postings, found notes.txt"):
        export_postings(index, tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    other = Index.from_signals({"another": play(1)})
    with pytest.raises(ScaleError, match="found other recordings"):
        EngineIndex(other, folder)


def test_damaged_and_exchanged_files_are_refused(index, folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    file = copy / "postings-0000.parquet"
    rows = parquet.read_table(file)
    parquet.write_table(rows.slice(1), file)
    with pytest.raises(ScaleError, match=f"the {len(rows):,} postings of this index, found"):
        EngineIndex(index, copy)
    late = rows.set_column(2, "time", pa.array(rows["time"].to_numpy() + 100_000))
    parquet.write_table(late, file)
    with pytest.raises(ScaleError, match="or times that its recordings have not"):
        EngineIndex(index, copy)
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(ScaleError, match="postings-0000.parquet: expected a Parquet file"):
        open_postings(copy)
    file.unlink()
    with pytest.raises(ScaleError, match="a table for each of 1 parts, found 0"):
        EngineIndex(index, copy)
    parquet.write_table(pa.table({"song": ["a"]}), copy / NAMES)
    with pytest.raises(ScaleError, match="part and name"):
        read_names(copy)


def test_an_export_is_replaced_whole_or_marked_as_none(index, folder, tmp_path, monkeypatch):
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / "postings-0001.parquet").write_bytes(b"of an older export")
    export_postings(index, copy)
    assert sorted(path.name for path in copy.iterdir()) == ["postings-0000.parquet", NAMES]
    assert (copy / "postings-0000.parquet").read_bytes() == (
        folder / "postings-0000.parquet"
    ).read_bytes()
    monkeypatch.setattr("aares.scale.postings._read_chunks", lambda part: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export_postings(index, copy)
    with pytest.raises(ScaleError, match="expected recordings.parquet"):
        EngineIndex(index, copy)


def test_an_export_is_written_in_chunks(index, folder, tmp_path, monkeypatch):
    monkeypatch.setattr("aares.scale.postings.CHUNK", 500)
    chunked = export_postings(index, tmp_path / "chunked") / "postings-0000.parquet"
    rows, whole = (parquet.read_table(x) for x in (chunked, folder / chunked.name))
    assert rows.equals(whole)
    assert parquet.read_metadata(chunked).num_row_groups > 5
    assert rows.sort_by([(name, "ascending") for name in rows.column_names]).equals(rows)


def test_an_empty_index_answers_nothing_on_an_engine(tmp_path):
    engine = EngineIndex(Index(Settings()), export_postings(Index(), tmp_path / "none"))
    assert engine.identify(play(1), SR, bank=False).match is None


def test_without_the_extra_the_remedy_is_told(index, folder, monkeypatch):
    for name in ("ibis", "pyarrow", "duckdb"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr("aares.scale.needs.find_spec", lambda name: None)
    for call in (
        lambda: export_postings(index, folder), lambda: EngineIndex(index, folder),
        lambda: connect_engine(), lambda: write_sql("trino"),
    ):  # fmt: skip
        with pytest.raises(ScaleError, match="python3 run.py add scale"):
            call()
    with pytest.raises(ValueError, match="expected duckdb or polars, found 'excel'"):
        connect_engine("excel")
