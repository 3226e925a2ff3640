"""The model of joins, fitted again while people answer: a process of its own, so nobody waits.

:class:`Learner` lives in the server and is handed the answers; this module run as a program
(``python -m workshop.label.learning``) does the work. They speak in lines of JSON: first the songs
and pairs, then answers, and for each line of answers a line of probabilities comes back. When the
server is gone, its end of the pipe closes, and the program ends.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from aares.chaining.edges import Edge
from aares.errors import AudioError

COMMAND = (sys.executable, "-P", "-W", "ignore", "-m", "workshop.label.learning")
NICENESS = 10  # the page comes first
UNKNOWN = 0.5


class Learner:
    """Hands answers to the model, and what it learnt to the choice.

    Parameters
    ----------
    folder : Path
        Of songs.
    pairs : DataFrame
        Of :func:`.songs.draw_candidates`.
    tell : callable
        Given probabilities, shape (n_pairs,), or None while there is nothing to know; from another
        thread.
    command : sequence of str
        The program that fits.
    """

    def __init__(
        self,
        folder: Path,
        pairs: pd.DataFrame,
        tell: Callable[[npt.NDArray[np.float64] | None], None],
        *,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._tell = tell
        self._answers: queue.Queue = queue.Queue()
        table = {name: pairs[name].tolist() for name in ("a", "b", "kind")}
        self._first = json.dumps({"folder": str(folder.absolute()), **table})
        self._process = subprocess.Popen(
            list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            encoding="utf-8",
        )  # fmt: skip
        self._thread = threading.Thread(target=self._run, name="learner", daemon=True)
        self._thread.start()

    def learn(self, answers: pd.DataFrame) -> None:
        """Fit again, soon; answers that wait for a fit are replaced by newer ones.

        Parameters
        ----------
        answers : DataFrame
            ``rater``, ``row``, ``answer``.
        """
        self._answers.put({name: answers[name].tolist() for name in ("rater", "row", "answer")})

    def close(self) -> None:
        """End the process."""
        self._answers.put(None)
        self._process.kill()
        self._process.wait()
        self._thread.join()

    def _run(self) -> None:
        with suppress(OSError, ValueError):  # the process is gone: choices go on by what is known
            self._send(self._first)
            while (newest := self._get_newest()) is not None:
                self._send(json.dumps(newest))
                found = json.loads(self._process.stdout.readline())  # type: ignore[union-attr]
                self._tell(None if found is None else np.array(found))

    def _get_newest(self) -> dict[str, Any] | None:
        newest = self._answers.get()
        while newest is not None and not self._answers.empty():
            newest = self._answers.get()
        return newest

    def _send(self, line: str) -> None:
        self._process.stdin.write(line + "\n")  # type: ignore[union-attr]
        self._process.stdin.flush()  # type: ignore[union-attr]


def describe_edges(folder: Path, names: Sequence[str]) -> dict[str, tuple[Edge, Edge]]:
    """Describe the start and the end of songs; those that cannot be read are left out.

    Parameters
    ----------
    folder : Path
    names : sequence of str

    Returns
    -------
    dict of str to (Edge, Edge)
        Start and end.
    """
    from aares.chaining.transition import describe_song

    edges = {}
    for name in names:
        with suppress(AudioError):
            found = describe_song(folder / name)
            edges[name] = (found.start, found.end)
    return edges


def measure_pairs(
    edges: Mapping[str, tuple[Edge, Edge]], pairs: pd.DataFrame
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Measure the joins of pairs.

    Parameters
    ----------
    edges : mapping of str to (Edge, Edge)
    pairs : DataFrame
        ``a``, ``b``.

    Returns
    -------
    joins : ndarray of float, shape (n_known, n_features)
    is_known : ndarray of bool, shape (n,)
        Which pairs they are of.
    """
    from aares.chaining.joins import measure_joins

    number = {name: row for row, name in enumerate(edges)}
    rows = pairs[["a", "b"]].apply(lambda column: column.map(number).fillna(-1)).to_numpy(np.intp)
    is_known = (rows >= 0).all(axis=1)
    starts, ends = zip(*edges.values(), strict=True) if edges else ((), ())
    return measure_joins(ends, starts, rows[is_known]), is_known


def fit_answers(
    joins: npt.NDArray[np.float64],
    is_known: npt.NDArray[np.bool_],
    pairs: pd.DataFrame,
    answers: pd.DataFrame,
) -> npt.NDArray[np.float64] | None:
    """Say how likely each pair is chainable, by splices and by what people answered.

    Parameters
    ----------
    joins : ndarray of float, shape (n_known, n_features)
    is_known : ndarray of bool, shape (n,)
        From :func:`measure_pairs`.
    pairs : DataFrame, shape (n, n_columns)
        ``kind``.
    answers : DataFrame
        ``rater``, ``row``, ``answer``.

    Returns
    -------
    ndarray of float, shape (n,), or None
        0.5 where a song could not be read.
    """
    from aares.chaining.join_model import load_join_model
    from aares.chaining.labels import update_probabilities

    row_of = np.cumsum(is_known) - 1
    heard = answers[is_known[answers["row"].to_numpy(np.intp)]]
    heard = heard.assign(row=row_of[heard["row"].to_numpy(np.intp)])
    found = update_probabilities(pairs[is_known], heard, joins, proxies=load_join_model())
    if found is None:
        return None
    likely = np.full(len(pairs), UNKNOWN)
    likely[is_known] = found
    return likely


def main() -> None:
    """Fit whenever a line of answers comes in, until nobody sends any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's, which ends this
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    first = json.loads(sys.stdin.readline())
    pairs = pd.DataFrame({name: first[name] for name in ("a", "b", "kind")})
    names = list(dict.fromkeys([*first["a"], *first["b"]]))
    joins, is_known = measure_pairs(describe_edges(Path(first["folder"]), names), pairs)
    for line in sys.stdin:
        found = fit_answers(joins, is_known, pairs, pd.DataFrame(json.loads(line)))
        sys.stdout.write(json.dumps(found if found is None else found.round(6).tolist()) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    with suppress(BrokenPipeError):
        main()
