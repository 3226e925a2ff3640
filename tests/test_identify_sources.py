"""The sources of the identifier's figures: disjoint, named, and unpacked beside their archives."""

from __future__ import annotations

import itertools
import zipfile

import numpy as np
import pytest
import soundfile as sf

from benchmarks.identifying import sources
from tools import fetch_music


def write_sound(path, seconds, sr=8000):
    path.parent.mkdir(parents=True, exist_ok=True)
    y = 0.1 * np.random.default_rng(0).standard_normal(round(seconds * sr))
    sf.write(path, y.astype(np.float32), sr)


def test_no_source_calibrates_chooses_and_is_reported():
    for one, other in itertools.combinations(sources.ROLES.values(), 2):
        assert not set(one) & set(other)
    assert all(len(set(names)) == len(names) for names in sources.ROLES.values())


def test_a_package_lists_its_music_only(tmp_path, monkeypatch):
    monkeypatch.setenv("AARES_MUSIC", str(tmp_path))
    monkeypatch.setattr(sources, "CACHE", tmp_path / "cache")
    folder = tmp_path / "naev-data"
    write_sound(folder / "a" / "song.wav", 31)
    write_sound(folder / "b" / "song.wav", 31)
    write_sound(folder / "jingle.wav", 5)
    write_sound(folder / "sfx" / "rain.wav", 31)
    (folder / "broken.wav").write_bytes(b"no sound")
    (folder / "link.wav").symlink_to(folder / "a" / "song.wav")
    tracks = sources.list_tracks("choose")
    assert [track.name for track in tracks] == ["naev-data__a-song", "naev-data__b-song"]
    assert not any(track.rendered for track in tracks)
    assert tracks[0].load().shape == (31 * sources.SR,)
    assert (tmp_path / "cache" / "signals" / "naev-data__a-song.npy").is_file()
    assert sources.list_tracks("report") == []


def test_missing_music_says_how_to_fetch_it(tmp_path, monkeypatch):
    monkeypatch.setenv("AARES_MUSIC", str(tmp_path / "nowhere"))
    with pytest.raises(sources.SourceError, match=r"nowhere: .*fetch_music.py --all"):
        sources.list_tracks("report")


def test_all_packages_are_those_of_both_benchmarks():
    packages = fetch_music.list_packages()
    assert set(fetch_music.PACKAGES) <= set(packages) and len(packages) == len(set(packages))


def test_music_in_an_archive_is_unpacked_beside_it(tmp_path):
    archive = tmp_path / "data.pk3"
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr("sound/a.ogg", b"1")
        content.writestr("maps/b.bsp", b"2")
    fetch_music.unpack_music(archive)
    assert [p.name for p in sorted(tmp_path.rglob("*")) if p.is_file()] == ["a.ogg"]
