"""What an image classifier measures on a picture: the families of WND-CHARM, and HOG.

Used by notebook 06 through :mod:`aares.chaining.visual`, which applies them to a picture and to its
transforms. Each family turns an image (uint8, shape (rows, columns)) into a fixed number of finite
values; a flat image has them too. The families of [1]_ that a spectrogram gives a meaning to:

=================  ======  ==================================================================
family             values  what they are
=================  ======  ==================================================================
haralick               26  13 statistics of which grey levels (64) are neighbours: mean and
                           range over four directions [2]_
lbp                    36  shares of the local binary patterns of 8 neighbours [3]_
tamura                  6  coarseness and its histogram (3), contrast, directionality [4]_
gabor                  32  mean and spread of the response to 4 wavelengths x 4 directions
zernike                72  moments up to degree 15 of the disc in the middle [5]_
chebyshev              32  histogram of the 20 x 20 lowest Chebyshev coefficients
chebyshev-fourier      32  histogram of the 16 x 16 lowest on a disc: Chebyshev along the
                           radius, Fourier along the angle
radon                  12  3-bin histograms of the sums along 4 directions
edges                  28  size of the gradient (4, and 8 bins), its direction (8 bins, 4
                           differences of opposite ones, homogeneity), share of edges (3)
histograms             24  grey levels in 3, 5, 7 and 9 bins
moments                48  mean, spread, skewness, kurtosis of the lines along 4 directions,
                           each as a 3-bin histogram
hog                   180  histograms of 9 gradient directions in 4 x 5 cells [6]_
=================  ======  ==================================================================

Two families of the paper are left out: the statistics of objects (a spectrogram has none that a
threshold would find), and those of colour.

The packages mahotas, scikit-image and PyWavelets are the extra ``[visual]`` of this library.

References
----------
.. [1] N. Orlov, L. Shamir et al., "WND-CHARM: Multi-purpose image classification using compound
   image transforms", Pattern Recognition Letters 29, 2008, section 2.
.. [2] R. M. Haralick, "Textural features for image classification", IEEE SMC 3(6), 1973.
.. [3] T. Ojala et al., "Multiresolution gray-scale and rotation invariant texture classification
   with local binary patterns", IEEE PAMI 24(7), 2002.
.. [4] H. Tamura et al., "Textural features corresponding to visual perception", IEEE SMC 8(6),
   1978.
.. [5] M. R. Teague, "Image analysis via the general theory of moments", JOSA 70, 1980.
.. [6] N. Dalal and B. Triggs, "Histograms of oriented gradients for human detection", CVPR 2005.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.fft import dct, dctn
from scipy.ndimage import uniform_filter

from aares.chaining.pictures import Picture, average_cells
from aares.errors import AaresError

Floats = npt.NDArray[np.float64]

DEGREE = 15  # of the Zernike moments: 72 of them, as in WND-CHARM
GREYS = 64  # levels whose neighbourhood is counted
WAVES = (4, 8, 16, 32)  # cells of a quarter of the picture
DIRECTIONS = 4
HOG_CELLS = (4, 5)
HOG_DIRECTIONS = 9
LINE = 8  # cells that a diagonal has at least: a corner's few say nothing
FLAT = 1e-9  # of a spread: rounding below it


class VisualError(AaresError):
    """What looks at pictures of sound is not installed, or was given none."""


class Family(NamedTuple):
    """A family: how many values, and what computes them."""

    size: int
    compute: Callable[[Picture], npt.ArrayLike]


def require_package(name: str, *, extra: str = "visual") -> Any:
    """Import a package of an extra, or say how it is installed.

    Parameters
    ----------
    name : str
        As in ``import name``.
    extra : str
        Of this library, which has it.

    Returns
    -------
    module

    Raises
    ------
    VisualError
        It is not installed.

    Examples
    --------
    >>> require_package("not_there")
    Traceback (most recent call last):
        ...
    aares.chaining.families.VisualError: expected the package not_there, which is not installed: \
pip install "aares[visual]"
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise VisualError(
            f'expected the package {package}, which is not installed: pip install "aares[{extra}]"'
        ) from error


def stretch_image(values: npt.ArrayLike) -> Picture:
    """Spread values over 0 to 255.

    Parameters
    ----------
    values : array-like of float, shape (rows, columns)

    Returns
    -------
    ndarray of uint8, shape (rows, columns)
        0 everywhere where all are alike.

    Examples
    --------
    >>> stretch_image([[1.0, 2.0], [1.5, 1.0]]).tolist()
    [[0, 255], [128, 0]]
    """
    values = np.asarray(values, dtype=np.float64)
    low, high = values.min(), values.max()
    if high - low < FLAT * max(abs(low), abs(high), FLAT):
        return np.zeros(values.shape, np.uint8)
    return np.rint((values - low) * (255 / (high - low))).astype(np.uint8)


# --- textures -----------------------------------------------------------------------------


def _describe_haralick(image: Picture) -> Floats:
    texture = require_package("mahotas.features").haralick
    levels = (image // (256 // GREYS)).astype(np.uint8)
    return np.asarray(texture(levels, return_mean_ptp=True))


def _describe_lbp(image: Picture) -> Floats:
    counts = require_package("mahotas.features").lbp(image, 1, 8)
    return np.asarray(counts / image.size)


def _describe_tamura(image: Picture) -> Floats:
    values = image / 255.0
    differences = []
    for k in range(1, 6):
        means, step = uniform_filter(values, 2**k), 2 ** (k - 1)
        across = np.abs(np.roll(means, step, 1) - np.roll(means, -step, 1))
        along = np.abs(np.roll(means, step, 0) - np.roll(means, -step, 0))
        differences.append(np.maximum(across, along))
    best = 2.0 ** (1 + np.argmax(np.round(differences, 9), axis=0))  # the finest of equal ones
    spread, fourth = values.std(), np.mean((values - values.mean()) ** 4)
    contrast = spread**2 / fourth**0.25 if spread > FLAT else 0.0
    shares = _gradient_directions(image, 16)
    order = 1 + float(np.sum(shares * np.log(np.maximum(shares, 1e-12)))) / np.log(16)
    coarse = _count(best, 3, 2, 32)
    return np.array([best.mean(), *coarse, contrast, order if shares.any() else 0.0])


def filter_gabor(image: Picture, wave: float, direction: int) -> Floats:
    """Return how strongly stripes of one width and direction answer, cell by cell.

    Parameters
    ----------
    image : ndarray of uint8, shape (rows, columns)
    wave : float
        Width of a stripe pair, cells.
    direction : int
        In steps of 45 degrees: 0 is along time, 2 along frequency.

    Returns
    -------
    ndarray of float64, shape (rows, columns)
        At least 0; 0 in a flat image.

    Examples
    --------
    >>> stripes = np.tile(np.array([0, 0, 255, 255], np.uint8), (16, 4))
    >>> [round(float(filter_gabor(stripes, 4, k).mean()), 2) for k in (0, 2)]
    [0.29, 0.0]
    """
    # Mirrored at its ends: else the last column would be an edge beside the first.
    pads = [(min(round(2 * wave), size),) * 2 for size in image.shape]
    values = np.pad(image / 255.0, pads, mode="symmetric")
    angle = direction * np.pi / DIRECTIONS
    rows = np.fft.fftfreq(values.shape[0])[:, np.newaxis]
    columns = np.fft.fftfreq(values.shape[1])
    along = columns * np.cos(angle) + rows * np.sin(angle) - 1 / wave
    across = rows * np.cos(angle) - columns * np.sin(angle)
    width = 1 / (3 * wave)  # about one octave
    window = np.exp(-(along**2 + across**2) / (2 * width**2))
    answer = np.abs(np.fft.ifft2(np.fft.fft2(values - values.mean()) * window))
    (top, _), (left, _) = pads
    return np.asarray(answer[top : top + image.shape[0], left : left + image.shape[1]])


def _describe_gabor(image: Picture) -> Floats:
    small = _quarter(image)
    answers = [filter_gabor(small, wave, k) for wave in WAVES for k in range(DIRECTIONS)]
    return np.array([value for answer in answers for value in (answer.mean(), answer.std())])


def _describe_edges(image: Picture) -> Floats:
    size, _ = _gradient(image)
    directions = _gradient_directions(image, 8)
    opposite = directions[:4] - directions[4:]
    strong = [np.mean(size > level) for level in (8, 16, 32)]
    spread = [size.mean(), np.median(size), size.std(), size.max()]
    return np.array(
        [*spread, *_count(size, 8, 0, 128), *directions, *opposite, directions.max(), *strong]
    )


def _describe_hog(image: Picture) -> Floats:
    return _compute_hog(image, visualize=False)


def show_directions(image: Picture) -> Floats:
    """Draw the frequent directions of each field that HOG counts in.

    Parameters
    ----------
    image : ndarray of uint8, shape (rows, columns)

    Returns
    -------
    ndarray of float64, shape (rows, columns)
        Lines along the edges, brighter where they are more frequent; what is left over beside 4 x 5
        fields of whole cells is cut off.

    Examples
    --------
    >>> show_directions(np.zeros((66, 96), np.uint8)).shape
    (64, 95)
    """
    return np.asarray(_compute_hog(image, visualize=True)[1])


def _compute_hog(image: Picture, *, visualize: bool) -> Any:
    # Cells of whole pixels: what is left over at the edge would be another cell.
    size = np.array(image.shape) // HOG_CELLS
    height, width = size * HOG_CELLS
    return require_package("skimage.feature").hog(
        image[:height, :width],
        HOG_DIRECTIONS,
        tuple(size),
        (1, 1),
        block_norm="L2",  # the usual L2-Hys would clip all nine of a cell to one value
        visualize=visualize,
    )


# --- polynomials --------------------------------------------------------------------------


def _describe_zernike(image: Picture) -> Floats:
    small = _quarter(image)
    if not small.any():
        return np.zeros(72)
    middle = np.array(small.shape) / 2
    moments = require_package("mahotas.features").zernike_moments
    return np.asarray(moments(small, min(small.shape) // 2, degree=DEGREE, cm=tuple(middle)))


def transform_chebyshev(image: Picture) -> Floats:
    """Return an image's coefficients of products of two Chebyshev polynomials.

    Parameters
    ----------
    image : ndarray of uint8, shape (rows, columns)
        Read at the polynomials' nodes, where the transform is a cosine transform.

    Returns
    -------
    ndarray of float64, shape (rows, columns)
        Degrees along frequency and along time.

    Examples
    --------
    A slope is the polynomial of degree 1.

    >>> slope = np.tile(np.linspace(-1, 1, 64) * 100 + 100, (8, 1)).astype(np.uint8)
    >>> np.abs(transform_chebyshev(slope)).argsort(axis=None)[:-3:-1].tolist()
    [0, 1]
    """
    rows, columns = (_nodes(n) for n in image.shape)
    return np.asarray(dctn(image[np.ix_(rows, columns)] / 255.0, norm="ortho"))


def _describe_chebyshev(image: Picture) -> Floats:
    return _bin_magnitudes(transform_chebyshev(image)[:20, :20])


def _describe_chebyshev_fourier(image: Picture) -> Floats:
    radius = min(image.shape) / 2 - 1
    distance = radius * (_nodes(64) + 0.5)[:, np.newaxis] / 64
    angle = 2 * np.pi * np.arange(128) / 128
    middle = (np.array(image.shape) - 1) / 2
    rows = np.rint(middle[0] + distance * np.sin(angle)).astype(int)
    columns = np.rint(middle[1] + distance * np.cos(angle)).astype(int)
    around = np.fft.rfft(image[rows, columns] / 255.0, axis=1, norm="ortho")[:, :16]
    parts = [dct(part, axis=0, norm="ortho")[:16] for part in (around.real, around.imag)]
    return _bin_magnitudes(np.hypot(*parts))


def _bin_magnitudes(coefficients: Floats) -> Floats:
    """Return 32 shares of how many coefficients are how large, from 0.001 to 100, evenly in log."""
    return _count(np.log10(np.maximum(np.abs(coefficients), 1e-6)), 32, -3, 2)


@lru_cache(maxsize=64)
def _nodes(n: int) -> npt.NDArray[np.intp]:
    """Return the cells at the Chebyshev nodes, from first to last cell."""
    places = np.cos(np.pi * (np.arange(n)[::-1] + 0.5) / n)
    return np.clip(((places + 1) / 2 * n).astype(int), 0, n - 1)


# --- distributions ------------------------------------------------------------------------


def _describe_radon(image: Picture) -> Floats:
    found = []
    for direction in range(DIRECTIONS):
        lines, lengths = _list_lines(image.shape, direction)
        means = np.bincount(lines, weights=image.ravel()) / lengths
        found.append(_count(means[lengths >= LINE], 3, 0, 255))
    return np.concatenate(found)


def _describe_histograms(image: Picture) -> Floats:
    return np.concatenate([_count(image, bins, 0, 255) for bins in (3, 5, 7, 9)])


def _describe_moments(image: Picture) -> Floats:
    found = [_describe_lines(image, k) for k in range(DIRECTIONS)]
    return np.concatenate([_count(values, 3) for moments in found for values in moments])


def _describe_lines(image: Picture, direction: int) -> Floats:
    """Return mean, spread, skewness and kurtosis of each line along a direction: (4, lines)."""
    lines, lengths = _list_lines(image.shape, direction)
    values = image.ravel() / 255.0
    mean = np.bincount(lines, weights=values) / lengths
    rest = values - mean[lines]
    square = rest * rest
    powers = (square, square * rest, square * square)
    second, third, fourth = (np.bincount(lines, weights=power) / lengths for power in powers)
    flat = second < FLAT
    scale = np.where(flat, 1.0, second)
    skewness, kurtosis = np.where(flat, 0.0, [third / scale**1.5, fourth / scale**2])
    return np.stack([mean, np.sqrt(second), skewness, kurtosis])[:, lengths >= LINE]


@lru_cache(maxsize=64)
def _list_lines(shape: tuple[int, int], direction: int) -> tuple[Any, Any]:
    """Return each cell's line and each line's length: rows, diagonals, columns, diagonals."""
    rows, columns = np.indices(shape)
    lines = (rows, rows + columns, columns, rows - columns + shape[1] - 1)[direction].ravel()
    return lines, np.bincount(lines)


def _count(
    values: npt.ArrayLike, bins: int, low: float | None = None, high: float | None = None
) -> Floats:
    """Return the share of values in each of some equal bins; what lies outside is in the last."""
    values = np.asarray(values, dtype=np.float64).ravel()
    low = values.min() if low is None else low
    high = values.max() if high is None else high
    if not high - low > FLAT:
        return np.eye(bins)[0]
    places = np.floor((values - low) * (bins / (high - low)))
    counted = np.bincount(np.clip(places, 0, bins - 1).astype(int), minlength=bins)
    return np.asarray(counted / len(values))


def _gradient(image: Picture) -> tuple[Floats, Floats]:
    """Return the size (grey levels a cell) and the direction (-pi to pi) of the steepest rise."""
    rise, run = np.gradient(image.astype(np.float64))
    return np.hypot(rise, run), np.arctan2(rise, run)


def _gradient_directions(image: Picture, bins: int) -> Floats:
    """Return the shares of the directions of rises that are no noise; 0 where there is none."""
    size, direction = _gradient(image)
    steep = direction[size > 4]
    # Turned by half a bin: rises along an axis, the most frequent, are in the middle of one.
    turned = np.mod(np.round(steep / (2 * np.pi) * bins, 9) + 0.5, bins)
    return _count(turned, bins, 0, bins) if len(steep) else np.zeros(bins)


def _quarter(image: Picture) -> Picture:
    """Return a picture of half the rows and columns, for what is slow and looks at large forms."""
    return average_cells(image, 2)


# --- all of them --------------------------------------------------------------------------

FAMILIES = {
    "haralick": Family(26, _describe_haralick),
    "lbp": Family(36, _describe_lbp),
    "tamura": Family(6, _describe_tamura),
    "gabor": Family(2 * len(WAVES) * DIRECTIONS, _describe_gabor),
    "zernike": Family(72, _describe_zernike),
    "chebyshev": Family(32, _describe_chebyshev),
    "chebyshev-fourier": Family(32, _describe_chebyshev_fourier),
    "radon": Family(12, _describe_radon),
    "edges": Family(28, _describe_edges),
    "histograms": Family(24, _describe_histograms),
    "moments": Family(48, _describe_moments),
    "hog": Family(HOG_CELLS[0] * HOG_CELLS[1] * HOG_DIRECTIONS, _describe_hog),
}
"""Name -> :class:`Family`; ``hog`` is taken of the picture itself only."""
