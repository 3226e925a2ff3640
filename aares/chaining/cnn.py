"""A small network that learns what to see in pictures of songs: 27 features, as many as are heard.

Used by the benchmark ``visual``. The study's last step: features from a convolutional network,
passed on to its own network. Here it is trained on the pictures of training songs only, to tell
their groups (albums, genres) apart; no weights are downloaded. What is passed on is the layer
before the answer.

The package torch is the extra ``[cnn]`` of this library.

Conventions
-----------
Pictures are those of :func:`aares.chaining.pictures.paint_sound`, seen at an eighth of their size
(64 x 100). In training each is seen in another order, at another moment (columns rolled, those of
the end before those of the beginning) and a little louder or softer each round.

References
----------
K. Choi, G. Fazekas, M. Sandler and K. Cho, "Convolutional recurrent neural networks for music
classification", ICASSP 2017: small kernels on mel spectrograms, pooled to one value a filter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from aares.chaining.families import require_package
from aares.chaining.pictures import Picture, average_cells
from aares.exact import snap

N_FEATURES = 27
CHANNELS = (8, 16, 32)
SHRINK = 8
N_ROUNDS = 30
BATCH = 16
RATE = 3e-3  # step of Adam
DECAY = 1e-2
LOUDER = 0.1  # of the range between dark and bright, either way


class PictureNetwork:
    """A convolutional network that is trained on pictures, and turns others into features.

    Three layers of 3 x 3 kernels, each followed by a maximum over 2 x 2 cells; the mean and the
    maximum of each filter; 27 numbers; the answer.

    Parameters
    ----------
    n_rounds : int
        How often each picture is seen in training.
    shrink : int
        Pictures are made so much smaller.
    random_state : int
        Of first weights, orders and moments.

    Raises
    ------
    ValueError
        In `fit`: pictures are none, not of one shape, or not as many as labels; there is one label
        only.
    VisualError
        The extra ``[cnn]`` is not installed.

    Notes
    -----
    One thread and deterministic algorithms: the same pictures and seed give the same features on
    one machine. On another, training may end elsewhere; figures come from the benchmark's file.
    """

    def __init__(
        self, *, n_rounds: int = N_ROUNDS, shrink: int = SHRINK, random_state: int = 0
    ) -> None:
        self.n_rounds = n_rounds
        self.shrink = shrink
        self.random_state = random_state

    def fit(self, pictures: Iterable[Picture], labels: Sequence[Any]) -> PictureNetwork:
        """Learn to tell the groups of pictures apart.

        Parameters
        ----------
        pictures : iterable of ndarray of uint8, shape (rows, columns)
            Of training songs.
        labels : sequence, length n
            Their groups, two or more.

        Returns
        -------
        PictureNetwork
        """
        torch = require_package("torch", extra="cnn")
        images = self._stack(pictures)
        groups, codes = np.unique(np.asarray(labels), return_inverse=True)
        if len(codes) != len(images):
            raise ValueError(f"labels: expected {len(images)}, one a picture, found {len(codes)}")
        if len(groups) < 2:
            raise ValueError(f"labels: expected two groups or more, found {list(groups)}")
        with _one_thread(torch):
            torch.manual_seed(self.random_state)
            self._eyes, self._answer = _build_layers(torch, len(groups))
            self._train(torch, images, codes)
        self.classes_ = groups
        return self

    def _train(self, torch: Any, images: npt.NDArray[np.float32], codes: npt.NDArray[Any]) -> None:
        rng = np.random.default_rng(self.random_state)
        layers = torch.nn.Sequential(self._eyes, self._answer)
        adam = torch.optim.AdamW(layers.parameters(), lr=RATE, weight_decay=DECAY)
        layers.train()
        for _ in range(self.n_rounds):
            for rows in np.array_split(rng.permutation(len(images)), -(-len(images) // BATCH)):
                if len(rows) < 2:
                    continue  # nothing to normalise over
                seen = torch.from_numpy(_vary(images[rows], rng))
                adam.zero_grad()
                loss = torch.nn.functional.cross_entropy(
                    layers(seen), torch.from_numpy(codes[rows])
                )
                loss.backward()
                adam.step()
        layers.eval()

    def transform(self, pictures: Iterable[Picture]) -> npt.NDArray[np.float64]:
        """Return what the network sees in pictures.

        Parameters
        ----------
        pictures : iterable of ndarray of uint8, shape (rows, columns)

        Returns
        -------
        ndarray of float64, shape (n, 27)
            At least 0, rounded to a grid of 2 ** -16.
        """
        if not hasattr(self, "classes_"):
            raise ValueError("PictureNetwork: expected fit before transform, found no training")
        torch = require_package("torch", extra="cnn")
        images = self._stack(pictures)
        with _one_thread(torch), torch.no_grad():
            parts = [
                self._eyes(torch.from_numpy(images[start : start + BATCH])).numpy()
                for start in range(0, len(images), BATCH)
            ]
        return snap(np.concatenate(parts), bits=16)

    def _stack(self, pictures: Iterable[Picture]) -> npt.NDArray[np.float32]:
        """Return small pictures as torch has them: shape (n, 1, rows, columns), about -1 to 1."""
        small = [average_cells(np.asarray(picture), self.shrink) for picture in pictures]
        shapes = {image.shape for image in small}
        if len(shapes) != 1:
            raise ValueError(f"pictures: expected some, all of one shape, found {sorted(shapes)}")
        if min(small[0].shape) < 8:
            raise ValueError(f"pictures: expected 8 x 8 cells or more, found {small[0].shape}")
        return np.stack(small)[:, np.newaxis].astype(np.float32) / 127.5 - 1


def _vary(images: npt.NDArray[np.float32], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Return each picture from another moment on, and a little louder or softer."""
    moments = rng.integers(images.shape[-1], size=len(images))
    rolled = [np.roll(image, k, axis=-1) for image, k in zip(images, moments, strict=True)]
    louder = rng.uniform(-2 * LOUDER, 2 * LOUDER, (len(images), 1, 1, 1)).astype(np.float32)
    return np.clip(np.stack(rolled) + louder, -1, 1)


def _build_layers(torch: Any, n_groups: int) -> tuple[Any, Any]:
    nn = torch.nn

    class Pool(nn.Module):  # type: ignore[name-defined]
        def forward(self, x: Any) -> Any:
            return torch.cat([x.mean(dim=(2, 3)), x.amax(dim=(2, 3))], dim=1)

    steps: list[Any] = []
    for before, after in zip((1, *CHANNELS), CHANNELS, strict=False):
        steps += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU(),
                  nn.MaxPool2d(2)]  # fmt: skip
    eyes = nn.Sequential(*steps, Pool(), nn.Linear(2 * CHANNELS[-1], N_FEATURES), nn.ReLU())
    return eyes, nn.Linear(N_FEATURES, n_groups)


@contextmanager
def _one_thread(torch: Any) -> Iterator[None]:
    """Let torch use one thread and deterministic algorithms, and put both back afterwards."""
    threads, decided = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(decided)
