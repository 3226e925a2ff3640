// What all scripts of the page share: one global object, elements, arrays out of text.
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

  /** Return the bytes of a text in base64: a sound, for decodeAudioData. */
  AARES.decode = (text) => {
    const plain = atob(text), bytes = new Uint8Array(plain.length);
    for (let i = 0; i < bytes.length; i += 1) bytes[i] = plain.charCodeAt(i); // Uint8Array.from is ten times slower
    return bytes.buffer;
  };

  /** Return the typed array that Python's encode_array wrote. */
  AARES.read = ({ type, base64 }) => new globalThis[`${type}Array`](AARES.decode(base64));

  AARES.percent = (share, digits = 0) => `${(100 * share).toFixed(digits)} %`;
})();
