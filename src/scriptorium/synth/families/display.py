"""Pages that are looked at: slides, posters, title pages, figures, tables, dictionaries, exams, blank pages."""

import random
from dataclasses import replace

from scriptorium.synth.document import (
    Beside,
    Block,
    Code,
    Columns,
    Display,
    Gap,
    Heading,
    Line,
    Lines,
    ListBlock,
    Paragraph,
    Sheet,
    Span,
)
from scriptorium.synth.families.parts import Parts, height_of
from scriptorium.synth.families.prose import inner


def big_table(split: str, rng: random.Random, language: str) -> Sheet:
    """A page that one large table fills: many rows, or many columns on a page laid on its side."""
    parts = Parts(split, rng, language)
    style = replace(
        parts.style(8.8, 9.8, ("Libertinus Serif", "New Computer Modern")), margin=(58.0, 40.0, 54.0, 40.0)
    )
    wide = rng.random() < 0.4
    if wide:
        style = replace(style, width=style.height, height=style.width)
    height = inner(style)[1]
    most = int((height - 90) / (style.size * 0.9 * 0.68 + 6.6))
    columns = rng.randint(8, 10) if wide else rng.randint(4, 6)
    table = parts.table(rng.randint(most * 3 // 5, most - 3), columns, full=rng.random() < 0.5 and not wide)
    blocks: list[Block] = [parts.caption("Table"), table]
    if rng.random() < 0.6:
        blocks.append(Paragraph((Span("Source: "), Span(parts.book.phrase(3, 6), "italic")), "left", 0.9))
    return Sheet("big_table", "table_tests", tuple(blocks), parts.furniture(), style, language)


def dictionary(split: str, rng: random.Random, language: str) -> Sheet:
    """A page of a dictionary: two or three narrow columns of entries in small type."""
    parts = Parts(split, rng, language)
    book = parts.book
    count = rng.choice((2, 2, 3))
    style = replace(
        parts.style(7.9, 8.6, ("Libertinus Serif",)), indent=0.0, hyphenate=True, justify=True, leading=0.5
    )
    style = replace(style, margin=(58.0, 42.0, 50.0, 42.0))
    width, height = inner(style)
    column, entries, used = (width - 16 * (count - 1)) / count, list[Block](), 0.0
    words = sorted(dict.fromkeys(book.pseudo_word() for _ in range(200)))
    for word in words:
        kind = rng.choice(("n.", "v.", "adj.", "adv."))
        senses = [book.phrase(3, 8) for _ in range(rng.randint(1, 3))]
        text = (
            " ".join(f"{k}. {sense};" for k, sense in enumerate(senses, 1))
            if len(senses) > 1
            else f"{senses[0]}."
        )
        entry = Paragraph(
            (Span(word, "bold"), Span(" "), Span(kind, "italic"), Span(f" {text.removesuffix(';')}"))
        )
        used += height_of(entry, column, style)
        if used > (height - 10) * count * 0.94:
            break
        entries.append(entry)
    furniture = parts.furniture(1, 0.9)
    return Sheet(
        "dictionary", "long_tiny_text", (Columns(count, tuple(entries)),), furniture, style, language
    )


def slides(split: str, rng: random.Random, language: str) -> Sheet:
    """A slide: a title, a few points, a figure or formula beside or below them."""
    parts = Parts(split, rng, language)
    style = replace(
        parts.style(20, 23.5, ("New Computer Modern", "Libertinus Serif", "DejaVu Sans Mono")),
        width=720.0,
        height=405.0,
    )
    style = replace(
        style, margin=(44.0, 48.0, 46.0, 48.0), justify=False, hyphenate=False, indent=0.0, head_rule=False
    )
    style = replace(
        style,
        paper=rng.choice(("ffffff", "fdfbf5", "eef3f8", "f4f4f4")),
        heading_colour=rng.choice(("1f3a5f", "7a1f1f", "000000")),
    )
    points = ListBlock(tuple((Span(parts.book.phrase(2, 4)),) for _ in range(rng.randint(3, 5))))
    title = Heading(parts.book.phrase(2, 4), 1, size=1.5)
    kind = rng.random()
    if kind < 0.45:
        body: tuple[Block, ...] = (Beside(((points,), (parts.figure(290, 170),)), (1.0, 1.0)),)
    elif kind < 0.75:
        body = (points, Display(parts.maths.display()))
    else:
        body = (Paragraph((Span(parts.book.sentence()),), "left"), points)
    number = tuple(each for each in parts.furniture(0, 1) if each.place == "foot")
    return Sheet("slide", "headers_footers", (title, *body), number, style, language)


def poster(split: str, rng: random.Random, language: str) -> Sheet:
    """A poster: a huge title, two columns of boxes, lists and figures."""
    parts = Parts(split, rng, language)
    style = replace(
        parts.style(14, 16), width=841.0, height=1189.0, margin=(60.0, 52.0, 60.0, 52.0), indent=0.0
    )
    style = replace(style, justify=False, paper=rng.choice(("ffffff", "eef3f8", "fdfbf5")), head_rule=False)
    width, height = inner(style)
    front: list[Block] = [
        Heading(parts.book.phrase(3, 5), 1, True, 3.0),
        Lines((", ".join(parts.book.name() for _ in range(3)),), "center", 1.1),
        Line(2),
    ]
    used = sum(height_of(block, width, style) for block in front) + 60
    column = (width - 16) / 2
    flow = parts.flow(
        style, column, (height - used) * 2 * rng.uniform(0.96, 1.08), 0.05, ("figure", "list", "figure"), 0.8
    )
    return Sheet(
        "poster",
        "headers_footers",
        (*front, Columns(2, tuple(flow))),
        parts.furniture(0, 0.3),
        style,
        language,
    )


def exam(split: str, rng: random.Random, language: str) -> Sheet:
    """A sheet of an exam: questions with points, formulas, answers to choose from, a listing now and then."""
    parts = Parts(split, rng, language)
    book = parts.book
    style = replace(parts.style(10.4, 11.8), indent=0.0)
    width, height = inner(style)
    blocks: list[Block] = [
        Heading(f"{book.phrase(2, 3)}: examination", 1, rng.random() < 0.5, 1.6),
        Lines((f"{book.date()}    Time: {rng.choice((45, 60, 90))} minutes    Name:",), after=1.2),
        Line(),
    ]
    room, number, misses = (height - 80) * rng.uniform(0.88, 0.98), 1, 0
    while misses < 5:
        drawn: list[Block] = [
            Heading(f"Question {number} ({rng.randint(2, 12)} points)", 3),
            parts.paragraph(rng.randint(40, 260 // (1 + misses)), 0.5, 0.1),
            *_answer(parts),
        ]
        cost = sum(height_of(block, width, style) for block in drawn)
        if cost > room:
            misses += 1
            continue
        blocks += drawn
        room, number = room - cost, number + 1
    return Sheet("exam", "arxiv_math", tuple(blocks), parts.furniture(0.5, 0.8), style, language)


def _answer(parts: Parts) -> list[Block]:
    """What a question asks about, if anything: answers to choose from, a formula, a listing."""
    kind = parts.rng.random()
    if kind < 0.35:
        return [Lines(tuple(f"({letter}) {parts.book.phrase(2, 5)}" for letter in "abcd"), after=0.8)]
    if kind < 0.65:
        return [Display(parts.maths.display())]
    return [Code(_listing(parts), "python")] if kind < 0.8 else []


def _listing(parts: Parts) -> str:
    name, value, count = (parts.book.words.token(8) for _ in range(3))
    name, value, count = (f"v{each}" if not each.isalpha() else each for each in (name, value, count))
    number = parts.rng.randint(2, 99)
    return "\n".join(
        (
            f"def {name}_of({value}):",
            f"    {count}_sum = 0",
            f"    for step in range({number}):",
            f"        {count}_sum += {value} * step",
            f"    return {count}_sum",
        )
    )


def title_page(split: str, rng: random.Random, language: str) -> Sheet:
    """The title page of a book or report."""
    parts = Parts(split, rng, language)
    book = parts.book
    style = parts.style(11, 13)
    blocks: list[Block] = [
        Gap(rng.uniform(20, 110)),
        Lines((book.name(),), "center", 1.3, after=2.5),
        Heading(book.phrase(3, 6), 1, True, 2.6),
        Paragraph((Span(book.phrase(5, 9), "italic"),), "center", 1.2, after=3),
    ]
    if rng.random() < 0.5:
        blocks.append(
            Lines(
                (f"Volume {rng.randint(2, 9)}", f"{rng.choice(('Second', 'Third', 'Fourth'))} edition"),
                "center",
                after=2,
            )
        )
    blocks += [
        Gap(),
        Line(),
        Lines(
            (rng.choice(("Press of ", "University of ", "House of ")) + book.phrase(1, 2), book.date()),
            "center",
        ),
    ]
    return Sheet("title_page", "old_scans", tuple(blocks), (), style, language)


def blank(split: str, rng: random.Random, language: str) -> Sheet:
    """A page without text: quite empty, or with a page number alone."""
    parts = Parts(split, rng, language)
    return Sheet("blank", "baseline", (), parts.furniture(0, 0.5), parts.style(), language)


def figures(split: str, rng: random.Random, language: str) -> Sheet:
    """A page of figures with captions and little text."""
    parts = Parts(split, rng, language)
    style = parts.style(9.4, 11)
    width, height = inner(style)
    blocks: list[Block] = [parts.heading(2)]
    room, misses = height * 0.98 - 20, 0
    while misses < 3:
        drawn: list[Block] = [
            parts.figure(width, rng.randint(120, 190)),
            parts.caption("Figure"),
            parts.paragraph(rng.randint(80, 200)),
        ]
        cost = sum(height_of(block, width, style) for block in drawn)
        if cost > room:
            misses += 1
            continue
        blocks += drawn
        room -= cost
    return Sheet("figures", "headers_footers", tuple(blocks), parts.furniture(), style, language)
