// A map of many points on a canvas: one picture a frame, written pixel by pixel, so that thousands
// move smoothly without a graphics card.
"use strict";
(() => {
  const CELLS = 96, WIDEST = 1, CLOSEST = 60, REACH = 14, GLIDE_MS = 300;

  /** The songs of each cell of a square grid, one after another: what is near is found at once. */
  function makeGrid(x, y) {
    const cell = (i) => Math.min(CELLS - 1, Math.floor(y[i] * CELLS)) * CELLS
      + Math.min(CELLS - 1, Math.floor(x[i] * CELLS));
    const starts = new Uint32Array(CELLS * CELLS + 1), songs = new Uint32Array(x.length);
    for (let i = 0; i < x.length; i++) starts[cell(i) + 1]++;
    for (let c = 0; c < CELLS * CELLS; c++) starts[c + 1] += starts[c];
    const next = starts.slice();
    for (let i = 0; i < x.length; i++) songs[next[cell(i)]++] = i;
    return { starts, songs };
  }

  /** How much of each pixel around its middle a dot covers, in 1/256. */
  function makeStamp(radius) {
    const reach = Math.ceil(radius), side = 2 * reach + 1;
    return { reach, side, cover: Uint16Array.from({ length: side * side }, (_, k) => {
      const far = Math.hypot((k % side) - reach, Math.floor(k / side) - reach);
      return Math.round(256 * Math.max(0, Math.min(1, radius + 0.5 - far)));
    }) };
  }

  const parse = (colour) => { // a colour of the style sheet as the pixel it is in memory
    const [r, g, b] = colour.trim().length === 4
      ? [...colour.trim().slice(1)].map((x) => parseInt(x + x, 16))
      : colour.trim().slice(1).match(/../g).map((x) => parseInt(x, 16));
    return (255 << 24 | b << 16 | g << 8 | r) >>> 0;
  };

  AARES.SongMap = class {
    /** `x` and `y` are 0 to 1, y upwards. */
    constructor(canvas, x, y) {
      Object.assign(this, { canvas, x, y, pen: canvas.getContext("2d", { willReadFrequently: true }) });
      Object.assign(this, { grid: makeGrid(x, y), slots: new Uint8Array(x.length), labels: [], path: [] });
      Object.assign(this, { rings: [], chosen: -1, hovered: -1, frames: 0, onpick() {}, onhover() {} });
      this.view = { x: 0.5, y: 0.5, zoom: 1 };
      this.reach = [x, y].map((values) => values.reduce((most, v) => Math.max(most, 2 * Math.abs(v - 0.5)), 0.01));
      this.setSlots(this.slots);
      this.listen();
      new ResizeObserver(() => this.resize()).observe(canvas);
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.resize());
    }

    /** Give each song the number of its colour, 0 for none: those without lie below the others. */
    setSlots(slots) {
      const counts = new Uint32Array(10);
      for (const slot of slots) counts[slot + 1]++;
      for (let k = 1; k < 10; k++) counts[k] += counts[k - 1];
      this.order = new Uint32Array(slots.length);
      for (let i = 0; i < slots.length; i++) this.order[counts[slots[i]]++] = i;
      this.slots = slots;
      this.request();
    }

    resize() {
      const { canvas } = this, scale = Math.min(devicePixelRatio, 2);
      const [width, height] = [canvas.clientWidth, canvas.clientHeight].map((x) => Math.round(x * scale));
      if (!width || !height) return;
      Object.assign(canvas, { width, height });
      const style = getComputedStyle(canvas), colour = (name) => style.getPropertyValue(name);
      this.scale = scale;
      this.image = this.pen.createImageData(width, height);
      this.pixels = new Uint32Array(this.image.data.buffer);
      this.names = { ink: colour("--ink"), paper: colour("--card") };
      this.ground = parse(colour("--card"));
      this.colours = ["--dust", ..."12345678"].map((x) => parse(colour(x === "--dust" ? x : `--c${x}`)));
      this.request();
    }

    /** Pixels of the canvas from 0 to 1; at zoom 1 all songs are seen. */
    get unit() {
      const { width, height } = this.canvas;
      return Math.min(width / this.reach[0], height / this.reach[1]) * 0.94 * this.view.zoom;
    }
    across(i) { return (this.x[i] - this.view.x) * this.unit + this.canvas.width / 2; }
    down(i) { return (this.view.y - this.y[i]) * this.unit + this.canvas.height / 2; }

    /** Draw in the next frame, once, however often it is asked. */
    request() {
      this.frame ??= requestAnimationFrame(() => { this.frame = null; this.draw(); });
    }

    draw() {
      if (!this.image) return;
      this.pixels.fill(this.ground);
      const radius = this.scale * Math.min(5, 1.1 * this.view.zoom ** 0.45 * (this.x.length < 6000 ? 1.6 : 1));
      this.stampAll(makeStamp(radius), makeStamp(radius * 1.15));
      this.pen.putImageData(this.image, 0, 0);
      this.drawMarks();
      this.frames += 1;
    }

    stampAll(plain, strong) {
      const { pixels, order, slots, colours, x, y, unit } = this, { width, height } = this.canvas;
      const left = width / 2 - this.view.x * unit, top = height / 2 + this.view.y * unit;
      for (let k = 0; k < order.length; k++) {
        const i = order[k], slot = slots[i], { reach, side, cover } = slot ? strong : plain;
        const px = Math.round(left + x[i] * unit) - reach, py = Math.round(top - y[i] * unit) - reach;
        if (px < 0 || py < 0 || px + side > width || py + side > height) continue;
        const colour = colours[slot], odd = colour & 0xff00ff, even = colour >>> 8 & 0xff;
        for (let row = 0, c = 0; row < side; row++) {
          for (let at = (py + row) * width + px, end = at + side; at < end; at++, c++) {
            const share = cover[c];
            if (share === 256) { pixels[at] = colour; continue; }
            if (!share) continue;
            const below = pixels[at], rest = 256 - share;
            pixels[at] = 0xff000000 | ((odd * share + (below & 0xff00ff) * rest) >>> 8 & 0xff00ff)
              | (even * share + (below >>> 8 & 0xff) * rest & 0xff00);
          }
        }
      }
    }

    /** What lies above the dots: names of regions, the path of a playlist, rings. */
    drawMarks() {
      const { pen, scale, names } = this, at = (i) => [this.across(i), this.down(i)];
      pen.lineJoin = "round";
      pen.textAlign = "center";
      pen.textBaseline = "middle";
      pen.font = `600 ${14 * scale}px system-ui, sans-serif`;
      for (const { text, song } of this.labels) this.write(text, ...at(song), 4);
      const stroke = (colour, width) => {
        [pen.strokeStyle, pen.lineWidth] = [colour, width * scale];
        pen.stroke();
      };
      if (this.path.length > 1) {
        pen.beginPath();
        this.path.forEach((i) => pen.lineTo(...at(i)));
        stroke(names.paper, 5);
        stroke(names.ink, 2);
      }
      const ring = (i, radius) => {
        pen.beginPath();
        pen.arc(...at(i), radius * scale, 0, 2 * Math.PI);
        stroke(names.paper, 4);
        stroke(names.ink, 2);
      };
      this.rings.forEach((i) => ring(i, 5));
      if (this.hovered >= 0) ring(this.hovered, 7);
      if (this.chosen >= 0) { ring(this.chosen, 9); ring(this.chosen, 4); }
      this.numberPath(at);
      if (document.activeElement === this.canvas && this.canvas.matches(":focus-visible")) {
        const [w, h] = [this.canvas.width / 2, this.canvas.height / 2], r = 12 * scale;
        pen.beginPath();
        [[-r, 0, r, 0], [0, -r, 0, r]].forEach(([a, b, c, d]) => { pen.moveTo(w + a, h + b); pen.lineTo(w + c, h + d); });
        stroke(names.ink, 1);
      }
    }

    /** Number the songs of the path; one that would lie on the number before it is a dot. */
    numberPath(at) {
      const { pen, names, scale } = this, numbered = [];
      pen.font = `700 ${11 * scale}px system-ui, sans-serif`;
      this.path.slice(1).forEach((i, k) => {
        const [x, y] = at(i), free = numbered.every((other) => Math.hypot(x - other[0], y - other[1]) > 15 * scale);
        pen.beginPath();
        pen.arc(x, y, (free ? 9 : 3) * scale, 0, 2 * Math.PI);
        pen.fillStyle = names.ink;
        pen.fill();
        if (!free) return;
        numbered.push([x, y]);
        pen.fillStyle = names.paper;
        pen.fillText(k + 1, x, y);
      });
    }

    write(text, x, y, halo) {
      const { pen, names, scale } = this;
      [pen.strokeStyle, pen.lineWidth, pen.fillStyle] = [names.paper, halo * scale, names.ink];
      pen.strokeText(text, x, y);
      pen.fillText(text, x, y);
    }

    /** The song nearest to a place of the canvas, in its own pixels; -1 where none is close. */
    find(px, py, reach = REACH) {
      const { unit, view, canvas, grid, x, y } = this, far = (reach * this.scale) / unit;
      const mx = view.x + (px - canvas.width / 2) / unit, my = view.y - (py - canvas.height / 2) / unit;
      const cell = (value) => Math.max(0, Math.min(CELLS - 1, Math.floor(value * CELLS)));
      let found = -1, least = far * far;
      for (let row = cell(my - far); row <= cell(my + far); row++) {
        const [from, to] = [cell(mx - far), cell(mx + far)].map((c) => row * CELLS + c);
        for (let k = grid.starts[from]; k < grid.starts[to + 1]; k++) {
          const i = grid.songs[k], d = (x[i] - mx) ** 2 + (y[i] - my) ** 2;
          if (d < least || (d === least && i < found)) [found, least] = [i, d];
        }
      }
      return found;
    }

    move(dx, dy) {
      this.view.x = Math.max(0, Math.min(1, this.view.x - dx / this.unit));
      this.view.y = Math.max(0, Math.min(1, this.view.y + dy / this.unit));
      this.request();
    }

    /** Zoom, and keep what is under a place of the canvas where it is. */
    zoom(factor, px = this.canvas.width / 2, py = this.canvas.height / 2) {
      const { view, canvas } = this, [dx, dy] = [px - canvas.width / 2, py - canvas.height / 2];
      const before = this.unit;
      view.zoom = Math.max(WIDEST, Math.min(CLOSEST, view.zoom * factor));
      view.x += dx / before - dx / this.unit;
      view.y -= dy / before - dy / this.unit;
      this.move(0, 0);
    }

    /** Glide to where all of these songs are seen. */
    show(songs, margin = 1.4) {
      const [xs, ys] = [this.x, this.y].map((values) => songs.map((i) => values[i]));
      const [left, right, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
      const { width, height } = this.canvas, { unit, view } = this, fit = Math.min(
        width / Math.max(right - left, 0.02), height / Math.max(high - low, 0.02)) / margin;
      this.glide({ x: (left + right) / 2, y: (low + high) / 2,
        zoom: Math.min(CLOSEST, Math.max(WIDEST, (fit * view.zoom) / unit)) });
    }

    glide(goal) {
      const from = { ...this.view }, began = performance.now();
      const step = () => {
        const t = AARES.calm.matches ? 1 : Math.min(1, (performance.now() - began) / GLIDE_MS), s = t * t * (3 - 2 * t);
        for (const key of ["x", "y"]) this.view[key] = from[key] + (goal[key] - from[key]) * s;
        this.view.zoom = from.zoom * (goal.zoom / from.zoom) ** s;
        this.request();
        this.gliding = t < 1 ? requestAnimationFrame(step) : null;
      };
      cancelAnimationFrame(this.gliding);
      step();
    }

    listen() {
      const { canvas } = this, held = new Map();
      const place = (event) => [event.offsetX * this.scale, event.offsetY * this.scale];
      let moved = 0;
      canvas.addEventListener("pointerdown", (event) => {
        held.set(event.pointerId, place(event));
        canvas.setPointerCapture(event.pointerId);
        moved = 0;
      });
      canvas.addEventListener("pointermove", (event) => {
        const to = place(event), from = held.get(event.pointerId);
        if (!from) return this.hover(this.find(...to), event.offsetX, event.offsetY);
        moved += Math.hypot(to[0] - from[0], to[1] - from[1]);
        if (held.size === 2) this.pinch(held, event.pointerId, to);
        else if (moved > 4) this.move(to[0] - from[0], to[1] - from[1]);
        return held.set(event.pointerId, to);
      });
      for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => {
        if (held.delete(event.pointerId) && name === "pointerup" && moved <= 4) {
          const song = this.find(...place(event));
          if (song >= 0) this.onpick(song);
        }
      });
      canvas.addEventListener("pointerleave", () => this.hover(-1));
      canvas.addEventListener("wheel", (event) => { // a page that scrolls by must not be caught
        if (document.activeElement !== canvas && !event.ctrlKey) return;
        event.preventDefault();
        this.zoom(1.0015 ** -event.deltaY, ...place(event));
      }, { passive: false });
      canvas.addEventListener("keydown", (event) => this.press(event));
      for (const name of ["focus", "blur"]) canvas.addEventListener(name, () => this.request());
    }

    pinch(held, id, to) {
      const [[other]] = [[...held].filter(([key]) => key !== id).map(([, value]) => value)], from = held.get(id);
      const [before, after] = [from, to].map((p) => Math.hypot(p[0] - other[0], p[1] - other[1]) || 1);
      this.zoom(after / before, (to[0] + other[0]) / 2, (to[1] + other[1]) / 2);
    }

    press(event) {
      const step = 40 * this.scale, keys = {
        ArrowLeft: () => this.move(step, 0), ArrowRight: () => this.move(-step, 0),
        ArrowUp: () => this.move(0, step), ArrowDown: () => this.move(0, -step),
        "+": () => this.zoom(1.4), "=": () => this.zoom(1.4), "-": () => this.zoom(1 / 1.4),
        0: () => this.glide({ x: 0.5, y: 0.5, zoom: 1 }),
        Enter: () => {
          const song = this.find(this.canvas.width / 2, this.canvas.height / 2, 2000);
          if (song >= 0) this.onpick(song);
        },
      };
      if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      keys[event.key]();
    }

    hover(song, x, y) {
      if (song !== this.hovered) { this.hovered = song; this.request(); }
      this.onhover(song, x, y);
    }
  };
})();
