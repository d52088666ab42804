// The form of a test, made from the server's table of fields, with live verdicts.

import { change, coloured, debounced, element, find, notice, plain, send, state } from "./base.js";
import { drawInto, telling, verdictTable } from "./cards.js";

/** Start to edit a test, a line that cannot be read, or (without `item`) a new test. */
export function open(item, record, category) {
  const name = item ? `${item.category}/${item.digest}` : "new";
  state.draft = { name, item, record: { ...record }, category, line: item && !item.test ? item.line : null, problem: null, field: null, judged: null };
}

export function editor(actions) {
  const draft = state.draft;
  const form = element("form", { className: "card editor", autocomplete: "off", noValidate: true });
  coloured(form, draft.record.type);
  form.onsubmit = (event) => { event.preventDefault(); save(actions); };
  form.append(element("div", { className: "head" }, element("span", { className: "type", textContent: draft.item ? "Edit" : "New test" }),
    element("span", { className: "id", textContent: draft.item?.test?.id || "" })));
  if (draft.line === null) form.append(...inputs(actions));
  else form.append(whole(draft));
  form.append(element("p", { className: "problem", role: "alert", hidden: true }), element("div", { className: "live" }),
    element("div", { className: "buttons" }, element("button", { className: "main", title: "Ctrl+Enter", textContent: "Save" }),
      element("button", { type: "button", title: "Esc", textContent: "Cancel", onclick: () => actions.close() })));
  queueMicrotask(() => { live(actions); (form.querySelector("[data-first]") || form.querySelector("textarea, input"))?.focus(); });
  return form;
}

function whole(draft) {
  const area = element("textarea", { value: draft.line, rows: 6, className: "code", "data-field": "line", spellcheck: false, oninput: () => { draft.line = area.value; } });
  return element("label", { textContent: "The line, a JSON object" }, area);
}

function inputs(actions) {
  const draft = state.draft;
  const fields = state.bench.forms[draft.record.type];
  const rows = [row("type", choice(Object.keys(state.bench.forms), draft.record.type, false, (value) => retype(value, actions), "type"))];
  if (!draft.item) {
    const category = element("input", { value: draft.category, "data-field": "category-file", oninput: () => { draft.category = category.value; } });
    category.setAttribute("list", "categories");
    rows.push(row("file", category, "category-file"), element("datalist", { id: "categories" }, ...state.bench.categories.map((value) => element("option", { value }))));
  }
  const told = new Set(telling(draft.record).map(({ name }) => name));
  const shown = (field) => field.name !== "checked" && (field.group === "own" || field.name === "max_diffs" || told.has(field.name));
  rows.push(...fields.filter((field) => shown(field)).map((field, index) => input(field, index === 0, actions)));
  const rest = fields.filter((field) => field.name !== "checked" && !shown(field));
  rows.push(element("details", {}, element("summary", { textContent: "Place and source" }), ...rest.map((field) => input(field, false, actions))));
  return rows;
}

const row = (label, control, field = label) => element("label", { className: "row", "data-row": field }, element("span", { textContent: plain(label) }), control, element("em", { className: "fault", role: "alert" }));

function choice(values, value, nullable, act, field) {
  const select = element("select", { "data-field": field, onchange: () => act(select.value) });
  if (nullable) select.append(element("option", { value: "", textContent: "(open)" }));
  select.append(...values.map((each) => element("option", { value: each, textContent: plain(each) })));
  select.value = value ?? "";
  return select;
}

/** The control for one field; what is put in goes to the draft, and the verdicts follow. */
function input(field, first, actions) {
  const { name, input: kind, nullable } = field;
  const record = state.draft.record;
  const value = name in record ? record[name] : field.default;
  const set = (given) => { record[name] = given; live(actions); };
  if (kind === "choice") return row(name, choice(field.choices, value, nullable, (given) => set(given === "" ? null : given), name));
  if (kind === "flag" && !nullable) {
    const box = element("input", { type: "checkbox", checked: value === true, "data-field": name, onchange: () => set(box.checked) });
    return row(name, box);
  }
  if (kind === "flag") return row(name, choice(["true", "false"], value === null ? "" : String(value), true, (given) => set(given === "" ? null : given === "true"), name));
  const shown = written(kind, value);
  const long = ["texts", "headings", "json"].includes(kind) || (kind === "text" && field.group === "own");
  const area = element(long ? "textarea" : "input", { value: shown, "data-field": name, spellcheck: false, className: kind === "json" ? "code" : "" });
  if (long) area.rows = Math.min(8, Math.max(1, Math.ceil(shown.length / 45), shown.split("\n").length));
  if (first) area.setAttribute("data-first", "");
  area.oninput = () => {
    try {
      set(read(field, area.value));
    } catch (error) {
      fault(name, error.message);
    }
  };
  return row(name, area);
}

function written(kind, value) {
  if (value === null || value === undefined) return "";
  if (kind === "texts" && Array.isArray(value)) return value.join("\n");
  if (kind === "headings" && Array.isArray(value)) return value.map(({ level, text }) => `${"#".repeat(level)} ${text}`).join("\n");
  return kind === "text" && typeof value === "string" ? value : JSON.stringify(value);
}

/** The value that was typed. What makes no number or list goes as it is: the server says what is wrong with it. */
function read({ input: kind, nullable, blanks, default: usual }, typed) {
  if (typed === "" && ((nullable && (usual ?? null) === null) || kind === "whole" || kind === "number")) return null;
  if (kind === "whole" || kind === "number") return Number.isFinite(Number(typed)) ? Number(typed) : typed;
  if (kind === "texts") return typed.split("\n").filter((line) => blanks || line.trim());
  if (kind === "headings") return typed.split("\n").filter((line) => line.trim()).map(heading);
  return kind === "json" ? JSON.parse(typed) : typed;
}

/** A heading as Markdown writes it: its signs are the level. */
function heading(line) {
  const [, signs, text] = line.match(/^\s*(#*)\s*(.*)$/);
  return { level: signs.length || 1, text };
}

function retype(type, actions) {
  const known = state.bench.forms[type].map(({ name }) => name);
  const old = state.draft.record;
  const moved = mainField(old.type);
  const record = Object.fromEntries(Object.entries(old).filter(([name]) => known.includes(name)));
  const target = mainField(type);
  if (moved && target && !(target.name in record) && old[moved.name]) record[target.name] = fitting(target, written(moved.input, old[moved.name]));
  state.draft.record = { ...record, type };
  actions.draw();
}

/** The field that a marked text goes to first. */
export const mainField = (type) => textFields(type).find(({ required }) => required) || textFields(type)[0];

export const textFields = (type) => (state.bench.forms[type] || []).filter(({ group, input: kind }) => group === "own" && ["text", "texts", "headings", "number"].includes(kind));

/** A marked text as the value of a field. */
export function fitting(field, text) {
  if (field.input === "number") return Number(text.replace(/[^\d.\-]/g, "")) || 0;
  if (field.input === "headings") return [{ level: 1, text }];
  return field.input === "texts" ? [text] : text;
}

/** Put a marked text into a field of the draft: it replaces a text, and is added to a list. */
export function fill(field, text) {
  const record = state.draft.record;
  const value = fitting(field, text);
  record[field.name] = Array.isArray(value) ? [...(record[field.name] || []), ...value] : value;
}

function fault(field, problem) {
  const form = find(".editor");
  if (!form) return;
  form.querySelectorAll(".fault").forEach((each) => { each.textContent = ""; });
  form.querySelectorAll(".wrong").forEach((each) => each.classList.remove("wrong"));
  const place = field && form.querySelector(`[data-row="${CSS.escape(field)}"]`);
  const general = form.querySelector("p.problem");
  general.hidden = Boolean(place) || !problem;
  general.textContent = place ? "" : `${field ? `${plain(field)}: ` : ""}${problem || ""}`;
  if (!place) return;
  place.classList.add("wrong");
  place.querySelector(".fault").textContent = problem || "";
  if (place.closest("details")) place.closest("details").open = true;
}

const live = debounced(200, async (actions) => {
  const draft = state.draft;
  if (!draft || draft.line !== null) return;
  let judged;
  try {
    [judged] = (await send("judge", { tests: [draft.record] })).judged;
  } catch (error) {
    judged = { problem: error.message, field: null };
  }
  const place = find(".editor .live");
  if (state.draft !== draft || !place) return;
  draft.judged = judged;
  fault(judged.field, judged.problem);
  const drawn = element("div", { className: "drawn" });
  if (draft.record.math && !judged.problem) drawInto(drawn, draft.record.math);
  place.replaceChildren(...(judged.problem ? [] : [drawn, verdictTable(judged, true)]));
  place.dataset.judged = JSON.stringify(draft.record);
  actions.drawText();
});

export async function save(actions) {
  const draft = state.draft;
  if (!draft || draft.saving) return;
  draft.saving = true;
  const named = draft.item && { category: draft.item.category, digest: draft.item.digest };
  try {
    const { test } = draft.item
      ? await change("edit", draft.line === null ? { ...named, record: draft.record } : { ...named, line: draft.line })
      : await change("add", { category: draft.category, record: draft.record });
    state.draft = null;
    await actions.saved(test || null);
  } catch (error) {
    if (error.status === 409) await stale(error, actions);
    else if (error.field === "category" && !draft.item) fault("category-file", error.message);
    else fault(error.field, error.message);
  } finally {
    draft.saving = false;
  }
}

/** Someone else changed this test: show what it is now, and let the person choose. */
async function stale(error, actions) {
  const draft = state.draft;
  await actions.reload();
  const now = state.page.tests.find((item) => item.test && item.test.id === draft.item.test?.id);
  state.draft = draft;
  if (!now) {
    notice(`${error.message} It is not on this page any more.`);
    return;
  }
  const button = (textContent, act) => element("button", { textContent, onclick: () => { notice(""); act(); } });
  notice(`${error.message} Now: ${JSON.stringify(now.test)}`, "bad", [
    button("Take theirs", () => actions.close()),
    button("Save mine", () => { draft.item = now; draft.name = `${now.category}/${now.digest}`; draft.saving = false; actions.draw(); save(actions); }),
  ]);
}
