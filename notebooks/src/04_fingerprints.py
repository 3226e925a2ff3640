# %% [markdown]
# # 4 · Audio fingerprints
#
# **Exercises 4 and 5.** *Produce unique identifiers for a song. Create a database and search for a
# song: get a short excerpt (5 to 15 seconds). Is the correct song among these three guesses?*
#
# Running time, with another notebook beside it on two cores: about two minutes.

# %%
import sys

sys.path.insert(0, "..")
from aares import audio
from aares.audio import distortions
from workshop import config, results
from workshop.measured import NOISES, describe_origin, read_benchmark, read_times
from workshop.plots.style import new_axes

source = config.find_data()
book = results.Notebook("04_fingerprints", source)
book.head("songs")

# %% [markdown]
# The functions of exercise 4 are in `fingerprint.py`, the course's toolbox is `utils_projet.py`;
# the experiments of this notebook (cutting excerpts, adding noise, counting) are in
# `aares/fingerprints/experiments.py`.

# %%
import pickle
import textwrap

import librosa
import numpy as np
import pandas as pd
from IPython.display import Audio, display

from aares.fingerprints import experiments
from aares.scores import describe_share, estimate_grouped_share, estimate_share
from fingerprint import (
    HOP_LENGTH,
    compute_spectrogram,
    get_hashes,
    get_maxima_in_tz,
    process_signal,
)
from utils_projet import get_maxima, search_song

# %% [markdown]
# Figures are drawn by `workshop/plots`.
# %%
from workshop.plots import fingerprints as plots
from workshop.plots import identifier as identifier_plots
from workshop.plots import timeline

# %% [markdown]
# ## The songs
#
# Every song is loaded as the assignment says: mono, 3000 samples a second. That keeps what is below
# 1500 Hz (fundamentals and the first overtones of most instruments), and a song of three minutes
# is half a million numbers. A second copy at 8 kHz is what excerpts are cut from: a recording made
# elsewhere comes at a rate of its own, and noise has to be heard before it is cut to 1500 Hz.

# %%
SR_HZ = audio.COURSE_RATE_HZ
paths = source.list_songs()
songs = [audio.load_audio(path) for path in paths]
RATE_HZ = distortions.NOISE_RATE_HZ
sounds = {path.name: audio.load_audio(path, sr=RATE_HZ) for path in paths}
titles = [path.stem.removeprefix("Classicals.de - ") for path in paths]
seconds = [len(y) / SR_HZ for y in songs]
book.number("n_songs", len(songs))
book.say(f"**{len(songs)} songs**, {sum(seconds) / 60:.0f} minutes of music.")
assert min(seconds) > 30, "every song must be much longer than an excerpt"
pd.DataFrame({"song": titles, "seconds": np.round(seconds, 1)}).head(12)

# %% [markdown]
# How much of the music is left? Three seconds of a demo song (rendered by this project): first at
# 8 kHz, then after going through 3 kHz, then the same with white noise of the power of the music.
# The third is what the method still has to recognise in the noise experiment below.

# %%
demo_song = config.find_data("demo").list_songs()[0]
sound = audio.load_audio(demo_song, sr=RATE_HZ)[20 * RATE_HZ : 23 * RATE_HZ]
rng = np.random.default_rng(config.SEED)
noisy = distortions.add_noise(sound, "white", rng, snr_db=0)
display(Audio(sound, rate=RATE_HZ))
for y in (sound, noisy):
    dull = librosa.resample(y, orig_sr=RATE_HZ, target_sr=SR_HZ)
    display(Audio(librosa.resample(dull, orig_sr=SR_HZ, target_sr=RATE_HZ), rate=RATE_HZ))

# %% [markdown]
# ## 4.1 Spectrogram
#
# We look at ten seconds from the middle of the first song, cut on a frame of the song (why that
# matters is a section of its own). A window of 1024 samples is padded with zeros to 2048 and moved
# by 512: neighbouring frames share half of their samples, and the padding draws the same spectrum
# on twice as many bins without resolving more. `S` is a power (appendix B); figures show it in dB,
# but the search for maxima uses `S` itself, and nothing in it depends on the loudness of a file.

# %%
start = len(songs[0]) // 2 // HOP_LENGTH * HOP_LENGTH  # on a frame of the song
excerpt = songs[0][start : start + 10 * SR_HZ]
S = compute_spectrogram(excerpt)
book.say(
    f"`S` has **{S.shape[0]} bins** of {plots.BIN_HZ:.2f} Hz and **{S.shape[1]} frames**, "
    f"one every {1000 * plots.FRAME_S:.0f} ms."
)
assert S.shape == (1 + 2048 // 2, 1 + len(excerpt) // 512)

# %% [markdown]
# ## 4.2 Maxima
#
# A maximum is no lower than its eight neighbours, exceeds the 0.9 quantile of the whole
# spectrogram, and has no higher maximum within 10 bins. What is left are the loudest partials at
# their loudest moments, which noise should cover last.

# %%
maxima = get_maxima(S)
distances = np.hypot(*(maxima[:, None] - maxima).transpose(2, 0, 1))
assert np.min(distances[distances > 0]) >= 10
assert np.min(S[maxima[:, 0], maxima[:, 1]]) > np.quantile(S, 0.9)
low = np.mean(maxima[:, 0] * plots.BIN_HZ < 750)
book.say(
    f"**{len(maxima)} maxima** stand for {S.size:,} pixels; {low:.0%} of them lie in the lower "
    "half of the band."
)

# %% [markdown]
# ## 4.3 Target zone
#
# Each maximum becomes an *anchor*. Its target zone starts with the next frame and covers 300
# frames and 20 bins, centred on the anchor's bin; the ten highest maxima inside are paired with it.
# A pair of peaks is rarer than a single one, so it says more about the song. A zone is nearly a
# minute long, so we look at a minute, and show the anchor of its first two seconds with the most
# partners.

# %%
S_minute = compute_spectrogram(songs[0][start : start + 60 * SR_HZ])
around = get_maxima(S_minute)
early = around[around[:, 1] < 12]
anchor = max(early.tolist(), key=lambda pair: len(get_maxima_in_tz(S_minute, around, pair)))
points = get_maxima_in_tz(S_minute, around, anchor)
heights = [S_minute[point] for point in points]
assert heights == sorted(heights, reverse=True) and len(points) <= 10
assert all(1 <= t - anchor[1] <= 300 and -10 <= b - anchor[0] < 10 for b, t in points)

# %% [markdown]
# Figure 1 of the assignment for our data: ten seconds as a spectrogram, as its maxima, and one
# anchor with its partners in the whole length of its zone.

# %%
name = textwrap.shorten(titles[0], 50)
fig, axes = new_axes(height=5.7, rows=3)
plots.draw_spectrogram(S, axes[0], title=f"10 s of {name}")
plots.draw_spectrogram(S, axes[1], title=f"{len(maxima)} maxima, {low:.0%} of them below 750 Hz")
plots.draw_maxima(maxima, axes[1])
finding = f"An anchor and the {len(points)} maxima in its target zone, ranked by height"
plots.draw_target_zone(around, anchor, points, axes[2], end_s=60, title=finding)
book.figure(
    "figure1",
    fig,
    caption="Ten seconds of a song: spectrogram and its maxima (red dots). Below, a minute of it: "
    "an anchor (dot), its target zone, and in it the ten highest maxima (red crosses).",
    alt="A spectrogram of ten seconds up to 1500 Hz, the same with red dots on its maxima, and the "
    "maxima of a minute around one anchor with a long flat target zone.",
)

# %% [markdown]
# The zone is a long flat strip. What does its length mean for an excerpt? The last three digits of
# a hash are the distance of its two points in frames, so the hashes of the whole songs answer that
# (they are computed here, and become the database in 5.1).

# %%
dataset = [process_signal(y) for y in songs]
# hash % 1000 is the number of frames between anchor and point: at most 300, so nothing carries
span_s = np.concatenate([np.array(list(hashes)) % 1000 for hashes in dataset]) * plots.FRAME_S
too_long = book.number("share_spanning_over_10_s", float(np.mean(span_s > 10)))
book.say(
    f"The zone lasts {300 * plots.FRAME_S:.0f} s and is {20 * plots.BIN_HZ:.0f} Hz high. "
    f"**{too_long:.0%} of the songs' hashes join points more than 10 s apart**: no excerpt of 10 s "
    "contains them. In an excerpt, which cuts the zone off, other maxima are among the ten."
)
assert span_s.max() <= 300 * plots.FRAME_S + 1e-9

# %% [markdown]
# ## 4.4 Hashes
#
# A pair becomes a number: the anchor's bin, the point's bin, and the frames between them, but not
# where in the song they are. A hash is therefore the same in the song and in an excerpt; the place
# is kept beside it. The assignment words `get_hashes` for one point; ours returns such a tuple for
# each point of the zone.

# %%
pairs = get_hashes(anchor, points)
assert pairs[0] == (
    anchor[0] * 1_000_000 + points[0][0] * 1000 + points[0][1] - anchor[1],
    anchor[1],
)
pd.DataFrame({"point (bin, frame)": points, "(hash, anchor frame)": pairs}).head(4)

# %% [markdown]
# Bins go up to 1024, so `point[0] * 1000` can carry into the anchor's digits. Is a hash still
# unique? Not in general, but inside the target zone it is, as enumerating every possible pair
# shows: the point follows the anchor, so one bin more for the anchor moves the hash by 1,001,000,
# while the place in the zone moves it by less than 20,000.

# %%
assert get_hashes((0, 0), [(1000, 5)]) == get_hashes((1, 0), [(0, 5)])  # without the zone: the same
bins = np.arange(1025)[:, None]
partners = bins + np.arange(-10, 10)
codes = (bins * 1_000_000 + partners * 1000)[(partners >= 0) & (partners <= 1024)]
codes = np.sort(np.add.outer(codes, np.arange(1, 301)).ravel())
assert np.diff(codes).min() > 0, "two pairs share a hash"
book.say(
    f"**{codes.size:,} pairs are possible, and all have different hashes.** They look like "
    f"{np.log2(codes.max()):.0f}-bit numbers but carry {np.log2(codes.size):.1f} bits."
)

# %% [markdown]
# ## 4.5 The whole signal
#
# `process_signal` does the steps above for every maximum, in compiled code. It must equal the loop
# that the exercise spells out, hash for hash.

# %%
written, literal = 0, {}
for one in maxima:
    for code, frame in get_hashes(one, get_maxima_in_tz(S, maxima, one)):
        literal[code] = frame  # a hash seen before is overwritten: the latest anchor stays
        written += 1
query = process_signal(excerpt)
assert query == literal
book.say(
    f"The excerpt yields {written} pairs and **{len(query)} different hashes**: a dictionary keeps "
    f"one anchor for each hash, and {1 - len(query) / written:.0%} of the pairs are overwritten."
)

# %% [markdown]
# ## 5.1 The database
#
# A list with one dictionary for each song. The place in the list is the song's number; the
# dictionary answers "where in this song is that hash?" in constant time. The assignment saves it
# with `pickle`; but a pickle is a small program: loading one can call any function of the machine.
# So we keep the database as arrays, export the pickle, and read a pickle, whoever made it, with a
# reader that refuses everything but lists, dictionaries and whole numbers.

# %%
from aares.files import replacing
from aares.fingerprints.database import HashFileError, load_hashes, load_pickle, save_hashes

save_hashes(config.CACHE / "dataset.npz", dataset)
file = config.CACHE / "dataset.pickle"
with replacing(file) as handle:
    pickle.dump(dataset, handle)
assert load_hashes(config.CACHE / "dataset.npz") == load_pickle(file) == dataset
counts = np.array([len(hashes) for hashes in dataset])
per_second = book.number("hashes_per_second", float(counts.sum() / sum(seconds)))
book.say(
    f"**{counts.sum():,} hashes**, {per_second:.0f} for each second of music: "
    f"{(config.CACHE / 'dataset.npz').stat().st_size / 1e6:.1f} MB as arrays, "
    f"{file.stat().st_size / 1e6:.1f} MB as a pickle."
)

# %% [markdown]
# A trap, written by hand in the pickle's own language: fetch `print`, make a text, call. Python's
# reader obeys; ours says what it was asked for.

# %%
trap = b"cbuiltins\nprint\n(VThis line was printed by a file that was only opened.\ntR."
pickle.loads(trap)
with replacing(config.CACHE / "trap.pickle") as handle:
    handle.write(trap)
try:
    load_pickle(config.CACHE / "trap.pickle")
except HashFileError as error:
    book.say(f"Ours: *{error}*.")

# %% [markdown]
# ## 5.2 Searching for an excerpt
#
# `search_song` compares the excerpt's hashes with each song's. A shared hash alone means little:
# with thousands of hashes in a song, some are shared by chance. But every shared hash also gives an
# offset, its frame in the song minus its frame in the excerpt. In the right song all true matches
# give the same one, the excerpt's start; chance matches give any. So the score of a song is not the
# number of shared hashes but the height of the tallest bar in the histogram of their offsets.

# %%
# the excerpt's hashes were computed as if it were a song of its own, starting at frame 0
guesses, scores = search_song(dataset, query, return_scores=True)
right, wrong = guesses[0], guesses[1]
assert right == 0, "the excerpt was cut from the first song"
pd.DataFrame({"song": [titles[guess] for guess in guesses], "tallest bar": scores})

# %% [markdown]
# Figure 2 of the assignment for our data: above, each shared hash as a point; below, the histogram
# of offsets, where a bar is one exact offset. On the left the right song, on the right the best of
# the wrong ones.

# %%
fig, axes = new_axes(height=4.4, rows=2, cols=2, sharey="row")
for column, song in enumerate((right, wrong)):
    # frame of the same hash in the song and in the excerpt; equal differences make a line
    matches = experiments.match_hashes(dataset[song], query)
    title = f"{('Right', 'Wrong')[column]} song: {len(matches)} shared hashes"
    plots.draw_matches(matches, axes[0, column], title=title, end_s=seconds[song])
    plots.draw_offsets(matches, axes[1, column], end_s=seconds[song])
book.figure(
    "figure2",
    fig,
    caption=f"Hashes that an excerpt shares with its song (tallest bar {scores[0]}) and with the "
    f"best of the other songs ({scores[1]}); below, the histogram of their offsets.",
    alt="Left: many points on one rising line, and one tall bar. Right: scattered points, no bar.",
)

# %% [markdown]
# Nothing but hashes told the search where the excerpt begins. We know, since we cut it: does the
# tall bar stand there?

# %%
peak_s = start / SR_HZ
book.say(
    f"The tallest bar has **{scores[0]} hashes** in the right song, {scores[1]} in the wrong one. "
    f"It stands at {peak_s:.1f} s, where we cut the excerpt: the search tells the place too."
)
# offset = frame in the song - frame in the excerpt; the most frequent one is the excerpt's start
offsets = np.diff(experiments.match_hashes(dataset[right], query)[:, ::-1]).ravel()
assert np.bincount(offsets[offsets >= 0]).argmax() == start // HOP_LENGTH

# %% [markdown]
# One excerpt proves little. We cut 210 for each length, from random songs and **at random
# samples**: a recording does not know where the frames of the database begin. Guessing is the
# baseline. A song that shares no hash does not count as found, even if its place in the list puts
# it among the three. In brackets stand 95 % intervals for other excerpts of *other songs like
# these*: excerpts of one song are alike, so the intervals count songs as well as excerpts, and are
# wide because the songs are few. (Where every excerpt is right no song can be seen to differ, and
# only excerpts are counted.)

# %%
rng = np.random.default_rng(config.SEED)
excerpts = {
    s: experiments.cut_excerpts(list(sounds.values()), length_s=s, n=210, rng=rng, sr=RATE_HZ)
    for s in (5, 10, 15)
}
clean = {s: experiments.try_excerpts(dataset, excerpts[s]) for s in excerpts}
chance = 1 / len(songs), min(3 / len(songs), 1)

rows = {
    f"{s} s": [
        int(t["n_hashes"].median()),
        describe_share(t["rank"] == 1, t["song"]),
        describe_share(t["rank"] > 0, t["song"]),
    ]
    for s, t in clean.items()
}
rows["guessing"] = ["", f"{chance[0]:.0%}", f"{chance[1]:.0%}"]
columns = ["hashes (median)", "right song first", "among the three"]
book.table("lengths", pd.DataFrame.from_dict(rows, orient="index", columns=columns))

# %% [markdown]
# More seconds mean more hashes. Just in proportion, or is a long excerpt worth more than its parts?
# And are some songs harder than others?

# %%
first = {s: book.number(f"top1_{s}_s", float((t["rank"] == 1).mean())) for s, t in clean.items()}
three = {s: book.number(f"top3_{s}_s", float((t["rank"] > 0).mean())) for s, t in clean.items()}
growth = clean[15]["n_hashes"].median() / clean[5]["n_hashes"].median()
by_song = (clean[5]["rank"] == 1).groupby(clean[5]["song"]).mean()
book.say(
    f"With 5 s the right song comes first in {first[5]:.0%}, with 10 s in {first[10]:.0%}, with "
    f"15 s in **{first[15]:.1%}** of the excerpts. Three times the length gives {growth:.0f} times "
    "the hashes: an anchor finds partners only until the excerpt ends. Songs differ: with 5 s the "
    f"easiest comes first in {by_song.max():.0%} of its excerpts, the hardest in "
    f"{by_song.min():.0%}."
)
assert first[15] >= first[5] > chance[0] and growth > 3

# %% [markdown]
# ## The surprise: where the excerpt begins
#
# The excerpt of figure 2 was cut on a frame of the song. Now 84 excerpts of 10 s start 0 to 512
# samples after one, and we count which share of their hashes lands on one offset.

# %%
result = experiments.measure_misalignment(
    songs, dataset, shifts=range(0, 513, 64), length_s=10, n=84, rng=np.random.default_rng(1)
)
share = result.groupby("shift")["share"].median()
of_songs = result.groupby(["shift", "song"])["share"].median()
aligned, half = book.number("share_aligned", share[0]), book.number("share_half_hop", share[256])
fig, ax = new_axes(height=2.9)
finding = f"Half a hop takes the hashes on one offset from {aligned:.0%} to {half:.0%}"
plots.draw_misalignment(result, ax, title=finding)
book.figure(
    "misalignment",
    fig,
    caption="Share of an excerpt's hashes that land on one offset, against its start.",
    alt="A curve that falls from the left to a minimum at half a hop and rises again to the right.",
)

# %% [markdown]
# If the frames are to blame, the loss is largest at half a hop and gone at a whole one, where
# frames meet frames again.

# %%
hop_ms = book.number("hop_ms", 1000 * plots.FRAME_S)
book.say(
    f"An excerpt that begins on a frame puts {aligned:.0%} of its hashes on one offset (not all: "
    "its end cuts zones off, and the 0.9 quantile is its own). Half a hop later, "
    f"{hop_ms / 2:.0f} ms, it is **{half:.0%}**. Both are medians over the excerpts; those of "
    f"single songs lie between {of_songs[0].min():.0%} and {of_songs[0].max():.0%} on a frame, "
    f"between {of_songs[256].min():.0%} and {of_songs[256].max():.0%} half a hop later."
)
assert half < aligned / 2
assert share[512] > 2 * half, "a whole hop later the frames meet again"
assert of_songs[256].max() < of_songs[0].min(), "no song is spared"

# %% [markdown]
# Why so few? We compare the maxima themselves, in all songs: how many of an excerpt's are maxima of
# the song too, at the same place or one frame later?

# %%
kept = {
    shift: np.mean([experiments.measure_kept_maxima(y, shift=shift, length_s=10) for y in songs], 0)
    for shift in (0, 256)
}
on_frame, same, later = kept[0][0], *kept[256]
book.say(
    f"On a frame, {on_frame:.0%} of an excerpt's maxima are at the same place in the song. Half "
    f"a hop later {same:.0%} are, and {later:.0%} are one frame further: a partial "
    "falls to one of two neighbouring frames, or to neither. A hash survives only if both of its "
    f"points fall to the same side; if they did so independently, {same**2:.0%} would on the one "
    f"and {later**2:.0%} on the other."
)
assert same < on_frame / 2

# %% [markdown]
# A repair that leaves the database as it is: search four times, dropping 0, 128, 256 and 384
# samples of the excerpt, and keep the try with the tallest bar. One of the four starts within 64
# samples of a frame of the song. (A wrong song gets four chances too.)

# %%
rng = np.random.default_rng(2)
cases = {
    "5 s, clean": excerpts[5],
    "10 s, clean": excerpts[10],
    "5 s, noise at −5 dB": experiments.drown_excerpts(excerpts[5], snr_db=-5, rng=rng),
    "10 s, noise at −5 dB": experiments.drown_excerpts(excerpts[10], snr_db=-5, rng=rng),
}
drops = (0, 128, 256, 384)
one = {k: experiments.try_excerpts(dataset, case) for k, case in cases.items()}
four = {k: experiments.retry_excerpts(dataset, case, drops=drops) for k, case in cases.items()}
table = {
    name: [describe_share(t["rank"] == 1, t["song"]) for t in (one[name], four[name])]
    for name in cases
}
book.table(
    "repair", pd.DataFrame.from_dict(table, orient="index", columns=["one try", "four tries"])
)

# %% [markdown]
# Four tries take four times as long. What do they give? The excerpts are the same in both columns,
# so we count those that only one of the two ways gets right.

# %%
was, now = ({name: t["rank"].to_numpy() == 1 for name, t in tries.items()} for tries in (one, four))
won = {name: int((now[name] & ~was[name]).sum()) for name in cases}
lost = {name: int((was[name] & ~now[name]).sum()) for name in cases}
book.number("repair_one_5_s", float(was["5 s, clean"].mean()))
book.number("repair_four_5_s", float(now["5 s, clean"].mean()))
each = "; ".join(f"*{name}* {won[name]} won, {lost[name]} lost" for name in cases)
book.say(
    f"Of {len(excerpts[5])} excerpts in each row: {each}. Clean excerpts of 5 s go from "
    f"**{was['5 s, clean'].mean():.0%} to {now['5 s, clean'].mean():.0%}**."
)
assert sum(won.values()) > sum(lost.values())

# %% [markdown]
# ## Noise
#
# White noise is added to the excerpts (not to the database), before they go through 3 kHz. At 0 dB
# it is as strong as the music, both counted up to 4 kHz; the method hears 1500 Hz of these, three
# eighths of the noise and most of the music. The same definition holds in the benchmarks
# (`aares/audio/distortions.py`). The excerpts are those of 5.2, so the left end repeats the numbers
# of that table. The noise has two effects: it adds maxima of its own, and it covers weak ones, so
# others are among the ten.

# %%
levels = {"clean": np.inf, "10 dB": 10, "0 dB": 0, "−5 dB": -5, "−10 dB": -10, "−15 dB": -15}
rng = np.random.default_rng(3)
heard = {
    s: {k: experiments.drown_excerpts(excerpts[s], snr_db=db, rng=rng) for k, db in levels.items()}
    for s in excerpts
}
hits = {
    f"{s} s": {k: experiments.try_excerpts(dataset, heard[s][k])["rank"] == 1 for k in levels}
    for s in excerpts
}
of_song = {f"{s} s": clean[s]["song"] for s in excerpts}
assert SR_HZ / RATE_HZ == 3 / 8, "the share of the noise that the method hears"

# %% [markdown]
# A curve for each length, with intervals over songs. At −10 dB the noise has ten times the power of
# the music.

# %%
at_0, at_10 = (float(hits["10 s"][label].mean()) for label in ("0 dB", "−10 dB"))
fig, ax = new_axes(height=3.4)
plots.draw_noise_curves(
    hits,
    ax,
    chance=chance[0],
    groups=of_song,
    title=f"10 s excerpts: {at_0:.0%} right at 0 dB, {at_10:.0%} at −10 dB",
)
book.figure(
    "noise",
    fig,
    caption="Share of excerpts whose song comes first, against white noise up to 4 kHz (bars: 95 % "
    "intervals over songs).",
    alt="Three falling curves for 5, 10 and 15 seconds; longer excerpts are recognised more often.",
)

# %% [markdown]
# A longer excerpt has more peaks above the noise and should hold out longer. In numbers, for 10 s:

# %%
book.number("top1_10_s_at_0_db", at_0)
book.number("top1_10_s_at_minus_10_db", at_10)
_, low_10, high_10 = estimate_grouped_share(hits["10 s"]["−10 dB"], of_song["10 s"])
book.number("top1_10_s_at_minus_10_db_low", low_10)
book.number("top1_10_s_at_minus_10_db_high", high_10)
book.say(
    f"Of the 10 s excerpts **{at_0:.0%}** are still recognised at 0 dB and {at_10:.0%} at −10 dB "
    f"({low_10:.0%} to {high_10:.0%}); guessing gets {chance[0]:.0%}."
)
assert at_10 < first[10] and hits["15 s"]["−10 dB"].mean() >= hits["5 s"]["−10 dB"].mean()

# %% [markdown]
# ## A song that is not in the database
#
# `search_song` always names songs, the first of the list for want of better ones; only the scores
# tell. We take the same 10 s excerpts and hide the song of each from the database, so that every
# answer is wrong.

# %%
silence = process_signal(np.zeros(10 * SR_HZ))
assert np.array_equal(search_song(dataset, silence, return_scores=True), ([0, 1, 2], [0, 0, 0]))
known = clean[10]["score"].to_numpy()
hidden = experiments.try_excerpts(dataset, excerpts[10], hide_song=True)
unknown_scores = hidden["score"].to_numpy()
answered = book.number("unknown_answered", float(np.mean(unknown_scores > 0)))
limit = int(unknown_scores.max())
kept, low, high = estimate_grouped_share(known > limit, clean[10]["song"])
book.number("known_above_all_unknown", kept)
fig, ax = new_axes(height=3.0)
finding = f"{kept:.0%} of the known songs score higher than every unknown one"
plots.draw_scores(known, unknown_scores, ax, title=finding)
book.figure(
    "scores",
    fig,
    caption="Share of 10 s excerpts whose best song reaches a score, song known or hidden.",
    alt="Two falling curves; the one for known songs lies far to the right of the other.",
)

# %% [markdown]
# A threshold on the score would teach the search to say no. What would that cost?

# %%
book.say(
    f"**{answered:.0%} of the unknown excerpts share hashes with some song** and would be answered "
    f"wrongly. Rejecting all of them takes a score above {limit}, which {kept:.0%} of the known "
    f"ones reach ({low:.0%} to {high:.0%}); the rest would be lost. That threshold was read off "
    "these very excerpts: it is the best it could be, and holds for 10 s and this database only."
)
assert np.median(known) > np.median(unknown_scores)

# %% [markdown]
# ## Beyond the assignment: an identifier that says no
#
# `aares/identify` goes at the three weak points. *Alignment*: the excerpt is looked at from two
# starts half a hop apart, with a window sixteen times as long as their distance. *Noise*: hashes
# only propose places; then every peak that the index holds of a recording is looked up in the
# excerpt's spectrogram, also where noise hides it from the search for maxima (a matched filter);
# strong peaks count more, as noise hides them last. *Rejection*: the best candidate is accepted
# only if it stands out as hardly any excerpt of an unknown recording does: by its lead, and by the
# kind of its evidence. Another piece on the same instrument agrees in a few strong notes, the right
# one in a little of everything. Sound is kept up to 2 kHz, from 8000 samples a second.

# %%
from aares.identify import Index, make_timeline

names = list(sounds)
index = Index.from_signals(sounds)
hours = sum(len(y) for y in sounds.values()) / RATE_HZ / 3600
book.say(
    f"{len(index)} recordings, {index.nbytes['postings'] / 1e6 / hours:.2f} MB of postings and "
    f"{index.nbytes['peaks'] / 1e6 / hours:.2f} MB of peaks for an hour of sound."
)

# %% [markdown]
# The identifier hears the very excerpts of 10 s, in the very noise, that the assignment's method
# heard above. How often the right song comes first, at each level of noise; in brackets 95 %
# intervals over songs.

# %%
answers = {k: [index.identify(e.y, e.sr) for e in heard[10][k]] for k in levels}
songs_of = of_song["10 s"].to_numpy()
named = {
    k: np.array([names.index(a.candidates[0].song) if a.candidates else -1 for a in row])
    for k, row in answers.items()
}
versus = {
    "assignment": hits["10 s"],
    "identifier": {k: named[k] == songs_of for k in levels},
}
ours, theirs = (float(np.mean(versus[key]["−10 dB"])) for key in ("identifier", "assignment"))
pd.DataFrame(
    {
        method: {label: describe_share(found, songs_of) for label, found in row.items()}
        for method, row in versus.items()
    }
)

# %% [markdown]
# To name the right song first is one thing, to be sure of it another: the identifier must also
# accept its answer. And what it accepts, is it right?

# %%
book.number("identifier_at_minus_10_db", ours)
sure = {k: np.array([a.match is not None for a in row]) for k, row in answers.items()}
right_and_sure = {k: float(np.mean(sure[k] & versus["identifier"][k])) for k in levels}
mistaken = sum(int((sure[k] & ~versus["identifier"][k]).sum()) for k in levels)
book.number("identifier_accepted_at_minus_10_db", right_and_sure["−10 dB"])
book.say(
    f"**{ours:.0%} against {theirs:.0%}** at −10 dB; the identifier also *accepts* "
    f"{right_and_sure['clean']:.0%} of the clean excerpts and {right_and_sure['−10 dB']:.0%} at "
    "−10 dB. Where it does not accept its answer, it says *unknown*; "
    f"{mistaken} of {len(songs_of) * len(levels):,} answers are accepted and wrong."
)
assert ours >= theirs

# %% [markdown]
# And songs that are not there? Two indexes hold every other song; each is asked for the excerpts of
# the songs that it does not hold, at all levels of noise.

# %%
halves = [Index.from_signals({name: sounds[name] for name in names[part::2]}) for part in (0, 1)]
believed = np.array([
    [halves[1 - e.song % 2].identify(e.y, e.sr).match is not None for e in heard[10][k]]
    for k in levels
])  # fmt: skip
wrong, asked = int(believed.sum()), believed.size
low, high = estimate_grouped_share(believed.any(axis=0), songs_of)[1:]  # noises share excerpts
book.number("identifier_false_accepts", wrong)
book.number("identifier_false_accepts_high", high)
book.number("identifier_asked_places", len(songs_of))
book.number("identifier_asked_unknown", asked)
book.say(
    f"**{wrong} of {asked:,} excerpts of unknown songs are accepted.** They are {len(songs_of)} "
    f"excerpts of {len(names)} songs in {len(levels)} noises. Counted as {len(songs_of)} excerpts, "
    f"the 95 % interval is {low:.1%} to {high:.1%}; and these indexes hold at most "
    f"{max(map(len, halves))} songs, so there is little to confuse an excerpt with."
)

# %% [markdown]
# ### What was played when
#
# A long recording is heard block by block. Windows of 5 s are searched quickly, longer ones more
# closely where that fails; what is recognised is followed to its two ends, at the place and the
# tempo where it must be, so an end is told by the evidence and not by a window. To try it, a radio
# programme: A fades into B, which a fader plays 6 % too fast; after somebody's talk C, whose tempo
# drifts by 5 % with its pitch kept; after a hum D.

# %%
from aares.audio.stretching import stretch

on_air = dict(zip("ABCD", names, strict=False))
cuts = {key: sounds[name][5 * RATE_HZ : 33 * RATE_HZ] for key, name in on_air.items()}
cuts["B"] = distortions.change_speed(cuts["B"], 1.06)
cuts["C"] = stretch(cuts["C"], 1.0, 1.05)
talk = 0.1 * distortions.make_babble(8 * RATE_HZ, rng)
mains = 2 * np.pi * 50 * np.arange(8 * RATE_HZ) / RATE_HZ
hum = 0.05 * (np.sin(mains) + np.sin(2 * mains) / 2 + np.sin(3 * mains) / 3)
fade = np.linspace(0, 1, 3 * RATE_HZ, dtype=np.float32)

# %% [markdown]
# Both songs of a fade are on air from its first moment to its last; the truth is kept beside.

# %%
n = len(fade)
both = cuts["A"][-n:] * np.sqrt(1 - fade) + cuts["B"][:n] * np.sqrt(fade)
pieces = [cuts["A"][:-n], both, cuts["B"][n:], talk, cuts["C"], hum, cuts["D"]]
radio = np.concatenate(pieces).astype(np.float32)
marks = (np.cumsum([0, *map(len, pieces)]) / RATE_HZ).tolist()
on_air_s = {"A": (0, 2), "B": (1, 3), "C": (4, 5), "D": (6, 7)}
truth = [(marks[one], marks[two], key) for key, (one, two) in on_air_s.items()]
played = make_timeline(index, radio, RATE_HZ)
letters = {name: key for key, name in on_air.items()}
found = [(e.start_s, e.end_s, letters.get(e.song, "?")) for e in played if e.song]
display(Audio(radio[int(23 * RATE_HZ) : int(31 * RATE_HZ)], rate=RATE_HZ))

# %% [markdown]
# The player has the fade. Every song is to be one entry, both ends within two seconds of the truth.

# %%
assert [key for *_, key in found] == list("ABCD")
errors = [abs(a[k] - b[k]) for a, b in zip(found, truth, strict=True) for k in (0, 1)]
worst = book.number("timeline_error_s", round(max(errors), 1))
assert worst <= 2
fig, ax = new_axes(height=2.4)
timeline.draw_timeline(
    truth, found, ax, title=f"Each song is told once, its ends to within {worst:.1f} s"
)
book.figure(
    "timeline",
    fig,
    caption="A radio programme of four songs, talk and a hum: what was played and recognised.",
    alt="Two rows of four bars each, with the same starts and ends; the first two bars overlap.",
)

# %% [markdown]
# Speed and pitch are told too, and silence or a hum apart from what is not in the index.

# %%
pd.DataFrame(
    [
        (
            entry.start_s, entry.end_s, textwrap.shorten(entry.song or entry.reason, 40),
            entry.offset_s, f"{entry.speed - 1:+.1%}", f"{entry.speed * entry.pitch - 1:+.1%}",
        )
        for entry in played
    ],
    columns=["from (s)", "to (s)", "recording", "offset in it (s)", "tempo", "pitch"],
)  # fmt: skip

# %% [markdown]
# ### In the field
#
# The songs at hand are few. `benchmarks/identify.py` indexes hundreds of recordings from the
# soundtracks of free games, and as many tracks that this project renders from old scores; it asks
# the assignment's method, Chromaprint (the fingerprints of MusicBrainz) and audfprint for the same
# excerpts of the real ones, in the noise of above. That takes time, and files that are not here
# (`data/README.md`), so these counts come from no run of this notebook: they are kept in
# `benchmarks/results` with their date, and are read only if the identifier still has the
# calibration they were measured with.

# %%
measured = read_benchmark()
peers, trials = measured["peers"], measured["accuracy"]
by_condition = {row["condition"]: row for row in peers["rows"]}
programs = ("identifier", "Chromaprint", "audfprint", "assignment")
methods = [name for name in programs if name in peers["methods"]]
against = {
    length: {
        method: {
            label: np.arange(peers["n"]) < by_condition[f"{noise}, {length} s"][method]
            for label, noise in NOISES.items()
        }
        for method in methods
    }
    for length in (5, 10)
}
worst = {m: np.mean(cells["−10"]) for m, cells in against[10].items()}

# %% [markdown]
# What was asked, of how many tracks, and when:

# %%
book.say(
    f"*Against others*: an index of {peers['n_indexed']:,} real recordings, {peers['n']} excerpts "
    f"in each condition, {describe_origin(peers)}. *Alone*: {trials['n_indexed']:,} tracks, "
    f"{trials['n_real']} of them real, and {trials['n']} excerpts of real ones in each, "
    f"{describe_origin(trials)}."
)

# %% [markdown]
# White noise again, with far more tracks to be confused with, and other programs on the same
# excerpts.

# %%
fig, axes = new_axes(height=3.0, cols=2, sharey=True, layout="constrained")
for ax, (length, hits) in zip(axes, against.items(), strict=True):
    plots.draw_noise_curves(
        hits, ax, chance=1 / peers["n_indexed"], title=f"{length} s, {peers['n_indexed']:,} tracks"
    )
    ax.set_xlabel("white noise: signal-to-noise ratio (dB)")
axes[1].set_ylabel("")
book.figure(
    "peers",
    fig,
    caption=f"Right track first among {peers['n_indexed']:,}, against white noise: the identifier, "
    f"other programs and the assignment's method on the same {peers['n']} excerpts a point "
    f"(guessing: {1 / peers['n_indexed']:.1%}).",
    alt="Two panels, 5 and 10 s: the identifier's line stays high where the others fall.",
)

# %% [markdown]
# Noise is only one way to spoil a recording. A codec drops what nobody hears, a room adds echoes, a
# telephone cuts the band, and at another speed every peak moves.

# %%
counts = pd.DataFrame(trials["rows"]).set_index("condition")
counts = counts[[not name.endswith((" 1 s", " 2 s")) for name in counts.index]]
n_tried, lowest = trials["n"], counts["first"].idxmin()
fig, ax = new_axes(height=7.4)
plots.draw_conditions(
    counts, n_tried, ax,
    title=f"{(counts['first'] == n_tried).sum()} of {len(counts)} conditions: all {n_tried} right",
)  # fmt: skip
book.figure(
    "conditions",
    fig,
    caption=f"The identifier among {trials['n_indexed']:,} tracks: noise, codecs, a room, a "
    "telephone, clipping, a voice above it, other speeds, tempos and keys; all of it simulated.",
    alt=f"A dot for each condition; the lowest is {lowest}, with "
    f"{counts['first'].min() / n_tried:.0%}.",
)

# %% [markdown]
# The more recordings an index holds, the likelier is one that resembles a stranger by chance. So
# false alarms count here as much as misses.

# %%
unknown = measured["unknown"]
n_outside, accepted = unknown["n_unknown"], unknown["accepted"]
book.number("catalogue_tracks", trials["n_indexed"])
book.number("catalogue_peers", peers["n_indexed"])
book.number("catalogue_date", peers["date"])
book.number("catalogue_excerpts", peers["n"])
book.number("catalogue_false_accepts", accepted)
book.number("catalogue_asked_unknown", unknown["n"])
for method, share in worst.items():
    book.number(f"catalogue_{method.lower()}_at_minus_10_db", float(share))
book.say(
    f"At −10 dB, 10 s: **{worst['identifier']:.0%}** against {worst['Chromaprint']:.0%} for "
    f"Chromaprint, which was made for whole files, and {worst['assignment']:.0%} for the "
    f"assignment's method (in the same noise among our {len(songs)} songs: {at_10:.0%}; here there "
    "are more songs to be taken for the right one, and other music). Alone, on other excerpts, the "
    f"identifier has {counts.loc['white -10 dB, 10 s', 'first'] / n_tried:.1%} there. Hardest for "
    f"it is *{lowest.replace('-', '−')}*, with {counts.loc[lowest, 'first'] / n_tried:.0%}."
)

# %% [markdown]
# Many excerpts come from each of the tracks outside. So we count twice: excerpts, with an interval
# over tracks, and tracks, of which each has or has not been taken for another.

# %%
by_cell = pd.DataFrame(unknown["rows"]).set_index("cell")
of_tracks = estimate_share(np.arange(n_outside) < min(len(unknown["taken"]), n_outside))
book.number("catalogue_unknown_tracks", n_outside)
book.number("catalogue_unknown_date", unknown["date"])
book.number("catalogue_false_accepts_high", of_tracks[2])
book.say(
    f"Of {unknown['n']:,} excerpts of {n_outside} tracks that are not in the index, from games "
    f"that calibration never heard, **{accepted}** {'is' if accepted == 1 else 'are'} accepted "
    f"({describe_origin(unknown)}): {by_cell.loc['all', 'share']:.3%}, over tracks "
    f"{by_cell.loc['all', 'low']:.3%} to {by_cell.loc['all', 'high']:.3%}, where the threshold "
    f"allows {unknown['threshold']:.2%}. The worst of six cells (clean and noisy; 2, 5, 10 s) has "
    f"{by_cell.drop('all')['share'].max():.3%}. As tracks, at most {len(unknown['taken'])} of "
    f"{n_outside} was ever taken for another, {of_tracks[1]:.1%} to {of_tracks[2]:.1%}."
)

# %% [markdown]
# A probability is worth what it says if as many unknown excerpts fall below it. The calibration
# knows of an excerpt how long, how noisy and how steady it is, and how large the index is; and it
# tells none that is lower than its own sample can carry.

# %%
reliability = pd.DataFrame(measured["reliability"]["rows"])
every = reliability[reliability["cell"] == "all"].set_index("level")["share"]
fig, ax = new_axes(height=3.4)
identifier_plots.draw_reliability(
    reliability, ax, title=f"Of p_false at most 1%, {every[0.01]:.2%} of the unknown excerpts"
)
book.figure(
    "reliability",
    fig,
    caption=f"How many of {unknown['n']:,} unknown excerpts have a p_false of at most so much.",
    alt="Points for clean and noisy excerpts around the line on which a true probability lies.",
)

# %% [markdown]
# A microphone hears more than music: hums, tones, voices, applause, rain. None of the kinds below
# served to calibrate. A siren that yelps on the beat of a song has something in common with every
# bar of it, but always the same thing: what comes again counts once.

# %%
nonmusic = measured["nonmusic"]
book.number("catalogue_sounds", nonmusic["n"])
book.number("catalogue_sounds_accepted", nonmusic["accepted"])
fig, ax = new_axes(height=3.4)
identifier_plots.draw_kinds(
    pd.DataFrame(nonmusic["rows"]),
    ax,
    title=f"{nonmusic['accepted']} of {nonmusic['n']:,} sounds are taken for a recording",
)
book.figure(
    "sounds",
    fig,
    caption="What the identifier says of sounds that are no music, a hundred of each kind.",
    alt="Ten bars, each divided into nothing to identify, unknown, and a recording.",
)

# %% [markdown]
# ### When the database grows
#
# `search_song` visits every song, so its time grows with their number. The same hashes can be
# stored the other way round, from the hash to the songs that have it (an inverted index,
# `aares/fingerprints/inverted_index.py`): the answer is the same, score for score, and only songs
# that share a hash cost time. A stopwatch reads something else in every run, so times come from
# `benchmarks/fingerprint.py`, which measured all three ways in one run. To have more songs than
# there are, it plays pieces of the songs at other speeds.

# %%
times = read_times()["growth"]
growth = pd.DataFrame(times["rows"]).set_index("songs")
least, most = growth.iloc[0], growth.iloc[-1]
book.say(
    f"{most.name} pieces of {times['piece_s']} s from {times['n_songs']} songs of the course, "
    f"{times['n_excerpts']} excerpts of {times['excerpt_s']} s; {describe_origin(times)}."
)

# %% [markdown]
# Left the time of one search, right the memory of the whole database, both on logarithmic axes: a
# flat line is a search that does not mind more songs.

# %%
faster = most["dictionaries_ms"] / most["inverted_ms"]
smaller = most["identifier_mb"] / most["dictionaries_mb"]
fig, axes = new_axes(height=3.1, cols=2, layout="constrained")
plots.draw_growth(
    growth,
    axes,
    titles=[
        f"{most.name} songs: {faster:.0f} times faster inverted",
        f"The identifier holds {smaller:.0%} of the memory",
    ],
)
book.figure(
    "growth",
    fig,
    caption="Time of one search and memory against the number of songs (pieces of "
    f"{times['piece_s']} s; {describe_origin(times)}).",
    alt="Left: the dictionaries' time rises in proportion, the others' less. Right: three "
    "parallel rising lines, the identifier's lowest.",
)

# %% [markdown]
# Whose time grows with the number of songs?

# %%
longer = {way: most[f"{way}_ms"] / least[f"{way}_ms"] for way in ("dictionaries", "inverted")}
book.number("growth_songs", int(most.name))
book.number("growth_faster", float(faster))
book.number("growth_origin", describe_origin(times))
book.say(
    f"From {least.name} to {most.name} songs, {most.name / least.name:.0f} times as many, the "
    f"dictionaries take {longer['dictionaries']:.0f} times as long and the inverted index "
    f"{longer['inverted']:.1f} times; with {most.name}, one search takes "
    f"{most['dictionaries_ms']:.1f} ms against **{most['inverted_ms'] * 1000:.0f} microseconds** "
    f"for the same answer and {most['identifier_ms']:.1f} ms for the identifier's."
)
assert longer["inverted"] < longer["dictionaries"]

# %% [markdown]
# On the command line it is `python3 run.py index FOLDER` and `python3 run.py identify FILE`.

# %% [markdown]
# ## What we found, and the limits
#
# The question was whether the right song is among three guesses. The count is that of random
# excerpts of 10 s, without noise; the interval is over songs.

# %%
_, low, high = estimate_grouped_share(clean[10]["rank"] > 0, clean[10]["song"])
book.answer(
    f"Among the three guesses is the right song for {three[10]:.0%} of random 10 s excerpts of "
    f"{len(songs)} songs (95 % interval {low:.0%} to {high:.0%}; guessing: {chance[1]:.0%}) and it "
    "comes first for "
    f"{first[10]:.0%}; the method loses most hashes when an excerpt starts between two frames."
)

# %% [markdown]
# Why the method works, where it stops working, and what was done about it.

# %%
book.say(
    "- **It works** because hashes agree on one offset in the right song only: the tallest bar has "
    f"{np.median(known):.0f} hashes in the median excerpt of a known song, "
    f"{np.median(unknown_scores):.0f} in that of an unknown one.\n"
    f"- **Longer excerpts help twice**: more seconds, and zones that are less cut off "
    f"({first[5]:.1%}, {first[10]:.1%}, {first[15]:.1%} right first for 5, 10, 15 s).\n"
    f"- **The hop is its weak point**: {aligned:.0%} of the hashes on one offset on a frame, "
    f"{half:.0%} between two; searching four times wins back a part (clean excerpts of 5 s: "
    f"{was['5 s, clean'].mean():.0%} to {now['5 s, clean'].mean():.0%}).\n"
    f"- **Noise**: {at_0:.0%} at 0 dB, {at_10:.0%} at −10 dB (10 s excerpts).\n"
    f"- **It never says no**: {answered:.0%} of the excerpts of unknown songs get a song with a "
    "positive score.\n"
    f"- **The identifier does**: {wrong} of {asked:,} unknown excerpts accepted; {ours:.0%} right "
    f"at −10 dB, where the assignment's method has {theirs:.0%} (the same excerpts and noise)."
)

# %% [markdown]
# What these figures do not cover:

# %%
book.say(
    f"Limits. The database is small, {len(songs)} songs: with more songs, wrong ones have more "
    "chances at a tall bar. The excerpts are cut from the very recordings of the database; another "
    "performance of the same piece has other peaks. Noise is added by a computer, not played in a "
    f"room. Of the {trials['n_indexed']:,} tracks {trials['n_indexed'] - trials['n_real']} are "
    "rendered: their instruments are samples, which is harder to tell apart."
)
