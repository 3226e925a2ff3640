"""A real browser for tests of pages, and the labelling page's server in a process of its own.

`conftest` has the fixtures. Without a Chromium on the machine, or without the package `playwright`,
the tests that ask for them are skipped and say so.
"""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from workshop.config import ROOT
from workshop.label.picture import BROWSERS, FLAGS, find_browser

QUICK = """
import sys
from workshop.label import clips, desk
clips.CLIP_S, clips.SHORTEST_S, clips.FIRST_READ_S = 0.15, 0.1, 1.0
clips.level_sound = lambda y, sr, **options: y  # too short for a measurement of loudness
desk.LEAST_HEARD_MS = 100
from workshop.commands import main
raise SystemExit(main(sys.argv[1:]))
"""
"""The server with clips of 0.15 s instead of 10 s, so that hundreds are heard in a minute."""


@pytest.fixture(scope="module")
def chromium() -> Iterator:
    """A Chromium without a window; while it runs, nothing else may run an event loop."""
    api = pytest.importorskip("playwright.sync_api", reason="the package playwright is missing")
    path = find_browser()
    if path is None:
        pytest.skip(f"no browser here: none of {', '.join(BROWSERS)} is installed")
    with api.sync_playwright() as playwright:
        api.expect.set_options(timeout=60_000)  # of a machine that does other things, too
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium) -> Iterator:
    """Open an address in a browser of its own; what goes wrong in its console fails the test.

    Chromium itself says there that a server is not reached, which is no fault of the page: a test
    that takes it away sets ``page.outage``.
    """
    said: list[str] = []
    contexts = []

    def open_one(url: str, **options):
        context = chromium.new_context(**{"viewport": {"width": 1000, "height": 900}} | options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.outage = False

        def note(message):
            is_outage = page.outage and message.text.startswith("Failed to load resource: net::")
            if message.type in ("error", "warning") and not is_outage:
                said.append(f"{message.text} ({message.location.get('url')})")

        page.on("console", note)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(url)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert said == []


class LabelServer:
    """``run.py label`` in a process that can be killed and started again.

    Parameters
    ----------
    folder : Path
        For the database and the log.
    songs : Path
    quick : bool
        Clips of 0.15 s.
    """

    def __init__(self, folder: Path, songs: Path, *, quick: bool = False) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self.database, self.log = folder / "labels.sqlite", folder / "server.log"
        program = ["-c", QUICK] if quick else ["-m", "workshop"]
        options = ["--songs", songs, "--database", self.database, "--port", self.port]
        self._command = [sys.executable, *program, "label", *map(str, options), "--no-browser"]
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        assert not self.is_running(), "another one would answer in its place, and outlive the tests"
        environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                self._command, cwd=ROOT, env=environment, stdout=log, stderr=log
            )
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{self.url}api/about", timeout=5).close()
                return
            except (urllib.error.URLError, ConnectionError):
                assert self._process.poll() is None, self.log.read_text()
                time.sleep(0.1)
        raise AssertionError(f"no answer: {self.log.read_text()}")

    def is_running(self) -> bool:
        """Tell whether it was started, and has not ended."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """End it as ``kill -9`` does: nothing is put in order."""
        self._process.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
        self._process.wait()

    def ask(self, query: str, *values) -> list[tuple]:
        """Read the database beside the server."""
        with sqlite3.connect(f"{self.database.as_uri()}?mode=ro", uri=True) as connection:
            found = connection.execute(query, values).fetchall()
        connection.close()
        return found

    def list_answers(self, name: str) -> list[str]:
        """Return the answers of a rater that count, in their order, practice left out."""
        query = """
            SELECT json_extract(e.body, '$.answer') FROM events e
            JOIN shown s ON s.id = e.pair AND s.kind != 'training'
            WHERE e.kind = 'answer' AND e.rater = (
                SELECT rater FROM events WHERE kind = 'rater' AND json_extract(body, '$.name') = ?
            ) AND e.uuid NOT IN (
                SELECT json_extract(body, '$.of') FROM events WHERE kind = 'undo'
            ) ORDER BY e.number
        """
        return [answer for (answer,) in self.ask(query, name)]


def write_songs(folder: Path, n: int, *, seconds: float = 34.0, sr: int = 8000) -> Path:
    """Write songs of one tone each with some noise, long enough to be cut for practice."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    t = np.arange(int(seconds * sr)) / sr
    for number in range(n):
        y = 0.2 * np.sin(2 * np.pi * (220 + 20 * number) * t) + 0.02 * rng.standard_normal(len(t))
        sf.write(folder / f"{number:02d} tone.wav", y, sr)
    return folder


def run_server(folder: Path, songs: Path, *, quick: bool = False) -> Iterator[LabelServer]:
    """Have a server for as long as a fixture lives."""
    server = LabelServer(folder, songs, quick=quick)
    server.start()
    yield server
    server.kill()


# --- what holds for every page: names, contrast, headings, rings around what has the focus

CONTRAST = """
() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const mix = (above, below, share) =>
    [0, 1, 2].map((i) => above[i] * share + below[i] * (1 - share));
  const light = (colour) => {
    const [r, g, b] = colour.map((x) => x / 255)
      .map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const findGround = (element) => {
    if (!element) return [255, 255, 255];
    const colour = parse(getComputedStyle(element).backgroundColor);
    return mix(colour, findGround(element.parentElement), colour[3] ?? 1);
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const hasText = [...element.childNodes].some((x) => x.nodeType === 3 && x.data.trim());
    if (!hasText || !element.checkVisibility()) continue;
    const style = getComputedStyle(element), ground = findGround(element);
    const text = mix(parse(style.color), ground, Number(style.opacity));
    const [high, low] = [light(text), light(ground)].sort((x, y) => y - x);
    found.push([element.textContent.trim().slice(0, 40), (high + 0.05) / (low + 0.05)]);
  }
  return found;
}
"""
NAMELESS = """
() => {
  const named = "button, input, select, progress, dialog, nav, section, canvas, [role=img], "
    + "[role=radiogroup], [role=group], [role=listbox], [role=application]";
  return [...document.querySelectorAll(named)].filter((x) => {
    const ids = (x.getAttribute("aria-labelledby") ?? "").split(" ");
    const labels = [...ids.map((id) => document.getElementById(id)), ...(x.labels ?? [])];
    const texts = [x.ariaLabel, ...labels.map((y) => y?.textContent)];
    if (x.matches("button")) texts.push(x.textContent);
    return !texts.some((y) => y?.trim());
  }).map((x) => x.outerHTML);
}
"""
RINGS = """
() => {
  const style = getComputedStyle(document.activeElement);
  const { id, value, textContent } = document.activeElement;
  return [id || value || textContent.trim(), style.outlineStyle, parseFloat(style.outlineWidth)];
}
"""


def check_view(page, *, tab_stops: int) -> None:
    """Look at what is shown now: names, contrast, headings, rings around what has the focus."""
    assert page.evaluate(NAMELESS) == []
    texts = page.evaluate(CONTRAST)
    assert len(texts) > 3 and [x for x in texts if x[1] < 4.5] == []
    assert page.locator("h1:visible").count() == 1
    seen = set()
    for _ in range(tab_stops + 3):
        page.keyboard.press("Tab")
        what, style, width = page.evaluate(RINGS)
        if what and page.evaluate("document.activeElement !== document.body"):
            assert style == "solid" and width >= 2, what
            seen.add(what)
    assert len(seen) >= tab_stops, seen
