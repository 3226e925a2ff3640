// Two sections with sound: a recording that sinks into noise, and a sound of one's own. Both ask
// the identifier of identify.js and show what it heard. Nothing is stored or sent.
"use strict";
(() => {
  const { make, button, prepare, identifier } = AARES;
  const { readWav, resample, decode, makeNoise } = AARES.sound;
  const K = AARES.data.identifier;
  const HEARD_HZ = 16000; // what is played; the identifier hears its lower half
  const LEVELS_DB = [10, 0, -5, -10, -15];
  const RANGE_DB = [20, -25];
  const LOUDNESS = 0.12; // root mean square of what is played: noise peaks at five times as much
  const RECORD_S = 10;
  const METER_DECADES = 24;
  const SETTLED_MS = 60; // a slider that rests so long is asked for
  const SAMPLE = 2; // of the excerpts

  const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const rest = () => later(0);
  const clock = (s) => {
    const whole = Math.floor(Math.abs(s)), seconds = String(whole % 60).padStart(2, "0");
    return `${s < 0 && whole ? "−" : ""}${Math.floor(whole / 60)}:${seconds}`;
  };
  /** How loud music is beside noise, in words. */
  const compare = (db) => (db ? `music ${Math.abs(db)} dB ${db > 0 ? "above" : "below"} the noise` : "music as loud as the noise");
  const decibels = (db) => `${db < 0 ? "−" : db > 0 ? "+" : ""}${Math.abs(db)} dB`;
  const measureLevel = (y) => Math.sqrt(y.reduce((sum, x) => sum + x * x, 0) / y.length);
  const divide = (y, by) => y.map((x) => x / by);

  // --- what an answer looks like -----------------------------------------------------------------

  /** Say how often chance does as well: the probability of a false alarm. */
  function tellChance(p) {
    if (p > 0.5) return "As many sounds of other recordings would fit as well.";
    // Below that, the excerpts of the calibration are too few to tell.
    const [about, sign] = p <= K.calibration.floor ? ["Fewer than", "<"] : ["About", "="];
    return `${about} 1 in ${Math.floor(1 / p).toLocaleString("en")} sounds of other recordings would `
      + `fit as well (p ${sign} ${p.toPrecision(2)}).`;
  }

  const WORDS = {
    quick: "in the first search", thorough: "in the closer search, among peaks of noise",
    speeds: "in the search at other speeds", stretched: "in the search at other tempi and keys",
  };

  /** Say what the identifier found: a heading, sentences. */
  function sayAnswer({ reason, match, candidates, p_false: p, way, twins }) {
    if (reason === "nothing") {
      return ["Nothing to identify", "Silence, or a tone that stays: a recording could not be known by it."];
    }
    if (reason === "unknown") {
      const nearest = candidates.length ? ` The nearest is ${candidates[0].song.title}. ${tellChance(p)}` : "";
      return ["Unknown", `It is not accepted as any recording of the index.${nearest}`];
    }
    const { song, speed, offset_s: offset } = match;
    const changed = Math.abs(speed - 1) > 0.001 ? `, at ${(100 * speed).toFixed(1)} % of its speed` : "";
    const also = twins.length ? ` As likely: ${twins.map((twin) => twin.song.title).join(", ")}.` : "";
    return [
      song.title,
      `${song.artist}, from ${clock(offset)} of ${clock(song.seconds)}${changed}. Found ${WORDS[way]}. `
        + tellChance(p) + also,
    ];
  }

  /** A panel that shows answers: in words, on a scale, over the spectrogram, along the song. */
  class Panel {
    constructor(name) {
      this.title = make("h3");
      this.text = make("p", { className: "number" });
      this.bar = make("div", { className: "odds", role: "img", "aria-label": "" }, make("i"), make("b"));
      this.picture = make("canvas", { className: "picture", role: "img", "aria-label": "" });
      this.along = make("canvas", { className: "along", role: "img", "aria-label": "" });
      this.where = make("figure", {}, this.along, make("figcaption", { className: "small" },
        "Where in the recording each pair of peaks says that the sound begins: chance scatters, "
          + "the right place towers."));
      this.root = make("div", { className: "answer", hidden: true, id: `${name}-answer` },
        make("div", { role: "status" }, this.title, this.text), this.bar,
        make("p", { className: "small" }, "How far beyond chance, in powers of ten; accepted from the mark on."),
        make("figure", {}, this.picture, make("figcaption", { className: "small" },
          "What is heard up to 2 kHz; orange: pairs of peaks that the recording has at the same place.")),
        this.where);
      AARES.watch(() => this.answer && this.draw());
    }

    show(answer) {
      this.answer = answer;
      this.root.hidden = false;
      this.root.dataset.reason = answer.reason;
      [this.title.textContent, this.text.textContent] = sayAnswer(answer);
      const decades = Math.min(-Math.log10(answer.tail), METER_DECADES);
      const enough = -Math.log10(K.threshold);
      this.bar.firstChild.style.width = `${(100 * decades) / METER_DECADES}%`;
      this.bar.lastChild.style.left = `${(100 * enough) / METER_DECADES}%`;
      this.bar.setAttribute("aria-label",
        `Beyond chance by ${decades.toFixed(1)} powers of ten; accepted from ${enough.toFixed(1)} on.`);
      this.draw();
    }

    draw() {
      const { answer } = this, best = answer.match ?? answer.candidates[0];
      const found = best ? identifier.traceHashes(answer, best) : { ends: [], places: [] };
      const ends = answer.match ? found.ends : [];
      drawSpectrogram(this.picture, answer.query.power, ends);
      this.picture.setAttribute("aria-label",
        `Spectrogram of ${answer.query.seconds.toFixed(1)} s with ${ends.length} pairs of peaks that agree.`);
      this.where.hidden = !answer.match;
      if (!answer.match) return;
      drawPlaces(this.along, found.places, best);
      this.along.setAttribute("aria-label",
        `${found.places.length} pairs of peaks along ${clock(best.song.seconds)}; `
          + `${ends.length} agree on ${clock(best.offset_s)}.`);
    }
  }

  function drawSpectrogram(canvas, { rows, n }, ends) {
    const { context, width, height, colour } = prepare(canvas);
    if (!width) return;
    const picture = new OffscreenCanvas(n, K.n_bins), inner = picture.getContext("2d");
    inner.fillStyle = colour("--ink");
    inner.fillRect(0, 0, 1, 1);
    const ink = inner.getImageData(0, 0, 1, 1).data, image = inner.createImageData(n, K.n_bins);
    const loudest = 10 * Math.log10(rows.reduce((a, b) => Math.max(a, b), 1e-12));
    for (let t = 0; t < n; t += 1) {
      for (let b = 0; b < K.n_bins; b += 1) {
        const at = 4 * ((K.n_bins - 1 - b) * n + t);
        const level = 1 + (10 * Math.log10(rows[t * K.n_bins + b] + 1e-12) - loudest) / 55;
        image.data.set(ink.subarray(0, 3), at);
        image.data[at + 3] = 255 * Math.max(level, 0) ** 2.5;
      }
    }
    inner.putImageData(image, 0, 0);
    context.drawImage(picture, 0, 0, width, height);
    [context.strokeStyle, context.fillStyle] = [colour("--b"), colour("--b")];
    const x = (step) => ((step + 0.5) / n) * width, y = (bin) => height - ((bin + 0.5) / K.n_bins) * height;
    for (const [t, b, u, c] of ends) {
      context.beginPath();
      context.moveTo(x(t), y(b));
      context.lineTo(x(u), y(c));
      context.globalAlpha = 0.45;
      context.stroke();
      context.globalAlpha = 1;
      context.fillRect(x(t) - 1.5, y(b) - 1.5, 3, 3);
    }
  }

  function drawPlaces(canvas, places, { song, offset_s: offset }) {
    const { context, width, height, colour } = prepare(canvas);
    const bins = new Array(Math.ceil(song.seconds * 2)).fill(0), base = height - 18;
    for (const s of places) if (s > -0.5 && s < song.seconds) bins[Math.max(Math.floor(s * 2), 0)] += 1;
    const most = Math.max(...bins, 1), wide = width / bins.length;
    context.fillStyle = colour("--dust");
    bins.forEach((count, i) => {
      const tall = (count / most) * (base - 4);
      context.fillRect(i * wide, base - tall, Math.max(wide - 0.5, 1), tall);
    });
    context.fillStyle = colour("--b");
    const x = (Math.max(offset, 0) / song.seconds) * width;
    context.beginPath();
    context.moveTo(x, base + 1);
    context.lineTo(x - 6, height);
    context.lineTo(x + 6, height);
    context.fill();
    context.fillStyle = colour("--soft");
    for (let s = 0; s < song.seconds; s += width < 500 ? 30 : 15) {
      const at = (s / song.seconds) * width;
      if (Math.abs(at + 12 - x) > 24 && at < width - 30) context.fillText(clock(s), at, height - 3);
    }
  }

  // --- listen ------------------------------------------------------------------------------------

  /** Music and noise that are mixed by two gains, for the ear and for the identifier alike. */
  class Mixture {
    /** @param {Float32Array} y at `HEARD_HZ` */
    constructor(y) {
      const heard = resample(y, HEARD_HZ, K.rate_hz), noise = makeNoise(heard.length);
      const level = measureLevel(heard); // where the identifier hears, and the noise is
      [this.heard, this.music] = [divide(heard, level), divide(y, level)];
      this.hiss = divide(noise, measureLevel(noise));
    }

    /** How loud music and noise are at a level of the one over the other: their sum stays the same. */
    gains(db) {
      const music = LOUDNESS / Math.sqrt(1 + 10 ** (-db / 10));
      return [music, music * 10 ** (-db / 20)];
    }

    /** What is heard at a level of the music over the noise, in dB, up to 4 kHz. */
    mix(db) {
      const [music, noise] = this.gains(db);
      return this.heard.map((x, i) => music * x + noise * this.hiss[i]);
    }

    async play(context, db) {
      await context.resume();
      this.voices = [this.music, resample(this.hiss, K.rate_hz, HEARD_HZ)].map((y) => {
        const buffer = context.createBuffer(1, y.length, HEARD_HZ);
        buffer.copyToChannel(y, 0);
        const source = new AudioBufferSourceNode(context, { buffer, loop: true });
        const gain = new GainNode(context, { gain: 0 });
        source.connect(gain).connect(context.destination);
        source.start();
        return { source, gain, context };
      });
      this.fade(db);
    }

    fade(db) {
      const gains = this.gains(db);
      this.voices?.forEach(({ gain, context }, i) =>
        gain.gain.setTargetAtTime(gains[i], context.currentTime, 0.03));
    }

    stop() {
      this.voices?.forEach(({ source }) => source.stop());
      this.voices = null;
    }
  }

  /** Read an excerpt that came with the page. */
  const readExcerpt = ({ sound }) => readWav(AARES.decode(sound.base64)).y;

  /** Return what asks the identifier and shows its answer, unless something newer was asked. */
  function makeAsker(panel) {
    let newest = 0;
    return async (makeSignal, pause_ms = 0) => {
      const own = (newest += 1);
      await later(pause_ms);
      if (own !== newest) return null;
      try {
        const answer = await identifier.identify(await makeSignal(), rest);
        if (own !== newest) return null;
        panel.show(answer);
        return answer;
      } catch (error) {
        if (own !== newest) return null; // what failed is of no interest any more
        throw error;
      }
    };
  }

  AARES.excerpts = { Mixture, readExcerpt };

  // --- the section *listen* ----------------------------------------------------------------------

  AARES.sections.listen = (root) => {
    const { rows } = AARES.data.excerpts, panel = new Panel("listen"), ask = makeAsker(panel);
    let mixture = null, context = null, level = LEVELS_DB[1];
    const slider = make("input", {
      type: "range", id: "noise", min: -RANGE_DB[0], max: -RANGE_DB[1], step: 1,
      oninput: () => setLevel(-slider.value),
    });
    const output = make("output", { htmlFor: "noise", className: "number" });
    const presets = LEVELS_DB.map((db) => button(decibels(db), () => setLevel(db)));
    const verdicts = presets.map((preset) => preset.appendChild(make("small")));
    const askNow = () => ask(() => mixture.mix(level), SETTLED_MS);
    /** Say under each level whether the recording is named there. */
    const judge = async (own) => {
      for (const verdict of verdicts) verdict.textContent = "…";
      for (const [i, db] of LEVELS_DB.entries()) {
        const { match } = await identifier.identify(own.mix(db), rest);
        if (own !== mixture) return;
        verdicts[i].textContent = match ? "named" : "unknown";
      }
    };
    const showLevel = (db) => {
      level = db;
      slider.value = -db;
      output.textContent = compare(db);
      slider.setAttribute("aria-valuetext", output.textContent);
      presets.forEach((preset, i) => preset.setAttribute("aria-pressed", String(LEVELS_DB[i] === db)));
    };
    const setLevel = (db) => {
      showLevel(db);
      mixture?.fade(db);
      return mixture && askNow();
    };
    const play = button("Play", async () => {
      if (!mixture) return undefined; // it is not on the screen yet
      play.textContent = mixture.voices ? "Play" : "Stop";
      if (mixture.voices) return mixture.stop();
      context ??= new AudioContext({ sampleRate: HEARD_HZ });
      return mixture.play(context, level);
    }, { className: "main" });
    const pick = async (i) => {
      const goesOn = Boolean(mixture?.voices);
      mixture?.stop();
      mixture = new Mixture(readExcerpt(rows[i]));
      if (goesOn) await mixture.play(context, level);
      await askNow();
      await judge(mixture);
    };
    const choices = rows.map(({ title, artist, known }, i) =>
      make("label", { className: "choice" },
        make("input", { type: "radio", name: "excerpt", checked: i === 0, onchange: () => pick(i) }),
        make("span", {}, `${title} `, make("span", { className: "small" }, known ? artist : `${artist}; not in the index`))));
    root.append(
      make("fieldset", { className: "row" }, make("legend", {}, "Ten seconds of"), ...choices),
      make("div", { className: "row" }, play, ...presets),
      make("p", { className: "small" }, "How loud the music is beside white noise; under each level, whether the index still names it."),
      make("label", { htmlFor: "noise" }, "More noise to the right: ", output), slider, panel.root,
    );
    showLevel(level);
    // Nothing is computed for who does not look.
    const watcher = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      watcher.disconnect();
      pick(0);
    }, { rootMargin: "200px" });
    watcher.observe(root);
  };

  // --- the section *identify* --------------------------------------------------------------------

  /** Say why there is no sound from the microphone, and what helps. */
  function explainMicrophone(error) {
    const instead = "A file works without it: record one with another program.";
    if (error.name === "NotFoundError") return `No microphone was found. Connect one, or: ${instead}`;
    if (error.name === "NotReadableError") return `The microphone is in use by another program. ${instead}`;
    if (error.name === "NotAllowedError") {
      return "The browser did not allow the microphone. Allow it in the address bar; some browsers never "
        + `do so for a page that is opened from the disk. ${instead}`;
    }
    return `This browser gives no microphone to a page that is opened from the disk. ${instead}`;
  }

  /** Record from the microphone until it is told to stop, or for ten seconds. */
  async function record(onStart) {
    const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    const stream = await navigator.mediaDevices.getUserMedia({ audio: plain });
    try {
      const recorder = new MediaRecorder(stream), parts = [];
      recorder.ondataavailable = ({ data }) => parts.push(data);
      const ended = new Promise((resolve) => { recorder.onstop = resolve; });
      const stop = () => recorder.state === "recording" && recorder.stop();
      recorder.start();
      onStart(stop);
      setTimeout(stop, 1000 * RECORD_S);
      await ended;
      return new Blob(parts).arrayBuffer();
    } finally {
      for (const track of stream.getTracks()) track.stop();
    }
  }

  AARES.sections.identify = (root) => {
    const panel = new Panel("identify"), ask = makeAsker(panel);
    const status = make("p", { role: "status", className: "small" }, "");
    const say = (text) => { status.textContent = text; };

    /** Decode and ask; say what went wrong in words that help. */
    const hear = async (name, read) => {
      panel.root.hidden = true;
      say(`Listening to ${name} …`);
      try {
        let y;
        const answer = await ask(async () => {
          y = await decode(await read(), K.rate_hz);
          if (!y.length || !y.every(Number.isFinite)) throw new RangeError();
          return y;
        });
        if (answer) say(`${name}: ${clock(y.length / K.rate_hz)} of sound.`);
      } catch (error) {
        if (error instanceof RangeError) say(`${name} holds no sound.`);
        else say(`${name} is no sound that this browser can read: expected WAV, MP3, FLAC, Ogg or the like.`);
      }
    };
    const hearFile = (file) => file && hear(file.name, () => file.arrayBuffer());

    const picker = make("input", {
      type: "file", id: "sound-file", accept: "audio/*,video/*", onchange: () => hearFile(picker.files[0]),
    });
    let stop = null;
    const microphone = button("Use the microphone", async () => {
      if (stop) return stop();
      microphone.disabled = true; // until the browser's question is answered
      try {
        const content = await record((end) => {
          [stop, microphone.disabled, microphone.textContent] = [end, false, "Stop and ask"];
          say(`Recording for ${RECORD_S} seconds at most …`);
        });
        hear("What was recorded", () => content);
      } catch (error) {
        say(explainMicrophone(error));
      }
      [stop, microphone.disabled, microphone.textContent] = [null, false, "Use the microphone"];
      return undefined;
    });
    const sample = AARES.data.excerpts.rows[SAMPLE];
    const example = button("Try a sound from here: too fast, in noise", () => {
      panel.root.hidden = true;
      const y = new Mixture(readExcerpt(sample)).mix(0);
      say(`${sample.title}, played 3 % too fast in noise as loud as the music.`);
      return ask(() => resample(y, Math.round(1.03 * K.rate_hz), K.rate_hz));
    });
    const drop = make("div", {
      className: "drop",
      ondragover: (event) => { event.preventDefault(); drop.dataset.over = "yes"; },
      ondragleave: () => delete drop.dataset.over,
      ondrop: (event) => {
        event.preventDefault();
        delete drop.dataset.over;
        hearFile(event.dataTransfer.files[0]);
      },
    }, make("label", { htmlFor: "sound-file" }, "Drop a sound here, or choose a file "), picker);
    const songs = K.songs.map(({ artist, title }) => make("li", {}, `${title}, ${artist}`));
    root.append(drop, make("div", { className: "row" }, microphone, example),
      make("p", { className: "small" }, `The index holds the ${songs.length} recordings below: of any other the right answer is Unknown.`),
      status, panel.root,
      make("details", {}, make("summary", {}, `The ${songs.length} recordings in this page's index`),
        make("ul", {}, ...songs)));
  };
})();
