"""A synthetic set of the size and make-up of olmOCR-bench, with one candidate that errs as OCR does. Seeded.

The shares are those of the published set (files, pages, tests of each type); texts, tables and formulas are
made up. Pages hold 3 to 4 KB, those with tiny text twice as much.
"""

import json
import random
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

import pypdfium2
from formulas import formula, mutated_formula

Rng = random.Random
Test = dict[str, Any]

CANDIDATE = "tool"


@dataclass(frozen=True)
class Category:
    """A file of tests: pages, and tests of each type (baseline tests are only the explicit ones)."""

    name: str
    pages: int
    tests: dict[str, int]


CATEGORIES = (
    Category("arxiv_math", 522, {"math": 2927}),
    Category("old_scans_math", 36, {"math": 458}),
    Category("table_tests", 188, {"table": 1020, "baseline": 2}),
    Category("old_scans", 98, {"present": 279, "absent": 70, "order": 177}),
    Category("headers_footers", 266, {"absent": 753, "baseline": 7}),
    Category("multi_column", 231, {"order": 884}),
    Category("long_tiny_text", 62, {"present": 442}),
)
"""The published set: 1,403 PDFs, 7,019 tests, and a baseline test for each of the other 1,394 pages."""

SYLLABLES = (
    "ba", "con", "de", "ing", "er", "tion", "al", "re", "ma", "si", "ter", "pro", "lo", "ti", "ver", "an", "ed",
    "ent", "ar", "is", "ous", "le", "no", "ra", "mi", "per", "sta",
)  # fmt: skip
WORDS, FORMULAS, SENTENCE = 1500, 22, 14


@dataclass
class Page:
    """A page as it is and as the candidate reads it, block by block."""

    sentences: list[str] = field(default_factory=list)
    formulas: list[str] = field(default_factory=list)
    tables: list[list[list[str]]] = field(default_factory=list)
    header: str = ""
    footer: str = ""
    blocks: list[str] = field(default_factory=list)


def vocabulary(rng: Rng) -> tuple[list[str], list[float]]:
    """Words with weights that fall as in a language (the r-th as 1/r)."""
    words = ["".join(rng.choices(SYLLABLES, k=rng.choice((1, 2, 2, 3, 4)))) for _ in range(WORDS)]
    return words, list(accumulate(1 / rank for rank in range(1, WORDS + 1)))


class Writer:
    """Writes pages with one generator of random numbers."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self._words, self._weights = vocabulary(self.rng)

    def words(self, count: int) -> str:
        """So many words."""
        return " ".join(self.rng.choices(self._words, cum_weights=self._weights, k=count))

    def sentence(self) -> str:
        """A sentence, now and then with a number, a quotation or a dash in it."""
        text = self.words(self.rng.randrange(6, 2 * SENTENCE)).capitalize()
        extra = self.rng.choice(
            ("", "", "", f" in {self.rng.randrange(1800, 2025)}", " \u2014 \u201cso\u201d", " (12.5%)")
        )
        return f"{text}{extra}."

    def page(self, category: str, formulas: int = FORMULAS) -> Page:
        """A page of a category; `formulas`: how many, where the category has them."""
        page = Page(header=self.words(4).title(), footer=f"{self.words(3)} {self.rng.randrange(400)}")
        long = category == "long_tiny_text"
        for _ in range(self.rng.randrange(8, 12) if long else self.rng.randrange(3, 5)):
            sentences = [self.sentence() for _ in range(self.rng.randrange(4, 8))]
            page.sentences += sentences
            page.blocks.append(" ".join(sentences))
        if "math" in category:
            self._put_formulas(page, formulas)
        if category == "table_tests":
            self._put_tables(page)
        page.blocks.insert(0, f"# {self.words(5).title()}")
        return page

    def mixed_page(self) -> Page:
        """A page of text with some formulas and a table."""
        page = self.page("arxiv_math", formulas=10)
        del page.blocks[-2:]
        self._put_tables(page)
        return page

    def _put_formulas(self, page: Page, count: int) -> None:
        for _ in range(count):
            page.formulas.append(formula(self.rng, self.rng.choice((0, 0, 1, 1, 1, 2))))
        inline, display = page.formulas[: count // 2], page.formulas[count // 2 :]
        for each in inline:
            place = self.rng.randrange(len(page.blocks))
            page.blocks[place] += f" {self.words(4)} ${each}$ {self.words(5)}."
        for each in display:
            page.blocks.insert(self.rng.randrange(1, len(page.blocks) + 1), f"$$\n{each}\n$$")

    def _put_tables(self, page: Page) -> None:
        for _ in range(self.rng.choice((1, 1, 2))):
            width = self.rng.randrange(3, 8)
            rows = [["", *(self.words(2) for _ in range(width))]]
            for _ in range(self.rng.randrange(4, 14)):
                rows.append([self.words(2), *(f"{self.rng.uniform(0, 999):.1f}" for _ in range(width))])
            page.tables.append(rows)
            page.blocks.insert(self.rng.randrange(1, len(page.blocks) + 1), f"\x00{len(page.tables) - 1}")

    def read(self, page: Page) -> str:
        """The page as the candidate gives it: wrong letters, misread formulas, a header kept now and then."""
        parts = [self._read_block(page, block) for block in page.blocks]
        if self.rng.random() < 0.1:
            parts.insert(0, page.header)
        if self.rng.random() < 0.1:
            parts.append(page.footer)
        if self.rng.random() < 0.1:
            self.rng.shuffle(parts)
        return "\n\n".join(parts) + "\n"

    def _read_block(self, page: Page, block: str) -> str:
        if block.startswith("\x00"):
            return self._read_table(page.tables[int(block[1:])])
        if block.startswith("$$"):
            return f"$$\n{self._read_formula(block[3:-3])}\n$$"
        parts = block.split("$")
        parts[0::2] = [self._read_words(part) for part in parts[0::2]]
        parts[1::2] = [self._read_formula(part) for part in parts[1::2]]
        return "$".join(parts)

    def _read_formula(self, text: str) -> str:
        return mutated_formula(self.rng, text) if self.rng.random() < 0.25 else text

    def _read_words(self, text: str) -> str:
        letters = list(text)
        for _ in range(round(len(letters) * 0.004)):
            letters[self.rng.randrange(len(letters))] = self.rng.choice("aeilnort,. ")
        return "".join(letters)

    def _read_table(self, rows: list[list[str]]) -> str:
        rows = [
            [self._read_words(cell) if self.rng.random() < 0.05 else cell for cell in row] for row in rows
        ]
        if self.rng.random() < 0.3:
            lines = ["| " + " | ".join(row) + " |" for row in rows]
            return "\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]])
        html = ["".join(f"<th>{cell}</th>" for cell in rows[0])]
        html += ["".join(f"<td>{cell}</td>" for cell in row) for row in rows[1:]]
        return "<table>" + "\n".join(f"<tr>{row}</tr>" for row in html) + "</table>"

    def test(self, kind: str, page: Page) -> Test:
        """A test of a type about a page, true of it."""
        rng = self.rng
        if kind == "math":
            return {"type": kind, "math": rng.choice(page.formulas)}
        if kind == "table":
            return self._table_test(rng.choice(page.tables))
        if kind == "order":
            first, second = sorted(rng.sample(range(len(page.sentences)), 2))
            return {
                "type": kind,
                "before": page.sentences[first],
                "after": page.sentences[second],
                "max_diffs": 3,
            }
        if kind == "absent":
            text = rng.choice((page.header, page.footer))
            return {"type": kind, "text": text, "case_sensitive": False, "first_n": 200, "last_n": 200}
        if kind == "present":
            return {"type": kind, "text": rng.choice(page.sentences), "max_diffs": rng.choice((0, 1, 2, 3))}
        return {"type": kind}

    def _table_test(self, rows: list[list[str]]) -> Test:
        row, column = self.rng.randrange(1, len(rows)), self.rng.randrange(1, len(rows[0]))
        test: Test = {"type": "table", "cell": rows[row][column]}
        near = {"up": rows[row - 1][column], "left": rows[row][column - 1]}
        near |= {"top_heading": rows[0][column], "left_heading": rows[row][0]}
        for side in self.rng.sample(sorted(near), self.rng.choice((1, 1, 2))):
            test[side] = near[side]
        return test


def make(folder: Path, seed: int = 0, formulas: bool = True) -> dict[str, int]:
    """Write the set below `folder`; returns how many tests of each type. `formulas`: with those about math."""
    writer = Writer(seed)
    pdf = pypdfium2.PdfDocument.new()
    pdf.new_page(612, 792)
    counts: dict[str, int] = {}
    for category in CATEGORIES:
        if not formulas and "math" in category.tests:
            continue
        (folder / "pdfs" / category.name).mkdir(parents=True)
        (folder / CANDIDATE / category.name).mkdir(parents=True)
        pages = [writer.page(category.name) for _ in range(category.pages)]
        lines = []
        kinds = [kind for kind, count in category.tests.items() for _ in range(count)]
        for number, kind in enumerate(kinds):
            counts[kind] = counts.get(kind, 0) + 1
            place = number % len(pages)
            test = writer.test(kind, pages[place])
            where = {
                "pdf": f"{category.name}/p{place:04}.pdf",
                "page": 1,
                "id": f"{category.name}_{number:04}",
            }
            lines.append(json.dumps({**where, **test}, ensure_ascii=False))
        (folder / f"{category.name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        for number, page in enumerate(pages):
            stem = f"{category.name}/p{number:04}"
            pdf.save(folder / "pdfs" / f"{stem}.pdf")
            (folder / CANDIDATE / f"{stem}_pg1_repeat1.md").write_text(writer.read(page), encoding="utf-8")
    return counts
