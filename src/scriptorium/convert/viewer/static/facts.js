// What is known of a page besides its text: a line, and all the rest below it; and the form that corrects a page.
"use strict";

Viewer.facts = (() => {
  const {element} = PageView;

  const table = (title, pairs) => {
    const host = element("div", "fact-table");
    host.append(element("h3", "", title));
    const list = element("dl");
    for (const [name, value] of pairs) list.append(element("dt", "", name), element("dd", "", value));
    host.append(list);
    return host;
  };

  const doubts = (reasons) => {
    const host = element("div", "fact-table");
    const list = element("ul");
    list.append(...reasons.map((reason) => element("li", "", reason)));
    host.append(element("h3", "", "What lowers the score"), list);
    return host;
  };

  const line = (run, data, name) => {
    const host = element("span", "fact-line");
    if (name) host.append(element("strong", "", name));
    host.append(Viewer.list.chip(run));
    if (!run) return host;
    const front = data.front ?? {};
    const said = [
      run.language, run.attempts > 1 ? `${run.attempts} attempts` : "", run.score === null ? "" : `score ${run.score.toFixed(2)}`,
      data.rotation ? `turned ${data.rotation}°` : "", front.is_table ? "table" : "", front.is_diagram ? "diagram" : "",
    ].filter(Boolean).join(" · ");
    host.append(element("span", "soft", said));
    if (data.reason) host.append(element("span", "reason", data.reason));
    return host;
  };

  // `shown`: for each run that is on the screen its name, its row of the index and its data.
  const show = (host, shown, open) => {
    const all = element("details");
    all.open = open;
    const head = element("summary");
    head.append(...shown.map(({name, run, data}) => line(run, data, shown.length > 1 ? name : "")));
    const body = element("div", "fact-body");
    for (const {name, run, data} of shown) {
      if (!run) continue;
      const column = element("div", "fact-column");
      if (shown.length > 1) column.append(element("h2", "", name));
      if (data.doubts.length) column.append(doubts(data.doubts));
      if (data.signals.length) column.append(table("Signals", data.signals));
      const front = Object.entries(data.front ?? {}).map(([key, value]) => [key.replaceAll("_", " "), String(value)]);
      column.append(table("Reading", [...data.facts, ...front]));
      body.append(column);
    }
    all.append(head, body);
    host.replaceChildren(all);
    return all;
  };

  const field = (name, label, input) => {
    const host = element("label", "field", `${label} `);
    input.name = name;
    host.append(input);
    return host;
  };

  const check = (name, label, on) => {
    const box = element("input");
    box.type = "checkbox";
    box.checked = Boolean(on);
    return field(name, label, box);
  };

  // A form with the text and the front matter; `save(text, front)` gets what was typed, `leave()` nothing.
  const editor = (text, front, {save, leave}) => {
    const form = element("form", "editor");
    const language = element("input");
    Object.assign(language, {value: front?.primary_language ?? "", size: 4, maxLength: 2, pattern: "[a-z]{2}", placeholder: "en"});
    language.title = "Two small letters; empty for a page without text";
    const area = element("textarea");
    area.name = "text";
    area.value = text;
    area.spellcheck = false;
    area.setAttribute("aria-label", "Text of the page, Markdown");
    const heads = element("div", "editor-heads");
    heads.append(
      field("primary_language", "Language", language), check("is_table", "Mostly a table", front?.is_table),
      check("is_diagram", "Mostly a picture", front?.is_diagram),
    );
    const acts = element("div", "editor-acts");
    const keep = element("button", "plain strong", "Save");
    keep.type = "submit";
    const cancel = PageView.button("Leave", "Leave the text as it was (Esc)", leave);
    cancel.className = "plain";
    const said = element("span", "editor-said");
    said.setAttribute("role", "alert");
    acts.append(said, cancel, keep);
    form.append(heads, area, acts);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (area.value.trim() && !language.value) {
        said.textContent = "Say the language of the text.";
        language.focus();
        return;
      }
      save(area.value.trim(), {
        primary_language: language.value || null, is_rotation_valid: true, rotation_correction: 0,
        is_table: form.elements.is_table.checked, is_diagram: form.elements.is_diagram.checked,
      });
    });
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { event.preventDefault(); leave(); }
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); form.requestSubmit(); }
    });
    return form;
  };

  return {show, editor};
})();
