"""Mutants of a truth: texts that differ in what one type of test asks, and on which those tests have to fail."""

import re
from typing import Any

from scriptorium.synth.expressions import GREEK

Test = dict[str, Any]
_GREEK = "|".join(("varphi", *GREEK))


def mutant(kind: str, tests: list[Test], text: str) -> str:
    """`text` (Markdown) made wrong in what each of `tests`, all of type `kind`, asks of it."""
    for test in tests:
        text = _MUTATIONS[kind](test, text)
    return text


def altered(text: str, digits: bool = False) -> str:
    """`text` with its middle letter or digit changed; `digits`: a digit becomes another, else a letter O.

    Another digit makes of Question 1 perhaps Question 4, which some test may ask for.
    """
    places = [k for k, c in enumerate(text) if c.isalnum()]
    at = places[len(places) // 2]
    if text[at] in "0123456789":
        other = str((int(text[at]) + 3) % 10) if digits else "O"
    else:
        other = "q" if text[at] not in "qQ" else "z"
    return text[:at] + other + text[at + 1 :]


def _found(text: str, wanted: str) -> re.Match[str] | None:
    """Where `wanted` stands in `text`, whatever the blanks and the letter case."""
    pattern = r"\s+".join(map(re.escape, wanted.split()))
    return re.search(pattern, text) or re.search(pattern, text, re.IGNORECASE)


def _alter(text: str, wanted: str) -> str:
    match = _found(text, wanted)
    return text if match is None else text[: match.start()] + altered(match.group()) + text[match.end() :]


def _swapped(text: str, one: str, other: str) -> str:
    first, second = _found(text, one), _found(text, other)
    if first is None or second is None or first.end() > second.start():
        return text
    between = text[first.end() : second.start()]
    return text[: first.start()] + second.group() + between + first.group() + text[second.end() :]


def _cell(text: str, wanted: str) -> str:
    """`text` with the cell that reads `wanted` changed."""
    from html import escape

    shown = f">{escape(wanted, quote=False)}<"
    return text.replace(shown, f">{altered(wanted, digits=True)}<") if shown in text else text


def _plain(test: Test, text: str) -> str:
    wanted = test["text"]
    if test["format"] == "heading":
        return re.sub(rf"(?m)^#+ (?={re.escape(wanted)}$)", "", text)
    # All of them: olmOCR-bench takes the text between the marks of two neighbours for marked too.
    return text.replace("*", "")


def _formula(test: Test, text: str) -> str:
    """One variable or digit of the formula changed, in the truth itself."""
    latex = test["math"]
    places = [m.start() for m in re.finditer(r"(?<![\\a-zA-Z])[0-9a-z](?![a-zA-Z])", latex)]
    if not places:  # Greek letters alone: one of them becomes a kappa, which the grammar does not draw
        return text.replace(latex, re.sub(rf"\\(?:{_GREEK})(?![a-z])", r"\\kappa", latex, count=1))
    at = places[-1]
    other = str((int(latex[at]) + 3) % 10) if latex[at].isdigit() else ("q" if latex[at] != "q" else "z")
    return text.replace(latex, latex[:at] + other + latex[at + 1 :])


def _flat(test: Test, text: str) -> str:
    """All headings on one level."""
    return re.sub(r"(?m)^#+ ", "## ", text)


_MUTATIONS = {
    "present": lambda test, text: _alter(text, test["text"]),
    "count": lambda test, text: _alter(text, test["text"]),
    "absent": lambda test, text: f"{test['text']}\n\n{text}",
    "order": lambda test, text: _swapped(text, test["before"], test["after"]),
    "chain": lambda test, text: _swapped(text, test["items"][0], test["items"][-1]),
    "list": lambda test, text: _alter(text, test["items"][-1]),
    "code": lambda test, text: _alter(text, test["text"]),
    "table": lambda test, text: _cell(text, test["cell"]),
    "table_row": lambda test, text: _cell(text, test["cells"][0]),
    "numeric_cell": lambda test, text: re.sub(
        r"(?<=>)[\d.]+(?=<)", lambda m: altered(m.group(), digits=True), text
    ),
    "table_shape": lambda test, text: re.sub(r"<tr>(?:(?!</tr>).)*</tr>\n</table>", "</table>", text),
    "format": _plain,
    "footnote": lambda test, text: text.replace(f"<sup>{test['marker']}</sup>", ""),
    "math": _formula,
    "heading_outline": _flat,
    "baseline": lambda test, text: "" if test.get("max_length") is None else f"{text} words on an empty page",
}
