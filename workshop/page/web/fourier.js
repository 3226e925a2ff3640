// The Fourier transform of the identifier, in single precision and in the order of Python's.
"use strict";
(() => {
  const { fround } = Math;
  const ROOT_HALF = fround(Math.SQRT1_2);

  /**
   * A real transform of one length, by radix 4, with one stage of radix 2 where the length asks for
   * it (Swarztrauber, "Vectorizing the FFTs", 1982; scipy's library takes the same steps).
   *
   * Every operation is rounded to single precision, as in Python. Two peaks that are equally high
   * there are so here, and none is found in the one place that is not found in the other.
   */
  class RealTransform {
    /** @param {number} size a power of two */
    constructor(size) {
      this.spare = new Float32Array(size);
      this.stages = [];
      const radices = Math.log2(size) % 2 ? [2] : [];
      for (let rest = size / (radices[0] ?? 1); rest > 1; rest /= 4) radices.push(4);
      let done = 1;
      for (const radix of radices) {
        const run = size / (done * radix);
        this.stages.unshift({ radix, run, groups: done, turns: listTurns(size, radix, run, done) });
        done *= radix;
      }
    }

    /**
     * Transform in place of the values, or of a spare array of the same length.
     * @param {Float32Array} values are overwritten
     * @returns {Float32Array} real part of bin 0, then real and imaginary part of bin 1, and so on
     */
    run(values) {
      let from = values, to = this.spare;
      for (const { radix, run, groups, turns } of this.stages) {
        if (radix === 4) mixFour(from, to, run, groups, turns);
        else mixTwo(from, to, run, groups, turns);
        [from, to] = [to, from];
      }
      return from;
    }
  }

  /** Cosines and sines by which a stage turns its inputs, for each but the first of `radix`. */
  function listTurns(size, radix, run, done) {
    const turns = new Float32Array((radix - 1) * run);
    for (let j = 1; j < radix; j += 1) {
      for (let i = 1; 2 * i < run; i += 1) {
        const angle = (2 * Math.PI * j * done * i) / size;
        turns[(j - 1) * run + 2 * i - 2] = Math.cos(angle);
        turns[(j - 1) * run + 2 * i - 1] = Math.sin(angle);
      }
    }
    return turns;
  }

  /** One stage of radix 2: `a`, `b` are read; `p` is written from its start, `q` from its end. */
  function mixTwo(x, out, run, groups, turns) {
    for (let k = 0; k < groups; k += 1) {
      const a = run * k, b = a + run * groups, p = 2 * run * k, q = p + run;
      out[p] = x[a] + x[b];
      out[q + run - 1] = x[a] - x[b];
      if (run % 2 === 0) {
        out[p + run - 1] = x[a + run - 1];
        out[q] = -x[b + run - 1];
      }
      for (let i = 2; i < run; i += 2) {
        const c = turns[i - 2], s = turns[i - 1], back = run - i;
        const re = fround(fround(c * x[b + i - 1]) + fround(s * x[b + i]));
        const im = fround(fround(c * x[b + i]) - fround(s * x[b + i - 1]));
        out[p + i - 1] = x[a + i - 1] + re;
        out[p + i] = x[a + i] + im;
        out[q + back - 1] = x[a + i - 1] - re;
        out[q + back] = im - x[a + i];
      }
    }
  }

  /** One stage of radix 4: `a` to `d` are read, `p` to `s` written. */
  function mixFour(x, out, run, groups, turns) {
    const step = run * groups, end = run - 1;
    for (let k = 0; k < groups; k += 1) {
      const a = run * k, b = a + step, c = b + step, d = c + step;
      const p = 4 * run * k, q = p + run, r = q + run, s = r + run;
      const odd = fround(x[d] + x[b]), even = fround(x[a] + x[c]);
      out[p] = even + odd;
      out[s + end] = even - odd;
      out[r] = x[d] - x[b];
      out[q + end] = x[a] - x[c];
      if (run % 2 === 0) {
        const im = fround(-ROOT_HALF * fround(x[b + end] + x[d + end]));
        const re = fround(ROOT_HALF * fround(x[b + end] - x[d + end]));
        out[p + end] = x[a + end] + re;
        out[r + end] = x[a + end] - re;
        out[s] = im + x[c + end];
        out[q] = im - x[c + end];
      }
      for (let i = 2; i < run; i += 2) {
        const back = run - i, u = i + run, v = u + run;
        const br = fround(fround(turns[i - 2] * x[b + i - 1]) + fround(turns[i - 1] * x[b + i]));
        const bi = fround(fround(turns[i - 2] * x[b + i]) - fround(turns[i - 1] * x[b + i - 1]));
        const cr = fround(fround(turns[u - 2] * x[c + i - 1]) + fround(turns[u - 1] * x[c + i]));
        const ci = fround(fround(turns[u - 2] * x[c + i]) - fround(turns[u - 1] * x[c + i - 1]));
        const dr = fround(fround(turns[v - 2] * x[d + i - 1]) + fround(turns[v - 1] * x[d + i]));
        const di = fround(fround(turns[v - 2] * x[d + i]) - fround(turns[v - 1] * x[d + i - 1]));
        const oddRe = fround(dr + br), turnedIm = fround(dr - br);
        const oddIm = fround(bi + di), turnedRe = fround(bi - di);
        const sumRe = fround(x[a + i - 1] + cr), lessRe = fround(x[a + i - 1] - cr);
        const sumIm = fround(x[a + i] + ci), lessIm = fround(x[a + i] - ci);
        out[p + i - 1] = sumRe + oddRe;
        out[p + i] = oddIm + sumIm;
        out[s + back - 1] = sumRe - oddRe;
        out[s + back] = oddIm - sumIm;
        out[r + i - 1] = lessRe + turnedRe;
        out[r + i] = turnedIm + lessIm;
        out[q + back - 1] = lessRe - turnedRe;
        out[q + back] = turnedIm - lessIm;
      }
    }
  }

  AARES.RealTransform = RealTransform;
})();
