"""A song in some 450 numbers: what its spectrum is like, how it varies, how it moves.

The study's 27 features are means. An album also has in common how loud and soft alternate, which
bands go together, how fast they swell: means, spreads, changes, percentiles and correlations of
mel bands, cepstral coefficients and chroma; distributions of level, onsets and tempo; modulation.
Nothing here depends on the key: chroma is described up to a transposition.

Songs of an album also share a level and a bandwidth, which say who made the file, not who made the
music. `equal` leaves both out: bands above `EQUAL_HZ` are cut off, and each song's mean level is
taken away, so that what remains is what is left between songs that were mastered alike.

Used by notebook 06 through :mod:`.albums`. Conventions: frames as in :mod:`aares.audio.spectra`;
arrays are (frames, bands); levels in dB.

References
----------
.. [1] J. George and L. Shamir, "Computer analysis of similarities between albums in popular
   music", Pattern Recognition Letters 45, 2014: section 3 (many descriptors, weighed later).
.. [2] E. Pampalk, A. Rauber and D. Merkl, "Content-based Organization and Visualization of Music
   Archives", ACM Multimedia 2002: section 3 (fluctuation patterns).
.. [3] M. Mandel and D. Ellis, "Song-Level Features and Support Vector Machines for Music
   Classification", ISMIR 2005: section 3 (mean and covariance of cepstral coefficients).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import librosa
import numpy as np
import pandas as pd
import scipy.fft

from aares.audio.segments import RATE_HZ, place_segment, read_segment
from aares.audio.spectra import HOP, N_FFT, compute_spectrogram

N_BANDS, N_MFCC, N_JOINED = 64, 20, 12
FLOOR = 1e-10  # of a band's power: -100 dB
CHROMA_HZ = 5000.0
EQUAL_HZ = 6000.0
"""Where bands end when bandwidths are made equal: below the lowest cutoff of the albums."""
FRAMES_S = RATE_HZ / HOP
MODULATION_HZ = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
BLOCK_FRAMES = 4096  # at a time: 17 MB
PIECE_FRAMES = 512  # 12 s: modulation and tempo are means over such pieces
TEMPOS_BPM = np.geomspace(40, 240, 32)
QUANTILES = (0.1, 0.5, 0.9)


class Bands(NamedTuple):
    """What a song's portrait is made of.

    Parameters
    ----------
    mel_db : ndarray of float32, shape (frames, 64)
        Power of mel bands up to 11 kHz in dB.
    chroma : ndarray of float32, shape (frames, 12)
        Below 5 kHz; the strongest pitch class of a frame is 1.
    """

    mel_db: np.ndarray
    chroma: np.ndarray


def measure_bands(y: np.ndarray) -> Bands:
    """Measure mel bands and chroma of a signal.

    Parameters
    ----------
    y : ndarray of float32, shape (n,)
        Mono at 22,050 Hz.

    Returns
    -------
    Bands
        Of ``1 + n // 512`` frames.

    Examples
    --------
    An A of 440 Hz: pitch class 9.

    >>> y = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050).astype(np.float32)
    >>> bands = measure_bands(y)
    >>> bands.mel_db.shape, int(bands.chroma[20].argmax())
    ((44, 64), 9)
    """
    mel, chroma, n_bins = _make_filters()
    powers, classes = [], []
    n_frames = 1 + len(y) // HOP
    for start in range(0, n_frames, BLOCK_FRAMES):
        part = _cut_padded(y, start, min(BLOCK_FRAMES, n_frames - start))
        P = np.square(compute_spectrogram(part).T[2:-2])
        powers.append(P @ mel)
        classes.append(P[:, :n_bins] @ chroma)
    found = np.concatenate(classes)
    highest = np.maximum(found.max(axis=1, keepdims=True), np.float32(FLOOR))
    mel_db = 10 * np.log10(np.concatenate(powers) + np.float32(FLOOR))
    return Bands(mel_db.astype(np.float32), (found / highest).astype(np.float32))


def _cut_padded(y: np.ndarray, first: int, n_frames: int) -> np.ndarray:
    """Return the samples of some frames, with two frames to be thrown away on both sides."""
    start, stop = (first - 2) * HOP, (first + n_frames + 1) * HOP
    padded = np.zeros(stop - start, dtype=np.float32)
    low, high = max(start, 0), min(stop, len(y))
    padded[low - start : high - start] = y[low:high]
    return padded


@cache
def _make_filters() -> tuple[np.ndarray, np.ndarray, int]:
    mel = librosa.filters.mel(sr=RATE_HZ, n_fft=N_FFT, n_mels=N_BANDS)
    n_bins = int(CHROMA_HZ * N_FFT / RATE_HZ)
    chroma = librosa.filters.chroma(sr=RATE_HZ, n_fft=N_FFT)[:, :n_bins]
    return np.ascontiguousarray(mel.T), np.ascontiguousarray(chroma.T), n_bins


def cut_bands(bands: Bands, segment: str) -> Bands:
    """Return the frames of a segment of a song.

    Parameters
    ----------
    bands : Bands
        Of the whole song.
    segment : str
        See :mod:`aares.audio.segments`.

    Returns
    -------
    Bands

    Raises
    ------
    ValueError
        There is no such segment.

    Examples
    --------
    >>> whole = measure_bands(np.zeros(100 * 22050, dtype=np.float32))
    >>> round(len(cut_bands(whole, "0:30-1:00").mel_db) * HOP / RATE_HZ, 1)
    30.0
    """
    start, stop, _ = place_segment(segment, (len(bands.mel_db) - 1) * HOP, RATE_HZ)
    frames = slice(round(start / HOP), round(stop / HOP) + 1)
    return Bands(bands.mel_db[frames], bands.chroma[frames])


def summarise(bands: Bands, *, equal: bool = False) -> dict[str, float]:
    """Describe a song, or a segment of one, by its statistics.

    Parameters
    ----------
    bands : Bands
    equal : bool
        Without level and bandwidth; see :mod:`.portraits`.

    Returns
    -------
    dict of str to float
        All finite. Names begin with their family: ``mfcc``, ``joined`` (correlations of
        coefficients), ``mel``, ``chroma``, ``shape``, ``level``, ``onset``, ``tempo``,
        ``swell`` (modulation) and, unless `equal`, ``edge`` (bandwidth).

    References
    ----------
    Mandel and Ellis 2005 [3]_, section 3, for the coefficients; Pampalk et al. 2002 [2]_,
    section 3, for the modulation.

    Examples
    --------
    Twice as loud is another song, unless levels are made equal.

    >>> y = np.random.default_rng(0).standard_normal(10 * 22050).astype(np.float32)
    >>> quiet, loud = measure_bands(y / 8), measure_bands(y / 4)
    >>> [round(summarise(x)["level mean"], 1) for x in (quiet, loud)]
    [0.5, 6.5]
    >>> one, other = (summarise(bands, equal=True) for bands in (quiet, loud))
    >>> max(abs(one[name] - other[name]) for name in one) < 0.001
    True
    """
    mel_db = bands.mel_db.astype(float)
    hz = librosa.mel_frequencies(N_BANDS + 2, fmax=RATE_HZ / 2)
    if equal:
        kept = hz[2:] <= EQUAL_HZ
        mel_db = mel_db[:, kept]
        mel_db = mel_db - 10 * np.log10(np.mean(10 ** (mel_db / 10)) + FLOOR)
    centres = hz[1:-1][: mel_db.shape[1]]
    parts: list[dict[str, float]] = [
        _describe_mfcc(mel_db),
        _describe_mel(mel_db, equal=equal),
        _describe_chroma(bands.chroma.astype(float)),
        _describe_shape(mel_db, centres),
        _describe_level(mel_db),
        _describe_rhythm(mel_db),
        _describe_modulation(mel_db),
    ]
    return {name: float(value) for part in parts for name, value in part.items()}


def summarise_songs(
    paths: Iterable[str | Path],
    segment: str = "whole",
    *,
    equal: bool = False,
    report: Callable[[str | Path], None] | None = None,
) -> pd.DataFrame:
    """Describe audio files, each as `summarise` does.

    Parameters
    ----------
    paths : iterable of str or Path
    segment : str
        See :mod:`aares.audio.segments`.
    equal : bool
    report : callable, optional
        Called with each path that is done.

    Returns
    -------
    DataFrame, shape (n, n_features)
        Its index are the paths.

    Raises
    ------
    AudioError
        A file cannot be read, or lasts less than 5 s.
    ValueError
        There is no such segment.

    Examples
    --------
    >>> import tempfile
    >>> import soundfile as sf
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "noise.wav"
    ...     sf.write(path, 0.1 * np.random.default_rng(0).standard_normal(6 * 22050), 22050)
    ...     summarise_songs([path], "0:30-1:00").shape
    (1, 450)
    """
    rows = {}
    for path in paths:
        rows[path] = summarise(measure_bands(read_segment(path, segment).y), equal=equal)
        if report:
            report(path)
    return pd.DataFrame.from_dict(rows, orient="index")


# --- families -----------------------------------------------------------------------------


def _describe_mfcc(mel_db: np.ndarray) -> dict[str, float]:
    mfcc = scipy.fft.dct(mel_db, axis=1, norm="ortho")[:, :N_MFCC]
    found: dict[str, float] = {}
    for name, values in (
        ("mean", mfcc.mean(axis=0)),
        ("spread", mfcc.std(axis=0)),
        ("step", _mean_steps(mfcc)),
    ):
        found |= _name(f"mfcc {name}", values)
    joined = mfcc[:, 1 : N_JOINED + 1]
    covariance = np.cov(joined.T)
    deviations = np.sqrt(np.diag(covariance)) + 1e-3
    correlation = covariance / np.outer(deviations, deviations)
    return found | _name("joined", correlation[np.triu_indices(N_JOINED, 1)])


def _describe_mel(mel_db: np.ndarray, *, equal: bool) -> dict[str, float]:
    mean = mel_db.mean(axis=0)
    found = _name("mel mean", mean - mean.mean()) | _name("mel spread", mel_db.std(axis=0))
    grouped = _group(mel_db, 16)
    quantiles = np.quantile(grouped, (0.1, 0.9), axis=0) - np.median(grouped, axis=0)
    found |= _name("mel low", quantiles[0]) | _name("mel high", quantiles[1])
    found |= _name("mel step", _mean_steps(grouped))
    if equal:
        return found
    heights = mean - mean.max()
    edges = [np.flatnonzero(heights > -below).max() for below in (30, 45, 60)]
    return found | _name("edge", np.array(edges))


def _describe_chroma(chroma: np.ndarray) -> dict[str, float]:
    mean = chroma.mean(axis=0)
    turned = np.abs(np.fft.rfft(mean))[1:] / (mean.sum() + FLOOR)
    found = _name("chroma sorted", np.sort(mean)[::-1]) | _name("chroma turned", turned)
    within = np.abs(np.fft.rfft(chroma, axis=1))[:, 1:].mean(axis=0)
    steps = np.abs(np.diff(chroma, axis=0)).mean() if len(chroma) > 1 else 0.0
    found |= _name("chroma chord", within) | {"chroma step": float(steps)}
    return found | {"chroma spread": float(chroma.std(axis=0).mean())}


def _describe_shape(mel_db: np.ndarray, centres: np.ndarray) -> dict[str, float]:
    power = 10 ** (mel_db / 10)
    share = power / power.sum(axis=1, keepdims=True)
    octaves = np.log2(np.maximum(centres, 20.0))
    centroid = share @ octaves
    bandwidth = np.sqrt(np.maximum(share @ octaves**2 - centroid**2, 0))
    rolloff = octaves[(np.cumsum(share, axis=1) >= 0.85).argmax(axis=1)]
    flatness = mel_db.mean(axis=1) - 10 * np.log10(power.mean(axis=1))
    flux = np.abs(np.diff(share, axis=0)).sum(axis=1) if len(share) > 1 else np.zeros(1)
    found: dict[str, float] = {}
    for name, values in (
        ("centroid", centroid),
        ("bandwidth", bandwidth),
        ("rolloff", rolloff),
        ("flatness", flatness),
        ("flux", flux),
    ):
        found |= _describe_values(f"shape {name}", values)
    return found


def _describe_level(mel_db: np.ndarray) -> dict[str, float]:
    level = 10 * np.log10((10 ** (mel_db / 10)).mean(axis=1))
    found = _describe_values("level", level)
    half_s = int(FRAMES_S / 2)
    slow = np.array([level[i : i + half_s].mean() for i in range(0, len(level), half_s)])
    found["level slow spread"] = float(slow.std())
    found["level silent"] = float(np.mean(level < level.max() - 40))
    return found


def _describe_rhythm(mel_db: np.ndarray) -> dict[str, float]:
    rises = np.maximum(np.diff(mel_db, axis=0, prepend=mel_db[:1]), 0).mean(axis=1)
    found = _describe_values("onset", rises)
    found["onset peaks"] = float(np.mean(rises > rises.mean() + 2 * rises.std()))
    lags = np.rint(60 * FRAMES_S / TEMPOS_BPM).astype(int)
    pieces = _cut_pieces(rises[:, None])[:, :, 0]
    pieces = pieces - pieces.mean(axis=1, keepdims=True)
    spectrum = np.abs(np.fft.rfft(pieces, 2 * pieces.shape[1])) ** 2
    around = np.fft.irfft(spectrum)[:, : pieces.shape[1]]
    around = (around / (around[:, :1] + FLOOR)).mean(axis=0)
    tempogram = np.where(lags < len(around), around[np.minimum(lags, len(around) - 1)], 0.0)
    found |= _name("tempo", tempogram)
    return found | {"tempo best": float(np.log2(TEMPOS_BPM[tempogram.argmax()]))}


def _describe_modulation(mel_db: np.ndarray) -> dict[str, float]:
    pieces = _cut_pieces(_group(mel_db, 8))
    pieces = (pieces - pieces.mean(axis=1, keepdims=True)) * np.hanning(pieces.shape[1])[:, None]
    power = (np.abs(np.fft.rfft(pieces, axis=1)) ** 2).mean(axis=0)
    hz = np.fft.rfftfreq(pieces.shape[1], 1 / FRAMES_S)
    found: dict[str, float] = {}
    for low, high in pairwise(MODULATION_HZ):
        inside = (hz >= low) & (hz < high)
        strength = power[inside].sum(axis=0) / pieces.shape[1]
        found |= _name(f"swell {low:g} Hz", 10 * np.log10(strength + 1e-3))
    return found


def _name(prefix: str, values: np.ndarray) -> dict[str, float]:
    return {f"{prefix} {i}": float(value) for i, value in enumerate(values)}


def _describe_values(name: str, values: np.ndarray) -> dict[str, float]:
    quantiles = zip(QUANTILES, np.quantile(values, QUANTILES), strict=True)
    found = {f"{name} mean": float(values.mean()), f"{name} spread": float(values.std())}
    return found | {f"{name} {share:.0%}": float(value) for share, value in quantiles}


def _mean_steps(values: np.ndarray) -> np.ndarray:
    """Return by how much columns change from frame to frame."""
    return np.abs(np.diff(values, axis=0)).mean(axis=0) if len(values) > 1 else 0 * values[0]


def _group(values: np.ndarray, n_groups: int) -> np.ndarray:
    """Return means of as many groups of neighbouring columns."""
    starts = np.linspace(0, values.shape[1], n_groups + 1).astype(int)[:-1]
    return np.add.reduceat(values, starts, axis=1) / np.diff([*starts, values.shape[1]])


def _cut_pieces(values: np.ndarray) -> np.ndarray:
    """Return pieces of 12 s, shape (pieces, frames, columns); of less sound one with zeros."""
    n = max(len(values) // PIECE_FRAMES, 1) * PIECE_FRAMES
    if len(values) < n:
        mean = values.mean(axis=0, keepdims=True)
        values = np.concatenate([values, np.repeat(mean, n - len(values), axis=0)])
    return values[:n].reshape(-1, PIECE_FRAMES, values.shape[1])
