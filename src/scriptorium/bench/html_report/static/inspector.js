// What is known of one test: its fields, and the verdict on each candidate under each rule set.
"use strict";

Report.inspector = (() => {
  const {element} = PageView;

  const field = ([name, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    const made = element("dd");
    made.append(element("span", "value", text));
    return [element("dt", "", name.replaceAll("_", " ")), made];
  };

  const verdict = (outcome, detail) => {
    const cell = element("td");
    const head = element("span", `verdict ${Report.rail.verdictClass(outcome)}`);
    head.append(Report.rail.chip(outcome), ` ${outcome.code.replaceAll("_", " ")}`);
    cell.append(head);
    const notes = [];
    if (outcome.outcome === "passed" && !outcome.counts) notes.push("not counted: the page shows no content");
    if (detail.share !== undefined && detail.share > 0 && detail.share < 1) notes.push(`${Math.round(100 * detail.share)} % of the repeats pass`);
    if (detail.margin !== undefined) notes.push(`margin ${detail.margin}`);
    if (detail.repeat > 0) notes.push(`seen in repeat ${detail.repeat + 1}`);
    if (detail.error) notes.push(detail.error);
    if (notes.length) cell.append(element("span", "notes", notes.join(" · ")));
    if (detail.would_pass_if) cell.append(element("span", "remedy", `Would pass if ${detail.would_pass_if}`));
    return cell;
  };

  const table = (index, test, details, state) => {
    const made = element("table", "verdicts");
    const head = element("tr");
    head.append(element("th"), ...index.rules.map((name, number) => {
      const cell = element("th", number === state.rules ? "current" : "", name);
      return cell;
    }));
    made.append(head);
    index.candidates.forEach((name, candidate) => {
      const row = element("tr", candidate === state.a || candidate === state.b ? "shown" : "");
      row.append(element("th", "", name));
      row.append(...index.rules.map((_, rules) => verdict(test.outcomes[candidate][rules], details[candidate]?.[rules] ?? {})));
      made.append(row);
    });
    return made;
  };

  const show = (host, index, test, data, state) => {
    host.hidden = !test;
    if (!test) return;
    const mine = data.tests[test.id];
    const about = element("div", "about");
    const title = element("p", "test-title");
    title.append(element("span", "type", test.type), element("span", "test-id", test.id), element("span", "category", test.category));
    const fields = element("dl", "fields");
    fields.append(...Object.entries(mine.fields).flatMap(field));
    about.append(title, fields);
    if (mine.drawn) {
      const drawn = element("div", "drawn text-body");
      drawn.innerHTML = mine.drawn; // drawn and sanitised where the report was written
      about.append(drawn);
    }
    const verdicts = element("div", "verdict-box");
    verdicts.append(table(index, test, mine.verdicts, state));
    host.replaceChildren(about, verdicts);
  };

  return {show};
})();
