"""What a request means: who asks, what is given, what counts.

All that was stored is held in memory, too, and changes there once it is on the disk. One event loop
asks: nothing here is awaited but the disk, so between two `await` nobody else moves.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from aares.chaining.choice import Choice, choose_next
from workshop.label import sounds
from workshop.label.answers import AnswerList
from workshop.label.clips import CLIP_VERSION
from workshop.label.forms import RequestError
from workshop.label.songs import Songs, draw_candidates, draw_lessons, name_song
from workshop.label.store import Event, Shown, Store, read_store

PLANNED = 40
RESERVED_S = 600.0
LEAST_HEARD_MS = 1000  # the second before the join, where only the join was played
REFIT_EVERY = 20
TRIALS = tuple(f"h{number}" for number in range(1, 7))
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
    trained: list[str] = field(default_factory=list)


class Desk:
    """Gives pairs out and takes answers in.

    Parameters
    ----------
    store : Store
    songs : Songs
    random_state : int, optional
        Of the choices; else they differ from start to start.
    clock : callable
        Returns seconds since 1970.
    """

    def __init__(
        self,
        store: Store,
        songs: Songs,
        *,
        random_state: int | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.store, self.songs, self._clock = store, songs, clock
        self._rng = np.random.default_rng(random_state)
        self.raters: dict[str, Rater] = {}
        self.shown: dict[str, Shown] = {}
        self.events: dict[str, Event] = {}
        self._probabilities: npt.NDArray[np.float64] | None = None
        self.on_answers: Callable[[pd.DataFrame], None] = lambda answers: None
        self._names: dict[str, str] = {}
        self._open: dict[str, Shown] = {}  # given out, and neither answered nor skipped
        self._counted: dict[str, str] = {}  # pair -> the answer that counts
        self._undone: set[str] = set()
        self._skipped: dict[str, set[int]] = {}  # rater -> rows
        self._on_their_way: dict[str, str] = {}  # pair -> the answer that is being written
        self._broken: set[int] = set()
        self._answers = AnswerList()
        self._n_answers = 0
        self._choosing = asyncio.Lock()
        self._load()

    def _load(self) -> None:
        events, self.shown = read_store(self.store.path)
        known = [(pair.a, pair.b) for pair in self.shown.values() if pair.at_s is None]
        self.pairs = draw_candidates(self.songs.seconds, known=known)
        codes = {side: self.pairs[side].cat.codes for side in "ab"}
        self._table = self.pairs.assign(**codes)  # numbers are compared much faster than names
        columns = self.pairs[["a", "b", "at_s", "speed"]]
        self._questions = [_key(*row) for row in columns.itertuples(index=False)]
        self._rows = {question: row for row, question in enumerate(self._questions)}
        self.lessons = {_key(*lesson[:4]): lesson for lesson in draw_lessons(self.songs.seconds)}
        self._open = {name: pair for name, pair in self.shown.items() if pair.kind != "training"}
        for event in events:
            self._apply(event)

    # --- what was asked for

    async def register(self, form: dict[str, Any]) -> dict[str, Any]:
        """Welcome a rater, or one that comes back."""
        if known := self._find_event(form["uuid"], "rater"):
            return self._describe(self.raters[known.rater], is_back=False)
        name = form["name"].casefold()
        is_back = name in self._names
        rater = self._names.setdefault(name, secrets.token_urlsafe(9))
        lessons = [] if self._list_lessons(rater) else self._give_lessons(rater)
        body = {key: form[key] for key in ("name", "device", "join")}
        await self._store(
            Event(form["uuid"], "rater", rater, None, body, self._tell_time()), lessons
        )
        return self._describe(self.raters[rater], is_back=is_back)

    async def check_headphones(self, form: dict[str, Any]) -> dict[str, Any]:
        """Count what was right of six trials."""
        rater = self.get_rater(form["rater"])
        order = self._order_trials(rater.id)
        right = sum(
            answer == sounds.find_softest(get_order(trial))
            for answer, trial in zip(form["answers"], order, strict=True)
        )
        if self._find_event(form["uuid"], "headphones", rater=rater.id) is None:
            body = {"answers": form["answers"], "right": right}
            await self._store(
                Event(form["uuid"], "headphones", rater.id, None, body, self._tell_time())
            )
        return {"right": right, "passed": right >= sounds.PASSED}

    async def give_next(self, rater_id: str, hold: Collection[str]) -> dict[str, Any]:
        """Give a rater a pair, and reserve it."""
        rater = self.get_rater(rater_id)
        async with self._choosing:
            await asyncio.sleep(0)  # answers come in between two choices
            in_page = {pair: self._get_shown(rater, pair) for pair in hold}
            now = self._clock()
            self._open = {name: pair for name, pair in self._open.items() if pair.until > now}
            for pair in self._open.values():  # its reply got lost, or the page was loaded again
                if pair.rater == rater.id and pair.id not in in_page and self._can_play(pair):
                    return self._show(pair, rater)
            choice = self._choose(rater, in_page.values())
        if choice is None:
            return {"pair": None, "why": "You have heard all the pairs that there are for now."}
        pair = Shown(secrets.token_urlsafe(12), rater.id, *self._questions[choice.row],
                     choice.kind, choice.presentation, now + RESERVED_S)  # fmt: skip
        await self._store(None, [pair])
        return self._show(pair, rater)

    def _choose(self, rater: Rater, in_page: Iterable[Shown]) -> Choice | None:
        held = {self._rows.get(_key_of(pair), -1) for pair in (*in_page, *self._open.values())}
        held |= self._skipped.get(rater.id, set()) | self._broken
        return choose_next(
            self._table, self.list_answers(), rater.id, probabilities=self._probabilities,
            held=held - {-1}, rng=self._rng,
        )  # fmt: skip

    async def take_answer(self, form: dict[str, Any]) -> dict[str, Any]:
        """Keep an answer."""
        rater = self.get_rater(form["rater"])
        pair = self._get_shown(rater, form["pair"])
        if self._find_event(form["uuid"], "answer", rater=rater.id, pair=pair.id) is None:
            if not form["join_heard"] or form["heard_ms"] < LEAST_HEARD_MS:
                raise RequestError(409, "The join was not heard yet: play it first.")
            writing = self._on_their_way.get(pair.id, form["uuid"])
            if pair.id in self._counted or writing != form["uuid"]:
                raise RequestError(409, "This pair was answered already; undo that answer first.")
            names = ("answer", "heard_ms", "join_heard", "replays", "reaction_ms", "join", "levels",
                     "rate", "page_version")  # fmt: skip
            body = {name: form[name] for name in names} | {
                "device": rater.device, "headphones_right": rater.headphones_right,
                "clip_version": CLIP_VERSION,
            }  # fmt: skip
            self._on_their_way[pair.id] = form["uuid"]
            try:
                await self._store(
                    Event(form["uuid"], "answer", rater.id, pair.id, body, self._tell_time())
                )
            finally:
                self._on_their_way.pop(pair.id, None)
        lesson = self.lessons.get(_key_of(pair)) if pair.kind == "training" else None
        return {
            "saved": True,
            "titles": {"a": name_song(pair.a), "b": name_song(pair.b)},
            "answered": rater.answered,
            "planned": PLANNED,
            "training": lesson and {"answer": lesson.answer, "why": lesson.why},
        }

    async def undo(self, form: dict[str, Any]) -> dict[str, Any]:
        """Take an answer back; its pair may be answered again."""
        rater = self.get_rater(form["rater"])
        if self._find_event(form["uuid"], "undo", rater=rater.id) is None:
            answer = self.events.get(form["of"])
            if answer is None or answer.kind != "answer" or answer.rater != rater.id:
                raise RequestError(404, "of: no answer of this rater has this UUID")
            if answer.uuid in self._undone:
                raise RequestError(409, "This answer was undone already.")
            body = {"of": form["of"]}
            await self._store(
                Event(form["uuid"], "undo", rater.id, answer.pair, body, self._tell_time())
            )
        return {"saved": True, "answered": rater.answered}

    async def skip(self, form: dict[str, Any]) -> dict[str, Any]:
        """Let a pair go: this rater is not asked again, others may be."""
        rater = self.get_rater(form["rater"])
        pair = self._get_shown(rater, form["pair"])
        if self._find_event(form["uuid"], "skip", rater=rater.id, pair=pair.id) is None:
            await self._store(Event(form["uuid"], "skip", rater.id, pair.id, {}, self._tell_time()))
        return {"saved": True}

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

    def learn(self, probabilities: npt.NDArray[np.float64] | None) -> None:
        """Choose by what a model says from now on.

        Parameters
        ----------
        probabilities : ndarray of float, shape (n_pairs,), or None
            None: it knows nothing.
        """
        self._probabilities = probabilities

    def report_broken(self, pair: Shown) -> None:
        """Ask no more about a pair whose sound cannot be made.

        Parameters
        ----------
        pair : Shown
        """
        self._open.pop(pair.id, None)
        self._broken.add(self._rows.get(_key_of(pair), -1))

    # --- what is known

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
            self._skipped.setdefault(event.rater, set()).add(self._rows.get(_key_of(pair), -1))
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
        if _key_of(pair) in self._rows:
            if step > 0:
                self._answers.add(event, self._rows[_key_of(pair)], pair.presentation)
            else:
                self._answers.remove(event.body["of"])
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

    def _show(self, pair: Shown, rater: Rater) -> dict[str, Any]:
        return {
            "pair": pair.id,
            "a": f"/clip/{pair.id}/a.wav",
            "b": f"/clip/{pair.id}/b.wav",
            "presentation": pair.presentation,
            "answered": rater.answered,
            "planned": PLANNED,
        }

    def _describe(self, rater: Rater, *, is_back: bool) -> dict[str, Any]:
        lessons = [(pair, self.lessons[_key_of(pair)]) for pair in self._list_lessons(rater.id)]
        return {
            "rater": rater.id,
            "name": rater.name,
            "back": is_back,
            "headphones": self._order_trials(rater.id),
            "training": [
                {"pair": pair.id, "answer": lesson.answer, "why": lesson.why}
                for pair, lesson in lessons
            ],
            "trained": sum(pair.id in self._counted for pair, _ in lessons),
            "answered": rater.answered,
            "planned": PLANNED,
        }

    def _list_lessons(self, rater: str) -> list[Shown]:
        return [
            pair
            for pair in self.shown.values()
            if pair.rater == rater and pair.kind == "training" and _key_of(pair) in self.lessons
        ]

    def _give_lessons(self, rater: str) -> list[Shown]:
        return [
            Shown(secrets.token_urlsafe(12), rater, *key, "training", "plain", self._clock())
            for key in self.lessons
        ]

    def _order_trials(self, rater: str) -> list[str]:
        rng = np.random.default_rng(list(rater.encode()))
        return [str(trial) for trial in rng.permutation(TRIALS)]

    def _tell_time(self) -> str:
        now = datetime.fromtimestamp(self._clock(), UTC)
        return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def get_order(trial: str) -> tuple[str, ...]:
    """Return the three tones of a trial.

    Parameters
    ----------
    trial : str
        "h1" to "h6".

    Returns
    -------
    tuple of str
    """
    return sounds.ORDERS[TRIALS.index(trial)]


def _key(a: str, b: str, at_s: float | None, speed: float) -> Question:
    return a, b, None if at_s is None or np.isnan(at_s) else at_s, speed


def _key_of(pair: Shown) -> Question:
    return pair.a, pair.b, pair.at_s, pair.speed
