"""What is heard of a pair: where it is cut, how loud it is, and the sounds before the first one."""

from __future__ import annotations

import io
import threading

import numpy as np
import pyloudnorm
import pytest
import soundfile as sf

from aares.audio.levels import measure_lufs, measure_true_peak
from aares.errors import AudioError
from workshop.label import clips, sounds
from workshop.label.clips import RATE_HZ, ClipMaker, Piece, cut_piece, encode_wav, level_pieces
from workshop.label.songs import (
    WRONG_SPEEDS,
    SongsError,
    draw_candidates,
    draw_lessons,
    get_pieces,
    list_songs,
)


def write_ramp(path, *, seconds=16.0, silence=3_000):
    """Write a ramp between silences; return its samples, none of which is silent."""
    ramp = np.linspace(10_000, 25_000, round(seconds * RATE_HZ)).astype(np.int16)
    sound = np.column_stack([ramp, -ramp])
    sf.write(path, np.pad(sound, ((silence, silence), (0, 0))), RATE_HZ)
    return sound


def read(content):
    return sf.read(io.BytesIO(content), dtype="int16")


def test_the_last_sample_is_the_last_of_the_sound_and_the_first_the_first(tmp_path):
    sound, n = write_ramp(tmp_path / "a.wav"), 10 * RATE_HZ
    a, b = ClipMaker().make(Piece(tmp_path / "a.wav", True), Piece(tmp_path / "a.wav", False),
                            as_recorded=True)  # fmt: skip
    (end, rate), (start, _) = read(a), read(b)
    assert rate == RATE_HZ
    assert np.array_equal(end, sound[-n:]) and np.array_equal(start, sound[:n])


@pytest.mark.parametrize(("kind", "rate"), [("mp3", 44_100), ("ogg", 48_000), ("wav", 22_050)])
def test_no_zero_stands_at_the_join_of_any_format(tmp_path, kind, rate):
    t = np.arange(14 * rate) / rate
    tone = 0.4 * np.sin(2 * np.pi * 330 * t)
    y = np.concatenate([np.zeros(rate), tone, np.zeros(rate)])
    sf.write(tmp_path / f"a.{kind}", y, rate)
    end, start = (cut_piece(Piece(tmp_path / f"a.{kind}", is_end)) for is_end in (True, False))
    for clip, edge in ((end, end[-1]), (start, start[0])):
        assert clip.shape == (10 * RATE_HZ, 2)
        assert np.abs(edge).max() > 0.4 * 10 ** (-clips.BELOW_PEAK_DB / 20) / 2
        assert np.sqrt(np.mean(clip**2)) == pytest.approx(0.4 / np.sqrt(2), rel=0.05)


def test_a_cut_song_goes_on_sample_by_sample(tmp_path):
    path = tmp_path / "a.wav"
    y = (0.3 * np.random.default_rng(0).standard_normal((40 * 22_050, 2))).clip(-1, 1)
    sf.write(path, y, 22_050, subtype="FLOAT")
    a, b = cut_piece(Piece(path, True, 20.0)), cut_piece(Piece(path, False, 20.0))
    whole = cut_piece(Piece(path, False, 15.0))
    joined = np.concatenate([a, b])[5 * RATE_HZ : 15 * RATE_HZ]
    assert np.abs(joined - whole).max() < 1e-5
    first, second = level_pieces(a, b, together=True)
    assert np.allclose(first / a, (second / b)[0], rtol=1e-6), "one gain for both"


def test_a_wrong_speed_changes_the_pitch(tmp_path):
    path = tmp_path / "a.wav"
    sf.write(path, 0.3 * np.sin(2 * np.pi * 400 * np.arange(60 * 8000) / 8000), 8000)
    for speed in WRONG_SPEEDS:
        y = cut_piece(Piece(path, False, 20.0, speed))
        assert y.shape == (10 * RATE_HZ, 2)
        assert np.argmax(np.abs(np.fft.rfft(y[:, 0]))) / 10 == pytest.approx(400 * speed, abs=1)


def test_silence_longer_than_what_is_read_first_is_trimmed(tmp_path):
    path, rate = tmp_path / "a.wav", 8000
    tone = 0.3 * np.sin(np.arange(12 * rate))
    sf.write(path, np.concatenate([np.zeros(50 * rate), tone, np.zeros(50 * rate)]), rate)
    for is_end in (True, False):
        assert len(cut_piece(Piece(path, is_end))) == 10 * RATE_HZ


def test_a_short_song_is_heard_whole_and_a_silent_one_refused(tmp_path):
    sf.write(tmp_path / "short.wav", 0.3 * np.sin(np.arange(6 * 8000)), 8000)
    assert len(cut_piece(Piece(tmp_path / "short.wav", True))) == pytest.approx(6 * RATE_HZ, abs=9)
    sf.write(tmp_path / "silent.wav", np.zeros(6 * 8000), 8000)
    with pytest.raises(AudioError, match=r"silent.wav: expected at least 2 s of sound, found sil"):
        cut_piece(Piece(tmp_path / "silent.wav", True))
    sf.write(tmp_path / "nan.wav", np.full(6 * 8000, np.nan), 8000, subtype="FLOAT")
    with pytest.raises(AudioError, match="nan.wav: expected finite"):
        cut_piece(Piece(tmp_path / "nan.wav", True))


def test_one_channel_and_two_are_equally_loud(tmp_path):
    rng = np.random.default_rng(0)
    noise = 0.05 * rng.standard_normal(12 * 22_050)
    sf.write(tmp_path / "one.wav", noise, 22_050)
    sf.write(tmp_path / "two.wav", np.column_stack([noise, noise * 0.3]), 22_050)
    sf.write(tmp_path / "six.wav", np.column_stack([noise] * 6), 22_050)
    maker = ClipMaker()
    for name in ("one", "two", "six"):
        a, b = maker.make(Piece(tmp_path / f"{name}.wav", True), Piece(tmp_path / "one.wav", False))
        for content in (a, b):
            y = sf.read(io.BytesIO(content))[0]
            assert y.shape[1] == 2
            assert pyloudnorm.Meter(RATE_HZ).integrated_loudness(y) == pytest.approx(-20, abs=0.2)
            assert measure_true_peak(y) < -1


def test_as_on_the_record_keeps_the_levels(tmp_path):
    soft = 0.01 * np.random.default_rng(0).standard_normal((12 * RATE_HZ, 2))
    sf.write(tmp_path / "a.wav", soft, RATE_HZ, subtype="FLOAT")
    piece = Piece(tmp_path / "a.wav", True)
    a, _ = ClipMaker().make(piece, piece, as_recorded=True)
    assert np.abs(sf.read(io.BytesIO(a))[0] - soft[-10 * RATE_HZ :]).max() < 1e-4


def test_what_is_too_loud_for_16_bits_is_clipped_not_turned_over():
    y = sf.read(io.BytesIO(encode_wav(np.full((4, 2), 1.7))), dtype="int16")[0]
    assert y.min() == 32_767


def test_two_that_ask_at_once_wait_for_one_cut(tmp_path, monkeypatch):
    write_ramp(tmp_path / "a.wav", seconds=4)
    piece, cuts, go_on = Piece(tmp_path / "a.wav", True), [], threading.Event()

    def cut_slowly(piece):
        cuts.append(piece)
        go_on.wait(10)
        return cut_piece(piece)

    monkeypatch.setattr(clips, "cut_piece", cut_slowly)
    maker, found = ClipMaker(), []
    threads = [
        threading.Thread(target=lambda: found.append(maker.make(piece, piece, as_recorded=True)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    go_on.set()
    for thread in threads:
        thread.join()
    assert len(cuts) == 1 and found[0] == found[1]


def test_what_will_be_asked_for_is_made_ahead_but_not_without_end(tmp_path, monkeypatch):
    cuts, go_on = [], threading.Event()

    def cut(piece):
        cuts.append(piece)
        go_on.wait(10)
        return np.full((RATE_HZ, 2), 0.1)

    monkeypatch.setattr(clips, "cut_piece", cut)
    maker = ClipMaker()
    pieces = [Piece(tmp_path / f"{number}.wav", True) for number in range(40)]
    for a, b in zip(pieces[::2], pieces[1::2], strict=True):
        maker.prepare(a, b)
    go_on.set()
    maker._ahead.shutdown()
    assert set(cuts) == set(pieces[: 2 * clips.AHEAD])


def test_a_clip_that_failed_is_tried_again(tmp_path):
    maker, piece = ClipMaker(), Piece(tmp_path / "a.wav", True)
    with pytest.raises(AudioError, match="no such file"):
        maker.make(piece, piece)
    write_ramp(tmp_path / "a.wav", seconds=4)
    assert len(maker.make(piece, piece)) == 2


# --- what can be asked ------------------------------------------------------------------------


def test_both_orders_are_asked_and_each_check_has_its_answer():
    seconds = {name: 60.0 for name in "abcd"} | {"short": 12.0}
    pairs = draw_candidates(seconds)
    questions = pairs[pairs["kind"] == "question"]
    assert len(questions) == 20 and not questions.duplicated(["a", "b"]).any()
    checks = pairs[pairs["kind"] == "check"]
    assert (checks["a"] == checks["b"]).all() and "short" not in set(checks["a"])
    assert checks.groupby("a", observed=True).size().eq(2).all()
    assert (checks["speed"] == 1).sum() == 4 and set(checks["speed"]) == {1.0, *WRONG_SPEEDS}
    assert checks["at_s"].between(12, 40).all()


def test_of_many_songs_a_part_is_asked_each_as_often():
    seconds = {f"{number:03d}": 60.0 for number in range(60)}
    pairs = draw_candidates(seconds, most=600, known=[("000", "001"), ("gone", "000")])
    questions = pairs[pairs["kind"] == "question"].astype({"a": str, "b": str})
    assert set(questions["a"].value_counts()) <= {10, 11}
    assert set(questions["b"].value_counts()) <= {10, 11}
    assert ((questions["a"] == "000") & (questions["b"] == "001")).sum() == 1
    assert "gone" not in set(questions["a"])
    assert draw_candidates(seconds, most=600).equals(draw_candidates(seconds, most=600))


def test_lessons_are_cut_where_there_is_sound_on_both_sides():
    lessons = draw_lessons({name: 60.0 for name in "abcdef"})
    assert [lesson.answer for lesson in lessons] == ["yes", "no", "yes", "no"]
    assert len({lesson.a for lesson in lessons}) == 4
    assert sorted(lesson.speed for lesson in lessons) == [0.6, 1.0, 1.0, 1.5]
    assert draw_lessons({"a": 20.0}) == []


def test_pieces_of_a_question_are_edges_and_of_a_check_a_place(tmp_path):
    a, b = get_pieces(tmp_path, "x.ogg", "y.ogg", None, 1.0)
    assert (a.is_end, a.at_s, b.is_end, b.at_s) == (True, None, False, None)
    a, b = get_pieces(tmp_path, "x.ogg", "x.ogg", 20.0, 1.5)
    assert (a.at_s, a.speed, b.at_s, b.speed) == (20.0, 1.0, 20.0, 1.5)


def test_files_that_are_no_songs_are_left_out_and_told(tmp_path):
    for name, seconds in (("a.wav", 6), ("sub/b.wav", 6), ("short.wav", 1)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        sf.write(tmp_path / name, 0.3 * np.sin(np.arange(seconds * 8000)), 8000)
    (tmp_path / "bad.ogg").write_bytes(b"no sound")
    (tmp_path / "note.txt").write_text("no song")
    songs = list_songs(tmp_path)
    assert list(songs.seconds) == ["a.wav", "sub/b.wav"]
    assert len(songs.failed) == 2 and "short.wav: expected 5 s at least" in songs.failed[1]
    (tmp_path / "a.wav").unlink()
    with pytest.raises(SongsError, match="expected at least two songs.*found 1"):
        list_songs(tmp_path)
    with pytest.raises(SongsError, match="--songs: expected a folder"):
        list_songs(tmp_path / "nowhere")


# --- before the first pair --------------------------------------------------------------------


def test_pink_noise_has_equal_power_in_each_octave_and_the_clips_loudness():
    y = sounds.make_pink_noise(4.0)
    assert measure_lufs(y, RATE_HZ) == pytest.approx(-20, abs=0.1)
    power = np.abs(np.fft.rfft(y[:, 0])) ** 2
    hz = np.fft.rfftfreq(len(y), 1 / RATE_HZ)
    octaves = [power[(hz >= low) & (hz < 2 * low)].sum() for low in (125, 500, 2000, 8000)]
    assert np.ptp(10 * np.log10(octaves)) < 1


def test_the_antiphase_tone_is_silent_in_the_air_and_as_loud_on_headphones():
    softest_in_air = []
    for order in sounds.ORDERS:
        y = sounds.make_trial(order)
        tones = [y[round(start * RATE_HZ) :][:RATE_HZ] for start in (0, 1.5, 3)]
        on_headphones = [np.sqrt(np.mean(tone**2)) for tone in tones]
        in_air = [np.sqrt(np.mean(tone.sum(axis=1) ** 2)) for tone in tones]
        assert int(np.argmin(on_headphones)) + 1 == sounds.find_softest(order)
        assert np.ptp(on_headphones) / max(on_headphones) == pytest.approx(0.5, abs=0.01)
        assert order[int(np.argmin(in_air))] == "antiphase"
        softest_in_air.append(int(np.argmin(in_air)) + 1)
    assert sorted(sounds.find_softest(order) for order in sounds.ORDERS) == [1, 1, 2, 2, 3, 3]
    right = sum(
        a == sounds.find_softest(o) for a, o in zip(softest_in_air, sounds.ORDERS, strict=True)
    )
    assert right < sounds.PASSED, "who listens over loudspeakers is found"
