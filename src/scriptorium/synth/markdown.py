"""The truth of a sheet: front matter, Markdown, tables as HTML, formulas in LaTeX."""

from html import escape

from scriptorium.pages.front_matter import FrontMatter, encode
from scriptorium.synth.document import (
    Block,
    Cell,
    Code,
    Display,
    Figure,
    Footnote,
    Formula,
    Furniture,
    Heading,
    Inlines,
    Lines,
    ListBlock,
    Paragraph,
    Sheet,
    Span,
    Table,
    leaves,
)

MARKS = {"plain": ("", ""), "bold": ("**", "**"), "italic": ("*", "*"), "sup": ("<sup>", "</sup>")}


def body(sheet: Sheet, keep_furniture: bool = False) -> str:
    """The sheet's Markdown, a blank line between two blocks.

    `keep_furniture`: running heads come first and feet last, for those who want the page as it is drawn.
    """
    blocks = [_block(block) for block in leaves(sheet.blocks)]
    if keep_furniture:
        blocks = [*_furniture(sheet.furniture, "head"), *blocks, *_furniture(sheet.furniture, "foot")]
    return "\n\n".join(block for block in blocks if block)


def truth(sheet: Sheet) -> str:
    """The whole target of a page: front matter and Markdown; a blank sheet has no language."""
    text = body(sheet)
    kinds = {type(block) for block in leaves(sheet.blocks)}
    front = FrontMatter(
        primary_language=sheet.language if text else None, is_table=Table in kinds, is_diagram=Figure in kinds
    )
    return encode(front, text)


def _furniture(furniture: tuple[Furniture, ...], place: str) -> list[str]:
    return [each.text for each in furniture if each.place == place]


def inline(inlines: Inlines) -> str:
    """Running text with its marks; formulas between `\\(` and `\\)`."""
    return "".join(
        f"\\({each.latex}\\)" if isinstance(each, Formula) else _span(each) for each in inlines
    ).strip()


def _span(span: Span) -> str:
    """Marks stand close to the words: Markdown knows none with a blank inside."""
    before, after = MARKS[span.look]
    text = span.text.strip()
    if not before or not text:
        return span.text
    lead, trail = span.text[: len(span.text) - len(span.text.lstrip())], span.text[len(span.text.rstrip()) :]
    return f"{lead}{before}{text}{after}{trail}"


def _block(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"{'#' * level} {text}"
        case Paragraph(inlines):
            return inline(inlines)
        case Lines(lines):
            return "\n".join(lines)
        case ListBlock():
            return _list(block)
        case Table():
            return table(block)
        case Display(formula):
            return f"\\[{formula.latex}\\]"
        case Figure():
            box = "_".join(str(round(value)) for value in (*block.at, block.width, block.height))
            return f"![{block.alt}](page_{box}.png)"
        case Footnote(marker, inlines):
            return f"<sup>{marker}</sup> {inline(inlines)}"
        case Code(text, language):
            return f"```{language}\n{text}\n```"
    raise TypeError(f"{type(block).__name__} is not part of the truth")


def _list(block: ListBlock) -> str:
    marks = [f"{block.start + number}." if block.ordered else "-" for number in range(len(block.items))]
    return "\n".join(f"{mark} {inline(item)}" for mark, item in zip(marks, block.items, strict=True))


def table(block: Table) -> str:
    """A table as compact HTML: Markdown's pipes have no cells that span."""
    rows = ("".join(_cell(cell) for cell in row) for row in block.rows)
    return "<table>\n" + "\n".join(f"<tr>{row}</tr>" for row in rows) + "\n</table>"


def _cell(cell: Cell) -> str:
    tag = "th" if cell.header else "td"
    spans = (("colspan", cell.columns), ("rowspan", cell.rows))
    attributes = "".join(f' {name}="{count}"' for name, count in spans if count > 1)
    return f"<{tag}{attributes}>{escape(cell.text, quote=False)}</{tag}>"
