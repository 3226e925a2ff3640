"""The road from 13 songs to 40 million, as a table: what was measured, and what follows from it.

Used by notebook 06 and ``aares/scale/README.md``, whose rows are these.
"""

from __future__ import annotations

from typing import Any

from aares.scale.projection import HOUR_S, N_SONGS, PRICES, SLIDES_DAYS, Costs, project

N_CORES = 64
STEPS = {"large_1000": 1_000, "large_100000": 100_000, "million": 1_000_000}
COLUMNS = ("songs", "opens", "query, median", "99 of 100", "index", "bytes a posting")


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
