"""From scores to an answer, and to the probability that it is false.

Used by notebook 04 through :class:`aares.identify.Index`.

A query of a recording that is not in the index has a best candidate too. `p_false` is the
probability that such a query does as well: small where a candidate stands out, from chance and from
the other candidates. It is calibrated, not assumed: `benchmarks/identify.py calibrate` asks for
thousands of excerpts that are not in an index, on tracks that no reported figure uses.

References
----------
.. [1] S. Coles, "An Introduction to Statistical Modeling of Extreme Values", 2001: section 4.2 (the
   tail above a high threshold).
"""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any


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


@dataclass(frozen=True)
class Answer:
    """What an index says of an excerpt.

    Parameters
    ----------
    match : Candidate or None
        The recording, or None: unknown.
    p_false : float
        Probability that an excerpt of no indexed recording has a candidate like the best one.
    candidates : tuple of Candidate
        The best first, one for each recording.
    twins : tuple of Candidate
        Other recordings with as much evidence as the match, such as a remaster.
    heard : bool
        Whether the excerpt holds anything that a recording could be known by.
    tail : float
        What `p_false` would be if the calibration's tail went on below its last excerpt: it orders
        answers, and is no probability.
    """

    match: Candidate | None
    p_false: float
    candidates: tuple[Candidate, ...]
    twins: tuple[Candidate, ...] = ()
    heard: bool = True
    tail: float = 1.0

    @property
    def reason(self) -> str:
        """Tell which of three things the index says.

        Returns
        -------
        {"match", "unknown", "nothing"}
            "nothing": the excerpt is silence, or a tone that stays: nothing to identify.

        Examples
        --------
        >>> Answer(None, 1.0, ()).reason, Answer(None, 1.0, (), heard=False).reason
        ('unknown', 'nothing')
        """
        if self.match:
            return "match"
        return "unknown" if self.heard else "nothing"

    def shift(self, seconds: float) -> Answer:
        """Return the answer with the excerpt's beginning moved.

        Parameters
        ----------
        seconds : float
            Of the excerpt; an offset moves by as much of its recording, at the candidate's speed.

        Returns
        -------
        Answer

        Examples
        --------
        The excerpt begins 2 s later, at a speed of 1.02: that is 2.04 s later in the recording.

        >>> best = Candidate("a.mp3", offset_s=10.0, score=9.1, votes=240.0, speed=1.02)
        >>> Answer(best, 1e-6, (best,)).shift(2.0).match.offset_s
        12.04
        """
        moved = tuple(
            replace(c, offset_s=round(c.offset_s + seconds * c.speed, 3)) for c in self.candidates
        )
        places = {c.song: c for c in moved}
        twins = tuple(places[c.song] for c in self.twins)
        return replace(self, match=moved[0] if self.match else None, candidates=moved, twins=twins)

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as JSON values.

        Returns
        -------
        dict
            ``match`` (name or None), ``reason``, ``offset_s``, ``score``, ``p_false``, ``speed``,
            ``pitch``, ``twins`` (names), ``candidates``.

        Examples
        --------
        >>> best = Candidate("a.mp3", offset_s=10.0, score=9.1, votes=240.0, speed=1.0)
        >>> answer = Answer(best, 1e-6, (best,)).to_dict()
        >>> json.dumps({name: answer[name] for name in ("match", "offset_s", "p_false")})
        '{"match": "a.mp3", "offset_s": 10.0, "p_false": 1e-06}'
        """
        best = self.match
        return {
            "match": best.song if best else None,
            "reason": self.reason,
            "offset_s": best.offset_s if best else None,
            "score": best.score if best else None,
            "p_false": self.p_false,
            "speed": best.speed if best else None,
            "pitch": best.pitch if best else None,
            "twins": [twin.song for twin in self.twins],
            "candidates": [asdict(candidate) for candidate in self.candidates],
        }


THRESHOLD = 5e-4  # above what the sample can carry; chosen on tracks held out of the calibration
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
SHARES = {"quick": 0.3, "thorough": 0.4, "speeds": 0.15, "stretched": 0.15}  # of false alarms
LEAST_RECORDINGS = 60  # the smallest index of the calibration
TWIN_SHARE = 0.8  # of the best score
LEAST_CEILING = 2.0  # own peaks that score less say nothing: silence, hum, a held tone
LEAST_SCORE = 4.0  # the best of thousands of wrong places has as much
SECONDS = (1.0, 15.0)  # a length outside this range counts as its end


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


@cache
def load_calibration() -> dict[str, Any]:
    """Read what `benchmarks/identify.py calibrate` found.

    Returns
    -------
    dict
        ``n_recordings`` of the index it was found with; ``floor``, the lowest probability that its
        excerpts can tell. For each way to search: ``weights`` of `FEATURES`; of their sum, the
        ``start`` of the tail and the logarithm of its ``scale`` (an intercept, and one for each of
        `COVARIATES`); ``rate``, the share of unknown excerpts that reach the start; ``growth``, by
        which the start grows with the logarithm of the recordings.

    Examples
    --------
    >>> set(SHARES) <= set(load_calibration()), load_calibration()["floor"] < THRESHOLD
    (True, True)
    """
    path = Path(__file__).with_name("calibration.json")
    return dict(json.loads(path.read_text(encoding="utf-8")))


def extrapolate_tail(ranking: Ranking, *, way: str) -> float:
    """Continue the calibration's tail to the best candidate, however far out it is.

    The ways share the false alarms, each by its part of `SHARES`, so the least of their tails is
    that of the whole search. In a larger index than the calibration's there are as many times more
    chances for a wrong one (the union bound); in a smaller one as many fewer as were measured.

    Parameters
    ----------
    ranking : Ranking
    way : {"quick", "thorough", "speeds", "stretched"}
        How it was found: whoever looks at more places finds better wrong ones.

    Returns
    -------
    float
        In (0, 1]: `estimate_p_false` without its floor; 1 for a score below `LEAST_SCORE`.

    References
    ----------
    Coles 2001 [1]_, section 4.2, with a scale that depends on covariates as in section 6.

    Examples
    --------
    >>> best = Candidate("a.mp3", offset_s=10.0, score=12.0, votes=400.0, speed=1.0)
    >>> ranking = Ranking([best], breadth=8.0, beside=0.0, ceiling=18.0, seconds=10.0)
    >>> few, many = (replace(ranking, n_recordings=n) for n in (10**5, 10**6))
    >>> round(extrapolate_tail(many, way="quick") / extrapolate_tail(few, way="quick"))
    10
    """
    if not ranking.candidates:
        return 1.0
    if count_once(ranking.candidates[0].score, ranking.novelty) < LEAST_SCORE:
        return 1.0
    calibration = load_calibration()
    known, inputs = calibration[way], (1.0, *list_covariates(ranking))
    total = sum(map(operator.mul, known["weights"], describe(ranking)))
    scale = math.exp(sum(map(operator.mul, known["scale"], inputs)))
    larger = math.log(max(ranking.n_recordings, LEAST_RECORDINGS) / calibration["n_recordings"])
    growth = scale if larger > 0 else min(known["growth"], scale)
    start = sum(map(operator.mul, known["start"], inputs)) + growth * larger
    if total < start:
        return 1.0
    tail: float = known["rate"] / SHARES[way] * math.exp((start - total) / scale)
    return max(min(tail, 1.0), 1e-300)


def estimate_p_false(ranking: Ranking, *, way: str) -> float:
    """Estimate the probability that a search for an unknown excerpt ends as well as this one.

    Parameters
    ----------
    ranking : Ranking
    way : {"quick", "thorough", "speeds", "stretched"}

    Returns
    -------
    float
        At most 1, and never less than the calibration's excerpts can tell: one over their number,
        where those of one track count as far as they differ.

    Examples
    --------
    >>> best = Candidate("a.mp3", offset_s=10.0, score=12.0, votes=400.0, speed=1.0)
    >>> ranking = Ranking([best], breadth=8.0, beside=0.0, ceiling=18.0, seconds=10.0)
    >>> estimate_p_false(ranking, way="quick") < 1e-3
    True
    >>> sure = replace(ranking, candidates=[replace(best, score=90.0)])
    >>> estimate_p_false(sure, way="quick") == load_calibration()["floor"]
    True
    """
    floor: float = load_calibration()["floor"]
    return max(extrapolate_tail(ranking, way=way), floor)


def choose(ranking: Ranking, *, way: str, threshold: float) -> Answer:
    """Accept the best candidate, or none.

    Parameters
    ----------
    ranking : Ranking
    way : {"quick", "thorough", "speeds", "stretched"}
        See `extrapolate_tail`.
    threshold : float
        Highest `p_false` that is accepted; below the calibration's floor, the highest `tail`.

    Returns
    -------
    Answer

    Examples
    --------
    >>> best = Candidate("a.mp3", offset_s=10.0, score=12.0, votes=400.0, speed=1.0)
    >>> ranking = Ranking([best], breadth=8.0, beside=0.0, ceiling=18.0, seconds=10.0)
    >>> choose(ranking, way="quick", threshold=THRESHOLD).match.song
    'a.mp3'
    >>> choose(ranking, way="quick", threshold=0.0).match is None
    True
    >>> choose(replace(ranking, ceiling=0.5), way="quick", threshold=THRESHOLD).reason
    'nothing'
    """
    candidates = tuple(ranking.candidates)
    heard = ranking.ceiling >= LEAST_CEILING
    tail = extrapolate_tail(ranking, way=way) if heard else 1.0
    match = candidates[0] if candidates and tail <= threshold else None
    twins = tuple(c for c in candidates[1:] if match and is_twin(c, match))
    p_false = estimate_p_false(ranking, way=way) if heard else 1.0
    return Answer(match, p_false, candidates, twins, heard, tail)


def is_twin(other: Candidate, best: Candidate) -> bool:
    """Tell whether another recording ties with the best one.

    Parameters
    ----------
    other, best : Candidate

    Returns
    -------
    bool
        Its score is within `TWIN_SHARE` of the best one's. Two wrong places differ by about 1, a
        right and a wrong one by many times that.

    Examples
    --------
    >>> best = Candidate("a.mp3", offset_s=10.0, score=12.0, votes=400.0, speed=1.0)
    >>> [is_twin(replace(best, score=score), best) for score in (11.0, 5.0)]
    [True, False]
    """
    return other.score >= TWIN_SHARE * best.score
