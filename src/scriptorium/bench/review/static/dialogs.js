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
  const { steps } = await ask("history", { who: who() });
  const lines = steps.reverse().map((step) => element("li", {},
    element("time", { textContent: step.when.replace("T", " ").slice(0, 16) }), ` ${step.who} `, element("b", { textContent: step.action }),
    ` ${step.changes.map(({ category, before, after }) => `${idOf(after || before)} (${category})`).join(", ")}`));
  find("#steps ol").replaceChildren(...(lines.length ? lines : [element("li", { textContent: "Nothing has been changed yet." })]));
  find("#steps").showModal();
}

function idOf(line) {
  try {
    return JSON.parse(line).id ?? "a line";
  } catch {
    return "a line";
  }
}
