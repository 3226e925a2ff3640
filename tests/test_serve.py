"""The service under requests that cost too much: each is refused, and the next one is answered."""

from __future__ import annotations

import json
import shutil
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from serve_helpers import run_service, wait_until

from aares.serve.connections import bound_connections
from aares.serve.limits import Limits
from aares.serve.metrics import BUCKETS_S, Metrics

GB = 1_000_000_000
HEAD = b"POST /identify HTTP/1.1\r\nHost: localhost\r\n"


def read_reply(line):
    """Everything until the connection ends."""
    parts = []
    try:
        while part := line.recv(65_536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


# --- too much ---------------------------------------------------------------------------------


def test_two_gigabytes_that_are_announced_are_refused_before_they_are_sent(tmp_path):
    with run_service(tmp_path, most_bytes=1_000_000) as service, service.connect() as line:
        line.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % (2 * GB))
        assert line.recv(65_536).startswith(b"HTTP/1.1 413 ")
        assert service.is_alive()


def test_two_gigabytes_that_are_not_announced_are_refused_as_soon_as_they_are_too_many(tmp_path):
    part, sent, replies = bytes(100_000), 0, []
    limits = {"most_bytes": 1_000_000, "linger_s": 0.3}
    with run_service(tmp_path, **limits) as service, service.connect() as line:
        line.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        reader = threading.Thread(target=lambda: replies.append(line.recv(1000)))
        reader.start()
        try:
            while sent < 2 * GB:
                line.sendall(b"%x\r\n%b\r\n" % (len(part), part))
                sent += len(part)
                largest = sum(path.stat().st_size for path in service.folder.iterdir())
                assert largest <= 1_000_000
        except (BrokenPipeError, ConnectionResetError, FileNotFoundError):
            pass
        reader.join()
        assert replies[0].startswith(b"HTTP/1.1 413 ")
        assert service.is_alive()
    assert 1_000_000 < sent < 2 * GB


def test_a_reply_can_be_read_though_the_body_goes_on(tmp_path):
    with run_service(tmp_path, most_bytes=1000) as service:
        reply = service.post(bytes(3_000_000))
        assert reply.status_code == 413 and "at most 1,000 bytes" in reply.json()["error"]
        assert service.is_alive()


def test_too_many_connections_are_told_to_come_back(tmp_path):
    with run_service(tmp_path, n_connections=3, head_s=0.5) as service:
        lines = [service.connect() for _ in range(3)]
        wait_until(lambda: len(service.server.server_state.connections) == 3)
        with service.connect() as line:
            reply = read_reply(line)
        assert reply.startswith(b"HTTP/1.1 503 ") and b"Retry-After: 1" in reply
        assert json.loads(reply.partition(b"\r\n\r\n")[2]) == {"error": "too many connections"}
        assert [read_reply(line) for line in lines] == [b""] * 3, "they said nothing, and are ended"
        assert service.is_alive()


def test_no_more_wait_than_may(tmp_path):
    with run_service(tmp_path, n_waiting=1) as service, ThreadPoolExecutor(4) as threads:
        first = threads.submit(service.post, b"sleep 0.6")
        wait_until(lambda: service.service.pool.n_searching == 1)
        second = threads.submit(service.post, b"sound")
        wait_until(lambda: service.service.pool.n_waiting == 1)
        refused = service.post(b"sound")
        assert refused.status_code == 503 and refused.headers["retry-after"] == "2"
        assert first.result().status_code == second.result().status_code == 200
        assert len(service.list_jobs()) == 2 and service.is_alive()


def test_nobody_waits_for_ever(tmp_path):
    with run_service(tmp_path, wait_s=0.2) as service, ThreadPoolExecutor(1) as threads:
        first = threads.submit(service.post, b"sleep 0.6")
        wait_until(lambda: service.service.pool.n_searching == 1)
        refused = service.post(b"sound")
        assert refused.status_code == 503 and "no searcher was free" in refused.json()["error"]
        assert first.result().status_code == 200 and service.is_alive()


# --- too slow ---------------------------------------------------------------------------------


def drip(line, content, *, pause_s=0.05):
    """Send a byte at a time until the other side has had enough; return the seconds."""
    begin = time.monotonic()
    try:
        for byte in content:
            line.sendall(bytes([byte]))
            time.sleep(pause_s)
    except (BrokenPipeError, ConnectionResetError):
        pass
    return time.monotonic() - begin


@pytest.mark.parametrize("before", [b"", b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"])
def test_a_head_that_comes_by_drops_is_cut_off(tmp_path, before):
    with run_service(tmp_path, head_s=0.4) as service, service.connect() as line:
        line.sendall(before)
        assert drip(line, b"GET /health HTTP/1.1\r\nX: " + 400 * b"y") < 5
        assert service.is_alive()


def test_who_connects_and_says_nothing_is_cut_off(tmp_path):
    with run_service(tmp_path, head_s=0.4) as service, service.connect() as line:
        assert line.recv(1) == b""  # closed; the test's own patience would be an error
        assert service.is_alive()


@pytest.mark.parametrize("promise", [b"Content-Length: 5000", b"Transfer-Encoding: chunked"])
def test_a_body_that_comes_by_drops_is_refused(tmp_path, promise):
    with run_service(tmp_path, body_s=0.3, linger_s=0.2) as service, service.connect() as line:
        line.sendall(HEAD + promise + b"\r\n\r\n")
        content = b"1\r\na\r\n" * 70 if b"chunked" in promise else b"a" * 400
        assert drip(line, content) < 5
        wait_until(lambda: not list(service.folder.iterdir()))
        text = service.client.get("/metrics").text
        assert 'aares_requests_total{path="/identify",status="408"} 1' in text
        assert service.is_alive()


def test_a_large_body_may_take_longer():
    limits = Limits(body_s=2.0, least_rate=1000)
    assert limits.allow_body(0) == 2 and limits.allow_body(10_000) == 12
    with pytest.raises(ValueError, match="search_s: expected a number above 0, found 0"):
        Limits(search_s=0)
    with pytest.raises(ValueError, match="most_bytes: expected a number above 0, found nan"):
        Limits(most_bytes=float("nan"))


def test_who_does_not_read_is_cut_off():
    """A transport that is full says so; the time for that ends with it or with the connection."""
    from asyncio import new_event_loop

    loop, said = new_event_loop(), []

    class Transport:
        def is_closing(self):
            return False

        def abort(self):
            said.append("abort")
            loop.stop()

    protocol = object.__new__(bound_connections(Limits(body_s=0.05)))
    protocol.loop, protocol.transport, protocol._deadlines = loop, Transport(), {}
    protocol.flow = type("Flow", (), {"pause_writing": int, "resume_writing": int})
    protocol.pause_writing()
    protocol.resume_writing()
    loop.call_later(0.15, loop.stop)
    loop.run_forever()
    assert said == []
    protocol.pause_writing()
    loop.call_later(5, loop.stop)
    loop.run_forever()
    loop.close()
    assert said == ["abort"]


def test_a_search_that_takes_too_long_is_ended(tmp_path):
    with run_service(tmp_path, search_s=0.4) as service:
        reply = service.post(b"sleep 60")
        assert reply.status_code == 504 and "more than 0.4 s" in reply.json()["error"]
        wait_until(lambda: service.service.pool.n_ready == 1)
        assert service.is_alive()


def test_a_searcher_that_dies_is_started_again(tmp_path):
    with run_service(tmp_path) as service:
        for _ in range(2):
            reply = service.post(b"die")
            assert reply.status_code == 503 and reply.headers["retry-after"] == "1"
            assert service.is_alive()
        assert "aares_searchers_restarted 2" in service.client.get("/metrics").text
        [searcher] = service.service.pool._searchers
        searcher.kill()  # while it is idle
        wait_until(lambda: not searcher.is_alive)
        assert service.is_alive()


def test_nothing_is_searched_for_a_client_that_has_left(tmp_path):
    with run_service(tmp_path) as service, ThreadPoolExecutor(1) as threads:
        first = threads.submit(service.post, b"sleep 0.6")
        wait_until(lambda: service.service.pool.n_searching == 1)
        with service.connect() as line:
            line.sendall(HEAD + b"Content-Length: 4\r\n\r\nleft")
            wait_until(lambda: service.service.pool.n_waiting == 1)
        assert first.result().status_code == 200
        assert service.is_alive()
        assert not any('"left"' in job for job in service.list_jobs())


def test_what_is_under_way_is_answered_when_the_service_stops(tmp_path):
    with run_service(tmp_path) as service, ThreadPoolExecutor(1) as threads:
        last = threads.submit(service.post, b"sleep 0.5")
        wait_until(lambda: service.service.pool.n_searching == 1)
        service.server.should_exit = True
        assert last.result().status_code == 200
        service.thread.join(10)
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"http://127.0.0.1:{service.port}/health")


# --- broken, foreign ---------------------------------------------------------------------------


BROKEN = {
    "noise": bytes(range(256)) * 8,
    "another protocol": b"GET /health FTP/1.0\r\nHost: localhost\r\n\r\n",
    "no host": b"GET /health HTTP/1.1\r\n\r\n",
    "a head without end": b"GET /health HTTP/1.1\r\nX: " + 40_000 * b"x",
    "a length that is none": HEAD + b"Content-Length: many\r\n\r\n",
    "a length below zero": HEAD + b"Content-Length: -1\r\n\r\n",
    "two lengths": HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\na",
    "a chunk that is none": HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
}


def test_requests_that_are_none_are_refused(tmp_path):
    with run_service(tmp_path, head_s=1.0, linger_s=0.2) as service:
        for what, content in BROKEN.items():
            with service.connect() as line:
                line.sendall(content)
                line.shutdown(socket.SHUT_WR)
                reply = read_reply(line)
            assert reply[:13] in (b"", b"HTTP/1.1 400 ", b"HTTP/1.1 403 "), what
            assert service.is_alive(), what


def test_a_body_that_is_cut_off_leaves_nothing(tmp_path):
    with run_service(tmp_path) as service:
        with service.connect() as line:
            line.sendall(HEAD + b"Content-Length: 100\r\n\r\nhalf")
            wait_until(lambda: list(service.folder.iterdir()))
        wait_until(lambda: not list(service.folder.iterdir()))
        assert service.list_jobs() == [] and service.is_alive()


def test_forms_and_compressed_bodies_are_refused_with_the_remedy(tmp_path):
    with run_service(tmp_path) as service:
        for options in ({"files": {"file": b"sound"}},
                        {"content": b"x", "headers": {"Content-Encoding": "gzip"}}):  # fmt: skip
            reply = service.client.post("/identify", **options)
            assert reply.status_code == 415 and "--data-binary" in reply.json()["error"]
        reply = service.post(b"")
        assert reply.status_code == 400 and "empty" in reply.json()["error"]


def test_wishes_are_read_or_refused(tmp_path):
    wrong = {
        "window=20": "window_s <= 15", "window=nan": "window: expected seconds",
        "step=-1": "step: expected seconds", "timeline=perhaps": "timeline: expected true",
        "windows=3": "no option 'windows'; there are window, step, timeline, name",
    }  # fmt: skip
    with run_service(tmp_path) as service:
        for query, reason in wrong.items():
            reply = service.post(b"sound", params=query)
            assert reply.status_code == 400 and reason in reply.json()["error"]
        assert service.list_jobs() == []
        service.post(b"sound", params="window=8&timeline=false&name=radio.mp3")
        job = json.loads(service.list_jobs()[0])
        assert job["windows"] == {"window_s": 8.0, "step_s": 4.0}
        assert job["timeline"] is False and job["name"] == "radio.mp3"


def test_no_word_of_a_request_becomes_a_path(tmp_path):
    outside = tmp_path / "secret.wav"
    outside.write_bytes(b"secret")
    names = [
        "../secret.wav",
        str(outside),
        "a\0b",
        "a/../../b",
        "x" * 5000,
        "\ud800".encode("utf-8", "surrogatepass"),
    ]
    with run_service(tmp_path) as service:
        for name in names:
            reply = service.post(b"sound", params={"name": name})
            assert reply.status_code == 200
            assert len(reply.json()["file"]) <= 210 and "\0" not in reply.json()["file"]
        for path in ("/identify/../../secret.wav", "/..%2f..%2fsecret.wav", "/recordings/1"):
            reply = service.client.request("GET", path)
            assert reply.status_code in (404, 405) and "GET /recordings" in reply.json()["error"]
        jobs = [json.loads(job) for job in service.list_jobs()]
        folder = str(service.folder)
        assert [job["path"] for job in jobs] == [f"{folder}/{n}.upload" for n in range(1, 7)]
        assert {job["content"] for job in jobs} == {"sound"}


def test_others_need_the_token_and_other_sites_get_nothing(tmp_path):
    with run_service(tmp_path, token="a-long-secret") as service:
        ask = service.client.get
        assert ask("/health").status_code == 200
        assert ask("/metrics").status_code == 403 == service.post(b"sound").status_code
        assert ask("/metrics?token=a-long-secret").status_code == 200
        right = {"Authorization": "Bearer a-long-secret"}
        assert service.post(b"sound", headers=right).status_code == 200
        for wrong in ({"Authorization": "Bearer another"}, {"Authorization": "a-long-secret"},
                      right | {"Host": "evil.example"}, right | {"Origin": "http://evil.example"},
                      right | {"Sec-Fetch-Site": "cross-site"}):  # fmt: skip
            reply = service.post(b"sound", headers=wrong)
            assert reply.status_code == 403 and reply.json()["error"]


def test_an_upload_that_cannot_be_kept_is_refused(tmp_path):
    with run_service(tmp_path) as service:
        shutil.rmtree(service.folder)
        reply = service.post(b"sound")
        assert reply.status_code == 503 and "cannot be kept (No such file" in reply.json()["error"]
        service.folder.mkdir()
        assert service.is_alive()


# --- what it tells of itself -------------------------------------------------------------------


def test_the_index_is_listed_in_pages(tmp_path):
    with run_service(tmp_path) as service:
        ask = service.client.get
        page = ask("/recordings?offset=1&limit=1").json()
        assert page == {"total": 3, "offset": 1, "recordings": [{"name": "two", "seconds": 2.0}]}
        assert ask("/recordings?offset=3").json()["recordings"] == []
        assert len(ask("/recordings").json()["recordings"]) == 3
        for query in ("limit=1001", "offset=-1", "offset=one", "page=2"):
            assert ask(f"/recordings?{query}").status_code == 400


def test_health_is_bad_where_nothing_can_be_answered(tmp_path):
    with run_service(tmp_path) as service:
        assert service.client.get("/health").json() == {"status": "ok", "searchers": 1}
        [searcher] = service.service.pool._searchers
        service.service.pool._words = ("/nowhere/python",)
        searcher.kill()
        wait_until(lambda: service.client.get("/health").status_code == 503)


def read_metrics(text):
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
            for line in text.splitlines() if not line.startswith("#")}  # fmt: skip


def test_what_happens_is_counted(tmp_path):
    with run_service(tmp_path) as service:
        for _ in range(3):
            service.post(b"sound")
        service.post(b"sleep 0.3")
        service.client.get("/nowhere")
        reply = service.client.get("/metrics")
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = read_metrics(reply.text)
    assert found['aares_requests_total{path="/identify",status="200"}'] == 4
    assert found['aares_requests_total{path="other",status="404"}'] == 1
    assert found['aares_outcomes_total{outcome="match"}'] == 4
    assert found["aares_identify_seconds_count"] == 4
    assert 0.3 < found["aares_identify_seconds_sum"] < 20
    assert found['aares_identify_seconds_bucket{le="0.25"}'] <= 3
    assert found["aares_index_recordings"] == 3 and found["aares_index_bytes"] > 1000
    assert found["aares_requests_in_flight"] == 1, "the one that asks"
    assert found["aares_searchers_ready"] == 1 and found["aares_requests_waiting"] == 0


def test_buckets_hold_all_up_to_their_limit():
    metrics = Metrics()
    for seconds in (*BUCKETS_S, 1e9):
        metrics.count_request("/identify", 200, seconds)
    metrics.count_request("/identify", 504, 0.001)
    found = read_metrics(metrics.write({}))
    names = [f'aares_identify_seconds_bucket{{le="{limit}"}}' for limit in (*BUCKETS_S, "+Inf")]
    assert [found[name] for name in names] == list(range(1, len(BUCKETS_S) + 2))
    assert found["aares_identify_seconds_count"] == len(BUCKETS_S) + 1
