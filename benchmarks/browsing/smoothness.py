"""How large the page is, when it is seen, how smoothly its map is dragged.

Opens the page that ``python3 run.py page`` wrote in a headless Chromium, which draws without a
graphics card. Medians are of several openings and of several drags of three seconds. The map that
is dragged has 25,000 points, made up where the page has fewer songs. Where other work shares the
machine the best drag tells more, and ``cpu_ms``: what the page's process works for one frame, by
its own account, pictures and scripts together.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from aares.errors import AaresError
from benchmarks.browsing.identifier import read_cpu_s
from workshop.config import Workplace
from workshop.label.picture import FLAGS, find_browser

N_OPENED, N_DRAGGED, N_POINTS = 7, 7, 25_000
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1"
LOADED = "performance.getEntriesByType('navigation')[0].domComplete"
DRAG = """(n) => new Promise((done) => {
  const canvas = document.querySelector("#song-map"), few = AARES.map.x.length < n;
  const make = () => Float32Array.from({ length: n }, Math.random);
  const map = few ? new AARES.SongMap(canvas, make(), make()) : AARES.map;
  map.setSlots(Uint8Array.from(map.x, (_, i) => i % 9));
  map.resize();
  const times = [], drawn = [], plain = map.draw.bind(map);
  map.draw = () => { const t = performance.now(); plain(); drawn.push(performance.now() - t); };
  const step = (t) => {
    times.push(t);
    if (times.length > 180) return done([times.slice(1).map((v, k) => v - times[k]), drawn]);
    map.move(times.length % 60 < 30 ? 3 : -3, 1);
    return requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})"""


def measure_page(index: Path) -> dict[str, float]:
    """Measure the page that lies at `index`."""
    from playwright.sync_api import sync_playwright

    size = sum(path.stat().st_size for path in index.parent.iterdir())
    paints, ready = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=list(FLAGS))
        for _ in range(N_OPENED):
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(index.as_uri())
            page.locator("html[data-ready=yes]").wait_for()
            paints.append(page.evaluate(PAINT))
            ready.append(page.evaluate(LOADED))
            if len(paints) < N_OPENED:
                page.close()
        drags = [drag(page) for _ in range(N_DRAGGED)]
        browser.close()
    return {
        "kilobytes": round(size / 1000), "first_paint_ms": round(median(paints)),
        "least_paint_ms": round(min(paints)), "loaded_ms": round(median(ready)),
        "points": N_POINTS, "drags": N_DRAGGED,
        "median_frames_per_s": round(median(one["frames_per_s"] for one in drags), 1),
        "best_frames_per_s": round(max(one["frames_per_s"] for one in drags), 1),
        "slowest_frame_ms": round(median(one["slowest_ms"] for one in drags), 1),
        "drawn_ms": round(median(one["drawn_ms"] for one in drags), 2),
        "cpu_ms": round(median(one["cpu_ms"] for one in drags), 2),
    }  # fmt: skip


def drag(page: Any) -> dict[str, float]:
    """Drag the map for three seconds; return frames a second and times of a frame."""
    processes = page.context.browser.new_browser_cdp_session()
    before_s = read_cpu_s(processes)
    deltas, drawn = page.evaluate(DRAG, N_POINTS)
    return {
        "frames_per_s": 1000 * len(deltas) / sum(deltas), "slowest_ms": max(deltas),
        "drawn_ms": median(drawn), "cpu_ms": 1000 * (read_cpu_s(processes) - before_s) / len(drawn),
    }  # fmt: skip


def measure(source: Workplace, *, tuning: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what was measured of the page of this data."""
    index = source.out / "report" / "page" / "index.html"
    if not index.is_file() or find_browser() is None:
        raise AaresError("page: a page (python3 run.py page) and a Chromium are needed")
    yield "map", measure_page(index)
