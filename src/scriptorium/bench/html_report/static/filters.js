// Which tests are listed: by category, type, reason, outcome and words, for a candidate under a rule set.
"use strict";

Report.filters = (() => {
  const {element} = PageView;
  const OUTCOMES = [
    ["", "Any outcome"], ["failed", "Failed"], ["passed", "Passed"], ["undecided", "Undecided"],
    ["uncounted", "Passed, not counted"], ["differ", "Rule sets differ"], ["apart", "Candidates differ"],
  ];

  const matches = (test, state) => {
    const mine = test.outcomes[state.a];
    const verdict = mine[state.rules];
    if (state.category && test.category !== state.category) return false;
    if (state.type && test.type !== state.type) return false;
    if (state.reason && verdict.code !== state.reason) return false;
    if (state.words && !state.words.toLowerCase().split(/\s+/).every((word) => test.words.includes(word))) return false;
    switch (state.outcome) {
      case "": return true;
      case "differ": return new Set(mine.filter((each) => each.outcome !== "unknown").map((each) => each.counts)).size > 1;
      case "apart": return state.b !== null && test.outcomes[state.b][state.rules].outcome !== verdict.outcome;
      case "uncounted": return verdict.outcome === "passed" && !verdict.counts;
      default: return verdict.outcome === state.outcome;
    }
  };

  const select = (name, label, options, onChange) => {
    const made = element("select");
    made.name = name;
    made.setAttribute("aria-label", label);
    for (const [value, text] of options) {
      const option = element("option", "", text);
      option.value = value;
      made.append(option);
    }
    made.addEventListener("change", () => onChange(name, made.value));
    return made;
  };

  const named = (values, all) => [["", all], ...values.map((value) => [value, value.replaceAll("_", " ")])];

  // Builds the form once; `change(field, value)` is called for every change made by the reader.
  const build = (form, index, change) => {
    const candidates = index.candidates.map((name, number) => [String(number), name]);
    const search = element("input");
    search.type = "search";
    search.name = "words";
    search.placeholder = "Search tests and pages  /";
    search.setAttribute("aria-label", "Search tests and pages");
    search.addEventListener("input", () => change("words", search.value));
    form.replaceChildren(
      search,
      select("a", "Candidate", candidates, change),
      select("b", "Second candidate", [["", "Beside it: none"], ...candidates], change),
      select("outcome", "Outcome", OUTCOMES.filter(([value]) => value !== "apart" || index.candidates.length > 1), change),
      select("category", "Category", named(index.categories, "All categories"), change),
      select("type", "Type", named(index.types, "All types"), change),
      select("reason", "Reason", named([...index.codes].sort(), "All reasons"), change),
    );
    form.addEventListener("submit", (event) => event.preventDefault());
  };

  const show = (form, state) => {
    for (const field of form.elements) {
      const value = state[field.name] ?? "";
      if (field.value !== String(value)) field.value = String(value);
      field.classList.toggle("set", field.name !== "a" && Boolean(field.value));
    }
  };

  return {matches, build, show};
})();
