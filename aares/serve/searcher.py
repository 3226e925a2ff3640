"""The program of a searcher: ``python -m aares.serve.searcher``, started by :mod:`.pool`.

It reads a line of JSON for each file, and writes one with what it knows of it. It ends when nobody
sends any more, and takes the uploads' folder away then: whoever sent may have been killed.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from aares.errors import AaresError
from aares.identify.hearing import TooLongError, hear_file
from aares.identify.peaks import RATE_HZ
from aares.serve.living import LivingIndex

GRACE_S = 5  # whoever sent the file ends the search before


def answer_job(living: LivingIndex, job: Mapping[str, Any]) -> dict[str, Any]:
    """Identify a file.

    Parameters
    ----------
    living : LivingIndex
    job : mapping
        ``path``, ``name``, ``windows``, ``timeline`` and ``longest_s`` as of
        `aares.identify.hearing.hear_file`.

    Returns
    -------
    dict
        ``status`` of HTTP, and ``told`` or ``error``.

    Examples
    --------
    >>> import tempfile
    >>> from aares.identify import Index
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     index = Index.from_signals({"a": np.ones(8000)}).save(f"{folder}/music.index")
    ...     _ = Path(folder, "7").write_text("Dear all")
    ...     job = {"path": f"{folder}/7", "name": "a.mp3", "windows": {}, "timeline": True,
    ...            "longest_s": 60.0}
    ...     found = answer_job(LivingIndex(index), job)
    >>> found["status"], found["error"][:29]
    (422, 'a.mp3: not readable as audio ')
    """
    options = {key: job[key] for key in ("name", "windows", "timeline", "longest_s")}
    try:
        heard = hear_file(living.get(), job["path"], **options)
        return {"status": 200, "told": heard.to_dict()}
    except TooLongError as error:
        return {"status": 413, "error": str(error)}
    except ValueError as error:
        return {"status": 400, "error": str(error)}
    except AaresError as error:
        return {"status": 422, "error": _hide(str(error), job)}


def _hide(text: str, job: Mapping[str, Any]) -> str:
    """Put the client's name of a file for ours."""
    path = Path(job["path"])
    text = text.replace(str(path), job["name"])
    return job["name"] + text.removeprefix(path.name) if text.startswith(path.name) else text


def main(index: str, folder: str, search_s: float) -> None:
    """Answer until standard input ends.

    Parameters
    ----------
    index : str
    folder : str
        Of the uploads.
    search_s : float
        In which a search has to end.
    """
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever libraries print is no answer
    living = LivingIndex(index)
    rng = np.random.default_rng(0)
    living.get().identify(rng.standard_normal(5 * RATE_HZ), RATE_HZ)  # compiled code is loaded
    print(json.dumps({"n": len(living.get())}), file=out, flush=True)
    for line in sys.stdin:
        if hasattr(signal, "alarm"):
            signal.alarm(int(search_s) + GRACE_S)
        found = answer_job(living, json.loads(line))
        if hasattr(signal, "alarm"):
            signal.alarm(0)
        print(json.dumps(found), file=out, flush=True)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt, BrokenPipeError):
        main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
