// The tests on which candidates or rule sets part, most divided first.

import { ask, coloured, element, find, matches, plain, state } from "./base.js";
import { textsOf } from "./cards.js";

export function hideParted() {
  find("#parted").hidden = true;
}

export async function toggleParted(open) {
  const place = find("#parted");
  if (!place.hidden) return hideParted();
  place.hidden = false;
  place.replaceChildren(element("p", { className: "empty", textContent: "Judging…" }));
  return draw(open);
}

async function draw(open) {
  const place = find("#parted");
  const { rows, left, failure } = await ask("disagreements");
  if (place.hidden) return;
  const shown = rows.filter((row) => matches(row.category, row.test.type, row.state));
  const head = element("div", { className: "tools" },
    element("h2", { textContent: `${shown.length} ${shown.length === 1 ? "test" : "tests"} on which candidates or rule sets part` }),
    element("span", { textContent: failure || (left ? `${left} tests still to be judged` : "") }),
    element("button", { textContent: "Close", onclick: hideParted }));
  const table = element("table", {}, element("thead", {}, element("tr", {}, ...["Test", "Type", "Says", ...state.bench.rules, "State"].map((textContent) => element("th", { textContent })))));
  table.append(element("tbody", {}, ...shown.map((row) => line(row, open))));
  place.replaceChildren(head, element("div", { className: "scroll" }, shown.length ? table : element("p", { className: "empty", textContent: left ? "Judging…" : "None." })));
  if (left && !failure) setTimeout(() => { if (!place.hidden) draw(open); }, 1000);
}

function line(row, open) {
  const passes = state.bench.rules.map((rules) => element("td", {
    className: row.candidates_part.includes(rules) ? "parted" : "", textContent: `${row.passed[rules]} of ${row.texts}`,
  }));
  const made = element("tr", { tabIndex: 0, onclick: () => open(row), onkeydown: (event) => { if (event.key === "Enter") open(row); } },
    element("td", { textContent: row.test.id }), coloured(element("td", {}, element("span", { className: "type", textContent: plain(row.test.type) })), row.test.type),
    element("td", { className: "says", textContent: (row.test.math || textsOf(row.test).join(" · ")).slice(0, 160) }), ...passes, element("td", { textContent: row.state }));
  return made;
}
