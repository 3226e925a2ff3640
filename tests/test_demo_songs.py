"""The committed demo songs, and the tool that renders them."""

from __future__ import annotations

import importlib.util
import io
import json
import struct

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given
from hypothesis import strategies as st

from tools import (
    demo_songs,
    song_catalogue,
    song_harmony,
    song_ogg,
    song_scores,
    song_synth,
)
from tools.song_scores import ChordSpan, Note, Score
from tools.song_synth import Arrangement, Voice
from workshop import config

FOLDER = config.ROOT / "data" / "demo" / "songs"
SONGS = sorted(FOLDER.glob("*.ogg"))
SR = song_synth.SAMPLE_RATE

needs_synth = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("music21", "tinysoundfont")),
    reason="tools/requirements.txt is not installed: only the makers of demo songs need it",
)


def make_tune(n_notes: int = 16) -> Score:
    """Return a rising and falling C major melody in quarters that ends on C."""
    scale = [60, 62, 64, 65, 67, 69, 71, 72]
    pitches = (scale + scale[::-1]) * (n_notes // 16 + 1)
    return Score(tuple(Note(float(k), 1.0, pitches[k], 0) for k in range(n_notes)))


def make_walk(seed: int, n_notes: int = 200) -> Score:
    """Return a melody that wanders at random."""
    steps = np.random.default_rng(seed).integers(-4, 5, n_notes)
    return Score(tuple(Note(float(k), 1.0, 60 + int(p), 0) for k, p in enumerate(np.cumsum(steps))))


def make_sine(seconds: float, *, lead_s: float = 0.0) -> np.ndarray:
    """Return a tone with silence before it."""
    time_s = np.arange(round(seconds * SR)) / SR
    return np.concatenate((np.zeros(round(lead_s * SR)), 0.3 * np.sin(2 * np.pi * 440 * time_s)))


# --- the committed files -----------------------------------------------------------------


def test_there_are_enough_songs_in_several_albums():
    assert len(SONGS) >= 13
    assert len({path.name.rsplit(" - ", 1)[0] for path in SONGS}) >= 4
    assert sum(path.stat().st_size for path in SONGS) < 7_500_000


def test_the_files_are_those_of_the_playlist():
    assert {path.name for path in SONGS} == {song.file_name for song in demo_songs.SONGS}
    assert len({song.file_name for song in demo_songs.SONGS}) == len(demo_songs.SONGS)


def test_names_are_safe_everywhere():
    for path in SONGS:
        assert path.name.isascii()
        assert not set(path.name) & set('<>:"/\\|?*')
        assert len(path.name) < 100


@pytest.mark.parametrize("path", SONGS, ids=lambda path: path.stem)
def test_a_song_sounds_from_beginning_to_end(path):
    y, sr = sf.read(path, dtype="float32")
    assert y.ndim == 1
    assert 60.0 <= y.size / sr <= 90.0
    peak = float(np.abs(y).max())
    assert 0.8 < peak < 1.0
    audible = np.flatnonzero(np.abs(y) > 0.003 * peak)
    assert audible[0] < 0.2 * sr
    assert y.size - audible[-1] < 1.0 * sr
    seconds = y[: y.size // sr * sr].reshape(-1, sr)
    assert np.mean(np.sqrt(np.mean(seconds**2, axis=1)) < 0.003) < 0.05


@pytest.mark.parametrize("path", SONGS, ids=lambda path: path.stem)
def test_a_song_has_most_of_its_energy_where_the_assignment_listens(path):
    y, sr = sf.read(path, frames=2**20)  # a power of two transforms fast; 48 s
    spectrum = np.abs(np.fft.rfft(y)) ** 2
    share = spectrum[: int(1500 * y.size / sr)].sum() / spectrum.sum()
    assert share > 0.5


def test_every_file_names_its_licence():
    by_name = {song.file_name: song for song in demo_songs.SONGS}
    for path in SONGS:
        with sf.SoundFile(path) as file:
            assert file.copy_metadata()["license"] == by_name[path.name].licence


def test_one_piece_is_there_in_two_arrangements():
    pairs = [
        (a, b)
        for a in demo_songs.SONGS
        for b in demo_songs.SONGS
        if a.track < b.track and (a.source, a.start_q) == (b.source, b.start_q)
    ]
    assert any(
        a.arrangement.transpose != b.arrangement.transpose
        and a.arrangement.tempo != b.arrangement.tempo
        and a.arrangement.voices != b.arrangement.voices
        for a, b in pairs
    )


# --- scores ------------------------------------------------------------------------------


def test_the_prelude_has_35_bars_of_its_figure():
    score = song_scores.encode_prelude()
    assert score.length_q == 35 * 4.0
    figure = [note for note in score.notes if note.part == 0 and note.onset_q < 4.0]
    assert [note.pitch for note in figure] == [67, 72, 76] * 4
    assert all(0.0 < note.length_q <= 4.0 for note in score.notes)


def test_cutting_moves_the_bars_to_zero():
    cut = song_scores.cut_score(make_tune(16), 4.0, 8.0)
    assert [note.onset_q for note in cut.notes] == [0.0, 1.0, 2.0, 3.0]
    assert [note.pitch for note in cut.notes] == [67, 69, 71, 72]
    with pytest.raises(ValueError, match="no note begins"):
        song_scores.cut_score(make_tune(16), 100.0, 200.0)


def test_harmony_of_a_broken_chord_is_that_chord():
    pitches = [60, 64, 67, 64, 65, 69, 72, 69, 67, 71, 74, 71, 60, 64, 60, 60]
    notes = tuple(Note(k / 2, 0.5, pitch, 0) for k, pitch in enumerate(pitches))
    spans = song_harmony.harmonise(Score(notes))
    assert [span.pitch_classes for span in spans] == [(0, 4, 7), (5, 9, 0), (7, 11, 2), (0, 4, 7)]


@pytest.mark.parametrize("style", ["arpeggio", "swing", "dance", "pad"])
def test_accompaniment_plays_only_chord_notes(style):
    spans = (ChordSpan(0.0, 4.0, (0, 4, 7)), ChordSpan(4.0, 2.0, (7, 11, 2)))
    notes = song_harmony.accompany(spans, style=style, first_part=1)
    assert {note.part for note in notes} == {1, 2}
    for note in notes:
        span = spans[note.onset_q >= 4.0]
        assert note.pitch % 12 in span.pitch_classes


@given(shift=st.integers(-12, 12), stretch=st.floats(0.25, 4.0))
def test_melodies_are_recognised_in_any_key_and_tempo(shift, stretch):
    tune = make_walk(1)
    moved = tuple(
        Note(n.onset_q * stretch, n.length_q * stretch, n.pitch + shift, n.part) for n in tune.notes
    )
    sketch = song_scores.sketch_melodies(tune)
    assert song_scores.sketch_melodies(Score(moved)) == sketch
    assert song_scores.name_incipit(Score(moved)) == song_scores.name_incipit(tune)
    assert len(sketch) == 64
    assert not set(sketch) & set(song_scores.sketch_melodies(make_walk(2)))


def test_families_follow_sources_and_melodies():
    first, other = (song_scores.sketch_melodies(make_walk(seed)) for seed in (1, 2))
    half = (*first[:32], *range(32))
    marks = [("a", "1"), ("b", "2"), ("c", "3"), ("b", "4"), ("d", ""), ("e", "2"), ("f", "")]
    sketches = [first, other, half, (), (), (), other[: song_catalogue.MIN_SHARED - 1]]
    assert song_catalogue.find_families(marks, sketches) == [0, 1, 0, 1, 4, 1, 6]


# --- performance and sound ---------------------------------------------------------------


@given(tempo=st.floats(40.0, 300.0), rubato=st.floats(0.0, 0.2), seed=st.integers(0, 99))
def test_time_runs_forward_at_about_the_tempo(tempo, rubato, seed):
    arrangement = Arrangement((Voice(0, 0),), tempo, rubato=rubato)
    clock = song_synth.map_time(64.0, arrangement, np.random.default_rng(seed))
    assert clock[0] == 0.0
    assert np.all(np.diff(clock) > 0.0)
    assert clock[128] == pytest.approx(64 * 60.0 / tempo, rel=0.25)


def test_a_performance_releases_each_key_before_striking_it_again():
    arrangement = Arrangement((Voice(0, 0, legato=1.5),), 120.0, drums="pop")
    notes = tuple(Note(k / 4, 0.25, 60 + k % 2, 0) for k in range(64))
    events = song_synth.perform(Score(notes), arrangement, np.random.default_rng(3))
    assert events == sorted(events)
    down: set[tuple[int, int]] = set()
    for event in events:
        key = (event.channel, event.key)
        if event.channel == song_synth.DRUM_CHANNEL:
            continue
        assert (key in down) == (event.velocity == 0)
        down ^= {key}
    assert not down
    assert any(event.channel == song_synth.DRUM_CHANNEL for event in events)


def test_a_performance_is_a_function_of_its_seed():
    arrangement = Arrangement((Voice(0, 0),), 120.0)
    first, again, other = (
        song_synth.perform(make_tune(), arrangement, np.random.default_rng(seed))
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_too_many_voices_are_refused():
    arrangement = Arrangement(tuple(Voice(0, 0) for _ in range(16)), 120.0)
    with pytest.raises(ValueError, match="found 16"):
        song_synth.perform(make_tune(), arrangement, np.random.default_rng(0))


def test_mastering_trims_cuts_and_normalises():
    y = song_synth.master(make_sine(10.0, lead_s=3.0), seconds=8.0)
    assert y.size == 8 * SR
    assert np.abs(y).max() == pytest.approx(song_synth.PEAK, rel=1e-3)
    assert np.abs(y[: SR // 10]).max() > 0.5
    assert np.abs(y[-SR // 100 :]).max() < 0.01
    with pytest.raises(ValueError, match="silent"):
        song_synth.master(np.zeros(SR), seconds=1.0)


def test_the_room_rings_after_the_sound_and_keeps_the_length():
    y = np.zeros(2 * SR)
    y[0] = 1.0
    wet = song_synth.add_room(y, wet=0.25)
    assert wet.size == y.size
    assert wet[0] == pytest.approx(1.0, abs=1e-6)
    assert np.sum(wet[1:] ** 2) == pytest.approx(0.25, rel=0.05)
    early, late = wet[SR // 10 : SR // 2], wet[SR:]
    assert np.mean(late**2) < 0.05 * np.mean(early**2)


# --- files -------------------------------------------------------------------------------


def test_encoding_twice_gives_the_same_bytes():
    y = make_sine(2.0).astype(np.float32)
    first, again = (song_ogg.encode_ogg(y, tags={"title": "tone"}) for _ in range(2))
    assert first == again
    decoded, sr = sf.read(io.BytesIO(first))
    assert (sr, decoded.shape) == (SR, y.shape)
    assert np.corrcoef(decoded, y)[0, 1] > 0.999


def test_a_new_stream_number_changes_no_sample():
    data = song_ogg.encode_ogg(make_sine(1.0).astype(np.float32), tags={"title": "tone"})
    changed = song_ogg.set_stream_number(data, 123456)
    assert changed != data
    assert struct.unpack("<I", changed[14:18]) == (123456,)
    np.testing.assert_array_equal(sf.read(io.BytesIO(data))[0], sf.read(io.BytesIO(changed))[0])


def test_checksum_is_that_of_a_real_encoder():
    """libsndfile's own pages keep their checksum when they keep their number."""
    buffer = io.BytesIO()
    sf.write(buffer, make_sine(1.0), SR, format="OGG", subtype="VORBIS")
    data = buffer.getvalue()
    (number,) = struct.unpack("<I", data[14:18])
    assert song_ogg.set_stream_number(data, number) == data


def test_foreign_and_truncated_files_are_refused():
    data = song_ogg.encode_ogg(make_sine(1.0).astype(np.float32), tags={"title": "tone"})
    with pytest.raises(ValueError, match="cut short"):
        song_ogg.set_stream_number(data[:-10], 1)
    with pytest.raises(ValueError, match="byte 0"):
        song_ogg.set_stream_number(b"RIFF" + data, 1)


def test_a_file_is_whole_or_absent(tmp_path):
    song_ogg.write_atomically(tmp_path / "deep" / "file.bin", b"abc")
    assert (tmp_path / "deep" / "file.bin").read_bytes() == b"abc"
    assert len(list((tmp_path / "deep").iterdir())) == 1


# --- the catalogue -----------------------------------------------------------------------


def test_a_track_is_finished_only_with_its_sound_and_settings(tmp_path):
    record = {"file": "track_00001.ogg", "seed": 5, "version": song_catalogue.VERSION}
    text = json.dumps(record).encode()
    assert not song_catalogue._is_finished(tmp_path, 1, 5)
    song_ogg.write_atomically(tmp_path / "rows" / "00001.json", text)
    assert not song_catalogue._is_finished(tmp_path, 1, 5)
    song_ogg.write_atomically(tmp_path / "track_00001.ogg", b"sound")
    assert song_catalogue._is_finished(tmp_path, 1, 5)
    assert not song_catalogue._is_finished(tmp_path, 1, 6)
    song_ogg.write_atomically(tmp_path / "rows" / "00001.json", text[:10])
    assert not song_catalogue._is_finished(tmp_path, 1, 5)


def test_an_arrangement_plays_every_part():
    rng = np.random.default_rng(0)
    chosen = song_catalogue.arrange(make_tune(), "ryansMammoth", rng)
    assert chosen["score"].parts == (0, 1, 2)
    assert [voice.part for voice in chosen["arrangement"].voices] == [0, 1, 2]
    slow, fast = song_catalogue.COLLECTIONS["ryansMammoth"]
    assert slow <= chosen["arrangement"].tempo <= fast


def test_an_empty_catalogue_is_refused(tmp_path):
    with pytest.raises(ValueError, match="positive"):
        song_catalogue.render_catalogue(tmp_path, 0, 0)


@needs_synth
def test_two_renders_of_a_snippet_are_the_same():
    song = demo_songs.SONGS[-1]
    first, again = (demo_songs.render_song(song, seconds=2.0) for _ in range(2))
    assert first == again
    y, sr = sf.read(io.BytesIO(first))
    assert y.size == 2 * sr
    assert np.std(y) > 0.02


@needs_synth
def test_the_plan_grows_without_changing_and_repeats_no_piece():
    pieces = song_catalogue.list_pieces()
    plan = song_catalogue.plan_tracks(0, 1000)
    assert plan[:100] == song_catalogue.plan_tracks(0, 100)
    assert len({piece for _, piece, _ in plan}) == 1000
    assert len({piece.source for piece in pieces}) >= 1000
    assert not {song.source for song in demo_songs.SONGS} & {piece.source for piece in pieces}


@needs_synth
def test_a_catalogue_resumes_and_lists_its_tracks(tmp_path):
    table = song_catalogue.render_catalogue(tmp_path, 1, 0)
    rendered = (tmp_path / "track_00001.ogg").stat().st_mtime_ns
    lines = table.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("track,file,source,section,variant,family")
    assert len(lines) == 2
    assert song_catalogue.render_catalogue(tmp_path, 1, 0) == table
    assert (tmp_path / "track_00001.ogg").stat().st_mtime_ns == rendered
    assert len(sf.read(tmp_path / "track_00001.ogg")[0]) >= 20 * SR
