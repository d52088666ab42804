"""Pages of running text: articles, books, journals, newspapers, mathematics from old books."""

import random
from dataclasses import replace

from scriptorium.synth.document import (
    Block,
    Columns,
    Gap,
    Heading,
    Line,
    Lines,
    Paragraph,
    Sheet,
    Span,
    Style,
)
from scriptorium.synth.families.parts import Parts, height_of


def inner(style: Style) -> tuple[float, float]:
    """Width and height of the text area, in points."""
    top, right, bottom, left = style.margin
    return style.width - left - right, style.height - top - bottom


def _notes(parts: Parts, style: Style) -> tuple[list[Block], float]:
    """The footnotes so far, at the foot of the page, and the height they take."""
    if not parts.notes:
        return [], 0.0
    blocks: list[Block] = [Line(), *parts.notes]
    return blocks, sum(height_of(note, inner(style)[0], style) for note in parts.notes) + 24


def _front(parts: Parts, style: Style) -> list[Block]:
    """A title, its authors, an abstract."""
    rng, book = parts.rng, parts.book
    names = ", ".join(book.name() for _ in range(rng.randint(1, 3)))
    blocks: list[Block] = [
        Heading(book.phrase(4, 8), 1, centred=True),
        Lines((names, book.address()[1]), "center", after=1.2),
    ]
    if rng.random() < 0.7:
        blocks.append(Heading(parts.label("Abstract"), 3, centred=True))
        blocks.append(replace(parts.paragraph(rng.randint(250, 480)), size=0.92, after=1.4))
    return blocks


def article(split: str, rng: random.Random, language: str) -> Sheet:
    """A page of a scientific article in one to three columns, with formulas, a table or a figure, notes."""
    parts = Parts(split, rng, language)
    count = rng.choice((1, 1, 2, 2, 3))
    style = parts.style(8.6, 10.2) if count > 1 else parts.style(9.6, 11.4)
    width, height = inner(style)
    front = _front(parts, style) if rng.random() < 0.5 else []
    used = sum(height_of(block, width, style) for block in front)
    column = (width - 16 * (count - 1)) / count
    extras = rng.sample(("display", "display", "display", "table", "figure", "list"), rng.randint(2, 4))
    share = rng.uniform(0.84, 0.98) if rng.random() < 0.75 else rng.uniform(0.5, 0.8)
    room = (height - used) * count * share - 20 - 30 * (count - 1)
    flow = parts.flow(style, column, room, 0.22, extras, 0.3, notes=2 if count == 1 else 0)
    notes, _ = _notes(parts, style)
    body: list[Block] = [Columns(count, tuple(flow))] if count > 1 else flow
    blocks = [*front, *body, *([Gap()] if notes else []), *notes]
    category = "multi_column" if count > 1 else "arxiv_math"
    return Sheet("article", category, tuple(blocks), parts.furniture(), style, language)


def book(split: str, rng: random.Random, language: str) -> Sheet:
    """A page of a book: long paragraphs, a chapter's head now and then, the last sentence goes on overleaf."""
    parts = Parts(split, rng, language)
    style = replace(parts.style(10.4, 12), indent=1.5, justify=True, head_rule=False)
    style = replace(style, width=rng.choice((420.0, 460.0)), height=rng.choice((620.0, 660.0)))
    width, height = inner(style)
    chapter: list[Block] = []
    if rng.random() < 0.35:
        chapter = [
            Gap(40),
            Heading(f"{parts.label('Chapter')} {rng.randint(2, 39)}", 2, True),
            Heading(parts.book.phrase(2, 5), 1, True),
            Gap(14),
        ]
    used = sum(height_of(block, width, style) for block in chapter if isinstance(block, Heading)) + 54 * bool(
        chapter
    )
    flow = parts.flow(style, width, (height - used) * rng.uniform(0.9, 0.99) - 20, headings=0, notes=2)
    if isinstance(flow[-1], Paragraph):
        flow[-1] = parts.cut(flow[-1])
    notes, _ = _notes(parts, style)
    blocks = [*chapter, *flow, *([Gap()] if notes else []), *notes]
    return Sheet("book", "headers_footers", tuple(blocks), parts.furniture(0.9, 0.95), style, language)


def journal(split: str, rng: random.Random, language: str) -> Sheet:
    """A page of a magazine or journal: a headline, a lead, two or three columns with a boxed aside."""
    parts = Parts(split, rng, language)
    style = replace(parts.style(9, 10.2), hyphenate=True)
    width, height = inner(style)
    count = rng.choice((2, 2, 3))
    lead = replace(parts.paragraph(130, looks=0), size=1.2, align="left", after=1.2)
    front: list[Block] = [
        Heading(parts.book.phrase(3, 6), 1, size=2.2),
        lead,
        Lines((parts.book.name(),), size=0.95, after=1.0),
    ]
    used = sum(height_of(block, width, style) for block in front)
    column = (width - 16 * (count - 1)) / count
    room = (height - used) * count * rng.uniform(0.94, 1.02) - 60
    flow = parts.flow(style, column, room, extras=rng.sample(("list", "figure"), 1), headings=0.3)
    aside = replace(parts.paragraph(110), boxed=True, size=1.0)
    places = [k for k, block in enumerate(flow) if isinstance(block, Paragraph) and block.size == 1]
    flow.insert(rng.choice(places) + 1, aside)
    blocks = (*front, Columns(count, tuple(flow), rule=True))
    return Sheet("journal", "multi_column", blocks, parts.furniture(0.9, 0.9), style, language)


def newspaper(split: str, rng: random.Random, language: str) -> Sheet:
    """A page of a newspaper: a nameplate, a large story above smaller ones, each in its own columns."""
    parts = Parts(split, rng, language)
    style = replace(
        parts.style(8.6, 9.2), margin=(40.0, 36.0, 44.0, 36.0), indent=1.0, hyphenate=True, justify=True
    )
    style = replace(style, width=680.0, height=920.0, leading=0.52, head_rule=False)
    width, height = inner(style)
    plate: list[Block] = [
        Heading(
            parts.book.phrase(2, 2),
            1,
            True,
            3.2,
        ),
        Line(1.2),
        Lines((f"{parts.book.date()}  ·  No. {rng.randint(1000, 29_999)}",), "center"),
        Line(),
    ]
    blocks, left = plate, height - 125.0
    for story, (count, size) in enumerate(((4, 2.3), (3, 1.6), (4, 1.5))):
        tall = left * (0.45, 0.5, 0.92)[story]
        head = Heading(parts.book.phrase(4, 7), 2, False, size)
        used = height_of(head, width, style) + 24
        column = (width - 12 * (count - 1)) / count
        flow = parts.flow(style, column, (tall - used) * count * rng.uniform(0.9, 0.97), headings=0)
        need = sum(height_of(block, column, style) for block in flow) / count
        deep = round(need * 1.0 + 2.6 * style.size)
        blocks = [*blocks, head, Columns(count, tuple(flow), 12.0, deep), Line()]
        tall = min(tall, deep + used)
        left -= tall
    return Sheet("newspaper", "multi_column", tuple(blocks[:-1]), (), style, language)


def old_maths(split: str, rng: random.Random, language: str) -> Sheet:
    """A page of an old textbook of mathematics: small page, yellow paper, theorem and proof, many displays."""
    parts = Parts(split, rng, language)
    style = replace(parts.style(10.4, 11.6, ("New Computer Modern",)), width=430.0, height=640.0)
    style = replace(
        style,
        indent=1.6,
        justify=True,
        paper=rng.choice(("f3ead2", "efe6cf", "f6f0df")),
        heading_colour="000000",
    )
    width, height = inner(style)
    number = rng.randint(2, 98)
    lead = Paragraph((Span(f"§ {number}. "), *parts.paragraph(120, 0.5).inlines))
    theorem = Paragraph((Span("Theorem.", "bold"), Span(" "), *parts.paragraph(90, 0.8, 0).inlines))
    used = sum(height_of(block, width, style) for block in (lead, theorem))
    flow = parts.flow(
        style, width, (height - used) * rng.uniform(0.8, 0.97) - 20, 0.4, ["display"] * 4, headings=0
    )
    blocks = (lead, theorem, *flow)
    return Sheet("old_maths", "old_scans_math", blocks, parts.furniture(0.8, 0.9), style, language)
