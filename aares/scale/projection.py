"""What 40 million songs take: arithmetic on what a few were seen to take.

Used by notebook 06 and ``aares/scale/README.md``. Nothing is measured here, and no time is known
here: costs come from ``benchmarks/scale.py``, prices from whoever sells. What grows with the songs
(reading, features, fingerprints, the index) is multiplied; what grows with pairs of songs is
counted, to show that it must not be done.

References
----------
.. [1] The study of chainable songs, slides: "Pour 40 Millions de musiques, l'extraction prendra :
   277 jours".
"""

from __future__ import annotations

from dataclasses import dataclass

N_SONGS = 40_000_000
SLIDES_DAYS = 277  # of extraction, as the slides have it
DAY_S, HOUR_S, YEAR_DAYS = 86_400, 3_600, 365.25
MONTH_HOURS = 730


def _refuse_nothing(row: object) -> None:
    for name, value in vars(row).items():
        if not isinstance(value, str) and not value > 0:
            raise ValueError(f"{name}: expected a number above 0, found {value}")


@dataclass(frozen=True)
class Costs:
    """What one song was seen to take, and what an index was.

    Parameters
    ----------
    features_s, prints_s : float
        Of one core, for the 27 features and for the fingerprints of a song, reading it included.
    pair_s : float
        Of one core, for the distance of a pair of songs.
    index_bytes, features_bytes, sound_bytes : float
        Of a song: in the index, as features, as the file it comes in.
    shard_songs : float
        How many songs one machine of `shard_cores` answers for, in `shard_ms` a query.
    shard_ms : float
    shard_cores : int

    Raises
    ------
    ValueError
        A number is not above 0.
    """

    features_s: float
    prints_s: float
    pair_s: float
    index_bytes: float
    features_bytes: float
    sound_bytes: float
    shard_songs: float
    shard_ms: float
    shard_cores: int = 2

    def __post_init__(self) -> None:
        _refuse_nothing(self)


@dataclass(frozen=True)
class Prices:
    """What a provider asks.

    Parameters
    ----------
    core_hour : float
    terabyte_month : float
        Of storage.
    currency, source, date : str
        Where that stood, and when.

    Raises
    ------
    ValueError
        A price is not above 0.
    """

    core_hour: float
    terabyte_month: float
    currency: str
    source: str
    date: str

    def __post_init__(self) -> None:
        _refuse_nothing(self)


# Looked up once; whoever reads this later passes other ones.
PRICES = Prices(
    core_hour=0.0388,  # 3.72 for three hours of 32 cores (c6g.8xlarge)
    terabyte_month=23.0,  # 0.023 for a gigabyte (S3 Standard)
    currency="USD",
    source="upload.academy, cloud computing basics, billing; cloudburn.io/blog/amazon-s3-pricing",
    date="2026-11-28",
)


@dataclass(frozen=True)
class Projection:
    """What so many songs take.

    Parameters
    ----------
    n_songs, n_cores : int
    extraction_days, prints_days : float
        With `n_cores`: the features, the fingerprints.
    core_years : float
        Of both.
    index_tb, sound_tb, features_tb : float
    n_machines : int
        That answer queries together, each for a part of the songs.
    query_ms : float
        Of a query: all machines search at once.
    n_pairs : int
        Of two different songs.
    pairs_core_years : float
        If the distance of each were computed.
    compute_money, month_money : float
        Once, for both extractions; each month, for the index, the features and the machines.
    """

    n_songs: int
    n_cores: int
    extraction_days: float
    prints_days: float
    core_years: float
    index_tb: float
    sound_tb: float
    features_tb: float
    n_machines: int
    query_ms: float
    n_pairs: int
    pairs_core_years: float
    compute_money: float
    month_money: float


def project(
    costs: Costs, prices: Prices = PRICES, *, n_songs: int = N_SONGS, n_cores: int = 64
) -> Projection:
    """Multiply.

    Parameters
    ----------
    costs : Costs
    prices : Prices
    n_songs : int
        At least 1.
    n_cores : int
        That extract, at least 1. Songs do not depend on each other: twice as many take half the
        time.

    Returns
    -------
    Projection

    Raises
    ------
    ValueError
        There are no songs or no cores.

    Examples
    --------
    Half a second for the features of a song is 231 days of one core for 40 million.

    >>> costs = Costs(0.5, 0.25, 1e-6, 28_000, 216, 4e6, 1_000_000, 60.0)
    >>> found = project(costs, n_cores=1)
    >>> round(found.extraction_days), found.index_tb, found.n_machines, found.query_ms
    (231, 1.12, 40, 60.0)
    >>> f"{found.n_pairs:.0e} pairs, {found.pairs_core_years:.0f} years of a core"
    '8e+14 pairs, 25 years of a core'
    """
    if n_songs < 1 or n_cores < 1:
        raise ValueError(f"expected songs and cores, found {n_songs} and {n_cores}")
    seconds = n_songs * (costs.features_s + costs.prints_s)
    stored_tb = n_songs * (costs.index_bytes + costs.features_bytes) / 1e12
    n_machines = max(-(-n_songs // int(costs.shard_songs)), 1)
    n_pairs = count_pairs(n_songs)
    core_hours = n_machines * costs.shard_cores * MONTH_HOURS
    return Projection(
        n_songs=n_songs,
        n_cores=n_cores,
        extraction_days=n_songs * costs.features_s / n_cores / DAY_S,
        prints_days=n_songs * costs.prints_s / n_cores / DAY_S,
        core_years=seconds / DAY_S / YEAR_DAYS,
        index_tb=n_songs * costs.index_bytes / 1e12,
        sound_tb=n_songs * costs.sound_bytes / 1e12,
        features_tb=n_songs * costs.features_bytes / 1e12,
        n_machines=n_machines,
        query_ms=costs.shard_ms,
        n_pairs=n_pairs,
        pairs_core_years=n_pairs * costs.pair_s / DAY_S / YEAR_DAYS,
        compute_money=seconds / HOUR_S * prices.core_hour,
        month_money=core_hours * prices.core_hour + stored_tb * prices.terabyte_month,
    )


def count_pairs(n_songs: int) -> int:
    """Count the pairs of two different songs.

    Parameters
    ----------
    n_songs : int
        At least 0.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        The number is negative.

    Examples
    --------
    >>> count_pairs(13), count_pairs(40_000_000)
    (78, 799999980000000)
    """
    if n_songs < 0:
        raise ValueError(f"n_songs: expected at least 0, found {n_songs}")
    return n_songs * (n_songs - 1) // 2
