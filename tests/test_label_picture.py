"""The pictures of the labelling page, and the one that is committed."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from workshop.label import picture
from workshop.label.picture import LOOKS, PICTURE, PictureError, find_browser, take_pictures

BLUE, ORANGE = (31, 111, 165), (185, 85, 26)  # of A and B by day


def measure(path, colour: tuple[int, int, int]) -> float:
    """Return the share of a picture that has about a colour."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"), dtype=int)
    return float((np.abs(pixels - colour).max(axis=2) < 24).mean())


def test_both_views_are_taken_by_day_by_night_and_on_a_phone(tmp_path):
    if find_browser() is None:
        pytest.skip("no browser here: no Chromium is installed")
    pytest.importorskip("playwright", reason="the package playwright is missing")
    paths = take_pictures(tmp_path / "new")
    names = [f"{view}-{look}.png" for view in ("setup", "pair") for look in LOOKS]
    assert [path.name for path in paths] == names
    for path, size in zip(paths, [*LOOKS.values()] * 2, strict=True):
        with Image.open(path) as image:
            assert image.size == size and image.mode == "P"
            levels = np.asarray(image.convert("L"))
        assert (np.median(levels) < 60) == ("dark" in path.name)
        assert path.stat().st_size < 120_000
    played = measure(paths[3], BLUE)
    assert played > 0.005 and measure(paths[0], BLUE) < played / 2  # only what was heard is full
    assert measure(paths[3], ORANGE) < played / 2


def test_the_committed_picture_is_small_and_shows_a_pair():
    with Image.open(PICTURE) as image:
        assert image.size == LOOKS["light"]
    assert PICTURE.stat().st_size < 120_000
    assert measure(PICTURE, BLUE) > 0.005


def test_without_a_browser_the_remedy_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(picture.shutil, "which", lambda name: None)
    with pytest.raises(PictureError, match="chromium.*found none: install one"):
        take_pictures(tmp_path)


def test_the_command_renews_the_committed_picture(tmp_path, monkeypatch):
    def take(folder):
        for look in LOOKS:
            (folder / f"pair-{look}.png").write_text(look)
        return [folder / f"pair-{look}.png" for look in LOOKS]

    monkeypatch.setattr(picture, "take_pictures", take)
    monkeypatch.setattr(picture, "PICTURE", tmp_path / "label.png")
    assert picture.main([str(tmp_path)]) == 0
    assert (tmp_path / "label.png").read_text() == "light"
