"""A catalogue of a thousand and more rendered tracks for the scale experiments.

Used by ``tools/make_demo_data.py``; the tracks are read by the benchmarks of notebook 04. They
go to ``data/cache/`` and are never handed on: many of these score files are in the music21
corpus by permission of their encoders and name no licence.

Conventions: a *piece* is a score file, or one third of a long movement; a *track* is a piece in
one arrangement (`variant`). All pieces come first in a shuffled order (variant 0), so a catalogue
of up to `len(list_pieces())` tracks has no piece twice. Tracks that share material (one source,
or melodies in common) have the same `family` in ``catalogue.csv``: an evaluation of false alarms
leaves out pairs of one family.

References
----------
music21 10.5.1, ``music21/corpus/license.txt``.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import logging
import os
import warnings
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from tools import song_harmony, song_ogg, song_scores, song_synth
from tools.song_synth import Arrangement, Voice

LOGGER = logging.getLogger(__name__)

VERSION = 1  # raise it when a track's sound changes, so that old files are rendered again
MAX_PASSES = 6
BATCH = 64
MIN_SHARED = 4  # phrases that two sketches have in common; measured, see data/README.md
MAX_HOLDERS = 40  # a phrase of more tracks than this is a scale, not a tune
COLUMNS = ("track", "file", "source", "section", "variant", "family", "title", "collection",
           "style", "programs", "tempo", "transpose", "drums", "seconds", "seed")  # fmt: skip

# Left out: palestrina, monteverdi and *.krn (rights reserved, or a modern edition), essenFolksong
# (legal status unclear), composers of the twentieth century, files that are lists of tunes.
COLLECTIONS: dict[str, tuple[float, float]] = {  # quarters a minute, slowest and fastest
    "bach": (66.0, 96.0),
    "ryansMammoth": (92.0, 128.0),
    "beethoven": (84.0, 132.0),
    "mozart": (84.0, 132.0),
    "haydn": (84.0, 132.0),
    "schumann_robert": (84.0, 120.0),
    "trecento": (96.0, 150.0),
    "josquin": (200.0, 260.0),
}
IN_THIRDS = ("beethoven", "mozart", "haydn", "schumann_robert")
# The demo songs play these; the catalogue keeps clear of them.
IN_DEMO = ("milleRegrets", "petiteCamusette", "adieuMesAmours", "fortunaDunGranTempo", "bwv846")

PALETTES: dict[str, tuple[int, ...]] = {
    "piano": (0,), "bright_piano": (1,), "electric_piano": (4,), "harpsichord": (6,),
    "vibraphone": (11,), "marimba": (12,), "dulcimer": (15,), "organ": (19,), "reed_organ": (20,),
    "accordion": (21,), "guitar": (24,), "steel_guitar": (25,), "harp": (46,), "choir": (52,),
    "strings": (40, 40, 41, 42), "ensemble": (48,), "pizzicato": (45,),
    "brass": (56, 60, 57, 58), "saxophones": (64, 65, 66, 67), "winds": (73, 68, 71, 70),
    "recorders": (74, 74, 71, 70), "folk": (110, 105, 24, 32), "mixed": (73, 40, 60, 42),
    "pads": (89, 90, 88, 38),
}  # fmt: skip


@dataclass(frozen=True)
class Piece:
    """A score file of the corpus, or one third of it (`section` 0, 1 or 2; -1 is the whole)."""

    source: str
    section: int = -1

    @property
    def collection(self) -> str:
        """First folder of the source."""
        return self.source.split("/", maxsplit=1)[0]


def list_pieces() -> list[Piece]:
    """Return every piece that the catalogue may use, sorted by source.

    Returns
    -------
    list of Piece
        Without the scores of the demo songs and without the left-out collections.
    """
    import music21

    root = Path(music21.__file__).parent / "corpus"
    pieces = []
    for collection in COLLECTIONS:
        for path in sorted((root / collection).rglob("*")):
            usable = path.suffix in {".mxl", ".xml", ".abc"} and not path.stem.endswith("-sc")
            if not usable or path.stem in IN_DEMO:
                continue
            source = path.relative_to(root).as_posix()
            sections = (0, 1, 2) if collection in IN_THIRDS else (-1,)
            pieces += [Piece(source, section) for section in sections]
    return sorted(pieces, key=lambda piece: (piece.source, piece.section))


def plan_tracks(seed: int, n_tracks: int) -> list[tuple[int, Piece, int]]:
    """Return the first tracks of a catalogue.

    Parameters
    ----------
    seed : int
        Seed of the order; a longer catalogue of the same seed begins with the shorter one.
    n_tracks : int
        Number of tracks.

    Returns
    -------
    list of (track, Piece, variant)
        Tracks count from 1.
    """
    pieces = list_pieces()
    order = np.random.default_rng(seed).permutation(len(pieces))
    return [(k + 1, pieces[order[k % len(pieces)]], k // len(pieces)) for k in range(n_tracks)]


def _read_piece(piece: Piece) -> tuple[song_scores.Score, dict[str, Any]]:
    """Return the bars of a piece, and what tells the whole score's melodies from others."""
    with warnings.catch_warnings():
        # The notation library warns about every oddity of an old encoding.
        warnings.simplefilter("ignore")
        score = song_scores.read_corpus(piece.source)
    marks = {
        "incipit": song_scores.name_incipit(score),
        "sketch": song_scores.sketch_melodies(score),
    }
    if piece.section >= 0:
        third_q = score.length_q / 3
        score = song_scores.cut_score(score, piece.section * third_q, (piece.section + 1) * third_q)
    return score, marks


def arrange(score: song_scores.Score, collection: str, rng: np.random.Generator) -> dict[str, Any]:
    """Draw how a piece is played.

    Parameters
    ----------
    score : Score
        The piece; a lone melody gets an accompaniment.
    collection : str
        Key of `COLLECTIONS`.
    rng : numpy.random.Generator
        Source of the choice.

    Returns
    -------
    dict
        ``score``, ``arrangement`` and ``style`` (name of the palette).
    """
    if len(score.parts) == 1:
        kind = str(rng.choice(["dance", "arpeggio", "pad"]))
        score = song_harmony.add_accompaniment(score, style=kind)
    style = str(rng.choice(list(PALETTES)))
    palette = PALETTES[style]
    voices = tuple(
        Voice(part, palette[k % len(palette)], 1.08 if k == 0 else 0.9)
        for k, part in enumerate(score.parts[:12])
    )
    slow, fast = COLLECTIONS[collection]
    compound = 1.4 if score.bar_q in (1.5, 3.0) and collection == "ryansMammoth" else 1.0
    drums = None
    if score.bar_q in (2.0, 4.0) and rng.random() < 0.25:
        drums = str(rng.choice(["tambourine", "march", "pop", "frame_drum"]))
    arrangement = Arrangement(
        voices,
        tempo=round(compound * rng.uniform(slow, fast), 1),
        transpose=int(rng.integers(-4, 5)),
        drums=drums,
        rubato=0.012 if drums else 0.04,
    )
    return {"score": score, "arrangement": arrangement, "style": style}


def _vary(arrangement: Arrangement, rng: np.random.Generator) -> Arrangement:
    """Return the arrangement of a repeat: other key, slightly other tempo and loudness."""
    return replace(
        arrangement,
        tempo=arrangement.tempo * rng.uniform(0.93, 1.07),
        transpose=arrangement.transpose + int(rng.choice([-3, -2, 2, 3])),
        loudness=rng.uniform(0.88, 1.0),
    )


def render_track(piece: Piece, variant: int, seed: int) -> tuple[np.ndarray, dict[str, Any]]:
    """Render one track of the catalogue.

    Parameters
    ----------
    piece : Piece
        What is played; repeated in other keys until the track is long enough.
    variant : int
        Number of the arrangement.
    seed : int
        Seed of the catalogue.

    Returns
    -------
    y : np.ndarray [shape=(n,)]
        Mono audio of 60-80 s (shorter if six passes are).
    row : dict
        What ``catalogue.csv`` says about the track.
    """
    score, marks = _read_piece(piece)
    key = zlib.crc32(f"{seed} {piece.source} {piece.section} {variant}".encode())
    rng = np.random.default_rng(key)
    chosen = arrange(score, piece.collection, rng)
    seconds = round(float(rng.uniform(60.0, 80.0)), 1)
    first: Arrangement = chosen["arrangement"]
    needed = seconds * first.tempo / 60.0 / max(chosen["score"].length_q, 1.0)
    n_passes = int(np.clip(np.ceil(1.1 * needed), 1, MAX_PASSES))
    plays = [first] + [_vary(first, rng) for _ in range(n_passes - 1)]
    y = song_synth.render(
        [(chosen["score"], play) for play in plays], seconds=seconds, seed=key, wet=0.1
    )
    row = {
        **asdict(piece),
        **marks,
        "variant": variant,
        "title": score.title,
        "collection": piece.collection,
        "style": chosen["style"],
        "programs": " ".join(str(voice.program) for voice in first.voices),
        "tempo": first.tempo,
        "transpose": first.transpose,
        "drums": first.drums or "",
        "seconds": round(y.size / song_synth.SAMPLE_RATE, 2),
    }
    return y, row


def _is_finished(out: Path, track: int, seed: int) -> bool:
    """Return whether a track needs no work: rendered, or known to be impossible."""
    try:
        row = json.loads((out / "rows" / f"{track:05d}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    same = row.get("seed") == seed and row.get("version") == VERSION
    return same and ("error" in row or (out / str(row.get("file"))).is_file())


def _finish_track(out: Path, track: int, piece: Piece, variant: int, seed: int) -> str:
    """Render one track to disk; return an empty string, or why it cannot be rendered."""
    name = f"track_{track:05d}.ogg"
    row: dict[str, Any] = {"track": track, "file": name, "seed": seed, "version": VERSION}
    try:
        y, facts = render_track(piece, variant, seed)
    except Exception as error:
        # A score that the notation library cannot read costs its track, not the catalogue.
        row |= {**asdict(piece), "error": f"{type(error).__name__}: {error}"}
    else:
        tags = {"title": f"{facts['title']} ({piece.source}, {variant})", "tracknumber": str(track)}
        song_ogg.write_atomically(out / name, song_ogg.encode_ogg(y, tags=tags))
        row |= facts
    text = json.dumps(row, ensure_ascii=False, indent=0)
    song_ogg.write_atomically(out / "rows" / f"{track:05d}.json", text.encode())
    return str(row.get("error", ""))


def render_catalogue(out: Path, count: int, seed: int) -> Path:
    """Render a catalogue of `count` tracks; finished tracks of an earlier run are kept.

    Parameters
    ----------
    out : Path
        Folder for ``track_00001.ogg`` and so on, ``rows/`` (one record a track) and
        ``catalogue.csv``.
    count : int
        Number of tracks; a score that cannot be read is logged and replaced by a further one.
    seed : int
        Seed of order and arrangements.

    Returns
    -------
    Path
        ``catalogue.csv``, one row for each track, in order.

    Raises
    ------
    ValueError
        If `count` is not positive, or if more than a tenth of the scores cannot be read.
    """
    if count < 1:
        raise ValueError(f"count must be positive, found {count}")
    plan = plan_tracks(seed, count + count // 10 + 10)
    n_done = 0
    position = 0
    while n_done < count and position < len(plan):
        batch = plan[position : position + min(BATCH, count - n_done)]
        position += len(batch)
        n_done += len(batch) - _render_batch(out, batch, seed)
        LOGGER.info("%d of %d tracks are there", n_done, count)
    if n_done < count:
        raise ValueError(f"only {n_done} of {count} tracks could be rendered; see the log")
    return _write_csv(out, plan[:position])


def _render_batch(out: Path, batch: list[tuple[int, Piece, int]], seed: int) -> int:
    """Render the unfinished tracks of a batch; return how many of the batch have no sound."""
    todo = [job for job in batch if not _is_finished(out, job[0], seed)]
    jobs = min(2, os.cpu_count() or 1)
    errors = Parallel(n_jobs=jobs)(delayed(_finish_track)(out, *job, seed) for job in todo)
    for (track, piece, _), error in zip(todo, errors, strict=True):
        if error:
            LOGGER.warning("track %d is left out, %s: %s", track, piece.source, error)
    return sum("error" in _read_row(out, job[0]) for job in batch)


def _read_row(out: Path, track: int) -> dict[str, Any]:
    """Return the record of a finished track."""
    row: dict[str, Any] = json.loads(
        (out / "rows" / f"{track:05d}.json").read_text(encoding="utf-8")
    )
    return row


def find_families(
    marks: Sequence[tuple[str, ...]], sketches: Sequence[tuple[int, ...]]
) -> list[int]:
    """Group the tracks that share a source or melodies.

    Parameters
    ----------
    marks : sequence of tuple of str
        Score file and incipit of each track: one in common makes a family.
    sketches : sequence of tuple of int
        As :func:`song_scores.sketch_melodies` gives them: `MIN_SHARED` in common make a family.

    Returns
    -------
    list of int
        Family of each track: the position of its first member, from 0.
    """
    holders: dict[object, list[int]] = {}
    for track, (names, sketch) in enumerate(zip(marks, sketches, strict=True)):
        for mark in (*filter(None, names), *sketch):
            holders.setdefault(mark, []).append(track)
    shared: Counter[tuple[int, int]] = Counter()
    for mark, tracks in holders.items():
        if isinstance(mark, str):
            shared.update({pair: MIN_SHARED for pair in itertools.pairwise(tracks)})
        elif len(tracks) <= MAX_HOLDERS:
            shared.update(itertools.combinations(tracks, 2))
    family = list(range(len(marks)))
    for (a, b), n_shared in sorted(shared.items()):
        if n_shared >= MIN_SHARED and family[a] != family[b]:
            kept, merged = sorted((family[a], family[b]))
            family = [kept if label == merged else label for label in family]
    return family


def _write_csv(out: Path, plan: list[tuple[int, Piece, int]]) -> Path:
    """Collect the records of the tracks that have sound, and name their families."""
    rows = [row for row in (_read_row(out, job[0]) for job in plan) if "error" not in row]
    families = find_families(
        [(row["source"], row["incipit"]) for row in rows],
        [tuple(row["sketch"]) for row in rows],
    )
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        row | {"family": rows[family]["track"]} for row, family in zip(rows, families, strict=True)
    )
    path = out / "catalogue.csv"
    song_ogg.write_atomically(path, text.getvalue().encode())
    return path
