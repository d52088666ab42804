"""A sheet as typst source, and the PDF that typst makes of it. Text is inert: only string literals hold it."""

from scriptorium.synth.document import (
    Beside,
    Block,
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
from scriptorium.synth.grid.typst import quote

LOOKS = {"plain": "#{}", "bold": "#strong({})", "italic": "#emph({})", "sup": "#super({})"}
HEADING_SIZES = {1: 1.8, 2: 1.3, 3: 1.1, 4: 1.0, 5: 1.0, 6: 1.0}
ALIGN = {"left": "left", "center": "center", "right": "right", "justify": "left"}


class Typesetter:
    """A typst compiler that keeps its fonts between documents. Same sheet, same bytes.

    `system_fonts` lets typst see the fonts of this machine (for scripts that its own fonts lack).
    """

    def __init__(self, system_fonts: bool = False) -> None:
        import typst

        self._compiler = typst.Compiler(ignore_system_fonts=not system_fonts)

    def pdf(self, sheet: Sheet) -> bytes:
        """The sheet's PDF (more than one page if it runs over), with a fixed date and without tags."""
        data = self._compiler.compile(input=source(sheet).encode(), format="pdf", timestamp=0, pdf_tags=False)
        assert isinstance(data, bytes)  # a list only for the formats with one file a page
        return data


def source(sheet: Sheet) -> str:
    """The typst source of a sheet."""
    style = sheet.style
    return _preamble(sheet) + "\n".join(_block(block, style) for block in sheet.blocks) + "\n"


def _preamble(sheet: Sheet) -> str:
    style = sheet.style
    top, right, bottom, left = style.margin
    head, foot = (_furniture(sheet.furniture, place, style) for place in ("head", "foot"))
    spacing = style.leading if style.indent else style.leading + 0.6
    numbers = (
        "#set par.line(numbering:n=>text(size:0.75em,fill:luma(90))[#n])\n" if style.line_numbers else ""
    )
    return (
        f"#set page(width:{style.width}pt,height:{style.height}pt,fill:rgb({quote(style.paper)}),"
        f"margin:(top:{top}pt,right:{right}pt,bottom:{bottom}pt,left:{left}pt),"
        f"header:[{head}],footer:[{foot}],header-ascent:45%,footer-descent:45%)\n"
        f"#set text(font:{quote(style.font)},size:{style.size}pt,lang:{quote(sheet.language)},"
        f"hyphenate:{_bool(style.hyphenate)},ligatures:false)\n"
        f"#set par(justify:{_bool(style.justify)},leading:{style.leading}em,spacing:{spacing}em,"
        f"first-line-indent:{style.indent}em)\n"
        f"#set smartquote(enabled:false)\n#set footnote.entry(gap:0.5em)\n"
        f'#show math.equation:set text(font:"New Computer Modern Math")\n{numbers}'
    )


def _furniture(furniture: tuple[Furniture, ...], place: str, style: Style) -> str:
    here = [each for each in furniture if each.place == place]
    if not here:
        return ""
    cells = {each.align: each for each in here}
    shown = ",".join(f"[#align({side})[{_aside(cells.get(side))}]]" for side in ("left", "center", "right"))
    used = ",".join("auto" if side in cells else "1fr" for side in ("left", "center", "right"))
    columns = "1fr,auto,1fr" if "center" in cells else used
    rule = (
        "\n#block(above:0.4em,line(length:100%,stroke:0.4pt))" if style.head_rule and place == "head" else ""
    )
    return f"#set text(size:0.85em)\n#grid(columns:({columns}),column-gutter:6pt,{shown}){rule}"


def _aside(item: Furniture | None) -> str:
    return "" if item is None else LOOKS["italic" if item.italic else "plain"].format(quote(item.text))


def _bool(value: bool) -> str:
    return "true" if value else "false"


def inline(inlines: Inlines) -> str:
    """Running text in typst markup."""
    return "".join(f"${each.typst}$" if isinstance(each, Formula) else _span(each) for each in inlines)


def _span(span: Span) -> str:
    return LOOKS[span.look].format(quote(span.text))


def _block(block: Block, style: Style) -> str:
    match block:
        case Heading():
            return _heading(block, style)
        case Paragraph():
            return _paragraph(block, style)
        case Lines():
            text = "#linebreak()".join(f"#{quote(line)}" for line in block.lines)
            return _sized(
                f"#set par(justify:false,first-line-indent:0em)\n{text}", block.align, block.size, block.after
            )
        case ListBlock():
            return _list(block)
        case Table():
            return _table(block)
        case Display(formula):
            return f"$ {formula.typst} $\n"
        case Figure():
            picture = (
                f'image(bytes({quote(block.svg)}),format:"svg",width:{block.width}pt,height:{block.height}pt)'
            )
            return f"#align(center,block(above:1em,below:0.8em,{picture}))\n"
        case Footnote():
            mark = LOOKS["sup"].format(quote(block.marker))
            return f'#block(above:0.5em,below:0.3em)[#set text(size:0.85em)\n{mark}#" "{inline(block.inlines)}]\n'
        case Code(text, language):
            listing = f"raw({quote(text)},lang:{quote(language)},block:true,theme:none)"
            return f"#block(fill:luma(245),inset:6pt,width:100%,{listing})\n"
        case Columns():
            return _columns(block, style)
        case Beside():
            parts = ",".join(
                "[" + "\n".join(_block(each, style) for each in part) + "]" for part in block.parts
            )
            shares = ",".join(f"{share}fr" for share in block.shares)
            return f"#grid(columns:({shares},),column-gutter:14pt,{parts})\n"
        case Gap(points):
            return f"#v({points}pt)\n" if points else "#v(1fr)\n"
        case Line(weight):
            return f"#block(above:0.6em,below:0.6em,line(length:100%,stroke:{weight}pt))\n"
    raise TypeError(f"{type(block).__name__} cannot be drawn")


def _heading(block: Heading, style: Style) -> str:
    size = block.size or HEADING_SIZES[block.level]
    look = (
        f'#set text(font:{quote(style.heading_font)},size:{size}em,weight:"bold",'
        f"fill:rgb({quote(style.heading_colour)}),hyphenate:false)\n#set par(justify:false,first-line-indent:0em)"
    )
    align = "center" if block.centred else "left"
    around = "above:1.4em,below:0.9em,sticky:true,width:100%"
    return f"#block({around})[#set align({align})\n{look}\n#{quote(block.text)}]\n"


def _paragraph(block: Paragraph, style: Style) -> str:
    text = inline(block.inlines)
    if block.boxed:
        return f"#block(above:1em,below:1em,stroke:0.6pt,inset:7pt,width:100%)[{text}]\n"
    if block.align == "justify" and block.size == 1 and not block.after:
        return f"{text}\n\n"
    return _sized(
        f"#set par(first-line-indent:0em,justify:{_bool(block.align == 'justify' and style.justify)})\n{text}",
        block.align,
        block.size,
        block.after,
    )


def _sized(text: str, align: str, size: float, after: float) -> str:
    below = f",below:{after}em" if after else ""
    return f"#block(width:100%{below})[#set text(size:{size}em)\n#set align({ALIGN[align]})\n{text}]\n"


def _list(block: ListBlock) -> str:
    items = ",".join(f"[{inline(item)}]" for item in block.items)
    if block.ordered:
        return f'#enum(start:{block.start},numbering:"1.",spacing:0.7em,indent:0.6em,{items})\n'
    return f"#list(marker:[•],spacing:0.7em,indent:0.6em,{items})\n"


def _table(block: Table) -> str:
    cells = []
    for row in block.rows:
        for cell in row:
            spans = "".join(
                f"{name}:{count},"
                for name, count in (("colspan", cell.columns), ("rowspan", cell.rows))
                if count > 1
            )
            text = f"#{quote(cell.text)}"
            cells.append(f"table.cell({spans}[{f'#strong[{text}]' if cell.header else text}])")
    strokes = {
        "all": "stroke:0.5pt",
        "lines": "stroke:(x:none,y:0.4pt)",
        "none": "stroke:none",
        "booktabs": "stroke:(x,y)=>(top:if y==0 {1pt} else if y==HEAD {0.5pt})",
    }
    head = sum(all(cell.header for cell in row) for row in block.rows)
    stroke = strokes[block.rules].replace("HEAD", str(max(head, 1)))
    numeric = ",".join(map(str, block.numeric)) + ("," if block.numeric else "")
    zebra = ",fill:(x,y)=>if calc.odd(y) {luma(240)}" if block.zebra else ""
    columns = f"({','.join(['1fr'] * block.widths)},)" if block.full else str(block.widths)
    align = f"(x,y)=>if x in ({numeric}) {{right}} else {{left}}"
    foot = "table.hline(stroke:1pt)," if block.rules == "booktabs" else ""
    return (
        f"#align(center,block(above:1em,below:1em)[#set text(size:{block.size}em,hyphenate:false)\n"
        f"#set par(justify:false,first-line-indent:0em,leading:0.45em)\n"
        f"#table(columns:{columns},inset:(x:5pt,y:3.2pt),{stroke},align:{align}{zebra},{','.join(cells)},{foot})])\n"
    )


def _columns(block: Columns, style: Style) -> str:
    inner = "\n".join(_block(each, style) for each in block.blocks)
    flow = f"columns({block.count},gutter:{block.gutter}pt)[\n{inner}]"
    return f"#block(height:{block.height}pt,{flow})\n" if block.height else f"#{flow}\n"
