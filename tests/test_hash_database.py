"""Tests of the assignment's hashes in an inverted index and on disk."""

import pickle
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aares.fingerprints.database import HashFileError, load_hashes, load_pickle, save_hashes
from aares.fingerprints.inverted_index import InvertedIndex
from utils_projet import search_song


def search_dictionaries(database, excerpt):
    """What the course's function answers, as lists."""
    indices, scores = search_song(database, excerpt, return_scores=True)
    return indices.tolist(), scores.tolist()


SONGS = st.dictionaries(st.integers(0, 12), st.integers(0, 30), max_size=12)
FAR = st.dictionaries(st.integers(0, 2**62), st.integers(0, 2**20), max_size=5)


@given(st.lists(SONGS | FAR, max_size=9), st.lists(SONGS | FAR, max_size=4))
@settings(deadline=None)
def test_the_index_answers_like_the_dictionaries(database, excerpts):
    index = InvertedIndex(database)
    assert len(index) == len(database)
    for excerpt in excerpts:  # also: one search leaves nothing behind for the next
        assert index.search(excerpt) == search_dictionaries(database, excerpt)


def test_searches_at_the_same_time_do_not_mix():
    rng = np.random.default_rng(0)
    sizes = [600] * 50 + [300] * 16
    drawn = [{key: t for t, key in enumerate(rng.permutation(900)[:n].tolist())} for n in sizes]
    database, excerpts = drawn[:50], drawn[50:]
    index, answers = InvertedIndex(database), [None] * 16

    def ask(number):
        for _ in range(20):
            answers[number] = index.search(excerpts[number])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [search_dictionaries(database, one) for one in excerpts]


def test_an_excerpt_of_any_length_costs_no_more_memory():
    index = InvertedIndex([{7: 5, 8: 9}, {7: 1}])
    for last in (10**6, 2**31 - 1):
        query = {7: 0, 8: last}
        expected = search_dictionaries([{7: 5, 8: 9}, {7: 1}], query)
        assert index.search(query) == expected


def test_a_bar_may_be_very_tall():
    song = {key: key for key in range(70_000)}  # more than 16 bits count
    assert InvertedIndex([{0: 1}, song]).search(song) == ([1, 0], [70_000, 1])


@pytest.mark.parametrize(
    "wrong", [{"a": 1}, {1: "a"}, {-1: 1}, {1: -1}, {2**70: 1}, {1.5: 1}, {1: 2.5}]
)
def test_hashes_that_are_no_whole_numbers_are_refused(wrong, tmp_path):
    with pytest.raises(ValueError, match="must"):
        InvertedIndex([wrong])
    with pytest.raises(ValueError, match="must"):
        InvertedIndex([{1: 1}]).search(wrong)
    with pytest.raises(HashFileError, match="song 0"):
        save_hashes(tmp_path / "a.npz", [wrong])


@given(st.lists(SONGS | FAR, max_size=5))
@settings(deadline=None, max_examples=40)
def test_files_give_back_what_was_saved(tmp_path_factory, database):
    folder = tmp_path_factory.getbasetemp()
    assert load_hashes(save_hashes(folder / "songs.npz", database)) == database
    (folder / "songs.pickle").write_bytes(pickle.dumps(database))
    assert load_pickle(folder / "songs.pickle") == database


class Bomb:
    def __reduce__(self):
        return print, ("this pickle ran code",)


@pytest.mark.parametrize(
    "content", [Bomb(), [Bomb()], [{1: np.int64(2)}], {1: 2}, [[1]], [{1: 2.5}], [{True: 1}]]
)
def test_a_pickle_of_anything_else_is_refused(tmp_path, capsys, content):
    path = tmp_path / "dataset.pickle"
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(HashFileError, match=r"dataset\.pickle"):
        load_pickle(path)
    assert "ran code" not in capsys.readouterr().out


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_any_bytes_give_a_clear_error(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "foreign"
    path.write_bytes(content)
    for read in (load_hashes, load_pickle):
        try:
            assert isinstance(read(path), list)
        except HashFileError as error:
            assert "foreign" in str(error)


def test_every_flipped_bit_gives_the_same_hashes_or_a_clear_error(tmp_path):
    database = [{k * 7919: k for k in range(40)}]
    path = save_hashes(tmp_path / "songs.npz", database)
    whole = path.read_bytes()
    for bit in range(0, 8 * len(whole), 5):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        try:
            assert load_hashes(path) == database
        except HashFileError as error:
            assert "songs.npz" in str(error)


def test_a_cut_or_changed_file_is_noticed(tmp_path):
    path = save_hashes(tmp_path / "songs.npz", [{k: k for k in range(500)}])
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(HashFileError, match=r"songs\.npz"):
        load_hashes(path)
    np.savez(path, counts=np.array([3]), hashes=np.array([1, 2]), frames=np.array([1, 2]))
    with pytest.raises(HashFileError, match="contradict"):
        load_hashes(path)
    with pytest.raises(HashFileError, match=r"none\.npz"):
        load_hashes(tmp_path / "none.npz")
