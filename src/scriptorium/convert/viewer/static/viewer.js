// The viewer: its state (kept in the address after #), what is drawn from it, keys and clicks.
"use strict";

(() => {
  const {element, button, PicturePane, TextPane} = PageView;
  const {store, filters, list, marks, facts, formulas, dialog} = Viewer;
  const $ = (selector) => document.querySelector(selector);
  const FILTERS = ["words", "where", "status", "language", "score", "mark", "alike", "order"];
  const ZOOMS = ["fit", "wide", "large"];

  class FormulaPane extends TextPane {
    dress() { if (this.mode === "rendered") formulas.drawAll(this.body); }
  }

  let index, panes;
  let listed = [], filtered = ""; // the pages shown in the list, and the choices that they were made for
  let search = {words: "", hits: null, done: true}; // in the texts
  let data = null, drawn = ""; // of the page shown
  let editing = null; // the form that corrects a page
  let factsOpen = false;
  const state = {
    view: "overview", page: null, mode: "rendered", side: false, diff: false, swap: false,
    ...Object.fromEntries(FILTERS.map((name) => [name, ""])),
  };

  const runNumber = () => (state.swap ? 1 : 0);
  const run = () => index.runs[runNumber()];
  const markOf = (page) => marks.get(run(), page);
  const kindOf = (page) => markOf(page)?.mark ?? "";

  // The address holds names, so that a link means the same when the viewer is written again.
  const toAddress = () => {
    if (state.view === "overview") return "#overview";
    const said = new URLSearchParams();
    for (const name of FILTERS) if (state[name]) said.set(name, state[name]);
    for (const name of ["side", "diff", "swap"]) if (state[name]) said.set(name, "1");
    if (state.page !== null) said.set("page", index.pages[state.page].id);
    return `#pages?${said}`;
  };

  const fromAddress = () => {
    const [view, rest = ""] = location.hash.slice(1).split("?");
    state.view = view === "pages" ? "pages" : "overview";
    if (state.view === "overview") return;
    const said = new URLSearchParams(rest);
    for (const name of FILTERS) state[name] = said.get(name) ?? "";
    for (const name of ["side", "diff", "swap"]) state[name] = index.runs.length > 1 && said.has(name);
    const found = index.pages.findIndex((page) => page.id === said.get("page"));
    if (found >= 0) state.page = found;
  };

  const change = (changes) => {
    if (editing && !leaveEditor()) return;
    Object.assign(state, changes);
    draw();
    const address = toAddress();
    if (location.hash !== address) location.replace(address);
  };

  // Searches the texts chunk by chunk; the list grows as pages are found.
  const searchTexts = async (words) => {
    const mine = {words, hits: new Set(), done: false};
    search = mine;
    for (let first = 0; first < index.pages.length; first += index.searched) {
      let texts;
      try {
        texts = await store.texts(first);
      } catch (error) {
        $(".found").textContent = error.message;
        return;
      }
      if (search !== mine) return; // the reader wants other words by now
      texts.forEach((text, at) => { if (filters.contains(text, words)) mine.hits.add(first + at); });
    }
    mine.done = true;
    draw();
  };

  const filter = () => {
    const inTexts = state.where === "texts" && state.words;
    if (inTexts && search.words !== state.words) searchTexts(state.words);
    const hits = inTexts ? search.hits : null;
    const wanted = JSON.stringify([...FILTERS.map((name) => state[name]), state.swap, hits?.size, search.done, state.mark && marks.exported()]);
    if (wanted !== filtered) {
      filtered = wanted;
      const found = index.pages.filter((page) => filters.matches(page, state, hits, state.mark ? kindOf(page) : ""));
      listed = filters.order(found, state);
    }
    if (!listed.some((page) => page.number === state.page)) state.page = listed[0]?.number ?? null;
  };

  const draw = () => {
    document.body.dataset.view = state.view;
    $("#overview").hidden = state.view !== "overview";
    $("#pages").hidden = state.view !== "pages";
    for (const link of document.querySelectorAll(".bar nav a")) link.setAttribute("aria-current", String(link.dataset.view === state.view));
    $("#marks-open").textContent = marks.size() ? `Marks: ${marks.size().toLocaleString("en")}` : "Marks";
    if (state.view === "overview") return;
    filter();
    filters.show($(".filters"), state);
    drawFound();
    list.show(listed, state, kindOf);
    drawPage();
  };

  const drawFound = () => {
    const count = `${listed.length.toLocaleString("en")} of ${index.pages.length.toLocaleString("en")} pages`;
    const busy = state.where === "texts" && state.words && !search.done ? ", searching…" : "";
    const clear = button("Clear", "List all pages", () => change(Object.fromEntries(FILTERS.map((name) => [name, ""]))));
    clear.hidden = !FILTERS.some((name) => state[name]);
    $(".found").replaceChildren(element("span", "", count + busy), clear);
  };

  const drawPage = async () => {
    const page = index.pages[state.page];
    $(".page-head").hidden = $(".facts-strip").hidden = $(".panes").hidden = !page;
    if (!page) { drawn = ""; return; }
    try {
      const found = await store.page(page.number);
      if (page.number !== state.page) return; // the reader went on meanwhile
      data = found;
    } catch (error) {
      $(".where").textContent = error.message;
      return;
    }
    drawHead(page);
    drawFacts(page);
    const mark = markOf(page);
    const wanted = JSON.stringify([page.number, state.side, state.diff, state.swap, mark]);
    if (wanted !== drawn) drawPanes(page, JSON.parse(drawn || "[]")[0] !== page.number, mark);
    drawn = wanted;
    $(".panes").dataset.page = String(page.number); // says that this page is drawn
  };

  const pressed = (made, on) => { made.setAttribute("aria-pressed", String(on)); return made; };

  const drawHead = (page) => {
    const at = listed.findIndex((each) => each.number === page.number) + 1;
    const cut = page.name.lastIndexOf("/") + 1;
    const where = `${page.page ? `page ${page.page} · ` : ""}${at.toLocaleString("en")} of ${listed.length.toLocaleString("en")}`;
    const name = element("strong", "", page.name.slice(cut) || page.name);
    name.title = page.name;
    $(".where").replaceChildren(name, element("span", "soft", where));
    const kind = kindOf(page);
    const here = page.runs[runNumber()] && page.page && page.sha256;
    const refused = data[runNumber()]?.refused;
    const right = pressed(button("✓ Right", refused || "The text is right (y)", () => toggleMark("right")), kind === "right");
    right.disabled = Boolean(refused) || !here;
    const wrong = pressed(button("✗ Wrong", "The text is wrong (n)", () => toggleMark("wrong")), kind === "wrong");
    const edit = pressed(button("✎ Correct", "Correct the text (e)", openEditor), kind === "fixed");
    wrong.disabled = edit.disabled = !here;
    const group = (...tools) => { const made = element("span", "tool-group"); made.append(...tools); return made; };
    const groups = [group(right, wrong, edit)];
    if (index.runs.length > 1) {
      groups.push(group(
        pressed(button("Side by side", "The second run beside the first (s)", () => change({side: !state.side, diff: false})), state.side),
        pressed(button("Differences", "What only one of the texts holds (d)", toggleDiff), state.diff),
        pressed(button("Swap", "The runs the other way round (x)", () => change({swap: !state.swap})), state.swap),
      ));
    }
    groups.push(group(button("‹", "Previous page (k)", () => toPage(-1)), button("›", "Next page (j)", () => toPage(1))));
    groups.at(-1).firstChild.setAttribute("aria-label", "Previous page");
    groups.at(-1).lastChild.setAttribute("aria-label", "Next page");
    $(".acts").replaceChildren(...groups);
  };

  const shownRuns = () => (state.side ? [runNumber(), 1 - runNumber()] : [runNumber()]);

  const drawFacts = (page) => {
    const shown = shownRuns().map((number) => ({name: index.runs[number].name, run: page.runs[number], data: data[number]}));
    const all = facts.show($(".facts-strip"), shown, factsOpen);
    all.addEventListener("toggle", () => { factsOpen = all.open; });
  };

  const drawPicture = (page) => {
    if (!page.page) return panes.picture.show("", "This file has no pages that could be read.");
    if (page.picture < 0) return panes.picture.show("", "This page was not drawn. The viewer can be made again with more: --pages all");
    if (page.picture > 0) return panes.picture.show("", `No picture: ${index.faults[page.picture - 1]}.`);
    const rotation = (data[0] ?? data[1]).rotation;
    return panes.picture.show(
      `pictures/${page.sha256.slice(0, 16)}-${page.page}-${rotation}-${index.side}.webp`, `${page.name}, page ${page.page}`,
    );
  };

  const escaped = (text) => { const made = element("div", "", text); return made.innerHTML; };

  // What a pane shows of a run: a correction if there is one, the text, or the answer that was not taken.
  const texts = (told, mark) => {
    if (!told) return {texts: {}, note: "not in this run"};
    if (mark?.mark === "fixed") return {texts: {raw: escaped(mark.text), rendered: escaped(mark.text)}, note: "corrected by hand", plain: true};
    if (!told.text && told.answer) {
      return {texts: {raw: escaped(told.answer), rendered: escaped(told.answer)}, note: "the model's last answer; it is in no output", plain: true};
    }
    return {texts: {raw: escaped(told.text), rendered: told.html}, note: ""};
  };

  const drawPanes = (page, fresh, mark) => {
    $(".panes").classList.toggle("side", state.side);
    $(".panes").classList.toggle("differing", state.side && state.diff);
    panes.texts[1].host.hidden = !state.side;
    if (fresh) drawPicture(page);
    const numbers = shownRuns();
    if (state.side && state.diff) {
      const [a, b] = numbers.map((number) => data[number]?.text ?? "");
      const difference = PageView.diff.show(a, b);
      const share = `${Math.round(difference.share)} % of the words in both${difference.cut ? " (too different: cut short)" : ""}`;
      for (const [at, html] of [difference.a, difference.b].entries()) {
        panes.texts[at].setMode("raw");
        panes.texts[at].show({raw: html, rendered: html}, share);
        panes.texts[at].name.textContent = index.runs[numbers[at]].name;
      }
      return;
    }
    numbers.forEach((number, at) => {
      const pane = panes.texts[at];
      const found = texts(data[number], at === 0 ? mark : marks.get(index.runs[number], page));
      pane.name.textContent = index.runs[number].name;
      pane.mode = found.plain ? "raw" : state.mode;
      pane.show(found.texts, found.note);
    });
  };

  const toPage = (step) => {
    const next = listed[listed.findIndex((page) => page.number === state.page) + step];
    if (next) change({page: next.number});
  };

  const toggleDiff = () => {
    if (index.runs.length > 1) change({diff: !state.diff, side: true});
  };

  const toggleMark = (kind) => {
    const page = index.pages[state.page], told = data?.[runNumber()];
    if (!page?.page || !page.sha256 || !told || (kind === "right" && told.refused)) return;
    const off = kindOf(page) === kind;
    marks.set(run(), page, off ? null : {mark: kind, text_sha256: told.sha256});
    if (marks.problem()) dialog.show();
    draw();
  };

  const openEditor = () => {
    const page = index.pages[state.page], told = data?.[runNumber()];
    if (editing || !page?.page || !page.sha256 || !told) return;
    const mark = markOf(page);
    const fixed = mark?.mark === "fixed" ? mark : null;
    const host = panes.texts[0].host;
    editing = facts.editor(fixed?.text ?? (told.text || told.answer), fixed?.front ?? told.front, {
      save: (text, front) => {
        closeEditor();
        marks.set(run(), page, {mark: "fixed", text_sha256: told.sha256, text, front});
        if (marks.problem()) dialog.show();
        draw();
      },
      leave: () => { if (leaveEditor()) draw(); },
    });
    editing.before = new FormData(editing).get("text");
    host.classList.add("editing");
    host.append(editing);
    editing.elements.text.focus();
    editing.elements.text.setSelectionRange(0, 0);
    editing.elements.text.scrollTop = 0;
  };

  const closeEditor = () => {
    editing.parentElement.classList.remove("editing");
    editing.remove();
    editing = null;
  };

  // Closes the form; asks first where something was typed. Says whether it is closed.
  const leaveEditor = () => {
    if (editing.elements.text.value !== editing.before && !window.confirm("Leave the correction unsaved?")) return false;
    closeEditor();
    return true;
  };

  const setMode = (mode) => {
    state.mode = mode;
    drawn = "";
    draw();
  };

  const zoom = (step) => {
    const next = ZOOMS[ZOOMS.indexOf(panes.picture.zoom) + step];
    if (next) panes.picture.setZoom(next);
  };

  const toggleTheme = () => {
    const dark = document.documentElement.dataset.theme === "dark";
    document.documentElement.dataset.theme = dark ? "light" : "dark";
  };

  const KEYS = {
    j: () => toPage(1), k: () => toPage(-1), ArrowDown: () => toPage(1), ArrowUp: () => toPage(-1),
    r: () => setMode(state.mode === "raw" ? "rendered" : "raw"),
    "+": () => zoom(1), "=": () => zoom(1), "-": () => zoom(-1),
    i: () => { factsOpen = !factsOpen; draw(); },
    y: () => toggleMark("right"), n: () => toggleMark("wrong"), e: () => openEditor(),
    s: () => { if (index.runs.length > 1) change({side: !state.side, diff: false}); },
    d: toggleDiff, x: () => { if (index.runs.length > 1) change({swap: !state.swap}); },
    g: () => change({view: "overview"}),
    "/": () => $('.filters [name="words"]').select(),
    "?": () => $("#help").showModal(),
  };

  const onKey = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]") || editing) return;
    const typing = event.target.closest("input, select, textarea");
    if (typing) {
      if (event.key === "Escape" || event.key === "Enter") typing.blur();
      return;
    }
    const arrow = event.key.startsWith("Arrow");
    if (arrow && !event.target.closest(".tree")) return; // elsewhere arrows scroll
    const act = KEYS[event.key];
    if (!act) return;
    event.preventDefault();
    if (state.view === "overview" && !"?g".includes(event.key)) {
      change({view: "pages"});
      if ("jk".includes(event.key)) return; // the pages are open: that is the step
    }
    act();
  };

  const onFilter = (name, value) => {
    change({[name]: value, ...(name === "alike" && value && value !== "one" ? {side: true} : {})});
  };

  const listen = () => {
    $(".tree").addEventListener("click", (event) => {
      const row = event.target.closest("[data-page]");
      if (row) change({page: Number(row.dataset.page)});
    });
    $("#theme").addEventListener("click", toggleTheme);
    $("#keys-open").addEventListener("click", () => $("#help").showModal());
    dialog.build(() => { marks.load(index); drawn = ""; draw(); });
    document.addEventListener("keydown", onKey);
    window.addEventListener("hashchange", () => {
      if (location.hash !== toAddress()) { if (editing) closeEditor(); fromAddress(); draw(); }
    });
    window.addEventListener("beforeunload", (event) => { if (editing && editing.elements.text.value !== editing.before) event.preventDefault(); });
  };

  Viewer.start = (found) => {
    index = found;
    marks.load(index);
    const [picture, first, second] = $(".panes").children;
    panes = {picture: new PicturePane(picture), texts: [new FormulaPane(first), new FormulaPane(second)]};
    for (const pane of panes.texts) {
      pane.tools.addEventListener("click", (event) => { if (event.target.dataset.mode) state.mode = event.target.dataset.mode; });
      pane.body.setAttribute("aria-label", "Text of the page");
    }
    panes.picture.frame.setAttribute("aria-label", "Picture of the page");
    filters.build($(".filters"), index, onFilter);
    list.build($(".tree"));
    listen();
    fromAddress();
    draw();
  };

  // The system's choice of light or dark, until the reader makes another.
  if (window.matchMedia("(prefers-color-scheme: dark)").matches) document.documentElement.dataset.theme = "dark";
})();
