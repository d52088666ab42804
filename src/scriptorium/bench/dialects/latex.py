r"""LaTeX among Markdown, as Nougat and GOT-OCR write it: commands to Markdown, tabulars to HTML tables.

Formulas in `\(`, `\[`, `$` or `$$` are left as they are; display environments that stand bare get `\[` and `\]`.
"""

import re

from scriptorium.pages.answers.pieces import Keeper, cell, keep_math, tidy, without_marks

_ARGUMENT = r"\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}"
_HEADINGS = {"title": "#", "chapter": "#", "section": "##", "subsection": "###", "subsubsection": "####"}
_HEADING = re.compile(r"\\(title|chapter|section|subsection|subsubsection)\*?\s*" + _ARGUMENT)
_STYLES = {
    "textbf": "**",
    "textit": "*",
    "emph": "*",
    "textsc": "",
    "underline": "",
    "text": "",
    "textrm": "",
}
_STYLE = re.compile(r"\\(textbf|textit|emph|textsc|underline|textrm|text)" + _ARGUMENT)
_PLAIN = re.compile(
    r"\\(?:author|date|caption|footnotetext|footnote|thanks|address)\*?(?:\[[^\[\]\n]*\])?" + _ARGUMENT
)
_ITEM = re.compile(r"[ \t]*\\item(?![a-zA-Z])[ \t]*(?:\[([^\]\n]*)\])?[ \t]*")
_WRAPPER = re.compile(
    r"\\(?:begin|end)\{(?:table|figure|itemize|enumerate|description|abstract|center|document|flushleft|quote)\*?\}"
    r"(?:\[[^\[\]\n]*\])?"
)
_DROPPED = re.compile(
    r"\\(?:includegraphics|label|vspace|hspace|bibliographystyle)\*?(?:\[[^\[\]\n]*\])?\{[^{}\n]*\}"
    r"|\\(?:centering|maketitle|noindent|newpage|clearpage|bigskip|medskip|smallskip)(?![a-zA-Z])"
)
_DISPLAY = re.compile(
    r"\\begin\{(equation|align|gather|multline|eqnarray|displaymath)(\*?)\}((?:(?!\\begin\{\1\2\})[\s\S])*?)\\end\{\1\2\}"
)
_INNER = {"align": "aligned", "gather": "gathered", "eqnarray": "aligned", "multline": "gathered"}
_TABULAR = re.compile(r"\\(begin|end)\{(?:tabular|tabularx|longtable|array)\*?\}")
_RULES = re.compile(
    r"\\(?:hline|toprule|midrule|bottomrule|endhead|endfoot)(?![a-zA-Z])|\\(?:cline|cmidrule)(?:\([a-z]+\))?\{[^{}]*\}"
)
_ROW_END = re.compile(r"\\\\(?:\[[^\]\n]{0,20}\])?|\\tabularnewline")
_COLUMN = re.compile(r"(?<!\\)&")
_SPAN = re.compile(r"\s*\\(multicolumn|multirow)\s*\{\s*(\d{1,3})\s*\}\s*\{[^{}]*\}\s*\{")
_ESCAPE = re.compile(r"\\([&%$#_{}])")
_BREAK = re.compile(r"\\\\(?:\[[^\]\n]{0,20}\])?[ \t]*\n?")


def markdown_of(text: str) -> str:
    """The Markdown of a page of LaTeX and Markdown. Never raises."""
    keeper = Keeper()
    text = keep_math(without_marks(text), keeper)
    text = _DISPLAY.sub(lambda match: keeper.keep(_display(match)), text)
    text = tables(text, keeper)
    text = _DROPPED.sub("", _WRAPPER.sub("\n", text))
    text = _HEADING.sub(lambda m: f"\n\n{_HEADINGS[m[1]]} {' '.join(_plain(m[2]).split())}\n\n", text)
    text = _STYLE.sub(_styled, _PLAIN.sub(r"\n\n\1\n\n", text))
    text = _ITEM.sub(lambda m: f"{m[1]} " if m[1] else "- ", text)
    text = _ESCAPE.sub(r"\1", _BREAK.sub("\n", text))
    return tidy(keeper.restore(text))


def tables(text: str, keeper: Keeper) -> str:
    """The text with every outermost tabular kept as an HTML table; one that does not end goes to the end."""
    out: list[list[str]] = [[]]
    place = deeper = 0
    for match in _TABULAR.finditer(text):
        begins = match[1] == "begin"
        if not begins and len(out) == 1:
            continue  # an end without a beginning stays text
        out[-1].append(text[place : match.start()])
        place = match.end()
        if (begins and len(out) == 3) or deeper:
            deeper += 1 if begins else -1  # a table in a cell of a cell: its lines are that cell's
        elif begins:
            out.append([])
        else:
            _close(out, keeper)
    out[-1].append(text[place:])
    while len(out) > 1:
        _close(out, keeper)
    return "".join(out[0])


def _close(out: list[list[str]], keeper: Keeper) -> None:
    """End the innermost tabular: within another it is the lines of a cell, else a table."""
    body = _without_columns("".join(out.pop()))
    if len(out) > 1:
        out[-1].append(" ".join(_ROW_END.sub(" ", _COLUMN.sub(" ", _RULES.sub("", body))).split()))
    else:
        out[-1].append(f"\n\n{keeper.keep(_html(body))}\n\n")


def _without_columns(body: str) -> str:
    """A tabular's body without its position and column arguments."""
    body = re.sub(r"^\s*(?:\[[a-z]*\])?\s*", "", body)
    if not body.startswith("{"):
        return body
    depth = 0
    for place, character in enumerate(body[:2000]):
        depth += (character == "{") - (character == "}")
        if depth == 0:
            return body[place + 1 :]
    return body


def _html(body: str) -> str:
    """The rows of a tabular as an HTML table; the empty cells under a \\multirow are left out."""
    lines = []
    covered: dict[int, int] = {}
    for row in _ROW_END.split(_RULES.sub("", body)):
        if not row.strip():
            continue
        column, cells = 0, []
        for written in _COLUMN.split(row):
            content, columns, rows = _spans(written)
            if covered.get(column, 0) and not content:
                covered[column] -= 1
            else:
                attributes = f' colspan="{columns}"' * (columns > 1) + f' rowspan="{rows}"' * (rows > 1)
                cells.append(f"<td{attributes}>{cell(content)}</td>")
                covered |= dict.fromkeys(range(column, column + columns), rows - 1)
            column += columns
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return "\n".join(["<table>", *lines, "</table>"])


def _spans(written: str) -> tuple[str, int, int]:
    """The text of a cell and the columns and rows that it spans."""
    counts = {"multicolumn": 1, "multirow": 1}
    while match := _SPAN.match(written):
        counts[match[1]] = max(1, int(match[2]))
        written = written[match.end() :].rstrip().removesuffix("}")
    return _plain(written), counts["multicolumn"], counts["multirow"]


def _plain(text: str) -> str:
    """Text of a cell or heading: styles and escapes resolved, blanks collapsed."""
    for _ in range(3):
        text = _STYLE.sub(r"\2", text)
    return " ".join(_ESCAPE.sub(r"\1", text.replace("~", " ")).split())


def _styled(match: re.Match[str]) -> str:
    mark, inside = _STYLES[match[1]], match[2].strip()
    return f"{mark}{inside}{mark}" if inside else ""


def _display(match: re.Match[str]) -> str:
    inside, name = match[3].strip(), _INNER.get(match[1], "")
    return rf"\[\begin{{{name}}}{inside}\end{{{name}}}\]" if name else rf"\[{inside}\]"
