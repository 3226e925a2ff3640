"""The labelling page's server: what it gives, what it keeps, and what it refuses."""

from __future__ import annotations

import io
import json
from functools import partial

import numpy as np
import pytest
import soundfile as sf
from label_helpers import HOST, ORIGIN, Server, make_answer, make_rater, make_uuid, write_songs

from aares.chaining.choice import choose_next
from workshop.label import forms, ledger, sounds
from workshop.label.desk import PLANNED, RESERVED_S, get_order
from workshop.label.store import StoreError, read_store


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    return write_songs(tmp_path_factory.mktemp("songs"))


@pytest.fixture
def server(songs, tmp_path):
    server = Server(songs, tmp_path / "labels.sqlite")
    yield server
    server.close()


def restart(server, songs):
    server.close()
    return Server(songs, server.store.path)


def count_answers(server):
    return sum(event.kind == "answer" for event in read_store(server.store.path)[0])


# --- what it gives ----------------------------------------------------------------------------


def test_the_page_is_told_what_it_needs(server):
    about = server.get("/api/about").json()
    assert set(about) == {"page_version", "clip_version", "definition", "joins", "planned"}
    assert about["joins"] == ["cut", "gap", "fade"] and about["planned"] == PLANNED
    for path in ("/", "/label.css", "/label.js", "/favicon.svg", "/favicon.ico"):
        assert server.get(path).status_code == 200, path


def test_a_rater_is_welcomed_with_lessons_and_comes_back_under_the_same_name(server, songs):
    first = server.enter(" Ann ", number=1)
    assert first["name"] == "Ann" and first["answered"] == 0 and not first["back"]
    assert sorted(first["headphones"]) == ["h1", "h2", "h3", "h4", "h5", "h6"]
    assert sorted(lesson["answer"] for lesson in first["training"]) == ["no", "no", "yes", "yes"]
    assert server.enter("Ann", number=1) == first, "a repeated request"
    back = server.enter("ANN")
    assert back == first | {"back": True}
    assert server.enter("Bob")["rater"] != first["rater"]
    server = restart(server, songs)
    assert server.enter("Ann")["rater"] == first["rater"]
    server.close()


def test_lessons_are_told_and_not_counted(server):
    rater = server.enter()
    for lesson in rater["training"]:
        reply = server.answer(rater["rater"], lesson["pair"], answer="yes").json()
        assert reply["training"] == {"answer": lesson["answer"], "why": lesson["why"]}
        assert reply["answered"] == 0
    assert server.enter("Ann")["trained"] == 4


def test_a_pair_is_heard_in_two_clips_and_named_once_it_is_answered(server):
    rater = server.enter()["rater"]
    pair = server.ask(rater)
    assert pair["answered"] == 0 and pair["presentation"] in ("plain", "mirrored")
    assert "Song" not in json.dumps(pair)
    for side in "ab":
        reply = server.get(pair[side])
        assert reply.headers["content-type"] == "audio/wav"
        y, rate = sf.read(io.BytesIO(reply.content))
        assert rate == 44_100 and y.shape == (441_000, 2)
        assert not np.array_equal(reply.content, server.get(pair[side] + "?levels=record").content)
    reply = server.answer(rater, pair["pair"]).json()
    assert reply["saved"] and reply["answered"] == 1 and reply["training"] is None
    assert all(title.startswith("Somebody - Song") for title in reply["titles"].values())


def test_sounds_before_the_first_pair_are_there(server):
    for name in ("pink", "music", "h1", "h6"):
        reply = server.get(f"/sound/{name}.wav")
        assert sf.read(io.BytesIO(reply.content))[1] == 44_100
    for name in ("h7", "h0", "labels", "..%2Fsongs"):
        assert server.get(f"/sound/{name}.wav").status_code == 404


def test_the_headphone_check_counts_and_never_blocks(server):
    rater = server.enter()
    right = [sounds.find_softest(get_order(trial)) for trial in rater["headphones"]]
    body = {"uuid": make_uuid(), "rater": rater["rater"], "answers": right}
    assert server.post("headphones", body).json() == {"right": 6, "passed": True}
    assert server.post("headphones", body).json() == {"right": 6, "passed": True}
    wrong = [answer % 3 + 1 for answer in right]
    body = {"uuid": make_uuid(), "rater": rater["rater"], "answers": wrong}
    assert server.post("headphones", body).json() == {"right": 0, "passed": False}
    server.answer(rater["rater"], server.ask(rater["rater"])["pair"])
    events = read_store(server.store.path)[0]
    assert [event.kind for event in events] == ["rater", "headphones", "headphones", "answer"]
    assert events[-1].body["headphones_right"] == 0 and events[-1].body["device"] == "headphones"


# --- which pair -------------------------------------------------------------------------------


def test_a_page_that_was_loaded_again_gets_its_pair_again_and_holds_others(server):
    rater = server.enter()["rater"]
    first = server.ask(rater)
    assert server.ask(rater)["pair"] == first["pair"]
    second = server.ask(rater, [first["pair"]])
    third = server.ask(rater, [first["pair"], second["pair"]])
    assert len({pair["pair"] for pair in (first, second, third)}) == 3
    shown = server.desk.shown
    assert len({(shown[p["pair"]].a, shown[p["pair"]].b) for p in (first, second, third)}) == 3


def test_two_raters_at_once_are_given_different_pairs(server):
    raters = [server.enter(name)["rater"] for name in ("Ann", "Bob", "Cid")]
    asked = [server.client.get("/api/next", params={"rater": rater}) for rater in raters]
    pairs = [server.desk.shown[reply.json()["pair"]] for reply in server.run(*asked)]
    assert len({(pair.a, pair.b, pair.at_s) for pair in pairs}) == 3


def test_a_pair_is_reserved_for_ten_minutes(songs, tmp_path):
    folder = write_songs(tmp_path / "two", 2, seconds=8.0)  # two pairs, too short for checks
    server = Server(folder, tmp_path / "two.sqlite")
    ann, bob = server.enter("Ann"), server.enter("Bob")["rater"]
    assert ann["training"] == []
    first = server.ask(ann["rater"])["pair"]
    assert server.ask(ann["rater"], [first])["pair"]
    nothing = server.ask(bob)
    assert nothing["pair"] is None and nothing["why"]
    server.clock.now += RESERVED_S - 1
    assert server.ask(bob)["pair"] is None
    server.clock.now += 2
    assert server.ask(bob)["pair"]
    assert server.answer(ann["rater"], first).status_code == 200, "late, and still kept"
    server.close()


def test_a_skipped_pair_is_not_asked_again_but_others_may_be(songs, tmp_path):
    folder = write_songs(tmp_path / "two", 2, seconds=8.0)
    server = Server(folder, tmp_path / "two.sqlite")
    ann, bob = server.enter("Ann")["rater"], server.enter("Bob")["rater"]
    first = server.ask(ann)["pair"]
    body = {"uuid": make_uuid(), "rater": ann, "pair": first}
    assert server.post("skip", body).json() == server.post("skip", body).json() == {"saved": True}
    second = server.ask(ann)["pair"]
    server.answer(ann, second)
    assert server.ask(ann)["pair"] is None
    asked = [server.ask(bob)["pair"]]
    asked.append(server.ask(bob, asked)["pair"])
    skipped = server.desk.shown[first]
    assert skipped.a in [server.desk.shown[pair].a for pair in asked]
    server.close()


def test_a_pair_goes_to_a_second_rater_before_a_third_is_opened(server):
    ann, bob = server.enter("Ann")["rater"], server.enter("Bob")["rater"]
    opened = set()
    while len(opened) < 2:
        pair = server.ask(ann)["pair"]
        server.answer(ann, pair)
        if server.desk.shown[pair].at_s is None:
            opened.add(server.desk.shown[pair][2:4])
    while (pair := server.desk.shown[server.ask(bob)["pair"]]).at_s is not None:
        server.answer(bob, pair.id)
    assert pair[2:4] in opened


def test_songs_that_went_away_are_not_asked_for(server, songs, tmp_path):
    rater = server.enter()["rater"]
    pair = server.ask(rater)
    server.close()
    fewer = write_songs(tmp_path / "other", 3)
    (fewer / "Somebody - Song 0.wav").rename(fewer / "Somebody - Song 9.wav")
    server = Server(fewer, server.store.path)
    known = server.desk.shown[pair["pair"]]
    there = known.a in server.desk.songs.seconds and known.b in server.desk.songs.seconds
    assert server.get(pair["a"]).status_code == (200 if there else 404)
    asked = server.desk.shown[server.ask(rater)["pair"]]
    assert {asked.a, asked.b} <= set(server.desk.songs.seconds)
    server.close()


def test_a_song_that_cannot_be_heard_is_told_and_not_asked_again(tmp_path):
    folder = write_songs(tmp_path / "songs", 3, seconds=8.0)
    sf.write(folder / "Somebody - Song 0.wav", np.zeros(8 * 8000), 8000)
    server = Server(folder, tmp_path / "labels.sqlite")
    rater, hold = server.enter()["rater"], []
    for _ in range(20):
        pair = server.ask(rater, hold)
        if pair["pair"] is None:
            break
        clips = [server.get(pair[side]).status_code for side in "ab"]
        silent = "Song 0" in "".join(server.desk.shown[pair["pair"]][2:4])
        assert clips == [404, 404] if silent else [200, 200]
        hold += [] if silent else [pair["pair"]]
    assert len(hold) == 2, "both orders of the two songs that sound"
    server.close()


# --- what it keeps ----------------------------------------------------------------------------


def test_an_answer_before_the_join_was_heard_is_refused(server):
    rater = server.enter()["rater"]
    pair = server.ask(rater)["pair"]
    for changes in ({"join_heard": False}, {"heard_ms": 900}, {"heard_ms": 0}):
        reply = server.answer(rater, pair, **changes)
        assert reply.status_code == 409 and "join" in reply.json()["error"]
    assert count_answers(server) == 0
    assert server.answer(rater, pair).status_code == 200


def test_a_repeated_answer_is_one_answer_also_at_once_and_after_a_restart(server, songs):
    rater = server.enter()["rater"]
    body = make_answer(rater, server.ask(rater)["pair"])
    url = "/api/answers"
    send = [server.client.post(url, json=body, headers=ORIGIN) for _ in range(8)]
    replies = server.run(*send)
    assert {reply.status_code for reply in replies} == {200}
    assert len({reply.text for reply in replies}) == 1
    server = restart(server, songs)
    assert server.post("answers", body).json() == replies[0].json()
    assert count_answers(server) == 1
    server.close()


def test_two_answers_to_one_pair_need_an_undo_between(server):
    rater = server.enter()["rater"]
    pair = server.ask(rater)["pair"]
    first, second = make_answer(rater, pair), make_answer(rater, pair, answer="no")
    url = "/api/answers"
    send = [server.client.post(url, json=body, headers=ORIGIN) for body in (first, second)]
    assert [reply.status_code for reply in server.run(*send)] == [200, 409]
    assert server.post("answers", second).status_code == 409
    undo = {"uuid": make_uuid(), "rater": rater, "of": first["uuid"]}
    assert server.post("undo", undo).json() == {"saved": True, "answered": 0}
    assert server.post("undo", undo).json() == {"saved": True, "answered": 0}
    assert server.post("undo", undo | {"uuid": make_uuid()}).status_code == 409
    assert server.post("answers", second).json()["answered"] == 1
    assert server.desk.list_answers()["answer"].tolist() == ["no"]


def draw_choices(choose, rater):
    rngs = (np.random.default_rng(seed) for seed in range(20))
    return [choose(rater, probabilities=None, held=(), rng=rng) for rng in rngs]


def test_all_is_as_it_was_after_a_restart(server, songs):
    rater = server.enter()["rater"]
    uuids = []
    for _ in range(5):
        body = make_answer(rater, server.ask(rater)["pair"])
        server.post("answers", body)
        uuids.append(body["uuid"])
    server.post("undo", {"uuid": make_uuid(), "rater": rater, "of": uuids[1]})
    waiting, before = server.ask(rater), server.desk.list_answers()
    told = draw_choices(partial(choose_next, server.desk.pairs, before), rater)
    assert draw_choices(server.desk._tally.choose, rater) == told, "what counts is what was kept"
    server = restart(server, songs)
    assert server.desk.list_answers().equals(before) and len(before) == 4
    assert draw_choices(server.desk._tally.choose, rater) == told
    assert server.ask(rater) == waiting | {"answered": 4}
    server.close()


def test_the_model_is_fitted_again_every_twenty_answers(server, monkeypatch):
    monkeypatch.setattr(ledger, "REFIT_EVERY", 3)
    sizes = []
    server.desk.on_answers = lambda answers: sizes.append(len(answers))
    rater = server.enter()["rater"]
    for _ in range(7):
        server.answer(rater, server.ask(rater)["pair"])
    assert sizes == [3, 6]


def test_what_the_model_says_decides_what_is_asked(server):
    """One pair is uncertain: of what newcomers are asked first, it is about a half."""
    likely = np.full(len(server.desk.pairs), 0.99)
    likely[5] = 0.5
    server.desk.learn(likely)
    kinds = []
    for number in range(20):
        server.clock.now += RESERVED_S + 1
        pair = server.desk.shown[server.ask(server.enter(f"R{number}")["rater"])["pair"]]
        kinds.append(pair.kind)
        assert pair.kind != "uncertain" or (pair.a, pair.b) == server.desk._questions[5][:2]
    assert 4 <= kinds.count("uncertain") <= 15


def test_a_disk_that_is_full_is_told_and_nothing_counts(server, monkeypatch):
    rater = server.enter()["rater"]
    pair = server.ask(rater)["pair"]

    def fail(*arguments):
        raise StoreError("labels.sqlite: not written (database or disk is full)")

    monkeypatch.setattr(server.store, "append", fail)
    reply = server.answer(rater, pair)
    assert reply.status_code == 503 and "disk is full" in reply.json()["error"]
    assert server.get("/api/next", params={"rater": rater, "hold": pair}).status_code == 503
    monkeypatch.undo()
    assert server.answer(rater, pair).json()["answered"] == 1


# --- what it refuses --------------------------------------------------------------------------


def test_a_foreign_host_is_refused(server):
    for host in ("evil.example", "127.0.0.1.evil.example", "", "127.0.0.1@evil.example", "[::1"):
        for path in ("/", "/api/about", "/label.js"):
            reply = server.get(path, headers={"Host": host})
            assert reply.status_code == 403 and "Host" in reply.json()["error"], host
    for host in (HOST, f"{HOST}:8008", HOST.upper()):
        assert server.get("/api/about", headers={"Host": host}).status_code == 200


def test_a_foreign_origin_is_refused(server):
    body = make_rater()
    for origin in ("http://evil.example", "null", "https://127.0.0.1", f"http://{HOST}:9"):
        reply = server.post("raters", body, Origin=origin)
        assert reply.status_code == 403 and "Origin" in reply.json()["error"], origin
    reply = server.get("/api/about", headers={"Sec-Fetch-Site": "cross-site"})
    assert reply.status_code == 403
    assert read_store(server.store.path)[0] == []
    assert server.post("raters", body).status_code == 200


def test_what_is_not_json_is_refused(server):
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        headers = {**ORIGIN, "Content-Type": kind}
        reply = server.request("POST", "/api/raters", content=b"{}", headers=headers)
        assert reply.status_code == 415 and "application/json" in reply.json()["error"]


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b'{"uuid": NaN}', b"[" * 100_000,
        b'{"uuid": ' + b"9" * 5000 + b"}", b'{"a": 1}}', b"{'a': 1}",
    ],
    ids=range(11),
)  # fmt: skip
def test_malformed_json_is_refused(server, content):
    headers = {**ORIGIN, "Content-Type": "application/json"}
    for name in ("raters", "answers", "undo", "skip", "headphones"):
        reply = server.request("POST", f"/api/{name}", content=content, headers=headers)
        assert reply.status_code == 400 and reply.json()["error"]


def test_a_body_of_more_than_a_megabyte_is_refused(server):
    headers = {**ORIGIN, "Content-Type": "application/json"}
    large = b'{"name": "' + b"a" * 1_000_000 + b'"}'

    async def send_in_parts():
        for start in range(0, len(large), 50_000):
            yield large[start : start + 50_000]

    for content in (large, send_in_parts()):
        reply = server.request("POST", "/api/raters", content=content, headers=headers)
        assert reply.status_code == 413 and "at most 1,000,000 bytes" in reply.json()["error"]
    headers["Content-Length"] = "many"
    reply = server.request("POST", "/api/raters", content=b"{}", headers=headers)
    assert reply.status_code == 400


WRONG = {
    "uuid": ["", "1", 7, None, "g" * 36, "0" * 32, [], {}],
    "rater": ["", 7, None, "a" * 65, [], "\ud800"],
    "pair": ["", 7, None, "a" * 65, []],
    "answer": ["", "YES", True, None, 1, ["yes"]],
    "heard_ms": [-1, 1.5, "1", True, None, 10**12],
    "join_heard": [1, "true", None],
    "replays": [-1, 10**9, None],
    "reaction_ms": [-5, "x"],
    "join": ["", "mix", None, []],
    "levels": ["", "loud", None],
    "rate": [0, 44_100.0, 10**9],
    "page_version": ["", 1, "x" * 65],
}


@pytest.mark.parametrize("field", WRONG)
def test_each_field_of_an_answer_is_read_or_refused(server, field):
    rater = server.enter()["rater"]
    right = make_answer(rater, server.ask(rater)["pair"])
    for value in WRONG[field]:
        content = json.dumps(right | {field: value})
        headers = {**ORIGIN, "Content-Type": "application/json"}
        reply = server.request("POST", "/api/answers", content=content, headers=headers)
        assert reply.status_code == 400, value
        assert reply.json()["error"].startswith(f"{field}: expected")
    del right[field]
    assert server.post("answers", right).json() == {
        "error": f"{field}: expected in the request, found none"
    }
    assert count_answers(server) == 0


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("raters", "name", ""), ("raters", "name", "  "), ("raters", "name", "a" * 65),
        ("raters", "name", "a\nb"), ("raters", "name", "a\0b"), ("raters", "name", 7),
        ("raters", "device", "phone"), ("raters", "join", None),
        ("headphones", "answers", [1, 2, 3]), ("headphones", "answers", [1, 2, 3, 1, 2, 4]),
        ("headphones", "answers", "123123"), ("headphones", "answers", [1, 2, 3, 1, 2, True]),
        ("undo", "of", "x"), ("skip", "pair", None),
    ],
)  # fmt: skip
def test_each_field_of_the_other_forms_is_read_or_refused(server, name, field, value):
    uuid, rater = make_uuid(), server.enter("Bob")["rater"]
    right = {
        "raters": make_rater(),
        "headphones": {"uuid": uuid, "rater": rater, "answers": [1] * 6},
        "undo": {"uuid": uuid, "rater": rater, "of": make_uuid()},
        "skip": {"uuid": uuid, "rater": rater, "pair": "x"},
    }[name]
    reply = server.post(name, right | {field: value})
    assert reply.status_code == 400 and reply.json()["error"].startswith(f"{field}: expected")


def test_a_script_in_a_name_is_a_name_like_any_other(server):
    name = "<script>alert('1')</script>"
    reply = server.post("raters", make_rater(name))
    assert reply.json()["name"] == name and reply.headers["content-type"] == "application/json"
    assert server.enter("é" * 64)["name"] == "é" * 64
    assert server.enter("Zoe\u0308")["rater"] == server.enter("Zoë")["rater"]


def test_what_is_unknown_is_refused(server):
    ann, bob = server.enter("Ann")["rater"], server.enter("Bob")["rater"]
    pair = server.ask(ann)["pair"]
    uuid = make_uuid()
    for reply in (
        server.answer("nobody", pair),
        server.answer(ann, "none"),
        server.answer(bob, pair),
        server.get("/api/next", params={"rater": "nobody"}),
        server.get("/api/next"),
        server.get("/api/next", params={"rater": ann, "hold": "none"}),
        server.get("/api/next", params={"rater": bob, "hold": pair}),
        server.post("skip", {"uuid": uuid, "rater": bob, "pair": pair}),
        server.post("undo", {"uuid": uuid, "rater": ann, "of": make_uuid()}),
        server.post("headphones", {"uuid": uuid, "rater": "nobody", "answers": [1] * 6}),
        server.get("/clip/none/a.wav"),
        server.get(f"/clip/{pair}/c.wav"),
        server.get(f"/clip/{pair}/a.wav?levels=loud"),
        server.get("/api/none"),
    ):
        assert reply.status_code == 404 and reply.json()["error"]
    answer = make_answer(ann, pair)
    server.post("answers", answer)
    undo = {"uuid": make_uuid(), "rater": bob, "of": answer["uuid"]}
    assert server.post("undo", undo).status_code == 404, "somebody else's answer"
    assert server.post("skip", {"uuid": answer["uuid"], "rater": ann, "pair": pair}).json() == {
        "error": "uuid: was used for something else"
    }
    assert server.get("/api/raters").status_code == 405
    assert count_answers(server) == 1


@pytest.mark.parametrize(
    "path",
    [
        "/clip/../../pyproject.toml/a.wav", "/clip/..%2f..%2fpyproject.toml/a.wav",
        "/clip/Somebody%20-%20Song%200.wav/a.wav", "/clip/%2e%2e/a.wav", "/clip/%00/a.wav",
        "/../pyproject.toml", "/%2e%2e/app.py", "/label.js/../../app.py", "/page/index.html",
        "/sound/..%2f..%2fpyproject.wav", "//etc/passwd",
    ],
)  # fmt: skip
def test_no_path_leads_to_a_file(server, path):
    reply = server.get(path)
    assert reply.status_code == 404 and reply.json()["error"]


def test_a_name_in_the_database_leads_to_no_file_outside(server, songs, tmp_path):
    (tmp_path / "secret.wav").write_bytes((songs / "Somebody - Song 0.wav").read_bytes())
    rater = server.enter()["rater"]
    pair = server.desk.shown[server.ask(rater)["pair"]]
    foreign = pair._replace(id="foreign", a=f"../{tmp_path.name}/secret.wav")
    server.store.append([], [foreign]).result()
    server = restart(server, songs)
    assert server.get("/clip/foreign/a.wav").status_code == 404
    server.close()


def test_a_server_with_a_token_wants_it_in_every_address(songs, tmp_path):
    server = Server(songs, tmp_path / "labels.sqlite", token="secret")
    for path in ("/", "/api/about", "/clip/x/a.wav", "/sound/pink.wav", "/api/next?rater=x"):
        for token in ("", "Secret", "é"):
            reply = server.get(path, params={"token": token} if token else None)
            assert reply.status_code == 403 and "token" in reply.json()["error"]
    assert server.post("raters", make_rater()).status_code == 403
    assert server.post("raters?token=secret", make_rater()).status_code == 200
    for path in ("/?token=secret", "/api/about?token=secret", "/label.js", "/favicon.ico"):
        assert server.get(path).status_code == 200
    server.close()


def test_browsers_are_told_what_the_page_may_do(server):
    for path in ("/", "/label.js", "/api/about", "/nothing", "/sound/h1.wav"):
        headers = server.get(path).headers
        policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
        assert policy["default-src"] == policy["connect-src"] == "'self'"
        assert not any(word in str(policy) for word in ("unsafe", "http", "*", "data:"))
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
    page = server.get("/").text
    assert "<script" in page and "onclick" not in page and "style=" not in page


def test_what_is_read_of_a_form_is_what_its_readers_return():
    assert forms.read_form({"a": 1, "b": 2}, {"a": forms.count(3)}) == {"a": 1}
    assert forms.one_of("x")("x") == "x" and forms.read_truth(False) is False
    assert forms.read_trials([1, 1, 2, 2, 3, 3]) == [1, 1, 2, 2, 3, 3]
