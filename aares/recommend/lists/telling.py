"""What a playlist tells a listener of its songs, and of its own length.

Used by notebook ``03_recommendation`` through :class:`aares.recommend.Recommender`.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from aares.recommend.catalogue import Catalogue
from aares.recommend.lists.choosing import Choice
from aares.recommend.lists.closeness import Closeness
from aares.recommend.lists.filters import explain_filters
from aares.recommend.lists.reasons import find_claims, read_cells, write_reason


class ShortPlaylistWarning(UserWarning):
    """There are fewer songs than were asked for; the message says why."""


class Teller:
    """Writes playlists of one catalogue.

    Parameters
    ----------
    catalogue : Catalogue
    closeness : Closeness
        Knows what made songs alike.
    """

    def __init__(self, catalogue: Catalogue, closeness: Closeness) -> None:
        traits = closeness.traits
        self.closeness, self.cells = closeness, read_cells(catalogue, traits)
        self.columns: dict[str, Any] = {
            "id": catalogue.songs["id"].to_numpy(object),
            "name": catalogue.songs["name"].to_numpy(object),
            "artist": np.array([", ".join(names) for names in catalogue.artists], dtype=object),
            "year": pd.Series(traits.era).astype("Int64").array,
        }

    def show(self, rows: Sequence[int]) -> pd.DataFrame:
        """Return ``id``, ``name``, ``artist`` and ``year`` of songs, numbered from 1.

        Parameters
        ----------
        rows : sequence of int

        Returns
        -------
        DataFrame
        """
        return self._write(rows, {})

    def _write(self, rows: Sequence[int], more: Mapping[str, Any]) -> pd.DataFrame:
        places = np.asarray(rows, dtype=np.intp)
        shown = {name: column[places] for name, column in self.columns.items()}
        return pd.DataFrame({**shown, **more}, index=pd.RangeIndex(1, len(places) + 1))

    def tell(self, chosen: Sequence[Choice], *, near: bool = False) -> pd.DataFrame:
        """Return what :meth:`show` does, and ``score``, ``seed`` and ``reason``.

        Parameters
        ----------
        chosen : sequence of Choice
        near : bool
            Whether reasons name the seed.

        Returns
        -------
        DataFrame
        """
        closeness = np.array([song.closeness for song in chosen], dtype=float)
        more = {
            "score": self.closeness.show(closeness),
            "seed": self.columns["name"][[song.seed for song in chosen]],
            "reason": self._explain(chosen, near),
        }
        return self._write([song.row for song in chosen], more)

    def _explain(self, chosen: Sequence[Choice], near: bool) -> npt.NDArray[np.object_]:
        reasons: dict[int, str] = {}
        for seed in dict.fromkeys(song.seed for song in chosen):
            rows = [song.row for song in chosen if song.seed == seed]
            moved = self.closeness.index.explain(seed, np.array(rows, dtype=np.intp))
            groups, name = list(moved.columns), self.columns["name"][seed] if near else ""
            for row, added in zip(rows, moved.to_numpy().tolist(), strict=True):
                parts = list(zip(groups, added, strict=True))
                reasons[row] = write_reason(find_claims(self.cells, seed, row, parts), near=name)
        return np.array([reasons[song.row] for song in chosen], dtype=object)


def warn_short(found: int, n: int, songs: int, kept: Mapping[str, npt.NDArray[np.bool_]]) -> None:
    """Say that a playlist is short, and why.

    Parameters
    ----------
    found, n : int
        Songs of the list, and those that were asked for.
    songs : int
        Of the catalogue.
    kept : mapping of str to ndarray of bool, shape (songs,)
        For each filter whether a song may stay.

    Warns
    -----
    ShortPlaylistWarning
    """
    why = [f"the catalogue has {songs:,} songs"]
    why += [explain_filters(dict(kept))] if kept else []
    warnings.warn(
        f"expected {n:,} songs, found {found:,}: {', '.join(why)}; no recording comes twice, and "
        "max_per_artist limits each artist's",
        ShortPlaylistWarning,
        stacklevel=3,
    )
