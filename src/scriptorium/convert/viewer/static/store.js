// The viewer's data: the index of all pages; their texts in chunks, each fetched by a <script> when first asked for.
"use strict";

Viewer.store = (() => {
  const KEPT = 40; // chunks in memory
  const FIRST = 4, EACH = 5; // numbers of a row before its runs, and of each run: overview.py has the same
  const chunks = new Map(); // script -> promise of its data; the last asked for stand last
  const waiting = new Map();
  let index = null;

  const word = (words, number) => (number < 0 ? "" : words[number]);

  const unpack = (row, number) => {
    const [document, page, picture, alike] = row;
    const [name, sha256] = index.documents[document];
    const runs = index.runs.map((_, run) => {
      const [status, language, score, reason, attempts] = row.slice(FIRST + EACH * run, FIRST + EACH * (run + 1));
      if (status < 0) return null;
      return {
        status: index.statuses[status], language: word(index.languages, language), reason: word(index.reasons, reason),
        score: score < 0 ? null : score / 1000, attempts,
      };
    });
    return {
      number, name, sha256, page, picture, runs, alike: alike < 0 ? null : alike,
      id: page ? `${sha256.slice(0, 16)}:${page}` : `row:${number}`,
      words: `${name}\n${runs.map((run) => run?.reason ?? "").join("\n")}`.toLowerCase(),
    };
  };

  window.__index = (data) => {
    index = {...data};
    index.pages = data.rows.map(unpack);
    delete index.rows;
    Viewer.start(index);
  };

  window.__pages = (number, data) => waiting.get(`pages/${number}`)?.(data);
  window.__texts = (number, data) => waiting.get(`texts/${number}`)?.(data);

  const fetchChunk = (kind, number) => new Promise((resolve, reject) => {
    const script = document.createElement("script");
    const name = `${kind}/${number}`;
    waiting.set(name, resolve);
    const end = () => { waiting.delete(name); script.remove(); };
    script.src = `data/${kind}/${String(number).padStart(5, "0")}.js`;
    script.addEventListener("load", end);
    script.addEventListener("error", () => { end(); reject(new Error(`${script.src} cannot be read`)); });
    document.head.append(script);
  });

  const chunk = (kind, number) => {
    const name = `${kind}/${number}`;
    const known = chunks.get(name) ?? fetchChunk(kind, number);
    chunks.delete(name);
    chunks.set(name, known);
    if (chunks.size > KEPT) chunks.delete(chunks.keys().next().value);
    known.catch(() => chunks.delete(name));
    return known;
  };

  // What is known of a page: an object for each run (see data.py), or null.
  const page = async (number) => (await chunk("pages", Math.floor(number / index.chunk)))[number % index.chunk];

  // The texts of pages from `first` on, in small letters, for a search.
  const texts = (first) => chunk("texts", Math.floor(first / index.searched));

  return {page, texts};
})();
