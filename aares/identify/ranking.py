"""The candidates for an excerpt, and what tells whether the best one is right.

Used by :mod:`.search`, which finds them, and by :mod:`.answer`, which weighs what is told here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

FEATURES = (
    "score", "stand_out", "log_votes", "lead_votes", "lead_votes_squared", "ceiling",
    "share", "log_seconds", "breadth", "beside",
    "level", "score_level", "stand_out_level", "lead_votes_level", "breadth_level",
)  # fmt: skip
N_RIVALS = 6
COVARIATES = (
    "log_seconds", "level", "stationarity", "log_ceiling",
    "log_seconds_squared", "log_ceiling_squared", "log_ceiling_seconds",
)  # fmt: skip
USUAL_LOG_SECONDS, LEAST_BEND = 1.6, math.log(2) - 1.6  # 5 s; it bends down to 2 s, as measured
USUAL_RIVAL = (3.0, math.log1p(40.0))  # score and votes where an index has too few recordings
SECONDS = (1.0, 15.0)  # a length outside this range counts as its end


@dataclass(frozen=True)
class Candidate:
    """A recording that an excerpt may come from.

    Parameters
    ----------
    song : str
        Name of the recording.
    offset_s : float
        Where in the recording the excerpt begins; negative if the excerpt begins earlier.
    score : float
        Evidence of the indexed peaks: 0 on average at a wrong place, with a spread of about 1.
    votes : float
        Bits of the hashes that agree on the place.
    speed : float
        Of the excerpt, 1 for the recording's own.
    pitch : float
        Factor by which the excerpt is higher than at that speed; 1 where pitch follows speed, as
        on a turntable.
    """

    song: str
    offset_s: float
    score: float
    votes: float
    speed: float
    pitch: float = 1.0


@dataclass(frozen=True)
class Ranking:
    """The candidates for an excerpt, and what tells whether the best one is right.

    Parameters
    ----------
    candidates : sequence of Candidate
        The best first, one for each recording.
    breadth : float
        Score of the best if no peak counted for more than its bin's spread: low where a few strong
        notes agree and the rest does not.
    beside : float
        Highest score 0.13 to 0.22 s beside the best: low where the place is a coincidence of
        moments; where the notes are the same, they last.
    ceiling : float
        Score of the excerpt's own peaks, see `query.Query.ceiling`.
    seconds : float
        Length of the excerpt.
    level_db, stationarity : float
        Of the excerpt itself, see `traits.Traits`.
    n_recordings : int
        In the index: the more there are, the better is the best wrong one.
    novelty : float
        Share of the excerpt that does not merely come again, see `traits.measure_novelty`.
    """

    candidates: Sequence[Candidate]
    breadth: float
    beside: float
    ceiling: float
    seconds: float
    level_db: float = 15.0
    stationarity: float = 0.3
    n_recordings: int = 1
    novelty: float = 1.0


def describe(ranking: Ranking) -> tuple[float, ...]:
    """Tell how the best candidate stands out.

    Parameters
    ----------
    ranking : Ranking
        Of at least one candidate.

    Returns
    -------
    tuple of fifteen floats
        In the order of `FEATURES`: its score; the lead over the mean of the third to eighth (a
        recording that is in the index twice has a second as good as the first, so the second does
        not count); the logarithm of its votes; how far it lies above the third's to eighth's, also
        squared; the ceiling; the share of it that the score reaches, small where two pieces have
        only a figure in common; the logarithm of the seconds; the breadth; what is left of the
        score beside the place; the level above noise in tens of dB; and the score, its lead, that
        of the votes, and the breadth, each times the level: in noise they tell differently. Scores
        of an excerpt that repeats are those of as much as is new of it, see `count_once`.

    Examples
    --------
    >>> from dataclasses import replace
    >>> best = Candidate("a.mp3", offset_s=10.0, score=9.0, votes=240.0, speed=1.0)
    >>> other = replace(best, song="b.mp3", score=4.0)
    >>> told = describe(Ranking([best, other], breadth=5.0, beside=1.0, ceiling=18.0, seconds=10.0))
    >>> told[FEATURES.index("score")], told[FEATURES.index("share")]
    (9.0, 0.5)
    """
    candidates, ceiling = ranking.candidates, ranking.ceiling
    rows = [(c.score, math.log1p(c.votes)) for c in candidates[: 2 + N_RIVALS]]
    rows += [USUAL_RIVAL] * (2 + N_RIVALS - len(rows))
    found, votes = rows[0]
    score = count_once(found, ranking.novelty)
    lead = count_once(found - sum(row[0] for row in rows[2:]) / N_RIVALS, ranking.novelty)
    breadth = count_once(ranking.breadth, ranking.novelty)
    lead_votes = votes - sum(row[1] for row in rows[2:]) / N_RIVALS
    level = ranking.level_db / 10
    return (
        score,
        lead,
        votes,
        lead_votes,
        lead_votes * abs(lead_votes),
        ceiling,
        min(found / max(ceiling, 1.0), 1.0),  # a tone's ceiling is near 0
        math.log(min(max(ranking.seconds, SECONDS[0]), SECONDS[1])),
        breadth,
        ranking.beside / max(found, 1.0),
        level,
        score * level,
        lead * level,
        lead_votes * level,
        breadth * level,
    )


def count_once(score: float, novelty: float) -> float:
    """Return what a score is worth of an excerpt that repeats.

    Parameters
    ----------
    score : float
        A sum over its root of squares: of moments that repeat, it grows with the root of their
        number although nothing is added. One below 0 stays.
    novelty : float
        See `traits.measure_novelty`.

    Returns
    -------
    float

    Examples
    --------
    A siren that yelps sixteen times tells as much as its first yelp.

    >>> count_once(12.0, 1 / 16), count_once(-1.0, 1 / 16)
    (3.0, -1.0)
    """
    return score * math.sqrt(novelty) if score > 0 else score


def list_covariates(ranking: Ranking) -> tuple[float, ...]:
    """List what is known of an excerpt before its candidates are looked at.

    Parameters
    ----------
    ranking : Ranking

    Returns
    -------
    tuple of seven floats
        In the order of `COVARIATES`: the logarithm of the seconds, the level above noise in tens of
        dB, the stationarity, the logarithm of one more than the ceiling; the square of the first,
        counted from that of 5 s, since both shorter and longer excerpts have more wrong ones that
        score high; the square of the last, and its product with the first.

    Examples
    --------
    >>> list_covariates(Ranking([], 0.0, 0.0, ceiling=0.0, seconds=1.0, level_db=5.0))[:4]
    (0.0, 0.5, 0.3, 0.0)
    """
    log_seconds = math.log(min(max(ranking.seconds, SECONDS[0]), SECONDS[1]))
    log_ceiling = math.log1p(max(ranking.ceiling, 0.0))
    return (
        log_seconds,
        ranking.level_db / 10,
        ranking.stationarity,
        log_ceiling,
        max(log_seconds - USUAL_LOG_SECONDS, LEAST_BEND) ** 2,
        log_ceiling**2,
        log_seconds * log_ceiling,
    )
