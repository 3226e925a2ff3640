// The last script: every section that has something to show is filled.
"use strict";
(() => {
  for (const section of document.querySelectorAll("main > section")) {
    const fill = AARES.sections[section.id];
    if (fill) fill(section.querySelector(".body"));
  }
  document.documentElement.dataset.ready = "yes";
})();
