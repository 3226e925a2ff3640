# %% [markdown]
# # 2 · Popularity, genres, patterns
#
# **Exercise 2.** *1. Try to predict the "popularity" of a song. 2. How can you handle the class
# "genres"? 3. What can you show from these data? Patterns, visualization, interpretation...*
#
# Running time, with another notebook beside it on two cores: about five minutes with the
# course's files, two on the demo.

# %%
import sys

sys.path.insert(0, "..")
from aares import data
from workshop import config, results

source = config.find_data()
book = results.Notebook("02_popularity", source)
book.head()

# %% [markdown]
# The encoders and the model are in `aares/popularity`, the figures in
# `workshop/plots/popularity.py`. Popularity is in points from 0 to 100; an error of 20 means 20
# points.

# %%
import numpy as np
import pandas as pd
from sklearn.dummy import DummyRegressor
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, KFold, train_test_split

from aares import popularity
from aares.genre.labels import label_from_genres, remove_songs
from aares.popularity import evidence, patterns
from aares.popularity import genres as genre_graph
from aares.scores import describe_share, predict_folds, spread_of_mean, spread_of_share
from workshop.plots import popularity as plots
from workshop.plots import predictions as model_plots
from workshop.plots.style import new_axes

# %% [markdown]
# ## 2.1 Predicting popularity
#
# ### What is to be predicted
#
# The table holds one row for each release of a song. Before any model, a look at the target.

# %%
df = data.load_subset(source)
X, y = df.drop(columns="popularity"), df["popularity"].to_numpy(float)
zero_share = book.number("zero_share", float((y == 0).mean()))
df[["artist_name", "track_name", "release_date", "genres", "popularity"]].head()

# %% [markdown]
# Five rows show what a song is; all of them together show what popularity is. The zeros get a bar
# of their own.

# %%
fig, ax = new_axes(height=2.7)
plots.draw_popularity(
    df["popularity"],
    ax,
    title="Popularity is two things: zero or not, and if not, how much",
    detail=f"{len(df):,} songs; mean {y.mean():.1f}, median {np.median(y):.0f} points",
)
book.figure(
    "popularity",
    fig,
    caption="Distribution of popularity, with the zeros apart.",
    alt=f"Histogram of popularity: {zero_share:.0%} of the songs are at exactly 0, "
    "the others form a broad hill.",
)

# %% [markdown]
# Is the bar at 0 only the tallest of many tall ones? Every other value is counted, too.

# %%
book.say(
    f"**{zero_share:.0%} of the songs have popularity 0**, far more than any other value: a "
    "regression that ignores this says something in between, too much for the zeros and too little "
    "for the rest."
)
assert (y == 0).sum() > 3 * max((y == value).sum() for value in range(1, 101))

# %% [markdown]
# ### Where do the zeros come from?
#
# A guess: Spotify counts plays for *one* release of a recording, and its copies on compilations
# and reissues get nothing. Two rows with the same measurements, to the last digit of every audio
# feature, are one recording: they can tell. The other row may stand in this table or in those of
# exercise 1. What would two unrelated songs do? One of them is at 0 and the other is not with
# probability 2 p (1 − p), where p is the share of zeros.

# %%
labelled = pd.concat([data.load_train(source), data.load_test(source)], ignore_index=True)
found = patterns.find_same_recordings(df, labelled)
touching = found["first"] == 0  # the other pairs lie within the tables of exercise 1
pairs, elsewhere = found[touching], found[~touching]
n_pairs = book.number("n_pairs", len(pairs))
dead = (pairs["lower"] == 0) & (pairs["higher"] > 0)
one_dead = book.number("one_dead", float(dead.mean()))
book.number("one_dead_interval", describe_share(dead))
by_chance = book.number("one_dead_by_chance", 2 * zero_share * (1 - zero_share))
book.number("n_pairs_same_date", int(pairs["same_date"].sum()))
book.number("n_pairs_elsewhere", len(elsewhere))
sounds = list(data.AUDIO_FEATURES)
told = pd.concat([df, labelled])[sounds].duplicated(keep=False).to_numpy()[: len(df)]
book.number("zeros_with_pair", float(told[y == 0].mean()))

# %% [markdown]
# The share of pairs with one row at 0, against that of unrelated songs. Pairs of one date are told
# apart: they may be two editions of one day, where the others are reissues.

# %%
correlation, low, high = patterns.measure_pair_correlation(pairs)
there = (elsewhere["lower"] == 0) & (elsewhere["higher"] > 0)
named = pairs["same_date"].map({True: "on one date", False: "on two dates"})
by_date = [f"{dead[part].mean():.0%} {name} ({len(part)} pairs)" for name, part in
           named.groupby(named).groups.items()]  # fmt: skip
book.say(
    f"{n_pairs} pairs of rows with the same measurements have a row in this table (in "
    f"{(pairs['second'] == 0).sum()} both are). In **{describe_share(dead)}** of them one row is "
    f"at 0 and the other is not ({', '.join(by_date)}); of unrelated songs, {by_chance:.0%}. "
    f"{len(elsewhere)} more pairs lie within the tables of exercise 1 ({there.sum()} of them so), "
    "and do not count here. The popularities of this table's pairs correlate at "
    f"**{correlation:+.2f}** ({low:+.2f} to {high:+.2f}, drawing pairs): "
    f"{'less alike than' if high < 0 else 'not clearly less alike than'} two random songs. "
    f"{told[y == 0].mean():.1%} of the songs at 0 have such a pair; for all others it is a guess."
)

# %% [markdown]
# Each pair as a point. On the diagonal the two rows would be equally popular; points along the
# lower edge are pairs of which only one is above 0.

# %%
fig, ax = new_axes(width=4.2, height=3.4)
plots.draw_pairs(
    pairs,
    ax,
    title=f"In {one_dead:.0%} of the pairs one row is at 0 (by chance: {by_chance:.0%})",
    detail=f"{n_pairs} pairs of rows with the same measurements",
)
book.figure(
    "copies",
    fig,
    caption="Popularity of two rows with the same measurements.",
    alt=f"Scatter of {n_pairs} pairs; in {one_dead:.0%} the less popular row is at 0.",
)

# %% [markdown]
# ### The model
#
# So the model asks two questions, each with its own trees, and multiplies the answers:
# **is it 0?** (a classifier) and **how popular if not?** (a regressor on the songs above 0). This
# is a *hurdle model*. Two kinds of trees are averaged, two boosters (LightGBM) and extremely
# randomised trees. The trees read
#
# - the audio features and the explicit mark,
# - the release date in parts, title marks such as "live" or "remastered",
# - the micro-genres: target encoding and SVD (section 2.2),
# - what songs that are **alike** reached: in a Gaussian process over all songs, two are alike if
#   they share micro-genres, sound, years, artist, release date (often an album) or title words, and
#   more so if they share two of these at once,
# - the songs of exercise 1 as reference: they have dates and popularities, but no names.
#
# Last, a **rule for copies**: where another row of the same recording is known (same artist and
# title, or nearly the same measurements), in this table or in those of exercise 1, its popularity
# changes both answers. The trees are not shown these songs; the rule, two regressions of a few
# coefficients, learns from them what the trees cannot know.
#
# Everything that looks at popularity is fitted inside the model, with inner folds: encodings of
# artists that see the row's own popularity look splendid and then fail on new songs. And an artist
# without other songs in the table is an obscure one, in random folds; so every song is shown to the
# trees twice, the second time as if its artist were unknown. Songs of artists never seen have trees
# of the second showing only, four draws of them averaged: half the rows leave more to chance.

# %%
reference = remove_songs(labelled, df)
learnt = popularity.learn_reference(reference)
ours = "with the songs of exercise 1"
models = {
    "mean": DummyRegressor(),
    "this table only": popularity.make_model(),
    ours: popularity.make_model(reference=learnt, releases=popularity.Releases(labelled)),
}

# %% [markdown]
# The reference must not hold the songs that are to be predicted: every recording that stands in
# both tables is removed from it first. What is left is in no fold, so one reference serves them
# all. Only the rule for copies looks at what was removed. Is that cheating, because it holds the
# very songs of this table? Then both would have the same popularity.

# %%
removed = len(labelled) - len(reference)
assert df.merge(reference, on=[*data.AUDIO_FEATURES], how="inner").empty
shared = df.merge(labelled, on=[*data.AUDIO_FEATURES], suffixes=("", "_there"))
played = shared[(shared[["popularity", "popularity_there"]] > 0).any(axis=1)]
equal = int((played["popularity"] == played["popularity_there"]).sum())
book.number("n_equal_copies", equal)
book.say(
    f"{removed} of {len(labelled):,} songs are removed; {len(reference):,} remain as reference, "
    f"and none of them is a recording of this table. Of {len(played)} shared recordings that are "
    f"played at all, {equal} have the same popularity in both tables: "
    + (
        "they are other rows than those of this table, with counts of their own."
        if equal < 0.1 * len(played)
        else "**they are the same songs**, and what the rule gains from them is the answer itself."
    )
)

# %% [markdown]
# ### How good is it?
#
# One split that others have used for this table (`random_state=17`), five random folds, and five
# folds that keep all songs of an artist together: the last asks about artists never seen. Each fold
# has a seed of its own. All settings were chosen on other folds, of the same songs
# (`benchmarks/popularity.py --tuning`).

# %%
rows = np.arange(len(df))
by_artist = GroupKFold(5, shuffle=True, random_state=0)
splits = {
    "one split": [tuple(train_test_split(rows, test_size=0.2, random_state=17))],
    "random folds": list(KFold(5, shuffle=True, random_state=0).split(df)),
    "folds by artist": list(by_artist.split(df, groups=df["artist_name"])),
}
artists = df["artist_name"].to_numpy()
assert all(
    not set(artists[train]) & set(artists[test]) for train, test in splits["folds by artist"]
)

# %% [markdown]
# The expensive part; all that follows reads these predictions and this one model.

# %%
train, test = splits["one split"][0]
model = models[ours].fit(X.iloc[train], y[train])
parts = {"one split": model.describe(X.iloc[test]).set_index(test).reindex(rows)}
for split in ("random folds", "folds by artist"):
    parts[split] = popularity.predict_parts_folds(models[ours], X, y, splits[split])

# %% [markdown]
# The model without reference is fitted for the one split only: it says what the reference is worth.
# "Its median" is the middle of the same predicted distribution, the better answer where absolute
# errors count.

# %%
predicted = {}
for split, folds in splits.items():
    predicted[split, "mean"] = predict_folds(models["mean"], X, y, folds)
    if split == "one split":
        name = "this table only"
        predicted[split, name] = predict_folds(models[name], X, y, folds)
    predicted[split, "without the rule for copies"] = parts[split]["alone"].to_numpy()
    predicted[split, ours] = parts[split]["mean"].to_numpy()
    predicted[split, "its median"] = parts[split]["median"].to_numpy()

# %% [markdown]
# Errors over all songs of a split or of the folds; ``sd`` is the spread of the RMSE between folds,
# which differ by songs and seeds.

# %%
scores = pd.DataFrame(
    {
        key: popularity.score(y[~np.isnan(values)], values[~np.isnan(values)])
        for key, values in predicted.items()
    }
).T
scores["sd"] = [
    popularity.summarise_folds(y, values, splits[name])["sd"]
    for (name, _), values in predicted.items()
]
scores.index.names = ["evaluation", "model"]
book.table("scores", scores.reset_index(), index=False)
scores.round(3)

# %% [markdown]
# The table in words. Two gaps matter more than any row: from the mean to the model, and from random
# folds to artists never seen. Intervals draw artists.

# %%
best, mean = scores.loc[("random folds", ours)], scores.loc[("random folds", "mean")]
alone = scores.loc[("one split", "this table only")]
grouped, split = scores.loc[("folds by artist", ours)], scores.loc[("one split", ours)]
median = scores.loc[("one split", "its median")]
book.number("mae_median", float(median.MAE))
for key, row in {"folds": best, "split": split, "artist": grouped, "mean": mean}.items():
    for measure, value in row.dropna().items():
        book.number(f"{measure.lower()}_{key}", float(value))
book.number("n_folds", len(splits["random folds"]))
on_split = (predicted["one split", name] for name in ("this table only", ours))
worth, worth_low, worth_high = evidence.measure_gain(y, *on_split, artists)
assert best.RMSE < mean.RMSE and grouped.RMSE < mean.RMSE

# %% [markdown]
# The same in a sentence, each gain beside its interval.

# %%
book.say(
    f"The model misses by **{best.RMSE:.1f} points** (RMSE; ± {best.sd:.1f} between folds; R² "
    f"{best.R2:.2f}), the mean misses by {mean.RMSE:.1f}. For artists never seen it misses by "
    f"{grouped.RMSE:.1f} (± {grouped.sd:.1f}). On the split of others, one draw of songs, it "
    f"reaches RMSE {split.RMSE:.2f}, MAE {split.MAE:.2f}, R² {split.R2:.3f}; there the songs of "
    f"exercise 1, as reference and as copies, are worth {worth:+.2f} points ({worth_low:+.2f} to "
    f"{worth_high:+.2f}; without them {alone.RMSE:.2f}). The median of the same predicted "
    "distribution, which aims at the absolute error, has MAE "
    f"{median.MAE:.2f} at a price of RMSE {median.RMSE:.2f}."
)

# %% [markdown]
# What is a copy worth? The random folds again, with the rule for copies and without it.

# %%
asked_all = parts["random folds"]
before, after = asked_all["alone"].to_numpy(), asked_all["mean"].to_numpy()
copied = (asked_all["likeness"] > 0).to_numpy()
groups = {"with a copy": copied, "no copy": ~copied, "all": np.full(len(df), True)}
rule = pd.DataFrame(
    {
        group: {
            "RMSE without the rule": popularity.score(y[asked], before[asked])["RMSE"],
            "RMSE with it": popularity.score(y[asked], after[asked])["RMSE"],
            "songs": asked.sum(),
        }
        for group, asked in groups.items()
        if asked.any()
    }
).T.astype({"songs": int})
book.table("copies", rule.rename_axis("songs of the folds")).round(2)

# %% [markdown]
# Two numbers decide whether the rule earns its place: what it saves where a copy is known, and what
# is left of that over all songs.

# %%
saved, saved_low, saved_high = evidence.measure_gain(y, before, after, artists)
book.number("copies_gain", saved)
book.number("copies_gain_low", saved_low)
book.number("copies_gain_high", saved_high)
n_copied = book.number("n_copied", int(copied.sum()))
if saved_low > 0:
    gain, least, most = evidence.measure_gain(*(v[copied] for v in (y, before, after, artists)))
    without, with_rule = rule.loc["with a copy"].iloc[:2]
    book.say(
        f"For **{n_copied} songs** a copy is known. There the rule lowers the error from "
        f"{without:.1f} to **{with_rule:.1f}** points, by {gain:.1f} ({least:.1f} to {most:.1f}). "
        f"Over all songs that is {saved:.2f} points ({saved_low:.2f} to {saved_high:.2f})."
    )
else:
    book.say(
        f"For {n_copied} songs a copy is known; that the rule helps is not sure here "
        f"({saved:.2f} points, {saved_low:.2f} to {saved_high:.2f})."
    )

# %% [markdown]
# ### How sure is it?
#
# A number alone hides how little is known of one song. *Conformalised quantile regression* (Romano
# et al. 2019) takes the model's 5 % and 95 % quantiles and moves them until nine of ten songs that
# it has not seen lie inside; the width may differ from song to song. The baseline has one width for
# all. Half of each fold's songs move the bounds, the other half is counted, then they swap. Where
# the model gives 0 a real chance, the interval begins at 0: whether a copy is counted is not known.

# %%
random_folds = splits["random folds"]
intervals, bounds = popularity.compare_intervals(y, parts["random folds"], random_folds)
ranked_parts = parts["random folds"].assign(y=y, low=bounds[:, 0], high=bounds[:, 1])
book.table("intervals", intervals.rename_axis("width")).round(3)

# %% [markdown]
# Every tenth song, in the order of what is expected of it. The lower ends say whether a song may be
# one of the zeros, the upper ends how popular it is at most.

# %%
cqr, constant = intervals.loc["quantile"], intervals.loc["constant"]
narrower = 1 - cqr["mean width"] / constant["mean width"]
book.number("interval_coverage", float(cqr["coverage"]))
book.number("interval_width", float(cqr["mean width"]))
book.number("interval_width_constant", float(constant["mean width"]))
from_zero = book.number("interval_from_zero", float((bounds[:, 0] == 0).mean()))
fig, ax = new_axes(height=3.2)
model_plots.draw_intervals(
    ranked_parts,
    ax,
    title=f"{cqr['coverage']:.0%} inside; {from_zero:.0%} of the intervals begin at 0",
    detail="every tenth song, by expected popularity; bars are 90 % intervals of random folds",
)
book.figure(
    "intervals",
    fig,
    caption="Prediction intervals and what came true.",
    alt=f"Vertical bars of intervals with points; {cqr['coverage']:.0%} of the points are inside.",
)

# %% [markdown]
# Nine of ten is promised over many songs and folds; a single fold may be a little off. Is it, and
# what is the flexible width worth?

# %%
book.say(
    f"Promised are 90 %, found **{cqr['coverage']:.1%}** ± "
    f"{spread_of_share(cqr['coverage'], len(df)):.1%} by the draw of songs "
    f"({cqr['lowest fold']:.1%} to {cqr['highest fold']:.1%} in single folds), with a mean width "
    f"of **{cqr['mean width']:.1f} points** against {constant['mean width']:.1f} for one width "
    f"({'%.0f %%' % (100 * abs(narrower))} {'narrower' if narrower > 0 else 'wider'}). "
    f"{from_zero:.0%} of the intervals begin at 0: of these songs the model only says how popular "
    "they are at most."
)
assert 0.85 < cqr["coverage"] < 0.95

# %% [markdown]
# ### What does the model go by?
#
# The model of the one split predicts songs of its test part again, each time with one group of
# columns shuffled: the more it loses, the more it leaned on them. Columns that measure nearly the
# same, such as loudness and energy, are shuffled together: alone, each would look useless, since
# the other still tells. The songs are dealt into parts, each with a shuffle of its own, so the
# spread over parts is that of songs and shuffles; the model is one and the same.

# %%
auc = book.number("auc_zero", float(roc_auc_score(y == 0, parts["random folds"]["zero"])))
asked, n_parts = test[:900], 6
importance = popularity.measure_importance(model, X.iloc[asked], y[asked], n_repeats=n_parts)
first, second = importance.index[:2]
certain = importance["mean"] > spread_of_mean(importance["sd"], n_parts)
sound = importance.loc[["loudness, energy", "danceability, valence", "tempo, metre"], "mean"].sum()
fig, ax = new_axes(height=3.2)
model_plots.draw_importance(
    importance,
    ax,
    title=f"This model leans most on {first} and {second}",
    detail=f"{len(asked):,} songs of the split's test part; bars: sd between {n_parts} parts",
)
book.figure(
    "importance",
    fig,
    caption="Permutation importance of the raw columns.",
    alt=f"Sorted bars of the loss of accuracy; {first} and {second} lead.",
)

# %% [markdown]
# Is it the music? Three groups of sound columns are added up, to stand beside the two groups that
# lead.

# %%
book.say(
    f"Shuffling **{first}** costs {importance['mean'].iloc[0]:.1f} points and **{second}** "
    f"{importance['mean'].iloc[1]:.1f}; loudness, energy, danceability, valence, tempo and metre "
    f"together {sound:.1f}. {certain.sum()} of {len(importance)} groups cost more than nothing by "
    f"a 95 % interval. In the random folds the zeros are told from the rest with an AUC of "
    f"{auc:.2f}. None of this is a cause: a date does not make a song popular, but it says how old "
    "the song is and on which release it stands."
)

# %% [markdown]
# What does it predict if only the sound changes? Partial dependence gives one value of a column to
# all songs and averages the predictions.

# %%
three = ["loudness", "danceability", "acousticness"]
dependence = popularity.measure_dependence(model, X.iloc[test[:200]], three, n_points=6)
reach = dependence.groupby("column")["mean"].agg(np.ptp)
fig, axes = new_axes(height=2.4, cols=3, sharey=True)
model_plots.draw_dependence(dependence, axes)
fig.suptitle(
    f"One of these alone moves the prediction by {reach.max():.1f} points at most",
    x=0.01,
    ha="left",
    fontsize=10,
    fontweight="bold",
    wrap=True,
)
book.figure(
    "dependence",
    fig,
    caption="Partial dependence of the prediction on three features of the sound.",
    alt="Three lines: mean prediction by loudness, danceability and acousticness.",
)

# %% [markdown]
# ### Where is it wrong?
#
# First by decade and by genre (that of the rule of exercise 1), then song by song. A mean residual
# other than 0 would be a bias.

# %%
decade = patterns.describe_date(df)["year"] // 10 * 10
decades = popularity.summarise_residuals(y, predicted[("random folds", ours)], decade)
decades.index = [f"{int(start)}s" for start in decades.index]
biased = int((decades["mean"].abs() > decades["error"]).sum())
genre = X["genres"].map(label_from_genres)
genres = popularity.summarise_residuals(y, predicted[("random folds", ours)], genre)
genres = genres.sort_values("mean")
odd = int((genres["mean"].abs() > genres["error"]).sum())
verb = "is" if odd == 1 else "are"

# %% [markdown]
# A group is called over- or underrated only if its 95 % interval leaves out 0: a decade with few
# songs may be far off by chance.

# %%
fig, (upper, lower) = new_axes(height=4.6, rows=2)
model_plots.draw_residuals(
    decades,
    upper,
    title=f"{biased} of {len(decades)} decades are clearly over- or underrated",
    detail="mean of true − predicted over random folds, 95 % intervals; groups with 30 songs",
)
model_plots.draw_residuals(genres, lower, title=f"{odd} of {len(genres)} genres {verb}")
book.figure(
    "residuals",
    fig,
    caption="Mean residual by decade of release and by genre.",
    alt=f"Mean residuals; {biased} of {len(decades)} decades and {odd} of {len(genres)} genres "
    "have intervals that leave out 0.",
)

# %% [markdown]
# Now single songs: the four that are overrated most, then the four that are underrated most. Is
# there anything strange about them?

# %%
table = df[["artist_name", "track_name", "release_date", "popularity"]].assign(
    predicted=predicted[("random folds", ours)].round(0).astype(int)
)
table["error"] = table["popularity"] - table["predicted"]
order = table["error"].sort_values().index
table.loc[[*order[:4], *order[:-5:-1]]]

# %% [markdown]
# Four songs are anecdotes. Of the hundredth that is overrated most, how many are at 0?

# %%
worst = table.loc[order[: len(order) // 100]]
book.say(
    f"Among the 1 % of songs that are overrated most, **{(worst['popularity'] == 0).mean():.0%} "
    f"have popularity 0** (of all songs: {zero_share:.0%}): all that the model sees speaks for a "
    "known song."
)

# %% [markdown]
# ## 2.2 How to handle `genres`
#
# A song has a *list* of micro-genres, which Spotify takes from its artist. What is in these lists?

# %%
facts = genre_graph.summarise_genres(df)
book.number("n_micro_genres", int(facts["micro-genres"]))
book.table("genres", pd.Series(facts, name="value").rename_axis("fact").to_frame()).round(3)

# %% [markdown]
# The ways compared; all else in the model is equal (audio, date and title; boosted trees).
#
# | way | idea | empty list |
# | --- | --- | --- |
# | none | leave genres out | – |
# | macro-genre (rule) | exercise 1: one word for the whole list | no column |
# | multi-hot | a column for each of the 100 most frequent micro-genres | all zero |
# | graph communities | micro-genres that share songs form families; shares of the families | zero |
# | mutual information | micro-genres get places by their company; the mean place | the origin |
# | NMF | the lists as sums of non-negative parts | all zero |
# | target encoding | mean popularity of a micro-genre's songs, out of fold | the overall mean |
# | SVD | the lists' main directions: micro-genres that share songs share an axis | the origin |
# | target encoding + SVD | the columns of both | as above |
#
# Five folds of a shuffle that served for no choice.

# %%
ways = popularity.make_genre_models(label_from_genres)
other_folds = list(KFold(5, shuffle=True, random_state=4).split(df))
answers = {name: predict_folds(way, X, y, other_folds) for name, way in ways.items()}
compared = pd.DataFrame(
    {name: popularity.summarise_folds(y, said, other_folds) for name, said in answers.items()}
).T
compared["gain over none"] = compared.loc["none", "RMSE"] - compared["RMSE"]
book.table("genre_ways", compared.rename_axis("way")).round(2)

# %% [markdown]
# The figure shows the spread over the folds. They are the same for all ways, so two of them may
# differ for sure although their spreads overlap.

# %%
candidates = compared.drop(index=["mean popularity", "none"])
book.number("n_genre_ways", len(candidates))
winner, runner_up = candidates["RMSE"].nsmallest(2).index
ahead = evidence.measure_gain(y, answers[runner_up], answers[winner], artists)
fig, ax = new_axes(height=3.8)
model_plots.draw_scores(
    compared.drop(index="mean popularity"),
    ax,
    title=f"Smallest error: {winner}",
    detail=f"same trees, same {len(other_folds)} folds; the mean alone: "
    f"{compared['RMSE'].iloc[0]:.1f}",
    highlight=winner,
)
book.figure(
    "genre_ways",
    fig,
    caption="RMSE of one model with different encodings of the genre lists.",
    alt=f"Points with spread for the encodings; {winner} has the smallest RMSE.",
)

# %% [markdown]
# Is the extra machinery worth it? Beside the gain of the best way stands the share of it that one
# word, or plain columns, would keep.

# %%
gain = candidates["gain over none"]
book.number("genre_gain", float(gain.max()))
best_way = winner if ahead[1] > 0 else f"{winner} or {runner_up}"
book.say(
    f"**{winner}** has the smallest error: {gain[winner]:.2f} points less than no genres. Before "
    f"{runner_up} it is by {ahead[0]:.2f} ({ahead[1]:.2f} to {ahead[2]:.2f}, drawing artists)"
    f"{'' if ahead[1] > 0 else ', which may be luck'}. The weakest way, {gain.idxmin()}, gains "
    f"{gain.min():.2f}. "
    f"With {facts['micro-genres']:.0f} micro-genres, "
    f"{facts['micro-genres in one song only (share)']:.0%} of them in a single song, "
    f"one word for a list keeps {gain['macro-genre (rule)'] / gain.max():.0%} of the gain and a "
    f"column for each frequent one {gain['multi-hot, 100 frequent'] / gain.max():.0%}."
)
assert candidates["RMSE"].min() < compared.loc["none", "RMSE"]

# %% [markdown]
# ### A map of genres
#
# Two micro-genres are close if songs carry both more often than chance has it (positive pointwise
# mutual information); t-SNE lays the most frequent ones out on a plane.

# %%
places = genre_graph.map_genres(df, n_genres=40)
ranked = places[places["songs"] >= 20].sort_values("popularity")
fig, ax = new_axes(height=5.4)
plots.draw_genre_map(
    places,
    ax,
    title=f"Neighbours share songs; {ranked.index[-1]} is most popular, {ranked.index[0]} least",
    detail=f"{len(places)} most frequent micro-genres; area: songs; axes have no unit",
)
book.figure(
    "genre_map",
    fig,
    caption="Map of the most frequent micro-genres.",
    alt="Scatter of micro-genres with names, coloured by mean popularity.",
)

# %% [markdown]
# Colour is popularity. Islands of one colour would say that the company a micro-genre keeps tells
# something about it.

# %%
book.say(
    "The map was made from company alone. Mean popularity runs from "
    f"{ranked['popularity'].iloc[0]:.0f} points ({ranked.index[0]}) to "
    f"{ranked['popularity'].iloc[-1]:.0f} ({ranked.index[-1]}): this is what the target encoding "
    "uses."
)

# %% [markdown]
# ### Families of micro-genres
#
# The same company, as a graph: micro-genres are its nodes, mutual information its edges. Spectral
# clustering cuts it into communities, which are named by their two most frequent members.

# %%
communities = genre_graph.GenreCommunities(n_communities=16).fit(df)
families = genre_graph.summarise_communities(communities, df)
families.head(12).round(1)

# %% [markdown]
# Fewer names are only worth having if they still cover the songs, and if they lose little of what
# the micro-genres knew.

# %%
named = communities.name_songs(df)
book.number("n_communities", len(families))
book.say(
    f"{len(families)} families replace {facts['micro-genres']:.0f} micro-genres and still name "
    f"{named.notna().mean():.0%} of the songs; **{families.index[0]}** has the highest mean "
    f"({families['popularity'].iloc[0]:.0f} points), **{families.index[-1]}** the lowest "
    f"({families['popularity'].iloc[-1]:.0f}). They are for reading: in the comparison above they "
    f"keep {gain['graph communities, 16'] / gain.max():.0%} of the best gain."
)

# %% [markdown]
# ## 2.3 What the data shows
#
# ### A century of songs
#
# Median and middle half of the songs by year; years with few songs are pooled with their
# neighbours, so the early decades are one or two points. For explicit lyrics, the share of songs
# and its 95 % interval.

# %%
songs = df.assign(duration_min=df["duration_ms"] / 60_000)
columns = ["acousticness", "energy", "loudness", "duration_min", "valence", "explicit"]
years = patterns.summarise_years(songs, columns, min_songs=120)
early, late = songs[decade < 1980], songs[decade >= 2010]
moved = {name: evidence.estimate_change(early[name], late[name]) for name in columns[:-1]}
change = {name: value for name, (value, _) in moved.items()}
book.number("loudness_change_db", change["loudness"])
book.number("loudness_change_spread", moved["loudness"][1])
change["explicit"] = late["explicit"].mean() - early["explicit"].mean()

# %% [markdown]
# The change in the title is that between the medians of two groups of songs, before 1980 and since
# 2010: single early years have too few.

# %%
fig, axes = new_axes(height=4.2, rows=2, cols=3, sharex=True)
plots.draw_years(years, axes)
fig.suptitle(
    f"Medians before 1980 and since 2010: loudness {change['loudness']:+.1f} dB, "
    f"acousticness {change['acousticness']:+.2f}, valence {change['valence']:+.2f}",
    x=0.01,
    ha="left",
    fontsize=10,
    fontweight="bold",
    wrap=True,
)
book.figure(
    "years",
    fig,
    caption="Audio features by year of release: median and middle half; explicit: share.",
    alt="Six small panels over the years: acousticness, energy, loudness, duration, valence and "
    "explicit lyrics.",
)

# %% [markdown]
# All six changes in numbers, with 95 % intervals and one reason to distrust them.

# %%
n_early, n_late = len(early), len(late)
reach = np.hypot(
    spread_of_share(early["explicit"].mean(), n_early),
    spread_of_share(late["explicit"].mean(), n_late),
)
book.say(
    f"Between the {n_early:,} songs before 1980 and the {n_late:,} since 2010 the median of "
    f"loudness rose by **{change['loudness']:+.1f} ± {moved['loudness'][1]:.1f} dB**, that of "
    f"energy by {change['energy']:+.2f} ± {moved['energy'][1]:.2f}, of acousticness by "
    f"{change['acousticness']:+.2f} ± {moved['acousticness'][1]:.2f}, of valence by "
    f"{change['valence']:+.2f} ± {moved['valence'][1]:.2f}, of duration by "
    f"{60 * change['duration_min']:+.0f} ± {60 * moved['duration_min'][1]:.0f} s; the share of "
    f"explicit lyrics by {100 * change['explicit']:+.0f} ± {100 * reach:.0f} percentage points. "
    "Survival has a hand in this: of the old "
    "songs, a streaming service keeps those that are still heard."
)

# %% [markdown]
# ### The loudness war
#
# Records were mastered ever louder, since the louder of two sounds better at first; streaming
# services now play all of them at one level, and the reason is gone.

# %%
line = years[years["column"] == "loudness"].set_index("year").sort_index()
mids = line["mid"]
spread = evidence.spread_of_median(line["low"], line["high"], line["songs"])
loudest = mids.idxmax()
after = mids.iloc[-1] - mids.max()
after_spread = np.hypot(spread.iloc[-1], spread[loudest])
rivals = mids.index[mids.max() - mids < np.hypot(spread, spread[loudest])]
fig, ax = new_axes(height=2.8)
plots.draw_loudness(
    years,
    ax,
    title=f"Loudest median in {loudest:.0f}, the last {after:+.1f} ± {after_spread:.1f} dB",
    detail="median song and middle half, by year of release; years of few songs are pooled",
)
book.figure(
    "loudness",
    fig,
    caption="Loudness by year of release.",
    alt=f"A line of median loudness that peaks in {loudest:.0f} at {mids.max():.1f} dB.",
)

# %% [markdown]
# A war has a beginning and an end. How far up was it from the years before 1980, and what has
# happened since the loudest year?

# %%
before_war = early["loudness"].median()
book.say(
    f"The median song of the loudest year ({loudest:.0f}) is at **{mids.max():.1f} ± "
    f"{spread[loudest]:.1f} dB**, {mids.max() - before_war:.1f} dB above the median song before "
    f"1980. The newest year's median is {abs(after):.1f} ± {after_spread:.1f} dB "
    f"{'below' if after < 0 else 'above'} it; but the loudest of {len(mids)} years was picked for "
    f"being so, and {len(rivals)} years, {rivals.min():.0f} to {rivals.max():.0f}, are not clearly "
    "quieter. These are the dates of *releases*: an old song that was remastered in the war counts "
    "as loud."
)

# %% [markdown]
# ### Correlation is not cause
#
# The year of release moves both the sound of songs and their popularity today. What is left of a
# correlation among songs of the same year?

# %%
audio = ["acousticness", "loudness", "energy", "danceability", "valence", "instrumentalness"]
paired = patterns.compare_correlations(df, audio)
shrunk = (paired["all songs"].abs() - paired["same year"].abs()).sort_values(ascending=False)
case = paired.loc[shrunk.index[0]]
fig, ax = new_axes(height=2.8)
plots.draw_correlations(
    paired.loc[shrunk.index[::-1]],
    ax,
    title=f"{shrunk.index[0]}: {case['all songs']:+.2f} over all songs, "
    f"{case['same year']:+.2f} in one year",
    detail=f"{len(df):,} songs; second: less each year's mean",
)
book.figure(
    "correlation",
    fig,
    caption="Correlation of sound and popularity, over all songs and within a year.",
    alt=f"Pairs of points; {shrunk.index[0]} goes from {case['all songs']:+.2f} to "
    f"{case['same year']:+.2f}.",
)

# %% [markdown]
# The two ends of the figure are the ones to think about: where the year explains most of the
# correlation, and where it hides some.

# %%
book.say(
    f"**{shrunk.index[0]}** correlates over all songs at {case['all songs']:+.2f} (all of these "
    f"are ± {1.96 / np.sqrt(len(df)):.2f} by the draw of songs); "
    f"among songs of the same year {case['same year']:+.2f} is left. *{shrunk.index[-1]}* goes the "
    f"other way, from {paired.loc[shrunk.index[-1], 'all songs']:+.2f} to "
    f"{paired.loc[shrunk.index[-1], 'same year']:+.2f}. What looks like an effect of the sound may "
    "be one of age, or be hidden by it."
)

# %% [markdown]
# ### Artists
#
# How much does an artist's name say? The intraclass correlation is the likeness of two songs of one
# artist: 1 if they are equally popular, 0 if they are like any two songs.

# %%
known = patterns.summarise_artists(df, min_songs=8)
alike, *alike_ends = evidence.estimate_likeness(df, "artist_name")
above, *above_ends = evidence.estimate_likeness(df[y > 0], "artist_name")
book.number("artist_likeness", alike)
shown = pd.concat([known.iloc[:8], known.iloc[-4:]]) if len(known) > 12 else known
mixed = (known["zero"] > 0).mean()
fig, ax = new_axes(height=3.6)
plots.draw_artists(
    shown,
    ax,
    title=f"{mixed:.0%} of these artists have songs at 0",
    detail=f"most and least popular of {len(known)} with 8 songs; point: mean, bar: songs above 0",
)
book.figure(
    "artists",
    fig,
    caption="Popularity of the songs of single artists.",
    alt=f"Horizontal bars for {len(shown)} artists: span and mean of their songs' popularity, and "
    "the share of their songs at 0.",
)

# %% [markdown]
# The zeros may hide how alike an artist's songs are. So the likeness is measured with them and
# without them; intervals draw artists.

# %%
apart = above_ends[0] > alike_ends[1]
book.say(
    f"Two songs of one artist are alike with an intraclass correlation of **{alike:.2f}** "
    f"({alike_ends[0]:.2f} to {alike_ends[1]:.2f}); among songs above 0 it is **{above:.2f}** "
    f"({above_ends[0]:.2f} to {above_ends[1]:.2f})."
    + (
        " The name says how popular a song is if it counts, and less about whether it counts."
        if apart
        else " The two do not clearly differ."
    )
)

# %% [markdown]
# ### Days and months of release
#
# Dates of 1 January are left out: on Spotify they often mean "some day of that year".

# %%
weekdays = patterns.count_weekdays(df)
friday = weekdays.loc["Fri"]
months = patterns.summarise_months(df)
season = months.attrs["explained"]
overall = float((months["share"] * months["popularity"]).sum())
stand_out = int(((months["popularity"] - overall).abs() > months["error"]).sum())
book.number("friday_before", float(friday["before"]))
book.number("friday_since", float(friday["since"]))
friday_spread = {name: spread_of_share(friday[name], n) for name, n in weekdays.attrs["n"].items()}

# %% [markdown]
# Left the days of the week, before and since July 2015; right the months, for which popularity is
# the question.

# %%
fig, (left, right) = new_axes(height=2.8, cols=2)
plots.draw_weekdays(
    weekdays,
    left,
    title=f"Friday: {friday['before']:.0%} → {friday['since']:.0%}",
    detail=f"{sum(weekdays.attrs['n'].values()):,} dated releases",
)
plots.draw_months(
    months,
    right,
    title=f"{stand_out} of 12 months {'stands' if stand_out == 1 else 'stand'} out",
    detail="means with 95 % intervals",
)
book.figure(
    "season",
    fig,
    caption="Weekday of release before and since July 2015; popularity by month of release.",
    alt=f"Bars: Friday holds {friday['since']:.0%} of the releases since July 2015. Points: mean "
    "popularity by month.",
)

# %% [markdown]
# A month stands out if its 95 % interval leaves out the mean of all songs. Of twelve such
# intervals, one may well do so by luck.

# %%
book.say(
    f"**Friday** has {friday['before']:.0%} ± {friday_spread['before']:.0%} of the releases before "
    f"July 2015, when the industry agreed on a common day, and {friday['since']:.0%} ± "
    f"{friday_spread['since']:.0%} since. Of the months, {stand_out} of 12 are apart from the mean "
    f"of all ({overall:.0f} points) by their 95 % intervals, and "
    f"the month explains {season:.1%} of the variance of popularity."
)

# %% [markdown]
# ### Keys and modes
#
# Is a minor key a handicap? Twelve keys, each in major and minor, are 24 groups of songs.

# %%
keys = patterns.summarise_keys(df)
major = float(keys["major"].sum())
explained = patterns.measure_explained(df, ["key", "mode"])
top_key = keys["major"].idxmax()
fig, ax = new_axes(height=2.6)
plots.draw_keys(
    keys,
    ax,
    title=f"{major:.0%} of the songs are in major; {top_key} major leads",
    detail=f"key and mode explain {explained:.1%} of the variance of popularity",
)
book.figure(
    "keys",
    fig,
    caption="Share of songs by key and mode.",
    alt=f"Bars by key, major above and minor below the line; {top_key} major is the most frequent.",
)

# %% [markdown]
# Any 24 groups explain a little of the variance, even if songs were dealt out to them at random.
# That little is the yardstick.

# %%
book.say(
    f"**{major:.0%}** of the songs are in major, {top_key} is the most used major key. Key and "
    f"mode explain {explained:.1%} of the variance of popularity, where 24 groups dealt out by "
    f"chance explain {23 / (len(df) - 1):.1%}."
)

# %% [markdown]
# ## What we found, and the limits
#
# One sentence for the three questions of the exercise.

# %%
book.answer(
    f"Popularity can be predicted to {best.RMSE:.1f} points (RMSE; artists never seen: "
    f"{grouped.RMSE:.1f}; the mean: {mean.RMSE:.1f}), and the model leans most on {first} and "
    f"{second}; of the ways to handle genre lists, {best_way} has the smallest error; "
    f"{zero_share:.0%} of the songs are at 0, and of two rows with the same measurements one is at "
    f"0 and the other not in {one_dead:.0%} (by chance: {by_chance:.0%})."
)

# %% [markdown]
# The evidence for each of the three, and what it does not show.

# %%
book.say(
    f"""
- **Popularity**: RMSE {best.RMSE:.1f} in random folds, {grouped.RMSE:.1f} for unseen artists,
  against {mean.RMSE:.1f} for the mean; 90 % intervals hold {cqr["coverage"]:.1%} and are
  {cqr["mean width"]:.0f} points wide. The zeros are told from the rest with an AUC of {auc:.2f}.
- **Genres**: {winner} has an error {gain.max():.1f} points below that without genres.
- **Patterns**: the median of loudness rose by {change["loudness"]:+.1f} dB; Friday has
  {friday["since"]:.0%} of the releases since 2015; key and mode explain {explained:.1%} of the
  variance of popularity.
- **Limits**: popularity is a number of the day Spotify was asked; micro-genres are
  the artist's, not the song's; importance is not causation; settings were chosen on other folds of
  the same songs, so that a table never seen might be predicted a little worse.
"""
)
