// The review of one bench folder: moving about, keys, and what the buttons do.

import { Refused, ask, change, element, find, matches, nameOf, notice, plain, selectedTest, shownTests, state, who } from "./base.js";
import { drawCards, judgePage, marked, textsOf } from "./cards.js";
import { fill, fitting, mainField, open, save, textFields } from "./editor.js";
import { askName, setUpDialogs, showHelp, showHistory } from "./dialogs.js";
import { hideParted, toggleParted } from "./parted.js";
import * as sheet from "./sheet.js";
import * as texts from "./texts.js";

const actions = {
  draw, drawText: texts.drawText, reload, select, mark, edit, remove,
  close: () => { state.draft = null; closePopover(); draw(); },
  saved: async (test) => { closePopover(); await reload(); if (test) select(`${test.category}/${test.digest}`); },
};

let turns = Promise.resolve();

/** One action after the other: keys may come faster than the server answers. */
const inTurn = (act) => (...given) => {
  turns = turns.then(() => guarded(act)(...given));
  return turns;
};

const guarded = (act) => async (...given) => {
  try {
    return await act(...given);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    notice(error.message);
    if (error.status === 409) await reload();
    return null;
  }
};

function draw() {
  if (!state.page) return;
  drawCards(actions);
  texts.drawText();
  const chosen = state.draft ? state.draft.record : selectedTest()?.test;
  sheet.showWords(chosen?.type ? textsOf(chosen) : []);
}

function drawBar() {
  const counts = { unchecked: 0, verified: 0, rejected: 0, broken: 0 };
  const facets = state.bench.pages.flatMap(({ tests }) => tests);
  for (const [, , checked, count] of facets) counts[checked] += count;
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  find("#progress .verified").style.width = `${(100 * counts.verified) / (total || 1)}%`;
  find("#progress .rejected").style.width = `${(100 * counts.rejected) / (total || 1)}%`;
  const done = counts.verified + counts.rejected;
  find("#progress span").textContent = total && done === total ? `All ${total} tests are checked` : `${done} of ${total} checked`;
  find("#progress").title = Object.entries(counts).map(([name, count]) => `${name} ${count}`).join(", ");
  find("#folder").textContent = state.bench.folder;
  document.title = `${state.bench.folder}: review`;
  find("#who").textContent = who() || "Your name";
  fillSelect("#by-category", "All files", new Set(facets.map(([category]) => category)), state.filters.category);
  fillSelect("#by-type", "All types", new Set(facets.map(([, type]) => type).filter(Boolean)), state.filters.type);
  fillSelect("#by-state", "All states", new Set(["unchecked", "verified", "rejected", ...(counts.broken ? ["broken"] : [])]), state.filters.state);
  drawPages();
}

function fillSelect(selector, all, values, chosen) {
  find(selector).replaceChildren(element("option", { value: "", textContent: all }), ...[...values].sort().map((value) => element("option", { value, textContent: plain(value) })));
  find(selector).value = chosen;
}

const pageKey = ({ pdf, page }) => JSON.stringify([pdf, page]);
const wanted = () => state.bench.pages.filter((entry) => noFilter() || entry.tests.some(([category, type, checked]) => matches(category, type, checked)));
const noFilter = () => !Object.values(state.filters).some(Boolean);

function drawPages() {
  const here = state.page && pageKey(state.page);
  const listed = wanted();
  const all = here && !listed.some((entry) => pageKey(entry) === here) ? [...listed, state.page] : listed;
  find("#pages").replaceChildren(...all.map((entry) => {
    const counts = Array.isArray(entry.tests) && entry.tests.length && Array.isArray(entry.tests[0]) ? entry.tests : [];
    const open = counts.reduce((sum, [, , checked, count]) => sum + (checked === "unchecked" || checked === "broken" ? count : 0), 0);
    const sign = !counts.length ? "–" : open ? `(${open})` : "✓";
    return element("option", { value: pageKey(entry), textContent: `${sign} ${entry.pdf ? `${entry.pdf}, p. ${entry.page}` : "lines without a page"}` });
  }));
  if (here) find("#pages").value = here;
}

async function loadBench(fresh = "") {
  state.bench = await ask("bench", { fresh });
}

async function reload() {
  await loadBench();
  if (state.page) await goTo(state.page.pdf, state.page.page);
}

/** Show a page, and choose the test named; else keep the choice, else the first unchecked one. */
async function goTo(pdf, page, chosen = null) {
  const same = state.page && state.page.pdf === pdf && state.page.page === page;
  if (state.draft && !same) return notice("Save or cancel what you edit before you go to another page.", "info");
  state.page = await ask("page", { pdf, page });
  const tests = shownTests();
  const wish = chosen ?? (same ? state.selected : null);
  const found = tests.find((item) => nameOf(item) === wish) || tests.find((item) => item.state === "unchecked") || tests[0];
  state.selected = found ? nameOf(found) : null;
  history.replaceState(null, "", `#${new URLSearchParams({ pdf, page })}`);
  closePopover();
  drawBar();
  sheet.draw();
  draw();
  drawHistoryButtons();
  await judgePage(() => { if (!state.draft) draw(); });
  return null;
}

async function drawHistoryButtons() {
  const { undo, redo } = await ask("history", { who: who() });
  find("#undo").disabled = !undo;
  find("#redo").disabled = !redo;
}

async function turn(by) {
  const pages = wanted();
  if (!pages.length) return notice("No page has a test that meets the filters.", "info");
  const at = pages.findIndex((entry) => pageKey(entry) === pageKey(state.page));
  const to = at < 0 ? pages[0] : pages[(at + by + pages.length) % pages.length];
  return goTo(to.pdf, to.page);
}

async function firstUnchecked() {
  if (state.filters.state !== "unchecked") state.filters.state = "";
  const entry = state.bench.pages.find(({ tests }) => tests.some(([category, type, checked]) => checked === "unchecked" && matches(category, type, checked)));
  if (!entry) return notice("Every test is checked.", "info");
  return goTo(entry.pdf, entry.page);
}

function select(name) {
  if (state.draft || state.selected === name) return;
  state.selected = name;
  draw();
}

function move(by) {
  const names = shownTests().map(nameOf);
  const at = names.indexOf(state.selected);
  if (names.length) select(names[Math.min(names.length - 1, Math.max(0, at < 0 ? 0 : at + by))]);
}

async function named() {
  return who() || askName();
}

async function mark(checked) {
  const item = selectedTest();
  if (!item?.test || state.draft || !(await named())) return;
  const tests = shownTests();
  const after = [...tests.slice(tests.indexOf(item) + 1), ...tests].find((each) => each !== item && each.test && each.state === "unchecked");
  const result = (await marked([item], checked)).tests[0];
  state.selected = checked && after ? nameOf(after) : result ? nameOf(result) : state.selected;
  await reload();
}

async function rejectAll() {
  const tests = shownTests().filter(({ test, state: checked }) => test && checked !== "rejected");
  if (state.draft || !(await named())) return;
  if (tests.length) await marked(tests, "rejected");
  await loadBench();
  await turn(1);
}

async function edit() {
  const item = selectedTest();
  if (!item || state.draft || !(await named())) return;
  open(item, item.test || {}, item.category);
  draw();
}

async function remove() {
  const item = selectedTest();
  if (!item || state.draft || !(await named())) return;
  await change("delete", { category: item.category, digest: item.digest });
  notice("The test is deleted. Undo brings it back.", "info");
  await reload();
}

async function add(type, text = "") {
  if (!(await named())) return;
  const { pdf, page, tests } = state.page;
  const alike = tests.find(({ test }) => test?.type === type) || tests[0];
  const ids = new Set(tests.map(({ test }) => test?.id));
  const stem = `${pdf.replace(/\.pdf$/, "")}_p${page}_${type}_`;
  let count = 1;
  while (ids.has(stem + String(count).padStart(2, "0"))) count += 1;
  const record = { pdf, page, id: stem + String(count).padStart(2, "0"), type };
  const field = mainField(type);
  if (field && text) record[field.name] = fitting(field, text);
  open(null, record, alike?.category || state.bench.categories[0] || "tests");
  closePopover();
  draw();
}

async function takeBack(what, skip = false) {
  if (state.draft || !(await named())) return;
  try {
    const { place } = await change(what, { skip });
    await loadBench();
    await goTo(place?.pdf ?? state.page.pdf, place?.page ?? state.page.page);
  } catch (error) {
    if (error.status !== 409 || what !== "undo") throw error;
    notice(error.message, "bad", [element("button", { textContent: "Leave it, undo the step before", onclick: guarded(async () => { notice(""); await change("undo", { skip: true }); await takeBack("undo"); }) })]);
  }
}

/** Words were marked: offer what can be made of them. */
function onMarked(text, x, y) {
  const place = find("#popover");
  const draft = state.draft;
  const button = (label, act) => element("button", { role: "menuitem", textContent: label, onclick: guarded(async () => { act(); }) });
  const buttons = draft && draft.line === null
    ? textFields(draft.record.type).map((field) => button(plain(field.name), () => { fill(field, text); closePopover(); draw(); }))
    : Object.keys(state.bench.forms).filter(mainField).map((type) => button(plain(type), () => add(type, text)));
  if (draft && draft.line !== null) return;
  place.replaceChildren(element("p", { textContent: draft ? "Put it into" : "New test" }), element("div", {}, ...buttons));
  place.hidden = false;
  place.style.left = `${Math.max(8, Math.min(x, window.innerWidth - place.offsetWidth - 8))}px`;
  place.style.top = `${Math.max(8, Math.min(y + 12, window.innerHeight - place.offsetHeight - 8))}px`;
}

function closePopover() {
  find("#popover").hidden = true;
  sheet.clearMarks();
}

const KEYS = {
  ArrowDown: () => move(1), ArrowUp: () => move(-1), a: () => mark("verified"), r: () => mark("rejected"), c: () => mark(null),
  e: edit, x: remove, u: () => takeBack("undo"), y: () => takeBack("redo"), n: () => turn(1), p: () => turn(-1), q: rejectAll,
  f: firstUnchecked, d: () => toggleParted(open_), t: () => { state.raw = !state.raw; texts.drawText(); },
  "]": () => { texts.step(1); texts.drawText(); }, "[": () => { texts.step(-1); texts.drawText(); },
  "+": () => sheet.zoom(state.zoom * 1.25), "-": () => sheet.zoom(state.zoom / 1.25), 0: () => sheet.zoom(1), "?": showHelp,
};

const open_ = inTurn(async (row) => { hideParted(); await goTo(row.test.pdf, row.test.page, nameOf(row)); });

function onKey(event) {
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "Escape") {
    if (!find("#popover").hidden) closePopover();
    else if (state.draft) actions.close();
    else hideParted();
    return;
  }
  if (event.key === "Enter" && event.ctrlKey && state.draft) {
    event.preventDefault();
    save(actions);
    return;
  }
  const typing = event.target.closest("input, textarea, select");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
  event.preventDefault();
  inTurn(async () => KEYS[event.key]())();
}

function setUp() {
  const click = (selector, act) => { find(selector).onclick = inTurn(async () => act()); };
  click("#previous", () => turn(-1));
  click("#next", () => turn(1));
  click("#unchecked", firstUnchecked);
  click("#disagreements", () => toggleParted(open_));
  click("#undo", () => takeBack("undo"));
  click("#redo", () => takeBack("redo"));
  click("#history", showHistory);
  click("#who", async () => { if (await askName()) await reload(); });
  click("#help", showHelp);
  click("#add", () => add("present"));
  click("#reject-all", rejectAll);
  find("#pages").onchange = inTurn(async (event) => { event.target.blur(); await goTo(...JSON.parse(event.target.value)); });
  for (const name of ["category", "type", "state"]) {
    find(`#by-${name}`).onchange = inTurn(async (event) => {
      state.filters[name] = event.target.value;
      event.target.blur();
      const there = shownTests().length || noFilter();
      if (there || !wanted().length) await goTo(state.page.pdf, state.page.page);
      else await turn(1);
    });
  }
  document.addEventListener("keydown", onKey);
  window.addEventListener("beforeunload", (event) => { if (state.draft) event.preventDefault(); });
  document.addEventListener("pointerdown", (event) => { if (!event.target.closest("#popover, #words")) find("#popover").hidden = true; });
  sheet.setUp(onMarked, inTurn(goTo));
  texts.setUp(texts.drawText, onMarked);
  setUpDialogs();
}

/** See what others, or other programs, have changed. */
async function watch() {
  try {
    const { version } = await ask("version");
    if (version !== state.bench.version && !state.draft) await inTurn(reload)();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    notice(error.message);
  }
  setTimeout(watch, 2000);
}

const begin = inTurn(async () => {
  const asked = new URLSearchParams(location.hash.slice(1));
  history.replaceState(null, "", location.pathname + location.hash);
  await loadBench("yes");
  setUp();
  if (asked.get("pdf") && asked.get("page")) await goTo(asked.get("pdf"), Number(asked.get("page")));
  else if (!state.bench.pages.length) notice("This folder has neither tests nor PDFs.");
  else {
    const first = state.bench.pages.find(({ tests }) => tests.some(([, , checked]) => checked === "unchecked")) || state.bench.pages[0];
    await goTo(first.pdf, first.page);
  }
  setTimeout(watch, 2000);
});

begin();
