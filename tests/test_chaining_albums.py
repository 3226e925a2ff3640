"""Albums, trees of them, portraits of songs: made-up data whose answer is known."""

import numpy as np
import pytest
import soundfile as sf

from aares.audio import AudioError
from aares.chaining import alike, portraits
from aares.chaining.albums import (
    grow_album_tree,
    halve_albums,
    measure_albums,
    place_songs,
    score_halvings,
)
from aares.chaining.comparisons import (
    COMPARISONS,
    compare_energy,
    compare_whitened,
    rank_songs,
    weigh_features,
)
from aares.chaining.portraits import EQUAL_HZ, cut_bands, measure_bands, summarise, summarise_songs
from aares.chaining.trees import (
    METHODS,
    Tree,
    add_support,
    grow_tree,
    list_splits,
    list_twins,
    read_newick,
)
from aares.data import DataError

RATE = 22050
NAMES = list("abcdefg")


# --- trees --------------------------------------------------------------------------------


def make_tree(rng):
    """Return a random tree of seven leaves."""
    nodes = [Tree(name, length=rng.uniform(1, 5)) for name in NAMES]
    while len(nodes) > 3:
        i, j = sorted(rng.choice(len(nodes), 2, replace=False))
        joined = Tree(length=rng.uniform(1, 5), children=(nodes[i], nodes[j]))
        nodes = [node for k, node in enumerate(nodes) if k not in (i, j)] + [joined]
    return Tree(children=tuple(nodes))


def sum_branches(tree, names):
    """Return how far leaves are from each other along the branches of a tree."""
    D = np.zeros((len(names), len(names)))
    for node in tree.walk():
        behind = np.isin(names, node.list_leaves())
        D += node.length * (behind[:, None] != behind[None])
    return D


@pytest.mark.parametrize("seed", range(5))
def test_neighbours_find_the_tree_again_where_distances_are_sums_of_branches(seed):
    known = make_tree(np.random.default_rng(seed))
    D = sum_branches(known, NAMES)
    found = grow_tree(D, NAMES, method="neighbours")
    assert list_splits(found, rooted=False) == list_splits(known, rooted=False)
    np.testing.assert_allclose(sum_branches(found, NAMES), D, atol=1e-4)


def test_neighbours_do_not_mind_that_one_leaf_evolved_faster():
    # a and b are neighbours, and b is so far out that a is nearer to c
    known = Tree(
        children=(
            Tree(length=1, children=(Tree("a", 1), Tree("b", 9))),
            Tree("c", 1),
            Tree("d", 1.5),
        )
    )
    D = sum_branches(known, list("abcd"))
    assert set(map(frozenset, list_twins(grow_tree(D, list("abcd"), method="neighbours")))) == {
        frozenset("ab"),
        frozenset("cd"),
    }
    assert frozenset("ab") not in set(map(frozenset, list_twins(grow_tree(D, list("abcd")))))


def test_linkage_puts_children_as_far_from_the_leaves_as_their_distance_says():
    D = np.array([[0, 2, 6, 6], [2, 0, 6, 6], [6, 6, 0, 4], [6, 6, 4, 0]], dtype=float)
    tree = grow_tree(D, list("abcd"))
    np.testing.assert_allclose(sum_branches(tree, list("abcd")), D)
    assert list_splits(tree, rooted=True) == {frozenset("ab"), frozenset("cd")}


def test_support_is_the_share_of_trees_with_the_branch_whichever_side_is_the_root():
    D = sum_branches(make_tree(np.random.default_rng(1)), NAMES)
    tree = grow_tree(D, NAMES, method="neighbours")
    order = [NAMES.index(name) for name in "gfedcba"]
    turned = grow_tree(D[np.ix_(order, order)], list("gfedcba"), method="neighbours")
    other = grow_tree(1 - np.eye(7), NAMES, method="neighbours")
    supported = add_support(tree, [turned, turned, turned, other], rooted=False)
    found = [node.support for node in supported.walk() if node.support is not None]
    assert len(found) == 4
    assert min(found) >= 0.75
    with_root = add_support(supported, [], rooted=False)
    assert {node.support for node in with_root.walk()} == {None}


@pytest.mark.parametrize(
    ("distances", "names", "message"),
    [
        (np.zeros((2, 3)), "ab", "shape|expected \\(2, 2\\)"),
        (np.eye(2), "ab", "0 to oneself"),
        ([[0, 1], [2, 0]], "ab", "both ways"),
        ([[0, np.nan], [np.nan, 0]], "ab", "finite"),
        ([[0, 1], [1, 0]], "aa", "twice"),
        ([[0]], "a", "2 leaves"),
    ],
)
def test_what_is_no_distance_makes_no_tree(distances, names, message):
    with pytest.raises(ValueError, match=message):
        grow_tree(distances, list(names))
    with pytest.raises(ValueError, match="method"):
        grow_tree([[0, 1], [1, 0]], list("ab"), method="nearest")


# --- albums -------------------------------------------------------------------------------


def make_albums(n_albums=4, n_songs=12, *, n_features=8, apart=2.0, seed=0):
    """Songs around the centres of albums; the last features tell nothing."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(0, apart, (n_albums, n_features))
    centres[:, n_features // 2 :] = 0
    albums = np.repeat([f"album {i}" for i in range(n_albums)], n_songs)
    X = np.repeat(centres, n_songs, axis=0) + rng.normal(0, 1, (len(albums), n_features))
    return X, albums.tolist()


@pytest.mark.parametrize("comparison", COMPARISONS)
def test_halves_of_albums_that_differ_are_joined_first(comparison):
    X, albums = make_albums(apart=4.0)
    for method in METHODS:
        joined = score_halvings(X, albums, comparison=comparison, method=method, n_draws=10)
        assert joined.to_numpy().mean() > 0.9, method
    nothing = np.random.default_rng(1).normal(size=X.shape)
    joined = score_halvings(nothing, albums, comparison=comparison, n_draws=30)
    assert joined.to_numpy().mean() < 0.4  # two of eight halves are joined first by chance


@pytest.mark.parametrize("comparison", COMPARISONS)
def test_nothing_fitted_knows_which_halves_belong_together(comparison):
    """Halves under other names have the same distances."""
    X, albums = make_albums()
    Z, halves = rank_songs(X), halve_albums(albums, random_state=0)
    names = sorted(set(halves))
    shuffled = dict(zip(names, np.random.default_rng(0).permutation(names), strict=True))
    D = COMPARISONS[comparison](Z, halves)
    other = COMPARISONS[comparison](Z, [shuffled[half] for half in halves])
    order = [names.index(shuffled[name]) for name in names]
    np.testing.assert_allclose(other[np.ix_(order, order)], D, atol=1e-9)
    assert (D >= 0).all()
    assert not np.diag(D).any()


def test_a_feature_that_tells_albums_apart_weighs_more():
    X, albums = make_albums()
    weights = weigh_features(rank_songs(X), albums)
    assert weights[:4].min() > weights[4:].max()


def test_whitening_leaves_features_as_they_are_at_one_and_follows_mahalanobis_near_zero():
    X, albums = make_albums(3, 40, n_features=3)
    means = np.array([X[np.array(albums) == a].mean(axis=0) for a in sorted(set(albums))])
    rest = X - means[[sorted(set(albums)).index(a) for a in albums]]
    spread = rest.T @ rest / (len(X) - 3)
    inverse = np.linalg.inv(spread)
    gaps = means[:, None] - means[None]
    exact = np.sqrt(np.einsum("abi,ij,abj->ab", gaps, inverse, gaps))
    np.testing.assert_allclose(compare_whitened(X, albums, shrinkage=1e-9), exact, rtol=1e-5)
    plain = np.linalg.norm(gaps, axis=2) / np.sqrt(np.trace(spread) / 3)
    np.testing.assert_allclose(compare_whitened(X, albums, shrinkage=1), plain, rtol=1e-9)
    with pytest.raises(ValueError, match="shrinkage"):
        compare_whitened(X, albums, shrinkage=0)


def test_two_draws_of_one_album_have_no_energy_distance_on_average():
    rng = np.random.default_rng(0)
    same = [compare_energy(rng.normal(size=(40, 5)), ["a"] * 20 + ["b"] * 20)[0, 1] for _ in "xyz"]
    moved = rng.normal(size=(40, 5)) + np.repeat([[0.0], [1.0]], 20, axis=0)
    assert max(same) < compare_energy(moved, ["a"] * 20 + ["b"] * 20)[0, 1] / 4


def test_a_song_put_into_the_wrong_album_is_at_the_head_of_the_table():
    X, albums = make_albums(apart=4.0)
    moved = [*albums[:-1], "album 0"]
    songs = [f"song {i}" for i in range(len(albums))]
    table = place_songs(X, moved, songs)
    assert table.loc[0, ["song", "nearest"]].tolist() == [songs[-1], "album 3"]
    assert table["margin"].is_monotonic_increasing
    assert (table["margin"] < 0).mean() < 0.1
    assert ((table["own"] + table["other"]) <= 1 + 1e-9).all()
    with pytest.raises(DataError, match="two songs"):
        place_songs(X, ["alone", *albums[1:]], songs)


def test_a_tree_of_albums_supports_the_pair_that_is_near():
    X, albums = make_albums(5, 12, apart=3.0)
    centre = X[:12].mean(axis=0)
    X[12:24] += centre + 0.3 - X[12:24].mean(axis=0)
    for method in METHODS:
        tree = grow_album_tree(X, albums, method=method, n_draws=30)
        pairs = {frozenset(pair) for pair in list_twins(tree)}
        assert frozenset({"album 0", "album 1"}) in pairs
        assert max(node.support or 0 for node in tree.walk()) > 0.9
    D = measure_albums(X, albums)
    assert D.loc["album 0", "album 1"] == D.to_numpy()[~np.eye(5, dtype=bool)].min()
    with pytest.raises(ValueError, match="comparison"):
        measure_albums(X, albums, comparison="nearest neighbour")


def test_one_album_is_none():
    with pytest.raises(DataError, match="two albums"):
        measure_albums(np.ones((3, 2)), ["a"] * 3)
    with pytest.raises(DataError, match="finite"):
        measure_albums([[np.nan], [1.0]], ["a", "b"])


# --- two songs ----------------------------------------------------------------------------


@pytest.mark.parametrize("measure", alike.MEASURES)
def test_songs_of_one_album_are_more_alike_and_chance_is_a_half(measure):
    X, albums = make_albums(6, 12, apart=3.0)
    test = np.arange(len(X)) % 3 == 0
    folds = [(np.flatnonzero(~test), np.flatnonzero(test))]
    auc, low, high = alike.score_measure(measure, X, albums, folds, n_draws=40)
    assert 0.85 < auc <= 1
    assert low <= auc <= high
    nothing = np.random.default_rng(3).normal(size=X.shape)
    auc, low, high = alike.score_measure(measure, nothing, albums, folds, n_draws=40)
    assert low < 0.5 < high


def test_songs_of_unseen_albums_are_in_no_training_fold():
    albums = list("aabbccdd")
    for known, rows in alike.split_unseen_albums(albums, 2):
        assert not {albums[i] for i in known} & {albums[i] for i in rows}
    with pytest.raises(ValueError, match="n_unseen"):
        list(alike.split_unseen_albums(albums, 3))


# --- portraits ----------------------------------------------------------------------------


def make_sound(seed=0, seconds=12, top_hz=None):
    rng = np.random.default_rng(seed)
    y = rng.standard_normal(seconds * RATE) * (1 + np.sin(np.arange(seconds * RATE) * 2 / RATE))
    if top_hz:
        spectrum = np.fft.rfft(y)
        spectrum[np.fft.rfftfreq(len(y), 1 / RATE) > top_hz] = 0
        y = np.fft.irfft(spectrum, len(y))
    return (0.05 * y).astype(np.float32)


def test_bands_are_librosas_whatever_the_length(monkeypatch):
    import librosa

    monkeypatch.setattr(portraits, "BLOCK_FRAMES", 1000)
    y = make_sound(seconds=50)
    bands = measure_bands(y)
    mel = librosa.feature.melspectrogram(y=y, sr=RATE, n_mels=64)
    np.testing.assert_allclose(bands.mel_db, 10 * np.log10(mel.T + 1e-10), atol=0.01)
    cut = cut_bands(bands, "0:10-0:40").mel_db
    np.testing.assert_array_equal(cut, bands.mel_db[431 : 431 + len(cut)])
    assert abs(len(cut) - 30 * RATE / 512) < 2


def test_level_and_bandwidth_can_be_left_out_and_nothing_else():
    whole, dull = make_sound(), make_sound(top_hz=EQUAL_HZ + 1500) / 5
    one, other = (summarise(measure_bands(y), equal=True) for y in (whole, dull))
    assert max(abs(one[name] - other[name]) for name in one) < 0.2
    one, other = (summarise(measure_bands(y)) for y in (whole, dull))
    assert one["level mean"] - other["level mean"] > 13
    assert one["edge 0"] > other["edge 0"]
    third = summarise(measure_bands(make_sound(seed=1) ** 2), equal=True)
    assert max(abs(third[name] - other[name]) for name in third) > 1


@pytest.mark.parametrize("seconds", [0.1, 5, 13])
def test_silence_and_short_sounds_have_finite_portraits(seconds):
    for y in (np.zeros(round(seconds * RATE), np.float32), make_sound(seconds=14)):
        found = summarise(measure_bands(y[: round(seconds * RATE)]))
        assert len(found) == 450
        assert np.isfinite(list(found.values())).all()


def test_a_file_that_is_no_sound_is_told(tmp_path):
    (tmp_path / "text.mp3").write_text("no sound")
    with pytest.raises(AudioError, match=r"text\.mp3"):
        summarise_songs([tmp_path / "text.mp3"])
    sf.write(tmp_path / "short.wav", make_sound(seconds=4), RATE)
    with pytest.raises(AudioError, match=r"short\.wav"):
        summarise_songs([tmp_path / "short.wav"])


def test_a_tree_is_read_as_it_was_written():
    leaves = [Tree("it's", 1.0), Tree("Warzone: (legacy), 2", 2.5), Tree("c", 0.25)]
    inner = Tree(length=0.5, children=(leaves[0], leaves[1]), support=0.97)
    tree = Tree(children=(inner, leaves[2]))
    assert read_newick(tree.write_newick()) == tree
    for text in ("", "('a':1,'b':1)", "('a':1,'b':1;", "(,);", "('a':1)x;"):
        with pytest.raises(ValueError, match="tree"):
            read_newick(text)
