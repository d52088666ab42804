// A page beside its text: shared by the report of a bench and the viewer of a corpus. No dependencies, no network.
//
//   const picture = new PageView.PicturePane(host);   picture.show(url, alt);
//   const text = new PageView.TextPane(host, {onTest: (ids) => ..., dress: (mark) => ...});
//   text.show({raw: html, rendered: html});           // sanitised where it was made
//   text.setMode("raw" | "rendered");  text.select(testId);
//
// Marks are <mark class="..." data-test="ID">; a click tells the ids of all tests marked there, inmost first.
"use strict";

window.PageView = (() => {
  const element = (name, className, text) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };

  const button = (label, title, onClick) => {
    const made = element("button", "tool", label);
    made.type = "button";
    made.title = title;
    made.addEventListener("click", onClick);
    return made;
  };

  class PicturePane {
    static zooms = [["fit", "Fit"], ["wide", "Width"], ["large", "200 %"]];

    constructor(host) {
      this.host = host;
      host.classList.add("picture-pane");
      this.tools = element("div", "pane-tools");
      this.tools.append(element("span", "pane-name", "Page"));
      const group = element("span", "tool-group");
      for (const [zoom, label] of PicturePane.zooms) {
        const tool = button(label, `Zoom: ${label}`, () => this.setZoom(zoom));
        tool.dataset.zoom = zoom;
        group.append(tool);
      }
      this.tools.append(group);
      this.frame = element("div", "picture-frame");
      this.frame.tabIndex = 0;
      this.frame.addEventListener("dblclick", () => this.setZoom(this.zoom === "large" ? "fit" : "large"));
      host.replaceChildren(this.tools, this.frame);
      this.setZoom("fit");
    }

    setZoom(zoom) {
      this.zoom = zoom;
      this.frame.dataset.zoom = zoom;
      for (const tool of this.tools.querySelectorAll("[data-zoom]")) {
        tool.setAttribute("aria-pressed", String(tool.dataset.zoom === zoom));
      }
    }

    show(url, alt) {
      if (!url) {
        this.frame.replaceChildren(element("p", "nothing", alt || "No picture of this page."));
        return;
      }
      const picture = element("img");
      picture.loading = "lazy";
      picture.decoding = "async";
      picture.alt = alt || "";
      picture.src = url;
      this.frame.replaceChildren(picture);
      this.frame.scrollTop = 0;
    }
  }

  class TextPane {
    constructor(host, {name = "Text", mode = "rendered", onTest = () => {}, dress = () => {}} = {}) {
      this.host = host;
      this.dressMark = dress;
      this.mode = mode;
      this.texts = {};
      host.classList.add("text-pane");
      this.tools = element("div", "pane-tools");
      this.name = element("span", "pane-name", name);
      this.note = element("span", "pane-note");
      const group = element("span", "tool-group");
      for (const [each, label] of [["rendered", "Rendered"], ["raw", "Raw"]]) {
        const tool = button(label, `Show the text ${each === "raw" ? "as written" : "as it reads"}`, () => this.setMode(each));
        tool.dataset.mode = each;
        group.append(tool);
      }
      this.tools.append(this.name, this.note, group);
      this.body = element("div", "text-body");
      this.body.tabIndex = 0;
      this.body.addEventListener("click", (event) => {
        const ids = TextPane.testsAt(event.target);
        if (ids.length) onTest(ids);
      });
      this.body.addEventListener("mouseover", (event) => this.#hover(TextPane.testsAt(event.target)));
      this.body.addEventListener("mouseleave", () => this.#hover([]));
      host.replaceChildren(this.tools, this.body);
      this.setMode(mode);
    }

    static testsAt(node) {
      const ids = [];
      for (let mark = node.closest("mark"); mark; mark = mark.parentElement.closest("mark")) {
        if (getComputedStyle(mark).cursor === "pointer") ids.push(mark.dataset.test);
      }
      return ids;
    }

    show(texts, note = "") {
      this.texts = texts;
      this.note.textContent = note;
      this.#draw();
      this.body.scrollTop = 0;
    }

    setMode(mode) {
      this.mode = mode;
      this.#draw();
      this.select(this.selected);
    }

    #draw() {
      for (const tool of this.tools.querySelectorAll("[data-mode]")) {
        tool.setAttribute("aria-pressed", String(tool.dataset.mode === this.mode));
      }
      this.body.dataset.mode = this.mode;
      const html = this.texts[this.mode];
      if (html) this.body.innerHTML = html; // sanitised where it was made; scripts are barred by the page's policy too
      else this.body.replaceChildren(element("p", "nothing", "No text."));
      this.dress();
    }

    // Lets the caller give every mark its class, now and whenever the text is drawn again.
    dress() {
      for (const mark of this.body.querySelectorAll("mark")) this.dressMark(mark);
    }

    marks(id) {
      return [...this.body.querySelectorAll("mark")].filter((mark) => mark.dataset.test === id);
    }

    // Brings out the marks of one test and scrolls to the first; says whether there are any.
    select(id) {
      this.selected = id;
      this.body.classList.toggle("has-selection", false);
      for (const mark of this.body.querySelectorAll("mark.selected")) mark.classList.remove("selected");
      if (id === undefined || id === null) return false;
      const marks = this.marks(id).filter((mark) => getComputedStyle(mark).cursor === "pointer");
      for (const mark of marks) mark.classList.add("selected");
      this.body.classList.toggle("has-selection", marks.length > 0);
      if (marks.length) this.#reveal(marks[0]);
      return marks.length > 0;
    }

    #reveal(mark) {
      const [inner, outer] = [mark.getBoundingClientRect(), this.body.getBoundingClientRect()];
      if (inner.top < outer.top || inner.bottom > outer.bottom) {
        this.body.scrollTop += inner.top - outer.top - outer.height / 3;
      }
    }

    #hover(ids) {
      for (const mark of this.body.querySelectorAll("mark.hovered")) mark.classList.remove("hovered");
      if (ids.length) for (const mark of this.marks(ids[0])) mark.classList.add("hovered");
      this.body.title = ids.length ? `Test ${ids.join(", ")}` : "";
    }
  }

  return {element, button, PicturePane, TextPane};
})();
