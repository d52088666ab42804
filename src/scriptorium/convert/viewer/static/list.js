// The list of pages: of ten thousand rows only those that can be seen are there.
"use strict";

Viewer.list = (() => {
  const {element} = PageView;
  const ROW = 30; // pixels; viewer.css has the same
  const AROUND = 8; // rows above and below what is seen
  const GLYPHS = {right: "✓", wrong: "✗", fixed: "✎"};

  let tree, pages = [], state, markOf, space;

  const chip = (run) => {
    if (!run) return element("span", "chip soft", "not here");
    const kind = {ok: "good", ok_rotated: "good", blank: "plainly", duplicate: "plainly", filtered: "plainly"}[run.status]
      ?? (["gave_up", "unreadable", "pending"].includes(run.status) ? "bad" : "fair");
    return element("span", `chip ${kind}`, run.status.replaceAll("_", " "));
  };

  const row = (page, at) => {
    const made = element("button", "page-row");
    made.type = "button";
    made.dataset.page = String(page.number);
    made.tabIndex = -1;
    made.style.top = `${at * ROW}px`;
    made.setAttribute("aria-current", String(page.number === state.page));
    const cut = page.name.lastIndexOf("/") + 1;
    const name = element("span", "page-name");
    name.append(element("span", "folder", page.name.slice(0, cut)), element("span", "file", page.name.slice(cut)));
    const run = page.runs[state.swap ? 1 : 0];
    const mark = markOf(page);
    const glyph = element("span", `mark-glyph ${mark}`, GLYPHS[mark] ?? "");
    if (mark) glyph.setAttribute("aria-label", `marked ${mark}`);
    made.append(name, element("span", "page-number", page.page ? `p. ${page.page}` : ""), glyph);
    if (run?.score !== null && run?.score !== undefined) made.append(element("span", "score-number", run.score.toFixed(2)));
    if (state.side && page.alike !== null) made.append(element("span", "score-number alike", `${page.alike} %`));
    if (run?.status !== "ok") made.append(chip(run));
    made.title = `${page.name}${page.page ? `, page ${page.page}` : ""}${run?.reason ? `: ${run.reason}` : ""}`;
    return made;
  };

  const drawSeen = () => {
    const first = Math.max(0, Math.floor(tree.scrollTop / ROW) - AROUND);
    const last = Math.min(pages.length, Math.ceil((tree.scrollTop + tree.clientHeight) / ROW) + AROUND);
    space.replaceChildren(...pages.slice(first, last).map((page, at) => row(page, first + at)));
  };

  const build = (host) => {
    tree = host;
    space = element("div", "space");
    tree.replaceChildren(space);
    let asked = false;
    tree.addEventListener("scroll", () => {
      if (asked) return;
      asked = true;
      requestAnimationFrame(() => { asked = false; drawSeen(); });
    });
    new ResizeObserver(() => state && drawSeen()).observe(tree);
  };

  // `listed`: the pages that the filters let through, in order; `mark(page)` tells the mark of a page.
  const show = (listed, now, mark) => {
    [pages, state, markOf] = [listed, now, mark];
    space.style.height = `${pages.length * ROW}px`;
    const at = pages.findIndex((page) => page.number === state.page);
    if (at >= 0) {
      const top = at * ROW;
      if (top < tree.scrollTop) tree.scrollTop = top;
      else if (top + ROW > tree.scrollTop + tree.clientHeight) tree.scrollTop = top + ROW - tree.clientHeight;
    }
    drawSeen();
    if (!pages.length) space.replaceChildren(element("p", "nothing", "No page is like that."));
  };

  return {build, show, chip};
})();
