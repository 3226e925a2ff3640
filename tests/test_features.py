"""The study's vector: librosa's values, sounds whose answer is known, and folders as they are."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import librosa
import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from aares.audio import AudioError, features
from aares.audio.beats import estimate_tempo, measure_onsets
from aares.audio.descriptors import describe_sound
from aares.audio.features import (
    MORE_NAMES,
    NAMES,
    describe_features,
    extract,
    extract_many,
    list_names,
    measure_segment,
)
from aares.audio.filters import make_chroma_filters, make_mel_filters
from aares.audio.segments import Segment, read_segment
from aares.audio.spectra import (
    compute_mel_db,
    compute_spectrogram,
    estimate_tuning,
    measure_chroma,
    measure_shape,
    measure_wave,
)
from benchmarks.chaining.separate import call_librosa
from workshop.config import ROOT

SR = 22050


def make_music(
    seconds: float, *, sr: int = SR, seed: int = 0, bpm: float = 100.0, noise: float = 0.02
) -> np.ndarray:
    """Return chords that change with the beat, a little out of tune, over noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * sr)) / sr
    since = t % (60 / bpm)
    chord = (t // (60 / bpm)).astype(int)
    chords = rng.integers(0, 24, (3, chord.max() + 1))
    y = noise * rng.standard_normal(len(t))
    for degrees in chords:
        y += 0.2 * np.sin(2 * np.pi * 225 * 2 ** (degrees[chord] / 12) * t) * np.exp(-4 * since)
    return y


def assert_same(found: dict[str, float], expected: dict[str, float]) -> None:
    """Within 0.01 %, or 1e-4 where the mean is near zero; the tempo is the same."""
    assert list(found) == list(expected) == list(NAMES)
    assert found["bpm"] == pytest.approx(expected["bpm"], rel=1e-12)
    for name in NAMES:
        assert found[name] == pytest.approx(expected[name], rel=1e-4, abs=1e-4), name
    for name in ("chroma_stft", "rms", "zero_crossing_rate"):  # they are never far from zero
        assert found[name] == pytest.approx(expected[name], rel=1e-4), name


# --- librosa's values --------------------------------------------------------------------


def test_the_vector_has_the_27_names_of_the_study():
    mfcc = [f"mfcc{number}" for number in range(1, 21)]
    first = ["chroma_stft", "rms", "spectral_centroid", "spectral_bandwidth", "rolloff"]
    assert list(NAMES) == [*first, "zero_crossing_rate", *mfcc, "bpm"]
    assert len(NAMES) == 6 + 20 + 1


@pytest.mark.parametrize("number", [0, 5, 16])
def test_songs_have_the_values_of_librosa(demo, number):
    path = sorted((demo.folder / "songs").glob("*.ogg"))[number]
    y, _ = librosa.load(path, offset=read_segment(path).start_s, duration=30)
    assert_same(extract(path), call_librosa(y))


@pytest.mark.parametrize(
    "y",
    [
        make_music(10),
        make_music(7.3, seed=1, bpm=160) * 1e-3,
        np.random.default_rng(0).uniform(-1, 1, 6 * SR),
        np.zeros(6 * SR),
        np.append(np.zeros(5 * SR), make_music(5)),
        np.full(6 * SR, -0.25),
        np.sin(2 * np.pi * 440 * np.arange(6 * SR) / SR),
    ],
    ids=["music", "faint", "noise", "silence", "silence first", "constant", "tone"],
)
def test_sounds_have_the_values_of_librosa(y):
    assert_same(extract(y, "whole", sr=SR), call_librosa(y.astype(np.float32)))


def test_the_parts_are_those_of_librosa():
    y = make_music(6).astype(np.float32)
    S = compute_spectrogram(y)
    np.testing.assert_array_equal(S, np.abs(librosa.stft(y)))
    mel_db = compute_mel_db(S**2, SR)
    expected = librosa.power_to_db(librosa.feature.melspectrogram(y=y))
    np.testing.assert_allclose(mel_db, expected, atol=1e-3)
    envelope = librosa.onset.onset_strength(S=expected, aggregate=np.median)
    np.testing.assert_allclose(measure_onsets(mel_db), envelope, atol=1e-3)
    assert estimate_tuning(S**2, SR) == pytest.approx(librosa.estimate_tuning(S=S**2, sr=SR))


@pytest.mark.parametrize("rate", [8000, 22050, 44100])
def test_filters_are_those_of_librosa(rate):
    mel = librosa.filters.mel(sr=rate, n_fft=2048)
    np.testing.assert_allclose(make_mel_filters(rate, 2048), mel, rtol=1e-4, atol=1e-8)
    for tuning in (-0.5, 0.0, 0.13):
        chroma = librosa.filters.chroma(sr=rate, n_fft=2048, tuning=tuning)
        found = make_chroma_filters(rate, 2048, tuning)
        np.testing.assert_allclose(found, chroma, rtol=1e-5, atol=1e-7)


# --- sounds whose answer is known --------------------------------------------------------


def test_a_tone():
    """1 kHz at half of full scale."""
    found = extract(0.5 * np.sin(2 * np.pi * 1000 * np.arange(10 * SR) / SR), "whole", sr=SR)
    assert found["rms"] == pytest.approx(0.5 / np.sqrt(2), rel=0.01)
    assert found["spectral_centroid"] == pytest.approx(1000, rel=0.01)
    assert found["rolloff"] == pytest.approx(1000, abs=2 * SR / 2048)
    assert found["zero_crossing_rate"] == pytest.approx(2000 / SR, rel=0.01)
    assert found["chroma_stft"] < 0.2  # one pitch class of 12, and its neighbours


def test_two_tones_have_a_width():
    S = np.zeros((1025, 4), np.float32)
    S[[200, 400]] = 1
    hz = SR / 2048
    assert measure_shape(S, SR) == pytest.approx((300 * hz, 100 * hz, 400 * hz))


def test_noise_has_its_energy_up_to_its_rolloff():
    found = extract(np.random.default_rng(1).standard_normal(6 * SR) / 5, "whole", sr=SR)
    assert found["rolloff"] == pytest.approx(0.85 * SR / 2, rel=0.01)
    assert found["spectral_centroid"] == pytest.approx(SR / 4, rel=0.01)
    assert found["zero_crossing_rate"] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("bpm", [80.0, 100.0, 135.0])
def test_the_tempo_of_a_click_track(bpm):
    found = extract(make_music(20, bpm=bpm), "whole", sr=SR)["bpm"]
    assert found == pytest.approx(bpm, rel=0.04)  # lags are whole frames of 23 ms


def test_without_onsets_there_is_no_tempo():
    assert estimate_tempo(np.zeros(500), SR) == 0.0


def test_silence_has_values():
    found = extract(np.zeros(6 * SR), "whole", sr=SR)
    assert np.isfinite(list(found.values())).all()
    zeros = [name for name in NAMES if not name.startswith("mfcc")]
    assert [found[name] for name in zeros] == [0.0] * len(zeros)
    assert found["mfcc1"] == pytest.approx(-100 * np.sqrt(128), rel=1e-5)  # -100 dB in all bands


def test_louder_is_louder_and_nothing_else():
    y = make_music(6)
    quiet, loud = extract(y / 4, "whole", sr=SR), extract(y, "whole", sr=SR)
    moves = {name for name in NAMES if loud[name] != pytest.approx(quiet[name], rel=1e-3, abs=2e-3)}
    assert moves == {"rms", "mfcc1"}
    assert loud["rms"] == pytest.approx(4 * quiet["rms"])
    assert loud["mfcc1"] - quiet["mfcc1"] == pytest.approx(
        20 * np.log10(4) * np.sqrt(128), rel=1e-3
    )


def test_a_gain_of_tuning_does_not_move_chroma():
    """A chord half a semitone off falls between two pitch classes, unless tuning is estimated."""
    t = np.arange(6 * SR) / SR
    chords = [
        sum(np.sin(2 * np.pi * f * 2 ** (off / 12) * t) for f in (440, 554.37, 659.26)) / 4
        for off in (0.0, 0.45)
    ]
    powers = [compute_spectrogram(chord.astype(np.float32)) ** 2 for chord in chords]
    assert measure_chroma(powers[1], SR) == pytest.approx(measure_chroma(powers[0], SR), rel=0.1)


@pytest.mark.parametrize("sr", [8000, 44100, 96000])
def test_rates_and_channels_hardly_matter_to_what_lies_below_4_khz(tmp_path, sr):
    y = make_music(6, sr=sr, noise=0)
    sf.write(tmp_path / "mono.wav", y, sr, subtype="FLOAT")
    sf.write(tmp_path / "stereo.wav", np.stack([y * 1.5, y * 0.5], axis=1), sr, subtype="FLOAT")
    mono = extract(tmp_path / "mono.wav")
    for name, value in extract(tmp_path / "stereo.wav").items():
        assert value == pytest.approx(mono[name], rel=1e-4, abs=1e-4)
    assert_same(mono, extract(y, sr=sr))
    at_22050 = extract(make_music(6, noise=0), sr=SR)
    for name in ("rms", "bpm"):
        assert mono[name] == pytest.approx(at_22050[name], rel=0.01)


def test_a_segment_at_another_rate_is_refused():
    with pytest.raises(ValueError, match="expected a segment at 22050 Hz, found 8000 Hz"):
        measure_segment(Segment(np.zeros(48000, np.float32), 8000, 0.0, False))


def test_the_wave_is_measured_where_it_is():
    """One sign change in the middle of 6 s is in 4 frames, and in none where it is the first."""
    y = np.ones(6 * SR, np.float32)
    y[3 * SR :] = -1
    rms, crossings = measure_wave(y)
    n_frames = 1 + len(y) // 512
    assert crossings == pytest.approx(4 / 2048 / n_frames)
    edges = librosa.feature.rms(y=y).mean()
    assert rms == pytest.approx(edges, rel=1e-6)


# --- the rest of the list ------------------------------------------------------------------


def test_more_is_more(folder, tmp_path, measured):
    path = folder / "0.wav"
    some, everything = extract(path), extract(path, more=True)
    assert list(everything) == list_names(more=True) == [*NAMES, *MORE_NAMES]
    assert {name: everything[name] for name in NAMES} == some
    part = read_segment(path)
    alone = describe_sound(part.y, part.rate)
    assert [everything[name] for name in MORE_NAMES] == pytest.approx([*alone.values()], rel=1e-4)
    measured.clear()
    for more in (False, True, True):
        table = extract_many([path], more=more, cache=tmp_path)
        assert list(table.columns) == [*list_names(more), "is_short", "error"]
    assert table.loc[path, list_names(more=True)].to_dict() == everything
    assert len(measured) == 2


def test_all_of_silence_has_values():
    assert np.isfinite([*extract(np.zeros(6 * SR), "whole", sr=SR, more=True).values()]).all()


def test_the_table_says_what_each_feature_is():
    table = describe_features()
    names = [name for name in list_names(more=True) if not name.startswith("mfcc")]
    assert set(table.index) == {*names, "mfcc"} and table.index.is_unique
    assert table["numbers"].sum() == 27 + 7
    assert (table[["unit", "formula", "reference"]].map(len) > 0).all(axis=None)


# --- many files --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three songs, and what a folder of music holds beside songs."""
    place = tmp_path_factory.mktemp("music")
    for number in range(3):
        sf.write(place / f"{number}.wav", make_music(6 + number, sr=8000, seed=number), 8000)
    sf.write(place / "blip.wav", make_music(0.1), SR)
    sf.write(place / "silence.flac", np.zeros(6 * SR), SR)
    bad = np.where(np.arange(6 * SR) == 99, np.nan, 0.1)
    sf.write(place / "nan.wav", bad, SR, subtype="FLOAT")
    sf.write(place / "whole.mp3", make_music(70, sr=8000), 8000)
    content = (place / "whole.mp3").read_bytes()
    (place / "cut.mp3").write_bytes(content[: len(content) // 2])
    (place / "text.mp3").write_text("no music\n" * 50)
    (place / "empty.mp3").touch()
    (place / "folder.mp3").mkdir()
    return place


@pytest.fixture
def measured(monkeypatch):
    """The segments that were measured, rather than found in a cache."""
    calls = []

    def count(part, **options):
        calls.append(part)
        return measure_segment(part, **options)

    monkeypatch.setattr(features, "measure_segment", count)
    return calls


def list_songs(folder):
    return [folder / f"{number}.wav" for number in range(3)]


def test_each_file_has_a_row_and_a_bad_one_its_reason(folder):
    reasons = {
        "0.wav": "",
        "silence.flac": "",
        "blip.wav": "expected at least 5 s of sound, found 0.1 s",
        "nan.wav": "expected finite samples, found NaN or infinity",
        "cut.mp3": "truncated",
        "text.mp3": "not readable as audio",
        "empty.mp3": "found an empty one",
        "folder.mp3": "found no such file",
        "absent.mp3": "found no such file",
    }
    table = extract_many([folder / name for name in reasons])
    assert list(table.columns) == [*NAMES, "is_short", "error"]
    assert [path.name for path in table.index] == list(reasons) and table.index.name == "path"
    for (path, row), reason in zip(table.iterrows(), reasons.values(), strict=True):
        if reason:
            assert row["error"].startswith(f"{path.name}: ") and reason in row["error"]
            assert row[list(NAMES)].isna().all() and row["is_short"] is False
        else:
            assert row["error"] == "" and row["is_short"] is True
            assert_same(row[list(NAMES)].to_dict(), extract(path))
    assert set(table.dtypes[list(NAMES)]) == {np.dtype(float)} and table["is_short"].dtype == bool


def test_no_files_are_an_empty_table():
    table = extract_many([])
    assert table.empty and list(table.columns) == [*NAMES, "is_short", "error"]


def test_the_same_song_twice_is_measured_once(folder, measured):
    first, second, _ = list_songs(folder)
    table = extract_many([first, second, first])
    assert len(measured) == 2
    assert list(table.index) == [first, second, first]
    pd.testing.assert_series_equal(table.iloc[0], table.iloc[2])


def test_workers_change_nothing_and_progress_is_told(folder, tmp_path):
    paths, told = [*list_songs(folder), folder / "text.mp3"], []
    alone = extract_many(paths)
    table = extract_many(
        paths, n_jobs=2, cache=tmp_path, progress=lambda *counts: told.append(counts)
    )
    pd.testing.assert_frame_equal(table, alone)
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert len(list(tmp_path.iterdir())) == 3


def test_what_is_kept_is_not_measured_again(folder, tmp_path, measured):
    paths = list_songs(folder)
    first = extract_many(paths, cache=tmp_path / "kept")
    again = extract_many(paths, cache=tmp_path / "kept")
    assert len(measured) == 3
    pd.testing.assert_frame_equal(again, first)


def test_it_is_kept_by_content_and_by_what_was_asked(folder, tmp_path, measured):
    song = tmp_path / "song.wav"
    song.write_bytes((folder / "0.wav").read_bytes())
    extract_many([song], cache=tmp_path / "kept")
    song.rename(tmp_path / "renamed.wav")
    extract_many([tmp_path / "renamed.wav"], cache=tmp_path / "kept")
    assert len(measured) == 1
    sf.write(song, make_music(6, sr=8000, seed=9), 8000)  # as long
    extract_many([song], cache=tmp_path / "kept")
    assert len(measured) == 2
    extract_many([song], "intro", cache=tmp_path / "kept")
    assert len(measured) == 3


def test_a_killed_run_goes_on_where_it_stopped(folder, tmp_path, measured):
    paths = list_songs(folder)

    def stop(done: int, _: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract_many(paths, cache=tmp_path, progress=stop)
    before = len(measured)
    table = extract_many(paths, cache=tmp_path)
    assert (before, len(measured)) == (2, 3)
    pd.testing.assert_frame_equal(table, extract_many(paths))


def test_a_run_that_dies_leaves_whole_rows(folder, tmp_path, measured):
    """The process ends without a word while it writes its third row."""
    code = """
import os, sys
from pathlib import Path
from aares import files
from aares.audio.features import extract_many
paths, synced = [Path(name) for name in sys.argv[2:]], []
fsync = os.fsync
def die(handle):
    synced.append(handle)
    if len(synced) == 3:
        os._exit(9)
    fsync(handle)
os.fsync = die
extract_many(paths, cache=sys.argv[1])
"""
    paths = list_songs(folder)
    arguments = [sys.executable, "-c", code, str(tmp_path), *map(str, paths)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    assert subprocess.run(arguments, env=environment, check=False).returncode == 9
    assert len(list(tmp_path.glob("*.json"))) == 2
    extract_many(paths, cache=tmp_path)
    assert len(measured) == 1


def change_number(text: str) -> str:
    kept = json.loads(text)
    kept["numbers"]["bpm"] += 1
    return json.dumps(kept)


def lose_number(text: str) -> str:
    kept = json.loads(text)
    del kept["numbers"]["bpm"]
    return json.dumps(kept)


@pytest.mark.parametrize(
    "spoil",
    [change_number, lose_number, lambda text: text[:-9], lambda text: "", lambda text: "[]",
     lambda text: '{"numbers": 3}', lambda text: text.replace("{", "\udcff", 1)],
    ids=["a number", "no number", "cut", "empty", "a list", "another", "no text"],
)  # fmt: skip
def test_a_row_that_does_not_fit_is_not_believed(folder, tmp_path, measured, spoil):
    paths = list_songs(folder)[:1]
    first = extract_many(paths, cache=tmp_path)
    (kept,) = tmp_path.iterdir()
    kept.write_text(spoil(kept.read_text()), errors="surrogateescape")
    pd.testing.assert_frame_equal(extract_many(paths, cache=tmp_path), first)
    assert len(measured) == 2
    extract_many(paths, cache=tmp_path)  # what was measured again is kept again
    assert len(measured) == 2


def test_the_row_of_another_song_is_not_believed(folder, tmp_path, measured):
    paths = list_songs(folder)[:2]
    extract_many(paths[:1], cache=tmp_path)
    (first,) = tmp_path.iterdir()
    expected = extract_many(paths[1:], cache=tmp_path)
    (second,) = set(tmp_path.iterdir()) - {first}
    second.write_bytes(first.read_bytes())
    pd.testing.assert_frame_equal(extract_many(paths[1:], cache=tmp_path), expected)
    assert len(measured) == 3


@pytest.mark.parametrize(
    ("paths", "segment", "message"),
    [
        ("song.mp3", "intro", "paths: expected several paths, found one: 'song.mp3'"),
        ([None], "intro", "paths: expected text or Path, found None"),
        ([], "refrain", "segment: expected one of"),
    ],
)
def test_wrong_arguments_are_refused(paths, segment, message):
    with pytest.raises(ValueError, match=message):
        extract_many(paths, segment)


def test_one_bad_file_is_an_error(folder):
    with pytest.raises(AudioError, match="text.mp3: not readable as audio"):
        extract(folder / "text.mp3")
