"""What of the demo songs goes into the page: the index, as the browser reads it, and excerpts.

The constants, the calibration and the peaks are those of :mod:`aares.identify`; ``hear.js`` hashes
and ``identify.js`` searches by itself. Two songs stay out of the index, so that something is
unknown. The songs were rendered by the project from scores in the public domain: the page may be
shared.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile as sf

from aares.audio.decoding import load_audio
from aares.identify import (
    answer,
    evidence,
    hits,
    pairs,
    peaks,
    query,
    ranking,
    search,
    traits,
    vote,
)
from aares.identify.catalogue import GAP_BLOCKS, Prints, Settings, fingerprint
from workshop.config import DEMO, Workplace

SONGS = DEMO / "songs"
UNKNOWN = ("03 Gloria", "02 Allor che ignuda")
"""What the names of songs that stay out of the index end with."""
HEARD_HZ = 16_000
HEARD_S = 10.0


class Excerpt(NamedTuple):
    """A part of a song that is listened to.

    Parameters
    ----------
    ending : str
        What the song's name ends with.
    start_s : float
    """

    ending: str
    start_s: float


EXCERPTS = (
    Excerpt("01 Grave", 20.0), Excerpt("01 Polonaise in E flat major", 12.0),
    Excerpt("01 Prelude in C major", 30.0), Excerpt("02 Jeanie for a Swing Band", 21.0),
    Excerpt("03 Gloria", 25.0),
)  # fmt: skip


def make_identifier(source: Workplace | None = None) -> dict[str, Any]:
    """Return all that the identifier of the page needs: constants, calibration and index.

    Parameters
    ----------
    source : Workplace, optional
        The index is the demo's, whatever the tables are.

    Returns
    -------
    dict
        Arrays are to be encoded by `build.encode_array`.
    """
    prints = [fingerprint(path.stem, load_audio(path, sr=peaks.RATE_HZ), Settings())
              for path in list_songs()]  # fmt: skip
    n_postings = sum(len(one.hashes) for one in prints)
    return list_constants() | {
        "looks": {
            name: look.grow(n_postings)._asdict()
            for name, look in (("quick", query.QUICK), ("thorough", query.THOROUGH))
        },
        "fan_out": Settings().fan_out,
        "songs": [_describe(one) for one in prints],
        # Sixteen times fewer bytes than hashes and their places, which follow from these.
        "counts": np.concatenate([one.counts for one in prints]).astype(np.uint8),
        "words": np.concatenate([one.peaks for one in prints]),
    }


def make_excerpts(source: Workplace | None = None) -> dict[str, Any]:
    """Return what is listened to: ten seconds of some songs, one of them not in the index.

    Parameters
    ----------
    source : Workplace, optional
        The songs are the demo's, whatever the tables are.

    Returns
    -------
    dict
        ``rows`` with ``artist``, ``title``, ``known``, ``start_s`` and ``sound``, a WAV file of
        8 bits, logarithmic (G.711).
    """
    rows = []
    for ending, start_s in EXCERPTS:
        (path,) = SONGS.glob(f"*{ending}.ogg")
        y = load_audio(path, sr=HEARD_HZ)[int(start_s * HEARD_HZ) :][: int(HEARD_S * HEARD_HZ)]
        known = not path.stem.endswith(UNKNOWN)
        rows.append(name_song(path.stem) | {"known": known, "start_s": start_s, "sound": _write(y)})
    return {"rows": rows}


def list_songs() -> list[Path]:
    """List the songs of the page's index.

    Returns
    -------
    list of Path
        In the order of their names.

    Examples
    --------
    >>> len(list_songs()), sum(path.stem.endswith(UNKNOWN) for path in list_songs())
    (16, 0)
    """
    return [path for path in sorted(SONGS.glob("*.ogg")) if not path.stem.endswith(UNKNOWN)]


def name_song(name: str) -> dict[str, str]:
    """Take apart the name of a demo song.

    Parameters
    ----------
    name : str
        Of its file: artist, album, number and title.

    Returns
    -------
    dict of str to str
        ``artist`` and ``title``.

    Examples
    --------
    >>> name_song("Josquin des Prez - Chansons - 01 Mille regrets")
    {'artist': 'Josquin des Prez', 'title': 'Mille regrets'}
    """
    artist, _, numbered = name.split(" - ")
    return {"artist": artist, "title": numbered.partition(" ")[2]}


def list_constants() -> dict[str, Any]:
    """Return what the identifier's modules fix, for a browser that does the same.

    Returns
    -------
    dict
        JSON values, named as in Python, in lower case.

    Examples
    --------
    >>> constants = list_constants()
    >>> constants["n_fft"] == peaks.N_FFT, constants["calibration"] == answer.load_calibration()
    (True, True)
    """
    return {
        "rate_hz": peaks.RATE_HZ, "n_fft": peaks.N_FFT, "hop_length": peaks.HOP_LENGTH,
        "step_length": peaks.STEP_LENGTH, "steps": peaks.STEPS, "n_bins": peaks.N_BINS,
        "first_bin": peaks.FIRST_BIN, "block_frames": peaks.BLOCK_FRAMES, "range": peaks.RANGE,
        "reach": [peaks.REACH_BINS, peaks.REACH_FRAMES],
        "zone_bins": pairs.ZONE_BINS, "zone_frames": pairs.ZONE_FRAMES,
        "first_frame": pairs.FIRST_FRAME, "blur": pairs.BLUR,
        "window": query.WINDOW, "max_windows": query.MAX_WINDOWS, "gap_blocks": GAP_BLOCKS,
        "window_steps": vote.WINDOW_STEPS, "weight_bits": vote._WEIGHT_BITS,
        "refine_steps": evidence.REFINE_STEPS, "silence": evidence.SILENCE, "cap": evidence.CAP,
        "beside": evidence.BESIDE.tolist(), "eighths": evidence.EIGHTHS,
        "strength_weights": evidence.STRENGTH_WEIGHTS,
        "traits": {
            "thin": traits.THIN, "low": traits.LOW, "noise_low": traits.NOISE_LOW,
            "levels_db": traits.LEVELS_DB, "lags": traits.LAGS,
            "usual_return": traits.USUAL_RETURN, "least_times": traits.LEAST_TIMES,
        },
        "votes_weight": hits.VOTES_WEIGHT, "n_hits": hits.N_HITS, "n_answers": search.N_ANSWERS,
        "banks": search.BANKS, "fine_speeds": search.FINE_SPEEDS,
        "near_speeds": search.NEAR_SPEEDS.tolist(), "settled": search.SETTLED,
        "shares": answer.SHARES, "threshold": answer.THRESHOLD, "n_rivals": ranking.N_RIVALS,
        "usual_rival": ranking.USUAL_RIVAL, "least_recordings": answer.LEAST_RECORDINGS,
        "twin_share": answer.TWIN_SHARE, "least_score": answer.LEAST_SCORE,
        "least_bend": ranking.LEAST_BEND, "least_ceiling": answer.LEAST_CEILING,
        "seconds": ranking.SECONDS, "features": ranking.FEATURES, "covariates": ranking.COVARIATES,
        "usual_log_seconds": ranking.USUAL_LOG_SECONDS,
        "calibration": answer.load_calibration(),
    }  # fmt: skip


def _describe(prints: Prints) -> dict[str, Any]:
    recording = prints.recording
    about = {"name": recording.name, "seconds": recording.seconds, "n_blocks": recording.n_blocks}
    return name_song(recording.name) | about


def _write(y: np.ndarray) -> np.ndarray:
    """Return a WAV file of a signal at `HEARD_HZ`; its loudest sample is at 0.9."""
    content = io.BytesIO()
    sf.write(content, 0.9 * y / np.abs(y).max(), HEARD_HZ, format="WAV", subtype="ULAW")
    return np.frombuffer(content.getvalue(), dtype=np.uint8)
