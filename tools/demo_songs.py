"""The demo songs: public-domain scores, played by a SoundFont synthesiser.

The songs stand in for the course's ones in notebooks 04 and 06. ``make_songs`` writes them,
``render_catalogue`` (in ``tools/song_catalogue.py``) renders the large catalogue of the scale
experiments. Needs the packages of ``tools/requirements.txt``; neither the notebooks nor the
package do.

Conventions: `SONGS` is the one place that says what is played, by whom, how fast and under which
licence. A song plays its score once, without repeats: equal stretches of audio would blur what
an offset histogram of notebook 04 shows.

References
----------
music21 10.5.1, ``music21/corpus/license.txt``, and the licence inside each score file.
"""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from pathlib import Path

# The tool also runs as a plain script, whose search path is the folder `tools`.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools import song_harmony, song_ogg, song_scores, song_synth
from tools.song_catalogue import render_catalogue
from tools.song_scores import Score
from tools.song_synth import Arrangement, Voice

__all__ = ["SONGS", "Song", "make_songs", "render_catalogue", "render_song"]

LOGGER = logging.getLogger(__name__)

CC_BY = "CC BY (c) 2014 M. S. Cuthbert (score)"
CC_BY_SA_3 = "CC BY-SA 3.0 (c) 2010 M. S. Cuthbert (score)"
CC_BY_SA_4 = "CC BY-SA 4.0 Cypressdome for IMSLP (score)"
CC0 = "CC0 2022 M. S. Asato Cuthbert (score)"
SEELY = "public domain, O. Seely 1998 (score)"
WIKIFONIA = "public domain, Wikifonia 4391 (score)"
GPL = "GPL-2.0-or-later (c) 1999 L. E. Conrad (score)"
OWN = "CC0, encoded by this project (score)"
PRELUDE = "prelude"


@dataclass(frozen=True)
class Song:
    """One song: who and what, where its score comes from, which bars, and how it is played."""

    composer: str
    album: str
    track: int
    title: str
    source: str
    licence: str
    arrangement: Arrangement
    start_q: float = 0.0
    end_q: float = 1e6
    seconds: float = 84.0
    accompaniment: str | None = None
    wet: float = 0.12

    @property
    def file_name(self) -> str:
        """Name of the song's file."""
        return f"{self.composer} - {self.album} - {self.track:02d} {self.title}.ogg"


def _play(programs: tuple[int, ...], tempo: float, **options: object) -> Arrangement:
    """Return an arrangement with one voice for each part, the first a little louder."""
    voices = tuple(
        Voice(part, program, 1.08 if part == 0 else 0.92) for part, program in enumerate(programs)
    )
    return Arrangement(voices, tempo, **options)  # type: ignore[arg-type]


STRINGS = (
    Voice(0, 71, 1.12), Voice(1, 48, 0.8), Voice(1, 45, 0.62), Voice(2, 42, 0.88),
    Voice(2, 43, 0.8),
)  # fmt: skip

CLARA, JOSQUIN, WEBER = "Clara Schumann", "Josquin des Prez", "Carl Maria von Weber"
POLONAISE = "schumann_clara/polonaise_op1n{}.mxl"
CONCERTINO = "weber/concertino_clarinet.mxl"

SONGS: tuple[Song, ...] = (
    Song(CLARA, "Polonaises", 1, "Polonaise in E flat major", POLONAISE.format(1), CC_BY_SA_4,
         _play((0, 0), 92, rubato=0.06)),
    Song(CLARA, "Polonaises", 2, "Polonaise in C major", POLONAISE.format(2), CC_BY_SA_4,
         _play((6, 6), 88), seconds=80),
    Song(CLARA, "Polonaises", 3, "Polonaise in D major", POLONAISE.format(3), CC_BY_SA_4,
         _play((1, 1), 104, rubato=0.06), seconds=86),
    Song(CLARA, "Polonaises", 4, "Polonaise in C major", POLONAISE.format(4), CC_BY_SA_4,
         _play((0, 0), 100, rubato=0.06), seconds=78),
    Song(CLARA, "Polonaises Arranged", 1, "Polonaise for Guitar and Cello", POLONAISE.format(4),
         CC_BY_SA_4, Arrangement((Voice(0, 24, 1.1), Voice(1, 42, 0.85)), 82, transpose=-3),
         seconds=88),
    Song(WEBER, "Concertino", 1, "Adagio", CONCERTINO, SEELY,
         Arrangement(STRINGS, 68, rubato=0.06, loudness=0.9), end_q=111, seconds=88, wet=0.2),
    Song(WEBER, "Concertino", 2, "Variations", CONCERTINO, SEELY,
         Arrangement(STRINGS, 108), start_q=251, end_q=459, seconds=82, wet=0.15),
    Song(WEBER, "Concertino", 3, "Allegro", CONCERTINO, SEELY,
         Arrangement((*STRINGS, Voice(2, 47, 0.6)), 168), start_q=595, seconds=76, wet=0.15),
    Song("Stephen Foster", "Parlour Songs", 1, "Jeanie with Flute and Harp",
         "leadSheet/fosterBrownHair.mxl", WIKIFONIA,
         _play((73, 46, 42), 96, rubato=0.05), accompaniment="arpeggio", seconds=88, wet=0.18),
    Song("Stephen Foster", "Parlour Songs", 2, "Jeanie for a Swing Band",
         "leadSheet/fosterBrownHair.mxl", WIKIFONIA,
         Arrangement((Voice(0, 66, 1.1), Voice(1, 26, 0.75), Voice(2, 32, 1.0)), 126,
                      transpose=-5, drums="swing", rubato=0.01),
         accompaniment="swing", seconds=72, wet=0.08),
    Song(JOSQUIN, "Chansons", 1, "Mille regrets", "josquin/milleRegrets.abc", GPL,
         _play((74, 74, 69, 70), 224, loudness=0.9), seconds=88, wet=0.25),
    Song(JOSQUIN, "Chansons", 2, "Petite Camusette", "josquin/petiteCamusette.abc", GPL,
         _play((56, 60, 60, 57, 58), 128), seconds=80, wet=0.18),
    Song(JOSQUIN, "Chansons", 3, "Adieu mes amours", "josquin/adieuMesAmours.abc", GPL,
         _play((68, 110, 42, 70), 264, drums="tambourine", rubato=0.015), end_q=340,
         seconds=74),
    Song(JOSQUIN, "Chansons", 4, "Fortuna d un gran tempo", "josquin/fortunaDunGranTempo.abc", GPL,
         _play((24, 46, 25), 312, rubato=0.02), seconds=80),
    Song("Arcangelo Corelli", "Old Masters", 1, "Grave", "corelli/opus3no1/1grave.xml", CC_BY,
         Arrangement((Voice(0, 40, 1.05), Voice(1, 40), Voice(2, 42, 0.9), Voice(2, 19, 0.6)),
                      58), seconds=88, wet=0.25),
    Song("Vicente Lusitano", "Old Masters", 2, "Allor che ignuda",
         "lusitano/allor_che_ignuda.mxl", CC0,
         Arrangement((Voice(0, 52), Voice(1, 52), Voice(2, 52), Voice(2, 49, 0.5)), 138,
                      loudness=0.85), seconds=88, wet=0.3),
    Song("D Luca", "Old Masters", 3, "Gloria", "luca/gloria.xml", CC_BY_SA_3,
         _play((75, 53, 19), 176), end_q=200, seconds=70, wet=0.25),
    Song("Johann Sebastian Bach", "Preludes", 1, "Prelude in C major", PRELUDE, OWN,
         Arrangement((Voice(0, 6, 1.0), Voice(1, 6, 0.95)), 104), seconds=86),
)  # fmt: skip


def load_score(song: Song) -> Score:
    """Return the bars that a song plays, with its accompaniment.

    Parameters
    ----------
    song : Song
        Entry of `SONGS`.

    Returns
    -------
    Score
        The score, beginning at zero.
    """
    score = (
        song_scores.encode_prelude()
        if song.source == PRELUDE
        else song_scores.read_corpus(song.source)
    )
    if song.accompaniment:
        score = song_harmony.add_accompaniment(score, style=song.accompaniment)
    return song_scores.cut_score(score, song.start_q, song.end_q)


def render_song(song: Song, *, seconds: float | None = None) -> bytes:
    """Render one song.

    Parameters
    ----------
    song : Song
        Entry of `SONGS`.
    seconds : float or None
        Longest duration in s; the song's own one by default.

    Returns
    -------
    bytes
        Ogg Vorbis file, mono, 22,050 Hz, the same bytes for the same encoder library.
    """
    score = load_score(song)
    y = song_synth.render(
        [(score, song.arrangement)],
        seconds=seconds or song.seconds,
        seed=SONGS.index(song),
        wet=song.wet,
    )
    tags = {
        "title": song.title,
        "artist": song.composer,
        "album": song.album,
        "tracknumber": str(song.track),
        "license": song.licence,
    }
    return song_ogg.encode_ogg(y, tags=tags)


def make_songs(out: Path) -> list[Path]:
    """Render all demo songs into a folder.

    Parameters
    ----------
    out : Path
        Folder; made if it is not there. Files of the same names are replaced.

    Returns
    -------
    list of Path
        The files, in the order of `SONGS`.
    """
    paths = []
    for song in SONGS:
        path = out / song.file_name
        song_ogg.write_atomically(path, render_song(song))
        LOGGER.info("rendered %s (%d bytes)", path.name, path.stat().st_size)
        paths.append(path)
    return paths
