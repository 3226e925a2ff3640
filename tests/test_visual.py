"""Visual features: named, counted, finite, and each family sees what it is there to see."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
import soundfile

from aares.chaining import families, visual
from aares.chaining.families import FAMILIES, VisualError, filter_gabor, transform_chebyshev
from aares.chaining.pictures import RATE_HZ, paint_song, paint_sound
from aares.chaining.visual import (
    PAPER_COUNT,
    TRANSFORMS,
    describe_picture,
    extract_visual,
    list_features,
    transform_picture,
)

for package in ("mahotas", "pywt", "skimage"):
    pytest.importorskip(package, reason="the extra [visual] is not installed")

FLAT = {"dark": 0, "grey": 128, "bright": 255}


def make_picture(seed=0, shape=(64, 96)):
    """Return bands, steps and noise of 0 to 255, as a spectrogram has them."""
    rng = np.random.default_rng(seed)
    bands = rng.uniform(0, 120, (shape[0], 1)) + rng.uniform(0, 80, shape[1])
    return (bands + rng.uniform(0, 55, shape)).astype(np.uint8)


def make_stripes(direction, wave=8, shape=(64, 96)):
    """Return stripes that change along time (0) or frequency (2)."""
    rows, columns = np.indices(shape)
    phase = 2 * np.pi * (columns if direction == 0 else rows) / wave
    return (127.5 + 127 * np.sin(phase)).astype(np.uint8)


def test_every_feature_has_a_name_of_its_own_and_the_count_is_stated():
    features = list_features()
    assert features.index.is_unique
    assert (features["family"] != "hog").sum() == 3132 and (
        features["family"] == "hog"
    ).sum() == 180
    assert PAPER_COUNT == 2883
    counts = features.query("transform == 'image'").groupby("family").size()
    assert counts.to_dict() == {name: family.size for name, family in FAMILIES.items()}
    words = [line.split() for line in families.__doc__.splitlines()]
    table = {line[0]: int(line[1]) for line in words
             if len(line) > 1 and line[0] in FAMILIES and line[1].isdigit()}  # fmt: skip
    assert table == {name: family.size for name, family in FAMILIES.items()}
    values = describe_picture(make_picture(), shrink=1)
    assert values.index.equals(features.index)


@pytest.mark.parametrize("grey", FLAT.values(), ids=FLAT)
def test_a_flat_picture_has_values(grey):
    values = describe_picture(np.full((64, 96), grey, np.uint8), shrink=2)
    assert np.isfinite(values).all()


def test_a_picture_of_sound_has_values_and_they_are_the_same_each_time():
    y = np.random.default_rng(0).normal(size=2 * RATE_HZ)
    picture = paint_sound(y, rows=128, columns=200)
    first, again = (describe_picture(picture) for _ in range(2))
    assert np.isfinite(first).all() and (first == again).all()


@pytest.mark.parametrize("name", FAMILIES)
def test_each_family_tells_pictures_apart(name):
    one, other = (describe_picture(make_picture(), families=[name], transforms=["image"], shrink=1),
                  describe_picture(make_stripes(0), families=[name], transforms=["image"],
                                   shrink=1))  # fmt: skip
    assert (one != other).mean() > 0.1


def test_shares_add_up_to_one():
    image = make_picture()
    counted = {"lbp": 1, "histograms": 4, "moments": 16, "radon": 4, "chebyshev": 1,
               "chebyshev-fourier": 1}  # fmt: skip
    for name, total in counted.items():
        values = np.asarray(FAMILIES[name].compute(image))
        assert values.min() >= 0 and values.sum() == pytest.approx(total), name


def test_gabor_and_edges_see_directions():
    for direction in (0, 2):
        answers = [filter_gabor(make_stripes(direction), 8, k).mean() for k in range(4)]
        assert np.argmax(answers) == direction
        waves = [
            filter_gabor(make_stripes(direction), wave, direction).mean() for wave in (4, 8, 16)
        ]
        assert np.argmax(waves) == 1
        shares = np.asarray(FAMILIES["edges"].compute(make_stripes(direction)))[12:20]
        assert shares[[4, 0] if direction == 0 else [6, 2]].sum() > 0.95


def test_gabor_sees_no_edge_between_the_last_column_and_the_first():
    ramp = np.tile(np.linspace(0, 255, 96).astype(np.uint8), (64, 1))
    answer = filter_gabor(ramp, 8, 0)
    assert answer[:, [0, -1]].max() < 4 * np.median(answer)
    assert filter_gabor(ramp.T, 8, 2)[[0, -1]].max() < 4 * np.median(answer)


def test_hog_sees_the_directions_of_each_field():
    image = make_stripes(0, shape=(64, 100))
    image[:, 60:] = make_stripes(2, shape=(64, 100))[:, 60:]
    fields = np.asarray(FAMILIES["hog"].compute(image)).reshape(4, 5, 9)
    left, right = fields[1:3, :2].reshape(-1, 9), fields[1:3, 4:].reshape(-1, 9)
    assert (left.argmax(axis=1) != right.argmax(axis=1)[0]).all()
    assert np.ptp(left.argmax(axis=1)) == np.ptp(right.argmax(axis=1)) == 0
    assert fields.max() > 0.9
    mixed = np.asarray(FAMILIES["hog"].compute(make_picture())).reshape(20, 9)
    assert np.ptp(mixed, axis=1).min() > 0.1  # directions keep their shares, not one value for all


def test_tamura_calls_broad_stripes_coarse():
    fine, coarse = (FAMILIES["tamura"].compute(make_stripes(0, wave))[0] for wave in (4, 32))
    assert coarse > 2 * fine


def test_moments_of_lines_are_those_of_the_definition():
    from scipy.stats import kurtosis, skew

    image = make_picture()
    for direction, values in ((0, image), (2, image.T)):
        found = families._describe_lines(image, direction)
        lines = values / 255.0
        expected = [lines.mean(1), lines.std(1), skew(lines, 1), kurtosis(lines, 1, fisher=False)]
        np.testing.assert_allclose(found, expected, atol=1e-9)
    diagonal = families._describe_lines(image, 1)[0, 63 - 7]  # the first of 8 cells is number 0
    assert diagonal == pytest.approx(np.fliplr(image).diagonal(96 - 64).mean() / 255)


def test_chebyshev_finds_the_polynomial():
    x = np.polynomial.chebyshev.chebval(np.linspace(-1, 1, 400), [0, 0, 0, 1])
    image = np.tile((127.5 + 120 * x).astype(np.uint8), (64, 1))
    size = np.abs(transform_chebyshev(image))
    size[0, 0] = 0
    assert np.unravel_index(size.argmax(), size.shape) == (0, 3)


def test_transforms_are_images_and_compounds_are_transforms_of_transforms():
    picture = make_picture()
    images = transform_picture(picture)
    assert list(images) == list(TRANSFORMS) and images["image"] is picture
    for name, image in images.items():
        assert image.dtype == np.uint8, name
        assert name == "image" or image.max() == 255, name
    again = transform_picture(images["wavelet"], ["fourier"])["fourier"]
    assert (again == images["fourier of wavelet"]).all()
    stripes = transform_picture(make_stripes(0), ["fourier"])["fourier"]
    assert np.unravel_index(stripes.argmax(), stripes.shape) == (32, 96 // 8)


def test_some_families_and_transforms_are_a_part_of_all():
    picture = make_picture()
    some = describe_picture(picture, families=["hog", "radon"], transforms=["edges", "image"],
                            shrink=1)  # fmt: skip
    every = describe_picture(picture, shrink=1)
    assert len(some) == 12 + 12 + 180
    assert (some == every[some.index]).all()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"families": ["sift"]}, "families: expected some of haralick, .*, found 'sift'"),
        ({"families": "hog"}, "families: expected a list of .*, found 'hog'"),
        ({"families": []}, r"families: expected a list of .*, found \[\]"),
        ({"families": ["lbp", "lbp"]}, "families: expected each once"),
        ({"transforms": ["radon"]}, "transforms: expected some of image, .*, found 'radon'"),
        ({"shrink": 0}, "factor: expected 1 to 64, found 0"),
        ({"shrink": 4}, r"picture: expected at least 32 x 32 cells, found uint8, shape \(16, 24\)"),
    ],
)
def test_what_is_not_known_is_refused(options, said):
    with pytest.raises(ValueError, match=said):
        describe_picture(make_picture(), **options)


@pytest.mark.parametrize("picture", [np.zeros((64, 64)), [[1, 2]], np.zeros(64, np.uint8)])
def test_what_is_no_picture_is_refused(picture):
    with pytest.raises(
        ValueError, match=r"picture: expected uint8, shape \(rows, columns\), found"
    ):
        describe_picture(picture)


def test_a_missing_package_names_the_extra(monkeypatch):
    def fail(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", fail)
    with pytest.raises(VisualError, match=r"package mahotas, .*: pip install \"aares\[visual\]\""):
        describe_picture(make_picture(), families=["lbp"], transforms=["image"], shrink=1)
    with pytest.raises(VisualError, match="package pywt"):
        transform_picture(make_picture(), ["wavelet"])


SOME = {"families": ["histograms", "radon"], "transforms": ["image", "wavelet"], "shrink": 8}


@pytest.fixture
def songs(tmp_path):
    """Three files: a song, the same one again, and a text."""
    y = np.random.default_rng(1).normal(size=6 * RATE_HZ) / 10
    for name in ("one.wav", "two.wav"):
        soundfile.write(tmp_path / name, y, RATE_HZ)
    (tmp_path / "text.mp3").write_text("no song")
    return [tmp_path / name for name in ("one.wav", "text.mp3", "two.wav")]


def test_a_bad_file_is_a_row_and_the_same_song_twice_has_the_same_features(songs):
    done = []
    table = extract_visual(songs, **SOME, progress=lambda *now: done.append(now))
    assert table.index.tolist() == songs and done == [(1, 3), (2, 3), (3, 3)]
    assert table["is_short"].tolist() == [True, False, True]
    assert [bool(error) for error in table["error"]] == [False, True, False]
    assert table["error"].iloc[1].startswith("text.mp3: not readable as audio")
    values = table.drop(columns=["is_short", "error"])
    assert values.columns.equals(list_features(families=SOME["families"],
                                               transforms=SOME["transforms"]).index)  # fmt: skip
    assert values.iloc[1].isna().all() and (values.iloc[0] == values.iloc[2]).all()
    expected = describe_picture(paint_song(songs[0]), **SOME)
    assert (values.iloc[0] == expected).all()


def test_what_was_stopped_goes_on_where_it_was(songs, tmp_path, monkeypatch):
    cache = tmp_path / "kept"
    first = extract_visual(songs[:1], **SOME, cache=cache)
    painted = []
    monkeypatch.setattr(visual, "paint_sound", lambda y, **_: painted.append(len(y)))
    again = extract_visual([songs[0], songs[2]], **SOME, cache=cache)  # two.wav is the same sound
    assert painted == []
    assert (again.to_numpy() == first.to_numpy()[[0, 0]]).all()
    monkeypatch.undo()
    other = extract_visual(songs[:1], **{**SOME, "shrink": 4}, cache=cache)
    linear = extract_visual(songs[:1], **SOME, scale="linear", cache=cache)
    assert not other.equals(first) and not linear.equals(first)
    assert len(list(cache.iterdir())) == 3


def test_no_song_is_a_table_of_no_rows_and_a_wrong_argument_is_said_at_once(songs):
    assert extract_visual([], **SOME).shape == (0, 2 * (24 + 12) + 2)
    with pytest.raises(ValueError, match="segment: expected one of"):
        extract_visual(songs, "middle", **SOME)
    with pytest.raises(ValueError, match="scale: expected one of log-mel, linear, found 'bark'"):
        extract_visual(songs, scale="bark", **SOME)
