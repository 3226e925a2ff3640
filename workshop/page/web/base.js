// What all scripts of the page share: one global object, elements, pictures, arrays out of text.
"use strict";
globalThis.AARES ??= { data: {}, sections: {} };
(() => {
  /** Make an element: properties, then what is in it. A property with a dash is an attribute. */
  AARES.make = (tag, properties = {}, ...inside) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name.includes("-") || name === "role") element.setAttribute(name, value);
      else element[name] = value;
    }
    element.append(...inside);
    return element;
  };

  AARES.button = (text, onclick, properties = {}) => AARES.make("button", { type: "button", onclick, ...properties }, text);

  /** Who is made unwell by what glides asks the system for less of it. */
  AARES.calm = matchMedia("(prefers-reduced-motion: reduce)");

  /** Draw again when the window or the scheme of colours is another. */
  AARES.watch = (redraw) => {
    addEventListener("resize", redraw);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  };

  /** Fit a canvas to its place on the screen; return its context, size and the page's colours. */
  AARES.prepare = (canvas) => {
    const scale = devicePixelRatio || 1, style = getComputedStyle(canvas);
    const { clientWidth: width, clientHeight: height } = canvas;
    Object.assign(canvas, { width: Math.round(width * scale), height: Math.round(height * scale) });
    const context = canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.font = `12px ${style.fontFamily}`;
    return { context, width, height, colour: (name) => style.getPropertyValue(name).trim() };
  };

  /** Return the bytes of a text in base64: a sound, for decodeAudioData. */
  AARES.decode = (text) => {
    const plain = atob(text), bytes = new Uint8Array(plain.length);
    for (let i = 0; i < bytes.length; i += 1) bytes[i] = plain.charCodeAt(i); // Uint8Array.from is ten times slower
    return bytes.buffer;
  };

  /** Return the typed array that Python's encode_array wrote. */
  AARES.read = ({ type, base64 }) => new globalThis[`${type}Array`](AARES.decode(base64));

  AARES.percent = (share, digits = 0) => `${(100 * share).toFixed(digits)}\u00a0%`;
})();
