"""The road from 13 songs to 40 million, as a table: what was measured, and what follows from it.

Used by notebook 06 and ``aares/scale/README.md``, whose rows are these.
"""

from __future__ import annotations

import re
from typing import Any

from aares.scale.projection import HOUR_S, N_SONGS, PRICES, SLIDES_DAYS, Costs, project
from workshop.measured import MeasuredError

N_CORES = 64
STEPS = {"large_1000": 1_000, "large_100000": 100_000, "million": 1_000_000}
COLUMNS = ("songs", "opens", "query, median", "99 of 100", "index", "bytes a posting")
NEAR_COLUMNS = ("songs", "found of ten", "query", "times as fast", "to build", "memory")
NEAR = "graph, 64"  # rows in view where nobody says otherwise


def list_sizes(measured: dict[str, Any]) -> list[tuple[str, ...]]:
    """Tell what each size of an index was seen to take.

    Parameters
    ----------
    measured : dict
        Of `measured.read_scale`.

    Returns
    -------
    list of tuple of str
        In the order of `COLUMNS`; the time of a search is that of a processor.

    Examples
    --------
    >>> one = {"open_ms": 1.2, "search_ms": {"p50": 9.96, "p99": 90.1}, "mb": 2803.1,
    ...        "bytes_a_posting": 5.27}
    >>> list_sizes({"large_1000": one})
    [('1,000', '1.2 ms', '10.0 ms', '90.1 ms', '2.80 GB', '5.27')]
    """
    return [
        (
            f"{n:,}",
            f"{measured.get(f'{section}_open', one)['open_ms']} ms",
            f"{one['search_ms']['p50']:.1f} ms",
            f"{one['search_ms']['p99']:.1f} ms",
            f"{one['mb'] / 1000:.2f} GB",
            f"{one['bytes_a_posting']:.2f}",
        )
        for section, n in STEPS.items()
        if (one := measured.get(section))
    ]


def list_building(measured: dict[str, Any]) -> list[tuple[str, ...]]:
    """Tell what an index takes to build out of shards: by one process, beside the program.

    Parameters
    ----------
    measured : dict
        Of `measured.read_scale`.

    Returns
    -------
    list of tuple of str
        Songs, memory of the writer, processor time, index.

    Examples
    --------
    >>> row = {"n_tracks": 20000, "readers": 1, "peak_mb": 600, "program_mb": 330, "cpu_s": 9.6,
    ...        "index_mb": 568}
    >>> list_building({"building": {"rows": [row]}})
    [('20,000', '270 MB', '9.6 s', '0.57 GB')]
    """
    return [
        (
            f"{row['n_tracks']:,}",
            f"{row['peak_mb'] - row['program_mb']} MB",
            f"{row['cpu_s']:.1f} s",
            f"{row['index_mb'] / 1000:.2f} GB",
        )
        for row in measured["building"]["rows"]
        if row["readers"] == 1
    ]


def list_false(measured: dict[str, Any]) -> list[tuple[str, ...]]:
    """Tell how many excerpts of unknown music are taken for a recording, by the size of an index.

    Parameters
    ----------
    measured : dict
        Of `measured.read_scale`.

    Returns
    -------
    list of tuple of str
        Songs of the index, then for each level the excerpts below it and the promised ones.

    Examples
    --------
    >>> rows = [{"n_indexed": 1000, "level": level, "nominal": level / 2, "below": below}
    ...         for level, below in ((0.1, 7), (0.0003, 0))]
    >>> list_false({"unknown": {"n": 600, "rows": rows}})
    [('1,000', '7 (30.0)', '0 (0.1)')]
    """
    found: dict[int, list[str]] = {}
    for row in measured["unknown"]["rows"]:
        promised = row["nominal"] * measured["unknown"]["n"]
        found.setdefault(row["n_indexed"], []).append(f"{row['below']} ({promised:.1f})")
    return [(f"{n:,}", *cells) for n, cells in found.items()]


def list_near(measured: dict[str, Any]) -> list[tuple[str, ...]]:
    """Tell what near neighbours take and find: by the graph, and by comparing all.

    Parameters
    ----------
    measured : dict
        Of `measured.read_scale`.

    Returns
    -------
    list of tuple of str
        Songs, share of the ten nearest that is found, time of a query, how often it goes into that
        of comparing all, time to build the graph, its memory.

    Examples
    --------
    >>> row = {"way": "graph, 64", "recall_low_high": [0.978, 0.97, 0.98], "query_ms": 0.0908,
    ...        "faster": 3.8, "built_s": 5.01, "mb": 51.4}
    >>> list_near({"neighbours_100000": {"n": 100_000, "rows": [row]}, "cost": {}})
    [('100,000', '0.978', '0.091 ms', '3.8', '5.0 s', '51 MB')]
    """
    sections = [one for name, one in measured.items() if re.fullmatch(r"neighbours_\d+", name)]
    return [
        (
            f"{one['n']:,}",
            f"{row['recall_low_high'][0]:.3f}",
            f"{row['query_ms']:.3f} ms",
            f"{row['faster']:.1f}",
            f"{row['built_s']:.1f} s",
            f"{row['mb']:.0f} MB",
        )
        for one in sorted(sections, key=lambda one: one["n"])
        for row in one["rows"]
        if row["way"] == NEAR
    ]


def find_row(rows: list[dict[str, Any]], **wanted: Any) -> dict[str, Any]:
    """Return the row of a section that is of something.

    Parameters
    ----------
    rows : list of dict
    **wanted : Any
        What it holds.

    Returns
    -------
    dict

    Raises
    ------
    MeasuredError
        There is none.

    Examples
    --------
    >>> find_row([{"k": 10, "found": 0.1}, {"k": 20, "found": 0.2}], k=20)["found"]
    0.2
    """
    for row in rows:
        if all(row[key] == value for key, value in wanted.items()):
            return row
    raise MeasuredError(
        f"benchmarks/results/scale.json: expected a row of {wanted}, found none among {len(rows)}"
    )


def list_votes(measured: dict[str, Any]) -> list[tuple[str, ...]]:
    """Tell what the vote for an excerpt costs the index and the engines.

    Parameters
    ----------
    measured : dict
        Of `measured.read_scale`.

    Returns
    -------
    list of tuple of str
        Songs, who counts, processor time of a quick look and of a thorough one, memory.

    Examples
    --------
    >>> cost = {"quick": {"cpu_ms": 0.7}, "thorough": {"cpu_ms": 17.4}, "peak_mb": 783}
    >>> list_votes({"engines_larger": {"n_indexed": 3000, "cost": {"index": cost}}})
    [('3,000', 'index', '0.7 ms', '17.4 ms', '783 MB')]
    """
    return [
        (
            f"{one['n_indexed']:,}",
            name,
            f"{cost['quick']['cpu_ms']} ms",
            f"{cost['thorough']['cpu_ms']} ms",
            f"{cost['peak_mb']:,} MB",
        )
        for section in ("engines", "engines_larger")
        if (one := measured.get(section))
        for name, cost in one["cost"].items()
    ]


def read_costs(measured: dict[str, Any]) -> Costs:
    """Tell what a song costs, of what was measured.

    Parameters
    ----------
    measured : dict
        Of `measured.read_scale`.

    Returns
    -------
    Costs
        A machine answers for a million songs.
    """
    cost, million = measured["cost"], measured["million"]
    return Costs(
        features_s=cost["features_s"],
        prints_s=cost["prints_s"],
        pair_s=cost["pair_s"],
        index_bytes=million["mb"] * 1e6 / million["n_tracks"],
        features_bytes=cost["features_bytes"],
        sound_bytes=cost["sound_bytes"],
        shard_songs=million["n_tracks"],
        shard_ms=million["search_ms"]["p50"],
    )


def list_projection(measured: dict[str, Any]) -> list[tuple[str, str]]:
    """Tell what 40 million songs take, each figure with its arithmetic.

    Parameters
    ----------
    measured : dict
        Of `measured.read_scale`.

    Returns
    -------
    list of (str, str)
        What, and how much.
    """
    costs = read_costs(measured)
    found, one = project(costs, n_cores=N_CORES), project(costs, n_cores=1)
    songs = f"{N_SONGS / 1e6:.0f} million"
    seconds = costs.features_s + costs.prints_s
    money = PRICES.currency
    return [
        ("features, one core", f"{songs} × {costs.features_s} s = {one.extraction_days:.0f} days "
                               f"(the slides: {SLIDES_DAYS})"),
        ("fingerprints, one core",
         f"{songs} × {costs.prints_s} s = {one.prints_days:.0f} days"),
        (f"both, {N_CORES} cores",
         f"{found.extraction_days + found.prints_days:.1f} days, once {found.compute_money:,.0f} "
         f"{money} ({songs} × {seconds:.3f} s / {HOUR_S} × {PRICES.core_hour})"),
        ("sound read", f"{songs} × {costs.sound_bytes / 1e6:.1f} MB = {found.sound_tb:.0f} TB"),
        ("index", f"{songs} × {costs.index_bytes / 1e3:.1f} kB = {found.index_tb:.2f} TB"),
        ("features", f"{songs} × {costs.features_bytes:.0f} B = {found.features_tb * 1e3:.1f} GB"),
        ("machines that answer",
         f"{found.n_machines} of a million songs each, {found.query_ms:.0f} ms of a processor a "
         f"query; {found.month_money:,.0f} {money} a month with the storage"),
        ("all pairs", f"{found.n_pairs / 1e12:.0f} trillion × {1e9 * costs.pair_s:.0f} ns = "
                      f"{365.25 * found.pairs_core_years:,.0f} days of a core"),
    ]  # fmt: skip
