"""False alarms: excerpts of real music of sources that neither calibration nor choices heard.

The catalogue is that of the report, the unknown tracks are those of `sources.REPORT` without those
that share music with the catalogue (`audit`). Excerpts come from every track alike, in six cells:
clean or noisy (white noise at 0, -5 and -10 dB, pink noise and babble at 0 dB in turn), of 2, 5 and
10 s. Intervals are over tracks, since excerpts of one track are alike.

* ``unknown``: how many are accepted, in each cell;
* ``reliability``: how many have a probability of at most each level: a true one is that share;
* ``sizes``: the same in smaller catalogues.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from aares.identify import Index, make_query
from aares.identify.answer import THRESHOLD
from aares.scores import estimate_grouped_share
from benchmarks.identifying import catalogue, conditions, sources
from benchmarks.identifying.conditions import CLEAN, Condition
from benchmarks.identifying.sources import Track
from workshop import config

N = 278  # in each cell and round
N_ROUNDS = 12
CELLS = [(noisy, length_s) for noisy in (False, True) for length_s in (2, 5, 10)]
NOISES = (("white", 0), ("white", -5), ("babble", 0), ("white", -10), ("pink", 0))
LEVELS = (0.03, 0.01, 0.003, 0.001, THRESHOLD)
SIZES = (100, 300)
Cell = tuple[bool, int]
COLUMNS = ["track", "p_false", "match"]


def measure(source: config.Workplace, *, tuning: bool = False) -> Iterator[tuple[str, dict]]:
    """Yield false alarms by cell, the reliability curve, other sizes; for tuning, of `CHOOSE`.

    What is known so far is yielded again and again, so that a long measure can be stopped.
    """
    tracks = catalogue.list_calibrating() if tuning else catalogue.list_reported()
    unknown = list_unknown(tracks, "choose" if tuning else "report")
    about = catalogue.describe_catalogue(tracks) | {
        "n_unknown": len(unknown), "threshold": THRESHOLD
    }  # fmt: skip
    asked: dict[Cell, pd.DataFrame] = {}
    for number in range(3 if tuning else N_ROUNDS):
        for cell in CELLS:
            more = ask_cell(tracks, unknown, cell, number)
            asked[cell] = pd.concat([asked[cell], more]) if cell in asked else more
        yield "unknown", about | count_accepted(asked)
        yield "reliability", about | {"rows": list(draw_reliability(asked))}
    rows = []
    for size in () if tuning else SIZES:
        few = choose_few(tracks, size)
        part = {cell: ask_cell(few, unknown, cell, 0) for cell in CELLS}
        rows += [{"n_indexed": size} | row for row in draw_reliability(part)
                 if row["cell"] == "all"]  # fmt: skip
    yield "sizes", about | {"rows": rows}


def list_unknown(tracks: list[Track], role: str) -> list[Track]:
    """List the tracks of a set of sources that share no music with a catalogue."""
    outside = sources.list_tracks(role)
    groups = catalogue.group_families([*tracks, *outside])
    inside = {groups[track.name] for track in tracks}
    return [track for track in outside if groups[track.name] not in inside]


def choose_few(tracks: list[Track], size: int) -> list[Track]:
    """Choose a smaller catalogue at random."""
    rows = np.random.default_rng(2500).permutation(len(tracks))[:size]
    return [tracks[row] for row in sorted(rows)]


def name_cell(cell: Cell) -> str:
    """Name a cell."""
    return f"{'noisy' if cell[0] else 'clean'}, {cell[1]} s"


def ask_cell(tracks: list[Track], unknown: list[Track], cell: Cell, number: int) -> pd.DataFrame:
    """Ask for the excerpts of a cell in a round; kept, since it takes long."""
    key = f"{catalogue.digest_answers()} {cell} {N} {number} "
    key += "|".join(track.name for track in [*tracks, *unknown])

    def ask() -> list[list[Any]]:
        index = catalogue.build_index(tracks)
        print(number, name_cell(cell), len(index), flush=True)
        return list(ask_excerpts(index, unknown, cell, N, number))

    return pd.DataFrame(catalogue.remember("unknown", key, ask), columns=COLUMNS)


def ask_excerpts(
    index: Index, unknown: list[Track], cell: Cell, n: int, number: int = 0
) -> Iterator[list[Any]]:
    """Yield what is answered to excerpts of a cell, as many of each track."""
    noisy, length_s = cell
    rng = np.random.default_rng((2000, CELLS.index(cell), number))
    order = rng.permutation(len(unknown))
    done = tried = 0
    while done < n:
        kind, snr_db = NOISES[tried % len(NOISES)] if noisy else ("white", CLEAN)
        track = unknown[order[tried % len(order)]]
        tried += 1
        y = Condition("", length_s, conditions.add_noise(kind, snr_db)).cut(track, rng)
        if y is not None:
            answer = index.ask(make_query(y))
            yield [track.name, answer.p_false, answer.match.song if answer.match else None]
            done += 1


def count_accepted(asked: dict[Cell, pd.DataFrame]) -> dict[str, Any]:
    """Count the excerpts that are accepted, in each cell and in all; the tracks by name."""
    rows, every = [], pd.concat(asked.values())
    for name, table in [*((name_cell(c), t) for c, t in asked.items()), ("all", every)]:
        hits = table["match"].notna()
        share, low, high = estimate_grouped_share(hits, table["track"])
        rows.append({"cell": name, "n": len(table), "accepted": int(hits.sum()), "share": share,
                     "low": low, "high": high})  # fmt: skip
    wrong = every[every["match"].notna()]
    pairs = wrong.groupby(["track", "match"]).size()
    return {
        "n": len(every),
        "accepted": len(wrong),
        "rows": rows,
        "taken": [[*map(str, pair), int(n)] for pair, n in pairs.items()],
    }


def draw_reliability(asked: dict[Cell, pd.DataFrame]) -> Iterator[dict[str, Any]]:
    """Yield the share of excerpts whose probability is at most each level, with its interval."""
    cells = {name_cell(cell): table for cell, table in asked.items()}
    cells["all"] = pd.concat(asked.values())
    for name, table in cells.items():
        for level in LEVELS:
            below = table["p_false"] <= level
            share, low, high = estimate_grouped_share(below, table["track"])
            yield {"cell": name, "level": level, "n": len(table), "share": share,
                   "low": low, "high": high}  # fmt: skip
