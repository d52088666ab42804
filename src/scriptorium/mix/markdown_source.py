"""A Markdown source as blocks of words: what typst sets, and what a page's truth is made of.

Every word has a number; its mark in the typeset document tells the page that it came to stand on. What a reader
of the page does not see is in neither: targets of links, images, comments, raw HTML.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token

from scriptorium.mix.typst_math import typst_formula

FORMULA = re.compile(
    r"(?P<code>^(?P<fence>```+|~~~+).*?^(?P=fence)|`[^`\n]+`)"
    r"|\$\$(?P<dd>.+?)\$\$|\\\[(?P<d>.+?)\\\]|\\\((?P<i>.+?)\\\)"
    r"|(?<![\\$\w])\$(?P<ii>[^\s$](?:[^$\n]*[^\s$\\])?)\$(?![\w$])",
    re.DOTALL | re.MULTILINE,
)
HELD = re.compile("\ue000(\\d+)\ue001")
"""Stands for a formula while Markdown is read: its signs mean other things there."""

FRONT = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
MARKS = {"strong": "**", "em": "*", "s": "~~"}
LOOKS = {"strong": "strong", "em": "emph", "s": "strike"}


@dataclass(frozen=True)
class Word:
    """A word: its number, its truth, its typst code, the looks around it, and whether a space is before it."""

    number: int
    text: str
    code: str
    looks: tuple[str, ...] = ()
    spaced: bool = True


@dataclass
class Block:
    """A heading, paragraph, item, line of code or cell: its words, and what stands before them where they begin.

    `kind`: heading, paragraph, item, code or cell. `level`: of a heading, or the depth of an item or quote.
    `row`: table row that a cell is of. `head`: whether the cell is one of the table's head.
    """

    kind: str
    words: list[Word] = field(default_factory=list)
    level: int = 0
    bullet: str = ""
    group: int = 0
    row: int = 0
    head: bool = False


class Source:
    """The blocks of one Markdown text. Raises FormulaError for a formula that cannot be set."""

    def __init__(self, text: str) -> None:
        self.blocks: list[Block] = []
        self._formulas: list[tuple[str, str]] = []
        self._count = 0
        self._groups = 0
        plain = FRONT.sub("", text.removeprefix("\ufeff").replace("\r\n", "\n"))
        plain = re.sub(r"[\ue000\ue001]", "", plain)
        reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])
        self._read(reader.parse(FORMULA.sub(self._hold, plain)))

    def _hold(self, match: re.Match[str]) -> str:
        """Put a formula aside; code stays as it is."""
        if match["code"]:
            return match[0]
        shown = match["dd"] or match["d"]
        latex = (shown or match["i"] or match["ii"]).strip()
        code = typst_formula(latex)
        truth, code = (f"\\[ {latex} \\]", f"$ {code} $") if shown else (f"\\({latex}\\)", f"${code}$")
        self._formulas.append((truth, code))
        held = f"\ue000{len(self._formulas) - 1}\ue001"
        return f"\n\n{held}\n\n" if shown else held

    def _read(self, tokens: Sequence[Token]) -> None:
        lists: list[tuple[str, int]] = []
        bullet, head, row, quotes = "", False, 0, 0
        kind, level = "paragraph", 0
        for token in tokens:
            match token.type:
                case "heading_open":
                    kind, level = "heading", int(token.tag[1])
                case "bullet_list_open" | "ordered_list_open":
                    lists.append((token.type[0], int(token.attrGet("start") or 1) - 1))
                case "bullet_list_close" | "ordered_list_close":
                    lists.pop()
                case "list_item_open":
                    sort, number = lists[-1]
                    lists[-1] = sort, number + 1
                    bullet = "-" if sort == "b" else f"{number + 1}."
                case "blockquote_open" | "blockquote_close":
                    quotes += 1 if token.type.endswith("open") else -1
                case "table_open":
                    self._groups, row = self._groups + 1, 0
                case "thead_open" | "thead_close":
                    head = token.type == "thead_open"
                case "tr_close":
                    row += 1
                case "inline":
                    in_table = bool(token.level and token.map and kind == "cell")
                    block = Block(kind, level=level, group=self._groups, row=row, head=head and in_table)
                    if lists and kind == "paragraph":
                        block.kind, block.level, block.bullet = "item", len(lists), bullet
                        bullet = ""
                    block.words = list(self._words(token.children or []))
                    if block.words or kind == "cell":
                        self.blocks.append(block)
                case "th_open" | "td_open":
                    kind = "cell"
                case "fence" | "code_block":
                    self._code(token.content)
                case "heading_close" | "th_close" | "td_close":
                    kind, level = "paragraph", 0
                case _:
                    pass

    def _code(self, content: str) -> None:
        self._groups += 1
        for line in content.rstrip("\n").split("\n"):
            word = Word(self._next(), line, f"raw({quoted(line or ' ')})")
            self.blocks.append(Block("code", [word], group=self._groups))

    def _next(self) -> int:
        self._count += 1
        return self._count

    def _words(self, children: Sequence[Token]) -> Iterator[Word]:
        """The words of a run of text with the looks around them."""
        looks: list[str] = []
        spaced = False
        for child in children:
            name = child.type.removesuffix("_open").removesuffix("_close")
            if name in MARKS:
                looks.append(name) if child.nesting == 1 else looks.remove(name)
            elif child.type in ("softbreak", "hardbreak"):
                spaced = True
            elif child.type == "code_inline":
                yield Word(
                    self._next(), f"`{child.content}`", f"raw({quoted(child.content)})", tuple(looks), spaced
                )
                spaced = False
            elif child.type == "text":
                for piece in re.findall("\\s+|\ue000\\d+\ue001|[^\\s\ue000]+", child.content):
                    if piece.isspace():
                        spaced = True
                        continue
                    text, code = self._piece(piece)
                    yield Word(self._next(), text, code, tuple(looks), spaced)
                    spaced = False

    def _piece(self, piece: str) -> tuple[str, str]:
        if held := HELD.fullmatch(piece):
            return self._formulas[int(held[1])]
        return piece, quoted(piece)


def quoted(text: str) -> str:
    """A typst string; nothing in it can end the string or start code."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{{{ord(c):x}}}" for c in escaped) + '"'


def truth_of(blocks: Sequence[Block], is_here: Callable[[Word], bool]) -> str:
    """The Markdown of those words that are here: of a page, each block with what of it stands there."""
    parts: list[tuple[Block, str]] = []
    rows: list[list[tuple[Block, str]]] = []
    for block in blocks:
        words = [word for word in block.words if is_here(word)]
        if block.kind == "cell":
            if rows and rows[-1][0][0].group == block.group and rows[-1][0][0].row == block.row:
                rows[-1].append((block, _cell(words)))
            else:
                rows.append([(block, _cell(words))])
                parts.append((block, f"\ue000{len(rows) - 1}\ue001"))
        elif words:
            parts.append((block, _line(block, words)))
    return _joined(parts, rows)


def _line(block: Block, words: list[Word]) -> str:
    if block.kind == "code":
        return words[0].text
    text = _styled(words)
    if words[0] is not block.words[0]:  # it began on an earlier page
        return text
    if block.kind == "heading":
        return f"{'#' * block.level} {text}"
    if block.kind == "item" and block.bullet:
        return f"{'  ' * (block.level - 1)}{block.bullet} {text}"
    return text


def _styled(words: list[Word]) -> str:
    """The words with marks for their looks, opened and closed once around neighbours."""
    text = ""
    now: tuple[str, ...] = ()
    for number, word in enumerate(words):
        common = 0
        while common < min(len(now), len(word.looks)) and now[common] == word.looks[common]:
            common += 1
        text += "".join(MARKS[look] for look in reversed(now[common:]))
        text += " " if word.spaced and number else ""
        text += "".join(MARKS[look] for look in word.looks[common:]) + word.text
        now = word.looks
    return text + "".join(MARKS[look] for look in reversed(now))


def _cell(words: list[Word]) -> str:
    text = _styled([Word(w.number, w.text, w.code, w.looks, w.spaced) for w in words])
    return text.replace("&", "&amp;").replace("<", "&lt;") if "\\(" not in text else text


def _joined(parts: list[tuple[Block, str]], rows: list[list[tuple[Block, str]]]) -> str:
    """The blocks one below the other: lines of one list or one code together, rows of one table too."""
    out: list[str] = []
    last: Block | None = None
    for block, text in parts:
        if block.kind == "cell":
            cells = rows[int(text.strip("\ue000\ue001"))]
            if not any(cell for _, cell in cells):
                continue
            tag = "th" if block.head else "td"
            text = "<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for _, cell in cells) + "</tr>"
        together = (
            last is not None
            and last.kind == block.kind
            and (block.kind == "item" or (block.kind in ("code", "cell") and last.group == block.group))
        )
        if not together:
            out += _close(last) + ([""] if out else []) + _open(block)
        out.append(text)
        last = block
    return "\n".join(out + _close(last))


def _open(block: Block) -> list[str]:
    return {"code": ["```"], "cell": ["<table>"]}.get(block.kind, [])


def _close(block: Block | None) -> list[str]:
    return {"code": ["```"], "cell": ["</table>"]}.get(block.kind, []) if block else []
