"""Tests of the files of an index: what is read of them, and what somebody else's may hold."""

from __future__ import annotations

import json
import shutil
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aares.identify import Index, IndexFileError, Recording, Settings, compaction, storage, vote
from aares.identify.catalogue import BLOCK_STEPS, Part, Prints, fingerprint, make_part
from aares.identify.guards import N_RUNS, TYPES, SegmentGuard
from aares.identify.roll import MAX_BLOCKS, MAX_NAME, Roll, Source
from aares.identify.store import (
    MANIFEST,
    Entry,
    delete_unused,
    measure_size,
    open_parts,
    read_manifest,
    write_state,
)

SR = 8000


def make_noise(seed: int, *, seconds: float = 6) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(round(seconds * SR), dtype=np.float32)


@pytest.fixture(scope="module")
def index() -> Index:
    return Index.from_signals({name: make_noise(k) for k, name in enumerate("abc")})


@pytest.fixture
def file(index, tmp_path):
    return index.save(tmp_path / "music.index")


def ask(index: Index, seed: int) -> str | None:
    match = index.identify(make_noise(seed)[SR : 5 * SR], SR, bank=False).match
    return match and match.song


def rewrite(path, change) -> None:
    """Write a file of an index anew with other arrays, and a manifest that knows it."""
    about, arrays = storage.read_arrays(path)
    new = change({key: one.array.copy() for key, one in arrays.items()})
    crc = storage.write_arrays(path, about, new)
    key = path.suffix[1:]
    rewrite_manifest(path.parent, lambda m: m["entries"][0].update({f"{key}_crc": crc}))


def rewrite_manifest(folder, change) -> None:
    _, _, body = (folder / MANIFEST).read_bytes().partition(b"\n")
    found = json.loads(body)
    change(found)
    body = json.dumps(found).encode()
    head = f"AARESIDX {storage.VERSION} {zlib.crc32(body):08x}\n".encode()
    (folder / MANIFEST).write_bytes(head + body)


# --- what is saved is opened ------------------------------------------------------------------


def test_a_saved_index_answers_as_before(index, file):
    opened = Index.open(file)
    assert opened.recordings == index.recordings and opened.settings == index.settings
    for seed in range(3):
        y = make_noise(seed)[SR : 5 * SR]
        assert opened.identify(y, SR) == index.identify(y, SR)
    assert Index.open(Index().save(file)).recordings == []


def test_arrays_begin_at_multiples_of_64_bytes_and_their_sums_follow(tmp_path):
    arrays = {"a": np.arange(5, dtype=np.uint16), "b": np.arange(1100, dtype=np.uint32)}
    path = tmp_path / "x.segment"
    crc = storage.write_arrays(path, {"n": 1}, arrays)
    about, read = storage.read_arrays(path, crc)
    assert about == {"n": 1}
    for key, array in arrays.items():
        assert read[key].check_all().tolist() == array.tolist() and read[key].is_checked
    content = path.read_bytes()
    start = content.index(arrays["b"].tobytes())
    assert start % 64 == 0 and content.index(arrays["a"].tobytes()) == start - 64
    assert len(content) == start + 4416 + 3 * 8  # three blocks, padding and sums
    with pytest.raises(IndexFileError, match="of another index"):
        storage.read_arrays(path, crc + 1)


def test_names_may_be_of_any_characters(tmp_path):
    names = [
        "",
        "a\nb",
        "\0",
        "Ärger",
        "\udce9.mp3",
        "\ud800",
        "名前",
        "x" * (MAX_NAME - 7),
        "../../a",
    ]
    rows = [Recording(name, 3, 3.25) for name in names]
    sources = [Source(f"/music/{name}", 2**40, 2**62, bytes(range(16))) for name in names]
    index = Index()
    segment = make_part([], 0).segment._replace(blocks=np.zeros(19 * len(names), dtype=np.uint32))
    part = Part(rows, segment)
    segment = segment._replace(blocks=np.zeros(int(part.starts[-1]) + 1, dtype=np.uint32))
    index._parts = [Part(Roll.make(rows, sources), segment)]
    with pytest.raises(ValueError, match="names of at most"):
        Roll.make([Recording("x" * (MAX_NAME + 1), 1, 1.0)])
    opened = Index.open(index.save(tmp_path / "a.index"))
    assert opened.recordings == rows and opened.sources == sources
    opened.verify()


def test_many_long_names_are_opened_again_without_being_read(tmp_path):
    """What is in the file's header does not grow with the index."""
    n = 20_000
    rows = [Recording(f"{k:06}{'x' * 400}", 1, 1.0) for k in range(n)]
    part = Part(rows, make_part([], 0).segment)
    blocks = np.zeros(int(part.starts[-1]) + 1, dtype=np.uint32)
    index = Index()
    index._parts = [Part(rows, part.segment._replace(blocks=blocks))]
    file = index.save(tmp_path / "a.index")
    tracemalloc.start()
    opened = Index.open(file)
    memory = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(opened) == n and opened._parts[0].recordings[n - 1] == rows[-1]
    assert memory < 2_000_000 < measure_size(file) / 4


def test_what_could_not_be_opened_again_is_refused_when_written(tmp_path):
    path = tmp_path / "a.segment"
    with pytest.raises(IndexFileError, match="header of at most 1,048,576 bytes, found"):
        storage.write_arrays(path, {"names": "x" * storage.MAX_HEADER}, {})
    assert not path.exists()
    with pytest.raises(ValueError, match="at most 134,217,664 blocks"):
        Roll.make([Recording("long", MAX_BLOCKS + 1, 1.0)])
    parts = [make_part([], 0)] * 20_000
    entries = [Entry(k, 4_000_000_000, k, 4_000_000_000) for k in range(20_000)]
    folder = tmp_path / "a.index"
    before = write_state(folder, Settings(), [], None)
    with pytest.raises(IndexFileError, match="fewer parts than 20,000"):
        write_many(folder, parts, entries, before)
    assert open_parts(folder) == (before, [])


def write_many(folder, parts, entries, before):
    """Write a state of many parts whose files are there already."""
    from aares.identify import store

    rows = iter(entries)
    find = store._find_entry
    store._find_entry = lambda *_: next(rows)
    try:
        write_state(folder, Settings(), parts, before)
    finally:
        store._find_entry = find


# --- limits of time -----------------------------------------------------------------------


def make_years(name: str, share: float) -> Part:
    """A part of silence that takes a share of the 2 ** 32 frames, in no memory."""
    n_blocks = int(share * (1 << 27))
    part = Part([Recording(name, n_blocks, n_blocks * 1.024)], make_part([], 0).segment)
    blocks = np.broadcast_to(np.uint32(0), int(part.starts[-1]) + 1)
    return Part(part.recordings, part.segment._replace(blocks=blocks))


def test_no_place_wraps_around():
    """Frames are counted by 32 bits in each part: no part is longer, merged or not."""
    with pytest.raises(ValueError, match=r"at most 4 years of sound, found 4,\d{3},\d{3},\d{3}"):
        compaction.merge_parts([make_years("a", 0.6), make_years("b", 0.5)])
    long = Recording("long", MAX_BLOCKS, 1.0)
    nothing = np.zeros(0, dtype=np.uint32)
    prints = Prints(long, nothing, nothing, nothing, nothing.astype(np.uint16))
    with pytest.raises(ValueError, match="at most 4 years"):
        make_part([prints, prints], 0)
    index = Index()
    index._set_parts([make_years(name, 0.4) for name in "abcde"])
    assert len(index._parts) == 5  # four of them are more than one part can be
    assert [part.first_block for part in index._parts][-1] > 1 << 27
    near = make_part([fingerprint("x", make_noise(0), Settings())], 0)
    index._set_parts([*index._parts, near])
    found = index._parts[-1]
    assert len(index._parts) == 6 and found.first_block * 32 > 1 << 32
    index._parts = [found]
    assert ask(index, 0) == "x"


def test_postings_keep_their_place_when_parts_become_one():
    prints = [fingerprint(name, make_noise(k), Settings()) for k, name in enumerate("abcd")]
    one = make_part(prints, 0)
    merged = compaction.merge_parts([make_part([p], 0) for p in prints])
    for a, b in zip(one.segment, merged.segment, strict=True):
        assert a.dtype == b.dtype and a.tolist() == b.tolist()
    gone = one.replace_roll(one.recordings.change(removed=[0, 2]))
    left = compaction.merge_parts([gone])
    for a, b in zip(make_part(prints[1::2], 0).segment, left.segment, strict=True):
        assert a.tolist() == b.tolist()


# --- foreign and damaged files ----------------------------------------------------------------


def test_an_old_file_gets_a_remedy(tmp_path):
    path = tmp_path / "old.index"
    path.write_bytes(storage.MAGIC + bytes([2, 0, 0, 0]) + bytes(100))
    for act in (Index.open, Index().save, lambda p: Index.edit(p).__enter__()):
        with pytest.raises(IndexFileError, match=r"old\.index: version 2 .* index the folder anew"):
            act(path)
    assert path.read_bytes()[8] == 2  # and is left alone


def test_what_is_no_index_is_told_and_left_alone(tmp_path):
    with pytest.raises(IndexFileError, match=r"none\.index: cannot be opened"):
        Index.open(tmp_path / "none.index")
    (tmp_path / "song.mp3").write_text("music")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "1.jpg").touch()
    for name, reason in {"song.mp3": "not an index", "photos": "a folder without one"}.items():
        for act in (Index.open, lambda p: Index.edit(p).__enter__()):
            with pytest.raises(IndexFileError, match=rf"{name}: .*{reason}"):
                act(tmp_path / name)
    assert [path.name for path in (tmp_path / "photos").iterdir()] == ["1.jpg"]


def test_another_version_is_named(file):
    content = (file / MANIFEST).read_bytes()
    (file / MANIFEST).write_bytes(content.replace(b"AARESIDX 3", b"AARESIDX 7"))
    with pytest.raises(IndexFileError, match="version 7 of the format, this reads 3; index"):
        Index.open(file)
    path = next(file.glob("*.segment"))
    data = bytearray(path.read_bytes())
    data[len(storage.MAGIC)] = 9
    path.write_bytes(data)
    with pytest.raises(IndexFileError, match="version 9"):
        storage.read_arrays(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"AARESIDX" + bytes(11), "not of an index, only 19 bytes long"),
        (b"AARESIDX" + bytes(12), "version 0 of the format"),
        (bytes(20), "not of an index of this project"),
        (b"AARESIDX" + bytes([3, 0, 0, 0, 255, 255, 255, 255]) + bytes(20), "inside its header"),
    ],
    ids=["too short", "no version", "foreign", "long header"],
)
def test_short_files_are_told_apart(tmp_path, content, message):
    path = tmp_path / "x.segment"
    path.write_bytes(content)
    with pytest.raises(IndexFileError, match=message):
        storage.read_arrays(path)


@pytest.fixture(scope="module")
def sound(index, tmp_path_factory):
    """An index to spoil copies of, and what it answers."""
    file = index.save(tmp_path_factory.mktemp("sound") / "a.index")
    return file, Index.open(file).identify(make_noise(1)[SR : 5 * SR], SR, bank=False)


def use(file, answer) -> None:
    """Open, ask and verify an index: right, or an error that names it."""
    try:
        opened = Index.open(file)
        assert opened.identify(make_noise(1)[SR : 5 * SR], SR, bank=False) == answer
        opened.verify()
    except IndexFileError as error:
        assert "b.index" in str(error) or ".segment" in str(error) or ".roll" in str(error)
        return
    assert [r.name for r in opened.recordings] == ["a", "b", "c"]


def copy(sound, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp() / "spoilt" / "b.index"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(sound[0], folder)
    return folder


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_a_changed_byte_is_noticed_or_harmless(tmp_path_factory, sound, data):
    """In any file: the answer is the same, or an error; verifying finds what asking does not."""
    folder = copy(sound, tmp_path_factory)
    path = data.draw(st.sampled_from(sorted(folder.glob("*[!k]"))))
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    if path.suffix and place >= 4096:  # behind the header: nothing of it may be passed over
        with pytest.raises(IndexFileError, match="damaged"):
            Index.open(folder).verify()
    use(folder, sound[1])


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_a_file_that_was_cut_is_refused(tmp_path_factory, sound, data):
    folder = copy(sound, tmp_path_factory)
    path = data.draw(st.sampled_from(sorted(folder.glob("*[!k]"))))
    content = path.read_bytes()
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(IndexFileError, match=r"b\.index"):
        Index.open(folder)


@given(st.binary(max_size=200), st.sampled_from([b"", storage.MAGIC, b"AARESIDX 3 00000000\n"]))
@settings(max_examples=60, deadline=None)
def test_foreign_content_is_refused(tmp_path_factory, sound, content, start):
    folder = copy(sound, tmp_path_factory)
    for path in folder.glob("*[!k]"):
        path.write_bytes(start + content)
        with pytest.raises(IndexFileError, match=r"b\.index"):
            Index.open(folder)
    lone = folder.with_name("lone.index")
    lone.write_bytes(start + content)
    with pytest.raises(IndexFileError, match=r"lone\.index"):
        Index.open(lone)


def test_a_missing_file_is_named(file):
    next(file.glob("*.segment")).unlink()
    with pytest.raises(IndexFileError, match=r"music\.index: \d+\.segment is missing; index the"):
        Index.open(file)


WRONG = {
    "starts fall": ("segment", "starts", lambda a: a[::-1].copy()),
    "starts too large": ("segment", "starts", lambda a: a + np.uint32(5)),
    "one start too large": ("segment", "starts", lambda a: np.append(a[:-1], np.uint32(1 << 31))),
    "starts do not begin at 0": ("segment", "starts", lambda a: np.append(np.uint32(1), a[1:])),
    "keys fall": ("segment", "keys", lambda a: a[::-1].copy()),
    "keys of no hash": ("segment", "keys", lambda a: a | np.uint32(1 << 30)),
    "keys twice": ("segment", "keys", lambda a: np.repeat(a[::2], 2)[: len(a)]),
    "postings behind the end": ("segment", "postings", lambda a: a + np.uint32(1 << 31)),
    "too few blocks": ("segment", "blocks", lambda a: a[:-1].copy()),
    "blocks fall": ("segment", "blocks", lambda a: a[::-1].copy()),
    "too few peaks": ("segment", "peaks", lambda a: a[:-3].copy()),
    "peaks of another type": ("segment", "peaks", lambda a: a.astype(np.uint32)),
    "too few starts": ("segment", "starts", lambda a: a[:-1].copy()),
    "a recording too long": ("roll", "n_blocks", lambda a: a + np.uint32(1 << 31)),
    "more blocks than there are": ("roll", "n_blocks", lambda a: a + np.uint32(1)),
    "removed more than once": ("roll", "removed", lambda a: a + np.uint8(7)),
    "names fall": ("roll", "name_ends", lambda a: a[::-1].copy()),
    "names behind the end": ("roll", "name_ends", lambda a: a + np.uint64(1 << 60)),
    "names that are no text": ("roll", "names", lambda a: a | np.uint8(0x80)),
    "names of another type": ("roll", "names", lambda a: a.astype(np.uint16)),
    "too few lengths": ("roll", "ms", lambda a: a[:-1].copy()),
}


@pytest.mark.parametrize("name", WRONG)
def test_right_checksums_do_not_make_wrong_arrays_right(file, name):
    """Whoever makes such a file knows how to sum: numbers are checked before they lead anywhere."""
    kind, key, change = WRONG[name]
    rewrite(next(file.glob(f"*.{kind}")), lambda arrays: arrays | {key: change(arrays[key])})
    with pytest.raises(IndexFileError):
        Index.open(file).verify()
    try:
        opened = Index.open(file)
        for seed in (0, 1, 2, 99):
            opened.identify(make_noise(seed), SR, bank=False)
        assert len(opened.recordings) == 3
    except IndexFileError as error:
        assert "contradicts itself" in str(error) or "not text" in str(error)


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.clear(),
        lambda m: m.update(settings={"other": 1}),
        lambda m: m.update(settings=3),
        lambda m: m.update(entries={}),
        lambda m: m.update(entries=[[1]]),
        lambda m: m.update(entries=[{"segment": "../x", "segment_crc": 1, "roll": 1}]),
        lambda m: m["entries"][0].update(segment="../../etc/passwd"),
        lambda m: m.update(state=-1),
        lambda m: m.update(free=1 << 70),
        lambda m: m.update(state=True),
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(file, change):
    rewrite_manifest(file, change)
    with pytest.raises(IndexFileError, match="contradicts itself"):
        Index.open(file)


def test_reading_a_foreign_file_allocates_nothing(tmp_path):
    """Lengths of a header are believed only as far as the file goes."""
    path = tmp_path / "x.segment"
    entry = {"type": "uint32", "length": 1 << 40, "position": 0}
    header = json.dumps({"about": {}, "arrays": {"keys": entry}}).encode()
    words = np.array([storage.VERSION, len(header), zlib.crc32(header)], dtype="<u4")
    path.write_bytes((storage.MAGIC + words.tobytes() + header).ljust(4096, b"\0"))
    tracemalloc.start()
    with pytest.raises(IndexFileError, match="cut off or damaged"):
        storage.read_arrays(path)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


# --- blocks are checked when they are used ----------------------------------------------------


@pytest.fixture
def large(tmp_path):
    """An index whose arrays take many blocks, with a table."""
    rng = np.random.default_rng(0)
    prints = fingerprint("a", make_noise(0), Settings())
    n = 400_000
    hashes = np.concatenate([prints.hashes, rng.integers(0, N_RUNS * 64, n, dtype=np.uint32)])
    far = make_part([prints], 0).starts[-1] * 32
    times = rng.integers(far, far + 90_000 * 32, n, dtype=np.uint32)
    gap = int(far // 32) - len(prints.counts)
    counts = np.concatenate([np.zeros(gap, np.uint32), np.zeros(90_000, np.uint32)])
    both = prints._replace(
        recording=Recording("a", len(prints.counts) + gap + 90_000, 92_170.0),
        hashes=hashes, times=np.concatenate([prints.times, times]),
        counts=np.concatenate([prints.counts, counts]),
    )  # fmt: skip
    index = Index()
    index._set_parts([make_part([both], 0)])
    return index.save(tmp_path / "large.index")


def test_a_query_checks_the_blocks_it_reads_and_no_others(large):
    opened = Index.open(large)
    part = opened._parts[0]
    assert part.guard.table is not None and not part.guard.is_checked
    assert ask(opened, 0) == "a"
    done = {key: one._done for key, one in part.guard._arrays.items()}
    assert all(one.any() for one in done.values())
    assert not done["postings"].all() and not done["blocks"].all()
    for key in ("keys", "starts", "postings", "blocks"):
        one = part.guard._arrays[key]
        begin = one.array.__array_interface__["data"][0] - base_of(large, part)
        for used in (True, False) if not one.is_checked else (True,):
            spoilt = large.with_name("spoilt.index")
            shutil.rmtree(spoilt, ignore_errors=True)
            shutil.copytree(large, spoilt)
            path = next(spoilt.glob("*.segment"))
            data = bytearray(path.read_bytes())
            block = int(np.flatnonzero(one._done == used)[0])
            data[begin + block * storage.BLOCK + 40] ^= 4
            path.write_bytes(data)
            damaged = Index.open(spoilt)  # opening reads none of it
            if used:
                with pytest.raises(IndexFileError, match=rf"{key}: damaged, block {block} of"):
                    ask(damaged, 0)
            else:
                assert ask(damaged, 0) == "a"
            with pytest.raises(IndexFileError, match=f"{key}: damaged"):
                damaged.verify()


def base_of(folder, part) -> int:
    """Where in memory the file begins."""
    path = next(folder.glob("*.segment"))
    content, keys = path.read_bytes(), part.segment.keys
    return keys.__array_interface__["data"][0] - content.index(keys.tobytes())


def test_what_compiled_loops_read_is_what_was_checked(large):
    """Every element that a query leads to lies in a checked block."""
    opened = Index.open(large)
    part = opened._parts[0]
    guard, keys = part.guard, part.segment.keys
    hashes = np.concatenate([keys[: len(keys) // 3 : 97], np.array([0, 1, 2], dtype=np.uint32)])
    part.check_hashes(hashes)
    times = np.zeros(len(hashes), dtype=np.int32)
    options = {"budget": 10**6, "n_places": 3, "check": part.check_postings}
    vote.find_places(part.segment, part.table, hashes, times, **options)
    rows = np.searchsorted(keys, hashes)
    for key, first, last in (
        ("keys", part.table[hashes // 64], part.table[hashes // 64 + 1]),
        ("starts", rows[:-3], rows[:-3] + 2),
        ("postings", part.segment.starts[rows[:-3]], part.segment.starts[rows[:-3] + 1]),
    ):
        one = guard._arrays[key]
        used = np.concatenate([np.arange(a, b) for a, b in zip(first, last, strict=True)])
        assert one._done[used * 4 // storage.BLOCK].all() and not one.is_checked
    places = np.array([-900, 0, 5000 * BLOCK_STEPS])
    part.check_places(places, 600)
    done = guard._arrays["blocks"]._done
    for place in places:
        low = max((place - 2) // BLOCK_STEPS, 0)
        high = (place + 2 + 600) // BLOCK_STEPS + 1
        assert done[np.arange(low, high + 1) * 4 // storage.BLOCK].all()
    assert not done.all()
    counts, words = part.read_peaks(0)
    assert len(counts) == part.recordings[0].n_blocks and len(words) == counts.sum()


def test_a_guard_wants_arrays_that_fit(file):
    path = next(file.glob("*.segment"))
    arrays = storage.read_arrays(path)[1]
    n_blocks = len(arrays["blocks"].array) - 1
    with pytest.raises(ValueError, match="blocks do not fit"):
        SegmentGuard(arrays, n_blocks + 1)
    with pytest.raises(ValueError, match="peaks must be uint16"):
        SegmentGuard({key: arrays[key] for key in TYPES if key != "peaks"}, n_blocks)
    with pytest.raises(ValueError, match="table: expected 65,537 runs"):
        SegmentGuard(arrays | {"table": arrays["starts"]}, n_blocks)
    guard = SegmentGuard(arrays, n_blocks)
    assert guard.check_keys().tolist() == arrays["keys"].array.tolist()
    assert not guard.is_checked and guard.check_all() and guard.is_checked


def test_only_our_files_are_deleted(file):
    for name in ("99.segment", "98.roll", ".manifest.x.tmp", "notes.txt", "a.segment"):
        (file / name).touch()
    size = measure_size(file)
    delete_unused(file, read_manifest(file))
    assert {path.name for path in file.iterdir()} == {
        "notes.txt", "a.segment", MANIFEST, "lock", "1.segment", "2.roll"
    }  # fmt: skip
    assert measure_size(file) == size and len(Index.open(file)) == 3
