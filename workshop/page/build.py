"""Write the page, as a folder of files or as one file, the same bytes each time.

``python3 run.py page`` calls :func:`write_page`. The page quotes the answers of the notebooks, and
like the report it refuses those of other data or of another state of the code. All that it shows
besides is computed here from the tables and the songs.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from aares.errors import AaresError
from aares.files import digest, write_atomic
from workshop.config import ROOT, Workplace
from workshop.page.joins import make_joins
from workshop.page.songs import make_songs
from workshop.page.sounds import make_excerpts, make_identifier
from workshop.report import check_results
from workshop.stamps import stamp_script

WEB = Path(__file__).with_name("web")
JOIN = ROOT / "workshop" / "label" / "page" / "join.js"
"""The labelling page's own: both play two songs in the same way."""
REPORT = "../report.pdf"
MOST_BYTES = 8_000_000
FIRST, LAST = ("base.js", "join.js"), ("page.js",)
QUOTED = {
    "look": ("03_recommendation", "05_conformal"), "join": ("06_chainable",),
    "listen": ("04_fingerprints",), "identify": (),
}  # fmt: skip
"""Whose answers stand under which section."""
SAFE = "default-src 'none'; script-src {}; style-src {}; img-src data:; media-src data: blob:"


class PageError(AaresError):
    """The page cannot be written, or would be too large."""


def list_data() -> dict[str, Callable[[Workplace], dict[str, Any]]]:
    """Return what makes each data file of the page.

    Returns
    -------
    dict of str to callable
        ``NAME`` of ``data-NAME.js``, and a function of the source.
    """
    return {
        "songs": make_songs, "joins": make_joins, "identifier": make_identifier,
        "excerpts": make_excerpts,
    }  # fmt: skip


def write_page(source: Workplace) -> list[Path]:
    """Write the page to ``report/page/`` below ``source.out``.

    Parameters
    ----------
    source : Workplace

    Returns
    -------
    list of Path
        Its files, ``index.html`` first. Files of an earlier page that this one has not are gone.

    Raises
    ------
    ReportError
        Results of the notebooks are missing, of another build or of other data.
    PageError
        The page would have more than 8 MB.
    """
    folder = source.out / "report" / "page"
    files = render_page(source)
    if folder.is_dir():
        for old in folder.iterdir():
            if old.name not in files:
                old.unlink()
    return [write_atomic(folder / name, content) for name, content in files.items()]


def render_page(source: Workplace) -> dict[str, bytes]:
    """Return the files of the page; errors as in :func:`write_page`.

    Parameters
    ----------
    source : Workplace

    Returns
    -------
    dict of str to bytes
        By name, ``index.html`` first.
    """
    answers = {name: section["answer"] for name, section in check_results(source).items()}
    parts = _read_parts()
    made = {
        f"data-{name}.js": encode_data(name, make(source)) for name, make in list_data().items()
    }
    middle = sorted(name for name in parts if name.endswith(".js") and name not in FIRST + LAST)
    scripts = [FIRST[0], *made, *FIRST[1:], *middle, *LAST]
    policy = SAFE.format("'self' file:", "'self' file:")
    index = _fill_index(parts.pop("index.html").decode(), source, answers)
    index = index.replace("{state}", _describe_state(source, answers))
    tags = "\n  ".join(f'<script defer src="{name}"></script>' for name in scripts)
    index = index.replace("{policy}", policy).replace("<!-- scripts -->", tags)
    files = {"index.html": index.encode(), **made, **parts}
    size = sum(map(len, files.values()))
    if size > MOST_BYTES:
        raise PageError(f"page: expected at most {MOST_BYTES:,} bytes, found {size:,}")
    return files


def read_page(source: Workplace) -> dict[str, bytes]:
    """Read the page that was written, and check that it is of this data and code.

    Parameters
    ----------
    source : Workplace

    Returns
    -------
    dict of str to bytes
        As :func:`render_page`; empty where none was written.

    Raises
    ------
    ReportError
        As :func:`write_page`.
    PageError
        It is of another state.
    """
    folder = source.out / "report" / "page"
    files = {path.name: path.read_bytes() for path in sorted(folder.glob("*.*"))}
    if "index.html" not in files:
        return {}
    answers = {name: section["answer"] for name, section in check_results(source).items()}
    if f'content="{_describe_state(source, answers)}"' not in files["index.html"].decode():
        again = "python3 run.py page" + (" --data demo" if source.kind == "demo" else "")
        raise PageError(f"report/page is of another state of data or code: run {again}")
    return files


def render_single(files: Mapping[str, bytes], *, report: str = REPORT) -> bytes:
    """Return the page as one file that needs no other.

    Parameters
    ----------
    files : mapping of str to bytes
        Of :func:`render_page`.
    report : str
        Where the report lies, as the page sees it.

    Returns
    -------
    bytes
        HTML; scripts and style stand in it, and its policy knows them by their digests.
    """
    index = files["index.html"].decode().replace(f'href="{REPORT}"', f'href="{report}"')
    digests: dict[str, list[str]] = {"script": [], "style": []}

    def put_in(tag: str, name: str) -> str:
        """Return a file as an element, whose digest the policy knows.

        Parameters
        ----------
        tag, name : str

        Returns
        -------
        str
        """
        text = files[name].decode().replace("</script", "<\\/script")
        known = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        digests[tag].append(f"'sha256-{known}'")
        return f"<{tag}>{text}</{tag}>"

    style = re.search(r'<link rel="stylesheet" href="([^"]+)">', index)
    scripts = re.findall(r'<script defer src="([^"]+)"></script>', index)
    if style:
        index = index.replace(style[0], put_in("style", style[1]))
    # What is written in the page runs where it stands: the last thing, when all else is there.
    index = re.sub(r'\s*<script defer src="[^"]+"></script>', "", index)
    written = "\n".join(put_in("script", name) for name in scripts)
    index = index.replace("</body>", f"{written}\n</body>")
    old = SAFE.format("'self' file:", "'self' file:")
    new = SAFE.format(" ".join(digests["script"]), " ".join(digests["style"]))
    return index.replace(old, new).encode()


def encode_data(name: str, data: Mapping[str, Any]) -> bytes:
    """Return a script that gives data to the page.

    Parameters
    ----------
    name : str
        It becomes ``AARES.data.NAME``.
    data : mapping
        JSON, where arrays of integers or floats stand for :func:`encode_array` of them.

    Returns
    -------
    bytes

    Examples
    --------
    >>> encode_data("songs", {"years": np.array([1977], dtype=np.uint16)})
    b'AARES.data.songs = {"years":{"type":"Uint16","base64":"uQc="}};\\n'
    """
    text = json.dumps(
        data, default=encode_array, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    # A script in a page ends where it says so, wherever that stands.
    text = text.replace("</", "<\\/")
    return f"AARES.data.{name} = {text};\n".encode()


def encode_array(values: np.ndarray) -> dict[str, str]:
    """Return numbers as text that ``AARES.read`` makes a typed array of.

    Parameters
    ----------
    values : ndarray of uint8, uint16, uint32, int16 or float32
        Of more dimensions, row after row.

    Returns
    -------
    dict
        ``type`` and ``base64``, little end first.

    Raises
    ------
    TypeError
        Of another type.
    """
    names = {"u1": "Uint8", "u2": "Uint16", "u4": "Uint32", "i2": "Int16", "f4": "Float32"}
    kind = getattr(values, "dtype", np.dtype(object)).str[1:]
    if kind not in names:
        raise TypeError(
            f"page: expected an array of {', '.join(names.values())}, found {values!r:.60}"
        )
    content = np.ascontiguousarray(values.astype(f"<{kind}")).tobytes()
    return {"type": names[kind], "base64": base64.b64encode(content).decode()}


def _read_parts() -> dict[str, bytes]:
    """Return what the browser runs, line ends as Git has them."""
    paths = [*sorted(WEB.iterdir()), JOIN]
    return {path.name: path.read_bytes().replace(b"\r\n", b"\n") for path in paths}


def _describe_state(source: Workplace, answers: Mapping[str, str]) -> str:
    """Return what changes when the page would."""
    state = stamp_script(Path(__file__), source) | {"answers": dict(answers)}
    parts = {name: digest(content) for name, content in _read_parts().items()}
    return digest(json.dumps([state, parts], sort_keys=True).encode())


def _fill_index(index: str, source: Workplace, answers: Mapping[str, str]) -> str:
    demo = (
        "<strong>Demo edition.</strong> The songs on the map are <strong>synthetic</strong>: "
        "titles, artists and listeners are invented, only the method is real. What is heard was "
        "rendered by this project from scores in the public domain."
    )
    course = (
        "<strong>Course edition.</strong> The map is made from the course's own tables: keep this "
        "folder to yourself. What is heard was rendered by this project from scores in the public "
        "domain."
    )
    values = {"edition": demo if source.kind == "demo" else course, "report": REPORT}
    for section, names in QUOTED.items():
        said = "".join(f"<p>{_write_html(answers[name])}</p>" for name in names if name in answers)
        values[f"answer-{section}"] = said and f"<blockquote>{said}</blockquote>"
    for key, value in values.items():
        index = index.replace(f"{{{key}}}", value)
    return index


def _write_html(markdown: str) -> str:
    """Write the little Markdown that answers have: strong, emphasis, code."""
    text = html.escape(markdown, quote=False)
    text = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", text)
    text = re.sub(r"\*(.+?)\*", r"<em>\1</em>", text)
    return re.sub(r"`(.+?)`", r"<code>\1</code>", text)
