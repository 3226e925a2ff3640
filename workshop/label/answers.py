"""The answers that count, as a table for whoever learns from them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from workshop.label.store import Event


class AnswerList:
    """Answers in order of time, as :func:`aares.chaining.choice.choose_next` takes them.

    Texts are kept as numbers: a thousand of them are laid out in a third of a millisecond.
    """

    def __init__(self) -> None:
        self._uuids: list[str] = []
        self._codes: list[tuple[int, int, int, int]] = []
        self._words: dict[str, dict[str, int]] = {"rater": {}, "presentation": {}, "answer": {}}
        self._types: dict[str, pd.CategoricalDtype] = {}

    def add(self, event: Event, row: int, presentation: str) -> None:
        """Add an answer.

        Parameters
        ----------
        event : Event
        row : int
            Of its pair.
        presentation : str
        """
        said = (event.rater, presentation, event.body["answer"])
        rater, side, answer = (
            words.setdefault(word, len(words))
            for words, word in zip(self._words.values(), said, strict=True)
        )
        self._uuids.append(event.uuid)
        self._codes.append((row, rater, side, answer))

    def remove(self, uuid: str) -> None:
        """Take an answer back.

        Parameters
        ----------
        uuid : str
        """
        number = self._uuids.index(uuid)
        del self._uuids[number], self._codes[number]

    def tabulate(self) -> pd.DataFrame:
        """Return the answers.

        Returns
        -------
        DataFrame
            ``row``, ``rater``, ``presentation``, ``answer``.
        """
        codes = np.array(self._codes, dtype=np.intp).reshape(-1, 4).T
        columns: dict[str, Any] = {"row": codes[0]}
        for part, (name, words) in zip(codes[1:], self._words.items(), strict=True):
            if name not in self._types or len(self._types[name].categories) != len(words):
                self._types[name] = pd.CategoricalDtype(list(words))
            columns[name] = pd.Categorical.from_codes(part, dtype=self._types[name], validate=False)
        return pd.DataFrame(columns)
