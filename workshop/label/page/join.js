// Two songs on one clock, to the sample: for the labelling page and for the page beside the report.
"use strict";
globalThis.AARES ??= { data: {}, sections: {} };
(() => {
  const [RAMP_S, GAP_S, FADE_S] = [0.005, 0.5, 3];
  /** Where B begins, where the join is over, where all ends: in frames after the first of A. */
  function plan(a, b, join) {
    const longest = Math.floor(Math.min(a.length, b.length) / 2);
    const fade = join === "fade" ? Math.min(FADE_S * a.sampleRate, longest) : 0;
    const start = a.length - fade + (join === "gap" ? GAP_S * a.sampleRate : 0);
    return { fade, start, joined: start + fade, total: start + b.length };
  }
  /** Play A and B on one clock from frame `at` on; `from` and `to` are frames of the whole pair. */
  function schedule(context, a, b, join, { at = 0, from = 0, to = Infinity, output } = {}) {
    const rate = a.sampleRate, { fade, start, total } = plan(a, b, join);
    const middle = at - from + start, end = at - from + Math.min(to, total);
    const [[nodeA, gainA], [nodeB, gainB]] = [a, b].map((buffer) => {
      const node = new AudioBufferSourceNode(context, { buffer }), gain = new GainNode(context);
      node.connect(gain).connect(output ?? context.destination);
      return [node, gain.gain];
    });
    const ramp = (gain, frame, first, last) => gain.setValueAtTime(first, frame / rate)
      .linearRampToValueAtTime(last, frame / rate + RAMP_S);
    ramp(gainA, at, 0, 1);
    if (join === "gap") { // silence on both sides of it: these are ends too
      ramp(gainA, at - from + a.length - RAMP_S * rate, 1, 0);
      ramp(gainB, middle, 0, 1);
    } else if (fade) {
      const turn = Float32Array.from({ length: 257 }, (_, i) => (i / 512) * Math.PI);
      gainA.setValueCurveAtTime(turn.map(Math.cos), middle / rate, fade / rate);
      gainB.setValueCurveAtTime(turn.map(Math.sin), middle / rate, fade / rate);
    }
    ramp(gainB, end - RAMP_S * rate, 1, 0);
    nodeA.start(at / rate, from / rate);
    nodeB.start(middle / rate);
    nodeB.stop(end / rate);
    return [nodeA, nodeB];
  }
  /** How loud both are in n steps over the time of the pair. */
  function measure([a, b], n, { start, total }) {
    return [[a, 0], [b, start]].map(([buffer, offset]) => Float32Array.from({ length: n }, (_, i) => {
      const [first, end] = [i, i + 1].map((x) => Math.max(0, Math.round((x * total) / n) - offset));
      const data = buffer.getChannelData(0).subarray(first, end);
      return Math.sqrt(data.reduce((sum, y) => sum + y * y, 0) / (data.length || 1));
    }));
  }
  AARES.join = { plan, schedule, measure, RAMP_S };
})();
