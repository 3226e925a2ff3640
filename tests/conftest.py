"""What several test modules share: sources of data, and tables that are small and right."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import lightgbm
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import soundfile as sf
from browser import chromium, open_page  # noqa: F401  (fixtures for whoever asks)

from aares import data
from aares.recommend import Recommender
from workshop import notebooks, report, results
from workshop.config import DEMO, ROOT, Workplace, find_data

SR = 3000
TEXT = """
#import "{template}": *
#show: report.with(title: "A title", subtitle: "About it", summary: answer-of("99_story"))
= A section
The score is #num("99_story", "score"), that is #pct("99_story", "score"), of
#num("99_story", "songs", digits: 0) songs, less #num("99_story", "loss", digits: 1).
#result-figure("99_story", "line")
#result-table("99_story", "scores", caption: [Scores.], digits: (mean: 2))
"""


@pytest.fixture(scope="session", autouse=True)
def _leave_course_data_alone() -> None:
    """Tests run on demo data unless one names another source itself."""
    os.environ["AARES_SOURCE"] = "demo"


@pytest.fixture(scope="session", autouse=True)
def _keep_trees_to_one_thread() -> Iterator[None]:
    """Refuse what could crash: LightGBM has one number of threads for the whole process.

    A call that leaves it open raises the number under a model that another thread is fitting, which
    then reads behind its tables: the process ends without a word, once in many builds.
    """
    train, predict = lightgbm.train, lightgbm.Booster.predict

    def train_alone(params, *args, **options):
        assert params.get("num_threads") == 1, "lightgbm.train without num_threads=1"
        return train(params, *args, **options)

    def predict_alone(booster, *args, **options):
        assert options.get("num_threads") == 1, "Booster.predict without num_threads=1"
        return predict(booster, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lightgbm, "train", train_alone)
        patch.setattr(lightgbm.Booster, "predict", predict_alone)
        yield


@pytest.fixture(scope="session")
def demo() -> Workplace:
    return find_data("demo")


@pytest.fixture(scope="session")
def demo_recommender(demo: Workplace) -> Recommender:
    """The recommender as it learns from the demo's songs: half a minute, once."""
    return Recommender().fit(data.load_recommendation(demo))


@pytest.fixture
def tables(tmp_path: Path) -> Workplace:
    """A course folder with the first rows of the demo's tables, to be spoilt by a test."""
    demo = find_data("demo")
    for path in demo.folder.glob("spotify_dataset_*.csv"):
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)[:9]
        (tmp_path / path.name).write_text("".join(lines), encoding="utf-8")
    return Workplace("course", tmp_path, DEMO, tmp_path / "out")


@pytest.fixture
def scratch() -> Path:
    """A folder below the project (Typst reads nothing outside), emptied before each test."""
    folder = ROOT / "build" / "test" / os.environ.get("PYTEST_CURRENT_TEST", "x").split("::")[0][6:]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def source(scratch, monkeypatch) -> Workplace:
    """One notebook's results, and a text that states them."""
    (scratch / "src").mkdir()
    (scratch / "src" / "99_story.py").write_text("# %% [markdown]\n# # A story\n")
    (scratch / "text.typ").write_text(TEXT.replace("{template}", "/report/template.typ"))
    monkeypatch.setattr(notebooks, "SOURCES", scratch / "src")
    monkeypatch.setattr(report, "TEXT", scratch / "text.typ")
    source = Workplace("demo", DEMO, DEMO, scratch)
    write_results(source)
    return source


def write_results(source: Workplace) -> results.Notebook:
    book = results.Notebook("99_story", source)
    book.number("score", 0.56789)
    book.number("songs", 25492)
    book.number("loss", -0.25)
    fig, ax = plt.subplots()
    ax.plot([1, 2])
    book.figure("line", fig, caption="A **rising** line.", alt="A line that rises from 1 to 2.")
    plt.close(fig)
    book.table("scores", pd.DataFrame({"model": ["a", "b"], "mean": [0.5, 0.123]}), index=False)
    book.answer("It is **0.57**.")
    return book


def edit_csv(path: Path, row: int, column: str, value: object) -> None:
    """Replace one cell, as a person with a spreadsheet would."""
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    frame.loc[row, column] = str(value)
    frame.to_csv(path, index=False)


def write_tone(path: Path, *, seconds: float = 2.0, sr: int = 8000, channels: int = 1) -> Path:
    """Write a chord of partials that all lie below 1.5 kHz."""
    t = np.arange(int(seconds * sr)) / sr
    y = sum(np.sin(2 * np.pi * f * t) for f in (220.0, 440.0, 660.0)) / 4
    sf.write(path, np.repeat(y[:, None], channels, axis=1), sr)
    return path
