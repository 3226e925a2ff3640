// The labelling page: two clips, one join, one answer. Nothing sounds without a key or a click.
import "./join.js";

export const { plan, schedule } = globalThis.AARES.join, { measure, RAMP_S } = globalThis.AARES.join;
const [AROUND_S, AFTER_S, AHEAD, RETRY_MS, PATIENCE_MS, DAY_MS, TRIALS] = [1, 0.5, 5, 1000, 15000, 86400000, 6];
const $ = (id) => document.getElementById(id);
const all = (selector) => [...document.querySelectorAll(selector)];
const calm = matchMedia("(prefers-reduced-motion: reduce)");

let context, playing, timer;

/** Begin what `make(output, frame)` schedules, a moment from now, on a frame of the clock. */
function sound(make, more) {
  silence();
  context.resume();
  const output = new GainNode(context), at = Math.ceil((context.currentTime + 0.02) * context.sampleRate);
  output.connect(context.destination);
  playing = { ...more, output, at, nodes: make(output, at) };
  playing.nodes.at(-1).onended = () => { silence(); draw(); more.done?.(); };
}

function silence() {
  if (!playing) return;
  const { nodes, output, pair } = playing;
  if (pair) listen();
  output.gain.setTargetAtTime(0, context.currentTime, RAMP_S / 2);
  nodes.forEach((x) => { x.onended = null; x.stop(context.currentTime + 4 * RAMP_S); });
  playing = null;
}

async function playSample(name, done) {
  const buffer = await fetchSound(`/sound/${name}.wav`);
  const node = new AudioBufferSourceNode(context, { buffer });
  sound((output) => { node.connect(output); node.start(); return [node]; }, { name, done });
}

// --- the server, and what waits for it
const recall = (key, empty) => JSON.parse(localStorage.getItem(`aares.${key}`)) ?? empty;
const keep = (key, value) => localStorage.setItem(`aares.${key}`, JSON.stringify(value));
let session = recall("session", null), sending = false;

/** Ask the server; an error that is `refused` would be the same a second time. */
async function reach(path, body) {
  const url = new URL(path, location.origin), token = new URL(location).searchParams.get("token");
  if (token) url.searchParams.set("token", token);
  const form = body && { method: "POST", body: JSON.stringify(body) };
  const headers = body && { "Content-Type": "application/json" };
  const reply = await fetch(url, { ...form, headers, signal: AbortSignal.timeout(PATIENCE_MS) });
  if (reply.ok) return reply;
  const { error = `The server says ${reply.status}.` } = await reply.json().catch(() => ({}));
  throw Object.assign(new Error(error), { refused: reply.status < 500 && reply.status !== 403 });
}

const request = async (path, body) => (await reach(path, body)).json();
const fetchSound = async (path) =>
  (context ??= new AudioContext()).decodeAudioData(await (await reach(path)).arrayBuffer());

// crypto.randomUUID is missing where the page comes from another computer.
const makeUuid = () => "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx".replace(/x/g,
  () => (crypto.getRandomValues(new Uint8Array(1))[0] & 15).toString(16));

function post(path, body) {
  const event = { path, body: { uuid: makeUuid(), rater: session.rater, ...body } };
  keep("queue", [...recall("queue", []), event]);
  send();
  return event.body.uuid;
}

/** Send what waits, in order; each keeps its UUID, so that sending it twice is harmless. */
async function send() {
  if (sending) return;
  sending = true;
  for (let event; (event = recall("queue", [])[0]);) {
    showUnsaved();
    try {
      takeReply(event, await request(event.path, event.body));
    } catch (error) {
      if (!error.refused) { setTimeout(send, RETRY_MS); break; }
      keep("refused", [...recall("refused", []), { ...event, error: error.message }]);
      say(`Not saved: ${error.message}`);
    }
    keep("queue", recall("queue", []).filter((x) => x.body.uuid !== event.body.uuid));
  }
  sending = false;
  showUnsaved();
}

function takeReply({ path, body }, { right, titles }) {
  if (path === "/api/headphones") say(`The headphone check: ${right} of ${TRIALS} right.`);
  const entry = session?.today.find((x) => x.uuid === body.uuid);
  if (!entry) return;
  entry.titles = titles;
  keep("session", session);
  if ($("end").hidden) showLast();
  else press.stop();
}

// --- pairs: the first of the pool is in hand, the others are ahead
const pool = [], tones = [], makePair = (x) => ({ ...x, sounds: {}, heard: 0, plays: 0, away: 0 });
let about = {}, last = null, told = "", mode = "levelled", filling = false, why = "";

/** Keep AHEAD pairs decoded: the next one starts at once, and a lost network is no matter. */
async function refill() {
  if (filling || !session) return;
  filling = true;
  try {
    for (;;) {
      const pair = pool.find((x) => !x.sounds[mode]), unsaved = recall("queue", []).map((x) => x.body);
      if (pair) { await load(pair, mode); continue; }
      if (pool.length > AHEAD) break;
      const hold = [...pool, ...unsaved.filter((x) => x.rater === session.rater && x.pair)];
      const ids = [...new Set(hold.map((x) => x.pair))];
      const next = await request(`/api/next?rater=${session.rater}&hold=${ids}`);
      why = next.why ?? "";
      if (!next.pair) break;
      pool.push(makePair(next));
    }
  } catch (error) {
    if (error.refused) say(error.message);
    else setTimeout(refill, RETRY_MS);
  }
  filling = false;
  if (!pool.length && why) press.stop();
}

async function load(pair, levels) {
  const query = levels === "record" ? "?levels=record" : "";
  try {
    pair.sounds[levels] = await Promise.all([pair.a, pair.b].map((x) => fetchSound(x + query)));
    performance.mark("preloaded", { detail: pair.pair });
  } catch (error) {
    if (!error.refused) throw error;
    pool.splice(pool.indexOf(pair), 1); // the server cannot make it, and asks no more about it
  }
  if (pair === pool[0] || !pool.length) show();
}

function play(near) {
  const pair = pool[0], [a, b] = pair?.sounds[mode] ?? [], around = AROUND_S * a?.sampleRate;
  if (!a) return;
  const { start, joined, total } = plan(a, b, session.join);
  const [from, to] = near ? [Math.max(0, start - around), Math.min(total, joined + around)] : [0, total];
  sound((output, at) => schedule(context, a, b, session.join, { at, from, to, output }),
    { pair, from, to, here: from, enough: Math.min(joined + AFTER_S * a.sampleRate, total) });
  const startTime = performance.now() + (playing.at / a.sampleRate - context.currentTime) * 1000;
  performance.mark("sound", { startTime, detail: pair.pair });
  pair.plays += 1;
  show();
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
  enable([...$("answers").children], true);
}

function advance() {
  told = "";
  say("");
  pool.shift();
  if (pool[0]?.sounds[mode] && !$("pairs").hidden) play();
  else show();
  refill();
}

/** What the buttons do, and the keys that press them. */
const press = {
  play: (near) => (told ? advance() : play(near)),
  answer(choice) {
    if (told) return;
    if (!pool[0]?.joined) { say("First the join: play it to the bar and a little on."); return; }
    const { pair, heard, plays, levels, joined, away, lesson } = pool[0];
    performance.mark("answer", { detail: pair });
    silence();
    const uuid = post("/api/answers", { pair, answer: choice, levels, join: session.join,
      heard_ms: clip(heard * 1000), join_heard: true, replays: plays - 1,
      reaction_ms: clip(performance.now() - joined - away), rate: context.sampleRate,
      page_version: about.page_version ?? "unknown" });
    if (lesson) {
      session.practice.shift();
      told = `${lesson.answer === choice ? "We say so too" : `We say ${lesson.answer}`}: ${lesson.why}`;
      say(session.practice.length ? "" : "That was the practice. From here on it counts.");
      show();
    } else {
      last = pool[0];
      session.today.push({ uuid, answer: choice });
      session.answered += 1;
      if (session.answered === session.planned) press.stop();
      advance();
    }
    keep("session", session);
  },
  undo() {
    if (!last || told) return;
    silence();
    post("/api/undo", { of: session.today.pop().uuid });
    session.answered -= 1;
    keep("session", session);
    pool.unshift(Object.assign(last, { joined: performance.now(), away: 0 }));
    last = null;
    say("Taken back: answer again.");
    show();
  },
  levels() {
    silence();
    mode = mode === "record" ? "levelled" : "record";
    if (pool[0]) pool[0].joined = 0; // the answer is about what was heard
    $("levels").setAttribute("aria-pressed", String(mode === "record"));
    show();
    refill();
  },
  open(id) {
    const since = performance.now();
    silence();
    draw();
    $(id).onclose = () => { if (pool[0]?.joined) pool[0].away += performance.now() - since; };
    $(id).showModal();
  },
  stop() {
    const { today, planned, answered } = session, heard = today.filter((x) => x.titles);
    const [given, left] = [`${today.length} answer${today.length === 1 ? "" : "s"}`, planned - answered];
    $("thanks").textContent = `Thank you, ${session.name}.`;
    $("summary").textContent = `You gave ${given} today. ${left > 0 ? `${left} more wait for another day.`
      : `All ${planned} are given.`} ${why}`;
    $("tally").replaceChildren(...["yes", "no", "unsure"].map((x) => make("div", make("dt", x),
      make("dd", today.filter((y) => y.answer === x).length))));
    $("titles").replaceChildren(...heard.map((x) => make("li", name(x), make("span", x.answer))));
    $("heard").hidden = !heard.length;
    if ($("end").hidden) view("end", "thanks");
  },
  start() {
    const day = new Date().toDateString(), path = (x, side) => `/clip/${x.pair}/${side}.wav`;
    session = { ...session, day, today: session.day === day ? session.today : [] };
    keep("session", session);
    pool.splice(0, Infinity, ...session.practice.map((x) => makePair({ pair: x.pair, lesson: x,
      a: path(x, "a"), b: path(x, "b") })));
    [last, told] = [null, ""];
    press.more();
  },
  more: () => { view("pairs", "play"); show(); refill(); },
  sample: (id) => (playing?.name === id ? silence() : playSample(id)),
  trial: () => playSample(session.headphones[tones.length], () => enable(all("[data-press^=tone]"), true)),
  tone(number) {
    if (number && all("[data-press^=tone]")[0].ariaDisabled === "true") return;
    tones.push(...(number ? [Number(number)] : []));
    enable(all("[data-press^=tone]"), false);
    say(`Sound ${tones.length + 1} of ${TRIALS}.`);
    $("trial").focus();
    if (tones.length === TRIALS) { press.start(); post("/api/headphones", { answers: tones }); }
  },
};

// --- what is seen
const say = (text) => { $("hint").textContent = text; };
const enable = (buttons, yes) => buttons.forEach((x) => x.setAttribute("aria-disabled", String(!yes)));
const clip = (ms) => Math.round(Math.min(ms, DAY_MS));
const make = (tag, ...inside) => { const x = document.createElement(tag); x.append(...inside); return x; };
const name = ({ titles }) => (titles ? `${titles.a} → ${titles.b}` : "");

function view(id, first) {
  silence();
  all(".view").forEach((x) => { x.hidden = x.id !== id; });
  $("tools").hidden = $("progress").hidden = id === "check";
  $("who").textContent = session.name;
  say("");
  scrollTo(0, 0);
  $(first).focus();
}

function show() {
  const pair = pool[0], sounds = pair?.sounds[mode], buttons = [...$("answers").children];
  const { training, practice, planned, answered } = session, n = training.length - practice.length;
  $("practice").textContent = pair?.lesson ? `Practice ${n + !told} of ${training.length}, not counted`
    : "No brutal change at the bar. Not: do I like it.";
  $("play").firstChild.textContent = told ? "Next pair" : !sounds ? "Loading" : pair.plays ? "Again" : "Play";
  enable([$("play"), $("near")], sounds);
  enable(buttons, pair?.joined && !told);
  const isMirrored = buttons[0].dataset.press === "answer no";
  if (isMirrored !== (pair?.presentation === "mirrored")) $("answers").append(...buttons.reverse());
  [$("given").max, $("given").value] = [planned, answered];
  $("count").textContent = `${answered} of ${planned}`;
  showLast();
  draw();
}

function showLast() {
  const entry = session.today.at(-1) ?? {};
  $("told").textContent = told || `You said ${entry.answer}${entry.titles ? `: ${name(entry)}` : ""}`;
  [$("last").hidden, $("undo").hidden] = [!told && !last, Boolean(told)];
}

function showUnsaved() {
  const n = recall("queue", []).filter((x) => x.path === "/api/answers").length;
  $("unsaved").textContent = n ? `${n} answer${n === 1 ? "" : "s"} not saved yet` : "";
  $("safe").textContent = n ? "They wait in this browser until the server is back." : "All is saved.";
}

function draw() {
  const canvas = $("wave"), { clientWidth: width, clientHeight: height } = canvas, pair = pool[0];
  const sounds = pair?.sounds[mode], scale = devicePixelRatio, pen = canvas.getContext("2d");
  if (playing?.pair) listen();
  Object.assign(canvas, { width: width * scale, height: height * scale });
  if (!width || !sounds) return;
  const where = plan(...sounds, session.join), n = Math.floor(width / 4), key = `${mode}${n}`;
  if (pair.key !== key) Object.assign(pair, { key, bars: measure(sounds, n, where) });
  const style = getComputedStyle(canvas), colours = ["--a", "--b"].map((y) => style.getPropertyValue(y));
  const x = (position) => (position / where.total) * width;
  const top = Math.max(...pair.bars.flatMap((y) => [...y]), 1e-6), second = sounds[0].sampleRate;
  const here = calm.matches ? Math.floor(playing?.here / second) * second : playing?.here;
  pen.scale(scale, scale);
  pair.bars.forEach((bars, side) => bars.forEach((level, i) => {
    if (!level) return;
    const tall = Math.max(2, (level / top) ** 0.8 * (height - 16));
    pen.fillStyle = colours[side];
    pen.globalAlpha = playing && i * 4 > x(here) ? 0.4 : 0.95;
    pen.beginPath();
    pen.roundRect(i * 4 + 0.75, (height - tall) / 2, 2.5, tall, 1.25);
    pen.fill();
  }));
  [pen.globalAlpha, pen.fillStyle] = [1, style.color];
  pen.fillRect(x((sounds[0].length + where.start) / 2) - 0.75, 0, 1.5, height);
  if (!playing) return;
  pen.fillRect(x(here) - 0.5, 8, 1, height - 16);
  clearTimeout(timer);
  timer = setTimeout(draw, calm.matches ? 200 : 40);
}

// --- the first page, the buttons and the keys
$("setup").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { check, ...form } = Object.fromEntries(new FormData(event.target));
  try {
    const rater = await request("/api/raters", { uuid: makeUuid(), ...form });
    session = { ...rater, join: form.join, practice: rater.training.slice(rater.trained), today: [] };
    if (check && form.device === "headphones") { view("check", "trial"); press.tone(); }
    else press.start();
  } catch (error) {
    say(error.message);
  }
});

addEventListener("click", ({ target, detail }) => {
  const button = target.closest("[data-press]"), [action, value] = button?.dataset.press.split(" ") ?? [];
  press[action]?.(value);
  if (action === "answer" || (detail && button?.closest("#pairs"))) $("play").focus();
});

addEventListener("keydown", (event) => {
  const { target, repeat, ctrlKey, metaKey, altKey } = event;
  const key = event.key === " " ? "Space" : event.key.toUpperCase();
  if (repeat || ctrlKey || metaKey || altKey || target.matches("input")) return;
  if (key === "Space" && target.matches("button")) return; // which it presses by itself
  const buttons = [...(document.querySelector("dialog[open]") ?? document).querySelectorAll("button")];
  const button = buttons.find((x) => x.getAttribute("aria-keyshortcuts") === key && x.offsetParent);
  if (button) { event.preventDefault(); button.click(); }
});

addEventListener("online", () => { send(); refill(); });
addEventListener("resize", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
$("again").hidden = !session;
$("known").textContent = $("name").value = session?.name ?? "";
send();
about = await request("/api/about");
$("definition").textContent = about.definition;
