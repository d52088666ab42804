// Draws formulas as MathML, with bounds: what is too long, or takes too long, stays as it was written.
"use strict";

window.Viewer = {};

Viewer.formulas = (() => {
  const LONGEST = 4000; // characters
  const LONGEST_DEFINING = 1000; // of a formula that defines macros: each may be used many times
  const MOST_MS = 1500; // for a page, so that no text can hold up its reader
  const OPTIONS = {output: "mathml", throwOnError: true, trust: false, strict: false, maxExpand: 300, maxSize: 20};
  const DEFINES = /\\(?:[egx]?def|(?:re)?newcommand|providecommand|(?:future)?let)(?![A-Za-z])/;

  const draw = (node) => {
    const written = node.textContent.trim();
    const latex = written.slice(2, -2);
    const bounded = latex.length <= LONGEST && (latex.length <= LONGEST_DEFINING || !DEFINES.test(latex));
    try {
      if (!bounded) throw new RangeError("too long");
      const made = document.createElement("span");
      katex.render(latex, made, {...OPTIONS, displayMode: !written.startsWith("\\(")});
      for (const each of made.querySelectorAll("annotation")) each.remove();
      node.replaceChildren(...made.childNodes);
      node.title = written;
    } catch {
      node.classList.add("bad");
    }
  };

  const drawAll = (host) => {
    const begun = performance.now();
    for (const node of host.querySelectorAll(".formula")) {
      if (performance.now() - begun > MOST_MS) node.classList.add("bad");
      else draw(node);
    }
  };

  return {drawAll};
})();
