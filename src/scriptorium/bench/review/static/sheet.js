// The page's picture, its words over it, marking them, and the words of the chosen test.

import { element, find, state } from "./base.js";

const SOFT_HYPHEN = "\u00ad";
let range = null;
let onMarked = () => {};
let onStep = () => {};

/** `marked` is told marked words and where; `step` is told the page that is asked for. */
export function setUp(marked, step) {
  onMarked = marked;
  onStep = step;
  const layer = find("#words");
  layer.addEventListener("pointerdown", start);
  layer.addEventListener("pointermove", extend);
  layer.addEventListener("pointerup", finish);
  layer.addEventListener("pointercancel", clearMarks);
  find("#larger").onclick = () => zoom(state.zoom * 1.25);
  find("#smaller").onclick = () => zoom(state.zoom / 1.25);
  find("#fit").onclick = () => zoom(1);
  find("#sheet .scroll").addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoom(state.zoom * (event.deltaY < 0 ? 1.1 : 1 / 1.1));
  }, { passive: false });
}

export function zoom(factor) {
  state.zoom = Math.min(6, Math.max(0.3, factor));
  find("#paper").style.width = `${100 * state.zoom}%`;
}

export function draw() {
  const { pdf, page, problem, words } = state.page;
  const picture = find("#picture");
  const address = `/picture?${new URLSearchParams({ pdf, page })}`;
  find("#paper").hidden = Boolean(problem);
  find("#missing").hidden = !problem;
  find("#missing").textContent = problem || "";
  if (!problem && picture.getAttribute("src") !== address) {
    picture.src = address;
    picture.alt = `Page ${page} of ${pdf}`;
    find("#sheet .scroll").scrollTop = 0;
  }
  range = null;
  find("#words").replaceChildren(...words.map(([, left, top, right, bottom], index) => {
    const word = element("span", { className: "word", "data-index": index });
    Object.assign(word.style, {
      left: `${100 * left}%`, top: `${100 * top}%`, width: `${100 * (right - left)}%`, height: `${100 * (bottom - top)}%`,
    });
    return word;
  }));
  drawSteps(pdf, page, state.page.pages);
  find("#hint").textContent = problem ? "" : words.length
    ? "Mark words to add a test"
    : "No text layer: mark words in a text, or add a test by hand";
}

/** The pages of a document that has several, also those without a test. */
function drawSteps(pdf, page, pages) {
  const step = (to, sign, label) => element("button", { textContent: sign, "aria-label": label, disabled: to < 1 || to > pages, onclick: () => onStep(pdf, to) });
  find("#steps-in").replaceChildren(...(pages > 1 ? [step(page - 1, "‹", "Page before"), `page ${page} of ${pages}`, step(page + 1, "›", "Page after")] : []));
}

const wordAt = (event) => {
  const found = document.elementsFromPoint(event.clientX, event.clientY).find((each) => each.classList.contains("word"));
  return found ? Number(found.dataset.index) : null;
};

function start(event) {
  const at = wordAt(event);
  clearMarks();
  if (at === null) return;
  event.preventDefault();
  find("#words").setPointerCapture(event.pointerId);
  range = { from: at, to: at };
  paint();
}

function extend(event) {
  const at = range && event.buttons ? wordAt(event) : null;
  if (at === null || at === range.to) return;
  range.to = at;
  paint();
}

function finish(event) {
  if (range) onMarked(markedText(), event.clientX, event.clientY);
}

function paint() {
  const [low, high] = [Math.min(range.from, range.to), Math.max(range.from, range.to)];
  find("#words").childNodes.forEach((word, index) => word.classList.toggle("marked", index >= low && index <= high));
}

export function clearMarks() {
  range = null;
  find("#words").querySelectorAll(".marked").forEach((word) => word.classList.remove("marked"));
}

/** The marked words in a line; a word divided at a line's end becomes one. */
function markedText() {
  const [low, high] = [Math.min(range.from, range.to), Math.max(range.from, range.to)];
  return state.page.words.slice(low, high + 1).map(([text]) => text).join(" ")
    .replaceAll(`${SOFT_HYPHEN} `, "").replaceAll(SOFT_HYPHEN, "-");
}

const bare = (text) => text.normalize("NFKC").toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "");

/** Show where the texts of a test stand on the page: the whole text, else the longest runs of its words that do. */
export function showWords(texts) {
  const page = state.page.words.map(([text]) => bare(text));
  const hits = new Set();
  for (const text of texts) {
    const wanted = text.split(/\s+/).map(bare).filter(Boolean);
    for (const size of [wanted.length, 8, 5, 3, 2, 1].filter((each) => each && each <= wanted.length)) {
      const found = runs(page, size === 1 && wanted.length > 1 ? wanted.filter((word) => word.length > 3) : wanted, size);
      found.forEach((index) => hits.add(index));
      if (found.length) break;
    }
  }
  const nodes = find("#words").childNodes;
  nodes.forEach((word, index) => word.classList.toggle("hit", hits.has(index)));
  const first = Math.min(...hits);
  if (hits.size && hits.size < 400) nodes[first].scrollIntoView({ block: "nearest", inline: "nearest" });
}

function runs(page, wanted, size) {
  const keys = new Set();
  for (let at = 0; at + size <= wanted.length; at += 1) keys.add(wanted.slice(at, at + size).join(" "));
  const found = [];
  for (let at = 0; at + size <= page.length; at += 1) {
    if (keys.has(page.slice(at, at + size).join(" "))) for (let each = at; each < at + size; each += 1) found.push(each);
  }
  return found;
}
