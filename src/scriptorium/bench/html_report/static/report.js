// The report: its state (kept in the address after #), what is drawn from it, keys and clicks.
"use strict";

(() => {
  const {element, button, PicturePane, TextPane} = PageView;
  const $ = (selector) => document.querySelector(selector);
  const FILTERS = ["outcome", "category", "type", "reason", "words"];
  const NO_FILTER = Object.fromEntries(FILTERS.map((name) => [name, ""]));

  let index;
  let listed = new Map(); // page number -> tests that the filters let through
  let filtered = ""; // the choices that `listed` was made for
  let drawn = {}; // what the panes show: page number and candidates
  let data = null; // of the page shown
  let panes;
  const state = {
    view: "scores", rules: 0, a: 0, b: null, page: null, test: null, mode: "rendered", diff: false,
    ...NO_FILTER,
  };

  // The address holds names, so that a link means the same when the report is written again.
  const toAddress = () => {
    if (state.view === "scores") return "#scores";
    const said = new URLSearchParams();
    said.set("rules", index.rules[state.rules]);
    said.set("a", index.candidates[state.a]);
    if (state.b !== null) said.set("b", index.candidates[state.b]);
    for (const name of FILTERS) if (state[name]) said.set(name, state[name]);
    if (state.page !== null) said.set("page", index.pages[state.page].id);
    if (state.test !== null) said.set("test", state.test);
    return `#pages?${said}`;
  };

  const fromAddress = () => {
    const [view, rest = ""] = location.hash.slice(1).split("?");
    const said = new URLSearchParams(rest);
    const number = (values, name, none) => {
      const found = values.indexOf(said.get(name));
      return found < 0 ? none : found;
    };
    state.view = view === "pages" ? "pages" : "scores";
    if (state.view === "scores") return;
    state.rules = number(index.rules, "rules", state.rules);
    state.a = number(index.candidates, "a", state.a);
    state.b = number(index.candidates, "b", null);
    for (const name of FILTERS) state[name] = said.get(name) ?? "";
    state.page = number(index.pages.map((page) => page.id), "page", state.page);
    state.test = said.get("test");
  };

  const change = (changes) => {
    Object.assign(state, changes);
    draw();
    const address = toAddress();
    if (location.hash !== address) location.replace(address);
  };

  const filter = () => {
    const wanted = JSON.stringify([state.rules, state.a, state.b, ...FILTERS.map((name) => state[name])]);
    if (wanted !== filtered) {
      filtered = wanted;
      listed = new Map();
      for (const page of index.pages) {
        const tests = page.tests.filter((test) => Report.filters.matches(test, state));
        if (tests.length) listed.set(page.number, tests);
      }
    }
    if (!listed.has(state.page)) state.page = listed.keys().next().value ?? null;
    const here = listed.get(state.page) ?? [];
    if (!here.some((test) => test.id === state.test)) state.test = null;
  };

  const draw = () => {
    document.body.dataset.view = state.view;
    $("#scores").hidden = state.view !== "scores";
    $("#pages").hidden = state.view !== "pages";
    for (const link of document.querySelectorAll(".bar nav a")) {
      link.setAttribute("aria-current", String(link.dataset.view === state.view));
    }
    for (const tool of document.querySelectorAll(".rules button")) {
      tool.setAttribute("aria-pressed", String(Number(tool.dataset.rules) === state.rules));
    }
    if (state.view === "scores") return;
    filter();
    Report.filters.show($(".filters"), state);
    const tests = [...listed.values()].reduce((sum, some) => sum + some.length, 0);
    $(".found span").textContent = `${tests.toLocaleString("en")} of ${index.tests.length.toLocaleString("en")} tests on ${listed.size.toLocaleString("en")} ${listed.size === 1 ? "page" : "pages"}`;
    $(".found button").hidden = !FILTERS.some((name) => state[name]);
    Report.rail.show($(".tree"), index, listed, state);
    drawPage();
  };

  const drawPage = async () => {
    const page = index.pages[state.page];
    $(".page-head").hidden = $(".panes").hidden = !page;
    if (!page) { $(".inspector").hidden = true; drawn = {}; return; }
    const number = page.number;
    try {
      const found = await Report.store.page(number);
      if (number !== state.page) return; // the reader went on meanwhile
      data = found;
    } catch (error) {
      $(".where").textContent = error.message;
      return;
    }
    drawHead(page);
    const wanted = {page: number, a: state.a, b: state.b, diff: state.diff};
    if (JSON.stringify(wanted) !== JSON.stringify(drawn)) drawPanes(page, drawn.page !== number);
    drawn = wanted;
    const test = page.tests.find((each) => each.id === state.test);
    Report.inspector.show($(".inspector"), index, test, data, state);
    for (const text of panes.texts) { text.dress(); text.select(state.test); } // now that the panes have their size
    $(".panes").dataset.page = String(number); // says that this page is drawn
  };

  const drawHead = (page) => {
    const order = [...listed.keys()];
    const at = order.indexOf(page.number) + 1;
    $(".where").replaceChildren(element("strong", "", page.id), element("span", "soft", `${page.pdf}, page ${page.page} · ${at} of ${order.length}`));
    const several = index.candidates.length > 1;
    const side = button("Side by side", "A second candidate beside the first (s)", toggleSide);
    side.setAttribute("aria-pressed", String(state.b !== null));
    const diff = button("Differences", "What only one of the texts holds (d)", toggleDiff);
    diff.setAttribute("aria-pressed", String(state.diff && state.b !== null));
    const move = element("span", "tool-group");
    move.append(button("‹", "Previous page (k)", () => toPage(-1)), button("›", "Next page (j)", () => toPage(1)));
    const group = element("span", "tool-group");
    if (several) group.append(side, diff);
    $(".acts").replaceChildren(...(several ? [group, move] : [move]));
  };

  const note = (output) => [
    output.state === "ok" ? "" : output.state, output.detail, output.repeats > 1 ? `first of ${output.repeats} repeats` : "",
  ].filter(Boolean).join(" · ");

  const drawPanes = (page, fresh) => {
    const [one, two] = panes.texts;
    const side = state.b !== null;
    $(".panes").classList.toggle("side", side);
    two.host.hidden = !side;
    if (fresh) panes.picture.show(page.picture, data.no_picture || `${page.pdf}, page ${page.page}`);
    const outputs = [data.outputs[state.a], side ? data.outputs[state.b] : null];
    if (side && state.diff) {
      const [a, b] = outputs.map((output) => plain(output.raw));
      const difference = PageView.diff.show(a, b);
      const share = `${Math.round(difference.share)} % of the words in both${difference.cut ? " (too different: cut short)" : ""}`;
      one.show({raw: difference.a, rendered: difference.a}, share);
      two.show({raw: difference.b, rendered: difference.b}, share);
      for (const text of panes.texts) { text.setMode("raw"); }
    } else {
      panes.texts.forEach((text, number) => {
        if (outputs[number]) text.show(outputs[number], note(outputs[number]));
        text.setMode(state.mode);
      });
    }
    one.name.textContent = index.candidates[state.a];
    two.name.textContent = side ? index.candidates[state.b] : "";
    $(".panes").classList.toggle("differing", side && state.diff);
  };

  const plain = (html) => {
    const holder = new DOMParser().parseFromString(html, "text/html");
    return holder.body.textContent;
  };

  // A mark is coloured by its test's outcome, if the rule set in force is one that gave it as evidence.
  const dress = (candidate) => (mark) => {
    mark.classList.remove(...Report.OUTCOMES);
    const test = index.pages[state.page].tests.find((each) => each.id === mark.dataset.test);
    if (test && mark.classList.contains(`rules${state.rules}`)) {
      mark.classList.add(test.outcomes[state[candidate]][state.rules].outcome);
    }
  };

  const onTest = (ids) => {
    const next = ids[(ids.indexOf(state.test) + 1) % ids.length];
    const here = listed.get(state.page) ?? [];
    if (here.some((test) => test.id === next)) change({test: next});
    else change({...NO_FILTER, test: next});
  };

  const toPage = (step) => {
    const order = [...listed.keys()];
    const next = order[order.indexOf(state.page) + step];
    if (next !== undefined) change({page: next, test: null});
  };

  const toTest = (step) => {
    const tests = [...listed.values()].flat();
    const at = tests.findIndex((test) => test.id === state.test);
    const start = tests.findIndex((test) => test.page === state.page) - (step > 0 ? 1 : 0);
    const next = tests[(at < 0 ? start : at) + step];
    if (next) change({page: next.page, test: next.id});
  };

  const toggleSide = () => {
    const other = index.candidates.findIndex((_, number) => number !== state.a);
    if (other >= 0) change({b: state.b === null ? other : null, outcome: state.outcome === "apart" ? "" : state.outcome});
  };

  const toggleDiff = () => {
    if (state.b === null) toggleSide();
    if (state.b !== null) change({diff: !state.diff});
  };

  const setMode = (mode) => {
    state.mode = mode;
    for (const text of panes.texts) if (text.mode !== mode) text.setMode(mode);
  };

  const setRules = (number) => {
    if (number < index.rules.length) change({rules: number});
  };

  const toggleTheme = () => {
    const dark = document.documentElement.dataset.theme === "dark";
    document.documentElement.dataset.theme = dark ? "light" : "dark";
  };

  const KEYS = {
    j: () => toPage(1), k: () => toPage(-1), n: () => toTest(1), p: () => toTest(-1),
    f: () => change({outcome: state.outcome === "failed" ? "" : "failed"}),
    r: () => setMode(state.mode === "raw" ? "rendered" : "raw"),
    s: toggleSide, d: toggleDiff, g: () => change({view: "scores"}),
    "/": () => $('.filters [name="words"]').select(),
    "?": () => $("#help").showModal(),
  };

  const onKey = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || $("#help").open) return;
    const typing = event.target.closest("input, select, textarea");
    if (typing) {
      if (event.key === "Escape" || event.key === "Enter") typing.blur();
      return;
    }
    if (/^[1-9]$/.test(event.key)) { setRules(Number(event.key) - 1); return; }
    const act = KEYS[event.key];
    if (!act) return;
    event.preventDefault();
    if (state.view === "scores" && !"?g".includes(event.key)) {
      change({view: "pages"});
      if ("jk".includes(event.key)) return; // the pages are open: that is the step
    }
    act();
  };

  const onFilter = (name, value) => {
    if (name === "a") change({a: Number(value)});
    else if (name === "b") change({b: value === "" ? null : Number(value)});
    else change({[name]: value});
  };

  Report.start = (found) => {
    index = found;
    const [picture, first, second] = $(".panes").children;
    panes = {
      picture: new PicturePane(picture),
      texts: [new TextPane(first, {onTest, dress: dress("a")}), new TextPane(second, {onTest, dress: dress("b")})],
    };
    $(".rules").append(...index.rules.map((name, number) => {
      const tool = button(name, `Rule set ${name} (${number + 1})`, () => setRules(number));
      tool.dataset.rules = String(number);
      return tool;
    }));
        Report.filters.build($(".filters"), index, onFilter);
    $(".tree").addEventListener("click", (event) => {
      const row = event.target.closest("button");
      if (row?.dataset.test) change({test: row.dataset.test === state.test ? null : row.dataset.test});
      else if (row?.dataset.page) change({page: Number(row.dataset.page), test: null});
    });
    $(".found").replaceChildren(element("span"), button("Clear", "List all tests", () => change({...NO_FILTER})));
    $("#theme").addEventListener("click", toggleTheme);
    $("#keys").addEventListener("click", () => $("#help").showModal());
    document.addEventListener("keydown", onKey);
    window.addEventListener("hashchange", () => {
      if (location.hash !== toAddress()) { fromAddress(); draw(); }
    });
    fromAddress();
    draw();
  };

  // The system's choice of light or dark, until the reader makes another.
  if (window.matchMedia("(prefers-color-scheme: dark)").matches) document.documentElement.dataset.theme = "dark";
})();
