"""Formulas by a grammar, each in LaTeX and in typst at once, so that the two cannot disagree."""

import random

from scriptorium.synth.document import Formula

Pair = tuple[str, str]
"""LaTeX, typst."""

LATIN = "abcdfghkmnpqrstuvwxyz"
GREEK = [
    "alpha",
    "beta",
    "gamma",
    "delta",
    "lambda",
    "mu",
    "nu",
    "rho",
    "sigma",
    "tau",
    "phi",
    "psi",
    "omega",
    "theta",
]
"""typst's phi is LaTeX's varphi."""
RELATIONS = (
    ("=", "="),
    ("\\leq", "<="),
    ("\\geq", ">="),
    ("<", "<"),
    ("\\approx", "approx"),
    ("\\equiv", "equiv"),
)
FUNCTIONS = ("sin", "cos", "log", "exp", "tan")
SETS = (("\\mathbb{R}", "RR"), ("\\mathbb{Z}", "ZZ"), ("\\mathbb{N}", "NN"), ("\\mathbb{C}", "CC"))
ACCENTS = (("hat", "hat"), ("bar", "macron"), ("vec", "arrow"), ("dot", "dot"), ("tilde", "tilde"))


class Grammar:
    """Draws formulas with `rng`."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def inline(self) -> Formula:
        """A short formula to stand in a line."""
        kind = self.rng.randrange(4)
        if kind == 0:
            left, right = self._variable(), self.rng.choice(SETS)
            return Formula(f"{left[0]} \\in {right[0]}", f"{left[1]} in {right[1]}")
        if kind == 1:
            return Formula(*self._call())
        left, relation, right = self._variable(), self.rng.choice(RELATIONS), self._sum_of(1)
        return _joined(left, relation, right)

    def display(self) -> Formula:
        """A formula that stands by itself: a relation between two sides, one of them large."""
        left = self._call() if self.rng.random() < 0.4 else self._variable()
        large = self.rng.choice(
            (self._series, self._integral, self._matrix, self._cases, self._limit, lambda: self._sum_of(3))
        )()
        return _joined(left, self.rng.choice(RELATIONS[:3]), large)

    def _variable(self) -> Pair:
        rng = self.rng
        kind = rng.random()
        if kind < 0.3:
            name = rng.choice(GREEK)
            base = ("\\varphi" if name == "phi" else f"\\{name}", name)
        else:
            letter = rng.choice(LATIN)
            base = (letter, letter)
        kind = rng.random()
        if kind < 0.25:
            index = rng.choice("ijkmn") if rng.random() < 0.5 else str(rng.randint(0, 9))
            return f"{base[0]}_{{{index}}}", f"{base[1]}_({index})"
        if kind < 0.35:
            accent = rng.choice(ACCENTS)
            return f"\\{accent[0]}{{{base[0]}}}", f"{accent[1]}({base[1]})"
        return base

    def _number(self) -> Pair:
        number = str(self.rng.randint(2, 97))
        return number, number

    def _call(self) -> Pair:
        inner = self._variable()
        if self.rng.random() < 0.4:
            name = self.rng.choice(FUNCTIONS)
            return f"\\{name}({inner[0]})", f"{name}({inner[1]})"
        letter = self.rng.choice("fghFGP")
        return f"{letter}({inner[0]})", f"{letter}({inner[1]})"

    def _power(self, base: Pair) -> Pair:
        exponent = str(self.rng.randint(2, 9)) if self.rng.random() < 0.7 else self.rng.choice("kmn")
        return f"{base[0]}^{{{exponent}}}", f"{base[1]}^({exponent})"

    def _term(self, depth: int) -> Pair:
        rng = self.rng
        kind = rng.random()
        if depth > 0 and kind < 0.35:
            top, bottom = self._sum_of(depth - 1), self._sum_of(depth - 1)
            return f"\\frac{{{top[0]}}}{{{bottom[0]}}}", f"frac({top[1]}, {bottom[1]})"
        if depth > 0 and kind < 0.5:
            inner = self._sum_of(depth - 1)
            return f"\\sqrt{{{inner[0]}}}", f"sqrt({inner[1]})"
        if kind < 0.65:
            number, variable = self._number(), self._variable()
            return f"{number[0]} {variable[0]}", f"{number[1]} {variable[1]}"
        if kind < 0.85:
            letter = rng.choice(LATIN)
            return self._power((letter, letter))
        return self._number() if kind < 0.92 else self._variable()

    def _sum_of(self, depth: int) -> Pair:
        """One to three terms with plus or minus between them."""
        latex, typst = self._term(depth)
        for _ in range(self.rng.randint(0 if depth else 1, 1 if depth else 2)):
            term, sign = self._term(depth - 1 if depth else 0), self.rng.choice("+-")
            latex, typst = f"{latex} {sign} {term[0]}", f"{typst} {sign} {term[1]}"
        return latex, typst

    def _series(self) -> Pair:
        index, upper = (
            self.rng.choice("ijk"),
            self.rng.choice((("n", "n"), ("\\infty", "infinity"), ("N", "N"))),
        )
        name, symbol = self.rng.choice((("\\sum", "sum"), ("\\prod", "product")))
        start, term = str(self.rng.randint(0, 3)), self._term(1)
        return (
            f"{name}_{{{index}={start}}}^{{{upper[0]}}} {term[0]}",
            f"{symbol}_({index}={start})^({upper[1]}) {term[1]}",
        )

    def _integral(self) -> Pair:
        low, high, term = str(self.rng.randint(0, 5)), self._variable(), self._term(1)
        by = self.rng.choice("tux")
        return (
            f"\\int_{{{low}}}^{{{high[0]}}} {term[0]} \\, d{by}",
            f"integral_({low})^({high[1]}) {term[1]} thin d {by}",
        )

    def _matrix(self) -> Pair:
        size, rng = self.rng.randint(2, 3), self.rng
        cells = [
            [self._number() if rng.random() < 0.5 else self._variable() for _ in range(size)]
            for _ in range(size)
        ]
        latex = " \\\\ ".join(" & ".join(cell[0] for cell in row) for row in cells)
        typst = "; ".join(", ".join(cell[1] for cell in row) for row in cells)
        return f"\\begin{{pmatrix}} {latex} \\end{{pmatrix}}", f"mat({typst})"

    def _cases(self) -> Pair:
        first, second, variable, number = self._sum_of(0), self._number(), self._variable(), self._number()
        return (
            f"\\begin{{cases}} {first[0]} & {variable[0]} < {number[0]} \\\\"
            f" {second[0]} & {variable[0]} \\geq {number[0]} \\end{{cases}}",
            f"cases({first[1]} & {variable[1]} < {number[1]}, {second[1]} & {variable[1]} >= {number[1]})",
        )

    def _limit(self) -> Pair:
        letter, term = self.rng.choice("nmk"), self._term(2)
        return f"\\lim_{{{letter} \\to \\infty}} {term[0]}", f"lim_({letter} -> infinity) {term[1]}"


def _joined(left: Pair, relation: Pair, right: Pair) -> Formula:
    return Formula(f"{left[0]} {relation[0]} {right[0]}", f"{left[1]} {relation[1]} {right[1]}")
