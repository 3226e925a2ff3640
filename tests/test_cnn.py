"""The small network on pictures, where torch is installed; what is said where it is not."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from aares.chaining.cnn import N_FEATURES, PictureNetwork
from aares.chaining.families import VisualError


def make_pictures(n, direction, seed):
    """Return noise with stripes along time (0) or frequency (1), from another moment on each."""
    rng = np.random.default_rng(seed)
    places = np.indices((64, 96))[1 - direction]
    return [
        np.clip(128 + 60 * np.sin(2 * np.pi * places / 48 + shift) + rng.normal(0, 20, (64, 96)),
                0, 255).astype(np.uint8)
        for shift in rng.uniform(0, 6, n)
    ]  # fmt: skip


TRAIN = make_pictures(12, 0, 1) + make_pictures(12, 1, 2)
LABELS = ["time"] * 12 + ["frequency"] * 12
NEW = make_pictures(6, 0, 3) + make_pictures(6, 1, 4)
QUICK = {"n_rounds": 16, "shrink": 4}


def test_it_sees_what_it_was_trained_on_in_new_pictures():
    pytest.importorskip("torch", reason="the extra [cnn] is not installed")
    known, new = (PictureNetwork(**QUICK).fit(TRAIN, LABELS).transform(x) for x in (TRAIN, NEW))
    assert new.shape == (12, N_FEATURES) and new.min() >= 0
    distances = np.linalg.norm(new[:, np.newaxis] - known, axis=2)
    answers = np.array(LABELS)[distances.argmin(axis=1)]
    assert (answers == ["time"] * 6 + ["frequency"] * 6).sum() >= 10  # 6 by guessing


def test_the_same_seed_gives_the_same_features_and_threads_are_left_as_they_were():
    torch = pytest.importorskip("torch", reason="the extra [cnn] is not installed")
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    first = PictureNetwork(**QUICK).fit(TRAIN, LABELS).transform(NEW)
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)
    torch.rand(3)
    assert (PictureNetwork(**QUICK).fit(TRAIN, LABELS).transform(NEW) == first).all()
    other = PictureNetwork(**QUICK, random_state=1).fit(TRAIN, LABELS).transform(NEW)
    assert (other != first).any()


@pytest.mark.parametrize(
    ("pictures", "labels", "said"),
    [
        (TRAIN, LABELS[:5], "labels: expected 24, one a picture, found 5"),
        (TRAIN, ["time"] * 24, r"labels: expected two groups or more, found \["),
        ([], [], r"pictures: expected some, all of one shape, found \[\]"),
        ([TRAIN[0], TRAIN[0][:32]], [0, 1], "all of one shape, found"),
    ],
)
def test_what_it_cannot_learn_from_is_refused(pictures, labels, said):
    pytest.importorskip("torch", reason="the extra [cnn] is not installed")
    with pytest.raises(ValueError, match=said):
        PictureNetwork(**QUICK).fit(pictures, labels)


def test_an_untrained_one_and_a_missing_package_are_said(monkeypatch):
    with pytest.raises(ValueError, match="expected fit before transform"):
        PictureNetwork().transform(NEW)

    def fail(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", fail)
    with pytest.raises(VisualError, match=r'package torch, .*: pip install "aares\[cnn\]"'):
        PictureNetwork().fit(TRAIN, LABELS)
