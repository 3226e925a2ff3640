"""What is known of raters, pairs and answers: the database in memory.

It changes once a change is on the disk. One event loop asks: nothing here is awaited but the disk,
so between two `await` nobody else moves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from aares.chaining.choice import Tally
from aares.serve.refusals import RequestError
from workshop.label.answers import AnswerList
from workshop.label.songs import Songs, draw_candidates, draw_lessons
from workshop.label.store import Event, Shown, Store, read_store

REFIT_EVERY = 20
Question = tuple[str, str, float | None, float]


@dataclass
class Rater:
    """Somebody who answers.

    Attributes
    ----------
    id : str
        Opaque.
    name : str
        A pseudonym.
    device, join : str
        Of the last session.
    headphones_right : int or None
        Of six trials.
    answered : int
        Pairs, those of the training not counted.
    """

    id: str
    name: str
    device: str = ""
    join: str = ""
    headphones_right: int | None = None
    answered: int = 0


class Ledger:
    """What was stored, and what follows from it.

    Parameters
    ----------
    store : Store
    songs : Songs

    Attributes
    ----------
    raters : dict of str to Rater
    shown : dict of str to Shown
    events : dict of str to Event
        By their UUID.
    pairs : DataFrame
        Of :func:`.songs.draw_candidates`.
    on_answers : callable
        Given all answers that count whenever there are twenty more.
    """

    def __init__(self, store: Store, songs: Songs) -> None:
        self.store, self.songs = store, songs
        self.raters: dict[str, Rater] = {}
        self.events: dict[str, Event] = {}
        self.on_answers: Callable[[pd.DataFrame], None] = lambda answers: None
        self._names: dict[str, str] = {}
        self._counted: dict[str, str] = {}  # pair -> the answer that counts
        self._undone: set[str] = set()
        self._skipped: dict[str, set[int]] = {}  # rater -> rows
        self._broken: set[int] = set()
        self._answers = AnswerList()
        self._n_answers = 0
        events, self.shown = read_store(store.path)
        self._lay_out()
        self._open = {name: pair for name, pair in self.shown.items() if pair.kind != "training"}
        for event in events:
            self._apply(event)

    def _lay_out(self) -> None:
        """Draw what can be asked; what was asked before stays among it."""
        known = [(pair.a, pair.b) for pair in self.shown.values() if pair.at_s is None]
        self.pairs = draw_candidates(self.songs.seconds, known=known)
        self._tally = Tally(self.pairs)
        columns = self.pairs[["a", "b", "at_s", "speed"]]
        self._questions = [_make_key(*row) for row in columns.itertuples(index=False)]
        self._rows = {question: row for row, question in enumerate(self._questions)}
        self._lessons = {
            _make_key(*lesson[:4]): lesson for lesson in draw_lessons(self.songs.seconds)
        }

    def get_rater(self, rater: str) -> Rater:
        """Return a rater, or refuse.

        Parameters
        ----------
        rater : str

        Returns
        -------
        Rater

        Raises
        ------
        RequestError
            There is none.
        """
        if rater not in self.raters:
            raise RequestError(404, "rater: unknown; give a name first")
        return self.raters[rater]

    def get_pair(self, pair: str) -> Shown:
        """Return what was shown, if its songs are there.

        Parameters
        ----------
        pair : str

        Returns
        -------
        Shown

        Raises
        ------
        RequestError
            There is none.
        """
        if pair not in self.shown or not self._can_play(self.shown[pair]):
            raise RequestError(404, "pair: unknown")
        return self.shown[pair]

    def list_answers(self) -> pd.DataFrame:
        """List the answers that count, in order of time.

        Returns
        -------
        DataFrame
            ``rater``, ``row`` (of ``pairs``), ``presentation``, ``answer``.
        """
        return self._answers.tabulate()

    def report_broken(self, pair: Shown) -> None:
        """Ask no more about a pair whose sound cannot be made.

        Parameters
        ----------
        pair : Shown
        """
        self._open.pop(pair.id, None)
        self._broken.add(self._get_row(pair))

    async def _store(self, event: Event | None, shown: Iterable[Shown] = ()) -> None:
        """Write, and know it once it is written; what is given out is known at once."""
        given = {pair.id: pair for pair in shown}
        self.shown |= given
        self._open |= {name: pair for name, pair in given.items() if pair.kind != "training"}
        try:
            new = await asyncio.wrap_future(
                self.store.append([event] if event else [], list(given.values()))
            )
        except BaseException:
            for name in given:
                self.shown.pop(name)
                self._open.pop(name, None)
            raise
        if event and new[0]:
            self._apply(event)

    def _apply(self, event: Event) -> None:
        """Let an event of the store count."""
        self.events[event.uuid] = event
        pair = self.shown.get(event.pair or "")
        if event.kind == "rater":
            rater = self.raters.setdefault(event.rater, Rater(event.rater, event.body["name"]))
            self._names.setdefault(rater.name.casefold(), rater.id)
            rater.device, rater.join = event.body["device"], event.body["join"]
        elif event.kind == "headphones":
            self.raters[event.rater].headphones_right = event.body["right"]
        elif event.kind == "skip" and pair:
            self._open.pop(pair.id, None)
            self._skipped.setdefault(event.rater, set()).add(self._get_row(pair))
        elif event.kind == "answer" and pair:
            self._open.pop(pair.id, None)
            self._counted[pair.id] = event.uuid
            self._count(event, pair, 1)
        elif event.kind == "undo" and pair:
            self._undone.add(event.body["of"])
            if self._counted.get(pair.id) == event.body["of"]:
                del self._counted[pair.id]
                self._count(event, pair, -1)

    def _count(self, event: Event, pair: Shown, step: int) -> None:
        if pair.kind == "training":
            return
        self.raters[event.rater].answered += step
        self._n_answers += step
        if (row := self._get_row(pair)) >= 0:
            if step > 0:
                self._answers.add(event, row, pair.presentation)
                self._tally.add(event.uuid, event.rater, row, pair.presentation)
            else:
                self._answers.remove(event.body["of"])
                self._tally.remove(event.body["of"])
        if step > 0 and self._n_answers % REFIT_EVERY == 0:
            self.on_answers(self.list_answers())

    def _find_event(
        self, uuid: str, kind: str, *, rater: str | None = None, pair: str | None = None
    ) -> Event | None:
        """Return the event of a request that was repeated."""
        event = self.events.get(uuid)
        if event is None:
            return None
        same = event.kind == kind and rater in (None, event.rater) and pair in (None, event.pair)
        if not same:
            raise RequestError(409, "uuid: was used for something else")
        return event

    def _get_shown(self, rater: Rater, pair: str) -> Shown:
        if pair not in self.shown or self.shown[pair].rater != rater.id:
            raise RequestError(404, "pair: unknown")
        return self.shown[pair]

    def _can_play(self, pair: Shown) -> bool:
        return pair.a in self.songs.seconds and pair.b in self.songs.seconds

    def _list_lessons(self, rater: str) -> list[Shown]:
        return [
            pair
            for pair in self.shown.values()
            if pair.rater == rater and pair.kind == "training" and get_key(pair) in self._lessons
        ]

    def _get_row(self, pair: Shown) -> int:
        """Return the row of a pair, -1 where it is not to be asked."""
        return self._rows.get(get_key(pair), -1)


def _make_key(a: str, b: str, at_s: float | None, speed: float) -> Question:
    return a, b, None if at_s is None or np.isnan(at_s) else at_s, speed


def get_key(pair: Shown) -> Question:
    """Return what a pair shares with all that sound like it.

    Parameters
    ----------
    pair : Shown

    Returns
    -------
    a, b : str
    at_s : float or None
    speed : float
    """
    return pair.a, pair.b, pair.at_s, pair.speed
