"""What a request means: who asks, what is given, what is kept."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from aares.chaining.choice import Choice
from aares.serve.refusals import RequestError
from workshop.label import sounds
from workshop.label.clips import CLIP_VERSION
from workshop.label.ledger import Ledger, Rater, get_key
from workshop.label.songs import Songs, name_song
from workshop.label.store import Event, Shown, Store

PLANNED = 40
RESERVED_S = 600.0
LEAST_HEARD_MS = 1000  # the second before the join, where only the join was played
TRIALS = tuple(f"h{number}" for number in range(1, 7))


class Desk(Ledger):
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
        super().__init__(store, songs)
        self._clock, self._rng = clock, np.random.default_rng(random_state)
        self._probabilities: npt.NDArray[np.float64] | None = None
        self._on_their_way: dict[str, str] = {}  # pair -> the answer that is being written
        self._choosing = asyncio.Lock()

    def learn(self, probabilities: npt.NDArray[np.float64] | None) -> None:
        """Choose by what a model says from now on.

        Parameters
        ----------
        probabilities : ndarray of float, shape (n_pairs,), or None
            None: it knows nothing.
        """
        self._probabilities = probabilities

    async def register(self, form: dict[str, Any]) -> dict[str, Any]:
        """Welcome a rater, or one that comes back.

        Parameters
        ----------
        form : dict
            Of :data:`.forms.OF_RATER`.

        Returns
        -------
        dict
            The reply.
        """
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
        """Count what was right of six trials.

        Parameters
        ----------
        form : dict
            Of :data:`.forms.OF_HEADPHONES`.

        Returns
        -------
        dict
            The reply.
        """
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
        """Give a rater a pair, and reserve it.

        Parameters
        ----------
        rater_id : str
        hold : collection of str
            Pairs that the page has already.

        Returns
        -------
        dict
            The reply.
        """
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
        held = {self._get_row(pair) for pair in (*in_page, *self._open.values())}
        held |= self._skipped.get(rater.id, set()) | self._broken
        return self._tally.choose(
            rater.id, probabilities=self._probabilities, held=held - {-1}, rng=self._rng
        )

    async def take_answer(self, form: dict[str, Any]) -> dict[str, Any]:
        """Keep an answer.

        Parameters
        ----------
        form : dict
            Of :data:`.forms.OF_ANSWER`.

        Returns
        -------
        dict
            The reply.

        Raises
        ------
        RequestError
            The join was not heard, or the pair was answered.
        """
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
        lesson = self._lessons.get(get_key(pair)) if pair.kind == "training" else None
        return {
            "saved": True,
            "titles": {"a": name_song(pair.a), "b": name_song(pair.b)},
            "answered": rater.answered,
            "planned": PLANNED,
            "training": lesson and {"answer": lesson.answer, "why": lesson.why},
        }

    async def undo(self, form: dict[str, Any]) -> dict[str, Any]:
        """Take an answer back; its pair may be answered again.

        Parameters
        ----------
        form : dict
            Of :data:`.forms.OF_UNDO`.

        Returns
        -------
        dict
            The reply.

        Raises
        ------
        RequestError
            There is no such answer, or it was undone.
        """
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
        """Let a pair go: this rater is not asked again, others may be.

        Parameters
        ----------
        form : dict
            Of :data:`.forms.OF_SKIP`.

        Returns
        -------
        dict
            The reply.
        """
        rater = self.get_rater(form["rater"])
        pair = self._get_shown(rater, form["pair"])
        if self._find_event(form["uuid"], "skip", rater=rater.id, pair=pair.id) is None:
            await self._store(Event(form["uuid"], "skip", rater.id, pair.id, {}, self._tell_time()))
        return {"saved": True}

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
        lessons = [(pair, self._lessons[get_key(pair)]) for pair in self._list_lessons(rater.id)]
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

    def _give_lessons(self, rater: str) -> list[Shown]:
        return [
            Shown(secrets.token_urlsafe(12), rater, *key, "training", "plain", self._clock())
            for key in self._lessons
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
