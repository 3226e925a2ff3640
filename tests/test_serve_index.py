"""``aares serve`` as a process on a real index: its answers, its limits on sound, its end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import wave
from contextlib import contextmanager

import httpx
import numpy as np
import pytest
import soundfile as sf
from serve_helpers import make_index, wait_until

from aares.cli import main
from aares.identify import Index
from aares.serve.living import LivingIndex
from workshop.config import ROOT

OPTIONS = ["--port", "0", "--workers", "1", "--limit-s", "40", "--limit-mb", "2"]


@contextmanager
def run_server(index, folder, *options, is_ready=True):
    """Run ``aares serve`` with its temporary files in a folder; yield process and client."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)}
    command = [sys.executable, "-u", "-m", "aares", "serve", "--index", str(index), *OPTIONS]
    with subprocess.Popen(
        [*command, *options], env=environment, cwd=folder, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            said = []
            for line in process.stdout:
                said.append(line)
                if address := re.search(r"^  (http://\S+)identify", line):
                    break
            assert address, said
            client = httpx.Client(base_url=address[1], timeout=60, verify=False)
            if is_ready:
                wait_until(lambda: client.get("/health").status_code == 200, seconds=60)
            process.said = "".join(said)
            yield process, client
        finally:
            process.kill()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    sounds = make_index(folder / "a.index")
    sf.write(folder / "part.flac", sounds["two"][24_000:], 8000)
    (folder / "tmp").mkdir()
    return folder


@pytest.fixture(scope="module")
def server(folder):
    with run_server(folder / "a.index", folder / "tmp") as (process, client):
        yield process, client
        # killed without a chance to tidy up: its searcher does
        [uploads] = (folder / "tmp").glob("aares-serve-*")
        (uploads / "9.upload").write_bytes(b"left behind")
        process.kill()
        process.wait()
        wait_until(lambda: not uploads.exists())


def is_clean(folder):
    return not [path for path in (folder / "tmp").rglob("*") if path.is_file()]


def ask(server, content, **options):
    return server[1].post("/identify", content=content, **options)


def test_it_says_what_the_command_says(server, folder, capsys):
    file = folder / "part.flac"
    assert main(["identify", str(file), "--index", str(folder / "a.index"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    reply = ask(server, file.read_bytes(), params={"name": str(file)})
    assert reply.status_code == 200 and reply.json() == said
    assert said["match"] == "two" and said["timeline"][0]["song"] == "two"
    brief = ask(server, file.read_bytes(), params={"timeline": "false"}).json()
    assert brief == said | {"timeline": [], "file": "-"}


def test_hours_of_silence_in_a_small_file_are_not_decoded(server, folder):
    with sf.SoundFile(folder / "bomb.flac", "w", 8000, 1) as file:
        for _ in range(60):
            file.write(np.zeros(8000 * 60, dtype=np.int16))  # an hour
    assert (folder / "bomb.flac").stat().st_size < 200_000
    reply = ask(server, (folder / "bomb.flac").read_bytes())
    assert reply.status_code == 413 and "at most 40 s of sound" in reply.json()["error"]
    assert is_clean(folder)


def test_a_header_that_promises_much_is_believed_as_far_as_there_is_sound(server, folder):
    with wave.open(str(folder / "liar.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(2 * 8000 * 3))
    content = bytearray((folder / "liar.wav").read_bytes())
    content[40:44] = (1_900_000_000).to_bytes(4, "little")
    reply = ask(server, bytes(content))
    assert reply.status_code == 200 and reply.json()["seconds"] == 3
    assert "can be decoded" in reply.json()["notes"][0]


def test_what_is_no_sound_is_refused_with_the_reason(server, folder):
    whole = (folder / "part.flac").read_bytes()
    for content in (b"Dear all", bytes(5000), b"#EXTM3U\nfile:///etc/passwd\n", whole[:60],
                    b"RIFF\xff\xff\xff\xffWAVE", b"<image href='/etc/passwd'/>"):  # fmt: skip
        reply = ask(server, content, params={"name": "letter.mp3"})
        assert reply.status_code == 422, content
        error = reply.json()["error"]
        assert error.startswith("letter.mp3: ") and str(folder) not in error
        assert ".upload" not in error and "root" not in error
    assert is_clean(folder) and ask(server, whole).json()["match"] == "two"


def test_what_a_writer_adds_is_found_and_nobody_is_disturbed(server, folder):
    content, index = (folder / "part.flac").read_bytes(), folder / "a.index"
    new = 0.1 * np.random.default_rng(9).standard_normal(12 * 8000).astype(np.float32)
    sf.write(folder / "new.flac", new[16_000:80_000], 8000)
    assert ask(server, (folder / "new.flac").read_bytes()).json()["reason"] == "unknown"
    found, is_done = [], threading.Event()

    def read():
        while not is_done.is_set():
            reply = ask(server, content, params={"timeline": "false"})
            found.append((reply.status_code, reply.json().get("match")))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(3):
        with Index.edit(index) as edited:
            edited.add({f"new {number}": new * (1 + number)})
            if number:
                edited.remove([f"new {number - 1}"])
            edited.save(index)
    wait_until(lambda: len(found) > 5)
    is_done.set()
    reader.join()
    assert set(found) == {(200, "two")}
    answer = ask(server, (folder / "new.flac").read_bytes()).json()
    assert answer["match"] == "new 2" and round(answer["offset_s"]) == 2
    names = [row["name"] for row in server[1].get("/recordings").json()["recordings"]]
    assert names == ["one", "two", "three", "new 2"]


def test_it_ends_when_it_is_told_to_and_others_need_its_token(folder):
    tmp = folder / "own"
    tmp.mkdir()
    secret = ["--host", "0.0.0.0", "--token", "a-long-secret"]
    with run_server(folder / "a.index", tmp, *secret, is_ready=False) as (process, client):
        assert "Everybody who can reach this machine" in process.said
        assert "Authorization: Bearer a-long-secret" in process.said
        assert client.get("/recordings").status_code == 403
        right = {"Authorization": "Bearer a-long-secret"}
        assert client.get("/recordings", headers=right).status_code == 200
        client.close()
        process.send_signal(signal.SIGTERM)
        assert "Stopped." in process.stdout.read()
        assert process.wait() == 0
    assert list(tmp.iterdir()) == []


def test_what_cannot_be_served_is_told(folder, tmp_path, capsys, monkeypatch):
    index = ["--index", str(folder / "a.index")]
    assert main(["serve", "--index", str(tmp_path / "none.index")]) == 1
    assert "make one with the command index" in capsys.readouterr().err
    (tmp_path / "b.index").write_text("Dear all")
    assert main(["serve", "--index", str(tmp_path / "b.index")]) == 1
    assert "not an index" in capsys.readouterr().err
    for wrong in (["--workers", "0"], ["--limit-mb", "0"], ["--limit-s", "-1"], ["--token", "x"]):
        assert main(["serve", *index, *wrong]) == 2
        assert wrong[0] in capsys.readouterr().err
    assert main(["serve", *index, "--port", "70000"]) == 1
    assert "cannot listen at 127.0.0.1, port 70000" in capsys.readouterr().err
    for name in [name for name in sys.modules if name.startswith("aares.serve")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(["serve", *index]) == 1
    assert "uvicorn is missing: pip install 'aares[serve]'" in capsys.readouterr().err


def test_an_index_that_cannot_be_opened_any_more_goes_on_as_it_was(tmp_path):
    make_index(tmp_path / "a.index", seconds=2)
    living = LivingIndex(tmp_path / "a.index")
    (tmp_path / "a.index" / "manifest").write_bytes(b"Dear all")
    assert len(living.get()) == 3 and living.n_opened == 1
    (tmp_path / "a.index" / "manifest").unlink()
    assert len(living.get()) == 3
