"""What tests of the service share: a small index, and a service whose searchers cost nothing."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import uvicorn

from aares.identify import Index
from aares.serve.addresses import list_hosts
from aares.serve.app import Service, make_service_app
from aares.serve.limits import Limits
from aares.serve.living import LivingIndex
from aares.serve.pool import Pool
from aares.serve.running import make_config

FAKE = """
import json, sys, time
print(json.dumps({}), flush=True)
for line in sys.stdin:
    job = json.loads(line)
    content = open(job["path"], "rb").read(100)
    with open(sys.argv[1] + ".jobs", "a") as log:
        log.write(json.dumps({**job, "content": content.decode("latin-1")}) + "\\n")
    word, _, seconds = content.decode("latin-1").partition(" ")
    if word == "die":
        sys.exit(1)
    if word == "sleep":
        time.sleep(float(seconds))
    print(json.dumps({"status": 200, "told": {"file": job["name"], "reason": "match"}}), flush=True)
"""


def make_index(path, names=("one", "two", "three"), *, seconds=12):
    """An index of noises, and the noises."""
    sounds = {}
    for number, name in enumerate(names):
        rng = np.random.default_rng(number)
        sounds[name] = 0.1 * rng.standard_normal(seconds * 8000).astype(np.float32)
    Index.from_signals(sounds).save(path)
    return sounds


class RunningService:
    """A service on a thread; its folder and counts can be looked at."""

    def __init__(self, service, port):
        self.service, self.port, self.folder = service, port, service.folder
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20, verify=False)

    def post(self, content, **options):
        return self.client.post("/identify", content=content, **options)

    def connect(self):
        line = socket.create_connection(("127.0.0.1", self.port))
        line.settimeout(10)
        return line

    def is_alive(self):
        return self.post(b"sound").status_code == 200 and not list(self.folder.iterdir())

    def list_jobs(self):
        path = Path(f"{self.service.living.path}.jobs")
        return path.read_text().splitlines() if path.exists() else []


@contextmanager
def run_service(folder, *, n_searchers=1, token="", **limits):
    """Serve an index of noises with searchers that are made up."""
    index, uploads = folder / "a.index", folder / "uploads"
    if not index.exists():
        make_index(index, seconds=2)
    uploads.mkdir()
    bounds = Limits(**limits)
    program = (sys.executable, "-S", "-c", FAKE)
    pool = Pool(index, uploads, n_searchers=n_searchers, limits=bounds, program=program)
    service = Service(LivingIndex(index), pool, uploads)
    app = make_service_app(service, hosts=list_hosts("127.0.0.1"), token=token)
    server = uvicorn.Server(make_config(app, bounds))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(
            target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True
        )
        thread.start()
        running = RunningService(service, listener.getsockname()[1])
        running.server, running.thread = server, thread
        try:
            wait_until(lambda: server.started and pool.n_ready == n_searchers)
            yield running
        finally:
            running.client.close()
            server.should_exit = True
            thread.join(20)
    assert not thread.is_alive() and pool.n_ready == 0


def wait_until(is_true, *, seconds=20.0):
    """Wait for what another thread or process does."""
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.01)
