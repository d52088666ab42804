// In the page: sets the formulas, makes each sheet fit, and says where its blocks lie and what is wrong with it.
(smallest) => {
  const texts = (sheet) => {
    const walker = document.createTreeWalker(sheet, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) {
      const node = walker.currentNode;
      if (!node.data.trim() || node.parentElement.closest(".katex-mathml, .line-number")) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const owner = node.parentElement.closest("[data-b], [data-t]");
      const math = !!node.parentElement.closest(".katex");
      for (const box of range.getClientRects()) {
        if (box.width > 0.5) found.push({ owner, math, text: node.data.trim(), box });
      }
    }
    return found;
  };
  const outside = (box, frame) =>
    box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1;
  const clipped = (sheet) => {
    const body = sheet.querySelector(".body").getBoundingClientRect();
    const frame = sheet.getBoundingClientRect();
    for (const each of texts(sheet)) {
      // KaTeX's spans are taller than the ink in them.
      const slack = each.math ? each.box.height / 2 : each.box.height / 4;
      const room = each.owner && each.owner.hasAttribute("data-b") ? body : frame;
      const ink = { left: each.box.left, right: each.box.right, top: each.box.top + slack, bottom: each.box.bottom - slack };
      if (outside(ink, room)) return each.text.slice(0, 40);
    }
    for (const picture of sheet.querySelectorAll("img")) {
      if (outside(picture.getBoundingClientRect(), body)) return "a figure";
    }
    return "";
  };
  const covered = (sheet) => {
    const found = texts(sheet).filter((each) => !each.math);
    found.sort((a, b) => a.box.top - b.box.top);
    for (let i = 0; i < found.length; i++) {
      const a = found[i];
      for (let j = i + 1; j < found.length && found[j].box.top < a.box.bottom; j++) {
        const b = found[j];
        const high = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
        const wide = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
        if (a.owner !== b.owner && wide > 1 && high > 0.4 * Math.min(a.box.height, b.box.height)) {
          return `${a.text.slice(0, 30)} / ${b.text.slice(0, 30)}`;
        }
      }
    }
    return "";
  };
  const numberLines = (sheet) => {
    const frame = sheet.getBoundingClientRect();
    const left = sheet.querySelector(".body").getBoundingClientRect().left - frame.left;
    const tops = [];
    for (const each of texts(sheet)) {
      if (!each.owner || each.owner.localName !== "p" || each.math) continue;
      const middle = (each.box.top + each.box.bottom) / 2 - frame.top;
      if (!tops.some((top) => Math.abs(top - middle) < 4)) tops.push(middle);
    }
    tops.sort((a, b) => a - b).forEach((middle, index) => {
      const mark = document.createElement("span");
      mark.className = "line-number";
      mark.textContent = index + 1;
      mark.style.cssText = `left:0;width:${left - 8}px;top:calc(${middle}px - .5em)`;
      sheet.append(mark);
    });
  };
  const boxes = (sheet) => {
    const frame = sheet.getBoundingClientRect();
    const share = (value, size) => Math.round((value / size) * 1e5) / 1e5;
    return [...sheet.querySelectorAll("[data-b]")].map((block) =>
      [...block.getClientRects()].map((box) => [
        share(box.left - frame.left, frame.width), share(box.top - frame.top, frame.height),
        share(box.right - frame.left, frame.width), share(box.bottom - frame.top, frame.height),
      ]));
  };
  return [...document.querySelectorAll(".sheet")].map((sheet) => {
    for (const place of sheet.querySelectorAll(".math")) {
      const latex = place.textContent;
      try {
        katex.render(latex, place, { displayMode: place.classList.contains("display"), output: "html" });
      } catch (error) {
        return { scale: 1, boxes: [], fault: `formula refused: ${latex}` };
      }
    }
    const size = parseFloat(sheet.style.fontSize);
    let scale = 1;
    let cut = clipped(sheet);
    while (cut && scale > smallest + 0.01) {
      scale = Math.round((scale - 0.04) * 100) / 100;
      sheet.style.fontSize = `${size * scale}pt`;
      cut = clipped(sheet);
    }
    if (cut) return { scale, boxes: [], fault: `clipped: ${cut}` };
    const over = covered(sheet);
    if (over) return { scale, boxes: [], fault: `covered: ${over}` };
    if (sheet.hasAttribute("data-numbers")) numberLines(sheet);
    return { scale, boxes: boxes(sheet), fault: "" };
  });
}
