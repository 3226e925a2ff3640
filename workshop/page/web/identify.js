// Which recording is this? The identifier of aares/identify, in the browser and on its own.
//
// Each step rounds where Python's rounds, so that hashes, scores and answers are the same: what is
// single precision there passes through `fround` or a Float32Array here. All constants, the
// calibration and the index come from data-identifier.js, which workshop/page/sounds.py writes.
// Units are Python's: a frame is 32 ms, a step half of it, a place is a step of the whole index.
"use strict";
(() => {
  const { abs, floor, fround, log1p, max, min, sqrt, trunc } = Math;
  const K = AARES.data.identifier;
  const BLOCK_STEPS = K.block_frames * K.steps;
  const WAYS = Object.keys(K.shares); // the cheapest first

  /** Round half to even, as numpy does. */
  const rint = (x) => {
    const near = Math.round(x);
    return near - x === 0.5 && near % 2 ? near - 1 : near;
  };
  const roundTo = (x, digits) => rint(x * 10 ** digits) / 10 ** digits;
  const multiply = (a, b) => a.reduce((total, x, i) => total + x * b[i], 0);
  const mean = (values) => values.reduce((total, x) => total + x, 0) / values.length;

  // --- peaks -------------------------------------------------------------------------------------

  const transform = new AARES.RealTransform(K.n_fft);
  const WINDOW = Float32Array.from(
    { length: K.n_fft },
    (_, i) => 0.5 + 0.5 * Math.cos((Math.PI * (2 * i - K.n_fft)) / K.n_fft),
  );

  /**
   * Compute a power spectrogram; no frame reaches over the ends.
   * @param {Float32Array} y signal at 8 kHz
   * @param {number} hop samples from frame to frame
   * @returns {{rows: Float32Array, n: number}} `n` frames of 512 bins, frame after frame
   */
  function computePower(y, hop) {
    const n = max(0, 1 + floor((y.length - K.n_fft) / hop));
    const rows = new Float32Array(n * K.n_bins);
    const frame = new Float32Array(K.n_fft);
    for (let t = 0; t < n; t += 1) {
      for (let i = 0; i < K.n_fft; i += 1) frame[i] = y[t * hop + i] * WINDOW[i];
      const found = transform.run(frame);
      rows[t * K.n_bins] = found[0] * found[0];
      for (let b = 1; b < K.n_bins; b += 1) {
        const re = found[2 * b - 1], im = found[2 * b];
        rows[t * K.n_bins + b] = fround(re * re) + fround(im * im);
      }
    }
    return { rows, n };
  }

  /** Tell whether a pixel is the highest within reach. */
  function isHighest({ rows, n }, t, b, [bins, frames]) {
    const height = rows[t * K.n_bins + b];
    const left = max(b - bins, 0), right = min(b + bins, K.n_bins - 1);
    for (let u = max(t - frames, 0); u <= min(t + frames, n - 1); u += 1) {
      for (let at = u * K.n_bins + left; at <= u * K.n_bins + right; at += 1) {
        if (rows[at] > height) return false;
      }
    }
    return true;
  }

  /** Tell whether a pixel is above the floor and no lower than its four neighbours. */
  function isMaximum({ rows, n }, t, b, lowest) {
    const at = t * K.n_bins + b, height = rows[at];
    const before = t > 0 ? at - K.n_bins : at, after = t < n - 1 ? at + K.n_bins : at;
    return height > lowest && height >= rows[at - 1] && height >= rows[at + 1]
      && height >= rows[before] && height >= rows[after];
  }

  /**
   * Find the strongest local maxima of each block of 32 frames, in the order of time and bin.
   * @param {{rows: Float32Array, n: number}} power
   * @param {number} most peaks of a block
   * @param {number[]} reach bins and frames within which a peak is the highest
   * @returns {{time: Int32Array, bin: Int32Array, fraction: Float32Array}}
   */
  function findPeaks(power, most, reach) {
    const { rows, n } = power;
    const lowest = fround(fround(K.range) * rows.reduce((a, b) => max(a, b), 0));
    const places = [];
    for (let start = 0; start < n; start += K.block_frames) {
      const best = []; // of this block, falling; of equal ones the first stays
      for (let t = start; t < min(start + K.block_frames, n); t += 1) {
        for (let b = K.first_bin; b < K.n_bins - 1; b += 1) {
          const at = t * K.n_bins + b;
          if (best.length === most && rows[at] <= rows[best[most - 1]]) continue;
          if (!isMaximum(power, t, b, lowest) || !isHighest(power, t, b, reach)) continue;
          let k = best.length === most ? most - 1 : best.length;
          for (; k > 0 && rows[best[k - 1]] < rows[at]; k -= 1) best[k] = best[k - 1];
          best[k] = at;
        }
      }
      places.push(...best.sort((a, b) => a - b));
    }
    return {
      time: Int32Array.from(places, (at) => floor(at / K.n_bins)),
      bin: Int32Array.from(places, (at) => at % K.n_bins),
      fraction: Float32Array.from(places, (at) => interpolate(rows, at)),
    };
  }

  /** Return where the parabola through three log powers has its top, relative to the bin. */
  function interpolate(rows, at) {
    const [a, b, c] = [-1, 0, 1].map((beside) => Math.log(rows[at + beside] + 1e-30));
    const bend = a - 2 * b + c;
    return bend < 0 ? min(max((0.5 * (a - c)) / bend, -0.5), 0.5) : 0;
  }

  /** Tell to which quarter of a signal's peaks each one belongs, 0 for the weakest. */
  function gradePeaks(levels) {
    const n = levels.length, sorted = levels.slice().sort();
    const borders = [n >> 2, n >> 1, (3 * n) >> 2].map((i) => sorted[i]);
    return Array.from(levels, (level) => borders.filter((border) => border <= level).length);
  }

  // --- hashes ------------------------------------------------------------------------------------

  /**
   * Hash each peak with its next partners: 9 bits of its bin, 7 of the rise, 6 of the delay.
   * @param {Float32Array} time in frames, need not be whole
   * @param {Float32Array} position in bins, need not be whole
   * @param {number} fanOut at most so many partners
   * @returns {{hashes: number[], anchors: number[], partners: number[]}} rows of peaks
   */
  function pairPeaks(time, position, fanOut) {
    const found = { hashes: [], anchors: [], partners: [] };
    for (let i = 0; i < time.length; i += 1) {
      const anchor = rint(position[i]);
      if (anchor >= K.n_bins) continue;
      for (let j = i + 1, count = 0; j < time.length && count < fanOut; j += 1) {
        const delay = rint(fround(time[j] - time[i]));
        if (delay > K.zone_frames) break;
        const rise = rint(position[j]) - anchor + K.zone_bins;
        if (delay < K.first_frame || rise < 0 || rise >= 2 * K.zone_bins) continue;
        found.hashes.push((anchor << 13) | (rise << 6) | delay);
        found.anchors.push(i);
        found.partners.push(j);
        count += 1;
      }
    }
    return found;
  }

  /** Hash the peaks of a query as a recording has them if it is played at some speed and pitch. */
  function hashQuery({ time, bin, fraction }, fanOut, speed, pitch) {
    const height = speed * pitch;
    const scaled = height === 1 ? bin : Array.from(bin, (b, i) => (b + fraction[i]) / height);
    const factor = fround(speed / K.steps);
    const frames = Float32Array.from(time, (t) => t * factor);
    const found = pairPeaks(frames, Float32Array.from(scaled), fanOut);
    return { ...found, times: found.anchors.map((row) => rint(time[row] * speed)) };
  }

  /** List by how much delays are blurred, and what a hash so blurred weighs: noise moves peaks. */
  function listBlurs(slack) {
    const blurs = [[0, 1]];
    for (let away = 1; away <= slack; away += 1) {
      const weight = fround(K.blur ** away);
      blurs.push([-away, weight], [away, weight]);
    }
    return blurs;
  }

  // --- what is computed of an excerpt once -------------------------------------------------------

  /** An excerpt of at most 15 s as it is looked for. */
  class Query {
    /** @param {Float32Array} y signal at 8 kHz */
    constructor(y) {
      let padded = y;
      if (y.length < K.n_fft) (padded = new Float32Array(K.n_fft)).set(y);
      this.seconds = padded.length / K.rate_hz;
      this.power = computePower(padded, K.step_length);
      this.excess = weighEvidence(this.power);
      this.traits = measureTraits(this.power);
      this.known = new Map();
      this.ceiling = measureOwn(this.findPeaks(K.looks.quick)[0], this);
    }

    remember(key, make) {
      if (!this.known.has(key)) this.known.set(key, make());
      return this.known.get(key);
    }

    /** Return peaks, times in steps, once for each step within a frame. */
    findPeaks(look) {
      const { rows, n } = this.power;
      return this.remember(`${look.peaks_per_block} ${look.reach}`, () =>
        Array.from({ length: K.steps }, (_, step) => {
          const own = { n: floor((n - step + K.steps - 1) / K.steps) };
          own.rows = new Float32Array(own.n * K.n_bins);
          for (let t = 0; t < own.n; t += 1) {
            const from = (t * K.steps + step) * K.n_bins;
            own.rows.set(rows.subarray(from, from + K.n_bins), t * K.n_bins);
          }
          const found = findPeaks(own, look.peaks_per_block, look.reach);
          return { ...found, time: found.time.map((t) => t * K.steps + step) };
        }));
    }

    /**
     * Return hashes as a recording has them: at its own speed those of all steps, one of which is
     * nearly aligned with its frames; at another speed frames drift, and one does as well.
     */
    hash(look, speed = 1, pitch = 1) {
      const key = `hash ${look.peaks_per_block} ${speed} ${pitch}`;
      return this.remember(key, () => {
        const used = this.findPeaks(look).slice(0, speed === 1 ? K.steps : 1);
        const plain = used.flatMap((peaks) => {
          const { hashes, times, anchors, partners } = hashQuery(peaks, look.fan_out, speed, pitch);
          return hashes.map((hash, i) => {
            const from = anchors[i], to = partners[i];
            const ends = [peaks.time[from], peaks.bin[from], peaks.time[to], peaks.bin[to]];
            return { hash, time: times[i], weight: 1, ends };
          });
        });
        return listBlurs(look.slack).flatMap(([away, weight]) =>
          plain.flatMap(({ hash, time, ends }) => {
            const delay = (hash & K.zone_frames) + away;
            if (away && (delay < K.first_frame || delay > K.zone_frames)) return [];
            return [{ hash: hash + away, time, weight, ends }];
          }));
      });
    }
  }

  /**
   * Tell how far each pixel lies above the mean of its bin and of its step, in eighths of its bin's
   * spread: at a wrong place the sum over a recording's peaks is about zero.
   * @returns {Int8Array} bin after bin
   */
  function weighEvidence({ rows, n }) {
    const some = listLoud(rows, n);
    const bits = new Int32Array(rows.buffer);
    const turned = new Int32Array(1), asFloat = new Float32Array(turned.buffer);
    const usual = new Float32Array(K.n_bins), average = new Float32Array(K.n_bins);
    const scale = new Float32Array(K.n_bins);
    const amplitude = (t, b) =>
      fround(sqrt(min(fround(rows[t * K.n_bins + b] * usual[b]), K.cap)));
    for (let b = 0; b < K.n_bins; b += 1) {
      let level = 0, total = 0, square = 0;
      // The bits of a float are nearly its logarithm.
      for (const t of some) level = fround(level + fround(bits[t * K.n_bins + b]));
      turned[0] = trunc(fround(level / some.length));
      usual[b] = 1 / max(asFloat[0], fround(1e-20));
      for (const t of some) {
        const value = amplitude(t, b);
        total = fround(total + value);
        square = fround(square + fround(value * value));
      }
      average[b] = total / some.length;
      const variance = square / some.length - fround(average[b] * average[b]);
      // A bin that never changes says nothing.
      if (variance > fround(1e-4)) scale[b] = 1 / sqrt(variance);
    }
    const excess = new Int8Array(K.n_bins * n), step = new Float32Array(K.n_bins);
    for (let t = 0; t < n; t += 1) {
      let total = 0;
      for (let b = 0; b < K.n_bins; b += 1) {
        step[b] = fround(amplitude(t, b) - average[b]) * scale[b];
        total = fround(total + step[b]);
      }
      const usualStep = fround(total / K.n_bins);
      for (let b = 0; b < K.n_bins; b += 1) {
        const value = rint(fround(fround(step[b] - usualStep) * K.eighths));
        excess[b * n + t] = max(min(value, 127), -127);
      }
    }
    return excess;
  }

  /** List the frames that are no pause, which would pull every mean down. */
  function listLoud(rows, n) {
    const frames = Array.from({ length: Math.ceil(n / K.steps) }, (_, i) => i * K.steps);
    const energies = frames.map((t) => {
      const row = rows.subarray(t * K.n_bins + K.first_bin, (t + 1) * K.n_bins);
      return row.reduce((total, x) => total + x, 0);
    });
    const floorOf = K.silence * max(...energies);
    const loud = frames.filter((_, i) => energies[i] > floorOf);
    return loud.length ? loud : frames.slice(0, 1);
  }

  /** Estimate how noisy and how steady an excerpt is: its level in dB, its stationarity. */
  function measureTraits({ rows, n }) {
    const { thin, low, noise_low: noiseLow, levels_db: levels } = K.traits;
    const columns = [];
    for (let b = K.first_bin; b < K.n_bins; b += thin) {
      const column = [];
      for (let t = 0; t < n; t += K.steps) column.push(rows[t * K.n_bins + b]);
      columns.push(Float64Array.from(column));
    }
    const means = columns.map(mean), total = means.reduce((a, b) => a + b, 0);
    if (total <= 0) return { level_db: levels[0], stationarity: 1 };
    const row = trunc(low * (columns[0].length - 1));
    let noise = 0, usual = 0;
    columns.forEach((column, i) => {
      noise += min(column.slice().sort()[row] / noiseLow, means[i]);
      usual += Math.exp(mean(column.map((x) => Math.log(max(x, 1e-12 * total)))));
    });
    const above = max(total - noise, 1e-9 * total) / max(noise, 1e-9 * total);
    const level = min(max(10 * Math.log10(above), levels[0]), levels[1]);
    return { level_db: roundTo(level, 3), stationarity: roundTo(min(usual / total, 1), 4) };
  }

  /** Return the score of a recording that would have the excerpt's own peaks. */
  function measureOwn({ time, bin }, { power, excess }) {
    const levels = Float32Array.from(time, (t, i) => power.rows[t * K.n_bins + bin[i]]);
    const weights = gradePeaks(levels).map((grade) => K.strength_weights[grade]);
    const own = weights.map((_, i) => excess[bin[i] * power.n + time[i]]);
    return multiply(weights, own) / (K.eighths * sqrt(max(multiply(weights, weights), 1)));
  }

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
    const { ceiling, seconds, traits } = query;
    return { candidates: chosen, ...doubt, ceiling, seconds, ...traits };
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

  /** Tell how the best candidate stands out. */
  function describe(ranking) {
    const { candidates, ceiling, breadth, beside } = ranking;
    const rows = candidates.map(({ score, votes }) => [score, log1p(votes)]);
    while (rows.length < 2 + K.n_rivals) rows.push(K.usual_rival);
    const rivals = rows.slice(2, 2 + K.n_rivals);
    const lead = (column) =>
      rows[0][column] - rivals.reduce((sum, row) => sum + row[column], 0) / K.n_rivals;
    const [score, votes] = rows[0], leadVotes = lead(1);
    const { log_seconds: logSeconds, level } = listCovariates(ranking);
    const told = {
      score, stand_out: lead(0), log_votes: votes, lead_votes: leadVotes,
      lead_votes_squared: leadVotes * abs(leadVotes), ceiling,
      share: min(score / max(ceiling, 1), 1), log_seconds: logSeconds, breadth,
      beside: beside / max(score, 1), level,
    };
    for (const [name, value] of Object.entries(told)) told[`${name}_level`] = value * level;
    return told;
  }

  /** Tell how likely an excerpt of no indexed recording has as good a candidate, however unlikely. */
  function extrapolateTail(ranking, way) {
    if (!(ranking.candidates[0]?.score >= K.least_score)) return 1;
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

  AARES.identifier = { Query, computePower, findPeaks, pairPeaks, hashQuery, identify, traceHashes };
})();
