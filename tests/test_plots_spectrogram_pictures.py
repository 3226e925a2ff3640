"""Figures of songs as pictures on made-up data, plain and awkward; see `figure_checks`."""

from __future__ import annotations

import numpy as np
import pytest
from figure_checks import NAMES, draws, read_names
from numpy.testing import assert_allclose

from aares.chaining.pictures import RATE_HZ, paint_sound
from aares.chaining.visual import see_picture
from workshop.plots import spectrogram_pictures
from workshop.plots.spectrogram_pictures import SEEN, TICKS_HZ, _place_frequencies

for package in ("mahotas", "pywt", "skimage"):
    pytest.importorskip(package, reason="the extra [visual] is not installed")


def make_picture(seed):
    return np.random.default_rng(seed).integers(0, 256, (128, 200)).astype(np.uint8)


@pytest.mark.parametrize("scale", ["linear", "log-mel"])
def test_frequencies_stand_where_tones_are_painted(scale):
    places = _place_frequencies(512, scale)
    for hz, place in zip(TICKS_HZ, places, strict=True):
        tone = np.sin(2 * np.pi * hz * np.arange(2 * RATE_HZ) / RATE_HZ)
        row = paint_sound(tone, scale=scale, columns=50).mean(axis=1).argmax()
        assert abs(row - place) <= 2, hz


@draws(
    spectrogram_pictures.draw_picture,
    labels=[("time (s)", "frequency (Hz)")],
    data={"plain": make_picture(0), "dark": np.zeros((512, 800), np.uint8)},
    height=2.6,
)
def test_picture(draw, ax, picture):
    draw(picture, ax, seconds=60, title=NAMES[1])
    image = ax.images[0]
    assert (image.get_array() == picture).all() and image.get_clim() == (0, 255)
    assert image.origin == "lower" and ax.get_xlim() == (0, 60)
    assert read_names(ax.yaxis) == [str(hz) for hz in TICKS_HZ]


@draws(
    spectrogram_pictures.draw_seen,
    labels=[("time (s)", "frequency (Hz)"), ("time (s)", ""),
            *[(text, view) for name in SEEN for text, view in (("", name), ("", ""))]],
    data={"plain": [make_picture(0), make_picture(1)],
          "dark": [make_picture(0), np.zeros((128, 200), np.uint8)]},
    height=7.4, rows=1 + len(SEEN), cols=2,
)  # fmt: skip
def test_seen(draw, axes, pictures):
    seen = dict(zip(NAMES[:2], map(see_picture, pictures), strict=True))
    draw(seen, axes, seconds=60)
    for column, images in enumerate(seen.values()):
        for row, name in enumerate(("picture", *SEEN)):
            assert_allclose(axes[row, column].images[0].get_array(), images[name])
    for left, right in axes:
        assert left.images[0].get_clim() == right.images[0].get_clim()
