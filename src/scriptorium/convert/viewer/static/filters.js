// Which pages are listed, and in which order.
"use strict";

Viewer.filters = (() => {
  const {element} = PageView;
  const SCORES = [["", "Any score"], ["0.5", "Score below 0.5"], ["0.75", "Score below 0.75"], ["0.9", "Score below 0.9"], ["none", "No score"]];
  const MARKS = [["", "Marked or not"], ["unmarked", "Not marked"], ["right", "Marked right"], ["wrong", "Marked wrong"], ["fixed", "Corrected"]];
  const ALIKE = [["", "Alike or not"], ["differ", "Texts differ"], ["99", "Texts differ a little"], ["90", "Less than 90 % alike"], ["same", "Same words"], ["status", "Statuses differ"], ["one", "In one run only"]];
  const ORDERS = [["", "In order"], ["worst", "Worst first"], ["alike", "Least alike first"], ["attempts", "Most attempts first"]];
  const SEVERITY = {gave_up: 0, pending: 0, fallback_text: 1, salvaged: 2};
  const TROUBLE = new Set(["gave_up", "unreadable", "pending", "fallback_text", "salvaged"]);

  const alike = (page, wanted) => {
    const [one, other] = page.runs;
    switch (wanted) {
      case "differ": return page.alike !== null && page.alike < 100;
      case "99": return page.alike !== null && page.alike < 100 && page.alike >= 90;
      case "90": return page.alike !== null && page.alike < 90;
      case "same": return page.alike === 100;
      case "status": return one?.status !== other?.status;
      default: return one === null || other === null;
    }
  };

  const scored = (score, wanted) => (wanted === "none" ? score === null : score !== null && score < Number(wanted));

  // `hits`: numbers of the pages whose texts have the words, or null where only names are searched.
  const matches = (page, state, hits, mark) => {
    const run = page.runs[state.swap ? 1 : 0];
    if (state.status === "trouble" ? !TROUBLE.has(run?.status) : state.status && run?.status !== state.status) return false;
    if (state.language && run?.language !== state.language) return false;
    if (state.score && (!run || !scored(run.score, state.score))) return false;
    if (state.mark && (state.mark === "unmarked" ? mark : mark !== state.mark)) return false;
    if (state.alike && !alike(page, state.alike)) return false;
    if (!state.words) return true;
    return hits ? hits.has(page.number) : contains(page.words, state.words);
  };

  const contains = (text, words) => words.toLowerCase().split(/\s+/).every((word) => text.includes(word));

  const order = (pages, state) => {
    const run = (page) => page.runs[state.swap ? 1 : 0];
    const keys = {
      worst: (page) => (SEVERITY[run(page)?.status] ?? 3) * 2 + (run(page)?.score ?? 1),
      alike: (page) => page.alike ?? 101,
      attempts: (page) => -(run(page)?.attempts ?? 0),
    };
    const key = keys[state.order];
    return key ? [...pages].sort((a, b) => key(a) - key(b) || a.number - b.number) : pages;
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

  const named = (values, all) => [...all, ...values.map((value) => [value, value.replaceAll("_", " ")])];

  // Builds the form once; `change(field, value)` is called for every change made by the reader.
  const build = (form, index, change) => {
    const several = index.runs.length > 1;
    const scores = index.pages.some((page) => page.runs.some((run) => run !== null && run.score !== null));
    const search = element("input");
    search.type = "search";
    search.name = "words";
    search.placeholder = "Search  /";
    search.setAttribute("aria-label", "Search");
    let later;
    search.addEventListener("input", () => { clearTimeout(later); later = setTimeout(() => change("words", search.value.trim()), 120); });
    const fields = [
      search,
      select("where", "Search in", [["", "in names, reasons"], ["texts", "in the texts"]], change),
      select("status", "Status", named(index.statuses, [["", "Any status"], ["trouble", "In trouble"]]), change),
      select("language", "Language", named([...index.languages].sort(), [["", "Any language"]]), change),
      select("mark", "Marks", MARKS, change),
    ];
    if (scores) fields.push(select("score", "Score", SCORES, change));
    if (several) fields.push(select("alike", "Likeness of the runs", ALIKE, change));
    fields.push(select("order", "Order", ORDERS.filter(([value]) => several || value !== "alike"), change));
    form.replaceChildren(...fields);
    form.addEventListener("submit", (event) => event.preventDefault());
  };

  const show = (form, state) => {
    for (const field of form.elements) {
      const value = state[field.name] ?? "";
      if (field.value !== String(value) && field !== document.activeElement) field.value = String(value);
      field.classList.toggle("set", Boolean(value));
    }
  };

  return {matches, contains, order, build, show, TROUBLE};
})();
