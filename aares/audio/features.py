"""The features of a song that the 'chainable songs' study compares songs by.

Used by notebook 06. The study's vector is 27 numbers, each the mean over the frames of a segment
(:mod:`aares.audio.segments`) with librosa's defaults: 22,050 Hz mono, Hann windows of 2048 samples,
512 apart. The rest of the study's list (:mod:`aares.audio.descriptors`) is measured where it is
asked for.

>>> len(NAMES), NAMES[0], NAMES[-1]
(27, 'chroma_stft', 'bpm')

References
----------
B. McFee et al.: librosa: Audio and Music Signal Analysis in Python. SciPy 2015. M. McKinney and
J. Breebaart: Features for audio and music classification. ISMIR 2003. G. Peeters: A large set of
audio features for sound description. CUIDADO report, Ircam 2004. S. Davis and P. Mermelstein:
Comparison of parametric representations for monosyllabic word recognition. IEEE Trans. ASSP 28(4),
1980.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.fft
import soundfile as sf

from aares.audio.beats import estimate_tempo, measure_onsets
from aares.audio.decoding import read_content
from aares.audio.descriptors import ROWS as MORE_ROWS
from aares.audio.descriptors import FeatureRow, describe_sound
from aares.audio.kept import KeptRows, Row
from aares.audio.segments import RATE_HZ, SEGMENT, Segment, parse_segment, read_segment
from aares.audio.spectra import (
    compute_mel_db,
    compute_spectrogram,
    measure_chroma,
    measure_shape,
    measure_wave,
)
from aares.errors import AudioError

if TYPE_CHECKING:
    import pandas as pd

N_MFCC = 20
VERSION = 1  # of what is measured: what was kept of another is measured again
STUDY_ROWS = (
    FeatureRow(
        "chroma_stft",
        "1",
        "mean of the 12 pitch classes of |STFT|^2, each frame's loudest being 1; tuning estimated",
        "Ellis 2007",
    ),
    FeatureRow("rms", "full scale", "mean of sqrt(mean of y^2)", "McKinney and Breebaart 2003"),
    FeatureRow(
        "spectral_centroid",
        "Hz",
        "c = sum of f M(f) / sum of M(f), M = |STFT|",
        "Peeters 2004",
    ),
    FeatureRow(
        "spectral_bandwidth",
        "Hz",
        "sqrt(sum of (f - c)^2 M(f) / sum of M(f))",
        "Peeters 2004",
    ),
    FeatureRow("rolloff", "Hz", "lowest f below which 85 % of the sum of M(f) lie", "Peeters 2004"),
    FeatureRow(
        "zero_crossing_rate",
        "1",
        "share of samples whose sign is not the last one's",
        "Peeters 2004",
    ),
    FeatureRow(
        "mfcc",
        "dB",
        "first 20 of the orthonormal DCT-II of 10 log10 of 128 mel bands of |STFT|^2, at most "
        "80 dB below the loudest",
        "Davis and Mermelstein 1980; mel bands of Slaney 1998",
    ),
    FeatureRow(
        "bpm",
        "beats / min",
        "60 / lag of the highest log autocorrelation of onset strength (8 s windows), weighted "
        "towards 120 by a normal density over log2, 1 octave wide",
        "Ellis 2007; Grosche et al. 2010",
    ),
)
"""What the study's vector holds; the row ``mfcc`` is 20 of its numbers."""
NAMES = tuple(
    name
    for row in STUDY_ROWS
    for name in ([f"mfcc{n}" for n in range(1, N_MFCC + 1)] if row.name == "mfcc" else [row.name])
)
"""The study's vector, in its order."""
MORE_NAMES = tuple(row.name for row in MORE_ROWS)
"""The rest of the study's list."""


def list_names(more: bool = False) -> list[str]:
    """Return the names of the features, in their order.

    Parameters
    ----------
    more : bool
        The rest of the study's list too.

    Returns
    -------
    list of str

    Examples
    --------
    >>> len(list_names()), list_names(more=True)[-1]
    (27, 'roughness_std')
    """
    return [*NAMES, *(MORE_NAMES if more else ())]


def describe_features() -> pd.DataFrame:
    """Return what each feature of the study's list is.

    Returns
    -------
    DataFrame
        Indexed by feature; columns ``numbers`` (how many it is), ``unit``, ``formula`` and
        ``reference``.

    Examples
    --------
    >>> table = describe_features()
    >>> table["numbers"].sum().item(), table.loc["sharpness", "unit"]
    (34, 'acum')
    """
    import pandas as pd

    table = pd.DataFrame([*STUDY_ROWS, *MORE_ROWS]).set_index("name").rename_axis("feature")
    table.insert(0, "numbers", [N_MFCC if name == "mfcc" else 1 for name in table.index])
    return table


def extract(
    song: str | Path | np.ndarray,
    segment: str = SEGMENT,
    *,
    sr: int | None = None,
    more: bool = False,
) -> dict[str, float]:
    """Return the features of a song.

    Parameters
    ----------
    song : str, Path or ndarray of float, shape (n,)
        A file, or the samples of a whole song.
    segment : str
        The part that is measured, see :func:`aares.audio.segments.read_segment`.
    sr : int, optional
        Of samples, and needed for them: their rate in Hz.
    more : bool
        The rest of the study's list too.

    Returns
    -------
    dict of float
        The 27 `NAMES`, then the `MORE_NAMES` if they are asked for, in their order.

    Raises
    ------
    AudioError
        The file cannot be read up to the end of the segment, or the song is shorter than 5 s.
    ValueError
        There is no such segment, or the samples are no signal.

    Examples
    --------
    >>> t = np.arange(6 * 22050) / 22050
    >>> features = extract(0.5 * np.sin(2 * np.pi * 1000 * t), "whole", sr=22050)
    >>> round(features["spectral_centroid"], -1), round(features["rms"], 2)
    (1000.0, 0.35)
    """
    return measure_segment(read_segment(song, segment, sr=sr), more=more)


def measure_segment(part: Segment, *, more: bool = False) -> dict[str, float]:
    """Return the features of a segment that is decoded already.

    Parameters
    ----------
    part : Segment
        At 22,050 Hz.
    more : bool
        The rest of the study's list too.

    Returns
    -------
    dict of float
        As :func:`extract`.

    Raises
    ------
    ValueError
        The segment has another rate.

    Examples
    --------
    >>> silence = read_segment(np.zeros(6 * 22050), "whole", sr=22050)
    >>> features = measure_segment(silence)
    >>> features["rms"], features["bpm"]
    (0.0, 0.0)
    """
    if part.rate != RATE_HZ:
        raise ValueError(f"part: expected a segment at {RATE_HZ} Hz, found {part.rate} Hz")
    S = compute_spectrogram(part.y)
    P = S * S
    mel_db = compute_mel_db(P, part.rate)
    rms, zero_crossing_rate = measure_wave(part.y)
    values = (
        measure_chroma(P, part.rate),
        rms,
        *measure_shape(S, part.rate),
        zero_crossing_rate,
        *scipy.fft.dct(mel_db.mean(axis=1, dtype=float), norm="ortho")[:N_MFCC],
        estimate_tempo(measure_onsets(mel_db), part.rate),
    )
    features = {name: float(value) for name, value in zip(NAMES, values, strict=True)}
    return {**features, **(describe_sound(part.y, part.rate, S) if more else {})}


def extract_many(
    paths: Iterable[str | Path],
    segment: str = SEGMENT,
    *,
    more: bool = False,
    cache: str | Path | None = None,
    n_jobs: int = 1,
    progress: Callable[[int, int], Any] | None = None,
) -> pd.DataFrame:
    """Return the features of many files; a bad one is a row that says why.

    Parameters
    ----------
    paths : iterable of str or Path
        A file that is named twice is measured once.
    segment : str
        The part that is measured, see :func:`aares.audio.segments.read_segment`.
    more : bool
        The rest of the study's list too.
    cache : str or Path, optional
        A folder that keeps what was measured, by the content of the file and what was asked: a run
        that was killed goes on where it stopped.
    n_jobs : int
        Worker processes.
    progress : callable, optional
        Is called after each file with the number of files that are done and of all.

    Returns
    -------
    DataFrame
        A row for each path as it was given, in the order given; columns :func:`list_names`,
        ``is_short`` (the song ended before the segment did: its last seconds were measured) and
        ``error`` (empty where all went well; else the features are NaN).

    Raises
    ------
    ValueError
        There is no such segment, or `paths` is one path.

    Examples
    --------
    >>> table = extract_many(["nowhere.mp3"])
    >>> table["error"].item(), table["bpm"].item()
    ('nowhere.mp3: expected an audio file, found no such file', nan)
    """
    import pandas as pd  # which the workers need not wait for
    from joblib import Parallel, delayed

    parse_segment(segment)
    if isinstance(paths, str | Path):
        raise ValueError(f"paths: expected several paths, found one: {str(paths)!r}")
    paths = list(paths)
    if strange := [path for path in paths if not isinstance(path, str | Path)]:
        raise ValueError(f"paths: expected text or Path, found {strange[0]!r}")
    kept = None
    if cache is not None:
        asked = {"features": VERSION, "segment": segment, "more": more}
        kept = KeptRows(Path(cache), {**asked, "decoder": sf.__libsndfile_version__})
    jobs = [delayed(_measure_file)(path, segment, more, kept) for path in dict.fromkeys(paths)]
    rows: dict[str | Path, dict[str, Any]] = {}
    for path, row in Parallel(n_jobs, return_as="generator_unordered", batch_size=1)(jobs):
        rows[path] = row
        if progress:
            progress(len(rows), len(jobs))
    columns = [*list_names(more), "is_short", "error"]
    index = pd.Index(paths, name="path", dtype=object)
    return pd.DataFrame([rows[path] for path in paths], index=index, columns=columns)


def _measure_file(
    path: str | Path, segment: str, more: bool, kept: KeptRows | None
) -> tuple[str | Path, dict[str, Any]]:
    try:
        return path, {**_find_row(path, segment, more, kept), "error": ""}
    except AudioError as error:
        return path, {"is_short": False, "error": str(error)}


def _find_row(path: str | Path, segment: str, more: bool, kept: KeptRows | None) -> Row:
    content = read_content(path) if kept else b""
    row = kept.read(content, [*list_names(more), "is_short"]) if kept else None
    if row is None:
        part = read_segment(path, segment)
        row = {**measure_segment(part, more=more), "is_short": part.is_short}
        if kept:
            kept.write(content, row)
    return row
