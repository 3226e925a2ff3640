"""Tests of what was played when, on made-up broadcasts whose truth is known."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from dataclasses import replace

import numpy as np
import pytest
import soundfile as sf
from test_identify import make_song

from aares.audio import distortions
from aares.audio.stretching import stretch
from aares.cli import identify_files, main
from aares.cli.identifying import Wishes
from aares.cli.listing import COLUMNS, list_entries, write_csv, write_cue
from aares.identify import Index, Played, make_timeline, trace_blocks
from aares.identify.entries import Heard, drop_shadows, join_lines, make_entries
from aares.identify.following import begin_line, share_music
from aares.identify.lines import Constellation, Knot, Line, read_constellation
from aares.identify.tape import Tape

SR = 8000


def make_talk(seconds: float, seed: int = 0) -> np.ndarray:
    return 0.1 * distortions.make_babble(int(seconds * SR), np.random.default_rng(seed))


@pytest.fixture(scope="module")
def songs() -> dict[str, np.ndarray]:
    return {f"song {seed}": make_song(seed) for seed in range(8)}


@pytest.fixture(scope="module")
def index(songs) -> Index:
    return Index.from_signals(songs)


def test_a_timeline_tells_what_was_played_when(songs, index):
    rng = np.random.default_rng(3)
    parts = [songs["song 1"][: 25 * SR], songs["song 5"][80_000 : 80_000 + 30 * SR]]
    y = np.concatenate([*parts, 0.05 * distortions.make_white(20 * SR, rng)])
    entries = make_timeline(index, y, SR)
    assert [entry.song for entry in entries] == ["song 1", "song 5", None]
    assert entries[0].start_s == 0 and entries[-1].end_s == 75
    for one, two in itertools.pairwise(entries):
        assert abs(one.end_s - two.start_s) <= 1 and one.start_s < one.end_s
    # the last second of a song is silent
    assert abs(entries[0].end_s - 25) <= 0.5 and abs(entries[1].end_s - 54.5) <= 0.7
    assert abs((entries[1].offset_s - 10) - (entries[1].start_s - 25)) < 0.2


@pytest.mark.parametrize(("window_s", "step_s"), [(10, 0), (5, 6), (16, 5)])
def test_windows_are_checked(index, window_s, step_s):
    with pytest.raises(ValueError, match=f"window_s {window_s} and step_s {step_s}"):
        make_timeline(index, np.ones(SR), SR, window_s=window_s, step_s=step_s)


def test_a_song_played_too_fast_is_one_entry(songs, index):
    fast = distortions.change_speed(songs["song 2"], 1.03)
    [entry] = make_timeline(index, fast, SR)
    assert entry.song == "song 2" and abs(entry.speed - 1.03) < 0.002
    assert (entry.start_s, entry.end_s) == (0, pytest.approx(len(fast) / SR, abs=1.5))


def test_a_drifting_tempo_under_key_lock_is_one_entry():
    song = make_song(50, seconds=82)[: 80 * SR]  # the last second of a made-up song is silent
    drifting = stretch(song, 1.0, 1.05)
    [entry] = make_timeline(Index.from_signals({"song": song}), drifting, SR)
    assert entry.song == "song" and entry.end_s == pytest.approx(len(drifting) / SR, abs=1.5)
    assert entry.speed == pytest.approx(1.025, abs=0.002)


@pytest.mark.parametrize("speed", [0.94, 1.06])
def test_a_pitch_fader_is_followed(songs, index, speed):
    y = np.concatenate([make_talk(8), distortions.change_speed(songs["song 3"], speed)])
    known = [entry for entry in make_timeline(index, y, SR) if entry.song]
    assert [entry.song for entry in known] == ["song 3"]
    assert abs(known[0].speed - speed) < 0.002 and abs(known[0].pitch - 1) < 0.005
    assert abs(known[0].start_s - 8) <= 1


def test_a_jingle_in_talk_is_found(songs, index):
    jingle = songs["song 4"][16 * SR : 20 * SR]
    y = np.concatenate([make_talk(11), jingle, make_talk(12, seed=1)])
    before, found, after = make_timeline(index, y, SR)
    assert before.song is after.song is None and found.song == "song 4"
    assert abs(found.start_s - 11) <= 1 and abs(found.end_s - 15) <= 1
    assert abs(found.offset_s - 16 - (found.start_s - 11)) < 0.2


def test_songs_that_fade_into_each_other_overlap(songs, index):
    fade = np.linspace(0, 1, 4 * SR, dtype=np.float32)
    one, two = songs["song 1"][: 30 * SR].copy(), songs["song 6"][5 * SR : 35 * SR].copy()
    one[-4 * SR :] *= np.sqrt(1 - fade)
    two[: 4 * SR] *= np.sqrt(fade)
    y = np.concatenate([one[: -4 * SR], one[-4 * SR :] + two[: 4 * SR], two[4 * SR :]])
    first, second = make_timeline(index, y, SR)
    assert (first.song, second.song) == ("song 1", "song 6")
    assert abs(first.end_s - 30) <= 1.5 and abs(second.start_s - 26) <= 1.5


def test_of_two_songs_at_once_both_are_told(songs, index):
    one, two = songs["song 1"][: 30 * SR], songs["song 7"][: 30 * SR]
    entries = make_timeline(index, one + 0.7 * two, SR)
    assert sorted(entry.song for entry in entries) == ["song 1", "song 7"]
    assert all(entry.start_s < 2 and entry.end_s > 28 for entry in entries)
    assert entries[0].twins == entries[1].twins == ()


def test_a_second_song_is_found_however_late_it_begins(songs, index):
    one, two = songs["song 1"], 0.7 * songs["song 7"][: 20 * SR]
    y = one.copy()
    y[18 * SR : 38 * SR] += two
    second = next(entry for entry in make_timeline(index, y, SR) if entry.song == "song 7")
    assert abs(second.start_s - 18) <= 2 and abs(second.end_s - 38) <= 2


def test_twins_are_one_entry(songs):
    song = songs["song 2"]
    remaster = distortions.clip(np.concatenate([np.zeros(2 * SR, np.float32), song]), gain_db=6)
    index = Index.from_signals({"original": song, "remaster": remaster, "other": songs["song 3"]})
    y = np.concatenate([make_talk(6), song[: 30 * SR], make_talk(6, seed=1)])
    _, entry, _ = make_timeline(index, y, SR)
    assert {entry.song, *entry.twins} == {"original", "remaster"} and len(entry.twins) == 1


def make_beat(rng: np.random.Generator, common: Constellation | None = None) -> Constellation:
    """Return peaks on the beats of a minute, a tenth of them those of another recording."""
    places, bins = np.repeat(np.arange(0.0, 60.0, 0.5), 6), rng.integers(20, 500, 720)
    if common is not None:
        bins[::10] = common.bins[::10]
    return Constellation(places, bins, np.ones(720), 60.0)


def test_a_piece_with_the_same_loop_is_a_twin_and_one_on_the_same_beat_is_not():
    rng = np.random.default_rng(0)
    stars = make_beat(rng)
    loud = replace(make_line("a", 0, 60, 0), stars=stars)
    for common, twins in ((stars, ["b"]), (None, [])):
        faint = replace(make_line("b", 6, 48, 6), stars=make_beat(rng, common))
        faint.knots = [knot._replace(score=5.0) for knot in faint.knots]
        assert share_music(faint, loud) is bool(twins)
        kept = drop_shadows([faint, replace(loud, twins=[])])
        assert kept[0].twins == twins and len(kept) == (1 if twins else 2)


def test_silence_and_hum_are_nothing_and_talk_is_unknown(songs, index):
    time_s = np.arange(15 * SR) / SR
    hum = (0.1 * np.sin(2 * np.pi * 50 * time_s)).astype(np.float32)
    y = np.concatenate([np.zeros(15 * SR, np.float32), songs["song 1"][: 20 * SR], hum])
    entries = make_timeline(index, y, SR)
    assert [entry.reason for entry in entries] == ["nothing", "match", "nothing"]
    [talk] = make_timeline(index, make_talk(12), SR)
    assert talk.reason == "unknown" and (talk.start_s, talk.end_s) == (0, 12)


def test_a_song_goes_on_under_talk(songs, index):
    y = songs["song 5"].copy()
    y[14 * SR : 26 * SR] = 2 * make_talk(12)
    [entry] = [entry for entry in make_timeline(index, y, SR) if entry.song]
    assert entry.song == "song 5" and entry.start_s == 0 and entry.end_s > 38


def test_a_song_that_jumps_is_two_entries(songs, index):
    y = np.concatenate([songs["song 5"][: 15 * SR], songs["song 5"][22 * SR : 38 * SR]])
    first, second = make_timeline(index, y, SR)
    assert first.song == second.song == "song 5"
    assert abs(first.end_s - 15) <= 1 and abs(second.offset_s - second.start_s - 7) < 0.3


@pytest.mark.parametrize("seconds", [0.1, 3.0])
def test_less_than_a_window_is_looked_at(songs, index, seconds):
    y = songs["song 1"][4 * SR : 4 * SR + int(seconds * SR)]
    [entry] = make_timeline(index, y, SR)
    assert (entry.start_s, entry.end_s) == (0, pytest.approx(seconds))
    assert (entry.song == "song 1") is (seconds == 3)


def test_blocks_of_any_length_tell_the_same(songs, index):
    y = np.concatenate([make_talk(7), songs["song 6"][:200_000], make_talk(9, seed=1)])
    heard: list[float] = []
    short = (y[start : start + 5000] for start in range(0, len(y), 5000))
    entries = trace_blocks(index, short, on_progress=heard.append)
    whole = make_timeline(index, y, SR)
    assert [one.song for one in entries] == [one.song for one in whole] == [None, "song 6", None]
    for one, two in zip(entries, whole, strict=True):
        assert abs(one.start_s - two.start_s) < 0.5 and abs(one.end_s - two.end_s) < 0.5
    assert heard == sorted(heard) and heard[-1] == len(y) / SR
    assert trace_blocks(index, iter([])) == []


def test_a_tape_forgets(songs):
    tape = Tape(kept_s=3.0)
    for start in range(0, 80_000, 4000):
        tape.append(songs["song 1"][start : start + 4000])
    assert (tape.start_s, tape.end_s) == (7.0, 10.0)
    np.testing.assert_array_equal(tape.cut(8.0, 9.0), songs["song 1"][64_000:72_000])
    assert len(tape.cut(0.0, 7.5)) == 4000 and len(tape.cut(11.0, 12.0)) == 0


def test_the_tempo_of_a_line_follows_the_song():
    """A song at 0.95 and then at 1.05: each look begins at the tempo of the last ones."""
    song = make_song(50, seconds=44)
    stars = read_constellation(Index.from_signals({"song": song})._parts[0], 0)
    tape = Tape()
    tape.append(stretch(song, 0.95, 1.05))
    line = begin_line(tape, "song", stars, Knot(6.0, 5.7, 0.95, 1.0, 9.0), 1e-4)
    tempi = [knot.tempo for knot in line.knots]
    assert min(tempi[:3]) < 0.98 and max(tempi[-3:]) > 1.02
    assert line.knots[-1].place_s > 38 and max(np.abs(np.diff(tempi))) < 0.03


def make_line(song: str, start_s: float, end_s: float, place_s: float, **more: object) -> Line:
    """Return a line without peaks, of tempo 1 and a look every 3 s."""
    times = np.arange(start_s, end_s + 0.1, 3.0)
    none = np.zeros(0)
    stars = Constellation(none, none.astype(int), none, 300.0)
    knots = [Knot(t, place_s + t - start_s, 1.0, 1.0, 9.0) for t in times]
    return Line(song, stars, knots, 1e-4, start_s, end_s, **more)


def test_lines_are_joined_where_the_song_must_be():
    first = make_line("a", 0, 30, 10)
    for late_s, joined in ((0.0, True), (0.9, True), (1.1, False)):  # 10 s later: 0.5 + 0.05 * 10
        assert (len(join_lines([first, make_line("a", 40, 60, 50 + late_s)])) == 1) is joined
    assert len(join_lines([first, make_line("b", 40, 60, 50)])) == 2
    assert len(join_lines([first, make_line("a", 61, 80, 71)])) == 2  # too long after
    [line] = join_lines([first, make_line("b", 30, 40, 0), make_line("a", 40, 60, 50)])[1:]
    assert (line.start_s, line.end_s, line.place(35.0)) == (0, 60, 45)


def test_a_line_under_a_longer_one_of_its_song_is_dropped():
    long, short = make_line("a", 0, 60, 10), make_line("a", 20, 40, 5)
    assert drop_shadows([short, long]) == [long]
    assert len(drop_shadows([make_line("b", 20, 40, 5), long])) == 2
    assert drop_shadows([make_line("b", 20, 40, 5), make_line("a", 0, 60, 10, twins=["b"])])[
        0
    ].twins == ["b"]


def test_short_gaps_are_closed():
    entries = make_entries([make_line("a", 0.6, 30, 10), make_line("b", 30.5, 59.5, 0)], [], 60.0)
    assert [(one.start_s, one.end_s) for one in entries] == [(0, 30.25), (30.25, 60)]
    assert [one.offset_s for one in entries] == [9.4, 0.0]
    entries = make_entries([make_line("a", 6, 30, 10)], [Heard(0, 5, "nothing", 1.0)], 36.0)
    assert [(one.end_s, one.reason) for one in entries] == [
        (6, "nothing"), (30, "match"), (36, "unknown"),
    ]  # fmt: skip


# --- how it is written --------------------------------------------------------------------


ODD = [
    Played(0.0, 61.2, 'a "live", take\n2', 5.0, 4e-4, twins=("b", "c, d")),
    Played(61.2, 65.0, None, None, 1.0, reason="nothing"),
    Played(6000.5, 6100.0, "é", 0.0, 4e-4, speed=0.94),
]


def test_a_table_can_be_read_again():
    rows = list(csv.DictReader(io.StringIO(write_csv([("radio, 1.mp3", ODD)]))))
    assert [row["song"] for row in rows] == ['a "live", take\n2', "", "é"]
    assert rows[0]["twins"] == "b | c, d" and rows[1]["reason"] == "nothing"
    assert [float(row["start_s"]) for row in rows] == [0, 61.2, 6000.5]
    assert rows[2]["speed"] == "0.94" and rows[1]["offset_s"] == "" and rows[0]["file"][5] == ","


def test_a_cue_sheet_can_be_read_again():
    sheet, left_out = write_cue([("radio.mp3", ODD), ("b.wav", ODD[:1] * 100)])
    line = re.compile(
        r'FILE "([^"\n]*)" (?:MP3|WAVE)|  TRACK (\d\d) AUDIO|    TITLE "([^"\n]*)"'
        r"|    INDEX 01 (\d\d+):([0-5]\d):([0-6]\d|7[0-4])"
    )
    found = [line.fullmatch(text) for text in sheet.splitlines()]
    assert all(found) and left_out == 4
    assert [one[1] for one in found if one[1]] == ["radio.mp3", "b.wav"]
    assert [int(one[2]) for one in found if one[2]] == list(range(1, 100))
    titles = [one[3] for one in found if one[3]]
    assert titles[:3] == ["a 'live', take 2", "nothing to identify", "é"]
    times = [int(one[4]) * 60 + int(one[5]) + int(one[6]) / 75 for one in found if one[4]]
    assert times[:3] == pytest.approx([0, 61.2, 6000.5], abs=0.01)


def test_the_list_for_people_is_aligned():
    lines = list_entries([*ODD[:1], *ODD[1:]])
    assert lines[2].endswith("from 0:00:00.0  speed -6.0 %") and "1:40:00.5" in lines[2]
    assert lines[0].endswith("the same as b, c, d") and lines[1].endswith("nothing to identify")


@pytest.fixture
def radio(songs, index, tmp_path):
    y = np.concatenate([songs["song 1"][: 30 * SR], make_talk(9), songs["song 2"][: 30 * SR]])
    sf.write(tmp_path / "radio.wav", y, SR)
    index.save(tmp_path / "a.index")
    return tmp_path


def test_a_long_file_has_a_timeline_and_no_one_answer(radio, capsys):
    file, out = str(radio / "radio.wav"), radio / "a.index"
    assert identify_files([file], out, as_json=True) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["match"] is None and told["reason"] == "several" and told["seconds"] == 69
    assert [entry["song"] for entry in told["timeline"]] == ["song 1", None, "song 2"]
    assert set(told["timeline"][0]) == {*COLUMNS} - {"file"}
    wishes = Wishes(csv=str(radio / "a.csv"), cue=str(radio / "a.cue"), window_s=8.0)
    assert identify_files([file], out, wishes=wishes) == 0
    head, first, _, second = capsys.readouterr().out.splitlines()
    assert head.endswith("0:01:09.0, 2 recordings recognised")
    assert "song 1  from 0:00:00" in first and "song 2  from 0:00:0" in second
    assert "song 2" in (radio / "a.csv").read_text() and "TRACK 03" in (radio / "a.cue").read_text()


def test_a_short_file_has_an_answer_and_a_timeline(radio, songs, capsys):
    sf.write(radio / "short.wav", songs["song 3"][80_000:160_000], SR)
    assert identify_files([str(radio / "short.wav")], radio / "a.index", as_json=True) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["match"] == "song 3" and len(told["timeline"]) == 1
    assert told["timeline"][0]["song"] == "song 3" and told["notes"] == []
    assert identify_files([str(radio / "short.wav")], radio / "a.index") == 0
    assert re.search(r"song 3 from (9.9|10.0)\d s \(p of", capsys.readouterr().out)


def test_the_command_takes_windows_and_prints_tables(radio, capsys):
    file, index = str(radio / "radio.wav"), ["--index", str(radio / "a.index")]
    assert main(["identify", file, *index, "--csv", "-"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["song"] for row in rows] == ["song 1", "", "song 2"]
    assert main(["identify", file, *index, "--window", "20"]) == 2
    assert "window_s <= 15, found window_s 20 and step_s 10" in capsys.readouterr().err
    assert main(["identify", str(radio / "none.wav"), *index, "--cue", "-"]) == 1
    assert "none.wav" in capsys.readouterr().err
    wishes = Wishes(csv=str(radio / "no" / "a.csv"))
    assert identify_files([file], radio / "a.index", wishes=wishes) == 1
    assert "cannot be written" in capsys.readouterr().err
    assert Wishes(window_s=8.0).windows == {"window_s": 8.0, "step_s": 4.0}
