"""Formulas as pages have them, made by a small grammar, and their misreadings. Deterministic for a `Random`."""

import random

Rng = random.Random

LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHKLMNPRSTUVXYZ"
GREEK = (
    r"\alpha", r"\beta", r"\gamma", r"\delta", r"\epsilon", r"\theta", r"\lambda", r"\mu", r"\nu", r"\pi", r"\rho",
    r"\sigma", r"\tau", r"\phi", r"\omega", r"\Gamma", r"\Omega",
)  # fmt: skip
SETS = (
    r"\mathbb{R}",
    r"\mathcal{L}",
    r"\mathbf{x}",
    r"\mathrm{d}",
    r"\ell",
    r"\infty",
    r"\partial",
    r"\nabla",
)
SIGNS = (
    "=",
    "+",
    "-",
    r"\leq",
    r"\geq",
    r"\in",
    r"\to",
    r"\cdot",
    r"\times",
    r"\approx",
    r"\sim",
    ",",
    "<",
    r"\mid",
)
ACCENTS = (r"\hat", r"\bar", r"\tilde", r"\vec", r"\overline", r"\dot", r"\underline", r"\widehat")
BIG = (r"\sum", r"\int", r"\prod", r"\lim", r"\max", r"\bigcup", r"\sup")
FUNCTIONS = (r"\sin", r"\cos", r"\log", r"\exp", r"\det", r"\operatorname{tr}")


def atom(rng: Rng) -> str:
    """One symbol."""
    kind = rng.random()
    if kind < 0.55:
        return rng.choice(LETTERS)
    if kind < 0.7:
        return str(rng.randrange(100))
    return rng.choice(GREEK) if kind < 0.9 else rng.choice(SETS)


def _bracketed(rng: Rng, depth: int) -> str:
    left, right = rng.choice(
        (
            ("(", ")"),
            ("[", "]"),
            (r"\left(", r"\right)"),
            (r"\{", r"\}"),
            ("|", "|"),
            (r"\left\|", r"\right\|"),
        )
    )
    return f"{left}{row(rng, depth - 1)}{right}"


def _big(rng: Rng, depth: int) -> str:
    sign = rng.choice(BIG)
    return (
        f"{sign}_{{{row(rng, 0)}}}"
        + (f"^{{{atom(rng)}}}" if sign in BIG[:3] else "")
        + f" {term(rng, depth - 1)}"
    )


def _matrix(rng: Rng, depth: int) -> str:
    name = rng.choice(("pmatrix", "bmatrix", "cases", "aligned"))
    rows = [" & ".join(term(rng, 0) for _ in range(2)) for _ in range(2)]
    return rf"\begin{{{name}}}" + r" \\ ".join(rows) + rf"\end{{{name}}}"


def term(rng: Rng, depth: int) -> str:
    """A symbol with or without scripts, a fraction, a root, a bracket, a sum, a matrix."""
    base = f"{atom(rng)} "
    if depth <= 0:
        return base.strip() + rng.choice(("", "", f"_{{{atom(rng)}}}", f"^{{{atom(rng)}}}", "^2", "_i"))
    made = (
        lambda: base.strip() + f"_{{{row(rng, 0)}}}^{{{term(rng, depth - 1)}}}",
        lambda: rf"\frac{{{row(rng, depth - 1)}}}{{{row(rng, depth - 1)}}}",
        lambda: rf"\sqrt{{{row(rng, depth - 1)}}}",
        lambda: _bracketed(rng, depth),
        lambda: _big(rng, depth),
        lambda: rf"{rng.choice(ACCENTS)}{{{atom(rng)}}}",
        lambda: rf"{rng.choice(FUNCTIONS)} {term(rng, 0)}",
        lambda: rf"\text{{{rng.choice(('if', 'for all', 'where'))}}} {term(rng, 0)}",
        lambda: _matrix(rng, depth) if depth > 1 else term(rng, 0),
    )
    return rng.choice(made)()


def row(rng: Rng, depth: int) -> str:
    """A few terms with signs between."""
    text = term(rng, depth)
    for _ in range(rng.randrange(1 if depth < 1 else 3)):
        text += f" {rng.choice(SIGNS)} {term(rng, depth)}"
    return text


def formula(rng: Rng, depth: int = 2) -> str:
    """A formula of the size that papers display."""
    return f"{row(rng, depth)} {rng.choice(SIGNS)} {row(rng, depth - 1)}"


_MISREAD = (
    ("^", "_"), ("_", "^"), (r"\frac", r"\dfrac"), (r"\left", ""), (r"\right", ""), (r"\mathbf", ""), (r"\cdot", ""),
    (r"\leq", r"\le"), (r"\epsilon", r"\varepsilon"), ("{", ""), ("}", ""), (" ", ""), (r"\sum", r"\Sigma"),
    ("=", ":="),
    (r"\hat", r"\bar"), (r"\times", "x"), ("1", "l"), ("0", "O"), ("-", "+"), (r"\sqrt", ""), (r"\mathbb", r"\mathcal"),
    (r"\overline", r"\bar"), (r"\text", r"\mathrm"), (r"\begin{pmatrix}", r"\begin{bmatrix}"), (r"\in", r"\ni"),
)  # fmt: skip


def mutated_formula(rng: Rng, text: str) -> str:
    """A formula read a little wrong, or a part of it, or more than it."""
    kind = rng.random()
    if kind < 0.5:
        found = [pair for pair in _MISREAD if pair[0] in text]
        return text.replace(*rng.choice(found), 1) if found else text + atom(rng)
    if kind < 0.65:
        return f"{text} {rng.choice(SIGNS)} {term(rng, 1)}"
    if kind < 0.75:
        return f"{term(rng, 1)} {rng.choice(SIGNS)} {text}"
    if kind < 0.85:
        start = rng.randrange(len(text) + 1)
        return text[:start] + text[start + rng.randrange(1, 4) :]
    if kind < 0.95:
        return rf"{text} \tag{{{rng.randrange(9)}}}" if rng.random() < 0.1 else rf"\displaystyle {text}"
    return text + rng.choice((r"\,", r"\quad", " .", ",", r"\label{a}", r"\nonumber"))
