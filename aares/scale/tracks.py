"""What is found of a track: its fingerprints, or the 27 features of the chaining study.

A function of a track is an object that :func:`aares.scale.mapping.map_tracks` sends to processes
and other machines: it is called with a file and returns a value for each of its `columns`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import soundfile as sf

from aares.audio import features
from aares.audio.segments import SEGMENT, parse_segment, read_segment
from aares.identify.catalogue import Settings, fingerprint
from aares.identify.ingest import read_file
from aares.identify.query import read_signal

PRINTS = "fingerprints"
FEATURES = "features"
PRINTS_VERSION = 1  # of how peaks and hashes are found: rows of another are not mixed with these


class TrackFunction(Protocol):
    """A function that is applied to each track of a catalogue."""

    @property
    def columns(self) -> Mapping[str, str]:
        """Return the name and the type of each value.

        Returns
        -------
        mapping of str to str
            Types of Arrow, or ``list<uint32>`` and the like.
        """

    def describe(self) -> dict[str, Any]:
        """Return its name, version and parameters, as JSON holds them: equal ones find the same.

        Returns
        -------
        dict
            At least ``name``.
        """

    def __call__(self, path: Path) -> Mapping[str, Any]: ...


def describe_decoder() -> str:
    """Name the decoder on which samples depend to the last bit.

    Returns
    -------
    str

    Examples
    --------
    >>> describe_decoder().startswith("libsndfile-")
    True
    """
    return f"libsndfile-{sf.__libsndfile_version__}"


@dataclass(frozen=True)
class TrackPrints:
    """Find what an index keeps of a track.

    Parameters
    ----------
    settings : Settings

    Examples
    --------
    >>> import tempfile, numpy
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "noise.wav"
    ...     sf.write(path, 0.1 * numpy.random.default_rng(0).standard_normal(24_000), 8000)
    ...     found = TrackPrints()(path)
    >>> found["n_blocks"], found["seconds"], found["counts"].tolist(), len(found["peaks"])
    (3, 3.0, [12, 12, 12], 36)
    """

    settings: Settings = field(default_factory=Settings)

    @property
    def columns(self) -> Mapping[str, str]:
        """Return the types of what is found: see `aares.identify.catalogue.Prints`.

        Returns
        -------
        mapping of str to str
        """
        return {
            "seconds": "double", "n_blocks": "uint32", "n_hashes": "uint32", "n_peaks": "uint32",
            "notes": "string", "hashes": "list<uint32>", "times": "list<uint32>",
            "counts": "list<uint32>", "peaks": "list<uint16>",
        }  # fmt: skip

    def describe(self) -> dict[str, Any]:
        """Return what the fingerprints depend on.

        Returns
        -------
        dict
        """
        about = {"name": PRINTS, "version": PRINTS_VERSION, "decoder": describe_decoder()}
        return {**about, **asdict(self.settings)}

    def __call__(self, path: Path) -> Mapping[str, Any]:
        y, notes = read_file(path)
        found = fingerprint("", read_signal(y), self.settings)
        return {
            "seconds": found.recording.seconds, "n_blocks": found.recording.n_blocks,
            "n_hashes": len(found.hashes), "n_peaks": len(found.peaks),
            "notes": "; ".join(notes), "hashes": found.hashes, "times": found.times,
            "counts": found.counts, "peaks": found.peaks,
        }  # fmt: skip


@dataclass(frozen=True)
class TrackFeatures:
    """Measure the features of the chaining study, see :mod:`aares.audio.features`.

    Parameters
    ----------
    segment : str
        The part that is measured, see :func:`aares.audio.segments.read_segment`.
    more : bool
        The rest of the study's list too.

    Raises
    ------
    ValueError
        There is no such segment.

    Examples
    --------
    >>> function = TrackFeatures("intro")
    >>> function.describe()["segment"], list(function.columns)[:2], len(function.columns)
    ('intro', ['chroma_stft', 'rms'], 28)
    """

    segment: str = SEGMENT
    more: bool = False

    def __post_init__(self) -> None:
        parse_segment(self.segment)

    @property
    def columns(self) -> Mapping[str, str]:
        """Return the types of the features, and of ``is_short``.

        Returns
        -------
        mapping of str to str
        """
        return {**dict.fromkeys(features.list_names(self.more), "double"), "is_short": "bool"}

    def describe(self) -> dict[str, Any]:
        """Return what the features depend on.

        Returns
        -------
        dict
        """
        about = {"name": FEATURES, "version": features.VERSION, "decoder": describe_decoder()}
        return {**about, "segment": self.segment, "more": self.more}

    def __call__(self, path: Path) -> Mapping[str, Any]:
        part = read_segment(path, self.segment)
        return {**features.measure_segment(part, more=self.more), "is_short": part.is_short}
