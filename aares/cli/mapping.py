"""The commands for more tracks than one run or one machine has: map, build."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aares.cli.messages import describe_progress, fail
from aares.errors import AaresError

if TYPE_CHECKING:
    from aares.scale.mapping import Progress

MEMORY_MB = 512.0
SHOWN = 10  # files that cannot be read are named, at most so many


def add_map_commands(commands: Any, *, index: Path) -> None:
    """Add the commands to a command line.

    Parameters
    ----------
    commands : argparse subparsers
    index : Path
        The index where none is named.

    Examples
    --------
    >>> from aares.arguments import Parser
    >>> parser = Parser()
    >>> add_map_commands(parser.add_commands(), index=Path("music.index"))
    >>> options = parser.parse_args(["map", "albums", "--out", "shards", "--workers", "4"])
    >>> options.workers, options.features, options.scheduler
    (4, False, None)
    """
    text = (
        "find what an index keeps of each track of a folder, or its features; goes on when killed"
    )
    apply = commands.add_parser("map", help=text)
    apply.add_argument("folder", metavar="FOLDER", help="or its URL, such as s3://archive/tracks")
    apply.add_argument(
        "--out", required=True, metavar="SHARDS", help="folder or URL of what is found"
    )
    apply.add_argument(
        "--features", action="store_true", help="the 27 features of the chaining study"
    )
    apply.add_argument("--segment", metavar="SEGMENT", help="of --features; default: 0:30-1:00")
    apply.add_argument("--workers", type=int, default=1, metavar="N", help="processes; default: 1")
    apply.add_argument(
        "--scheduler", metavar="ADDRESS",
        help="of a Dask cluster, such as tcp://10.0.0.1:8786; local: start one of --workers here",
    )  # fmt: skip
    apply.add_argument(
        "--retry", action="store_true", help="try tracks again that could not be read"
    )
    apply.set_defaults(
        run=lambda o: map_folder(
            o.folder, o.out, features=o.features, segment=o.segment, workers=o.workers,
            scheduler=o.scheduler, retry=o.retry,
        )
    )  # fmt: skip
    build = commands.add_parser("build", help="make an index out of shards, in bounded memory")
    build.add_argument(
        "shards", nargs="+", metavar="SHARDS", help="of map, of one machine or several"
    )
    build.add_argument(
        "--out", dest="index", default=index, type=Path, metavar="INDEX", help=f"default: {index}"
    )
    build.add_argument(
        "--memory", type=float, default=MEMORY_MB, metavar="MB", help=f"default: {MEMORY_MB:.0f}"
    )
    build.add_argument("--workers", type=int, default=2, metavar="N", help="processes; default: 2")
    build.add_argument("--replace", action="store_true", help="take the place of an older index")
    build.set_defaults(
        run=lambda o: build_from_shards(
            o.shards, o.index, memory_mb=o.memory, workers=o.workers, replace=o.replace
        )
    )


def map_folder(
    folder: str,
    out: str,
    *,
    features: bool = False,
    segment: str | None = None,
    workers: int = 1,
    scheduler: str | None = None,
    retry: bool = False,
) -> int:
    """Find what an index keeps of each track of a folder, or its features.

    Parameters
    ----------
    folder, out : str
        Paths or URLs.
    features : bool
        The 27 features instead of fingerprints.
    segment : str, optional
        Of the features.
    workers : int
    scheduler : str, optional
    retry : bool
        See `aares.scale.mapping.map_tracks`.

    Returns
    -------
    int
        Exit status: 0, or 1 where a track could not be read or the work ended early.

    Examples
    --------
    >>> map_folder("nowhere", "shards")
    1
    """
    begin = time.perf_counter()

    def _show(now: Progress) -> None:
        text = describe_progress(now.done, now.total, time.perf_counter() - begin, kept=now.kept)
        print(text + (f"   {now.failed} not read" if now.failed else ""), flush=True)

    if segment is not None and not features:
        return fail("--segment is for --features: fingerprints are of the whole track")
    try:
        from aares.scale.mapping import map_tracks
        from aares.scale.tracks import TrackFeatures, TrackPrints

        measure = TrackFeatures(segment) if segment else TrackFeatures()
        function = measure if features else TrackPrints()
        mapped = map_tracks(
            function, folder, out, workers=workers, scheduler=scheduler, retry=retry,
            on_progress=_show,
        )  # fmt: skip
    except (AaresError, ValueError) as error:
        return fail(str(error))
    except KeyboardInterrupt:
        print(f"interrupted; {out} keeps what is done: the same command goes on", file=sys.stderr)
        return 130
    for name, reason in mapped.failed[:SHOWN]:
        folder = name.rpartition("/")[0]  # the reason begins with the name of the file
        print(f"{folder}/{reason}" if folder else reason, file=sys.stderr)
    n_bad = len(mapped.failed)
    if n_bad > SHOWN:
        print(f"and {n_bad - SHOWN} more, in the column 'error'", file=sys.stderr)
    print(f"{out}: {mapped.n_tracks} tracks in {mapped.n_shards} shards, {mapped.n_new} of them now"
          + (f"; {n_bad} could not be read" if n_bad else ""))  # fmt: skip
    return 1 if n_bad else 0


def build_from_shards(
    shards: Sequence[str],
    out: Path,
    *,
    memory_mb: float = MEMORY_MB,
    workers: int = 2,
    replace: bool = False,
) -> int:
    """Make an index out of shards.

    Parameters
    ----------
    shards : sequence of str
        Folders or URLs.
    out : Path
    memory_mb : float
    workers : int
        Readers.
    replace : bool
        See `aares.scale.building.build_index`.

    Returns
    -------
    int
        Exit status: 0, or 1 where it cannot be made.

    Examples
    --------
    >>> build_from_shards(["nowhere"], Path("nowhere.index"))
    1
    """
    begin = time.perf_counter()

    def _show(done: int, total: int) -> None:
        print(describe_progress(done, total, time.perf_counter() - begin), flush=True)

    try:
        from aares.identify.store import find_manifest, measure_size
        from aares.scale.building import build_index

        if not replace and (old := find_manifest(out)) and old.entries:
            return fail(
                f"{out}: holds an index already; --replace takes its place, or name another"
            )
        built = build_index(
            shards, out, memory_mb=memory_mb, readers=workers, replace=replace, on_progress=_show
        )
    except (AaresError, ValueError) as error:
        return fail(str(error))
    except KeyboardInterrupt:
        print(f"interrupted; {out} is as it was before", file=sys.stderr)
        return 130
    for old_name, name in built.renamed:
        print(f"renamed: {old_name} -> {name}")
    if built.passed:
        print(f"{len(built.passed)} recordings are there several times, taken once")
    left = f"; {built.n_failed} tracks without fingerprints" if built.n_failed else ""
    print(f"{out}: {built.n_tracks} recordings, {measure_size(out) / 1e6:.1f} MB{left}")
    return 0
