// The labelling page: two clips, one join, one answer. Nothing sounds without a key or a click.
export const [RAMP_S, GAP_S, FADE_S, AROUND_S, AFTER_S] = [0.005, 0.5, 3, 2, 0.5];
const [AHEAD, RETRY_MS, PATIENCE_MS] = [5, 1000, 15000];
const $ = (id) => document.getElementById(id);
const calm = matchMedia("(prefers-reduced-motion: reduce)");

// --- sound: what the tests render is what people hear ---------------------------------------

/** Where B begins, where the join is over and where all ends: frames after the first of A. */
export function plan(a, b, join) {
  const fade = join === "fade" ? Math.min(FADE_S * a.sampleRate, a.length, b.length) : 0;
  const begin = a.length - fade + (join === "gap" ? GAP_S * a.sampleRate : 0);
  return { fade, begin, joined: begin + fade, total: begin + b.length };
}

/** Start A and B on one clock; `at`, `from`, `until` in frames, the last two of the whole pair. */
export function schedule(context, a, b, join, { at = 0, from = 0, until = Infinity, output } = {}) {
  const rate = a.sampleRate, { fade, begin, total } = plan(a, b, join);
  const end = at - from + Math.min(until, total);
  const [nodeA, nodeB] = [a, b].map((buffer) => new AudioBufferSourceNode(context, { buffer }));
  const [gainA, gainB] = [nodeA, nodeB].map((node) => {
    const gain = new GainNode(context);
    node.connect(gain).connect(output ?? context.destination);
    return gain.gain;
  });
  const ramp = (gain, frame, up) => {
    gain.setValueAtTime(up ? 0 : 1, frame / rate - (up ? 0 : RAMP_S));
    gain.linearRampToValueAtTime(up ? 1 : 0, frame / rate + (up ? RAMP_S : 0));
  };
  const join0 = at - from + begin;
  ramp(gainA, at, true);
  if (join === "gap") { // silence on both sides of it: these are ends too
    ramp(gainA, at - from + a.length, false);
    ramp(gainB, join0, true);
  } else if (fade) {
    const turn = Float32Array.from({ length: 257 }, (_, i) => (i / 256) * (Math.PI / 2));
    gainA.setValueCurveAtTime(turn.map(Math.cos), join0 / rate, fade / rate);
    gainB.setValueCurveAtTime(turn.map(Math.sin), join0 / rate, fade / rate);
  }
  ramp(gainB, end, false);
  nodeA.start(at / rate, from / rate);
  nodeB.start(join0 / rate);
  nodeB.stop(end / rate);
  return [nodeA, nodeB];
}

let context, playing, decoding = new Map();

/** A sound of the server as a buffer, fetched and decoded once. */
async function fetchSound(path) {
  context ??= new AudioContext({ latencyHint: "interactive" });
  const reply = await fetch(address(path), { signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!reply.ok) throw Object.assign(new Error(`no sound at ${path}`), { refused: true });
  return context.decodeAudioData(await reply.arrayBuffer());
}

function silence() {
  if (!playing) return;
  const { nodes, output, pair } = playing;
  if (pair) listen();
  output.gain.setTargetAtTime(0, context.currentTime, RAMP_S / 3);
  nodes.forEach((node) => { node.onended = null; node.stop(context.currentTime + 4 * RAMP_S); });
  document.querySelectorAll("[data-sound]").forEach((x) => x.setAttribute("aria-pressed", "false"));
  playing = null;
}

/** Begin what `make(output, frame)` schedules, a moment from now, on a frame of the clock. */
function begin(make, more = {}) {
  silence();
  context.resume();
  const output = new GainNode(context);
  output.connect(context.destination);
  const at = Math.ceil((context.currentTime + 0.02) * context.sampleRate);
  playing = { output, at, nodes: make(output, at), ...more };
  playing.nodes.at(-1).onended = () => { silence(); draw(); more.done?.(); };
}

async function playSample(path, done) {
  if (!decoding.has(path)) decoding.set(path, await fetchSound(path));
  begin((output) => {
    const node = new AudioBufferSourceNode(context, { buffer: decoding.get(path) });
    node.connect(output);
    node.start();
    return [node];
  }, { done });
}

// --- the server, and what waits for it ------------------------------------------------------

const recall = (key, empty) => JSON.parse(localStorage.getItem(`aares.${key}`)) ?? empty;
const keep = (key, value) => localStorage.setItem(`aares.${key}`, JSON.stringify(value));
let session = recall("session", null), sending = false;

function address(path) {
  const url = new URL(path, location.origin), token = new URLSearchParams(location.search).get("token");
  if (token) url.searchParams.set("token", token);
  return url;
}

/** JSON from the server; an error that is `refused` would be the same a second time. */
async function request(path, body) {
  const options = { signal: AbortSignal.timeout(PATIENCE_MS) };
  const headers = { "Content-Type": "application/json" };
  if (body) Object.assign(options, { method: "POST", headers, body: JSON.stringify(body) });
  const reply = await fetch(address(path), options), said = await reply.json().catch(() => ({}));
  if (reply.ok) return said;
  const refused = reply.status < 500 && reply.status !== 403;
  throw Object.assign(new Error(said.error ?? `The server says ${reply.status}.`), { refused });
}

function makeUuid() { // crypto.randomUUID is missing where the page is not on this computer
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  [bytes[6], bytes[8]] = [(bytes[6] & 15) | 64, (bytes[8] & 63) | 128];
  const hex = Array.from(bytes, (x) => x.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

function post(path, body) {
  const event = { path, body: { uuid: makeUuid(), rater: session.rater, ...body } };
  keep("queue", [...recall("queue", []), event]);
  send();
  return event.body.uuid;
}

/** Send what waits, in order; each keeps its uuid, so that sending it twice is harmless. */
async function send() {
  showUnsaved();
  if (sending) return;
  sending = true;
  for (let event; (event = recall("queue", [])[0]);) {
    try {
      takeReply(event, await request(event.path, event.body));
    } catch (error) {
      if (!error.refused) { setTimeout(send, RETRY_MS); break; }
      keep("refused", [...recall("refused", []), { ...event, error: error.message }]);
      say(`Not saved: ${error.message}`);
    }
    keep("queue", recall("queue", []).filter((x) => x.body.uuid !== event.body.uuid));
    showUnsaved();
  }
  sending = false;
}

function takeReply({ path, body }, reply) {
  if (path === "/api/headphones") say(`The headphone check: ${reply.right} of 6.`);
  const entry = session?.today.find((x) => x.uuid === body.uuid);
  if (!entry || !reply.titles) return;
  entry.titles = reply.titles;
  keep("session", session);
  if (last?.uuid === body.uuid) showLast();
  if (!$("end").hidden) showEnd();
}

// --- pairs: in hand, ahead, answered ----------------------------------------------------------

const pool = [];
let about = {}, current = null, last = null, told = false, mode = "levelled", filling = false, why = "";
const makePair = (x, training) => ({ ...x, training, sounds: {}, heard: 0, plays: 0, away: 0 });

/** Keep AHEAD pairs decoded, so that the next one starts at once and a lost network is no matter. */
async function refill() {
  if (filling || !session) return;
  filling = true;
  try {
    for (;;) {
      if (!current && pool.length) [current, told] = [pool.shift(), false];
      const pair = [current, ...pool].find((x) => x && !x.sounds[mode]);
      if (pair) await load(pair, mode);
      else if (pool.length >= AHEAD) break;
      else {
        const unsaved = recall("queue", []).map((x) => x.body);
        const hold = [current, last?.pair, ...pool, ...unsaved].map((x) => x?.pair).filter(Boolean);
        const next = await request(`/api/next?rater=${session.rater}&hold=${[...new Set(hold)]}`);
        why = next.why ?? "";
        if (!next.pair) break;
        pool.push(makePair(next));
      }
    }
  } catch (error) {
    if (error.refused) say(error.message);
    else setTimeout(refill, RETRY_MS);
  }
  filling = false;
  if (!current && why) showEnd();
}

async function load(pair, levels) {
  const query = levels === "record" ? "?levels=record" : "";
  try {
    pair.sounds[levels] = await Promise.all([pair.a, pair.b].map((x) => fetchSound(x + query)));
    performance.mark("preloaded", { detail: pair.pair });
  } catch (error) {
    if (!error.refused && error.name !== "EncodingError") throw error;
    post("/api/skip", { pair: pair.pair });
    if (pair === current) current = null;
    else pool.splice(pool.indexOf(pair), 1);
  }
  if (pair === current || !current) show();
}

function play(near) {
  const [a, b] = current?.sounds[mode] ?? [];
  if (!a) return;
  const { begin: start, joined, total } = plan(a, b, session.join), around = AROUND_S * a.sampleRate;
  const from = near ? Math.max(0, start - around) : 0;
  const to = near ? Math.min(total, joined + around) : total;
  begin((output, at) => schedule(context, a, b, session.join, { at, from, until: to, output }),
    { pair: current, from, to, here: from, enough: Math.min(joined + AFTER_S * a.sampleRate, total) });
  performance.mark("sound", { startTime: performance.now()
    + (playing.at / context.sampleRate - context.currentTime) * 1000 });
  current.plays += 1;
  show();
  tick();
}

/** Count what was heard, by the clock of the sound; the answers open once the join was. */
function listen() {
  const { pair, at, from, to, here, enough } = playing, rate = context.sampleRate;
  playing.here = Math.max(here, Math.min(to, from + context.currentTime * rate - at));
  pair.heard += (playing.here - here) / rate;
  if (playing.here < enough) return;
  pair.levels = mode;
  if (pair.joined) return;
  pair.joined = performance.now();
  say("You heard the join: answer when you like.");
  show();
}

function tick() {
  if (!playing?.pair) return;
  listen();
  draw();
  requestAnimationFrame(tick);
}

function answer(choice) {
  if (!current || told) return;
  if (!current.joined) { say("First the join: play it to the bar and a little on."); return; }
  performance.mark("answer");
  silence();
  const { pair, heard, plays, levels, joined, away, training } = current;
  const uuid = post("/api/answers", { pair, answer: choice, levels, join: session.join,
    heard_ms: Math.round(heard * 1000), join_heard: true, replays: plays - 1,
    reaction_ms: Math.round(performance.now() - joined - away), rate: context.sampleRate,
    page_version: about.page_version });
  if (training) {
    session.practice.shift();
    const right = training.answer === choice;
    $("told").textContent = `${right ? "So say we" : `We say ${training.answer}`}: ${training.why}`;
    [told, $("last").hidden, $("undo").hidden] = [true, false, true];
    say(session.practice.length ? "" : "That was the practice. From here on it counts.");
    show();
  } else {
    last = { pair: current, uuid };
    session.today.push({ uuid, answer: choice });
    session.answered += 1;
    showLast();
    if (session.answered === session.planned) showEnd();
    advance();
  }
  keep("session", session);
}

function advance() {
  [current, told] = [pool.shift() ?? null, false];
  if ($("pairs").hidden) show();
  else if (current?.sounds[mode]) { say(""); play(false); } else show();
  refill();
}

function undo() {
  if (!last) { say("There is nothing to take back."); return; }
  silence();
  post("/api/undo", { of: last.uuid });
  session.today = session.today.filter((x) => x.uuid !== last.uuid);
  session.answered -= 1;
  keep("session", session);
  if (current) pool.unshift(current);
  [current, last, $("last").hidden] = [Object.assign(last.pair, { joined: performance.now() }), null, true];
  say("Taken back: answer again.");
  show();
}

// --- what is seen -----------------------------------------------------------------------------

const say = (text) => { $("hint").textContent = text; };
const enable = (button, yes) => button.setAttribute("aria-disabled", String(!yes));

function view(name, first) {
  silence();
  document.querySelectorAll(".view").forEach((x) => { x.hidden = x.id !== name; });
  $("tools").hidden = $("progress").hidden = name === "setup" || name === "check";
  $("who").textContent = name === "setup" ? "Pairs of songs" : session.name;
  scrollTo(0, 0);
  if (first) $(first).focus();
}

function show() {
  const sound = current?.sounds[mode], practised = 4 - (session.practice.length + (told ? 1 : 0));
  $("practice").textContent = current?.training ? `Practice ${practised + 1} of 4, not counted`
    : "No brutal change at the bar. Not: do I like it.";
  $("play-text").textContent = told ? "Next pair" : !sound ? "Loading" : current.plays ? "Again" : "Play";
  [$("play"), $("near")].forEach((x) => enable(x, sound));
  const buttons = [...$("answers").children], mirrored = current?.presentation === "mirrored";
  buttons.forEach((x) => enable(x, current?.joined && !told));
  if (mirrored !== (buttons[0].dataset.answer === "no")) $("answers").append(...buttons.reverse());
  [$("given").max, $("given").value] = [session.planned, session.answered];
  $("count").textContent = `${session.answered} of ${session.planned}`;
  draw();
}

function showUnsaved() {
  const n = recall("queue", []).filter((x) => x.path === "/api/answers").length;
  $("unsaved").textContent = n ? `${n} ${n === 1 ? "answer" : "answers"} not saved yet` : "";
  $("safe").textContent = n ? "They wait in this browser until the server is back." : "All is saved.";
}

const name = ({ titles }) => (titles ? `${titles.a} → ${titles.b}` : "");

function showLast() {
  const entry = session.today.at(-1);
  $("told").textContent = `You said ${entry.answer}${entry.titles ? `: ${name(entry)}` : ""}`;
  [$("last").hidden, $("undo").hidden] = [false, false];
}

function showEnd() {
  const n = session.today.length, left = session.planned - session.answered;
  $("thanks").textContent = `Thank you, ${session.name}.`;
  $("summary").textContent = (n === 1 ? "One answer today. " : `${n} answers today. `) + (left > 0
    ? `${left} are left for another day.` : "All that were planned are given.") + (why && ` ${why}`);
  $("tally").replaceChildren(...["yes", "no", "unsure"].map((x) => make("div", "",
    make("dt", x), make("dd", session.today.filter((y) => y.answer === x).length))));
  const heard = session.today.filter((x) => x.titles);
  $("titles").replaceChildren(...heard.map((x) => make("li", name(x), make("span", x.answer))));
  $("heard").hidden = !heard.length;
  if ($("end").hidden) view("end", "thanks");
}

function make(tag, text, ...children) {
  const element = document.createElement(tag);
  element.append(String(text), ...children);
  return element;
}

/** Loudness of both clips over the time of the pair, in n steps. */
function measure([a, b], n, { begin, total }) {
  return [[a, 0], [b, begin]].map(([buffer, offset]) => {
    const channels = Array.from({ length: buffer.numberOfChannels }, (_, i) => buffer.getChannelData(i));
    return Float32Array.from({ length: n }, (_, i) => {
      const [first, end] = [i, i + 1].map((x) => Math.round((x * total) / n) - offset);
      let sum = 0;
      for (const data of channels) {
        for (let k = Math.max(0, first); k < Math.min(end, data.length); k++) sum += data[k] ** 2;
      }
      return Math.sqrt(sum / (end - first) / channels.length);
    });
  });
}

function draw() {
  const canvas = $("wave"), { clientWidth: width, clientHeight: height } = canvas;
  const sounds = current?.sounds[mode], scale = devicePixelRatio, pen = canvas.getContext("2d");
  if (!width) return;
  Object.assign(canvas, { width: width * scale, height: height * scale });
  if (!sounds) return;
  pen.scale(scale, scale);
  const style = getComputedStyle(canvas), { begin: start, total } = plan(...sounds, session.join);
  const n = Math.floor(width / 4), x = (frame) => (frame / total) * width, key = `${mode} ${n}`;
  if (current.key !== key) {
    Object.assign(current, { key, bars: measure(sounds, n, plan(...sounds, session.join)) });
    const [a, b] = sounds.map((y) => Math.round(y.duration));
    canvas.setAttribute("aria-label", `Waveforms: the last ${a} seconds of one song, then the first`
      + ` ${b} of another; a bar marks the join`);
  }
  const top = Math.max(...current.bars[0], ...current.bars[1], 1e-6), second = sounds[0].sampleRate;
  const here = calm.matches ? Math.floor(playing?.here / second) * second : playing?.here;
  current.bars.forEach((bars, side) => {
    pen.fillStyle = style.getPropertyValue(side ? "--b" : "--a");
    bars.forEach((level, i) => {
      if (!level) return;
      pen.globalAlpha = playing?.pair && i * 4 > x(here) ? 0.35 : 0.9;
      const tall = Math.max(2, (level / top) ** 0.8 * (height - 16));
      pen.beginPath();
      pen.roundRect(i * 4 + 0.75, (height - tall) / 2, 2.5, tall, 1.25);
      pen.fill();
    });
  });
  [pen.globalAlpha, pen.fillStyle] = [1, style.color];
  pen.fillRect(x((sounds[0].length + start) / 2) - 0.75, 0, 1.5, height);
  if (playing?.pair) { pen.globalAlpha = 0.6; pen.fillRect(x(here) - 0.5, 6, 1, height - 12); }
}

// --- before the first pair, and the keys -------------------------------------------------------

let tones = [];

async function enter(event) {
  event.preventDefault();
  const form = Object.fromEntries(new FormData($("setup"))), { device, join } = form;
  try {
    const rater = await request("/api/raters", { uuid: makeUuid(), name: form.name.trim(), device, join });
    session = { ...rater, join, practice: rater.answered ? [] : rater.training, today: [] };
  } catch (error) {
    $("setup-error").textContent = error.message;
    return;
  }
  last = null;
  if (form.check && device === "headphones") askTone();
  else start();
}

function start() {
  const day = new Date().toDateString();
  if (session.day !== day) Object.assign(session, { day, today: [] });
  keep("session", session);
  pool.splice(0, Infinity, ...session.practice.map((x) => makePair({ pair: x.pair,
    a: `/clip/${x.pair}/a.wav`, b: `/clip/${x.pair}/b.wav` }, x)));
  [current, told, $("last").hidden] = [null, false, true];
  view("pairs", "play");
  refill();
  show();
}

function askTone() {
  view("check", "trial");
  $("trial-hint").textContent = `Sound ${tones.length + 1} of 6`;
  document.querySelectorAll("[data-tone]").forEach((x) => enable(x, false));
}

function answerTone(tone) {
  tones.push(tone);
  if (tones.length < 6) { askTone(); return; }
  post("/api/headphones", { answers: tones });
  start();
}

const press = {
  play: () => (told ? advance() : play(false)),
  near: () => (told ? advance() : play(true)),
  levels: () => {
    mode = mode === "record" ? "levelled" : "record";
    $("levels").setAttribute("aria-pressed", String(mode === "record"));
    silence();
    show();
    refill();
  },
  undo,
  rest: () => { silence(); show(); $("pause").showModal(); },
  ask: () => { silence(); show(); $("help").showModal(); },
  stop: showEnd,
  more: () => { view("pairs", "play"); show(); },
  resume: start,
  trial: () => playSample(`/sound/${session.headphones[tones.length]}.wav`,
    () => document.querySelectorAll("[data-tone]").forEach((x) => enable(x, true))),
  "leave-check": start,
};

document.addEventListener("click", ({ target, detail }) => {
  const button = target.closest("button"), { answer: choice, tone, sound } = button?.dataset ?? {};
  if (!button) return;
  if (button.ariaDisabled === "true" && !choice) return;
  if (choice) answer(choice);
  else if (tone) answerTone(Number(tone));
  else if (sound) {
    const on = button.ariaPressed !== "true";
    silence();
    if (on) playSample(`/sound/${sound}.wav`).then(() => { button.ariaPressed = "true"; });
  } else press[button.id]?.();
  if ((detail || choice) && button.closest("#pairs")) $("play").focus();
});

document.addEventListener("keydown", (event) => {
  const { target, repeat, ctrlKey, metaKey, altKey } = event;
  const key = event.key === " " ? "Space" : event.key.toUpperCase();
  if (repeat || ctrlKey || metaKey || altKey || target.matches("input")) return;
  if (key === "Space" && target.matches("button")) return; // which it presses by itself
  const part = document.querySelector("dialog[open]") ?? document;
  const buttons = [...part.querySelectorAll("[aria-keyshortcuts]")];
  const button = buttons.find((x) => x.offsetParent && x.getAttribute("aria-keyshortcuts") === key);
  if (button) { event.preventDefault(); button.click(); }
});

$("setup").addEventListener("submit", enter);
$("setup").addEventListener("change", () => {
  $("setup").check.disabled = $("setup").device.value !== "headphones";
});
addEventListener("online", () => { send(); refill(); });
addEventListener("resize", () => { if (session) draw(); });
$("again").hidden = !session;
$("known").textContent = $("setup").name.value = session?.name ?? "";
send();
about = await request("/api/about");
$("definition").textContent = $("help-definition").textContent = about.definition;
