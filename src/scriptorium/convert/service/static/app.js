// Sends a document, and shows its pages as they come: each one's picture beside its text.

const find = (selector) => document.querySelector(selector);
const KEY = "scriptorium-service-key";
const WEAK = new Set(["salvaged", "fallback_text"]);
const LOST = new Set(["gave_up", "unreadable", "pending"]);

const state = { file: null, name: "", pages: new Map(), total: 0, mode: "rendered", stop: null, urls: [] };

function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

function notice(text, calm = false) {
  const place = find("#notice");
  place.hidden = !text;
  place.textContent = text;
  place.className = calm ? "calm" : "";
}

const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
const size = (bytes) => bytes < 1 << 20 ? `${Math.ceil(bytes / 1024)} KiB` : `${Number((bytes / (1 << 20)).toFixed(1))} MiB`;

// -- The service

const headers = () => {
  const key = sessionStorage.getItem(KEY);
  return key ? { authorization: `Bearer ${key}` } : {};
};

/** Asks again with the key that the reader gives, if one is wanted. */
async function asked(path, options = {}) {
  const response = await fetch(path, { ...options, headers: { ...options.headers, ...headers() } });
  if (response.status !== 401) return response;
  sessionStorage.removeItem(KEY);
  const dialog = find("#ask-key");
  find("#key").value = "";
  dialog.showModal();
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  if (dialog.returnValue !== "go" || !find("#key").value) throw new Error("This service wants a key.");
  sessionStorage.setItem(KEY, find("#key").value);
  dialog.returnValue = "";
  return asked(path, options);
}

async function refusal(response) {
  try {
    return (await response.json()).error.message;
  } catch {
    return `The service answered ${response.status}.`;
  }
}

/** The events in a response: a line of JSON each; empty lines mean nothing. */
async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) if (line) yield JSON.parse(line);
  }
}

// -- A document on its way

async function read() {
  clear();
  state.name = state.file.name;
  state.stop = new AbortController();
  document.body.className = "busy";
  find("#stop").hidden = false;
  find("#progress").hidden = false;
  progress(`${state.name}: sent, and waiting for its turn`);
  const query = new URLSearchParams({ format: "ndjson", order: "done", html: "true", images: "true", name: state.name });
  if (find("#pages").value.trim()) query.set("pages", find("#pages").value.trim());
  const password = find("#password").value;
  const more = password ? { "x-document-password": encodeURIComponent(password) } : {};
  try {
    await state.file.slice(0, 1).arrayBuffer().catch(() => {
      throw new Error("The file has gone, or has changed since it was chosen; choose it again.");
    });
    const response = await asked(`/v1/convert?${query}`, {
      method: "POST", body: state.file, headers: { "content-type": "application/octet-stream", ...more }, signal: state.stop.signal,
    });
    if (!response.ok) notice(await refusal(response));
    else await show(response);
  } catch (error) {
    if (error.name === "AbortError") notice("Stopped.", true);
    else notice(error instanceof TypeError ? "The service does not answer, or broke off." : error.message);
  } finally {
    settle();
  }
}

async function show(response) {
  let ended = false;
  for await (const event of events(response)) {
    if (event.type === "document") state.total = event.pages;
    if (event.type === "page") add(event);
    if (event.type === "error") notice(`It broke off: ${event.error.message}`);
    ended ||= event.type === "end" || event.type === "error";
    progress();
  }
  if (!ended) notice("The service broke off before the last page.");
}

function progress(text) {
  const failed = [...state.pages.values()].filter((page) => LOST.has(page.status)).length;
  const done = `${state.pages.size} of ${plural(state.total, "page")}${failed ? `, ${failed} without text` : ""}`;
  find("#progress span").textContent = text || `${state.name}: ${done}`;
  const bar = find("#progress progress");
  if (text) bar.removeAttribute("value");
  else bar.value = state.total ? state.pages.size / state.total : 0;
}

function settle() {
  document.body.className = state.pages.size ? "done" : "";
  find("#stop").hidden = true;
  find("#progress").hidden = !state.pages.size;
  if (state.pages.size) progress();
  for (const id of ["mode", "copy", "download"]) find(`#${id}`).hidden = !state.pages.size;
  state.stop = null;
}

function clear() {
  notice("");
  state.pages.clear();
  state.total = 0;
  for (const url of state.urls.splice(0)) URL.revokeObjectURL(url);
  find("#sheets").replaceChildren();
  for (const id of ["mode", "copy", "download"]) find(`#${id}`).hidden = true;
}

// -- A page

function add(page) {
  state.pages.set(page.page, page);
  const sheet = element("article", "sheet");
  sheet.dataset.page = page.page;
  sheet.setAttribute("aria-label", `Page ${page.page}`);
  const head = element("div", "head");
  const kind = LOST.has(page.status) ? "lost" : WEAK.has(page.status) ? "weak" : "";
  head.append(element("h2", "", `Page ${page.page}`), element("span", `status ${kind}`, page.status.replaceAll("_", " ")));
  const facts = [page.tokens ? plural(page.tokens, "token") : "", page.seconds ? `${page.seconds.toFixed(1)} s` : ""];
  if (page.attempts > 1) facts.push(plural(page.attempts, "attempt"));
  if (page.rotation) facts.push(`turned by ${page.rotation}°`);
  head.append(element("span", "facts", facts.filter(Boolean).join(" · ")));
  sheet.append(head);
  if (page.reason) sheet.append(element("p", "why", page.reason));
  sheet.append(picture(page), body(page));
  const later = [...find("#sheets").children].find((each) => Number(each.dataset.page) > page.page);
  find("#sheets").insertBefore(sheet, later || null);
}

function picture(page) {
  const frame = element("div", "image");
  if (!page.image) {
    frame.append(element("p", "nothing", "No picture of this page."));
    return frame;
  }
  const [head, data] = page.image.split(",");
  const bytes = Uint8Array.from(atob(data), (each) => each.charCodeAt(0));
  const url = URL.createObjectURL(new Blob([bytes], { type: head.slice(5, head.indexOf(";")) }));
  state.urls.push(url);
  const image = element("img");
  image.src = url;
  image.alt = `Page ${page.page} of ${state.name}`;
  image.title = "Double-click: larger, or as it was";
  image.addEventListener("dblclick", () => image.classList.toggle("large"));
  frame.append(image);
  delete page.image;
  return frame;
}

function body(page) {
  const made = element("div", "text-body");
  made.tabIndex = 0;
  made.setAttribute("role", "region");
  made.setAttribute("aria-label", `Text of page ${page.page}`);
  draw(made, page);
  return made;
}

function draw(place, page) {
  place.dataset.mode = state.mode;
  if (!page.text) place.replaceChildren(element("p", "nothing", page.status === "blank" ? "A blank page." : "No text."));
  else if (state.mode === "raw") place.textContent = page.text;
  else {
    // Sanitised by the service; the page's policy lets no script of it run, nor anything be loaded.
    place.replaceChildren(...new DOMParser().parseFromString(page.html, "text/html").body.childNodes);
    for (const formula of place.querySelectorAll(".formula")) typeset(formula);
  }
}

function typeset(place) {
  const source = place.textContent.trim();
  const latex = source.replace(/^(\$\$|\\\[|\\\()/, "").replace(/(\$\$|\\\]|\\\))$/, "");
  const display = place.tagName === "DIV" || !source.startsWith("\\(");
  try {
    const drawn = window.katex.renderToString(latex, { output: "mathml", displayMode: display, trust: false, maxSize: 20, maxExpand: 300 });
    place.replaceChildren(...new DOMParser().parseFromString(drawn, "text/html").body.childNodes);
    place.title = source;
  } catch {
    place.classList.add("bad");
  }
}

// -- The whole text, as `scriptorium convert` writes it

function markdown() {
  const pages = [...state.pages.values()].sort((one, other) => one.page - other.page);
  const parts = pages.map((page) => (LOST.has(page.status) ? `<!-- page ${page.page}: ${page.status} -->` : page.text));
  const text = parts.filter(Boolean).join("\n\n");
  return text ? `${text}\n` : "";
}

async function copy() {
  try {
    await navigator.clipboard.writeText(markdown());
    find("#copy").textContent = "Copied";
    setTimeout(() => { find("#copy").textContent = "Copy"; }, 1500);
  } catch {
    notice("The browser does not let this page write to the clipboard; download the text instead.", true);
  }
}

function download() {
  const link = element("a");
  link.href = URL.createObjectURL(new Blob([markdown()], { type: "text/markdown" }));
  link.download = `${state.name.replace(/\.[^.]*$/, "") || "document"}.md`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// -- The reader

function choose(file) {
  if (!file || state.stop) return;
  state.file = file;
  find("#chosen").textContent = file.name;
  find("#bounds").textContent = size(file.size);
  find("#read").disabled = false;
}

find("#file").addEventListener("change", (event) => {
  choose(event.target.files[0]);
  event.target.value = ""; // the same file may be chosen again when it has changed
});
find("#form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (state.file) read();
});
find("#stop").addEventListener("click", () => state.stop?.abort());
find("#copy").addEventListener("click", copy);
find("#download").addEventListener("click", download);
find("#mode").addEventListener("click", (event) => {
  if (!event.target.dataset.mode) return;
  state.mode = event.target.dataset.mode;
  for (const each of find("#mode").children) each.setAttribute("aria-pressed", String(each.dataset.mode === state.mode));
  for (const sheet of find("#sheets").children) draw(sheet.querySelector(".text-body"), state.pages.get(Number(sheet.dataset.page)));
});
for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    find("#drop").classList.add("over");
  });
}
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) find("#drop").classList.remove("over");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  find("#drop").classList.remove("over");
  choose(event.dataTransfer.files[0]);
});

const limits = await asked("/v1/limits").then((response) => response.json()).catch(() => null);
if (limits) {
  find("#model").textContent = limits.models.join(" + ");
  find("#bounds").textContent = `up to ${size(limits.bytes)} and ${plural(limits.pages, "page")}`;
}
