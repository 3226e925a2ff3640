"""The labelling page's server as a process: many raters at once, killed, stopped, started again."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import httpx
import numpy as np
import pandas as pd
import pytest
import soundfile as sf
from label_helpers import make_answer, make_rater, make_uuid, write_songs

from aares.serve.addresses import list_hosts
from workshop import commands
from workshop.config import ROOT
from workshop.label import learning
from workshop.label.learning import Learner, describe_edges, fit_answers, measure_pairs
from workshop.label.songs import draw_candidates
from workshop.label.store import read_store


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    return write_songs(tmp_path_factory.mktemp("songs"))


@contextmanager
def run_server(songs, database, *options):
    """Run ``run.py label`` in a process; yield it and its address."""
    command = [sys.executable, "-u", "-m", "workshop", "label", "--no-browser", "--songs",
               str(songs), "--database", str(database), "--port", "0", *options]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True,
    ) as process:  # fmt: skip
        said = []
        try:
            for line in process.stdout:
                said.append(line)
                if address := re.search(r"^  (http://\S+)", line):
                    break
            assert address, "".join(said)
            process.said = said
            yield process, address[1]
        finally:
            process.kill()


def ask(client, rater):
    return client.get("/api/next", params={"rater": rater}).json()["pair"]


def test_many_raters_from_elsewhere_at_once_lose_and_double_nothing(songs, tmp_path, capsys):
    """A server for others: its token is wanted, its table can be had while it runs."""
    database, table = tmp_path / "labels.sqlite", tmp_path / "labels.csv"
    n_raters, n_answers, sent = 6, 8, set()

    async def rate(client, name):
        reply = await client.post("/api/raters", json=make_rater(name))
        rater = reply.json()["rater"]
        for _ in range(n_answers):
            reply = await client.get("/api/next", params={"rater": rater})
            body = make_answer(rater, reply.json()["pair"])
            replies = [client.post("/api/answers", json=body) for _ in range(2)]  # one impatient
            assert {reply.status_code for reply in await asyncio.gather(*replies)} == {200}
            sent.add(body["uuid"])

    async def run(port, token):
        options = {"base_url": f"http://127.0.0.1:{port}", "params": {"token": token}}
        async with httpx.AsyncClient(timeout=60, **options) as client:
            await asyncio.gather(*(rate(client, f"R{number}") for number in range(n_raters)))

    with run_server(songs, database, "--host", "0.0.0.0") as (process, address):
        said = "".join(process.said)
        assert "Everybody who can reach this machine" in said and "not encrypted" in said
        port, token = re.search(r":(\d+)/\?token=(\S{20,})$", address).groups()
        assert httpx.get(f"http://127.0.0.1:{port}/api/about").status_code == 403
        right = {"url": f"http://127.0.0.1:{port}/api/about", "params": {"token": token}}
        assert httpx.get(**right).status_code == 200
        assert httpx.get(**right, headers={"Host": "evil.example"}).status_code == 403
        asyncio.run(run(port, token))
        assert commands.main(["label", "--database", str(database), "--export", str(table)]) == 0
        assert f"{n_raters * n_answers} answers are in {table}" in capsys.readouterr().out
        assert commands.main(["label", "--database", str(database), "--import", str(table)]) == 1
        assert "another labelling server has it open" in capsys.readouterr().err
        process.send_signal(signal.SIGINT)
        assert "every answer is kept" in process.stdout.read()
        assert process.wait() == 0
    events, shown = read_store(database)
    kept = [event for event in events if event.kind == "answer"]
    assert sorted(event.uuid for event in kept) == sorted(sent)
    assert len(kept) == n_raters * n_answers
    asked = [(shown[event.pair].rater, *shown[event.pair][2:6]) for event in kept]
    assert len(set(asked)) == len(asked), "nobody is asked a fresh pair twice"
    assert commands.main(["label", "--database", str(database), "--import", str(table)]) == 0
    assert f"0 answers are new in {database}, {len(kept)} were there" in capsys.readouterr().out


def test_killed_between_answer_and_reply_nothing_is_lost_or_doubled(songs, tmp_path):
    database, bodies = tmp_path / "labels.sqlite", []
    for _ in range(2):
        with run_server(songs, database) as (process, address):
            client = httpx.Client(base_url=address, timeout=30)
            rater = client.post("/api/raters", json=make_rater()).json()["rater"]
            for body in bodies:  # the page did not hear, and sends all of them again
                assert client.post("/api/answers", json=body).json()["saved"]
            for _ in range(2):
                bodies.append(make_answer(rater, ask(client, rater)))
                assert client.post("/api/answers", json=bodies[-1]).json()["saved"]
            bodies.append(make_answer(rater, ask(client, rater)))
            host, port = address.split("/")[2].split(":")
            with socket.create_connection((host, int(port))) as line:
                content = httpx.Request("POST", address, json=bodies[-1]).content
                head = (
                    f"POST /api/answers HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json"
                    f"\r\nContent-Length: {len(content)}\r\n\r\n"
                )
                line.sendall(head.encode() + content)
                n_before = len(bodies) - 1
                while count_kept(database) == n_before:  # until it is written: no reply was read
                    time.sleep(0.001)
                os.kill(process.pid, signal.SIGKILL)
            client.close()
    with run_server(songs, database) as (_, address):
        for body in bodies:
            reply = httpx.post(f"{address}api/answers", json=body).json()
        assert reply["saved"] and reply["answered"] == len(bodies) == 6
    kept = [event for event in read_store(database)[0] if event.kind == "answer"]
    assert [event.uuid for event in kept] == [body["uuid"] for body in bodies]


def count_kept(database):
    return sum(event.kind == "answer" for event in read_store(database)[0])


def test_a_port_that_is_in_use_is_told(songs, tmp_path, capsys):
    options = ["label", "--songs", str(songs), "--database", str(tmp_path / "labels.sqlite")]
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert commands.main([*options, "--no-browser", "--port", str(port)]) == 1
        assert f"cannot listen at 127.0.0.1, port {port}" in capsys.readouterr().err
    assert commands.main([*options, "--port", "70000"]) == 1
    assert "port 70000" in capsys.readouterr().err
    assert commands.main([*options, "--host", "nowhere.invalid"]) == 1
    assert "cannot listen at nowhere.invalid" in capsys.readouterr().err
    assert commands.main(["label", "--songs", str(tmp_path / "none")]) == 1
    assert "--songs: expected a folder" in capsys.readouterr().err


def test_what_cannot_be_exported_or_imported_is_told(tmp_path, capsys):
    database, table = str(tmp_path / "labels.sqlite"), str(tmp_path / "labels.csv")
    assert commands.main(["label", "--database", database, "--export", table]) == 1
    assert "expected a database of labels, found no such file" in capsys.readouterr().err
    assert commands.main(["label", "--database", database, "--import", table]) == 1
    assert "expected a table of answers" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        commands.main(["label", "--port", "x"])


def test_a_server_knows_its_names():
    assert list_hosts("127.0.0.1") == {"127.0.0.1", "localhost", "[::1]"}
    assert list_hosts("::1") == list_hosts("localhost")
    assert socket.gethostname().lower() in list_hosts("0.0.0.0")
    assert "labels.example" in list_hosts("Labels.example")


def test_without_the_extra_it_is_told_what_to_install(monkeypatch, capsys):
    for name in [name for name in sys.modules if name.startswith("workshop.label")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    import workshop

    monkeypatch.delattr(workshop, "label", raising=False)
    assert commands.main(["label"]) == 1
    assert "uvicorn is missing: pip install 'aares[label]'" in capsys.readouterr().err


def test_the_other_commands_do_not_load_the_server():
    code = "import sys; from workshop import commands; commands._make_parser(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert not {"starlette", "uvicorn", "workshop.label"} & set(done.stdout.split())


# --- fitted again while people answer ---------------------------------------------------------

SLOW = (
    "import json, sys, time\nfirst = json.loads(sys.stdin.readline())\n"
    "for line in sys.stdin:\n"
    "    time.sleep(0.3)\n    n = len(json.loads(line)['row'])\n"
    "    print(json.dumps(None if n == 0 else [n / 100] * len(first['a'])), flush=True)\n"
)


def make_answers(n):
    return pd.DataFrame({"rater": ["me"] * n, "row": range(n), "answer": ["yes", "no"] * (n // 2)})


def test_nobody_waits_for_a_fit_and_old_answers_are_not_fitted(tmp_path):
    pairs = draw_candidates({"a": 60.0, "b": 60.0})
    told, is_done = [], threading.Event()

    def tell(likely):
        told.append(None if likely is None else float(likely[0]))
        if told[-1] == 0.4:
            is_done.set()

    learner = Learner(tmp_path, pairs, tell, command=(sys.executable, "-c", SLOW))
    begin = time.perf_counter()
    for n in (0, 2, 20, 30, 40):
        learner.learn(make_answers(n))
    assert time.perf_counter() - begin < 0.2
    assert is_done.wait(20)
    assert len(told) <= 3 and told[-1] == 0.4
    learner.close()
    assert not learner._thread.is_alive() and learner._process.returncode is not None


def test_a_fit_that_failed_stops_nothing(tmp_path):
    pairs, told = draw_candidates({"a": 60.0, "b": 60.0}), []
    learner = Learner(tmp_path, pairs, told.append, command=(sys.executable, "-c", "1 / 1"))
    learner.learn(make_answers(2))
    learner._process.wait()
    learner.learn(make_answers(4))
    learner.close()
    assert told == []


def test_people_change_what_the_model_of_splices_says(tmp_path):
    """Noise after a tone is what they like: no splice is of this kind."""
    rng, t = np.random.default_rng(0), np.arange(8 * 22_050) / 22_050
    for number in range(6):
        tone = 0.1 * np.sin(2 * np.pi * 220 * (number + 2) * t)
        y = tone if number % 2 else 0.1 * rng.standard_normal(len(t))
        sf.write(tmp_path / f"{number}.wav", y, 22_050)
    (tmp_path / "bad.wav").write_bytes(b"no sound")
    names = [f"{number}.wav" for number in range(6)] + ["bad.wav"]
    pairs = draw_candidates(dict.fromkeys(names, 8.0))
    edges = describe_edges(tmp_path, names)
    joins, is_known = measure_pairs(edges, pairs)
    assert len(edges) == 6 and is_known.sum() == 30 == len(joins)
    rows = np.flatnonzero(is_known)
    number = pairs.loc[rows, ["a", "b"]].astype(str).map(lambda name: int(name[0])).to_numpy()
    is_yes = (number[:, 0] % 2 == 1) & (number[:, 1] % 2 == 0)
    answers = pd.DataFrame({"rater": "me", "row": rows, "answer": np.where(is_yes, "yes", "no")})
    before, after = (
        fit_answers(joins, is_known, pairs, heard) for heard in (make_answers(0), answers)
    )
    assert np.all(before[~is_known] == learning.UNKNOWN)
    assert before[rows[is_yes]].max() < 0.5 < after[rows[is_yes]].min()
    assert after[rows[~is_yes]].max() < after[rows[is_yes]].min()


def test_the_program_fits_until_nobody_sends(tmp_path):
    folder = write_songs(tmp_path, 3, seconds=8.0)
    pairs = draw_candidates({path.name: 8.0 for path in sorted(folder.iterdir())})
    told, is_done = [], threading.Event()
    learner = Learner(folder, pairs, lambda likely: (told.append(likely), is_done.set()))
    learner.learn(make_answers(0))
    assert is_done.wait(60)
    learner._process.stdin.close()
    assert learner._process.wait(20) == 0
    learner.close()
    assert told[0].shape == (6,) and np.all((told[0] > 0) & (told[0] < 1))


def test_uuids_of_tests_differ():
    assert make_uuid() != make_uuid() and make_uuid(1) == make_uuid(1)
