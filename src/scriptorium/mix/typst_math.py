"""LaTeX formulas as typst's: KaTeX reads them, and its MathML is written anew."""

from collections.abc import Callable

from lxml import etree

from scriptorium.bench.formulas.render import render
from scriptorium.errors import InputError

SPACE = "{http://www.w3.org/1998/Math/MathML}"

VARIANTS = {
    "bold": "bold(upright({}))",
    "italic": "italic({})",
    "bold-italic": "bold(italic({}))",
    "normal": "upright({})",
    "double-struck": "bb({})",
    "script": "cal({})",
    "fraktur": "frak({})",
    "sans-serif": "sans({})",
    "monospace": "mono({})",
}
ACCENTS = {
    "^": "hat",
    "~": "tilde",
    "ˉ": "macron",
    "¯": "macron",
    "⃗": "arrow",
    "→": "arrow",
    "˙": "dot",
    "¨": "dot.double",
    "ˇ": "caron",
    "´": "acute",
    "ˊ": "acute",
    "`": "grave",
    "ˋ": "grave",
    "˘": "breve",
}
LINES = {
    ("mover", "‾"): "overline",
    ("mover", "\u23de"): "overbrace",
    ("munder", "\u23df"): "underbrace",
    ("munder", "‾"): "underline",
    ("munder", "_"): "underline",
}
"""What spans all that it stands over or under."""

INVISIBLE = {"\u2061", "\u2062", "\u2063", "\u2064", "\u200b"}


class FormulaError(InputError):
    """A formula that cannot be typeset; the message says why."""


def typst_formula(latex: str) -> str:
    """The code of a formula in typst's mathematics mode. Raises FormulaError."""
    [found] = render([latex], layout=False)
    if found.error or not found.mathml:
        raise FormulaError(f"formula not readable: {latex[:60]!r}: {found.error or 'nothing in it'}")
    return _code(etree.fromstring(found.mathml.encode()))


def _code(node: etree._Element) -> str:
    name = str(node.tag).removeprefix(SPACE)
    if name in LEAVES:
        return LEAVES[name](node)
    if name == "mtable":
        rows = [", ".join(_code(cell) or '""' for cell in row) for row in node]
        return f"mat(delim: #none, {'; '.join(rows)})"
    parts = [_code(child) for child in node]
    if name in ROWS:
        return _row(node, parts)
    if name in SHAPES and len(parts) == SHAPES[name].count("{}"):
        return SHAPES[name].format(*(part or '""' for part in parts))
    if name in ("mover", "munder"):
        return _over(node, parts)
    raise FormulaError(f"formula not typeset: nothing is known for <{name}>")


ROWS = ("math", "mrow", "mstyle", "mpadded", "mtd", "semantics", "menclose")
SHAPES = {
    "mfrac": "frac({}, {})",
    "msup": "attach({}, t: {})",
    "msub": "attach({}, b: {})",
    "msubsup": "attach({}, b: {}, t: {})",
    "munderover": "attach(limits({}), b: {}, t: {})",
}


def _row(node: etree._Element, parts: list[str]) -> str:
    inner = " ".join(part for part in parts if part)
    fences = [child.get("fence") == "true" for child in node]
    if len(fences) > 1 and (fences[0] or fences[-1]):
        return f"lr({inner})"
    return inner


def _over(node: etree._Element, parts: list[str]) -> str:
    base, mark = (part or '""' for part in parts)
    sign = (node[1].text or "").strip()
    name = str(node.tag).removeprefix(SPACE)
    if (name, sign) in LINES:
        return f"{LINES[name, sign]}({base})"
    if node.get("accent") == "true" and sign in ACCENTS:
        return f"accent({base}, {ACCENTS[sign]})"
    side = "t" if name == "mover" else "b"
    return f"attach(limits({base}), {side}: {mark})"


def _letters(node: etree._Element) -> str:
    text = "".join(c for c in (node.text or "").strip() if c not in INVISIBLE)
    if not text:
        return ""
    code = _sign(text) if len(text) == 1 else f"op({_quoted(text)})"
    variant = node.get("mathvariant")
    return VARIANTS[variant].format(code) if variant in VARIANTS else code


def _signs(node: etree._Element) -> str:
    text = "".join(c for c in (node.text or "").strip() if c not in INVISIBLE)
    return _sign(text) if len(text) < 2 else _quoted(text)


def _sign(text: str) -> str:
    return f"\\{text}" if text.isascii() and not text.isalnum() and text.strip() else text


def _text(node: etree._Element) -> str:
    return _quoted((node.text or "").replace("\xa0", " ")) if node.text else ""


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _root(node: etree._Element) -> str:
    inner = " ".join(part for part in map(_code, node) if part)
    return "sqrt({})".format(inner or '""')


def _swapped(node: etree._Element) -> str:
    """MathML has what is under the root first, typst the degree."""
    under, degree = (_code(child) or '""' for child in node)
    return f"root({degree}, {under})"


def _nothing(_: etree._Element) -> str:
    return ""


LEAVES: dict[str, Callable[[etree._Element], str]] = {
    "mi": _letters,
    "mn": _text,
    "mo": _signs,
    "mtext": _text,
    "mspace": _nothing,
    "mphantom": _nothing,
    "annotation": _nothing,
    "msqrt": _root,
    "mroot": _swapped,
}
