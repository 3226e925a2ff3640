"""Visual features of songs: the families of an image classifier on a spectrogram's transforms.

Used by notebook 06. WND-CHARM describes an image by 2,883 values: families of features
(:mod:`aares.chaining.families`), each taken of the image and of its transforms, and of transforms
of transforms. Here each of 11 families is taken of 9 images: 3,132 values, and the 180 of HOG of
the picture itself; :func:`list_features` names every one.

The images are the picture (:mod:`aares.chaining.pictures`) at half its size, 256 x 400: its Fourier
transform (log of the magnitude), its wavelet transform (four bands of the symlet 5 side by side),
its Chebyshev transform (log), its edges (size of the gradient), and Chebyshev of Fourier, wavelet
of Fourier, Fourier of wavelet, Fourier of edges. Gabor, Zernike and what looks at large forms read
them at half of that again.

References
----------
.. [1] N. Orlov, L. Shamir et al., "WND-CHARM: Multi-purpose image classification using compound
   image transforms", Pattern Recognition Letters 29, 2008.
.. [2] J. George and L. Shamir, "Computer analysis of similarities between albums in popular
   music", Pattern Recognition Letters 45, 2014, section 2.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from joblib import Parallel, delayed

from aares.audio.segments import parse_segment, read_segment
from aares.chaining.families import (
    FAMILIES,
    VisualError,
    filter_gabor,
    require_package,
    show_directions,
    stretch_image,
    transform_chebyshev,
)
from aares.chaining.pictures import SEGMENT, Picture, average_cells, paint_sound
from aares.errors import AaresError
from aares.files import digest, write_atomic

TRANSFORMS = (
    "image",
    "fourier",
    "wavelet",
    "chebyshev",
    "edges",
    "chebyshev of fourier",
    "wavelet of fourier",
    "fourier of wavelet",
    "fourier of edges",
)
PAPER_COUNT = 2883  # of the WND-CHARM set of [2]_
SHRINK = 2
SMALLEST = 32  # cells along either side, when the picture was made smaller
WAVELET = "sym5"
VERSION = 1  # of what is measured: features that were kept by another one are measured again


def list_features(
    *, families: Sequence[str] = tuple(FAMILIES), transforms: Sequence[str] = TRANSFORMS
) -> pd.DataFrame:
    """Name the visual features.

    Parameters
    ----------
    families : sequence of str
        Of :data:`aares.chaining.families.FAMILIES`.
    transforms : sequence of str
        Of :data:`TRANSFORMS`; ``hog`` is taken of ``image`` only.

    Returns
    -------
    DataFrame
        ``family``, ``transform``, ``number`` (from 0), indexed by ``name``, in the order of
        :func:`describe_picture`.

    Raises
    ------
    ValueError
        There is no such family or transform.

    Examples
    --------
    >>> features = list_features()
    >>> len(features), len(features.query("family != 'hog'")), PAPER_COUNT
    (3312, 3132, 2883)
    >>> features.index[7]
    'image haralick 7'
    """
    _check_choice("families", families, FAMILIES)
    _check_choice("transforms", transforms, TRANSFORMS)
    rows = [
        (f"{transform} {family} {number}", family, transform, number)
        for transform in transforms
        for family in families
        if family != "hog" or transform == "image"
        for number in range(FAMILIES[family].size)
    ]
    columns = ["name", "family", "transform", "number"]
    return pd.DataFrame(rows, columns=columns).set_index("name")


def transform_picture(
    picture: Picture, transforms: Sequence[str] = TRANSFORMS
) -> dict[str, Picture]:
    """Return a picture's transforms as images.

    Parameters
    ----------
    picture : ndarray of uint8, shape (rows, columns)
        At least 32 x 32.
    transforms : sequence of str
        Of :data:`TRANSFORMS`.

    Returns
    -------
    dict of str to ndarray of uint8
        Each spread over 0 to 255. Fourier has half of the columns: the rest is its mirror.

    Raises
    ------
    ValueError
        The picture is no picture, or there is no such transform.
    VisualError
        The wavelet is asked for and the extra ``[visual]`` is not installed.

    Examples
    --------
    >>> picture = np.tile(np.arange(64, dtype=np.uint8), (64, 1))
    >>> {name: image.shape for name, image in transform_picture(picture).items()}["fourier"]
    (64, 33)
    """
    _check_picture(picture)
    _check_choice("transforms", transforms, TRANSFORMS)
    found = {"image": picture}
    return {name: _build_image(name, found) for name in transforms}


def describe_picture(
    picture: Picture,
    *,
    families: Sequence[str] = tuple(FAMILIES),
    transforms: Sequence[str] = TRANSFORMS,
    shrink: int = SHRINK,
) -> pd.Series:
    """Measure the visual features of a picture.

    Parameters
    ----------
    picture : ndarray of uint8, shape (rows, columns)
        As of :func:`aares.chaining.pictures.paint_sound`.
    families, transforms : sequence of str
        As of :func:`list_features`.
    shrink : int
        The picture is made so much smaller first: 2 costs 1 s of processor for all features, 4 a
        third of it.

    Returns
    -------
    Series of float64
        Indexed as :func:`list_features`; finite, whatever the picture.

    Raises
    ------
    ValueError
        The picture is no picture or too small, or there is no such family or transform.
    VisualError
        The extra ``[visual]`` is not installed.

    Examples
    --------
    >>> picture = np.tile(np.arange(200, dtype=np.uint8), (128, 1))
    >>> values = describe_picture(picture, families=["radon", "histograms"], transforms=["image"])
    >>> len(values), float(values["image histograms 0"])
    (36, 0.43)
    """
    features = list_features(families=families, transforms=transforms)
    _check_picture(picture)
    small = average_cells(picture, shrink)
    images = transform_picture(small, transforms)
    parts = features.drop_duplicates(["transform", "family"])
    values = [
        np.asarray(FAMILIES[family].compute(images[transform]), dtype=np.float64)
        for transform, family in zip(parts["transform"], parts["family"], strict=True)
    ]
    return pd.Series(np.concatenate(values), index=features.index)


def see_picture(picture: Picture, *, shrink: int = SHRINK) -> dict[str, npt.NDArray[Any]]:
    """Return what some families look at, cell by cell, to be drawn beside each other.

    Parameters
    ----------
    picture : ndarray of uint8, shape (rows, columns)
    shrink : int
        As of :func:`describe_picture`.

    Returns
    -------
    dict of str to ndarray, shape about (rows // shrink, columns // shrink)
        ``picture``, ``edges`` (size of the gradient), ``onsets`` and ``tones`` (Gabor: stripes
        across time, and across frequency, 8 cells wide), ``local patterns`` (how many of each
        cell's 8 neighbours are as bright or brighter), ``directions`` (HOG: the frequent ones of
        each field), ``fourier`` and ``wavelet`` (the transforms). From 0, each on a scale of its
        own.

    Raises
    ------
    ValueError
        The picture is no picture, or too small.
    VisualError
        The extra ``[visual]`` is not installed.

    Examples
    --------
    >>> stripes = np.tile(np.array([0, 0, 0, 0, 9, 9, 9, 9], np.uint8), (64, 12))
    >>> seen = see_picture(stripes, shrink=1)
    >>> bool(seen["onsets"].mean() > 9 * seen["tones"].mean())
    True
    """
    _check_picture(picture)
    small = average_cells(picture, shrink)
    images = transform_picture(small, ["image", "edges", "fourier", "wavelet"])
    codes = require_package("mahotas.features.lbp").lbp_transform(small, 1, 8, preserve_shape=True)
    return {
        "picture": images["image"],
        "edges": images["edges"],
        "onsets": filter_gabor(small, 8, 0),
        "tones": filter_gabor(small, 8, 2),
        "local patterns": np.bitwise_count(codes),
        "directions": show_directions(small),
        "fourier": images["fourier"],
        "wavelet": images["wavelet"],
    }


def extract_visual(
    paths: Iterable[str | Path],
    segment: str = SEGMENT,
    *,
    scale: str = "log-mel",
    families: Sequence[str] = tuple(FAMILIES),
    transforms: Sequence[str] = TRANSFORMS,
    shrink: int = SHRINK,
    cache: str | Path | None = None,
    n_jobs: int = 1,
    progress: Callable[[int, int], Any] | None = None,
) -> pd.DataFrame:
    """Measure the visual features of many files; a bad one is a row that says why.

    Parameters
    ----------
    paths : iterable of str or Path
    segment : str
        The part that is painted.
    scale : {"log-mel", "linear"}
        Of the picture's rows.
    families, transforms : sequence of str
        As of :func:`list_features`.
    shrink : int
        As of :func:`describe_picture`.
    cache : str or Path, optional
        A folder that keeps each song's features as soon as they are there, by the content of the
        file and these parameters: what was stopped goes on where it was.
    n_jobs : int
        Worker processes.
    progress : callable, optional
        Is called with the number of files that are done and of all.

    Returns
    -------
    DataFrame
        A row for each path, in their order; columns as :func:`list_features`, ``is_short`` (the
        song ended before the segment did) and ``error`` (empty where all went well; else the
        features are NaN).

    Raises
    ------
    ValueError
        There is no such segment, scale, family or transform.
    VisualError
        The extra ``[visual]`` is not installed.

    Examples
    --------
    >>> table = extract_visual(["nowhere.mp3"], families=["radon"], transforms=["image"])
    >>> table.shape, table["error"].tolist()
    ((1, 14), ['nowhere.mp3: expected an audio file, found no such file'])
    """
    paths = [Path(path) for path in paths]
    names = list_features(families=families, transforms=transforms).index
    parse_segment(segment)
    options: dict[str, Any] = {
        "families": tuple(families), "transforms": tuple(transforms), "shrink": shrink
    }  # fmt: skip
    blank = np.zeros((4 * SMALLEST * shrink, 4 * SMALLEST * shrink), np.uint8)
    describe_picture(blank, **options)  # what is missing is said before an hour's work
    tasks = (delayed(_describe_song)(path, segment, scale, options, cache) for path in paths)
    rows = []
    for row in Parallel(n_jobs=n_jobs, return_as="generator")(tasks):
        rows.append(row)
        if progress:
            progress(len(rows), len(paths))
    values = np.stack([row[0] for row in rows]) if rows else np.empty((0, len(names)))
    table = pd.DataFrame(values, index=pd.Index(paths, name="path"), columns=names)
    rest = {"is_short": [row[1] for row in rows], "error": [row[2] for row in rows]}
    return pd.concat([table, pd.DataFrame(rest, index=table.index)], axis=1)


def _describe_song(
    path: Path, segment: str, scale: str, options: dict[str, Any], cache: str | Path | None
) -> tuple[npt.NDArray[np.float64], bool, str]:
    """Return the features of a file, whether it is short, and what is wrong with it."""
    kept = None
    if cache is not None and path.is_file():
        asked = f"{VERSION} {segment} {scale} {sorted(options.items())}"
        name = f"visual-{digest(path.read_bytes())}-{digest(asked.encode())}.npy"
        kept = Path(cache) / name
        if kept.is_file():
            is_short, *values = np.load(kept)
            return np.array(values), bool(is_short), ""
    try:
        part = read_segment(path, segment)
        values = describe_picture(paint_sound(part.y, scale=scale), **options).to_numpy()
    except VisualError:
        raise
    except AaresError as error:
        names = list_features(families=options["families"], transforms=options["transforms"])
        return np.full(len(names), np.nan), False, str(error)
    if kept:
        stream = io.BytesIO()
        np.save(stream, np.r_[part.is_short, values])
        write_atomic(kept, stream.getvalue())
    return values, part.is_short, ""


def _build_image(name: str, found: dict[str, Picture]) -> Picture:
    """Return a transform, keeping it and those that it is a transform of."""
    if name not in found:
        step, _, rest = name.partition(" of ")
        found[name] = _STEPS[step](_build_image(rest or "image", found))
    return found[name]


def _transform_fourier(image: Picture) -> Picture:
    spectrum = np.fft.rfft2(image / 255.0 - image.mean() / 255.0)
    return stretch_image(np.log1p(np.abs(np.fft.fftshift(spectrum, axes=0))))


def _transform_wavelet(image: Picture) -> Picture:
    """Return the four bands of half the size, each spread over 0 to 255 by itself."""
    wavelets = require_package("pywt")
    rough, details = wavelets.dwt2(image / 255.0, WAVELET, mode="periodization")
    level, *fine = stretch_image(rough), *(stretch_image(np.abs(band)) for band in details)
    return np.block([[level, fine[0]], [fine[1], fine[2]]])


def _transform_edges(image: Picture) -> Picture:
    return stretch_image(np.hypot(*np.gradient(image.astype(np.float64))))


def _transform_chebyshev(image: Picture) -> Picture:
    return stretch_image(np.log1p(np.abs(transform_chebyshev(image))))


_STEPS = {
    "fourier": _transform_fourier,
    "wavelet": _transform_wavelet,
    "chebyshev": _transform_chebyshev,
    "edges": _transform_edges,
}


def _check_choice(name: str, chosen: Sequence[str], known: Sequence[str] | dict) -> None:
    if isinstance(chosen, str) or not len(chosen):
        raise ValueError(f"{name}: expected a list of {', '.join(known)}, found {chosen!r}")
    if strange := [item for item in chosen if item not in known]:
        raise ValueError(f"{name}: expected some of {', '.join(known)}, found {strange[0]!r}")
    if len(set(chosen)) < len(chosen):
        raise ValueError(f"{name}: expected each once, found {', '.join(chosen)}")


def _check_picture(picture: Picture) -> None:
    found = f"{getattr(picture, 'dtype', type(picture).__name__)}, shape {np.shape(picture)}"
    if not isinstance(picture, np.ndarray) or picture.dtype != np.uint8 or picture.ndim != 2:
        raise ValueError(f"picture: expected uint8, shape (rows, columns), found {found}")
    if min(picture.shape) < SMALLEST:
        raise ValueError(f"picture: expected at least {SMALLEST} x {SMALLEST} cells, found {found}")


__all__ = [
    "PAPER_COUNT", "TRANSFORMS", "VisualError", "describe_picture", "extract_visual",
    "list_features", "see_picture", "transform_picture",
]  # fmt: skip
