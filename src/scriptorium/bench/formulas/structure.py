"""The structure of a formula: what is read out of its MathML, as one string in which its parts can be sought.

Every symbol and every construct is a node, written between NODE and END; the rows within a construct are
parted by ROW. So a formula stands in another, as a run of nodes of some row at any depth, exactly if its
string stands in the other's. Spellings that look the same come out the same: braces, spaces, sizes and colours
are no nodes, scripts follow what they belong to, the lines of an alignment are one row.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from lxml import etree

NODE, END, INNER, ROW = "\x02", "\x03", "\x04", "\x05"
DEEPEST = 120
"""Levels of MathML that are read (some fifty fractions within each other; Python's stack bears no more)."""

OVERLINE, BAR = "‾", "¯"
_STRUCK = "\u0338"

_GLYPHS = str.maketrans(
    {
        **{"-": "−", "*": "∗", "|": "∣", "‖": "∥", "∶": ":", "·": "⋅", "\\": "∖", "◦": "∘", "µ": "μ"},
        **{"∆": "Δ", "⋯": "…", "'": "′", "’": "′", "″": "′′", "‴": "′′′", "⁗": "′′′′", "˜": "~", "ˆ": "^"},
        **{"ˉ": BAR, "⃗": "→", "⟶": "→", "⟵": "←", "⟷": "↔", "⟹": "⇒", "⟸": "⇐", "⟺": "⇔", "⟼": "↦"},
        **{"⩽": "≤", "⩾": "≥"},
    }
)
_UNSEEN = re.compile(r"[\s\u200b-\u200f\u2060-\u2064\ufeff]+")
_ALPHABETS = {
    **{"bold": "b", "bold-italic": "b", "double-struck": "d", "script": "c", "bold-script": "cb"},
    **{"fraktur": "f", "bold-fraktur": "fb", "sans-serif": "s", "bold-sans-serif": "sb"},
    **{"sans-serif-italic": "s", "sans-serif-bold-italic": "sb", "monospace": "m"},
}
"""The alphabets that mean something; upright and italic letters are the same."""

_NAMED = (
    ("DOUBLE-STRUCK", "double-struck"),
    ("FRAKTUR", "fraktur"),
    ("BLACK-LETTER", "fraktur"),
    ("SCRIPT", "script"),
    ("SANS-SERIF", "sans-serif"),
    ("MONOSPACE", "monospace"),
    ("BOLD", "bold"),
)
_LARGE = set("∑∏∐∫∬∭⨌∮∯∰⋃⋂⋁⋀⨁⨂⨀⨄⨆⨅")
_OPENING = set("([{⟨⌊⌈∣∥⟦")
_FLAT = {"math", "semantics", "mrow", "mstyle", "mpadded", "merror", "maction", "mtd", "mtr"}
_SKIPPED = {"annotation", "annotation-xml", "mphantom", "mspace", "maligngroup", "malignmark", "none"}
_TEXT = {"mi", "mn", "mo", "mtext", "ms"}
_PARSER = etree.XMLParser(
    recover=True,
    huge_tree=True,
    resolve_entities=False,
    no_network=True,
    remove_comments=True,
    remove_pis=True,
)


@dataclass(frozen=True)
class Structure:
    """The nodes of a formula, those of its equation number, and whether it lies too deep to be read."""

    body: str = ""
    tag: str = ""
    too_deep: bool = False

    def holds(self, other: "Structure") -> bool:
        """Whether the other formula stands in this one; its equation number, if it has one, must be this one's.

        An overline that is asked for may have come out as a bar.
        """
        if other.tag and other.tag != self.tag:
            return False
        if other.body in self.body:
            return True
        return OVERLINE in other.body and other.body.replace(OVERLINE, BAR) in self.body.replace(
            OVERLINE, BAR
        )


class _Node(NamedTuple):
    """A symbol (`kind` is empty, `name` its glyph and alphabet) or a construct of rows."""

    kind: str
    name: str
    rows: "Sequence[Sequence[_Node]]"


def structure(mathml: str) -> Structure:
    """The structure of a formula's MathML; nothing in it for an empty text."""
    root = etree.fromstring(mathml, _PARSER) if mathml.strip() else None
    if root is None:
        return Structure()
    reader = _Reader()
    try:
        body = reader.read([root])
    except _TooDeep:
        return Structure(too_deep=True)
    return Structure(_written(body), _written(reader.tag))


class _TooDeep(Exception):
    """Elements lie deeper than DEEPEST."""


def _written(row: Sequence[_Node]) -> str:
    return "".join(
        f"{NODE}{node.name}{END}"
        if not node.kind
        else f"{NODE}{node.kind}{node.name}{INNER}{ROW.join(map(_written, node.rows))}{END}"
        for node in row
    )


def _name(element: etree._Element) -> str:
    """The name of an element, without its namespace; nothing for an entity that nobody knows."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


class _Reader:
    """Reads elements to rows of nodes; keeps the equation number apart."""

    def __init__(self) -> None:
        self.tag: list[_Node] = []
        self.level = 0

    def read(self, elements: list[etree._Element]) -> list[_Node]:
        """The row that elements make when they stand side by side."""
        return _settled(self.nodes(elements))

    def nodes(self, elements: Iterable[etree._Element]) -> list[_Node]:
        """The nodes of elements, those of mere wrappers unwrapped. Raises _TooDeep."""
        self.level += 1
        if self.level > DEEPEST:
            raise _TooDeep
        row: list[_Node] = []
        for element in elements:
            name = _name(element)
            if name in _SKIPPED or not name:
                continue
            if name in _TEXT and not len(element):
                row += _symbols(element.text or "", element.get("mathvariant", ""))
            elif name in _FLAT or name in _TEXT:
                row += self.nodes(element)
            else:
                row += self.construct(name, element, [self.part(child) for child in element])
        self.level -= 1
        return row

    def part(self, element: etree._Element) -> list[_Node]:
        """One child of a construct; a table's rows are read with the table."""
        return [] if _name(element) in ("mtr", "mlabeledtr") else self.read([element])

    def construct(self, name: str, element: etree._Element, parts: list[list[_Node]]) -> list[_Node]:
        """The nodes of an element that sets its children otherwise than side by side."""
        first, second, third = [*parts, [], [], []][:3]
        if name in ("msub", "munder"):
            below, above = second, []
        elif name in ("msup", "mover"):
            below, above = [], second
        else:
            below, above = second, third
        if name in ("msub", "msup", "msubsup"):
            return [*first, _Node("script", "", [below, _raised(above)])]
        if name in ("munder", "mover", "munderover"):
            return _stacked(element, first, below, above)
        if name == "mfrac":
            if re.match(r"0(\D|$)", element.get("linethickness", "")):
                return [_Node("table", "", [[_cell(first)], [_cell(second)]])]
            return [_Node("frac", "", [first, second])]
        if name in ("msqrt", "mroot"):
            inside = [node for part in parts for node in part] if name == "msqrt" else first
            return [_Node("root", "", [inside, second if name == "mroot" else []])]
        inside = [node for part in parts for node in part]
        if name == "menclose":
            notation = element.get("notation", "")
            return inside if "box" in notation else [_Node("enclose", notation, [inside])]
        return self.table(element) if name == "mtable" else inside

    def table(self, element: etree._Element) -> list[_Node]:
        """A table's cells; the lines of an alignment are joined, an equation number is put aside."""
        rows = []
        for line in element:
            cells = []
            for cell in line:
                if "eqn-num" in cell.get("class", ""):
                    self.tag += self.read([cell])
                elif "mtr-glue" not in cell.get("class", ""):
                    cells.append(self.read([cell]))
            rows.append(cells)
        if element.get("width") == "100%" and len(rows) == 1 and len(rows[0]) == 4:
            self.tag += rows[0][3]
            return rows[0][1]
        spacing, align = element.get("columnspacing", ""), element.get("columnalign", "")
        if spacing.startswith("0em") or not align or align == "right center left":
            rows = [[[node for cell in cells for node in cell]] for cells in rows]
        return [_Node("lines", "", [[_cell(cell) for cell in cells] for cells in rows])]


def _raised(row: list[_Node]) -> list[_Node]:
    """A superscript; a prime in it, which is a superscript of nothing, is just raised (`x^{'}` is `x'`)."""
    if row and row[0].kind == "script" and not row[0].rows[0]:
        return [*row[0].rows[1], *row[1:]]
    return row


def _cell(row: list[_Node]) -> _Node:
    return _Node("cell", "", [row])


@lru_cache(maxsize=4096)
def _symbols(text: str, variant: str) -> tuple[_Node, ...]:
    """The symbols of a piece of text, each with its alphabet."""
    nodes = []
    for character in _UNSEEN.sub("", text):
        plain, alphabet = _plain(character)
        for glyph in plain.translate(_GLYPHS):
            mark = _ALPHABETS.get(alphabet or variant, "") if glyph.isalnum() else ""
            nodes.append(_Node("", glyph + mark, ()))
    return tuple(nodes)


def _plain(character: str) -> tuple[str, str]:
    """A mathematical letter of Unicode as a plain one and its alphabet; others as they are."""
    font, _, code = unicodedata.decomposition(character).partition(" ")
    if font != "<font>":
        return character, ""
    name = unicodedata.name(character, "")
    return chr(int(code, 16)), next((alphabet for mark, alphabet in _NAMED if mark in name), "")


def _stacked(
    element: etree._Element, base: list[_Node], below: list[_Node], above: list[_Node]
) -> list[_Node]:
    """What stands over and under: the limits of an operator are scripts, wherever they are set."""
    if (
        len(element)
        and _is_operator(element[0])
        and "true" not in (element.get("accent"), element.get("accentunder"))
    ):
        return [*base, _Node("script", "", [below, above])]
    return [_Node("stack", "", [base, below, above])]


def _is_operator(base: etree._Element) -> bool:
    """Whether it is a large sign, or a word in upright letters (lim, argmax)."""
    text = _UNSEEN.sub("", "".join(base.itertext()))
    if text in _LARGE:
        return True
    upright = all(
        len(letter.text or "") > 1 or letter.get("mathvariant") == "normal" or _name(letter) == "mtext"
        for letter in base.iter()
        if _name(letter) in ("mi", "mtext")
    )
    return len(text) > 1 and text.isalpha() and upright


def _settled(row: list[_Node]) -> list[_Node]:
    """A row with what only neighbours decide: scripts joined, dots and degrees told, loose lines unpacked."""
    out: list[_Node] = []
    for at, node in enumerate(row):
        before = out[-1] if out else None
        if node.kind == "lines":
            after = row[at + 1].name if at + 1 < len(row) else ""
            out += _unpacked(node, before.name if before and not before.kind else "", after)
        elif node.kind == "script" and before and before.kind == "script":
            joined = [[*one, *other] for one, other in zip(before.rows, node.rows, strict=True)]
            out[-1] = _Node("script", "", joined)
        elif node.name == "°" and not node.kind:
            out.append(_Node("script", "", [[], [_Node("", "∘", [])]]))
        elif node.name == _STRUCK and before and not before.kind:
            out[-1] = _Node("", unicodedata.normalize("NFC", before.name + _STRUCK), [])
        elif node.name == "." and [one.name for one in out[-2:]] == [".", "."]:
            out[-2:] = [_Node("", "…", [])]
        else:
            out.append(node)
    return out


def _unpacked(lines: _Node, before: str, after: str) -> list[_Node]:
    """A table as it is read: one column without a fence is a text in lines, and cases have no columns."""
    if before == "{" and after != "}":
        rows: Sequence[Sequence[_Node]] = [
            [_cell([node for cell in cells for node in cell.rows[0]])] for cells in lines.rows
        ]
    else:
        rows = lines.rows
    if before not in _OPENING and all(len(cells) <= 1 for cells in rows):
        return [node for cells in rows for cell in cells for node in cell.rows[0]]
    return [_Node("table", "", rows)]
