// The report's data: the index of all tests, and the pages, each fetched by a <script> when first asked for.
"use strict";

window.Report = {OUTCOMES: ["failed", "passed", "undecided", "unknown"], KEPT: 24};

Report.store = (() => {
  const pages = new Map(); // page number -> promise of its data; the last asked for stand last
  const waiting = new Map();
  let index = null;

  // One row of the index: page, id, category, type, summary, then a number for each candidate and rule set.
  const unpack = (row, number) => {
    const [page, id, category, type, summary, ...numbers] = row;
    const outcomes = index.candidates.map((_, candidate) => index.rules.map((_, rules) => {
      const packed = numbers[candidate * index.rules.length + rules];
      return {
        outcome: Report.OUTCOMES[packed % 4],
        counts: Math.floor(packed / 4) % 2 === 1,
        code: index.codes[Math.floor(packed / 8)],
      };
    }));
    return {
      number, page, id, summary, outcomes,
      category: index.categories[category], type: index.types[type],
      words: `${id} ${summary} ${index.pages[page].id}`.toLowerCase(),
    };
  };

  window.__index = (data) => {
    index = {...data};
    index.pages = data.pages.map(([id, pdf, page, picture], number) => ({number, id, pdf, page, picture, tests: []}));
    index.tests = data.tests.map(unpack);
    for (const test of index.tests) index.pages[test.page].tests.push(test);
    Report.start(index);
  };

  window.__page = (number, data) => waiting.get(number)?.(data);

  const fetchPage = (number) => new Promise((resolve, reject) => {
    const script = document.createElement("script");
    waiting.set(number, resolve);
    script.src = `data/pages/${String(number).padStart(5, "0")}.js`;
    script.addEventListener("load", () => { waiting.delete(number); script.remove(); });
    script.addEventListener("error", () => { waiting.delete(number); script.remove(); reject(new Error(`${script.src} cannot be read`)); });
    document.head.append(script);
  });

  const page = (number) => {
    const known = pages.get(number) ?? fetchPage(number);
    pages.delete(number);
    pages.set(number, known);
    if (pages.size > Report.KEPT) pages.delete(pages.keys().next().value);
    known.catch(() => pages.delete(number));
    return known;
  };

  return {page};
})();
