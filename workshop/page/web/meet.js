// The section *join*: two songs, how likely one goes on in the other, and the join itself.
"use strict";
(() => {
  const { make, button, read, decode, percent, prepare, calm } = AARES, AROUND_S = 2.5, BEST = 5;
  const KINDS = [["cut", "Cut", "one, then the other"], ["gap", "Gap", "half a second of silence"],
    ["fade", "Crossfade", "three seconds of both"]];

  /** Decode a clip to the samples that were encoded: an encoder may add some at its end. */
  async function decodeClip(context, { sound, frames }) {
    const buffer = await context.decodeAudioData(decode(sound)), { numberOfChannels, sampleRate } = buffer;
    const exact = new AudioBuffer({ numberOfChannels, sampleRate, length: frames });
    for (let c = 0; c < numberOfChannels; c++) exact.copyToChannel(buffer.getChannelData(c).subarray(0, frames), c);
    return exact;
  }

  /** All songs but the first, the likeliest to follow it first. */
  function rank(likely, n, a) {
    return [...Array(n).keys()].filter((b) => b !== a).sort((b, c) => likely[a * n + c] - likely[a * n + b] || b - c);
  }

  AARES.meet = { decodeClip, rank };

  AARES.sections.join = (root) => {
    const data = AARES.data.joins, n = data.names.length, likely = read(data.likely);
    const ordered = Float64Array.from([...likely].filter((_, k) => k % (n + 1))).sort();
    let a = 0, b = rank(likely, n, 0)[0], kind = "cut", context, playing = null, sounds = null, asked = 0;

    const option = (name, k) => make("option", { value: k }, name);
    const [first, second] = [["join-first", "First, its end"], ["join-second", "Then, its start"]].map(([id, text]) => {
      const select = make("select", { id }, ...data.names.map(option));
      return { select, box: make("div", { className: "pick" }, make("label", { htmlFor: id }, text), select) };
    });
    const swap = button("Swap", () => set(b, a));
    const said = make("p", { id: "join-said", role: "status" }), number = make("b", { id: "join-number", className: "huge number" });
    const reasons = make("ul", { id: "join-reasons" }), best = make("ol", { id: "join-best", className: "songs" });
    const kinds = make("div", { className: "row", role: "radiogroup", "aria-label": "How the songs meet" },
      ...KINDS.map(([value, text, more]) => make("label", { className: "choice" },
        make("input", { type: "radio", name: "join-kind", value, checked: value === kind, onchange: () => { kind = value; stop(); draw(); } }),
        ` ${text} `, make("small", {}, more))));
    const whole = button("Play both", () => play(false), { className: "main", id: "join-play" });
    const around = button("The join alone", () => play(true), { id: "join-near" });
    const wave = make("canvas", { className: "wave", role: "img" });

    function set(x, y) {
      stop();
      [a, b] = x === y ? [x, rank(likely, n, x)[0]] : [x, y];
      [first.select.value, second.select.value] = [a, b];
      [...second.select.options].forEach((o, k) => { o.disabled = k === a; });
      const share = likely[a * n + b] / 65535, place = ordered.length - ordered.findLastIndex((v) => v <= likely[a * n + b]);
      number.textContent = percent(share, share < 0.1 ? 1 : 0);
      said.replaceChildren(number, make("span", {}, `likely that the first goes on in the second: number ${place} of the `
        + `${ordered.length} joins of these songs, number ${rank(likely, n, a).indexOf(b) + 1} of ${n - 1} after the first.`));
      reasons.replaceChildren(...data.reasons[a][b].map((text) => make("li", {}, text)));
      best.replaceChildren(...rank(likely, n, a).slice(0, BEST).map((c) => make("li", {},
        make("button", { type: "button", className: "song", "aria-pressed": String(c === b), onclick: () => {
          set(a, c);
          best.querySelector("[aria-pressed=true]").focus(); // the list was written anew
        } },
          data.names[c], " ", make("span", { className: "number" }, percent(likely[a * n + c] / 65535, 1))))));
      wave.setAttribute("aria-label", `How loud the end of ${data.names[a]} and the start of ${data.names[b]} are`);
      load();
    }

    async function load() {
      const mine = ++asked, offline = new OfflineAudioContext(1, 1, data.rate);
      sounds = null;
      const both = await Promise.all([data.ends[a], data.starts[b]].map((clip) => decodeClip(offline, clip)));
      if (mine !== asked) return;
      sounds = both;
      root.dataset.loaded = `${a} ${b}`;
      draw();
    }

    function play(near) {
      if (!sounds) return;
      if (playing) { const same = playing.near === near; stop(); if (same) return; }
      context ??= new AudioContext({ sampleRate: data.rate });
      context.resume();
      const { start, joined, total } = AARES.join.plan(...sounds, kind), around = AROUND_S * data.rate;
      const [from, to] = near ? [Math.max(0, start - around), Math.min(total, joined + around)] : [0, total];
      const output = new GainNode(context), at = Math.ceil((context.currentTime + 0.03) * data.rate);
      output.connect(context.destination);
      const nodes = AARES.join.schedule(context, ...sounds, kind, { at, from, to, output });
      playing = { nodes, output, at, from, near };
      nodes.at(-1).onended = () => { playing = null; tell(); };
      tell();
    }

    function stop() {
      if (!playing) return;
      const { nodes, output } = playing, { RAMP_S } = AARES.join;
      nodes.at(-1).onended = null;
      output.gain.setTargetAtTime(0, context.currentTime, RAMP_S / 2);
      nodes.forEach((x) => x.stop(context.currentTime + 4 * RAMP_S));
      playing = null;
      tell();
    }

    function tell() {
      whole.textContent = playing && !playing.near ? "Stop" : "Play both";
      around.textContent = playing?.near ? "Stop" : "The join alone";
      draw();
    }

    function draw() {
      const { context: pen, width, height, colour } = prepare(wave);
      if (!width || !sounds) return;
      const where = AARES.join.plan(...sounds, kind), steps = Math.floor(width / 4);
      const bars = AARES.join.measure(sounds, steps, where), top = Math.max(...bars.flatMap((y) => [...y]), 1e-6);
      const x = (frame) => (frame / where.total) * width;
      const here = playing ? playing.from + context.currentTime * data.rate - playing.at : -1;
      bars.forEach((side, k) => side.forEach((level, i) => {
        if (!level) return;
        const tall = Math.max(2, (level / top) ** 0.8 * (height - 12));
        pen.fillStyle = colour(k ? "--b" : "--a");
        pen.globalAlpha = playing && i * 4 > x(here) ? 0.45 : 0.95;
        pen.fillRect(i * 4 + 0.75, (height - tall) / 2, 2.5, tall);
      }));
      [pen.globalAlpha, pen.fillStyle] = [1, colour("--ink")];
      pen.fillRect(x((sounds[0].length + where.start) / 2) - 0.75, 0, 1.5, height);
      if (!playing) return;
      pen.fillRect(x(here) - 0.5, 6, 1, height - 12);
      clearTimeout(draw.timer);
      draw.timer = setTimeout(draw, calm.matches ? 250 : 40);
    }

    first.select.onchange = () => set(Number(first.select.value), b);
    second.select.onchange = () => set(a, Number(second.select.value));
    AARES.watch(draw);
    root.append(
      make("div", { className: "picks" }, first.box, swap, second.box),
      said, wave, kinds, make("div", { className: "row" }, whole, around),
      make("div", { className: "joined" },
        make("div", {}, make("h4", {}, "Why"), reasons),
        make("div", {}, make("h4", {}, "What follows best"), best)),
      make("p", { className: "small" }, "Of the joins the model learnt from half were a song's own; two different "
        + "songs seldom come near to that, and which of them come nearest is what it tells."));
    set(a, b);
  };
})();
