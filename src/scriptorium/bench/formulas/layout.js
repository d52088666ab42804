// Lays out KaTeX's own tree, without a browser: the MathML of a formula and a box for each piece of its text.
// Lengths in the tree are em; boxes are px at 24 px type, which KaTeX enlarges by 1.21. Needs `katex` (0.16).
"use strict";

const SIZES = [0, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.2, 1.44, 1.728, 2.074, 2.488]; // KaTeX's classes size1 to size11
const PX = 24 * 1.21;
const ASCENT = 0.891; // of a Times-like face, which browsers fall back to where KaTeX's fonts are missing
const DESCENT = 0.216;
const LINE_HEIGHT = 1.2;
const NULL_DELIMITER = 0.12;
const LINE_ASCENT = 0.9; // of a line that holds nothing tall
const LINE_DESCENT = 0.3;
const CENTRED = ["mfrac", "op-limits", "accent", "col-align-c", "munder", "mover", "x-arrow", "stackrel"];

// KaTeX joins neighbouring characters to one symbol and leaves it the first one's width: here widths add up.
(function () {
  let read = null;
  Object.defineProperty(katex.__domTree.SymbolNode.prototype, "text", {
    get() {
      read = this;
      return this.characters;
    },
    set(text) {
      const joins = read && read !== this && this.characters && text === this.characters + read.characters;
      if (joins) this.width += read.width;
      this.characters = text;
    },
  });
})();

const em = (length) => (length !== undefined && /em$/.test(length) ? parseFloat(length) : 0);
const classes = (node) => node.classes || [];
const has = (node, name) => classes(node).includes(name);

function fontSize(node, size) {
  if (!has(node, "sizing") && !has(node, "fontsize-ensurer")) return size;
  let from = 0, to = 0;
  for (const name of classes(node)) {
    const reset = /^reset-size(\d+)$/.exec(name), set = /^size(\d+)$/.exec(name);
    if (reset) from = +reset[1];
    if (set) to = +set[1];
  }
  return from && to ? size * SIZES[to] / SIZES[from] : size;
}

// Writes the boxes of `node`, whose left end and baseline are at (x, y), to `out`; returns its advance width.
// `align` says how the parts of a vertical list that is a child of this node are set.
function lay(node, outer, out, x, y, align) {
  if (!node || has(node, "strut") || has(node, "pstrut")) return 0;
  const size = fontSize(node, outer), style = node.style || {};
  const before = (em(style.marginLeft) + em(style.paddingLeft)) * size;
  const left = x + before;
  let base = y + em(style.top) * size - em(style.verticalAlign) * size;
  if (style.position === "relative") base -= em(style.bottom) * size;
  const shift = has(node, "accent-body") ? em(style.left) * size : 0;
  const width = advance(node, size, style, out, left + shift, base, align);
  if (has(node, "accent-body") && !has(node, "accent-full")) return 0;
  return before + width + em(style.marginRight) * size;
}

function advance(node, size, style, out, x, y, align) {
  if (node.text !== undefined && node.children === undefined && node.pathName === undefined) {
    const width = (node.width || 0) * size;
    if (/\S/.test(node.text)) out.push({ text: node.text, x, y, width, size });
    if (has(node, "rlap") || has(node, "llap")) return 0;
    return width + (node.italic > 0 ? node.italic * size : 0);
  }
  if (has(node, "vlist-t")) return stack(node, size, out, x, y, align);
  if (has(node, "nulldelimiter")) return NULL_DELIMITER * size;
  return node.children && !has(node, "vlist-s") ? row(node, size, style, out, x, y) : 0;
}

// A symbol that stands in the page as bare text, without an element of its own.
function isBare(node) {
  const plain = node.text !== undefined && node.children === undefined && !(node.italic > 0);
  return plain && !classes(node).length && !Object.keys(node.style || {}).length;
}

function row(node, size, style, out, x, y) {
  const first = out.length;
  const align = CENTRED.some((name) => has(node, name)) ? "centre" : has(node, "col-align-r") ? "right" : "left";
  // Only an element that holds nothing but text is seen, as one piece: bare text beside elements is not.
  const bare = node.children.filter(isBare);
  const unseen = [];
  let at = x;
  for (const child of node.children) {
    at += lay(child, size, isBare(child) ? unseen : out, at, y, align);
  }
  let width = at - x;
  const text = bare.map((child) => child.text).join("");
  if (bare.length === node.children.length && /\S/.test(text)) out.push({ text, x, y, width, size });
  if (/em$/.test(style.width || "")) width = em(style.width) * size;
  if (/em$/.test(style.minWidth || "")) width = Math.max(width, em(style.minWidth) * size);
  const shift = has(node, "llap") ? -width : has(node, "clap") ? -width / 2 : 0;
  for (let i = first; shift && i < out.length; i++) out[i].x += shift;
  return has(node, "llap") || has(node, "rlap") || has(node, "clap") ? 0 : width;
}

function stack(node, size, out, x, y, align) {
  const parts = [];
  let widest = 0;
  for (const child of node.children[0].children[0].children || []) {
    const own = fontSize(child, size), style = child.style || {}, boxes = [];
    let strut = 0, width = 0;
    for (const piece of child.children || []) {
      if (has(piece, "pstrut")) strut = em((piece.style || {}).height) * own;
      else {
        const first = boxes.length;
        width += lay(piece, own, boxes, width, 0, "left");
        // A symbol that is itself a block has the height of a line.
        if (piece.text !== undefined && piece.children === undefined && boxes[first]) boxes[first].isBlock = true;
      }
    }
    const before = em(style.marginLeft) * own, after = em(style.marginRight) * own;
    parts.push({ boxes, width, before, after, down: em(style.top) * own + strut });
    widest = Math.max(widest, width + before + after);
  }
  for (const part of parts) {
    const room = widest - part.before - part.after - part.width;
    const indent = part.before + (align === "centre" ? room / 2 : align === "right" ? room : 0);
    for (const box of part.boxes) {
      box.x += x + indent;
      box.y += y + part.down;
      out.push(box);
    }
  }
  return widest;
}

function find(node, name) {
  if (has(node, name)) return node;
  for (const child of node.children || []) {
    const found = find(child, name);
    if (found) return found;
  }
  return null;
}

// The lines of a formula are centred; its number, if it has one, ends where the widest line does.
function symbols(html) {
  const lines = [{ boxes: [], width: 0, up: LINE_ASCENT, down: LINE_DESCENT }];
  const tags = [];
  for (const base of html.children) {
    const line = lines[lines.length - 1];
    if (has(base, "newline")) lines.push({ boxes: [], width: 0, up: LINE_ASCENT, down: LINE_DESCENT });
    else if (has(base, "tag") || has(base, "eqn-num")) tags.push(base);
    else {
      line.width += lay(base, 1, line.boxes, line.width, 0, "left");
      line.up = Math.max(line.up, base.height || 0);
      line.down = Math.max(line.down, base.depth || 0);
    }
  }
  const widest = Math.max(...lines.map((line) => line.width));
  const out = [];
  let y = -lines[0].up;
  for (const line of lines) {
    y += line.up;
    for (const box of line.boxes) {
      out.push(Object.assign(box, { x: box.x + (widest - line.width) / 2, y: box.y + y }));
    }
    y += line.down;
  }
  for (const tag of tags) {
    const boxes = [], width = lay(tag, 1, boxes, 0, 0, "left");
    for (const box of boxes) out.push(Object.assign(box, { x: box.x + widest - width }));
  }
  return out;
}

const thousandths = (pixels) => Math.round(pixels * 1000);

// The left, top, width and height in px of a box; ascent and descent are whole px, as in browsers.
function edges(box) {
  const up = Math.round(ASCENT * box.size * PX), down = Math.round(DESCENT * box.size * PX);
  const height = box.isBlock ? LINE_HEIGHT * box.size * PX : up + down;
  return [box.x * PX, box.y * PX - up - Math.floor((height - up - down) / 2), box.width * PX, height];
}

// The MathML within <semantics> of a tree that holds it.
function mathmlOf(tree) {
  const markup = tree.toMarkup();
  const start = markup.indexOf("<semantics>") + 11;
  return markup.slice(start, markup.indexOf("<annotation", start));
}

function tree(formula, output) {
  return katex.__renderToDomTree(formula, { displayMode: true, throwOnError: true, output });
}

function readOne(formula) {
  try {
    return { m: mathmlOf(tree(formula, "mathml")) };
  } catch (error) {
    return { e: String(error.message || error) };
  }
}

function layOutOne(formula) {
  try {
    const both = tree(formula, "htmlAndMathml");
    const flat = [];
    for (const box of symbols(find(both, "katex-html"))) {
      flat.push(box.text.trim(), ...edges(box).map(thousandths));
    }
    return { m: mathmlOf(find(both, "katex-mathml")), s: flat };
  } catch (error) {
    // What only the layout refuses has MathML all the same, as it has where no layout is asked for.
    return { ...readOne(formula), e: String(error.message || error) };
  }
}

// Each formula as a line of JSON: {"m": MathML within <semantics>, "s": [text, x, y, width, height, ...]} with
// boxes in thousandths of a px, or with "e", KaTeX's message, in place of "s" (and of "m" where there is none).
// Without `layout` there is no "s", and it takes a quarter of the time.
function renderAll(formulas, layout) {
  return formulas.map((formula) => JSON.stringify((layout ? layOutOne : readOne)(formula))).join("\n");
}
