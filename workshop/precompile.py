"""The last step of the installation: compile what numba would compile in the first notebook.

``run.py`` calls ``python -m workshop.precompile`` once. The machine code, the project's own and
that of librosa, is kept in ``__pycache__`` beside its source, as bytecode is; a source that changes
is compiled again by itself.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

SECONDS = 20


def compile_functions() -> None:
    """Run every compiled function once on noise, with the types that notebooks use."""
    from aares import audio, exact, linear
    from aares.audio import distortions, features
    from aares.data import make_songs
    from aares.fingerprints.inverted_index import InvertedIndex
    from aares.identify import Index
    from aares.recommend import Recommender
    from aares.recommend.lists.order import EXACT, find_order
    from fingerprint import process_signal
    from utils_projet import search_song

    exact.log(exact.exp(np.zeros(3)))
    linear.measure_rows(linear.solve(np.eye(2), np.eye(2)), linear.multiply(np.eye(2), np.eye(2)))
    linear.find_axes(sparse.eye(3, format="csr"), 1)
    rng = np.random.default_rng(0)
    rough = distortions.make_white(SECONDS * audio.COURSE_RATE_HZ, rng)
    features.extract(rough, "whole", sr=audio.COURSE_RATE_HZ, more=True)
    hashes = process_signal(rough)
    search_song([hashes] * 3, hashes)
    InvertedIndex([hashes, hashes]).search(hashes)

    songs = make_songs("recommendation", 120, energy=rng.random(120), speechiness=0.1)
    songs["tempo"] = rng.uniform(60, 180, 120)
    songs["artists"], songs["name"] = [(f"A{k % 60}",) for k in range(120)], [*map(str, range(120))]
    recommender = Recommender().fit(songs)  # of so many artists that it learns
    recommender.playlist(songs["id"].iloc[0])
    for n_songs in (EXACT, EXACT + 1):  # the exact solution and the search
        find_order(np.ones((n_songs, n_songs)))

    rate_hz = 8000
    sounds = {name: distortions.make_white(SECONDS * rate_hz, rng) for name in ("one", "other")}
    index = Index.from_signals(sounds)
    index.identify(sounds["one"][: 10 * rate_hz], rate_hz)
    stranger = distortions.make_white(10 * rate_hz, rng)
    index.identify(stranger, rate_hz)  # nobody knows it: every way to search is tried


if __name__ == "__main__":
    compile_functions()
