// Marks on pages: kept in the browser's storage, by run and page; exported and imported as lines of JSON.
"use strict";

Viewer.marks = (() => {
  const PREFIX = "scriptorium-mark:";
  const KINDS = ["right", "wrong", "fixed"];
  const known = new Map(); // key -> mark
  let broken = ""; // why the browser keeps nothing

  const key = (settings, sha256, page) => `${settings}:${sha256}:${page}`;

  const keep = (name, mark) => {
    try {
      if (mark) localStorage.setItem(PREFIX + name, JSON.stringify(mark));
      else localStorage.removeItem(PREFIX + name);
      broken = "";
    } catch (error) {
      broken = `This browser does not keep marks (${error.name}): export them before you close the page.`;
    }
    if (mark) known.set(name, mark);
    else known.delete(name);
  };

  // Reads what the browser has kept for these runs' pages.
  const load = (index) => {
    known.clear();
    try {
      const runs = new Set(index.runs.map((run) => run.id));
      const documents = new Set(index.documents.map((document) => document[1]));
      for (let at = 0; at < localStorage.length; at++) {
        const name = localStorage.key(at);
        if (!name.startsWith(PREFIX)) continue;
        const mark = checked(localStorage.getItem(name));
        if (mark && runs.has(mark.settings) && documents.has(mark.document)) known.set(name.slice(PREFIX.length), mark);
      }
    } catch (error) {
      broken = `This browser does not keep marks (${error.name}): export them before you close the page.`;
    }
  };

  const checked = (line) => {
    try {
      const mark = JSON.parse(line);
      const sound = KINDS.includes(mark.mark) && typeof mark.settings === "string" && /^[0-9a-f]{64}$/.test(mark.document) && Number.isInteger(mark.page);
      return sound && (mark.mark !== "fixed" || (typeof mark.text === "string" && mark.front)) ? mark : null;
    } catch {
      return null;
    }
  };

  const get = (run, page) => known.get(key(run.id, page.sha256, page.page)) ?? null;

  const set = (run, page, mark) => keep(key(run.id, page.sha256, page.page), mark && {
    mark: mark.mark, document: page.sha256, page: page.page, settings: run.id, source: page.name, ...mark,
  });

  const exported = () => [...known.values()].map((mark) => `${JSON.stringify(mark)}\n`).join("");

  // Takes lines in; those that are no marks are counted and left out.
  const imported = (text) => {
    let taken = 0, refused = 0;
    for (const line of text.split("\n")) {
      if (!line.trim()) continue;
      const mark = checked(line);
      if (!mark) { refused++; continue; }
      keep(key(mark.settings, mark.document, mark.page), mark);
      taken++;
    }
    return {taken, refused};
  };

  const forget = () => { for (const name of [...known.keys()]) keep(name, null); };

  const counts = () => Object.fromEntries(KINDS.map((kind) => [kind, [...known.values()].filter((mark) => mark.mark === kind).length]));

  return {load, get, set, exported, imported, forget, counts, problem: () => broken, size: () => known.size};
})();

// The dialog that counts the marks, writes them to a file, takes a file in, and removes them all.
Viewer.dialog = (() => {
  const {marks} = Viewer;
  const $ = (selector) => document.querySelector(selector);

  const show = (said = "") => {
    const {right, wrong, fixed} = marks.counts();
    $(".marks-count").textContent = `${right} right, ${wrong} wrong, ${fixed} corrected.`;
    $(".marks-said").textContent = said || marks.problem();
    $("#export").disabled = $("#forget").disabled = !marks.size();
    if (!$("#marks").open) $("#marks").showModal();
  };

  const save = () => {
    const url = URL.createObjectURL(new Blob([marks.exported()], {type: "application/x-ndjson"}));
    const link = document.createElement("a");
    link.href = url;
    link.download = "marks.jsonl";
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  };

  const takeIn = async (input, changed) => {
    const file = input.files[0];
    if (!file) return;
    const {taken, refused} = marks.imported(await file.text());
    input.value = "";
    changed();
    show(`${taken} marks taken in${refused ? `; ${refused} lines are no marks` : ""}.`);
  };

  const forget = (changed) => {
    if (!window.confirm("Remove all marks on these pages from this browser?")) return;
    marks.forget();
    changed();
    show();
  };

  // `changed` is called when marks have come or gone.
  const build = (changed) => {
    $("#marks-open").addEventListener("click", () => show());
    $("#export").addEventListener("click", save);
    $("#import").addEventListener("change", (event) => takeIn(event.target, changed));
    $("#forget").addEventListener("click", () => forget(changed));
  };

  return {build, show};
})();
