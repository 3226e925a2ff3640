"""What an index says of a whole file: one answer if it is short, and what was played when.

Used by the command ``identify`` and by :mod:`aares.serve`, which say the same of a file.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aares.audio.streams import Blocks, open_blocks
from aares.errors import AudioError
from aares.identify.answer import Answer
from aares.identify.entries import Played
from aares.identify.index import Index
from aares.identify.peaks import RATE_HZ
from aares.identify.timeline import trace_blocks

LONG_S = 60.0  # of a longer file there is a timeline, and no one answer


class TooLongError(AudioError):
    """A file holds more sound than is listened to."""


@dataclass(frozen=True)
class Hearing:
    """What was recognised in a file.

    Parameters
    ----------
    file : str
        Its name.
    seconds : float
        What could be decoded.
    answer : Answer or None
        Of a file of up to a minute.
    entries : list of Played
        What was played when.
    notes : list of str
        What could not be decoded, or was mended.
    """

    file: str
    seconds: float
    answer: Answer | None
    entries: list[Played]
    notes: list[str]

    @property
    def songs(self) -> list[Played]:
        """List the entries that are a recording of the index.

        Returns
        -------
        list of Played
        """
        return [entry for entry in self.entries if entry.song is not None]

    def to_dict(self) -> dict[str, Any]:
        """Return what was recognised as JSON values.

        Returns
        -------
        dict
            ``file``, ``seconds``; those of `Answer.to_dict`, of a long file as far as one recording
            is all that was heard; ``timeline``, ``notes``.

        Examples
        --------
        >>> songs = [Played(0.0, 50.0, "a", 0.0, 1e-6), Played(50.0, 99.0, "b", 0.0, 1e-6)]
        >>> Hearing("radio.mp3", 99.0, None, songs, []).to_dict()["reason"]
        'several'
        """
        told: dict[str, Any] = {"file": self.file, "seconds": round(self.seconds, 2)}
        told |= self.answer.to_dict() if self.answer else self._summarise()
        return told | {"timeline": [e.to_dict() for e in self.entries], "notes": self.notes}

    def _summarise(self) -> dict[str, Any]:
        """Return the answer of a long file: one recording, if it is the only one."""
        names = {entry.song for entry in self.songs}
        first = self.songs[0].to_dict() if len(names) == 1 else {}
        nothing = all(entry.reason == "nothing" for entry in self.entries)
        reason = "match" if first else "several" if names else "nothing" if nothing else "unknown"
        return {
            "match": first.get("song"),
            "reason": reason,
            "offset_s": first.get("offset_s"),
            "score": None,
            "p_false": min((entry.p_false for entry in self.entries), default=1.0),
            "speed": first.get("speed"),
            "pitch": first.get("pitch"),
            "twins": first.get("twins", []),
            "candidates": [],
        }


def hear_file(
    index: Index,
    file: str | Path,
    *,
    name: str | None = None,
    windows: Mapping[str, float] | None = None,
    timeline: bool = True,
    longest_s: float | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Hearing:
    """Tell what an index knows of a file, in the memory of a minute of it.

    Parameters
    ----------
    index : Index
    file : str or Path
        As of `aares.audio.streams.open_blocks`.
    name : str, optional
        How the file is called in what is returned; without it, as `file`.
    windows : mapping of str to float, optional
        ``window_s`` and ``step_s`` of `trace_blocks`.
    timeline : bool
        False: of a file of up to a minute only the answer is wanted, and its entries are empty.
    longest_s : float, optional
        Of sound; decoding stops there.
    on_progress : callable, optional
        Called with the seconds that were heard of a longer file.

    Returns
    -------
    Hearing

    Raises
    ------
    AudioError
        Nothing sensible can be decoded.
    TooLongError
        There is more sound than `longest_s`.
    ValueError
        The windows are out of range.

    Examples
    --------
    >>> import tempfile
    >>> import soundfile as sf
    >>> hiss = 0.1 * np.random.default_rng(0).standard_normal(80_000)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sf.write(f"{folder}/part.wav", hiss[16_000:], RATE_HZ)
    ...     index = Index.from_signals({"hiss": hiss})
    ...     heard = hear_file(index, f"{folder}/part.wav", name="part.wav", timeline=False)
    >>> told = heard.to_dict()
    >>> told["file"], told["match"], round(told["offset_s"], 1), told["timeline"]
    ('part.wav', 'hiss', 2.0, [])
    """
    blocks = open_blocks(file, sr=RATE_HZ, block_s=LONG_S)
    rest = _limit(blocks, longest_s)
    first = list(itertools.islice(rest, 2))
    answer = index.identify(first[0], RATE_HZ) if len(first) == 1 else None
    entries: list[Played] = []
    if timeline or answer is None:
        sound = itertools.chain(first, rest)
        show = on_progress if answer is None else None
        entries = trace_blocks(index, sound, on_progress=show, **(windows or {}))
    called = str(file) if name is None else name
    return Hearing(called, blocks.decoded_s, answer, entries, list(blocks.notes))


def _limit(blocks: Blocks, longest_s: float | None) -> Iterator[np.ndarray]:
    try:
        for block in blocks:
            if longest_s is not None and blocks.decoded_s > longest_s:
                raise TooLongError(f"expected at most {longest_s:g} s of sound, found more")
            yield block
    finally:
        blocks.close()
