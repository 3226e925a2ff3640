// Sound files into samples, and samples to another rate; noise to bury them in.
"use strict";
(() => {
  const DECODED_HZ = 48000;
  const REACH = 24; // zero crossings of the resampling filter to either side

  /** How the samples of a WAV file are read, by format and bits. */
  const SAMPLES = {
    "1/8": (view, at) => (view.getUint8(at) - 128) / 128,
    "1/16": (view, at) => view.getInt16(at, true) / 2 ** 15,
    "1/24": (view, at) => (view.getInt8(at + 2) * 2 ** 16 + view.getUint16(at, true)) / 2 ** 23,
    "1/32": (view, at) => view.getInt32(at, true) / 2 ** 31,
    "3/32": (view, at) => view.getFloat32(at, true),
    "7/8": (view, at) => { // G.711, mu-law
      const code = ~view.getUint8(at) & 255;
      const size = (((code & 15) * 8 + 132) << ((code >> 4) & 7)) - 132;
      return (code & 128 ? -size : size) / 2 ** 15;
    },
  };

  /**
   * Read a WAV file, channels averaged.
   * @param {ArrayBuffer} buffer
   * @returns {{y: Float32Array, rate: number} | null} null where it is something else
   */
  function readWav(buffer) {
    const view = new DataView(buffer);
    const tag = (at) => String.fromCharCode(...new Uint8Array(buffer, at, 4));
    if (buffer.byteLength < 12 || tag(0) !== "RIFF" || tag(8) !== "WAVE") return null;
    let format = null;
    for (let at = 12; at + 8 <= buffer.byteLength; ) {
      const size = view.getUint32(at + 4, true), start = at + 8;
      if (tag(at) === "fmt " && start + Math.max(size, 16) <= buffer.byteLength) {
        const [kind, bits] = [view.getUint16(start, true), view.getUint16(start + 14, true)];
        // An extensible header has the kind at its end.
        const real = kind === 0xfffe && size >= 26 ? view.getUint16(start + 24, true) : kind;
        format = {
          read: SAMPLES[`${real}/${bits}`], bytes: bits / 8,
          channels: view.getUint16(start + 2, true), rate: view.getUint32(start + 4, true),
        };
      }
      if (tag(at) === "data") {
        if (!format?.read || !format.channels || !format.rate) return null;
        const there = Math.min(size, buffer.byteLength - start); // a file may be cut off
        return { y: readSamples(view, start, there, format), rate: format.rate };
      }
      at = start + size + (size % 2);
    }
    return null;
  }

  function readSamples(view, start, size, { read, bytes, channels }) {
    const y = new Float32Array(Math.floor(size / (bytes * channels)));
    for (let i = 0; i < y.length; i += 1) {
      let total = 0;
      for (let c = 0; c < channels; c += 1) total += read(view, start + (i * channels + c) * bytes);
      y[i] = total / channels;
    }
    return y;
  }

  /** Bring a signal to another rate: a windowed sinc, of which each phase is computed once. */
  function resample(y, from, to) {
    if (from === to) return y;
    const divide = (a, b) => (b ? divide(b, a % b) : a);
    const up = to / divide(from, to), cutoff = 0.95 * Math.min(1, to / from);
    const half = Math.ceil(REACH / cutoff), phases = [];
    const sinc = (x) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
    for (let phase = 0; phase < up; phase += 1) {
      const behind = ((phase * from) / to) % 1; // from the sample before
      phases.push(Float64Array.from({ length: 2 * half }, (_, i) => {
        const x = i - half + 1 - behind;
        return Math.abs(x) < half ? cutoff * sinc(cutoff * x) * Math.cos((Math.PI * x) / (2 * half)) ** 2 : 0;
      }));
    }
    const out = new Float32Array(Math.ceil((y.length * to) / from));
    for (let i = 0; i < out.length; i += 1) {
      const first = Math.floor((i * from) / to) - half + 1, kernel = phases[i % up];
      let total = 0;
      for (let k = Math.max(0, -first); k < 2 * half && first + k < y.length; k += 1) {
        total += kernel[k] * y[first + k];
      }
      out[i] = total;
    }
    return out;
  }

  /** Decode any sound that the browser can, to one channel at a rate. */
  async function decode(buffer, rate) {
    const wav = readWav(buffer);
    if (wav) return resample(wav.y, wav.rate, rate);
    const audio = await new OfflineAudioContext(1, 1, DECODED_HZ).decodeAudioData(buffer);
    const y = new Float32Array(audio.length);
    for (let c = 0; c < audio.numberOfChannels; c += 1) {
      audio.getChannelData(c).forEach((x, i) => { y[i] += x / audio.numberOfChannels; });
    }
    return resample(y, DECODED_HZ, rate);
  }

  /** White noise, the same each time: sums of eight numbers of a small generator. */
  function makeNoise(n) {
    let state = 1;
    const draw = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32 - 0.5;
    };
    return Float32Array.from({ length: n }, () => {
      let total = 0;
      for (let k = 0; k < 8; k += 1) total += draw();
      return total;
    });
  }

  AARES.sound = { readWav, resample, decode, makeNoise };
})();
