// The list at the left: pages that hold a listed test, the tests of the open page below it.
"use strict";

Report.rail = (() => {
  const {element} = PageView;
  const GLYPHS = {passed: "✓", failed: "✗", undecided: "?", unknown: "–"};

  const verdictClass = (verdict) => (verdict.outcome === "passed" && !verdict.counts ? "uncounted" : verdict.outcome);

  const chip = (verdict) => {
    const made = element("span", `glyph ${verdictClass(verdict)}`, GLYPHS[verdict.outcome]);
    made.title = `${verdict.outcome}${verdict.outcome === "passed" && !verdict.counts ? ", not counted" : ""}: ${verdict.code.replaceAll("_", " ")}`;
    return made;
  };

  const testRow = (test, state) => {
    const row = element("button", "test-row");
    row.type = "button";
    row.dataset.test = test.id;
    row.setAttribute("aria-current", String(test.id === state.test));
    const glyphs = element("span", "glyphs");
    glyphs.append(chip(test.outcomes[state.a][state.rules]));
    if (state.b !== null) glyphs.append(chip(test.outcomes[state.b][state.rules]));
    const text = element("span", "test-text");
    text.append(element("span", "type", test.type), " ", test.summary || test.id);
    row.title = test.id;
    row.append(glyphs, text);
    return row;
  };

  const pageRow = (page, tests, state) => {
    const row = element("button", "page-row");
    row.type = "button";
    row.dataset.page = String(page.number);
    const cut = page.id.lastIndexOf("/") + 1;
    const name = element("span", "page-name");
    name.append(element("span", "folder", page.id.slice(0, cut)), element("span", "file", page.id.slice(cut)));
    const passed = page.tests.filter((test) => test.outcomes[state.a][state.rules].outcome === "passed").length;
    const share = element("span", "share", `${passed}/${page.tests.length}`);
    share.title = `${passed} of ${page.tests.length} tests passed, ${tests.length} listed`;
    if (passed === 0) share.classList.add("none");
    if (passed === page.tests.length) share.classList.add("whole");
    row.title = page.id;
    row.append(name, share);
    return row;
  };

  let shown = null; // the map whose pages are in the tree
  let rows = new Map(); // page number -> its row

  const build = (tree, index, listed, state) => {
    rows = new Map([...listed].map(([number, tests]) => [number, pageRow(index.pages[number], tests, state)]));
    tree.replaceChildren(...rows.values());
    if (!rows.size) tree.append(element("p", "nothing", "No test is like that."));
    shown = listed;
  };

  // `listed`: Map of page number to its listed tests, in order; a new one whenever the filters change.
  const show = (tree, index, listed, state) => {
    if (listed !== shown) build(tree, index, listed, state);
    tree.querySelector(".test-rows")?.remove();
    tree.querySelector('.page-row[aria-current="true"]')?.setAttribute("aria-current", "false");
    const row = rows.get(state.page);
    if (!row) return;
    row.setAttribute("aria-current", "true");
    const group = element("div", "test-rows");
    group.append(...listed.get(state.page).map((test) => testRow(test, state)));
    row.after(group);
    (group.querySelector('[aria-current="true"]') ?? row).scrollIntoView({block: "nearest"});
  };

  return {show, chip, verdictClass};
})();
