"""Pages of an office: letters, invoices, forms, contracts with line numbers, handwriting-like notes."""

import random
from dataclasses import replace

from scriptorium.synth.document import (
    Beside,
    Block,
    Cell,
    Furniture,
    Gap,
    Heading,
    Line,
    Lines,
    Paragraph,
    Sheet,
    Span,
    Table,
)
from scriptorium.synth.families.parts import Parts, height_of
from scriptorium.synth.families.prose import inner


def letter(split: str, rng: random.Random, language: str) -> Sheet:
    """A letter: letterhead, address, date, salutation, text, signature."""
    parts = Parts(split, rng, language)
    book = parts.book
    style = replace(
        parts.style(10.5, 12, ("Libertinus Serif", "DejaVu Sans Mono")), indent=0.0, justify=False
    )
    width, height = inner(style)
    head: list[Block] = [
        Lines((book.name(), *book.address()), rng.choice(("left", "right", "center")), after=2.2),
        Lines((book.name(), book.phrase(2, 3), *book.address()), after=2.0),
        Lines((book.date(),), rng.choice(("left", "right")), after=1.6),
        Paragraph((Span(f"{book.phrase(2, 4)}, {book.serial()}", "bold"),), "left", after=1.4),
        Lines((f"Dear {book.name()},",), after=1.2),
    ]
    text = parts.flow(style, width, (height - 310) * rng.uniform(0.7, 0.97), headings=0)
    foot = Lines((rng.choice(("Yours sincerely,", "Yours faithfully,", "With kind regards,")),), after=3.4)
    blocks: tuple[Block, ...] = (*head, *text, foot, Lines((book.name(), book.phrase(1, 3))))
    return Sheet("letter", "old_scans", blocks, parts.furniture(0, 0.3), style, language)


def handwriting(split: str, rng: random.Random, language: str) -> Sheet:
    """A note in short lines on tinted paper, in slanted type: a hand it becomes by degradation, no font has one."""
    parts = Parts(split, rng, language)
    book = parts.book
    style = replace(
        parts.style(13, 15.5, ("New Computer Modern",)), justify=False, hyphenate=False, indent=0.0
    )
    style = replace(style, width=440.0, height=620.0, leading=0.9, paper=rng.choice(("f7f2e6", "f3ead2")))
    width = inner(style)[0]
    fits = int(width / (style.size * 0.52))
    lines: list[str] = []
    count = rng.randint(12, 19)
    while len(lines) < count:
        words = book.sentence().split(" ")
        while words:
            line = words.pop(0)
            while words and len(line) + 1 + len(words[0]) <= fits:
                line += f" {words.pop(0)}"
            lines.append(line)
    text = tuple(Paragraph((Span(line, "italic"),), "left", after=0.75) for line in _unique(lines)[:count])
    blocks: tuple[Block, ...] = (
        Lines((f"{book.address()[1]}, {book.date()}",), "right", after=1.5),
        *text,
        Lines((book.name(),), "right"),
    )
    return Sheet("handwriting", "old_scans", blocks, (), style, language)


def _unique(lines: list[str]) -> list[str]:
    return list(dict.fromkeys(lines))


def invoice(split: str, rng: random.Random, language: str) -> Sheet:
    """An invoice: parties side by side, positions with sums that add up, terms of payment."""
    parts = Parts(split, rng, language)
    book = parts.book
    style = replace(parts.style(9.2, 10.6), indent=0.0, justify=False)
    seller = (Lines((f"{book.noun().capitalize()} & {book.name()}", *book.address())),)
    facts = (
        Lines(
            (f"Invoice no. {book.serial()}", f"Date: {book.date()}", f"Customer: {book.serial()}"), "right"
        ),
    )
    buyer = Lines(("Bill to:", book.name(), *book.address()), after=1.6)
    blocks: tuple[Block, ...] = (
        Heading("Invoice", 1, size=rng.uniform(1.8, 2.6)),
        Beside((seller, facts), (1.2, 1.0)),
        Gap(14),
        buyer,
        positions(parts, rng.randint(8, 24)),
        parts.paragraph(120, looks=0),
        Paragraph((Span("IBAN: "), Span(_account(rng), "bold")), "left", after=0.8),
    )
    return Sheet("invoice", "table_tests", blocks, parts.furniture(0, 0.4), style, language)


def positions(parts: Parts, count: int) -> Table:
    """The positions of an invoice and their sums, in cents exactly."""
    rng, book = parts.rng, parts.book
    currency = rng.choice(("€", "£", "CHF"))
    header = ("No.", "Article", "Quantity", f"Price ({currency})", f"Amount ({currency})")
    rows = [tuple(Cell(text, header=True) for text in header)]
    total = 0
    for number in range(1, count + 1):
        quantity, price = rng.randint(1, 48), rng.randint(95, 49_000)
        total += quantity * price
        name = f"{book.phrase(1, 3)} {book.serial()}"
        rows.append(
            tuple(map(Cell, (str(number), name, str(quantity), _money(price), _money(quantity * price))))
        )
    tax = round(total * rng.choice((7, 19, 20)) / 100)
    for name, value in (("Subtotal", total), ("Tax", tax), ("Total", total + tax)):
        rows.append((Cell(name, columns=4), Cell(_money(value))))
    return Table(tuple(rows), 5, rng.choice(("lines", "all", "booktabs")), (2, 3, 4), full=False, size=0.95)


def _money(cents: int) -> str:
    return f"{cents // 100:,}.{cents % 100:02d}"


def _account(rng: random.Random) -> str:
    return " ".join(f"{rng.randint(0, 9999):04d}" for _ in range(5))


def form(split: str, rng: random.Random, language: str) -> Sheet:
    """A form that is filled in: fields in a ruled table, boxes ticked or not, a signature."""
    parts = Parts(split, rng, language)
    book = parts.book
    style = replace(parts.style(9.6, 11), indent=0.0, justify=False)
    fields = [
        ("Name", book.name()),
        ("Street", book.address()[0]),
        ("Town", book.address()[1]),
        ("Date of birth", book.date()),
        ("File number", book.serial()),
        ("Telephone", f"0{rng.randint(20, 99)} {rng.randint(100_000, 9_999_999)}"),
        ("Occupation", book.phrase(1, 2)),
        ("Amount claimed", book.figure()),
    ]
    chosen = fields[: rng.randint(4, 8)]
    rows = tuple((Cell(name, header=True), Cell(value)) for name, value in chosen)
    ticks = tuple(
        f"[{rng.choice(' x')}] {text}"
        for text in _unique([book.phrase(2, 5) for _ in range(rng.randint(3, 5))])
    )
    blocks: tuple[Block, ...] = (
        Heading(f"Application for {book.phrase(2, 3)}", 1, size=1.6),
        Lines((f"Form {book.serial()}",), after=1.2),
        parts.paragraph(160, looks=0.1),
        Heading("1. Particulars", 2),
        Table(rows, 2, "all", full=True, size=1.0),
        Heading("2. Declarations", 2),
        Lines(ticks, after=1.2),
        parts.paragraph(200, looks=0),
        Gap(24),
        Beside(
            (
                (Line(), Lines(("Place and date",), size=0.85)),
                (Line(), Lines(("Signature of the applicant",), size=0.85)),
            ),
            (1, 1),
        ),
    )
    return Sheet("form", "table_tests", blocks, parts.furniture(0.4, 0.6), style, language)


def legal(split: str, rng: random.Random, language: str) -> Sheet:
    """A contract or pleading: numbered clauses, line numbers in the margin that are not part of the text."""
    parts = Parts(split, rng, language)
    style = replace(parts.style(10.4, 11.8), line_numbers=rng.random() < 0.8, leading=0.85, indent=0.0)
    top, right, bottom, _ = style.margin
    style = replace(style, margin=(top, right, bottom, 84.0))
    width, height = inner(style)
    blocks: list[Block] = [
        Heading(parts.book.phrase(3, 5), 1, True, 1.5),
        Lines((f"Case {parts.book.serial()}",), "center", after=1.2),
    ]
    room, clause, misses = (height - 70) * rng.uniform(0.9, 1.0), rng.randint(2, 12), 0
    while misses < 4:
        drawn: list[Block] = [parts.heading(2, f"§ {clause}")]
        for number in range(1, rng.randint(2, 4)):
            text = parts.paragraph(rng.randint(50, 260 // (1 + misses)), looks=0.08)
            drawn.append(Paragraph((Span(f"({number}) "), *text.inlines)))
        cost = sum(height_of(block, width, style) for block in drawn)
        if cost > room:
            misses += 1
            continue
        blocks += drawn
        room, clause = room - cost, clause + 1
    foot = Furniture(f"Page {rng.randint(2, 60)} of {rng.randint(61, 99)}", "foot", "center", is_number=True)
    return Sheet("legal", "headers_footers", tuple(blocks), (*parts.furniture(0.7, 0), foot), style, language)
