"""The page beside the report as files: what stands in them, and what is refused."""

from __future__ import annotations

import base64
import io
import json
import re
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
from page_helpers import list_few, make_few_joins, make_small_page, make_small_songs

from aares.chaining import transition
from aares.conformal.halves import UNKNOWN, rank_in_halves, split_by_name
from aares.data import make_songs
from aares.layout import lay_out_songs
from aares.recommend import Recommender
from aares.recommend.playlist import ShortPlaylistWarning
from workshop import handin, report, stamps
from workshop.config import ROOT
from workshop.page import build, joins, songs
from workshop.page.lists import NOBODY, list_others


@pytest.fixture
def source(monkeypatch, tmp_path):
    return make_small_page(monkeypatch, tmp_path / "out", songs=make_small_songs)


def read_data(content: bytes) -> dict:
    return json.loads(re.fullmatch(r"AARES\.data\.\w+ = (.*);\n", content.decode(), re.S)[1])


# --- the files


def test_two_builds_are_the_same_bytes(source):
    first, second = build.render_page(source), build.render_page(source)
    assert first == second and next(iter(first)) == "index.html"
    assert build.render_single(first) == build.render_single(second)


def test_joins_are_the_same_bytes_each_time():
    """An encoder draws the number of its stream at random."""
    piece = joins.Piece(list_few()[0], True)
    assert joins.encode_piece(piece) == joins.encode_piece(piece)


def test_the_folder_holds_one_page_only(source):
    folder = source.out / "report" / "page"
    folder.mkdir(parents=True)
    (folder / "data-old.js").write_text("of an earlier page")
    written = build.write_page(source)
    assert {path.name for path in written} == {path.name for path in folder.iterdir()}
    assert written[0].name == "index.html" and "data-songs.js" in {path.name for path in written}


def test_the_first_lines_say_whose_songs_they_are(source):
    index = build.render_page(source)["index.html"].decode()
    body = index.partition("<body>")[2]
    assert body.index("<strong>synthetic</strong>") < body.index("<h1>")
    course = replace(source, kind="course")
    index = build.render_page(course)["index.html"].decode()
    assert "synthetic" not in index and "keep this folder to yourself" in " ".join(index.split())


def test_the_answers_of_the_report_are_quoted_as_text(source):
    index = build.render_page(source)["index.html"].decode()
    assert "<p>Of 06_chainable, <strong>0.57</strong> &lt;of&gt; 1.</p>" in index
    assert "{" not in re.sub(r"<script.*?</script>", "", index)


def test_nothing_comes_from_elsewhere(source):
    for name, content in build.render_page(source).items():
        text = content.decode()
        assert re.findall(r"https?://|@import|\beval\(|innerHTML|insertAdjacent", text) == [], name
    index = build.render_page(source)["index.html"].decode()
    assert "default-src 'none'" in index
    assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:|<script(?! defer src=)", index) == []


def test_one_file_holds_all_of_it(source):
    single = build.render_single(build.render_page(source), report="Ada_report.pdf").decode()
    assert re.findall(r'(?:src|href)="(?!data:|#|Ada_report\.pdf)', single) == []
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', single)[1]
    assert "file:" not in policy and policy.count("'sha256-") == single.count("<script>") + 1


def test_a_page_that_is_too_large_is_refused(source, monkeypatch):
    monkeypatch.setattr(build, "MOST_BYTES", 1000)
    with pytest.raises(build.PageError, match=r"at most 1,000 bytes, found \d+,\d\d\d"):
        build.render_page(source)


def test_a_title_cannot_end_the_script():
    written = build.encode_data("songs", {"names": ["</script><b>", "é"]})
    assert b"</" not in written and "é".encode() in written
    assert read_data(written)["names"] == ["</script><b>", "é"]


@pytest.mark.parametrize("kind", ["u1", "u2", "u4", "i2", "f4"])
def test_numbers_are_written_little_end_first(kind):
    values = np.arange(6, dtype=f">{kind}").reshape(2, 3)
    told = build.encode_array(values)
    read = np.frombuffer(base64.b64decode(told["base64"]), f"<{kind}")
    assert read.tolist() == [0, 1, 2, 3, 4, 5] and re.search(r"\d+", told["type"])[0]


def test_other_numbers_are_refused():
    for value in (np.array([1.5]), np.array([1]), object()):
        with pytest.raises(TypeError, match="expected an array of Uint8, Uint16"):
            build.encode_array(value)


# --- of which state


def test_results_of_another_state_are_refused(source, monkeypatch):
    monkeypatch.setattr(build, "check_results", report.check_results)
    with pytest.raises(report.ReportError, match="no results of 01_genre yet"):
        build.write_page(source)
    section = {"stamp": {"kind": "demo", "data": "other", "code": "other"}}
    path = source.out / "report" / "results" / "01_genre.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(section))
    with pytest.raises(report.ReportError, match="01_genre are of another data"):
        build.write_page(source)
    assert not (source.out / "report" / "page").exists()


def test_a_page_of_another_state_is_not_handed_in(source, monkeypatch):
    monkeypatch.setattr(build, "stamp_script", stamps.stamp_script)
    assert build.read_page(source) == {}
    build.write_page(source)
    assert build.read_page(source) == build.render_page(source)
    monkeypatch.setattr(stamps, "_digest_data", lambda _: "other")
    with pytest.raises(build.PageError, match="another state .* run python3 run.py page --data de"):
        build.read_page(source)


def test_the_page_is_handed_in_with_what_makes_it():
    entries = {path for item in handin.CODE for path in ROOT.glob(item)}
    assert {*build.WEB.iterdir(), build.JOIN} <= entries


def test_the_course_edition_is_not_for_git():
    assert "report/page/" in (ROOT / ".gitignore").read_text("utf-8").splitlines()


def test_slow_steps_are_kept_by_their_code(source, monkeypatch, tmp_path):
    monkeypatch.setattr(songs, "CACHE", tmp_path)
    calls = []

    def work(number):
        calls.append(number)
        return number + 1

    assert [songs._open_cache(source)(work)(1) for _ in range(2)] == [2, 2] and len(calls) == 1
    monkeypatch.setattr(songs, "stamp_script", lambda *_: {"code": "other"})
    songs._open_cache(source)(work)(1)
    assert len(calls) == 2 and [path.name for path in (tmp_path / "page").iterdir()] == ["other"]


# --- no song sees its own label


def test_a_label_has_no_part_in_its_own_half():
    rng = np.random.default_rng(0)
    scores, codes = rng.uniform(size=(200, 5)), rng.integers(5, size=200)
    second = rng.uniform(size=200) < 0.5
    before = rank_in_halves(scores, codes, second)
    for half in (second, ~second):
        others = codes.copy()
        others[half] = (others[half] + 1) % 5
        after = rank_in_halves(scores, others, second)
        assert np.array_equal(after.p[half], before.p[half])
        assert not np.array_equal(after.p[~half], before.p[~half])


def test_halves_keep_their_promise():
    rng = np.random.default_rng(1)
    codes = rng.integers(4, size=4000)
    scores = rng.normal(size=(4000, 4)) - 1.5 * np.eye(4)[codes]
    codes_known = np.where(rng.uniform(size=4000) < 0.5, codes, UNKNOWN)
    p = rank_in_halves(scores, codes_known, rng.uniform(size=4000) < 0.5).p
    for eps in (0.05, 0.2, 0.5):
        assert abs((p[np.arange(4000), codes] > eps).mean() - (1 - eps)) < 0.03


def test_a_half_without_labels_is_refused():
    with pytest.raises(ValueError, match="known labels in both halves"):
        rank_in_halves(np.zeros((2, 3)), np.array([0, UNKNOWN]), np.array([False, True]))


def test_songs_of_an_artist_stay_in_one_half():
    halves = split_by_name([f"artist {number // 3}" for number in range(300)]).reshape(100, 3)
    assert (halves == halves[:, :1]).all() and 30 < halves[:, 0].sum() < 70


class Copier:
    """A classifier that knows its lessons by heart."""

    def __init__(self, extra, **options):
        self.extra = extra

    def fit(self, table, labels):
        whole = pd.concat([table, self.extra])
        self.seen = set(whole["tempo"])
        self.classes_ = np.unique(labels)
        return self

    def predict_proba(self, table):
        assert not self.seen & set(table["tempo"]), "a song that is judged was learnt from"
        return np.full((len(table), len(self.classes_)), 1 / len(self.classes_))


def test_no_recording_of_the_map_is_learnt_from():
    tempos = np.arange(100.0, 140.0)
    asked = make_songs("recommendation", 40, tempo=tempos)
    asked["artists"] = [(f"artist {row}",) for row in range(40)]
    train = make_songs("train", 60, tempo=np.arange(100.0, 160.0))
    train["genre"] = np.resize(["jazz", "punk"], 60)
    subset = make_songs("subset", 5, tempo=np.arange(138.0, 143.0), artist_name="X")
    subset["genres"] = [("punk",)] * 5
    judged = songs.judge_genres(asked, train, subset, model=Copier)
    assert judged.labels == ["jazz", "punk"]
    assert judged.codes.tolist() == [0, 1] * 20  # which calibrate, and are shown


# --- what is near, what comes next


def make_mixed(n: int):
    """Songs with concerts, second releases and chapters that are read, by few artists."""
    rng = np.random.default_rng(2)
    tempo = 60 + np.arange(n) % 140
    table = make_songs("recommendation", n, energy=rng.uniform(size=n), tempo=tempo)
    table["speechiness"] = np.where(np.arange(n) % 11 == 0, 0.95, 0.05)
    ends = ("", " (Live)", "", " - Remix")
    table["name"] = [f"Chapter {row}" if row % 11 == 0 else f"Title {row // 2}{ends[row % 4]}"
                     for row in range(n)]  # fmt: skip
    table["artists"] = [(f"artist {row // 2 % (1 + n // 5)}",) for row in range(n)]
    table["id"] = [f"id{row}" for row in range(n)]
    return table


@pytest.mark.parametrize("n", [14, 260])  # fewer and more than are ranked at a time
def test_lists_are_the_recommenders(n):
    recommender = Recommender().fit(make_mixed(n))
    assert recommender.traits_.wordy.any() and recommender.traits_.version.any()
    near, lists = list_others(recommender, recommender.songs_)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ShortPlaylistWarning)
        for row in range(0, n, 1 + n // 30):
            for found, method in ((near, recommender.neighbours), (lists, recommender.playlist)):
                expected = method(f"id{row}", found.shape[1])["id"].tolist()
                assert [f"id{other}" for other in found[row] if other != NOBODY] == expected
    assert (lists == NOBODY).any() == (n == 14)  # three artists, two songs each


def test_more_songs_than_a_row_can_name_are_refused():
    with pytest.raises(ValueError, match="at most 65,535 songs, found 65,536"):
        list_others(Recommender(), pd.DataFrame(index=range(65_536)))


def test_songs_of_the_map_come_by_popularity_and_once():
    table = make_songs("recommendation", 4, popularity=[40, 90, 60, 80], tempo=[1, 2, 3, 4])
    table["name"] = ["Known", "New", "Third", "new"]
    table["artists"] = [("A",), ("B",), ("C",), ("b",)]
    train = make_songs("train", 1, tempo=1, genre="pop")
    none = make_songs("subset", 1, tempo=99, artist_name="X")
    assert songs.choose_songs(table, train, none, 2)["name"].tolist() == ["New", "Known"]
    assert songs.choose_songs(table, train, none, 9)["name"].tolist() == ["New", "Third", "Known"]


def test_a_layout_keeps_neighbours_and_is_the_same_each_time():
    rng = np.random.default_rng(3)
    centres = 6 * np.eye(3, 5)
    points = np.repeat(centres, 20, axis=0) + rng.normal(size=(60, 5))
    flat = lay_out_songs(points)
    assert np.array_equal(flat, lay_out_songs(points))
    apart = ((flat[:, None] - flat) ** 2).sum(axis=2) + 1e9 * np.eye(60)
    assert (apart.argmin(axis=1) // 20 == np.arange(60) // 20).mean() > 0.95


def test_songs_that_are_alike_in_all_do_not_lie_in_one_place():
    """Of equal starts scikit-learn's tree overflows the stack, and all ends with it."""
    points = np.repeat(np.random.default_rng(4).normal(size=(12, 3)), 8, axis=0)
    flat = lay_out_songs(points)
    assert np.isfinite(flat).all() and len(np.unique(flat, axis=0)) == len(points)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.zeros((9, 1)), "two columns or more"),
        (np.zeros((3, 2)), "expected at least 4 songs to lay out"),
        (np.ones((9, 2)), "all alike"),
        (np.where(np.eye(9, 2), np.nan, 1), "points, row 0: expected finite"),
    ],
)
def test_what_cannot_be_laid_out_is_refused(points, message):
    with pytest.raises(ValueError, match=message):
        lay_out_songs(points)


# --- joins


def test_joins_are_the_models_and_clips_sound():
    paths, data = list_few(), make_few_joins()
    found = transition.chainable(paths[0], paths[2])
    assert abs(data["likely"][0, 2] / 65_535 - found.probability) < 1e-5
    assert data["reasons"][0][2] == [str(reason) for reason in found.reasons]
    assert data["likely"].diagonal().tolist() == [0, 0, 0]
    for clip in (*data["ends"], *data["starts"]):
        y, rate = sf.read(io.BytesIO(base64.b64decode(clip["sound"])))
        assert rate == data["rate"] and y.ndim == 1
        assert 0 <= len(y) - clip["frames"] < 2048 and clip["frames"] == 6 * rate
        assert 0.01 < np.sqrt(np.mean(y**2)) < 0.5


def test_joins_are_named_by_title_and_artist():
    assert make_few_joins()["names"][0] == "Grave, Arcangelo Corelli"
