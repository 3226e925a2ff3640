"""Copies among songs: planted ones are found, other songs are not taken for copies."""

import librosa
import numpy as np
import pandas as pd
import pytest
import soundfile as sf
from test_identify import make_song

from aares.audio import AudioError
from aares.audio.distortions import add_noise, change_speed, encode_mp3
from aares.chaining.copies import drop_copies, find_copies
from aares.data import DataError
from aares.identify.answer import THRESHOLD

SR = 8000
PLAIN = {"tempos": (), "speeds": ()}


def write_songs(folder, signals, sr=SR):
    """Write signals as files; return the table of them, in their order."""
    for name, y in signals.items():
        sf.write(folder / f"{name}.wav", y, sr)
    paths = [folder / f"{name}.wav" for name in signals]
    return pd.DataFrame({"path": paths, "song": list(signals)})


def spoil(y):
    """Cut the beginning off, add noise, encode as mp3: float32 at 32 kHz."""
    noisy = add_noise(y[SR * 3 // 2 :], "white", np.random.default_rng(1), snr_db=15)
    loud = librosa.resample(noisy, orig_sr=SR, target_sr=32_000) * 0.3
    return librosa.resample(encode_mp3(loud, 32_000, kbps=64), orig_sr=32_000, target_sr=SR)


def test_a_shifted_noisy_mp3_is_a_copy_and_the_longer_one_stays(tmp_path):
    songs = {f"song {seed}": make_song(seed, seconds=20) for seed in range(4)}
    table = write_songs(tmp_path, {"copy": spoil(songs["song 2"])} | songs)
    copies = find_copies(table, **PLAIN)
    assert copies[["a", "b"]].to_numpy().tolist() == [["copy", "song 2"], ["song 2", "copy"]]
    assert copies["share"].tolist() == [1.0, 1.0]
    assert (copies["p_false"] <= THRESHOLD).all()
    assert drop_copies(table, copies)["song"].tolist() == list(songs)


def play_at_its_pitch(y, ratio):
    return librosa.effects.time_stretch(y, rate=ratio)


@pytest.mark.parametrize(
    ("change", "play"), [("tempo", play_at_its_pitch), ("speed", change_speed)]
)
def test_a_faster_copy_is_found_by_playing_it_slower(tmp_path, change, play):
    songs = {"song": make_song(5, seconds=20), "other": make_song(6, seconds=20)}
    table = write_songs(tmp_path, songs | {"fast": play(songs["song"], 1.2)})
    assert find_copies(table, **PLAIN).empty
    copies = find_copies(table, tempos=(1.19,), speeds=(1.19,))
    assert copies[["a", "b", "change", "ratio"]].to_numpy().tolist() == [
        ["fast", "song", change, 1.19]
    ]
    assert drop_copies(table, copies)["song"].tolist() == ["song", "other"]


def test_of_copies_of_copies_the_longest_stays_and_of_equal_ones_the_first():
    songs = pd.DataFrame({"path": list("abcde"), "song": list("abcde"), "seconds": [5, 9, 9, 1, 2]})
    copies = pd.DataFrame({"a": ["a", "c", "d", "gone"], "b": ["b", "a", "e", "a"]})
    assert drop_copies(songs, copies)["song"].tolist() == ["b", "e"]


def test_a_song_of_which_only_a_loop_is_shared_is_no_copy(tmp_path):
    loop, rest = make_song(7, seconds=10), make_song(8, seconds=50)
    table = write_songs(tmp_path, {"a": np.concatenate([loop, rest]), "b": make_song(9)})
    sf.write(table["path"][1], np.concatenate([loop, make_song(9, seconds=50)]), SR)
    assert find_copies(table, **PLAIN).empty
    found = find_copies(table, **PLAIN, least_share=0.1)
    assert found["share"].round(3).tolist() == [round(1 / 6, 3)] * 2


def test_what_is_no_table_of_songs_is_refused(tmp_path):
    with pytest.raises(DataError, match="no 'song' among path"):
        find_copies(pd.DataFrame({"path": ["a"]}))
    twice = pd.DataFrame({"path": ["a", "b"], "song": ["x", "x"]})
    with pytest.raises(DataError, match="'x' twice"):
        drop_copies(twice)
    one = pd.DataFrame({"path": [tmp_path / "none.wav"], "song": ["x"]})
    with pytest.raises(AudioError, match=r"none\.wav"):
        find_copies(one)
    with pytest.raises(AudioError, match=r"none\.wav"):
        drop_copies(one, pd.DataFrame({"a": [], "b": []}))
    with pytest.raises(ValueError, match="tempos"):
        find_copies(one, tempos=(0.9,))
    with pytest.raises(ValueError, match="n_excerpts"):
        find_copies(write_songs(tmp_path, {"x": np.ones(SR)}), n_excerpts=0)
