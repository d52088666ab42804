// The candidates' texts and the page's text layer, raw or rendered, evidence marked.

import { debounced, element, find, notice, put, send, state } from "./base.js";
import { evidence } from "./cards.js";

const LAYER = "text layer";
let last = "";

const keyOf = ({ candidate, repeat }) => JSON.stringify([candidate, repeat]);

export function setUp(draw, marked) {
  find("#candidate").onchange = (event) => { state.candidate = event.target.value; draw(); };
  find("#show-raw").onclick = () => { state.raw = true; draw(); };
  find("#show-rendered").onclick = () => { state.raw = false; draw(); };
  find("#text").addEventListener("mouseup", (event) => {
    const selection = window.getSelection();
    const text = selection.toString().replace(/\s+/g, " ").trim();
    if (text && find("#text").contains(selection.anchorNode)) marked(text, event.clientX, event.clientY);
  });
}

/** Show the next or the previous text. */
export function step(by) {
  const keys = [...find("#candidate").options].map(({ value }) => value);
  const at = keys.indexOf(find("#candidate").value);
  state.candidate = keys[(at + by + keys.length) % keys.length];
}

function options() {
  const { texts } = state.page;
  const many = texts.some(({ repeat }) => repeat !== 1);
  const select = find("#candidate");
  select.replaceChildren(
    ...texts.map((text) => element("option", { value: keyOf(text), textContent: many ? `${text.candidate}, repeat ${text.repeat}` : text.candidate })),
    element("option", { value: LAYER, textContent: "Text layer of the PDF" }));
  const known = [...select.options].some(({ value }) => value === state.candidate);
  select.value = known ? state.candidate : select.options[0].value;
  return select.value;
}

const show = debounced(30, async () => {
  const key = options();
  const text = state.page.texts.find((each) => keyOf(each) === key);
  find("#show-raw").classList.toggle("on", state.raw || !text);
  find("#show-rendered").classList.toggle("on", Boolean(text) && !state.raw);
  find("#text-state").textContent = text && text.state !== "ok" ? text.state : "";
  const place = find("#text");
  if (!text) {
    last = "";
    place.className = "raw";
    place.textContent = state.page.layer || "This page has no text layer.";
    return;
  }
  const asked = { pdf: state.page.pdf, page: state.page.page, candidate: text.candidate, repeat: text.repeat, raw: state.raw, evidence: evidence(text.candidate, text.repeat) };
  const now = JSON.stringify(asked);
  if (now === last) return;
  last = now;
  try {
    const { html } = await send("text", asked);
    if (now !== last) return;
    place.className = state.raw ? "raw" : "rendered";
    put(place, html);
    if (!html.trim()) place.textContent = text.error ? `No text: ${text.error}` : "This output is empty.";
    place.querySelector("mark")?.scrollIntoView({ block: "center" });
  } catch (error) {
    notice(error.message);
  }
});

export function drawText() {
  if (state.page) show();
}
