"""Which data is used, and how files are written."""

from __future__ import annotations

import pytest

from aares.files import write_atomic
from workshop import config
from workshop.config import ConfigError, find_data


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch, tmp_path):
    monkeypatch.delenv("AARES_SOURCE", raising=False)
    monkeypatch.delenv("AARES_DATA", raising=False)
    monkeypatch.setattr(config, "COURSE", tmp_path / "course")
    monkeypatch.setattr(config, "ROOT", tmp_path)


def test_without_course_files_the_demo_serves():
    source = find_data()
    assert source.kind == "demo"
    assert source.out.as_posix().endswith("build/demo")
    assert "Demo data" in source.describe()


def test_course_files_in_place_are_used(tmp_path):
    (tmp_path / "course").mkdir()
    (tmp_path / "course" / "spotify_dataset_test.csv").write_text("")
    assert find_data().folder == tmp_path / "course"
    assert find_data("demo").kind == "demo"


def test_the_environment_names_the_folder(monkeypatch, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "users" / "playlists").mkdir(parents=True)
    monkeypatch.setenv("AARES_DATA", str(tmp_path / "elsewhere"))
    assert find_data().users == config.DEMO, "somebody's folder of the same name"
    (tmp_path / "users" / "playlists" / "spotify_songs.csv").touch()
    source = find_data()
    assert (source.kind, source.folder.name, source.users.name) == ("course", "elsewhere", "users")
    monkeypatch.setenv("AARES_SOURCE", "demo")
    assert find_data().kind == "demo"


def test_a_folder_that_is_not_there_is_an_error_not_the_demo(monkeypatch, tmp_path):
    monkeypatch.setenv("AARES_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(ConfigError, match=r"AARES_DATA: expected a folder.*nowhere"):
        find_data()


def test_asking_for_absent_course_data_says_where_it_goes(monkeypatch):
    with pytest.raises(ConfigError, match=r"put spotify_dataset_train.csv.*--data FOLDER"):
        find_data("course")
    with pytest.raises(ConfigError, match="--data: expected a folder.*nothing at 'real'"):
        find_data("real")
    monkeypatch.setenv("AARES_SOURCE", "cuorse")
    with pytest.raises(ConfigError, match="AARES_SOURCE: expected a folder.*'cuorse'"):
        find_data()


def test_data_may_name_the_folder(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    source = find_data(str(tmp_path / "elsewhere"))
    assert (source.kind, source.folder, source.out) == ("course", tmp_path / "elsewhere", tmp_path)
    assert source.users == config.DEMO, "without listeners of its own"


def test_a_kernel_is_told_what_its_builder_decided(monkeypatch, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    for source in (find_data(str(tmp_path / "elsewhere")), find_data("demo")):
        with monkeypatch.context() as kernel:
            for name, value in source.tell(tmp_path / "stage").items():
                kernel.setenv(name, value)
            seen = find_data()
        assert (seen.kind, seen.folder, seen.out) == (
            source.kind,
            source.folder,
            tmp_path / "stage",
        )


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = write_atomic(tmp_path / "deep" / "file.txt", "old\n")

    def fail(_):
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        write_atomic(path, "new\n")
    assert path.read_bytes() == b"old\n"
    assert [item.name for item in path.parent.iterdir()] == ["file.txt"]


def test_course_tables_of_other_names_are_told(tmp_path, monkeypatch):
    monkeypatch.delenv("AARES_DATA", raising=False)
    monkeypatch.delenv("AARES_SOURCE", raising=False)
    monkeypatch.setattr(config, "ROOT", tmp_path)
    monkeypatch.setattr(config, "COURSE", tmp_path / "course")
    assert find_data().kind == "demo"
    (tmp_path / "course").mkdir()
    (tmp_path / "course" / "spotify_dataset_trian.csv").touch()
    with pytest.raises(ConfigError, match=r"found spotify_dataset_trian.csv"):
        find_data()
