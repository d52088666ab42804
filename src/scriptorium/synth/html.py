"""Sheets as one HTML document, a print page each, for the second engine. Text and pictures are inert.

The tree is the one that typst sets; faces, spacing and line breaks are the browser's, so that a model does not
learn one renderer's look. All sizes inside a sheet follow its font size: one number makes it fit.
"""

import hashlib
from base64 import b64encode
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from html import escape
from itertools import count
from pathlib import Path

from scriptorium.bench.formulas import render
from scriptorium.synth.document import (
    Beside,
    Block,
    Cell,
    Code,
    Columns,
    Display,
    Figure,
    Footnote,
    Formula,
    Furniture,
    Gap,
    Heading,
    Inlines,
    Line,
    Lines,
    ListBlock,
    Paragraph,
    Sheet,
    Span,
    Style,
    Table,
)

FACES = (
    ("Liberation Serif", "Liberation Serif"),
    ("Liberation Serif", "Liberation Sans"),
    ("Liberation Sans", "Liberation Sans"),
    ("DejaVu Serif", "DejaVu Sans"),
    ("Liberation Sans", "Liberation Sans Narrow"),
    ("Liberation Serif", "DejaVu Sans"),
)
"""Faces of text and headings. TrueType all: of OpenType with CFF outlines Chromium makes Type 3 fonts."""

LARGE = {"DejaVu Serif": 0.88, "Liberation Sans": 0.94}
"""Faces whose letters are larger than others of the same size, and by what they are set smaller."""
LARGE_FROM = 9.5
"""Points; smaller text stays as it is, to be read."""

FACES_OF_LANGUAGE = {
    "ja": tuple((face, face) for face in ("IPAexMincho", "IPAexGothic", "Noto Sans JP", "VL Gothic"))
}
"""Faces of languages that those above have no letters for; TrueType again."""

MONOSPACED = ("Liberation Mono", "DejaVu Sans Mono")

NARROW = 300.0
"""Points; narrower columns are set ragged. Chromium does not hyphenate everywhere, and gaps would open."""

HEADING_SIZES = {1: 1.8, 2: 1.3, 3: 1.1, 4: 1.0, 5: 1.0, 6: 1.0}
MARKS = {"plain": "{}", "bold": "<b>{}</b>", "italic": "<i>{}</i>", "sup": "<sup>{}</sup>"}
KATEX_FONTS = Path(__file__).with_name("katex_fonts")

CSS = """
@page { margin: 0 }
html, body { margin: 0; padding: 0; text-rendering: geometricPrecision; font-variant-ligatures: none }
.sheet { position: relative; overflow: hidden; box-sizing: border-box; break-after: page; color: #000 }
.sheet:last-child { break-after: auto }
.body { position: absolute; display: flex; flex-direction: column }
.body > * { flex: none }
.head, .foot { position: absolute; display: grid; grid-template-columns: 1fr auto 1fr; font-size: .85em; gap: 6pt }
.head { top: 0; align-items: end } .foot { align-items: start }
.head.ruled { border-bottom: .4pt solid }
.left { text-align: left } .center { text-align: center } .right { text-align: right }
.justify { text-align: justify } .ragged .justify { text-align: left }
p, h1, h2, h3, h4, h5, h6, ul, ol, pre, figure { margin: 0; font-weight: inherit; font-size: inherit }
h1, h2, h3, h4, h5, h6 { font-weight: bold; line-height: 1.2; break-after: avoid }
.heading { margin-top: .7em; margin-bottom: .45em } .body > .heading:first-child { margin-top: 0 }
.boxed { border: .6pt solid; padding: 7pt; margin: 1em 0 }
ul, ol { margin: .4em 0; padding-left: 1.9em } li { margin: .25em 0 }
.wide { display: flex; justify-content: center; margin: .8em 0; break-inside: avoid }
table { border-collapse: collapse; line-height: 1.15 }
td, th { padding: 2.3pt 5pt; text-align: left; vertical-align: top }
table.full { width: 100%; table-layout: fixed } .number { text-align: right }
table.all td, table.all th { border: .5pt solid }
table.lines td, table.lines th { border-top: .4pt solid; border-bottom: .4pt solid }
table.booktabs { border-top: 1pt solid; border-bottom: 1pt solid }
table.booktabs tr.last td, table.booktabs tr.last th { border-bottom: .5pt solid }
table.zebra tr:nth-child(even) { background: #f0f0f0 }
.math.display { margin: .7em 0; text-align: center; break-inside: avoid } .katex-display { margin: 0 !important }
.note { font-size: .85em; margin: .3em 0 } sup { line-height: 0; font-size: .7em }
pre { background: #f5f5f5; padding: 6pt; font-size: .85em; white-space: pre-wrap; margin: .6em 0 }
.columns { column-fill: balance } .body > .columns.rest { flex: 1 1 0; min-height: 0 }
.columns.ruled { column-rule: .4pt solid }
.beside { display: flex; gap: 14pt; margin: .4em 0 } .beside > div { min-width: 0 }
.wide > img { flex: none }
hr { border: 0; border-top: solid; margin: .6em 0; width: 100% }
.rest-gap { flex: 1 0 0 !important }
.line-number { position: absolute; font-size: .75em; color: #5a5a5a; text-align: right; line-height: 1 }
"""


def faces(sheet: Sheet, available: Collection[str]) -> tuple[str, str] | None:
    """The faces of a sheet's text and headings among those that the machine has, drawn from its content.

    None where no face has the letters of its language.
    """
    known = FACES_OF_LANGUAGE.get(sheet.language, FACES)
    here = [pair for pair in known if set(pair) <= set(available)]
    if not here:
        return None
    return here[int(hashlib.sha256(repr(sheet).encode()).hexdigest(), 16) % len(here)]


def document(sheets: Sequence[Sheet], available: Collection[str]) -> str:
    """The HTML of a document. Formulas stand as LaTeX in `.math` elements until KaTeX has set them.

    `available`: the faces that the machine has. A sheet whose language none has is set in the first there is.
    """
    sizes = "".join(
        f"@page s{number} {{ size: {sheet.style.width}pt {sheet.style.height}pt }}\n.s{number} {{ page: s{number} }}\n"
        for number, sheet in enumerate(sheets)
    )
    body = "".join(_sheet(sheet, number, available) for number, sheet in enumerate(sheets))
    return (
        f"<!doctype html><html><head><meta charset='utf-8'><style>{katex_css()}{CSS}{sizes}</style></head>"
        f"<body>{body}</body></html>"
    )


@cache
def katex_css() -> str:
    """KaTeX's style sheet with its fonts inside, so that nothing has to be fetched."""
    text = Path(render.__file__).with_name("katex.min.css").read_text("utf-8")
    head, *faces_ = text.split("src:url(fonts/")
    parts = [head]
    for each in faces_:
        name, _, rest = each.partition(")")
        font = b64encode((KATEX_FONTS / name).read_bytes()).decode()
        parts.append(f'src:url(data:font/woff2;base64,{font}) format("woff2")' + rest[rest.index("}") :])
    return "".join(parts)


def _sheet(sheet: Sheet, number: int, available: Collection[str]) -> str:
    style = sheet.style
    text, heading = faces(sheet, available) or next(pair for pair in FACES if set(pair) <= set(available))
    top, right, bottom, left = style.margin
    size = style.size * (LARGE.get(text, 1) if style.size >= LARGE_FROM else 1)
    look = (
        f"width:{style.width}pt;height:{style.height}pt;background:#{style.paper};font-size:{size:.2f}pt;"
        f"line-height:{style.leading + 0.68};font-family:'{text}';"
        f"--heading:'{heading}';--colour:#{style.heading_colour}"
    )
    place = f"top:{top}pt;right:{right}pt;bottom:{bottom}pt;left:{left}pt"
    blocks = _blocks(sheet.blocks, style, count(), style.width - left - right)
    numbered = " data-numbers" if style.line_numbers else ""
    return (
        f'<section class="sheet s{number}" lang="{escape(sheet.language)}" style="{escape(look)}"{numbered}>'
        f"{_furniture(sheet.furniture, 'head', style)}{_furniture(sheet.furniture, 'foot', style)}"
        f'<div class="body" style="{place}">{blocks}</div></section>\n'
    )


def _furniture(furniture: tuple[Furniture, ...], place: str, style: Style) -> str:
    here = {each.align: each for each in furniture if each.place == place}
    if not here:
        return ""
    top, right, bottom, left = style.margin
    # As far from the text as from the paper's edge, or a little nearer.
    tall = f"height:{0.55 * top}pt" if place == "head" else f"top:{style.height - 0.62 * bottom}pt"
    ruled = " ruled" if style.head_rule and place == "head" else ""
    cells = "".join(
        f'<div class="{align}">{_aside(here[align]) if align in here else ""}</div>'
        for align in ("left", "center", "right")
    )
    return f'<div class="{place}{ruled}" style="left:{left}pt;right:{right}pt;{tall}">{cells}</div>'


def _aside(item: Furniture) -> str:
    return f"<span data-t>{MARKS['italic' if item.italic else 'plain'].format(escape(item.text))}</span>"


def inline(inlines: Inlines) -> str:
    """Running text as HTML."""
    return "".join(_math(each, "span") if isinstance(each, Formula) else _span(each) for each in inlines)


def _span(span: Span) -> str:
    return MARKS[span.look].format(escape(span.text))


def _math(formula: Formula, tag: str) -> str:
    display = " display" if tag == "div" else ""
    return f'<{tag} class="math{display}">{escape(formula.latex)}</{tag}>'


def _blocks(blocks: Sequence[Block], style: Style, numbers: Iterator[int], width: float) -> str:
    return "".join(_block(block, style, numbers, width) for block in blocks)


def _block(block: Block, style: Style, numbers: Iterator[int], width: float) -> str:
    """A block; a leaf bears its number among the sheet's leaves, by which its box is found."""
    match block:
        case Columns():
            return _columns(block, style, numbers, width)
        case Beside():
            parts = "".join(
                f'<div style="flex:{share} 1 0" class="{_ragged(width * share / sum(block.shares))}">'
                f"{_blocks(part, style, numbers, width * share / sum(block.shares))}</div>"
                for part, share in zip(block.parts, block.shares, strict=True)
            )
            return f'<div class="beside">{parts}</div>'
        case Gap(points):
            return f'<div style="height:{points}pt"></div>' if points else '<div class="rest-gap"></div>'
        case Line(weight):
            return f'<hr style="border-top-width:{weight}pt">'
    return _leaf(block, style, f'data-b="{next(numbers)}"')


def _leaf(block: Block, style: Style, number: str) -> str:
    match block:
        case Heading(text, level, centred, size):
            look = (
                f"font-size:{size or HEADING_SIZES[level]}em;font-family:var(--heading);color:var(--colour)"
            )
            align = "center" if centred else "left"
            return f'<h{level} class="heading {align}" style="{look}" {number}>{escape(text)}</h{level}>'
        case Paragraph():
            return _paragraph(block, style, number)
        case Lines(lines, align, size, after):
            text = "<br>".join(escape(line) for line in lines)
            below = _below(after, size, style) if after else 0.6
            return (
                f'<p class="{align}" style="font-size:{size}em;margin-bottom:{below}em" {number}>{text}</p>'
            )
        case ListBlock(items, ordered, start):
            inner = "".join(f"<li>{inline(item)}</li>" for item in items)
            return f'<ol start="{start}" {number}>{inner}</ol>' if ordered else f"<ul {number}>{inner}</ul>"
        case Table():
            return _table(block, number)
        case Display(formula):
            return _math(formula, "div").replace('class="', f'{number} class="', 1)
        case Figure(svg, width, height, _):
            source = b64encode(svg.encode()).decode()
            picture = (
                f'<img style="width:{width}pt;height:{height}pt" src="data:image/svg+xml;base64,{source}">'
            )
            return f'<figure class="wide" {number}>{picture}</figure>'
        case Footnote(marker, inlines):
            return f'<p class="note" {number}><sup>{escape(marker)}</sup> {inline(inlines)}</p>'
        case Code(text):
            face = ",".join(f"'{each}'" for each in MONOSPACED)
            return f'<pre style="font-family:{face}" {number}>{escape(text)}</pre>'
    raise TypeError(f"{type(block).__name__} cannot be drawn")


def _paragraph(block: Paragraph, style: Style, number: str) -> str:
    below = _below(block.after, block.size, style) if block.after else 0 if style.indent else 0.6
    indent = style.indent if block.align == "justify" and block.size == 1 and not block.boxed else 0
    align = block.align if style.justify or block.align != "justify" else "left"
    look = f"text-indent:{indent}em;font-size:{block.size}em;" + (
        "" if block.boxed else f"margin-bottom:{below}em"
    )
    boxed = " boxed" if block.boxed else ""
    return f'<p class="{align}{boxed}" style="{look}" {number}>{inline(block.inlines)}</p>'


def _below(after: float, size: float, style: Style) -> float:
    """The margin below a block: `after` counts from the last line in sizes of the sheet's text, a margin from below
    that line's leading in sizes of the block's own."""
    return after / size - style.leading


def _columns(block: Columns, style: Style, numbers: Iterator[int], width: float) -> str:
    each = (width - block.gutter * (block.count - 1)) / block.count
    look = f"column-count:{block.count};column-gap:{block.gutter}pt" + (
        f";height:{block.height}pt" if block.height else ""
    )
    names = f"columns {'ruled' if block.rule else ''} {'' if block.height else 'rest'} {_ragged(each)}"
    return f'<div class="{names}" style="{look}">{_blocks(block.blocks, style, numbers, each)}</div>'


def _ragged(width: float) -> str:
    return "ragged" if width < NARROW else ""


def _table(block: Table, number: str) -> str:
    names = f"{block.rules}{' zebra' if block.zebra else ''}{' full' if block.full else ''}"
    heads = [all(cell.header for cell in row) for row in block.rows]
    taken: set[tuple[int, int]] = set()
    rows = []
    for index, row in enumerate(block.rows):
        column, cells = 0, []
        for cell in row:
            while (index, column) in taken:
                column += 1
            taken |= {(index + r, column + c) for r in range(cell.rows) for c in range(cell.columns)}
            cells.append(_cell(cell, column in block.numeric))
        last = heads[index] and not any(heads[index + 1 :])
        rows.append(f"<tr{' class=last' if last else ''}>{''.join(cells)}</tr>")
    return (
        f'<div class="wide" {number}><table class="{names}" style="font-size:{block.size}em">{"".join(rows)}'
        "</table></div>"
    )


def _cell(cell: Cell, numeric: bool) -> str:
    tag = "th" if cell.header else "td"
    spans = (("colspan", cell.columns), ("rowspan", cell.rows))
    marks = "".join(f' {name}="{count}"' for name, count in spans if count > 1)
    return f"<{tag}{marks}{' class=number' if numeric else ''}>{escape(cell.text)}</{tag}>"
