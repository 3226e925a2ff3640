"""Why a join is likely one that a song itself makes, or not, in words a listener uses.

Used by notebook ``06_chainable`` through :mod:`.transition`. What moved the log-odds is a number
for each feature; features are heard as seven things, :data:`HEARD`. The things that moved most are
named, each by a measure of it that can be put into words and points the way the thing moved the
odds; what is said holds of the measure whether it moved the odds or a neighbour did.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from aares.chaining.joins import BEAT, CHANGE, EXTREMES, name_features

FloatArray = npt.NDArray[np.float64]

MOST = 3
HEARD = ("loudness", "tone colour", "notes", "rhythm", "beat", "repetition", "suddenness")


@dataclass(frozen=True)
class Reason:
    """One of the things that a join was judged by.

    Attributes
    ----------
    about : str
        One of :data:`HEARD`.
    text : str
        What is heard, true of the features.
    weight : float
        Log-odds that it adds to B following A; below 0 it speaks against it.
    """

    about: str
    text: str
    weight: float

    def __str__(self) -> str:
        """Return the text, and what it speaks for."""
        return f"{'for' if self.weight > 0 else 'against'}: {self.text}"


@dataclass(frozen=True)
class Statement:
    """What a measure of a join says in words: of a value that joins have, and of another."""

    about: str
    feature: str
    goes_on: Callable[[float], bool]
    yes: Callable[[float], str]
    no: Callable[[float], str]


def _compare(step: float, more: str, less: str) -> str:
    return more if step > 0 else less


STATEMENTS = (
    Statement(
        "loudness", "step level 1", lambda x: abs(x) < 2,
        lambda x: "B begins as loud as A ends",
        lambda x: f"B begins {abs(x):.0f} dB {_compare(x, 'louder', 'quieter')} than A ends",
    ),
    Statement(
        "loudness", "step level 10", lambda x: abs(x) < 2,
        lambda x: "the last and the first ten seconds are as loud",
        lambda x: f"B's first ten seconds are {abs(x):.0f} dB {_compare(x, 'louder', 'quieter')}",
    ),
    Statement(
        "tone colour", "step centroid 1", lambda x: abs(x) < 0.2,
        lambda x: "B begins as bright as A ends",
        lambda x: f"B begins {_compare(x, 'brighter', 'darker')} than A ends",
    ),
    Statement(
        "tone colour", "mel likeness 3", lambda x: x >= 0.9,
        lambda x: f"the tone colour stays (likeness {x:.2f})",
        lambda x: f"the tone colour changes (likeness {x:.2f})",
    ),
    Statement(
        "notes", "chroma 3", lambda x: x >= 0.7,
        lambda x: f"the same notes sound before and after (likeness {x:.2f})",
        lambda x: f"other notes sound before than after (likeness {x:.2f})",
    ),
    Statement(
        "notes", "tuning 10", lambda x: x >= 0.7,
        lambda x: f"the same notes, tuned alike, in ten seconds of both (likeness {x:.2f})",
        lambda x: f"other notes or another tuning in ten seconds of both (likeness {x:.2f})",
    ),
    Statement(
        "rhythm", "periods", lambda x: x >= 0.5,
        lambda x: f"the rhythm goes on (likeness {x:.2f})",
        lambda x: f"the rhythm is another (likeness {x:.2f})",
    ),
    Statement(
        "beat", "tempo ratio", lambda x: x < 0.04,
        lambda x: "the tempo stays",
        lambda x: f"the tempo changes by {2**x - 1:.0%}",
    ),
    Statement(
        "beat", "phase A", lambda x: x < 0.15,
        lambda x: "B comes in on A's beat",
        lambda x: f"B comes in {x:.2f} of a beat off A's",
    ),
    Statement(
        "repetition", "timbre lags", lambda x: x >= 0.5,
        lambda x: f"what repeats in the songs repeats across the join (likeness {x:.2f})",
        lambda x: f"what repeats in the songs does not across the join (likeness {x:.2f})",
    ),
    Statement(
        "repetition", "notes lags", lambda x: x >= 0.5,
        lambda x: f"the turn of the notes repeats across the join (likeness {x:.2f})",
        lambda x: f"the turn of the notes breaks off at the join (likeness {x:.2f})",
    ),
    Statement(
        "suddenness", "change ratio", lambda x: x < 1.25,
        lambda x: f"the sound changes {x:.1f} times as much as the songs do by themselves",
        lambda x: f"the sound changes {x:.1f} times as much as the songs do by themselves",
    ),
)  # fmt: skip


def name_heard(feature: str) -> str:
    """Return what a feature is heard as.

    Parameters
    ----------
    feature : str
        One of :func:`.joins.name_features`.

    Returns
    -------
    str
        One of :data:`HEARD`.

    Examples
    --------
    >>> name_heard("step level 0.25"), name_heard("mean mfcc7 3"), name_heard("notes lags A")
    ('loudness', 'tone colour', 'repetition')
    """
    words = feature.split()
    if feature in CHANGE:
        return "suddenness"
    if words[0] == "onsets" or feature == "periods" or "flux" in words:
        return "rhythm"
    if feature in BEAT:
        return "beat"
    if words[0] in ("timbre", "notes"):
        is_near = words[1] in ("near", "B", "A", "all")
        return ("tone colour" if words[0] == "timbre" else "notes") if is_near else "repetition"
    if "level" in words or "mfcc1" in words:
        return "loudness"
    if feature not in EXTREMES and words[0] in ("chroma", "rotation", "tuning"):
        return "notes"
    return "tone colour"


@cache
def _group() -> npt.NDArray[np.bool_]:
    """Return which features are heard as what: (HEARD, features)."""
    heard = np.array([name_heard(feature) for feature in name_features()])
    return np.array([heard == about for about in HEARD])


def tell_reasons(features: FloatArray, parts: FloatArray, *, most: int = MOST) -> list[Reason]:
    """Return what weighs most in the judgement of a join, the heaviest first.

    Parameters
    ----------
    features : ndarray of float, shape (n_features,)
        Of :func:`.joins.measure_joins`.
    parts : ndarray of float, shape (n_features + 1,)
        Of :meth:`.join_model.JoinModel.explain`.
    most : int

    Returns
    -------
    list of Reason
        A thing of which no measure points the way it moved the odds gives way to the next; where
        too few are left it is told as it is.

    Examples
    --------
    >>> features, parts = np.zeros(314), np.zeros(315)
    >>> parts[name_features().index("step level 1")] = 2.0
    >>> print(tell_reasons(features, parts, most=1)[0])
    for: B begins as loud as A ends
    """
    values = dict(zip(name_features(), features.tolist(), strict=True))
    of_feature = dict(zip(name_features(), parts[:-1].tolist(), strict=True))
    weights = _group() @ parts[:-1]
    clear: list[Reason] = []
    odd: list[Reason] = []
    for row in np.argsort(-np.abs(weights).round(9), kind="stable"):
        about, weight = HEARD[row], float(weights[row])
        said = [x for x in STATEMENTS if x.about == about and np.isfinite(values[x.feature])]
        agree = [x for x in said if x.goes_on(values[x.feature]) == (weight > 0)]
        said = sorted(agree or said, key=lambda x: -abs(of_feature[x.feature]))
        if said:
            value = values[said[0].feature]
            text = (said[0].yes if said[0].goes_on(value) else said[0].no)(value)
            (clear if agree else odd).append(Reason(about, text, weight))
    return sorted([*clear, *odd][:most], key=lambda x: -abs(x.weight))
