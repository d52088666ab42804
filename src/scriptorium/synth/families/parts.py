"""What the families are composed of: looks, paragraphs, tables, notes, and text that fills a given height."""

import random
from collections.abc import Sequence
from dataclasses import replace

from scriptorium.synth.charts import chart
from scriptorium.synth.document import (
    Block,
    Cell,
    Code,
    Display,
    Figure,
    Footnote,
    Furniture,
    Heading,
    Inline,
    Lines,
    ListBlock,
    Paragraph,
    Span,
    Style,
    Table,
    segments,
)
from scriptorium.synth.expressions import Grammar
from scriptorium.synth.lexicon import LABELS
from scriptorium.synth.typst import HEADING_SIZES
from scriptorium.synth.wordbook import FONTS, Wordbook

PAPERS = ((595.0, 842.0), (595.0, 842.0), (612.0, 792.0))
"""A4 twice as often as US letter."""
FACES = (
    "Libertinus Serif",
    "Libertinus Serif",
    "New Computer Modern",
    "New Computer Modern",
    "DejaVu Sans Mono",
)
COLOURS = ("000000", "000000", "1f3a5f", "7a1f1f", "2d4a2d")
WIDTH_OF_CHARACTER = {"DejaVu Sans Mono": 0.62, "New Computer Modern": 0.455}
"""In text sizes; 0.43 for the other faces, 1 for Japanese. Measured on generated text."""

CAPITALS = 0.67
"""Height of a capital, in text sizes: with the leading it makes the distance between lines."""


class Parts:
    """Draws parts of a page in one language with `rng`."""

    def __init__(self, split: str, rng: random.Random, language: str) -> None:
        self.rng, self.language = rng, language
        self.book, self.maths = Wordbook(language, split, rng), Grammar(rng)
        self.notes: list[Footnote] = []

    def label(self, english: str) -> str:
        """A word such as Figure or Page in the language of the page."""
        return LABELS.get(self.language, {}).get(english, english)

    def style(self, least: float = 9.0, most: float = 11.5, faces: Sequence[str] = FACES[:4]) -> Style:
        """A look: paper, margins, face, size, leading, indents or spaces, colours of headings."""
        rng = self.rng
        width, height = rng.choice(PAPERS)
        side = rng.uniform(46, 78)
        face = ",".join(FONTS[self.language]) if self.language in FONTS else rng.choice(faces)
        return Style(
            width=width,
            height=height,
            margin=tuple(round(v, 1) for v in (rng.uniform(62, 84), side, rng.uniform(58, 80), side)),  # type: ignore[arg-type]
            font=face,
            heading_font=face if rng.random() < 0.7 or self.language in FONTS else rng.choice(FACES[:4]),
            size=round(rng.uniform(least, most), 1),
            leading=round(rng.uniform(0.55, 0.78), 2),
            indent=rng.choice((0.0, 1.2, 1.6)),
            justify=rng.random() < 0.8,
            hyphenate=rng.random() < 0.8,
            heading_colour=rng.choice(COLOURS),
            paper=rng.choice(("ffffff", "ffffff", "ffffff", "fdfbf5", "f7f2e6")),
            head_rule=rng.random() < 0.4,
        )

    def furniture(self, head: float = 0.75, number: float = 0.85) -> tuple[Furniture, ...]:
        """A running head and a page number, each with its share, never on the same place."""
        rng, drawn = self.rng, []
        if rng.random() < head:
            text = (
                self.book.phrase(3, 5)
                if rng.random() < 0.6
                else f"{self.book.serial()} {self.book.phrase(1, 2)}"
            )
            drawn.append(Furniture(text, "head", rng.choice(("left", "center")), italic=rng.random() < 0.5))
        if rng.random() < number:
            figure = str(rng.randint(2, 980))
            form = rng.choice(("{}", "{}", "- {} -", f"{self.label('Page')} {{}}"))
            place, align = rng.choice((("foot", "center"), ("foot", "right"), ("head", "right")))
            drawn.append(Furniture(form.format(figure), place, align, is_number=True))
        return tuple(drawn)

    def heading(self, level: int = 2, numbered: str = "", centred: bool = False) -> Heading:
        """A heading of a few words; `numbered` stands before them."""
        text = self.book.phrase(2, 5)
        return Heading(f"{numbered} {text}".strip(), level, centred)

    def paragraph(
        self, characters: int, maths: float = 0.0, looks: float = 0.15, note: bool = False
    ) -> Paragraph:
        """A paragraph of whole sentences. `maths` and `looks`: the share of sentences with a formula, a bold word."""
        rng, inlines = self.rng, list[Inline]()
        length = 0
        space = "" if self.language == "ja" else " "
        while length < characters or not inlines:
            sentence = self.book.sentence()
            lead = space if inlines else ""
            length += len(sentence) + 1
            kind = rng.random()
            if kind < maths:
                words = sentence[:-1].split(" ")
                cut = rng.randint(1, len(words))
                tail = " ".join(words[cut:])
                inlines += [Span(f"{lead}{' '.join(words[:cut])} "), self.maths.inline()]
                inlines.append(Span(f" {tail}{sentence[-1]}" if tail else sentence[-1]))
                length += 12
            elif kind < maths + looks and " " in sentence:
                words = sentence[:-1].split(" ")
                at = rng.randrange(len(words))
                before, after = " ".join(words[:at]), " ".join(words[at + 1 :])
                inlines.append(Span(f"{lead}{before}{' ' if before else ''}"))
                inlines.append(Span(words[at].strip(","), rng.choice(("bold", "italic"))))
                inlines.append(Span(f"{' ' if after else ''}{after}{sentence[-1]}"))
            else:
                inlines.append(Span(f"{lead}{sentence}"))
        if note:
            marker = str(len(self.notes) + 1)
            self.notes.append(Footnote(marker, (Span(self.book.sentence()),)))
            inlines.append(Span(marker, "sup"))
        return Paragraph(_joined(inlines))

    def cut(self, paragraph: Paragraph) -> Paragraph:
        """The paragraph as it goes on over the page's end: its last sentence stops in the middle."""
        last = paragraph.inlines[-1]
        if not isinstance(last, Span) or last.look != "plain" or last.text.count(" ") < 6:
            return paragraph
        words = last.text.split(" ")
        return replace(
            paragraph, inlines=(*paragraph.inlines[:-1], Span(" ".join(words[: -self.rng.randint(2, 4)])))
        )

    def items(self, ordered: bool | None = None, most: int = 6) -> ListBlock:
        """A list of three or more items."""
        rng = self.rng
        count = rng.randint(3, most)
        choice = rng.random() < 0.5 if ordered is None else ordered
        return ListBlock(tuple((Span(self.book.phrase(3, 8)),) for _ in range(count)), choice)

    def figure(self, width: float, height: float = 0.0) -> Figure:
        """A chart as wide as `width` points allow."""
        wide = round(min(width * 0.92, 330.0))
        tall = round(height or wide * self.rng.uniform(0.42, 0.6))
        svg, alt = chart(self.rng, wide, tall)
        return Figure(svg, wide, tall, alt)

    def caption(self, kind: str) -> Paragraph:
        """A caption below a figure or above a table, numbered at random."""
        text = f" {self.book.sentence()}"
        return Paragraph(
            (Span(f"{self.label(kind)} {self.rng.randint(1, 19)}."), Span(text)), "center", 0.88, after=1.0
        )

    def table(self, rows: int, columns: int, full: bool = False, spans: bool = True) -> Table:
        """A table with a header row or two, a stub column, figures, missing entries; no two figures alike."""
        rng = self.rng
        stub = _distinct(lambda: self.book.phrase(1, 2), rows)
        heads = _distinct(lambda: self.book.phrase(1, 1), columns)
        over = spans and columns >= 5 and rng.random() < 0.5
        body: list[tuple[Cell, ...]] = []
        if over:
            group = _distinct(lambda: self.book.phrase(1, 2), 2 + rows)
            half = 1 + (columns - 1) // 2
            body.append(
                (
                    Cell(heads[0], rows=2, header=True),
                    Cell(group[0], half - 1, header=True),
                    Cell(group[1], columns - half, header=True),
                )
            )
            body.append(tuple(Cell(text, header=True) for text in heads[1:]))
        else:
            body.append(tuple(Cell(text, header=True) for text in heads))
        style = rng.choice(("decimal", "whole", "mixed", "plusminus"))
        figures = _distinct(lambda: self._entry(style), rows * (columns - 1))
        for number, name in enumerate(stub):
            entries = figures[number * (columns - 1) : (number + 1) * (columns - 1)]
            body.append((Cell(name), *(Cell("" if rng.random() < 0.05 else entry) for entry in entries)))
        return Table(
            tuple(body),
            columns,
            rng.choice(("booktabs", "booktabs", "all", "lines", "none")),
            tuple(range(1, columns)),
            rng.random() < 0.25,
            full=full,
        )

    def _entry(self, style: str) -> str:
        rng = self.rng
        kind = rng.choice(("decimal", "whole", "serial")) if style == "mixed" else style
        if kind == "serial":
            return self.book.serial()
        if kind == "plusminus":
            return f"{rng.uniform(0, 99):.1f} ± {rng.uniform(0, 9):.1f}"
        return (
            f"{rng.uniform(0, 999):.{rng.randint(1, 2)}f}"
            if kind == "decimal"
            else str(rng.randint(10, 99_999))
        )

    def flow(
        self,
        style: Style,
        width: float,
        height: float,
        maths: float = 0.0,
        extras: Sequence[str] = (),
        headings: float = 0.25,
        notes: int = 0,
    ) -> list[Block]:
        """Blocks that fill about `height` points of a column `width` wide. `extras`: list, table, figure, display."""
        rng, blocks, used, waiting, misses = self.rng, list[Block](), 0.0, list(extras), 0
        rng.shuffle(waiting)
        while misses < 6:
            drawn: list[Block] = []
            if rng.random() < headings and (not blocks or isinstance(blocks[-1], Paragraph)):
                drawn.append(self.heading(rng.choice((2, 3))))
            least, most = (60, 300) if width < 250 else (120, 620)
            note = len(self.notes) < notes and rng.random() < 0.6
            drawn.append(self.paragraph(rng.randint(least, most // (1 + misses) + least), maths, note=note))
            extra = self._extra(waiting[-1], width) if waiting and rng.random() < 0.7 else []
            cost = sum(height_of(block, width, style) for block in drawn + extra)
            cost += height_of(self.notes[-1], width, style) if note else 0.0
            if used + cost > height:
                misses += 1
                if note:
                    self.notes.pop()
                continue
            waiting = waiting[: len(waiting) - bool(extra)]
            blocks += drawn + extra
            used += cost
        return blocks or [self.paragraph(60)]

    def _extra(self, kind: str, width: float) -> list[Block]:
        if kind == "list":
            return [self.items(most=4 if width < 250 else 6)]
        if kind == "table":
            columns = self.rng.randint(3, 3 if width < 300 else 5)
            return [self.caption("Table"), self.table(self.rng.randint(3, 7), columns)]
        if kind == "figure":
            return [self.figure(width), self.caption("Figure")]
        return [Display(self.maths.display())]


def height_of(block: Block, width: float, style: Style) -> float:
    """About how many points of height a leaf takes in a column `width` points wide."""
    pitch = style.size * (style.leading + CAPITALS)
    per_line = max(8.0, width / (style.size * _wide(style)))
    gap = 0.0 if style.indent else style.size * 0.6
    match block:
        case Heading(text, level):
            size = block.size or HEADING_SIZES[level]
            return (1 + int(len(text) * size * 1.12 / per_line)) * pitch * size + style.size * 1.5
        case Table():
            return len(block.rows) * (style.size * block.size * CAPITALS + 6.6) + style.size * 2
        case Figure():
            return block.height + style.size * 1.8
        case Display():
            return style.size * 3.8
        case Code(text):
            return (text.count("\n") + 1) * style.size * 1.15 + 14 + style.size * 1.3
        case Lines(lines):
            return len(lines) * pitch * block.size + style.size * max(block.after, 1.0)
        case ListBlock(items):
            lengths = [sum(len(each.text) for each in item if isinstance(each, Span)) for item in items]
            drawn = sum(1 + int(length * 1.08 / per_line) for length in lengths)
            return drawn * pitch + len(items) * style.size * max(0.0, 0.7 - style.leading) + style.size * 1.2
    characters = sum(map(len, segments(block)))
    characters += sum(9 for each in getattr(block, "inlines", ()) if not isinstance(each, Span))
    count = 1 + int(characters * getattr(block, "size", 1.0) * 1.03 / per_line)
    boxed = 14 + 2 * style.size if getattr(block, "boxed", False) else 0
    return (
        count * pitch * getattr(block, "size", 1.0) + gap + style.size * getattr(block, "after", 0.0) + boxed
    )


def _wide(style: Style) -> float:
    return 1.0 if "CJK" in style.font else WIDTH_OF_CHARACTER.get(style.font, 0.43)


def _joined(inlines: list[Inline]) -> tuple[Inline, ...]:
    """Plain spans that follow one another become one; empty ones go."""
    joined: list[Inline] = []
    for each in inlines:
        before = joined[-1] if joined else None
        if isinstance(each, Span) and not each.text:
            continue
        if isinstance(each, Span) and isinstance(before, Span) and each.look == before.look == "plain":
            joined[-1] = Span(before.text + each.text)
        else:
            joined.append(each)
    return tuple(joined)


def _distinct(draw, count: int) -> list[str]:  # type: ignore[no-untyped-def]
    """So many drawings, no two alike."""
    found: dict[str, None] = {}
    while len(found) < count:
        found.setdefault(draw())
    return list(found)
