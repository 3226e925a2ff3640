"""The figure of a timeline on made-up data, plain and awkward; see `figure_checks`."""

from __future__ import annotations

from figure_checks import FINDING, draws, read_names, read_texts

from workshop.plots import timeline

PLAIN = [(0.0, 40.0, "A"), (36.0, 70.0, "B"), (80.0, 100.0, "C")]


@draws(
    timeline.draw_timeline,
    labels=[("time (s)", "")],
    data={
        "plain": (PLAIN, [(0.4, 39.0, "A"), (36.5, 70.0, "B"), (81.0, 99.0, "C")]),
        "nothing recognised": (PLAIN, []),
        "another": (PLAIN, [(0.0, 100.0, "?")]),
        "short": (PLAIN, [(50.0, 51.0, "B")]),
    },
    height=2.2,
)
def test_timeline(draw, ax, data):
    truth, answer = data
    draw(truth, answer, ax, title=FINDING)
    bars = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches]
    assert bars == [one[:2] for one in (*truth, *answer)]
    colours = {bar.get_facecolor() for bar in ax.patches[: len(truth)]}
    assert len(colours) == 3
    if answer and answer[0][2] == "A":
        assert [b.get_facecolor() for b in ax.patches[:3]] == [
            b.get_facecolor() for b in ax.patches[3:]
        ]
    named = [key for start_s, end_s, key in (*truth, *answer) if end_s - start_s > 4]
    assert read_texts(ax) == named and read_names(ax.yaxis) == ["played", "recognised"]
