// The differences of two texts, word by word: Myers' shortest edit script with a bound on its length.
"use strict";

PageView.diff = (() => {
  const LONGEST_SCRIPT = 3000; // words; beyond it the rest of the texts counts as different

  const words = (text) => text.match(/\s+|[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu) ?? [];

  // reach[d][i]: how far into `a` an edit script of d words gets on diagonal 2 i - d (x - y).
  const search = (a, b) => {
    const reach = [];
    for (let d = 0; d <= LONGEST_SCRIPT; d++) {
      const before = reach[d - 1];
      const ends = new Int32Array(d + 1);
      reach.push(ends);
      for (let i = 0; i <= d; i++) {
        let x = d === 0 ? 0 : down(before, i, d) ? before[i] : before[i - 1] + 1;
        let y = x - (2 * i - d);
        while (x < a.length && y < b.length && a[x] === b[y]) { x++; y++; }
        ends[i] = x;
        if (x >= a.length && y >= b.length) return {reach, x: a.length, y: b.length, cut: false};
      }
    }
    return {reach, ...furthest(reach, a, b), cut: true};
  };

  // Whether diagonal i of step d is reached by a word of `b` (else by one of `a`).
  const down = (before, i, d) => i === 0 || (i !== d && before[i - 1] < before[i]);

  const furthest = (reach, a, b) => {
    let best = {x: 0, y: 0};
    const d = reach.length - 1;
    reach[d].forEach((x, i) => {
      const y = x - (2 * i - d);
      if (x <= a.length && y <= b.length && x + y > best.x + best.y) best = {x, y};
    });
    return best;
  };

  // For each word of a and of b, whether it is one of those that both texts share.
  const shared = (a, b) => {
    const inA = new Array(a.length).fill(false), inB = new Array(b.length).fill(false);
    let {reach, x, y, cut} = search(a, b);
    for (let d = reach.length - 1; d >= 0; d--) {
      const before = reach[d - 1], i = (x - y + d) / 2;
      const isDown = d > 0 && down(before, i, d);
      const fromX = d === 0 ? 0 : isDown ? before[i] : before[i - 1];
      const fromY = d === 0 ? 0 : isDown ? fromX - (2 * i - d + 1) : fromX - (2 * i - d - 1);
      while (x > fromX && y > fromY) { x--; y--; inA[x] = inB[y] = true; }
      [x, y] = [fromX, fromY];
    }
    return {inA, inB, cut};
  };

  const piece = (tokens, same, className) => {
    const host = document.createElement("div");
    let at = 0;
    while (at < tokens.length) {
      let end = at;
      while (end < tokens.length && same[end] === same[at]) end++;
      const text = tokens.slice(at, end).join("");
      if (same[at]) host.append(text);
      else host.append(PageView.element("span", className, text));
      at = end;
    }
    return host.innerHTML;
  };

  // HTML of both texts (escaped), what only one of them holds marked; the share of words in both, in percent.
  const show = (one, other) => {
    const a = words(one), b = words(other);
    const {inA, inB, cut} = shared(a, b);
    const common = inA.filter(Boolean).length;
    const share = a.length + b.length ? (200 * common) / (a.length + b.length) : 100;
    return {a: piece(a, inA, "only removed"), b: piece(b, inB, "only added"), share, cut};
  };

  return {show};
})();
