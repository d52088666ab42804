r"""The formulas of a page: as olmOCR-bench finds them, and as a reader of Markdown, HTML and LaTeX would."""

import html
import re
from dataclasses import dataclass


def olmocr_formulas(markdown: str, dollars: bool) -> list[str]:
    r"""What stands between \( \), then \[ \], then $$ $$, then $ $, each taken out before the next is looked for.

    The shortest stretch counts, across lines; code, escapes and prices are not known. `dollars`: whether
    formulas between dollars count.
    """
    found: list[str] = []
    pairs = [("\\(", "\\)"), ("\\[", "\\]")] + ([("$$", "$$"), ("$", "$")] if dollars else [])
    for opening, closing in pairs:
        kept: list[str] = []
        at = 0
        while True:
            start = markdown.find(opening, at)
            # At least one character stands between the marks.
            end = markdown.find(closing, start + len(opening) + 1) if start >= 0 else -1
            if end < 0:
                break
            kept.append(markdown[at:start])
            found.append(markdown[start + len(opening) : end].strip())
            at = end + len(closing)
        kept.append(markdown[at:])
        markdown = "".join(kept)
    return found


MOST_CHARACTERS = 1_000_000
"""Characters of a page in which our own rules look for formulas: a hundred times a full page."""


@dataclass(frozen=True)
class Formula:
    """A formula of a page: its LaTeX or, if `is_mathml`, its MathML, and its span in the Markdown.

    `in_table`: it stands in a row of a Markdown table, where a pipe is written with a backslash.
    """

    text: str
    start: int
    end: int
    is_mathml: bool = False
    in_table: bool = False


_ENVIRONMENTS = (
    r"(?:equation|align|alignat|aligned|alignedat|gather|gathered|multline|eqnarray|flalign|displaymath|math|split"
    r"|cases|[pbBvV]?matrix|smallmatrix|array)\*?"
)
_TOKEN = re.compile(
    rf"""(?P<fence>^[ ]{{0,3}}(?P<ticks>`{{3,}}|~{{3,}})[ \t]*(?P<language>[^\n`]*)$)
    |(?P<code>`+)
    |(?P<comment><!--)
    |(?P<math><math(?=[\s>])[^>]*>)
    |(?P<bracket>\\\\?[(\[])
    |(?P<environment>\\begin\{{(?P<name>{_ENVIRONMENTS})\}})
    |(?P<escape>\\.)
    |(?P<display>\$\$)
    |(?P<coded>\$`(?P<inside>[^`\n]+)`\$)
    |(?P<dollar>\$)""",
    re.MULTILINE | re.VERBOSE | re.DOTALL,
)
_START = re.compile(r"[`~\\$<](?<!<(?!!--|math))")
"""A character at which a token may start, but for the indent of a fence: many times as quick to search for."""

_DOLLAR = re.compile(r"\\.|\$|\n[ \t]*\n", re.DOTALL)
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_LATEX = re.compile(r"[\\^_{}]")
_SPACED_FORMULA = re.compile(r"[\\^_{}=+<>]|^\s*\S{1,3}\s*$")
_ROW = re.compile(r"[ \t>]*\|")
_PRICE = re.compile(r"\$ ?(\d[\d.,]*\d|\d)")
_ANNOTATION = re.compile(r"<annotation[^>]*application/x-tex[^>]*>(.*?)</annotation>", re.DOTALL)
_ENTITY = re.compile(r"&(?!(?:lt|gt|amp|quot|apos);)[A-Za-z0-9]{1,31};")
"""The named entities that HTML knows and XML does not."""

_MARKUP = re.compile(r"<(?:mi|mn|mo|mrow|mtext|mfrac|msup|msub|msqrt|mtable|semantics|mstyle)[\s>]")


def strict_formulas(markdown: str, dollars: bool) -> list[Formula]:
    r"""The formulas that the page shows, in order: \( \), \[ \], $ $, $$ $$, environments, `<math>`.

    Code is not read (but ```math is), nor what is escaped; a formula goes over no blank line. A dollar pairs
    with the next one only where the two hug what stands between them, or where that is clearly LaTeX; of a
    price, the number is read. `dollars`: whether formulas between dollars count. At most MOST_CHARACTERS of the
    page are read.
    """
    return _Finder(markdown[:MOST_CHARACTERS], dollars).run()


class _Finder:
    """Goes once over a page; where a mark or a blank line next stands is not looked for twice."""

    def __init__(self, markdown: str, dollars: bool) -> None:
        self.text = markdown
        self.dollars = dollars
        self.found: list[Formula] = []
        self.seen: dict[str, int] = {}
        self.blank = -2

    def run(self) -> list[Formula]:
        """The formulas of the page."""
        at = 0
        while start := _START.search(self.text, at):
            token = self.token(start.start(), at)
            at = getattr(self, f"on_{token.lastgroup}")(token) if token else start.end()
        return self.found

    def token(self, start: int, at: int) -> re.Match[str] | None:
        """The token at `start`, or that of a fence whose indent stands before it, not before `at`."""
        line = self.text.rfind("\n", max(at - 1, 0), start) + 1
        indented = at <= line < start <= line + 3 and not self.text[line:start].strip(" ")
        fence = _TOKEN.match(self.text, line) if indented else None
        return fence or _TOKEN.match(self.text, start)

    def take(self, start: int, inner: tuple[int, int], end: int) -> int:
        """Note the formula at `inner`, if there is one; go on at `end`."""
        text = self.text[inner[0] : inner[1]].strip()
        if text:
            in_table = r"\|" in text and bool(_ROW.match(self.text, self.text.rfind("\n", 0, start) + 1))
            self.found.append(Formula(text, start, end, in_table=in_table))
        return end

    def closing(self, mark: str, at: int) -> int:
        """Where `mark` next stands; the length of the page if nowhere."""
        if self.seen.get(mark, -1) < at:
            end = self.text.find(mark, at)
            self.seen[mark] = len(self.text) if end < 0 else end
        return self.seen[mark]

    def has_blank_line(self, start: int, end: int) -> bool:
        """Whether a blank line parts what stands there."""
        while start < end and self.text[start].isspace():
            start += 1
        if self.blank < start:
            blank = _BLANK_LINE.search(self.text, start)
            self.blank = blank.start() if blank else len(self.text)
        return self.blank < end and bool(self.text[self.blank : end].strip())

    def on_fence(self, token: re.Match[str]) -> int:
        """Skip a fenced block; one in the language `math` is a formula."""
        mark = "\n" + token["ticks"]
        end = self.closing(mark, token.end())
        if token["language"].strip() == "math":
            return self.take(token.start(), (token.end(), end), end + len(mark))
        return end + len(mark)

    def on_code(self, token: re.Match[str]) -> int:
        """Skip a piece of code, if it ends in its paragraph."""
        end = self.closing(token.group(), token.end())
        lost = end == len(self.text) or self.has_blank_line(token.end(), end)
        return token.end() if lost else end + len(token.group())

    def on_comment(self, token: re.Match[str]) -> int:
        """Skip a comment of HTML."""
        return self.closing("-->", token.end()) + 3

    def on_math(self, token: re.Match[str]) -> int:
        """Take the LaTeX of an annotation, the MathML, or the LaTeX that some write into the element."""
        end = self.closing("</math>", token.end())
        if end == len(self.text):
            return token.end()
        inner = self.text[token.end() : end]
        annotation = _ANNOTATION.search(inner)
        is_mathml = not annotation and bool(_MARKUP.search(inner))
        text = annotation[1] if annotation else inner
        if is_mathml:
            formula = f"<math>{_ENTITY.sub(lambda entity: html.unescape(entity[0]), inner)}</math>"
        else:
            formula = html.unescape(text).strip()
        if formula:
            self.found.append(Formula(formula, token.start(), end + 7, is_mathml))
        return end + 7

    def on_bracket(self, token: re.Match[str]) -> int:
        r"""Take what stands between \( and \), or \[ and \]."""
        mark = token.group()[:-1] + (")" if token.group()[-1] == "(" else "]")
        end = self.closing(mark, token.end())
        if end == len(self.text) or self.has_blank_line(token.end(), end):
            return token.end()
        return self.take(token.start(), (token.end(), end), end + len(mark))

    def on_environment(self, token: re.Match[str]) -> int:
        """Take an environment, those of its name within it included."""
        opening, mark = (f"\\{side}{{{token['name']}}}" for side in ("begin", "end"))
        first = self.closing(mark, token.end())
        if first == len(self.text):
            return token.end()
        open_ones, end = 0, first + len(mark)
        for side in re.compile(f"{re.escape(opening)}|{re.escape(mark)}").finditer(self.text, token.start()):
            open_ones += 1 if side.group() == opening else -1
            if not open_ones:
                end = side.end()
                break
        return self.take(token.start(), (token.start(), end), end)

    def on_escape(self, token: re.Match[str]) -> int:
        """Pass over an escaped character."""
        return token.end()

    def on_display(self, token: re.Match[str]) -> int:
        """Take what stands between double dollars."""
        end = self.closing("$$", token.end())
        if end == len(self.text) or end == token.end() or self.has_blank_line(token.end(), end):
            return token.end()
        return self.take(token.start(), (token.end(), end), end + 2) if self.dollars else end + 2

    def on_coded(self, token: re.Match[str]) -> int:
        """Take what stands between dollars and backticks."""
        return self.take(token.start(), token.span("inside"), token.end()) if self.dollars else token.end()

    def on_dollar(self, token: re.Match[str]) -> int:
        """Take what stands between dollars that are a pair; of a price, the number."""
        start = token.end()
        end = self.partner(start)
        if end >= 0 and self.is_pair(self.text[start:end], self.text[end + 1 : end + 2]):
            return self.take(token.start(), (start, end), end + 1) if self.dollars else end + 1
        price = _PRICE.match(self.text, token.start())
        if price and self.dollars:
            return self.take(token.start(), price.span(1), price.end())
        return start

    def partner(self, at: int) -> int:
        """Where the next dollar of the paragraph stands; -1 if there is none."""
        for mark in _DOLLAR.finditer(self.text, at):
            if not mark.group().startswith("\\"):
                return mark.start() if mark.group() == "$" else -1
        return -1

    @staticmethod
    def is_pair(inner: str, after: str) -> bool:
        """Whether two dollars with `inner` between them, and `after` behind, enclose a formula."""
        if not inner.strip():
            return False
        spaced = inner[0].isspace(), inner[-1].isspace()
        if spaced == (False, False):
            return not after.isdigit() or bool(_LATEX.search(inner))
        return bool((_SPACED_FORMULA if all(spaced) else _LATEX).search(inner))


_DROPPED = re.compile(r"\\label\s*\{[^{}]*\}|\\(?:nonumber|notag)(?![A-Za-z])")
_RENAMED = re.compile(r"\\(begin|end)\{(multline|flalign|displaymath|math|eqnarray)\*?\}")
_NAMES = {"multline": "gather*", "flalign": "align*", "displaymath": "gathered", "math": "gathered"}
_LETTERS = {
    ord("’"): "'",
    **{ord(one): rf"\mathbb{{{plain}}}" for one, plain in zip("ℂℍℕℙℚℝℤ", "CHNPQRZ", strict=True)},
}
"""Characters that KaTeX reads otherwise than they look."""

_ESCAPED_MARK = re.compile(r"\\([_*])")


def readings(latex: str, in_table: bool = False) -> list[str]:
    r"""The ways in which a formula's LaTeX may be meant, as KaTeX can read them; the first is the plain one.

    Labels are dropped, environments that KaTeX does not know are named as ones that look the same, entities
    of HTML are resolved. `\_` and `\*` may be Markdown's escapes, and in a row of a table so may `\|`.
    """
    plain = html.unescape(latex) if "&" in latex and ";" in latex else latex
    plain = _RENAMED.sub(_renamed, _DROPPED.sub("", plain)).translate(_LETTERS)
    meant = _ESCAPED_MARK.sub(r"\1", plain)
    ways = [plain, meant, meant.replace(r"\|", "|")] if in_table else [plain, meant]
    return list(dict.fromkeys(ways))


def _renamed(mark: re.Match[str]) -> str:
    if mark[2] == "eqnarray":
        return r"\begin{array}{rcl}" if mark[1] == "begin" else r"\end{array}"
    return f"\\{mark[1]}{{{_NAMES[mark[2]]}}}"
