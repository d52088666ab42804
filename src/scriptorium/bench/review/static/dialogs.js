// What opens over the page: the name that is asked once, the keys, the latest steps.

import { ask, element, find, keepName, who } from "./base.js";

const KEYS = [
  ["↑ ↓", "choose a test"], ["a", "approve"], ["r", "reject"], ["c", "uncheck"], ["e", "edit"], ["x", "delete"], ["u", "undo"], ["y", "redo"],
  ["n, p", "next page, previous page"], ["q", "reject all tests of the page, next page"], ["f", "first unchecked test"], ["d", "disagreements"],
  ["t", "text raw or rendered"], ["[ ]", "other texts"], ["+ − 0", "larger, smaller, fit"], ["Ctrl+Enter", "save"], ["Esc", "cancel, close"],
];

export function setUpDialogs() {
  find("#keys dl").replaceChildren(...KEYS.flatMap(([key, what]) => [element("dt", {}, element("kbd", { textContent: key })), element("dd", { textContent: what })]));
}

export const showHelp = () => find("#keys").showModal();

/** The name for the audit trail; empty if none was given. */
export function askName() {
  const dialog = find("#ask-name");
  const input = find("#name");
  input.value = who();
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      const name = dialog.returnValue === "go" ? input.value.trim() : "";
      if (name) keepName(name);
      find("#who").textContent = who() || "Your name";
      resolve(name);
    }, { once: true });
  });
}

export async function showHistory() {
  const { steps, agreement } = await ask("history", { who: who() });
  find("#people").replaceChildren(...people(agreement.people), ...agreement.pairs.map(pair));
  const lines = steps.reverse().map((step) => element("li", {},
    element("time", { textContent: step.when.replace("T", " ").slice(0, 16) }), ` ${step.who} `, element("b", { textContent: step.action }),
    ` ${step.changes.map(({ category, before, after }) => `${idOf(after || before)} (${category})`).join(", ")}`));
  find("#steps ol").replaceChildren(...(lines.length ? lines : [element("li", { textContent: "Nothing has been changed yet." })]));
  find("#steps").showModal();
}

const DONE = ["approve", "reject", "edit", "add", "delete"];

function people(rows) {
  if (!rows.length) return [];
  const head = element("tr", {}, element("th"), ...["approved", "rejected", "edited", "added", "deleted"].map((textContent) => element("th", { textContent })));
  return [element("table", {}, head, ...rows.map((row) => element("tr", {}, element("th", { textContent: row.who }), ...DONE.map((name) => element("td", { textContent: row[name] ?? 0 })))))];
}

function pair({ who: [one, other], both, same, kappa }) {
  const chance = kappa === null ? "" : ` (κ ${kappa.toFixed(2)})`;
  return element("p", { textContent: `${one} and ${other} both marked ${both} ${both === 1 ? "test" : "tests"} and agree on ${same}${chance}.` });
}

function idOf(line) {
  try {
    return JSON.parse(line).id ?? "a line";
  } catch {
    return "a line";
  }
}
