# %% [markdown]
# # 7 · One song through everything
#
# **All exercises, for one song.** The other notebooks count thousands of songs. This one takes a
# single piece that stands in the table of songs *and* among the recordings, and asks it every
# question of the two documents, with the same models and a few lines each: it is also the shortest
# way to see how the library is used.
#
# Running time, with another notebook beside it on two cores: about five minutes with the course's
# files, one on the demo.

# %%
import sys

sys.path.insert(0, "..")
from aares import data
from workshop import config, results

source = config.find_data()
book = results.Notebook("07_one_song", source)
book.head("recommendation", "songs")

# %% [markdown]
# One import for each exercise, and the figure's panels.

# %%
import textwrap

import numpy as np
import pandas as pd

from aares import audio, conformal, genre, popularity
from aares.audio import distortions
from aares.chaining import transition
from aares.data.namesakes import find_namesakes
from aares.identify import Index
from aares.recommend import Recommender
from aares.scores import estimate_share
from utils_projet import ConformalPrediction
from workshop.plots import journey as plots
from workshop.plots.style import new_axes

# %% [markdown]
# ## Which song?
#
# Recordings come without features and the tables without sound, so the piece that is called most
# alike in both is taken (`find_namesakes`: rare words count, and composer and title must both
# agree). It is one piece in two recordings, and each exercise uses the one that it can use. Where
# nothing agrees, as in the demo with its invented titles, the most popular song of the table and
# the first recording stand in, which are then two pieces.

# %%
songs, paths = data.load_recommendation(source), source.list_songs()
found = find_namesakes([path.stem for path in paths], songs)
at, heard = found[["row", "recording"]].iloc[0] if len(found) else (songs["popularity"].argmax(), 0)
song, path = songs.iloc[at], paths[heard]
title = textwrap.shorten(f"{song['name']}", 60, placeholder=" …")
book.number("is_one_piece", len(found) > 0)
book.number("title", title)
book.number("artists", ", ".join(song["artists"]))
book.number("year", f"{song['year']:.0f}")
book.number("recording", path.stem.removeprefix("Classicals.de - "))
same = "the same piece" if len(found) else "another piece, since no title agrees"
book.say(
    f"In the table: **{title}**, {', '.join(song['artists'])}, {song['year']:.0f}. As sound: "
    f"*{path.stem}* ({same})."
)

# %% [markdown]
# ## 1 · Its genre
#
# The classifier of the challenge learns from all labelled songs. Should this recording be one of
# them, it leaves first: no song may bring its own answer along. The recommendation table has no
# time signature; four is assumed, and three asked too, to see whether it matters.

# %%
train, test, subset = data.load_train(source), data.load_test(source), data.load_subset(source)
one = pd.DataFrame([song, song]).assign(time_signature=[4, 3]).reset_index(drop=True)
one = one[test.columns].astype(test.dtypes.to_dict())
learnt = genre.remove_songs(train, one)
extra = genre.remove_songs(genre.label_songs(subset), train, test, one)
assert not genre.match_songs(learnt, one).any() and not genre.match_songs(extra, one).any()
classifier = genre.make_model(extra, random_state=config.SEED)
classifier.fit(learnt.drop(columns="genre"), learnt["genre"])
four, three = classifier.predict_proba(one)
likely = pd.Series(four, classifier.classes_).sort_values(ascending=False, kind="stable")
moved = float(np.abs(four - three).max())
book.number("genre", likely.index[0])
book.number("genre_probability", likely.iloc[0])
book.number("genre_second", likely.index[1])
book.number("genre_second_probability", likely.iloc[1])

# %% [markdown]
# What it says, and how much of that hangs on the time signature. Where the recording's file tells a
# genre, it stands beside it.

# %%
told = next((name for name in data.GENRES if name in path.stem.lower()), "")
book.number("file_genre", told)
book.number("file_genre_probability", float(likely.get(told, 0)))
book.number("time_signature_moves", moved)
book.say(
    f"**{likely.index[0]}** with {likely.iloc[0]:.0%}, then {likely.index[1]} with "
    f"{likely.iloc[1]:.0%}. In three-four time no probability would move by more than {moved:.1%}."
    + (f" The file calls it {told}, which gets {likely[told]:.0%}." if told else "")
)

# %% [markdown]
# Why not what the file says? Where the song stands among the labelled songs of that genre, column
# by column: the two columns in which it is least like them.

# %%
scales = [c for c in data.AUDIO_FEATURES if c not in ("key", "mode", "time_signature")]
named = learnt.loc[learnt["genre"] == (told or likely.index[0]), scales]
sound = one.loc[0, scales].astype(float)
more, less = (named < sound).mean(), (named > sound).mean()
odd = np.maximum(more, less).sort_values(ascending=False, kind="stable").index[:2]
unlike = " and ".join(
    f"{'more' if more[c] > less[c] else 'less'} {c} than {max(more[c], less[c]):.0%}" for c in odd
)
book.number("unlike", unlike)
book.say(f"It has {unlike} of the {len(named):,} labelled songs of {told or likely.index[0]}.")

# %% [markdown]
# ## 2 · Its popularity
#
# The model of exercise 2 learns from its own table; micro-genres are unknown here, so the list is
# empty. The interval comes from songs that the model was not fitted on: they move its bounds until
# nine of ten lie inside.

# %%
asked = one[:1].assign(artist_name=song["artists"][0], track_name=song["name"], id=song["id"])
asked = asked.assign(genres=[[]])[subset.columns.drop("popularity")]
known = genre.remove_songs(subset, one)
others = genre.remove_songs(pd.concat([train, test], ignore_index=True), subset, one)
model = popularity.make_model(reference=popularity.learn_reference(others))
intervals = popularity.PopularityIntervals(model)
intervals.fit(known.drop(columns="popularity"), known["popularity"])
low, high = (float(bound) for bound in intervals.predict_interval(asked)[0])
expected = float(intervals.model_.predict(asked)[0])

# %% [markdown]
# Against what its own table says of it, which the model never saw:

# %%
for key, value in {"expected": expected, "low": low, "high": high}.items():
    book.number(f"popularity_{key}", value)
told = book.number("popularity_told", float(song["popularity"]))
inside = "inside" if low <= told <= high else "outside"
book.number("popularity_inside", inside)
book.say(
    f"Expected **{expected:.0f} points**, with 90 % between {low:.0f} and {high:.0f}; the table "
    f"says {told:.0f}: {inside}."
)

# %% [markdown]
# ## 3 · Its playlist
#
# The recommender of exercise 3, with its reasons.

# %%
recommender = Recommender(cache=config.CACHE).fit(songs)
playlist = recommender.playlist(song["id"])
eras = recommender.traits_.era
years = eras[recommender.find_rows(playlist["id"].tolist())]
assert len(playlist) == 10 and song["id"] not in set(playlist["id"])
book.number("playlist_first", f"{playlist['name'].iloc[0]} ({playlist['artist'].iloc[0]})")
book.number("playlist_reason", playlist["reason"].iloc[0])
spread = book.number("playlist_years", float(np.median(np.abs(years - eras[at]))))
book.table("playlist", playlist[["name", "artist", "year", "reason"]])

# %% [markdown]
# ## 4 and 5 · Its fingerprint
#
# All recordings go into an index. Of ours, excerpts of ten seconds from twenty random places are
# drowned in white noise (both counted up to 4 kHz) and asked for: how often is it named *and*
# accepted? Another index, which lacks it, must accept none of them.

# %%
RATE_HZ, LENGTH_S, N_PLACES = 8000, 10, 20
sounds = {file.stem: audio.load_audio(file, sr=RATE_HZ) for file in paths}
index = Index.from_signals(sounds)
without = Index.from_signals({name: y for name, y in sounds.items() if name != path.stem})
y, rng = sounds[path.stem], np.random.default_rng(config.SEED)
starts = rng.integers(0, len(y) - LENGTH_S * RATE_HZ, N_PLACES)
excerpts = [y[start : start + LENGTH_S * RATE_HZ] for start in starts]
levels, rows, mistaken = (np.inf, 0, -10, -20, -30), {}, 0
for level in levels:
    noises = [distortions.make_white(len(x), rng) for x in excerpts]
    drowned = [distortions.mix(*pair, snr_db=level) for pair in zip(excerpts, noises, strict=True)]
    answers = [index.identify(x, RATE_HZ).match for x in drowned]
    hits = np.array([match is not None and match.song == path.stem for match in answers])
    mistaken += sum(without.identify(x, RATE_HZ).match is not None for x in drowned)
    rows["clean" if np.isinf(level) else f"{level}".replace("-", "−")] = estimate_share(hits)
recognised = pd.DataFrame(rows, ["share", "low", "high"]).T

# %% [markdown]
# How far into the noise can it be followed?

# %%
book.number("named_at_minus_10_db", recognised.loc["−10", "share"])
book.number("named_at_minus_20_db", recognised.loc["−20", "share"])
book.number("named_wrongly", mistaken)
book.number("n_excerpts", N_PLACES)
book.number("n_recordings", len(sounds))
book.say(
    f"Of {N_PLACES} excerpts it is named in {recognised.loc['−10', 'share']:.0%} at −10 dB and "
    f"{recognised.loc['−20', 'share']:.0%} at −20 dB. Without it, the index accepts {mistaken} of "
    f"{N_PLACES * len(levels)}."
)
recognised.round(2)

# %% [markdown]
# ## Bonus · How sure is its genre?
#
# The bag of exercise 5, with the space of notebook 05 learnt from other songs.

# %%
N_BAG, EPS = 1500, 0.05
bag, design = learnt.head(N_BAG), learnt.iloc[N_BAG:]
space = conformal.choose_space(design, design["genre"])
neighbours = conformal.make_space_model(space, bag, bag["genre"])
predictor = ConformalPrediction(neighbours, bag, bag["genre"], k=3)
p = pd.Series(predictor.predict(one.loc[0])).sort_values(ascending=False, kind="stable")
kept = list(p.index[p > EPS])
last = float(p.iloc[1])
book.number("set_size", len(kept))
book.number("set", ", ".join(kept))
book.number("last_genre", p.index[0])
book.number("last_p", p.iloc[0])
book.number("last_eps", last)
book.say(
    f"The 95 % set holds {len(kept)} genres: {', '.join(kept)}. **{p.index[0]}** is left last, "
    f"from ε = {last:.2f} on."
)

# %% [markdown]
# Is the classifier's answer among them, and what did the two make of the same song?

# %%
agree = likely.index[0] in kept
book.number("set_has_genre", "holds" if agree else "lacks")
book.say(
    f"The classifier's answer, {likely.index[0]}, is {'in' if agree else 'not in'} the set "
    f"(p = {p[likely.index[0]]:.2f}). It reads dates and {len(learnt):,} songs, the set only what "
    f"{N_BAG:,} examples sound like."
)

# %% [markdown]
# ## The study · Which recording may follow it?
#
# The model of joins hears the last seconds of one recording and the first of another. It was learnt
# from songs that go on, so its probabilities are small between two songs; their order counts.

# %%
edges = [transition.describe_song(file) for file in paths]
after = np.exp(-transition.measure_transition_costs(edges))[heard]
parts = [[x for x in file.stem.split(" - ") if "Arranged" not in x][-1] for file in paths]
names = [textwrap.shorten(part, 24, placeholder=" …") for part in parts]
follow = pd.Series(after, names).drop(names[heard])
follow = follow.sort_values(ascending=False, kind="stable").head(6)
book.number("follower", follow.index[0])
book.number("follower_probability", follow.iloc[0])
book.number("follower_last", follow.index[-1])
book.number("follower_last_probability", follow.iloc[-1])
book.say(f"Likeliest: **{follow.index[0]}** ({follow.iloc[0]:.1%}).")

# %% [markdown]
# ## Six answers
#
# One panel for each exercise.

# %%
fig, axes = new_axes(height=3.9, rows=2, cols=3)
plots.draw_shares(likely.head(6), axes[0, 0], title=f"1 · {likely.index[0]}", label="probability")
plots.draw_interval(low, expected, high, told, axes[0, 1], title=f"2 · {expected:.0f} points")
plots.draw_years(eras[at], years, axes[0, 2], title=f"3 · {spread:.0f} years apart")
plots.draw_recognition(recognised, axes[1, 0], title="4, 5 · in noise")
plots.draw_shares(
    p.head(8), axes[1, 1], title=f"Bonus · {len(kept)} of {len(p)}", label="p-value", line=EPS
)
plots.draw_shares(follow, axes[1, 2], title="Study · next", label="probability of a join")
book.figure(
    "six_answers", fig,
    caption=f"Six questions to {title}: genre, popularity with its interval, years of a playlist "
    f"(their median distance in the title), {N_PLACES} excerpts at each level of noise, the "
    "largest p-values with the line at ε = 0.05, and the recordings that may follow.",
    alt="Six panels: bars of genres, an interval of popularity, years of a playlist, a line of "
    "recognition against noise, bars of p-values, bars of following recordings.",
)  # fmt: skip

# %% [markdown]
# ## Findings
#
# Written from what was found above:

# %%
book.answer(
    f"{title} is {likely.index[0]} ({likely.iloc[0]:.0%}), expected at {expected:.0f} points "
    f"({low:.0f} to {high:.0f}; told: {told:.0f}); its recording is named in "
    f"{recognised.loc['−10', 'share']:.0%} of excerpts at −10 dB; its 95 % set holds {len(kept)} "
    f"genres."
)
book.say(
    "- One song is no evidence for a method; it shows what an answer looks like. The evidence is "
    "in notebooks 01 to 06.\n"
    "- The two recordings are of one piece at most, never of one performance: what the table "
    "measured is not what the fingerprint hears."
)
