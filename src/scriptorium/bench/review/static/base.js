// What all parts share: the state, requests to the server, small pieces of the page.

export const state = {
  bench: null, page: null, verdicts: new Map(), selected: null, draft: null,
  candidate: "", raw: false, zoom: 1, filters: { category: "", type: "", state: "" },
};

/** An error that the server explained; `field` names the field of a test it is about. */
export class Refused extends Error {
  constructor(status, answer) {
    super(answer.problem || `the server answered ${status}`);
    this.status = status;
    this.field = answer.field || null;
  }
}

async function answer(response) {
  const text = await response.text();
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    value = { problem: text };
  }
  if (!response.ok) throw new Refused(response.status, value);
  return value;
}

async function request(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Refused(0, { problem: "the review server does not answer; is it still running?" });
  }
  return answer(response);
}

export const ask = (path, query = {}) => request(`/api/${path}?${new URLSearchParams(query)}`);

export const send = (path, body) => request(`/api/${path}`, {
  method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
});

/** A change in the name of whoever sits here. */
export const change = (path, body) => send(path, { ...body, who: who() });

const NAME = "scriptorium-review-name";

/** Who sits here: as said in this tab, else on the command line, else in an earlier review (a cookie, as ports change). */
export function who() {
  const [, kept] = document.cookie.match(`(?:^|; )${NAME}=([^;]*)`) || [];
  return sessionStorage.getItem(NAME) || state.bench?.name || decodeURIComponent(kept || "");
}

export function keepName(name) {
  sessionStorage.setItem(NAME, name);
  document.cookie = `${NAME}=${encodeURIComponent(name)}; Path=/; Max-Age=31536000; SameSite=Strict`;
}

export const find = (selector) => document.querySelector(selector);

/** An element with properties and children; texts become text, never HTML. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("data-") || name.startsWith("aria-") || name === "role" || name === "for") made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** Sanitised HTML of the server, put in without its being able to run anything (the page's policy forbids it). */
export function put(target, html) {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  target.replaceChildren(...parsed.body.childNodes);
}

export function notice(text, kind = "bad", actions = []) {
  const place = find("#notice");
  place.hidden = !text;
  place.className = kind;
  place.replaceChildren(text, ...actions, element("button", { className: "plain", textContent: "Dismiss", onclick: () => notice("") }));
}

export function debounced(milliseconds, act) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => act(...given), milliseconds);
  };
}

export const plain = (name) => name.replaceAll("_", " ");

/** A colour for a type of test: its place in the list of types turns the wheel. */
export function coloured(made, type) {
  const index = Object.keys(state.bench.forms).indexOf(type);
  made.style.setProperty("--hue", index < 0 ? 0 : (215 + index * 67) % 360);
  return made;
}

export const matches = (category, type, checked) =>
  (!state.filters.category || state.filters.category === category)
  && (!state.filters.type || state.filters.type === type)
  && (!state.filters.state || state.filters.state === checked);

export const nameOf = (item) => `${item.category}/${item.digest}`;

export const shownTests = () => (state.page?.tests || []).filter(
  (item) => matches(item.category, item.test?.type || "", item.test ? item.state : "broken"),
);

export const selectedTest = () => (state.page?.tests || []).find((item) => nameOf(item) === state.selected) || null;
