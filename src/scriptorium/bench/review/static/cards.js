// The tests of the page as cards: what they say, their state, the verdicts on every candidate.

import { change, coloured, element, find, nameOf, plain, put, selectedTest, send, shownTests, state } from "./base.js";
import { editor } from "./editor.js";

const OUTCOMES = new Map([[true, ["✓", "pass", "passes"]], [false, ["✗", "fail", "fails"]], [null, ["?", "open", "is undecided"]]]);
const HIDDEN = ["pdf", "page", "id", "type", "checked"];

/** The fields of a test that say something: those not at their default. */
export function telling(test) {
  const fields = state.bench.forms[test.type] || [];
  return fields.filter(({ name, default: usual, required }) => !HIDDEN.includes(name)
    && (required || JSON.stringify(test[name]) !== JSON.stringify(usual)));
}

const UNSEEN = ["format", "url", "category", "math", "language"];

/** All texts of a test, to be shown on the page. */
export const textsOf = (test) => telling(test).filter(({ name }) => !UNSEEN.includes(name))
  .map(({ name }) => test[name]).flatMap((value) => (Array.isArray(value) ? value : [value])).map((value) => value?.text ?? value).filter((value) => typeof value === "string");

export function drawCards(actions) {
  const place = find("#cards");
  const tests = shownTests();
  const all = state.page.tests.length;
  const draft = state.draft;
  find("#count").textContent = tests.length === all ? `${all} ${all === 1 ? "test" : "tests"}` : `${tests.length} of ${all} tests`;
  const cards = tests.map((item) => (draft && draft.name === nameOf(item) ? editor(actions) : card(item, actions)));
  if (draft && !tests.some((item) => draft.name === nameOf(item))) cards.unshift(editor(actions));
  if (!cards.length) cards.push(element("p", { className: "empty", textContent: all ? "No test of this page meets the filters." : "This page has no tests yet. Mark words on the page, or press “New test”." }));
  place.replaceChildren(...cards);
  place.querySelector(".selected, .editor")?.scrollIntoView({ block: "nearest" });
}

function card(item, actions) {
  const name = nameOf(item);
  const type = item.test?.type || "broken";
  const made = coloured(element("article", {
    className: `card ${item.test ? item.state : "broken"}${state.selected === name ? " selected" : ""}`,
    "data-name": name, "data-id": item.test?.id || "", tabIndex: -1, onclick: () => actions.select(name),
  }), type);
  made.append(element("div", { className: "head" },
    element("span", { className: "type", textContent: plain(type) }),
    element("span", { className: "id", textContent: item.test?.id || `line ${item.number}` }),
    element("span", { className: "category", textContent: item.category }),
    element("span", { className: "state", textContent: item.test ? item.state : "cannot be used" })));
  if (item.test) made.append(facts(item.test), verdictTable(state.verdicts.get(name), state.selected === name));
  else made.append(element("p", { className: "problem", textContent: item.problem }), element("pre", { textContent: item.line }));
  if (state.selected === name) made.append(buttons(item, actions));
  return made;
}

const formulas = new Map();

/** The formula as it looks, above its LaTeX. */
function drawFormula(list, latex) {
  const place = element("dd", { className: "drawn" });
  list.append(element("dt"), place);
  drawInto(place, latex);
}

export function drawInto(place, latex) {
  if (!formulas.has(latex)) formulas.set(latex, send("formula", { latex }));
  formulas.get(latex).then(({ html }) => put(place, html), () => formulas.delete(latex));
}

export function facts(test) {
  const list = element("dl", { className: "facts" });
  for (const { name } of telling(test)) {
    const value = test[name];
    const shown = typeof value === "string" ? value : JSON.stringify(value);
    if (name === "math") drawFormula(list, value);
    list.append(element("dt", { textContent: plain(name) }), element("dd", { className: typeof value === "string" ? "words" : "", textContent: shown === "" ? "(empty)" : shown }));
  }
  return list;
}

/** A row for each output, a column for each rule set; in words where `full`. */
export function verdictTable(judged, full) {
  if (!judged) return element("p", { className: "verdicts wait", textContent: "…" });
  if (judged.problem) return element("p", { className: "verdicts problem", textContent: judged.problem });
  if (!judged.verdicts.length) return element("p", { className: "verdicts none", textContent: "No candidate has a text of this page." });
  const rows = new Map();
  for (const verdict of judged.verdicts) {
    const key = JSON.stringify([verdict.candidate, verdict.repeat]);
    rows.set(key, [...(rows.get(key) || []), verdict]);
  }
  if (!full) return dots(rows);
  const table = element("table", { className: "verdicts" }, element("thead", {}, element("tr", {}, element("th"), ...state.bench.rules.map((rules) => element("th", { textContent: rules })))));
  const body = element("tbody");
  const repeats = judged.verdicts.some(({ repeat }) => repeat !== 1);
  for (const verdicts of rows.values()) {
    const { candidate, repeat } = verdicts[0];
    body.append(element("tr", {}, element("th", { textContent: repeats ? `${candidate} ${repeat}` : candidate }), ...verdicts.map(cell)));
  }
  table.append(body);
  return table;
}

function cell(verdict) {
  const [sign, css, words] = OUTCOMES.get(verdict.passed);
  const made = element("td", { className: css, "data-rules": verdict.rules, "data-candidate": verdict.candidate, title: `${verdict.rules}: ${words}` },
    element("b", { textContent: sign }), ` ${plain(verdict.code)}`);
  const notes = [];
  if (verdict.margin !== null && verdict.margin !== undefined) notes.push(`margin ${Math.round(verdict.margin * 100) / 100}`);
  if (verdict.would_pass_if) notes.push(`would pass if ${verdict.would_pass_if}`);
  if (notes.length) made.append(element("small", { textContent: notes.join("; "), title: notes.join("; ") }));
  return made;
}

function dots(rows) {
  const line = element("p", { className: "verdicts dots" });
  for (const verdicts of rows.values()) {
    const group = element("span", { title: verdicts.map((each) => `${each.candidate}, ${each.rules}: ${OUTCOMES.get(each.passed)[2]} (${plain(each.code)})`).join("\n") });
    for (const { passed } of verdicts) group.append(element("b", { className: OUTCOMES.get(passed)[1], textContent: OUTCOMES.get(passed)[0] }));
    line.append(group);
  }
  return line;
}

function buttons(item, actions) {
  const row = element("div", { className: "buttons" });
  const button = (text, title, act, css = "") => row.append(element("button", { textContent: text, title, className: css, onclick: (event) => { event.stopPropagation(); act(); } }));
  if (item.test) {
    button(item.state === "verified" ? "Confirm" : "Approve", "a", () => actions.mark("verified"), "good");
    button(item.state === "rejected" ? "Confirm" : "Reject", "r", () => actions.mark("rejected"), "bad");
    if (item.state !== "unchecked") button("Uncheck", "c", () => actions.mark(null));
  }
  button("Edit", "e", actions.edit);
  button("Delete", "x", actions.remove);
  return row;
}

/** Ask for the verdicts of the page's tests that are not known yet. */
export async function judgePage(then) {
  const page = state.page;
  const wanted = page.tests.filter((item) => item.test && !state.verdicts.has(nameOf(item)));
  if (wanted.length) {
    const { judged } = await send("judge", { tests: wanted.map(({ test }) => test) });
    wanted.forEach((item, index) => state.verdicts.set(nameOf(item), judged[index]));
  }
  if (state.page === page) then();
}

export const marked = (tests, checked) => change("mark", { tests: tests.map(({ category, digest }) => [category, digest]), state: checked });

/** The spans that decided on an output: of the draft, else of the chosen test, else of all tests. */
export function evidence(candidate, repeat) {
  const chosen = selectedTest();
  const sources = state.draft ? [["draft", state.draft.judged]]
    : chosen ? [[chosen.test?.id, state.verdicts.get(nameOf(chosen))]]
      : state.page.tests.map((item) => [item.test?.id, state.verdicts.get(nameOf(item))]);
  return sources.flatMap(([id, judged]) => (judged?.verdicts || [])
    .filter((each) => each.evidence && each.candidate === candidate && each.repeat === repeat)
    .map((each) => [...each.evidence, `evidence ${each.passed ? "pass" : "fail"}`, id || ""]));
}
