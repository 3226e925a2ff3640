// The section *look*: the map, a search, and of one song what is known, said, near and next.
"use strict";
(() => {
  const { make, button, read } = AARES, NOBODY = 65535, UNKNOWN = 255, MOST = 8, FIRST_CHOSEN = 6, SHOWN = 12;
  const USUAL_EPS = 0.05;

  const plain = (text) => text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
  const count = (n, what) => `${n.toLocaleString("en")} ${what}${n === 1 ? "" : "s"}`;

  /** The data as typed arrays, and what follows from them. */
  function open(data) {
    const songs = { ...data, n: data.names.length, g: data.labels.length };
    for (const name of ["x", "y", "years", "known", "counts", "sizes", "near", "lists"]) songs[name] = read(data[name]);
    for (const name of ["x", "y"]) songs[name] = Float32Array.from(songs[name], (v) => v / 65535);
    songs.words = data.names.map((name, i) => plain(`${name} ${data.artists[i]}`));
    // As Python has it: counts and sizes of whole numbers give the same p-values to the last bit.
    songs.p = (i, g) => (songs.counts[i * songs.g + g] + 1) / (songs.sizes[i] + 1);
    songs.best = Uint8Array.from({ length: songs.n }, (_, i) => {
      let best = 0;
      for (let g = 1; g < songs.g; g++) if (songs.p(i, g) > songs.p(i, best)) best = g;
      return best;
    });
    songs.judged = Uint32Array.from([...Array(songs.n).keys()].filter((i) => songs.known[i] !== UNKNOWN));
    return songs;
  }

  const list = (table, i, width) => [...table.subarray(i * width, (i + 1) * width)].filter((j) => j !== NOBODY);

  AARES.look = {
    open,
    /** The genres of a song's set, the largest p-value first. */
    set: (songs, i, eps) => [...Array(songs.g).keys()].filter((g) => songs.p(i, g) > eps)
      .sort((a, b) => songs.p(i, b) - songs.p(i, a) || a - b),
    /** Over the songs whose genre is known: how often the set holds it, and how large sets are. */
    cover(songs, eps) {
      let held = 0, size = 0;
      for (const i of songs.judged) {
        if (songs.p(i, songs.known[i]) > eps) held++;
        for (let g = 0; g < songs.g; g++) if (songs.p(i, g) > eps) size++;
      }
      return { coverage: held / songs.judged.length, size: size / songs.judged.length };
    },
    near: (songs, i) => list(songs.near, i, 8),
    playlist: (songs, i) => list(songs.lists, i, 10),
    /** Songs that hold every word, those whose title begins with the text first. */
    search(songs, text, most = SHOWN) {
      const asked = plain(text).trim(), words = asked.split(/\s+/).filter(Boolean), first = [], others = [];
      if (!words.length) return [];
      for (let i = 0; i < songs.n && first.length < most; i++) {
        if (!words.every((word) => songs.words[i].includes(word))) continue;
        (songs.words[i].startsWith(asked) ? first : others).push(i);
      }
      return [...first, ...others].slice(0, most);
    },
  };

  AARES.sections.look = (root) => {
    const songs = open(AARES.data.songs), title = (i) => `${songs.names[i]} · ${songs.artists[i]}`;
    let chosen = 0, eps = USUAL_EPS, withPath = true;

    // --- the map
    const canvas = make("canvas", { id: "song-map", tabIndex: 0, role: "application",
      "aria-label": `Map of ${songs.n.toLocaleString("en")} songs`, "aria-describedby": "map-keys" });
    const tip = make("div", { className: "tip", hidden: true, "aria-hidden": "true" });
    const map = AARES.map = new AARES.SongMap(canvas, songs.x, songs.y);
    const zoom = (text, name, act) => button(text, act, { "aria-label": name });
    const frame = make("div", { className: "frame" }, canvas, tip, make("div", { className: "zoom" },
      zoom("+", "Closer", () => map.zoom(1.6)), zoom("−", "Farther", () => map.zoom(1 / 1.6)),
      zoom("All", "The whole map", () => map.glide({ x: 0.5, y: 0.5, zoom: 1 }))));
    const keys = make("p", { id: "map-keys", className: "small" }, "Each dot is a song: click one. Drag to move; pinch, or "
      + "turn the wheel after a click, to come closer. ", make("span", { className: "keys" },
      "Keys: arrows, + and −, 0 for all, Enter for the song in the middle."));
    map.onpick = (i) => choose(i, { stay: true });
    map.onhover = (i, x, y) => {
      tip.hidden = i < 0;
      canvas.classList.toggle("over", i >= 0);
      if (i < 0) return;
      tip.textContent = title(i);
      const right = x > canvas.clientWidth / 2;
      Object.assign(tip.style, { top: `${y + 14}px`, left: right ? "auto" : `${x + 12}px`,
        right: right ? `${canvas.clientWidth - x + 12}px` : "auto" });
    };

    // --- the search: a combobox with a list
    const input = make("input", { id: "song-search", type: "search", role: "combobox", autocomplete: "off",
      placeholder: "A title or an artist", "aria-expanded": "false", "aria-controls": "song-found",
      "aria-autocomplete": "list" });
    const found = make("ul", { id: "song-found", role: "listbox", hidden: true, "aria-label": "Songs found" });
    const told = make("p", { className: "small told", role: "status" });
    const search = make("div", { className: "search" }, make("label", { htmlFor: "song-search" }, "Find a song"),
      make("div", { className: "box" }, input, found));
    let active = -1;
    const close = () => { found.hidden = true; input.setAttribute("aria-expanded", "false"); mark(-1); };
    function mark(k) {
      active = k;
      [...found.children].forEach((x, j) => x.setAttribute("aria-selected", String(j === k)));
      if (k >= 0) found.children[k].scrollIntoView({ block: "nearest" });
      if (k >= 0) input.setAttribute("aria-activedescendant", found.children[k].id);
      else input.removeAttribute("aria-activedescendant");
    }
    function look() {
      const rows = AARES.look.search(songs, input.value);
      found.replaceChildren(...rows.map((i, k) => make("li", { id: `found-${k}`, role: "option",
        "aria-selected": "false", onpointerdown: (event) => { event.preventDefault(); take(i); } },
      songs.names[i], " ", make("span", {}, `${songs.artists[i]} · ${songs.years[i]}`))));
      const asked = input.value.trim();
      found.hidden = !rows.length;
      input.setAttribute("aria-expanded", String(rows.length > 0));
      told.textContent = !asked ? "" : !rows.length ? `No song has “${asked}” in its title or artist.`
        : rows.length === SHOWN ? `The first ${SHOWN} songs found.` : `${count(rows.length, "song")} found.`;
      found.rows = rows;
      mark(-1);
    }
    function take(i) {
      input.value = songs.names[i];
      close();
      told.textContent = "";
      choose(i);
    }
    input.addEventListener("input", look);
    input.addEventListener("blur", close);
    input.addEventListener("keydown", (event) => {
      const n = found.children.length;
      if (event.key === "Escape") { close(); return; }
      if (event.key === "Enter" && n && !found.hidden) { event.preventDefault(); take(found.rows[Math.max(active, 0)]); }
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      if (found.hidden) look();
      else if (n) mark((active + step + n + (active < 0 && step < 0 ? 1 : 0)) % n);
    });

    // --- colours: up to eight genres
    const half = songs.judged.length > songs.n / 2, slots = Array(MOST).fill(-1);
    const which = make("select", { id: "song-colour" }, make("option", { value: "known" }, "the known genre"),
      make("option", { value: "best" }, "the likeliest genre"));
    which.value = half ? "known" : "best";
    const legend = make("div", { className: "legend", role: "group", "aria-labelledby": "legend-title" });
    const said = make("p", { className: "small", role: "status" });
    const tally = (codes) => { const all = Array(songs.g).fill(0); codes.forEach((g) => { if (g < songs.g) all[g]++; }); return all; };
    function paint() {
      const codes = songs[which.value], n = tally(codes), slotOf = new Uint8Array(256);
      slots.forEach((g, k) => { if (g >= 0) slotOf[g] = k + 1; });
      map.setSlots(Uint8Array.from(codes, (g) => slotOf[g]));
      map.labels = slots.filter((g) => g >= 0 && n[g]).map((g) => ({ text: songs.labels[g], song: findPeak(codes, g) }));
      const order = [...n.keys()].sort((a, b) => n[b] - n[a] || a - b);
      legend.replaceChildren(...order.map((g) => {
        const k = slots.indexOf(g), dot = make("i", { className: k < 0 ? "dot" : `dot c${k + 1}` });
        return make("button", { type: "button", "aria-pressed": String(k >= 0), onclick: () => toggle(g) },
          dot, songs.labels[g], make("small", {}, n[g].toLocaleString("en")));
      }));
    }
    /** The song of a genre that has most of its own around it: there its name is written. */
    function findPeak(codes, genre) {
      const side = 24, cells = new Uint32Array(side * side), cell = (i) =>
        Math.min(side - 1, Math.floor(songs.y[i] * side)) * side + Math.min(side - 1, Math.floor(songs.x[i] * side));
      let best = -1;
      for (let i = 0; i < songs.n; i++) if (codes[i] === genre) cells[cell(i)]++;
      for (let i = 0; i < songs.n; i++) {
        if (codes[i] === genre && (best < 0 || cells[cell(i)] > cells[cell(best)])) best = i;
      }
      return best;
    }
    function toggle(g) {
      const at = slots.indexOf(g), free = slots.indexOf(-1), focus = songs.labels[g];
      said.textContent = "";
      if (at >= 0) slots[at] = -1;
      else if (free >= 0) slots[free] = g;
      else said.textContent = `Eight colours can be told apart, not nine: take one away before ${focus}.`;
      paint();
      [...legend.children].find((x) => x.childNodes[1].data === focus).focus();
    }
    which.onchange = paint;

    // --- one song
    const name = make("h3", { id: "song-name", tabIndex: -1 }), facts = make("p", { className: "small", id: "song-facts" });
    const slider = make("input", { id: "song-eps", type: "range", min: 0.01, max: 0.95, step: 0.01, value: USUAL_EPS,
      "aria-describedby": "song-promise" });
    const epsText = make("output", { htmlFor: "song-eps", className: "number" });
    const size = make("p", { id: "song-size", role: "status" }), bars = make("ol", { id: "song-set", className: "bars" });
    const promise = make("p", { id: "song-promise", className: "small number" });
    const near = make("ol", { id: "song-near", className: "songs" }), lists = make("ol", { id: "song-list", className: "songs" });
    const path = button("Path on the map", () => { withPath = !withPath; mapPath(); seeMap(); }, { id: "song-path" });
    const fit = button("Show all of it", () => { map.show([chosen, ...AARES.look.playlist(songs, chosen)]); seeMap(); },
      { id: "song-fit" });
    const seeMap = () => frame.scrollIntoView({ block: "nearest" }); // the lists lie far below it

    function showSet() {
      const set = AARES.look.set(songs, chosen, eps), known = songs.known[chosen], all = AARES.look.set(songs, chosen, -1);
      const { coverage, size: mean } = AARES.look.cover(songs, eps), wrong = Math.round(1 / eps);
      epsText.textContent = `ε = ${eps.toFixed(2)}`;
      slider.setAttribute("aria-valuetext", `ε = ${eps.toFixed(2)}, ${count(set.length, "genre")} in the set`);
      size.replaceChildren(make("b", {}, count(set.length, "genre")), !set.length ? " in the set: at this ε it is like none of them."
        : known === UNKNOWN ? " in the set." : set.includes(known) ? `, ${songs.labels[known]} among them.`
          : `, and ${songs.labels[known]} is not among them: an error of the kind that ε allows.`);
      bars.replaceChildren(...all.slice(0, Math.max(8, set.length)).map((g, k) => {
        const p = songs.p(chosen, g), fill = make("i", { className: "fill" }), line = make("i", { className: "line" });
        [fill.style.width, line.style.left] = [`${100 * p}%`, `${100 * eps}%`];
        return make("li", { className: k < set.length ? "in" : "out" }, make("span", {}, songs.labels[g]),
          make("span", { className: "track", "aria-hidden": "true" }, fill, line), make("span", { className: "number" }, p.toFixed(3)));
      }));
      promise.textContent = `Promised: right ${wrong >= 2 && Math.abs(1 / eps - wrong) < 0.01 ? `${wrong - 1} times in ${wrong}` : AARES.percent(1 - eps)}. `
        + `Measured: ${AARES.percent(coverage, 1)} of ${count(songs.judged.length, "song")} with a known genre, `
        + `whose sets hold ${mean.toFixed(1)} of ${songs.g} genres.`;
    }
    const link = (i) => make("li", {}, make("button", { type: "button", className: "song", onclick: () => {
      choose(i); // the lists are others now: what has the focus is gone
      name.focus({ preventScroll: true });
      name.scrollIntoView();
    } }, songs.names[i], " ", make("span", {}, `${songs.artists[i]} · ${songs.years[i]}`)));
    function mapPath() {
      path.setAttribute("aria-pressed", String(withPath));
      map.path = withPath ? [chosen, ...AARES.look.playlist(songs, chosen)] : [];
      map.rings = AARES.look.near(songs, chosen);
      map.request();
    }
    function choose(i, { stay = false } = {}) {
      chosen = map.chosen = i;
      const known = songs.known[i];
      name.textContent = songs.names[i];
      facts.textContent = `${songs.artists[i]} · ${songs.years[i]} · ${known === UNKNOWN ? "its genre is not known"
        : `known genre: ${songs.labels[known]}`}`;
      near.replaceChildren(...AARES.look.near(songs, i).map(link));
      lists.replaceChildren(...AARES.look.playlist(songs, i).map(link));
      showSet();
      mapPath();
      if (!stay) map.glide({ x: songs.x[i], y: songs.y[i], zoom: Math.max(map.view.zoom, 4) });
    }
    slider.addEventListener("input", () => { eps = Number(slider.value); showSet(); });

    root.append(
      make("div", { className: "look" },
        make("div", { className: "left" }, search, told, frame, keys),
        make("div", { className: "card", role: "group", "aria-labelledby": "song-name" }, name, facts,
          make("h4", {}, "Which genres can it be?"),
          make("div", { className: "eps" }, make("label", { htmlFor: "song-eps" }, "Error allowed"), epsText), slider, size, bars, promise),
        make("div", { className: "left" },
          make("div", { className: "row colours" }, make("b", { id: "legend-title" }, "Colour up to eight genres"),
            make("label", { htmlFor: "song-colour", className: "small" }, "by"), which), legend, said)),
      make("div", { className: "lists" },
        make("div", {}, make("h4", {}, "Nearest to it"), near),
        make("div", {}, make("h4", {}, "What to play after it"), make("div", { className: "row" }, path, fit), lists)));
    tally(songs[which.value]).map((n, g) => [n, g]).sort(([a, g], [b, h]) => b - a || g - h)
      .slice(0, FIRST_CHOSEN).forEach(([, g], k) => { slots[k] = g; });
    paint();
    choose(0, { stay: true });
  };
})();
