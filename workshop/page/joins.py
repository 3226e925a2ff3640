"""What the page plays and says of joins: ends and starts of the demo songs, and every pair judged.

The clips are those of the labelling page: the last seconds that sound, the first that sound,
equally loud. The probability is that of :func:`aares.chaining.chainable`, asked of the whole songs.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soxr

from aares.audio.levels import level_sound
from aares.chaining.join_model import load_join_model
from aares.chaining.join_reasons import tell_reasons
from aares.chaining.joins import GAP_S, measure_joins
from aares.chaining.transition import describe_song
from tools.song_ogg import encode_ogg
from tools.song_synth import SAMPLE_RATE
from workshop.config import DEMO, Workplace
from workshop.label.clips import CEILING_DB, RATE_HZ, TARGET_LUFS, Piece, cut_piece
from workshop.page.sounds import name_song

PLAYED_S = 6.0
QUALITY = 0.1  # of Ogg Vorbis, 0-1
Floats = npt.NDArray[np.floating]


def make_joins(source: Workplace | None = None, paths: list[Path] | None = None) -> dict[str, Any]:
    """Make what the section *join* plays and says.

    Parameters
    ----------
    source : Workplace, optional
        Not asked: what can be shared are the demo's songs, in both editions.
    paths : list of Path, optional
        Default: all of the demo's songs.

    Returns
    -------
    dict
        ``names`` (title, artist); ``ends`` and ``starts`` (``sound``, base64 of Ogg Vorbis, and
        ``frames``) at ``rate`` Hz; ``likely`` (n, n), the probability in 1/65,535 that the second
        goes on where the first ended, 0 from a song to itself; ``reasons`` (n, n lists of texts).
    """
    paths = paths or sorted((DEMO / "songs").glob("*.ogg"))
    likely, reasons = judge_joins(paths)
    return {
        "names": ["{title}, {artist}".format(**name_song(path.stem)) for path in paths],
        "rate": SAMPLE_RATE,
        "ends": [encode_piece(Piece(path, True)) for path in paths],
        "starts": [encode_piece(Piece(path, False)) for path in paths],
        "likely": np.rint(likely * 65_535).astype(np.uint16), "reasons": reasons,
    }  # fmt: skip


def judge_joins(paths: list[Path]) -> tuple[npt.NDArray[np.float64], list[list[list[str]]]]:
    """Say of all ordered pairs of songs how likely the second goes on in the first, and why.

    Parameters
    ----------
    paths : list of Path, shape (n,)

    Returns
    -------
    likely : ndarray of float, shape (n, n)
        0 from a song to itself.
    reasons : list of list of list of str
        For each first and second song the reasons, the heaviest first.
    """
    songs, model = [describe_song(path) for path in paths], load_join_model()
    pairs = np.argwhere(~np.eye(len(songs), dtype=bool))
    joins = measure_joins([x.end for x in songs], [x.start for x in songs], pairs, gap_s=GAP_S)
    likely = np.zeros((len(songs), len(songs)))
    likely[pairs[:, 0], pairs[:, 1]] = model.predict_proba(joins)
    reasons: list[list[list[str]]] = [[[] for _ in songs] for _ in songs]
    for (a, b), join, parts in zip(pairs.tolist(), joins, model.explain(joins), strict=True):
        reasons[a][b] = [str(reason) for reason in tell_reasons(join, parts)]
    return likely, reasons


def encode_piece(piece: Piece) -> dict[str, Any]:
    """Encode what is heard on one side of a join.

    Parameters
    ----------
    piece : Piece

    Returns
    -------
    dict
        ``sound``, base64 of Ogg Vorbis in one channel, and its ``frames``.
    """
    y = cut_piece(piece)
    n = round(PLAYED_S * RATE_HZ)
    y = level_sound(
        y[-n:] if piece.is_end else y[:n], RATE_HZ, target_lufs=TARGET_LUFS, ceiling_db=CEILING_DB
    ).mean(axis=1)
    y = soxr.resample(y, RATE_HZ, SAMPLE_RATE)
    title = f"{piece.path.stem}, {'end' if piece.is_end else 'start'}"
    content = encode_ogg(y, tags={"title": title}, quality=QUALITY)
    return {"sound": base64.b64encode(content).decode(), "frames": len(y)}
