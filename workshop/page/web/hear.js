// What the identifier hears in an excerpt: peaks, hashes, evidence, traits, as aares/identify has them.
//
// Each step rounds where Python's rounds, so that hashes, scores and answers are the same: what is
// single precision there passes through `fround` or a Float32Array here. All constants, the
// calibration and the index come from data-identifier.js, which workshop/page/sounds.py writes.
// Units are Python's: a frame is 32 ms, a step half of it, a place is a step of the whole index.
"use strict";
(() => {
  const { floor, fround, max, min, sqrt, trunc } = Math;
  const K = AARES.data.identifier;

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
      this.novelty = measureNovelty(this.findPeaks(K.looks.quick)[0], this);
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

  /** Estimate which share of an excerpt is new: what comes again and again tells no more. */
  function measureNovelty({ time, bin }, { power: { n }, excess }) {
    const { lags, usual_return: usual, least_times: times } = K.traits, likeness = [];
    for (let lag = 0; lag < min(lags[1], floor(n / times)) + 2; lag += 1) {
      let there = 0, again = 0;
      time.forEach((moment, k) => {
        for (const t of [moment - lag, moment + lag]) {
          if (t < 0 || t >= n) continue;
          there += excess[bin[k] * n + moment];
          again += excess[bin[k] * n + t];
        }
      });
      likeness.push(there > 0 ? min(max(again / there, -1), 1) : 0);
    }
    let novelty = 1;
    for (let lag = lags[0]; lag < likeness.length - 1; lag += 1) {
      const like = likeness[lag];
      if (like <= usual || like <= likeness[lag - 1] || like < likeness[lag + 1]) continue;
      const worth = (((1 - like) / (1 + like)) * (1 + usual)) / (1 - usual);
      novelty = min(novelty, max(worth, lag / n));
    }
    return roundTo(novelty, 4);
  }

  AARES.hearing = { Query, computePower, findPeaks, pairPeaks, rint, roundTo, multiply };
})();
