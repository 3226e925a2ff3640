"""Pictures of the labelling page, as a browser shows it: ``python -m workshop.label.picture``.

The notebook shows the one that is committed beside this module.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

from aares.errors import AaresError
from workshop.config import DEMO

PICTURE = Path(__file__).with_name("label.png")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox", "--disable-background-networking", "--disable-component-update",
    "--autoplay-policy=no-user-gesture-required",
)  # fmt: skip
LOOKS = {"light": (820, 660), "dark": (820, 660), "phone": (390, 800)}
"""Name and size in pixels of each picture of a view."""
PLAYED_MS = 3000
N_COLOURS = 256


class PictureError(AaresError):
    """There is no browser to take pictures with."""


def find_browser() -> str | None:
    """Find a Chromium.

    Returns
    -------
    str or None
        Its path; None where none is installed.

    Examples
    --------
    >>> find_browser() in (None, *map(shutil.which, BROWSERS))
    True
    """
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def take_pictures(folder: Path, *, songs: Path = DEMO / "songs") -> list[Path]:
    """Take pictures of the first page and of a pair that plays, by day, by night, on a phone.

    Parameters
    ----------
    folder : Path
        Made if needed.
    songs : Path
        A folder of songs to pair.

    Returns
    -------
    list of Path
        ``setup-light.png``, ..., ``pair-phone.png``, in 256 colours.

    Raises
    ------
    PictureError
        There is no Chromium, or no package to steer it with.
    """
    path = find_browser()
    if path is None:
        raise PictureError(f"expected a browser ({', '.join(BROWSERS)}), found none: install one")
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError as error:
        raise PictureError("expected the package playwright: pip install 'aares[test]'") from error
    folder.mkdir(parents=True, exist_ok=True)
    with _serve(songs) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        page = browser.new_page()
        _skip_practice(page, url)
        page.goto(url)
        page.locator("#definition:not(:empty)").wait_for()
        pictures = _take_looks(page, folder, "setup")
        _play_second_pair(page)
        pictures += _take_looks(page, folder, "pair")
        browser.close()
    return pictures


@contextmanager
def _serve(songs: Path) -> Iterator[str]:
    """Have the page's server in a thread, with a database that is thrown away."""
    import uvicorn

    from workshop.label.app import make_app
    from workshop.label.desk import Desk
    from workshop.label.songs import list_songs
    from workshop.label.store import Store

    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "labels.sqlite")
        app = make_app(Desk(store, list_songs(songs), random_state=0), hosts={"127.0.0.1"})
        config = uvicorn.Config(app, port=0, log_level="warning", lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        try:
            while not server.started and thread.is_alive():
                time.sleep(0.02)
            port = server.servers[0].sockets[0].getsockname()[1]
            yield f"http://127.0.0.1:{port}/"
        finally:
            server.should_exit = True
            thread.join()
            store.close()


def _skip_practice(page: Any, url: str) -> None:
    """Answer what comes before the first pair, so that nobody has to wait for it."""
    rater = {"name": "Ada", "device": "headphones", "join": "cut"}
    told = page.request.post(f"{url}api/raters", data=rater | {"uuid": str(uuid.uuid4())}).json()
    for lesson in told["training"]:
        answer = {
            "uuid": str(uuid.uuid4()), "rater": told["rater"], "pair": lesson["pair"],
            "answer": lesson["answer"], "heard_ms": 20_000, "join_heard": True, "replays": 0,
            "reaction_ms": 0, "join": "cut", "levels": "levelled", "rate": 48_000,
            "page_version": "picture",
        }  # fmt: skip
        page.request.post(f"{url}api/answers", data=answer)


def _play_second_pair(page: Any) -> None:
    page.fill("#name", "Ada")
    page.check("[value=headphones]")
    page.click("text=Begin with four")
    page.locator("#play[aria-disabled=false]").wait_for()
    page.keyboard.press("j")
    page.locator("#answers [aria-disabled=false]").first.wait_for()
    page.keyboard.press("y")
    page.locator("#told:has-text('→')").wait_for()
    page.wait_for_timeout(PLAYED_MS)


def _take_looks(page: Any, folder: Path, view: str) -> list[Path]:
    paths = []
    page.evaluate("document.activeElement.blur()")
    for look, (width, height) in LOOKS.items():
        page.emulate_media(color_scheme="dark" if look == "dark" else "light")
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(150)
        paths.append(folder / f"{view}-{look}.png")
        page.screenshot(path=paths[-1])
        with Image.open(paths[-1]) as picture:
            small = picture.convert("RGB").quantize(N_COLOURS, dither=Image.Dither.NONE)
        small.save(paths[-1], optimize=True)
    return paths


def main(arguments: list[str] | None = None) -> int:
    """Take all pictures; the one of a pair by day becomes the notebook's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("build") / "label")
    pictures = take_pictures(parser.parse_args(arguments).folder)
    shutil.copy(next(path for path in pictures if path.name == "pair-light.png"), PICTURE)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
