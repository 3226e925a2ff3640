"""Tests of where a recording starts and ends, on peaks that are made up."""

from __future__ import annotations

import numpy as np
import pytest

from aares.identify import edges
from aares.identify.edges import Said, find_edge, find_end_of_fade, find_explained, straighten
from aares.identify.lines import Constellation, Knot, Line
from aares.identify.peaks import RATE_HZ, STEP_LENGTH

STEP_S = STEP_LENGTH / RATE_HZ


class MadeTape:
    """A tape of 90 s on which peaks are heard or not."""

    start_s, end_s = 0.0, 90.0

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.excess = rng.normal(-5.0, 3.0, (512, int(self.end_s / STEP_S))).astype(np.float32)

    def play(self, times: np.ndarray, bins: np.ndarray) -> None:
        for beside in (-1, 0, 1):
            self.excess[bins, np.rint(times / STEP_S).astype(int) + beside] = 14.0

    def weigh_plainly(self, start_s: float, end_s: float) -> np.ndarray:
        return self.excess[:, round(start_s / STEP_S) : round(end_s / STEP_S)]


def make_stars(seed: int, seconds: float = 120.0) -> Constellation:
    rng = np.random.default_rng(seed)
    places = np.sort(rng.uniform(0, seconds, int(12 * seconds)))
    return Constellation(places, rng.integers(20, 500, len(places)), np.ones(len(places)), seconds)


def make_line(
    song: str, stars: Constellation, start_s: float, end_s: float, place_s: float
) -> Line:
    times = np.arange(start_s + 3, end_s - 2, 3.0)
    knots = [Knot(float(t), place_s + float(t) - start_s, 1.0, 1.0, 9.0) for t in times]
    return Line(song, stars, knots, 1e-9, start_s, end_s)


def play_line(tape: MadeTape, line: Line) -> None:
    stars = line.stars.cut(line.place(line.start_s), line.place(line.end_s))
    tape.play(line.time(stars.places), stars.bins)


@pytest.mark.parametrize(("fade_s", "late_s"), [(0.0, 0.0), (3.0, 0.6), (5.0, 1.2)])
def test_a_fade_ends_after_its_evidence(fade_s, late_s):
    errors = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        times = np.arange(10.0, 26.0, 0.08)
        gone = np.clip((times - 20 + fade_s) / max(fade_s, 1e-3), 0, 1) ** 2
        said = 2.2 - 2.7 * gone + 0.8 * rng.standard_normal(len(times))
        one = np.ones(len(times))
        errors.append(find_end_of_fade(Said(times, one, one, said), 20 - late_s) - 20)
    assert abs(np.mean(errors)) < 0.3 and np.max(np.abs(errors)) < 1.0


def test_a_song_that_fades_ends_where_the_fade_does():
    """What it says at last is hidden: the sum of the evidence is highest well before."""
    tape, line = MadeTape(), make_line("a", make_stars(8), 10.0, 60.0, 10.0)
    stars = line.stars.cut(line.place(10.0), line.place(60.0))
    times = line.time(stars.places)
    gone = np.clip((times - 54) / 6, 0, 1) ** 2
    steps = np.rint(times / STEP_S).astype(int)
    for beside in (-1, 0, 1):
        tape.excess[stars.bins, steps + beside] = 14.0 - 19.0 * gone
    assert 57.0 < edges._find_last(line, tape, 1, []) < 59.0
    assert abs(find_edge(line, tape, 1) - 60) < 0.5


def test_what_another_recording_plays_is_no_evidence():
    tape, line = MadeTape(), make_line("b", make_stars(1), 30.0, 70.0, 20.0)
    play_line(tape, line)
    assert abs(find_edge(line, tape, -1) - 30) < 0.5
    before = line.stars.cut(15.0, 20.0)  # heard because the other recording has those notes
    other = make_line("a", make_stars(2), 0.0, 30.0, 0.0)
    times = line.time(before.places)[::2]
    notes = other.stars._replace(
        places=np.concatenate([other.stars.places, other.place(0.0) + times]),
        bins=np.concatenate([other.stars.bins, before.bins[::2]]),
        weights=np.ones(len(other.stars.bins) + len(times)),
    )
    order = np.argsort(notes.places)
    other.stars = notes._replace(places=notes.places[order], bins=notes.bins[order])
    play_line(tape, other)
    assert find_edge(line, tape, -1) < 28.5
    assert abs(find_edge(line, tape, -1, [other]) - 30) < 0.5


def test_a_remaster_explains_nothing():
    stars = make_stars(3)
    line, twin = (make_line(name, stars, 10.0, 60.0, 10.0) for name in ("a", "remaster"))
    times, tones = stars.cut(20, 30).places, stars.cut(20, 30).bins.astype(float)
    assert not find_explained(times, tones, [twin]).any()
    other = make_line("b", make_stars(4), 10.0, 60.0, 10.0)
    assert 0 < find_explained(times, tones, [other]).mean() < 0.3
    assert line.song != twin.song


def test_a_note_that_is_repeated_counts_little():
    tape, line = MadeTape(), make_line("b", make_stars(5), 30.0, 70.0, 20.0)
    near = (line.stars.places > 17.5) & (line.stars.places < 20)
    line.stars.bins[near] = np.where(np.arange(near.sum()) % 5 < 2, 42, line.stars.bins[near])
    play_line(tape, line)
    held = line.stars.cut(17.5, 20)
    tape.play(line.time(held.places[held.bins == 42]), held.bins[held.bins == 42])
    assert abs(find_edge(line, tape, -1) - 30) < 1.0


def test_a_song_that_is_heard_nearly_to_its_end_ends_there():
    tape, line = MadeTape(), make_line("a", make_stars(6, seconds=50.0), 10.0, 60.0, 0.0)
    line.end_s = 59.3  # its last peaks are hidden
    play_line(tape, line)
    assert find_edge(line, tape, 1) == pytest.approx(60.0, abs=0.01)
    line.stars = line.stars._replace(seconds=53.0)
    assert find_edge(line, tape, 1) == pytest.approx(59.3, abs=0.5)


@pytest.mark.parametrize("drift", [0.0, 0.0005])
def test_a_look_that_errs_does_not_bend_the_tempo(drift):
    times = np.arange(0.0, 60.0, 3.0)
    places = times + drift * times**2 / 2
    places[-1] += 0.15
    knots = [
        Knot(t, p, 1.0, 1.0, 9.0) for t, p in zip(times.tolist(), places.tolist(), strict=True)
    ]
    straight = straighten(Line("a", make_stars(7), knots, 1e-9), 1).knots
    assert abs(straight[-1].tempo - 1 - drift * 57) < 0.004
    assert straight[:-10] == knots[:-10] and len(straight) == len(knots)
