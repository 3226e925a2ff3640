"""The file of the challenge (exercise 1): written and checked against the tables it belongs to."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from aares.data import load_test, load_train
from aares.data.cells import show_cell
from aares.data.sources import DataSource
from aares.errors import DataError
from aares.files import write_atomic
from workshop.config import Workplace


def write_challenge(labels: np.ndarray | list[str], source: Workplace) -> Path:
    """Write ``submission/challenge.csv``: one column ``genre`` in the order of the test table.

    Parameters
    ----------
    labels : array-like of str, shape (n_test,)
    source : Workplace

    Returns
    -------
    Path

    Raises
    ------
    DataError
        The number of labels is not that of the test songs, or a label is no training genre.
    """
    path = source.out / "submission" / "challenge.csv"
    text = "\n".join(["genre", *map(str, labels)]) + "\n"
    check_challenge([str(label) for label in labels], source)
    return write_atomic(path, text)


def check_challenge(labels: list[str], source: DataSource) -> None:
    """Check predicted labels against the test and train tables.

    Parameters
    ----------
    labels : list of str, shape (n_test,)
    source : DataSource

    Raises
    ------
    DataError
        See :func:`write_challenge`.
    """
    expected = len(load_test(source))
    if len(labels) != expected:
        raise DataError(f"challenge: expected {expected} labels, found {len(labels)}")
    genres = set(load_train(source)["genre"])
    wrong = [i for i, label in enumerate(labels) if label not in genres]
    if wrong:
        raise DataError(
            f"challenge, row {wrong[0] + 1}: expected one of the {len(genres)} training genres, "
            f"found {show_cell(labels[wrong[0]])}"
        )
