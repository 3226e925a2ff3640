// Which recording is this? The identifier of aares/identify, in the browser and on its own: index,
// votes, evidence at a place, ways to search, the answer. What an excerpt holds is heard by hear.js.
"use strict";
(() => {
  const { abs, floor, fround, log1p, max, min, sqrt, trunc } = Math;
  const { Query, pairPeaks, rint, roundTo, multiply } = AARES.hearing;
  const K = AARES.data.identifier;
  const BLOCK_STEPS = K.block_frames * K.steps;
  const WAYS = Object.keys(K.shares); // the cheapest first

  // --- the index: peaks of the recordings, one after another; their hashes are made here -----------

  const index = openIndex();

  function openIndex() {
    const counts = AARES.read(K.counts), words = AARES.read(K.words);
    const blocks = [0], starts = [], ends = [], postings = new Map();
    let peak = 0, row = 0;
    for (const { n_blocks: nBlocks } of K.songs) {
      const time = [], bin = [], start = blocks.length - 1;
      for (let block = 0; block < nBlocks; block += 1, row += 1) {
        for (let k = 0; k < counts[row]; k += 1, peak += 1) {
          time.push(block * K.block_frames + ((words[peak] >> 9) & 31));
          bin.push(words[peak] & 511);
        }
        blocks.push(peak);
      }
      const own = pairPeaks(Float32Array.from(time), Float32Array.from(bin), K.fan_out);
      own.hashes.forEach((hash, i) => {
        if (!postings.has(hash)) postings.set(hash, []);
        postings.get(hash).push(start * K.block_frames + time[own.anchors[i]]);
      });
      starts.push(start);
      ends.push(start + nBlocks);
      for (let gap = 0; gap < K.gap_blocks; gap += 1) blocks.push(peak);
    }
    const total = [...postings.values()].reduce((sum, list) => sum + list.length, 0);
    return { blocks, words, starts, ends, postings, total };
  }

  /** Return the row of the recording to which a place belongs; a gap belongs to the one after it. */
  function locate(place) {
    const row = index.ends.findIndex((end) => floor(place / BLOCK_STEPS) < end);
    return row < 0 ? K.songs.length - 1 : row;
  }

  // --- votes -------------------------------------------------------------------------------------

  /** Choose which hashes vote, the rarest first: return a flag for each. */
  function chooseRare(counts, budget) {
    const chosen = counts.map((count) => count > 0);
    if (counts.reduce((a, b) => a + b, 0) <= budget) return chosen;
    const tally = new Array(budget + 2).fill(0);
    for (const count of counts) tally[min(count, budget + 1)] += 1;
    let limit = 1, left = budget;
    for (; tally[limit] * limit <= left; limit += 1) left -= tally[limit] * limit;
    let quota = floor(left / limit);
    counts.forEach((count, i) => {
      if (count === limit && quota) quota -= 1;
      else if (count >= limit) chosen[i] = false;
    });
    return chosen;
  }

  /** Let hashes as they were heard vote before blurred ones, which have what is left. */
  function chooseWeighty(hashed, counts, budget) {
    const heard = chooseRare(counts.map((count, i) => (hashed[i].weight >= 1 ? count : 0)), budget);
    const left = budget - counts.reduce((sum, count, i) => sum + (heard[i] ? count : 0), 0);
    const blurred = chooseRare(counts.map((n, i) => (hashed[i].weight >= 1 ? 0 : n)), left);
    return heard.map((chosen, i) => chosen || blurred[i]);
  }

  /** Find the places for which most hashes vote; rare hashes count more than common ones. */
  function findPlaces(hashed, look) {
    const lists = hashed.map(({ hash }) => index.postings.get(hash) ?? []);
    const counts = lists.map((list) => list.length);
    const chosen = chooseWeighty(hashed, counts, look.budget);
    const unit = 1 << K.weight_bits, total = Math.log2(index.total + 1);
    const votes = [];
    lists.forEach((list, i) => {
      if (!chosen[i]) return;
      const bits = max(total - Math.log2(counts[i]), 1);
      const weight = min(rint(bits * 64 * hashed[i].weight), unit - 1);
      for (const frame of list) votes.push((frame * K.steps - hashed[i].time) * unit + weight);
    });
    const sorted = Float64Array.from(votes).sort(); // a place above its weight
    return findCrowds(sorted, look.n_candidates, K.window_steps + K.steps * look.slack);
  }

  /** Return the places around which the sum of weights is highest, the best first. */
  function findCrowds(votes, most, window) {
    const unit = 1 << K.weight_bits, crowds = [];
    let first = 0, total = 0;
    const placeOf = (i) => floor(votes[i] / unit);
    const weightOf = (i) => votes[i] - placeOf(i) * unit;
    for (let last = 0; last < votes.length; last += 1) {
      total += weightOf(last);
      const place = placeOf(last);
      for (; placeOf(first) < place - window; first += 1) total -= weightOf(first);
      const centre = floor((placeOf(first) + place) / 2), votesHere = fround(total / 64);
      const before = crowds.at(-1);
      if (!before || centre - before.place > 2 * window) {
        crowds.push({ place: centre, votes: votesHere });
      } else if (total / 64 > before.votes) {
        Object.assign(before, { place: centre, votes: votesHere });
      }
    }
    return listHighest(crowds, min(most, crowds.length));
  }

  /** Return the highest, falling; where not all equal ones fit, evenly some. */
  function listHighest(crowds, n) {
    if (!n) return [];
    const limit = crowds.map((crowd) => crowd.votes).sort((a, b) => b - a)[n - 1];
    const above = crowds.filter((crowd) => crowd.votes > limit);
    const level = crowds.filter((crowd) => crowd.votes === limit);
    const left = n - above.length;
    above.sort((a, b) => b.votes - a.votes);
    const some = Array.from({ length: left }, (_, i) => level[floor((i * level.length) / left)]);
    return [...above, ...some];
  }

  // --- evidence ----------------------------------------------------------------------------------

  /**
   * Sum the evidence of the indexed peaks at a place and beside it, weighted by their strengths.
   * @param {{excess: Int8Array, power: {n: number}}} query
   * @param {number} place
   * @param {{speed: number, pitch: number}} at of the query
   * @param {number} refine so many steps to either side are tried
   * @returns {{score: number, place: number}} of order 1 at a wrong place, -Infinity where no peak is
   */
  function measure({ excess, power: { n } }, place, { speed, pitch }, refine) {
    const { blocks, words } = index, width = 2 * refine + 1, height = speed * pitch;
    const sums = new Int32Array(width), squares = new Int32Array(width);
    const low = max(floor((place - refine) / BLOCK_STEPS), 0);
    const end = floor((place + refine + trunc(n * speed)) / BLOCK_STEPS) + 1;
    for (let block = low; block < min(end, blocks.length - 1); block += 1) {
      for (let k = blocks[block]; k < blocks[block + 1]; k += 1) {
        const word = words[k], bin = rint((word & 511) * height);
        if (bin >= K.n_bins) continue;
        const t = (block * K.block_frames + ((word >> 9) & 31)) * K.steps - place;
        const weight = K.strength_weights[word >> 14];
        for (let r = 0; r < width; r += 1) {
          const step = rint((t + refine - r) / speed);
          if (step < 0 || step >= n) continue;
          sums[r] += weight * excess[bin * n + step];
          squares[r] += weight * weight;
        }
      }
    }
    const best = { score: -Infinity, place };
    for (let r = 0; r < width; r += 1) {
      const score = sums[r] / (K.eighths * fround(sqrt(fround(max(squares[r], 1)))));
      if (squares[r] > 0 && score > best.score) {
        best.score = fround(score);
        best.place = place + r - refine;
      }
    }
    return best;
  }

  /** Measure crowds of votes; return the best place of each recording, the best first. */
  function measureHits(query, at, crowds, slack = 0) {
    const hits = crowds.map((crowd) => {
      const { score, place } = measure(query, crowd.place, at, K.refine_steps + slack);
      const merit = score + K.votes_weight * Math.log(fround(1 + crowd.votes));
      return { ...at, score, place, votes: crowd.votes, merit, row: locate(place) };
    });
    return listBest(hits.filter((hit) => hit.score > -Infinity), K.n_hits);
  }

  /** Return the best hit of each recording. */
  function listBest(hits, most) {
    const best = new Map();
    for (const hit of hits.toSorted((a, b) => b.merit - a.merit)) {
      if (!best.has(hit.row)) best.set(hit.row, hit);
    }
    return [...best.values()].slice(0, most);
  }

  // --- ways to search ----------------------------------------------------------------------------

  function search(query, look, speed = 1, pitch = 1) {
    const crowds = findPlaces(query.hash(look, speed, pitch), look);
    return measureHits(query, { speed, pitch }, crowds, look.slack);
  }

  /** Return a speed and a pitch beside those of a hit, on the line that its bank follows. */
  function move(hit, change) {
    if (hit.speed === 1) return { speed: 1, pitch: hit.pitch * (1 + change) };
    const speed = hit.speed + change;
    return { speed, pitch: hit.pitch === 1 ? 1 : 1 / speed };
  }

  /** Measure the best hits of a bank again between the speeds and pitches of the bank. */
  function tune(query, hits) {
    const sorted = hits.toSorted((a, b) => b.merit - a.merit);
    return sorted.slice(0, 3).reduce(
      (tuned, hit) => [
        ...tuned,
        ...K.fine_speeds.flatMap((change) => measureHits(query, move(hit, change), [hit])),
      ],
      sorted,
    );
  }

  /** Give a hit the centre of the speeds at which it scores high: the highest is a chance's. */
  function settleSpeed(query, hit) {
    const scores = K.near_speeds.map(
      (change) => measure(query, hit.place, move(hit, change), 2 * K.refine_steps).score,
    );
    const highest = max(...scores);
    if (highest <= 0) return hit;
    const weights = scores.map((score) => max(score - K.settled * highest, 0) ** 2);
    const total = weights.reduce((a, b) => a + b, 0);
    return { ...hit, ...move(hit, multiply(weights, K.near_speeds) / total) };
  }

  /** Measure the breadth of a hit's evidence, and what is left of it beside the place. */
  function examine(query, hit) {
    const little = query.excess.map((x) => max(min(x, K.eighths), -K.eighths));
    const beside = K.beside.map((steps) => measure(query, hit.place + steps, hit, 0).score);
    return {
      breadth: max(measure({ ...query, excess: little }, hit.place, hit, 0).score, 0),
      beside: max(...beside, 0),
    };
  }

  /** Find the best candidates in one of the ways, one for each recording. */
  function rankCandidates(query, way) {
    let hits;
    if (way in K.banks) hits = tune(query, K.banks[way].flatMap((at) => search(query, K.looks.quick, ...at)));
    else hits = search(query, K.looks[way]);
    const chosen = listBest(hits, K.n_answers);
    const doubt = chosen.length ? examine(query, chosen[0]) : { breadth: 0, beside: 0 };
    if (way in K.banks && chosen.length) chosen[0] = settleSpeed(query, chosen[0]);
    const { ceiling, seconds, traits, novelty } = query;
    return { candidates: chosen, ...doubt, ceiling, seconds, ...traits, novelty };
  }

  // --- the answer --------------------------------------------------------------------------------

  /** Pick values by the names that the calibration has for them, in its order. */
  const pick = (names, values) =>
    names.map((name) => {
      if (!(name in values)) throw new Error(`identify.js has no ${name}, which the calibration asks for`);
      return values[name];
    });

  /** List what is known of an excerpt before its candidates are looked at. */
  function listCovariates({ seconds, ceiling, level_db: levelDb, stationarity }) {
    const logSeconds = Math.log(min(max(seconds, K.seconds[0]), K.seconds[1]));
    const logCeiling = log1p(max(ceiling, 0));
    return {
      log_seconds: logSeconds, level: levelDb / 10, stationarity, log_ceiling: logCeiling,
      log_seconds_squared: max(logSeconds - K.usual_log_seconds, K.least_bend) ** 2,
      log_ceiling_squared: logCeiling ** 2, log_ceiling_seconds: logSeconds * logCeiling,
    };
  }

  /** Return what a score is worth of an excerpt that repeats. */
  const countOnce = (score, novelty) => (score > 0 ? score * sqrt(novelty) : score);

  /** Tell how the best candidate stands out. */
  function describe(ranking) {
    const { candidates, ceiling, beside, novelty } = ranking;
    const rows = candidates.map(({ score, votes }) => [score, log1p(votes)]);
    while (rows.length < 2 + K.n_rivals) rows.push(K.usual_rival);
    const rivals = rows.slice(2, 2 + K.n_rivals);
    const lead = (column) =>
      rows[0][column] - rivals.reduce((sum, row) => sum + row[column], 0) / K.n_rivals;
    const [found, votes] = rows[0], leadVotes = lead(1);
    const { log_seconds: logSeconds, level } = listCovariates(ranking);
    const told = {
      score: countOnce(found, novelty), stand_out: countOnce(lead(0), novelty),
      log_votes: votes, lead_votes: leadVotes,
      lead_votes_squared: leadVotes * abs(leadVotes), ceiling,
      share: min(found / max(ceiling, 1), 1), log_seconds: logSeconds,
      breadth: countOnce(ranking.breadth, novelty),
      beside: beside / max(found, 1), level,
    };
    for (const [name, value] of Object.entries(told)) told[`${name}_level`] = value * level;
    return told;
  }

  /** Tell how likely an excerpt of no indexed recording has as good a candidate, however unlikely. */
  function extrapolateTail(ranking, way) {
    const highest = ranking.candidates[0]?.score ?? 0;
    if (countOnce(highest, ranking.novelty) < K.least_score) return 1;
    const known = K.calibration[way];
    const inputs = [1, ...pick(K.covariates, listCovariates(ranking))];
    const total = multiply(known.weights, pick(K.features, describe(ranking)));
    const scale = Math.exp(multiply(known.scale, inputs));
    const size = max(K.songs.length, K.least_recordings) / K.calibration.n_recordings;
    const growth = size > 1 ? scale : min(known.growth, scale);
    const start = multiply(known.start, inputs) + growth * Math.log(size);
    if (total < start) return 1;
    const tail = (known.rate / K.shares[way]) * Math.exp((start - total) / scale);
    return max(min(tail, 1), 1e-300);
  }

  /** Accept the best candidate, or none: "match", "unknown" or "nothing" to identify. */
  function choose(query, ranking, way) {
    const heard = ranking.ceiling >= K.least_ceiling;
    const tail = heard ? extrapolateTail(ranking, way) : 1;
    const candidates = ranking.candidates.map((hit) => ({
      ...hit,
      song: K.songs[hit.row],
      offset_s: roundTo(((hit.place - index.starts[hit.row] * BLOCK_STEPS) * K.step_length) / K.rate_hz, 3),
      speed: roundTo(hit.speed, 4),
      pitch: roundTo(hit.pitch, 4),
    }));
    const match = tail <= K.threshold ? candidates[0] : null;
    return {
      reason: match ? "match" : heard ? "unknown" : "nothing",
      match, candidates, tail, way, query,
      p_false: heard ? max(tail, K.calibration.floor) : 1,
      twins: candidates.slice(1).filter((c) => match && c.score >= K.twin_share * match.score),
    };
  }

  /** Compare two answers by a list of keys, the lower the better. */
  const isBetter = (a, b) => {
    for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return a[i] < b[i];
    return false;
  };
  const chooseBest = (answers, keys) =>
    answers.reduce((best, answer) => (isBetter(keys(answer), keys(best)) ? answer : best));

  /** Search one way after another until a recording is accepted. */
  async function answerQuery(query, rest) {
    const answers = [];
    for (const way of WAYS) {
      answers.push(choose(query, rankCandidates(query, way), way));
      if (answers.at(-1).match) break;
      await rest();
    }
    // Where all are as unsure, the thorough look names the candidate: it is right in more noise.
    const order = [...answers.slice(0, 2).reverse(), ...answers.slice(2)];
    return chooseBest(order, ({ match, p_false, tail }) => [match ? 0 : 1, p_false, tail]);
  }

  /** Tell where the windows of a long excerpt begin: spread evenly, at most eight. */
  function listWindows(n) {
    if (n <= K.window) return [0];
    const count = min(K.max_windows, Math.ceil(n / K.window));
    return Array.from({ length: count }, (_, i) => rint((i * (n - K.window)) / (count - 1)));
  }

  /**
   * Tell which recording an excerpt comes from, and where in it.
   * @param {Float32Array} y mono at 8 kHz; of more than 15 s the surest window counts
   * @param {() => Promise<void>} rest is waited for between the steps, so that the page stays alive
   * @returns {Promise<object>} reason, match, p_false, candidates, twins, way, query, start_s
   */
  async function identify(y, rest = async () => {}) {
    const answers = [];
    for (const start of listWindows(y.length)) {
      await rest();
      const query = new Query(y.subarray(start, start + K.window));
      const answer = await answerQuery(query, rest);
      const start_s = start / K.rate_hz;
      for (const c of answer.candidates) c.offset_s = roundTo(c.offset_s - start_s * c.speed, 3);
      answers.push({ ...answer, start_s });
    }
    return chooseBest(answers, ({ p_false, tail }) => [p_false, tail]);
  }

  /**
   * List the hashes that agree on a candidate's place, and where all others of the query vote for.
   * @param {object} answer of `identify`
   * @param {object} hit one of its candidates
   * @returns {{ends: number[][], places: number[]}} of each hash that agrees, step and bin of both
   *   peaks in the query; of all hashes that its recording has too, the second where it would begin
   */
  function traceHashes({ query, way }, hit) {
    const look = K.looks[way] ?? K.looks.quick;
    const { place, row, speed, pitch } = hit, ends = [], places = [];
    const first = index.starts[row] * K.block_frames, last = index.ends[row] * K.block_frames;
    const near = K.window_steps + K.steps * look.slack;
    // Found between the speeds of a bank, it is drawn with the bank's nearest.
    const bank = K.banks[way] ?? [[1, 1]];
    const away = ([s, p]) => abs(s - speed) + abs(p - pitch);
    const at = bank.reduce((best, one) => (away(one) < away(best) ? one : best));
    for (const { hash, time, weight, ends: own } of query.hash(look, ...at)) {
      for (const frame of index.postings.get(hash) ?? []) {
        if (frame < first || frame >= last) continue;
        const here = frame * K.steps - time;
        if (weight === 1) places.push(((here - first * K.steps) * K.step_length) / K.rate_hz);
        if (abs(here - place) <= near) ends.push(own);
      }
    }
    return { ends, places };
  }

  AARES.identifier = { identify, traceHashes };
})();
