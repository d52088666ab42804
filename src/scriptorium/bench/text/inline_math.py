"""Simple inline LaTeX as plain text: numbers, signs, single letters, super- and subscripts."""

import re
from functools import lru_cache

from scriptorium.bench.text.markdown_tokens import TIGHT

_SYMBOLS = {
    **{"pm": "±", "mp": "∓", "times": "×", "div": "÷", "cdot": "·", "ast": "*", "leq": "≤", "le": "≤"},
    **{"geq": "≥", "ge": "≥", "neq": "≠", "ne": "≠", "approx": "≈", "sim": "~", "circ": "°", "degree": "°"},
    **{
        "infty": "∞",
        "to": " → ",
        "rightarrow": " → ",
        "leftarrow": " ← ",
        "in": " ∈ ",
        "ldots": "...",
        "dots": "...",
        "cdots": "...",
    },
    **{"lt": "<", "gt": ">", "prime": "'", "dagger": "†", "ddagger": "‡", "S": "§", "checkmark": "✓"},
    **{"alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε", "zeta": "ζ"},
    **{"eta": "η", "theta": "θ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ"},
    **{
        "pi": "π",
        "rho": "ρ",
        "sigma": "σ",
        "tau": "τ",
        "upsilon": "υ",
        "phi": "φ",
        "varphi": "φ",
        "chi": "χ",
    },
    **{
        "psi": "ψ",
        "omega": "ω",
        "Gamma": "Γ",
        "Delta": "Δ",
        "Theta": "Θ",
        "Lambda": "Λ",
        "Xi": "Ξ",
        "Pi": "Π",
    },
    **{
        "Sigma": "Σ",
        "Phi": "Φ",
        "Psi": "Ψ",
        "Omega": "Ω",
        "quad": " ",
        "qquad": " ",
        "left": "",
        "right": "",
    },
}
_LETTERS = re.compile(r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mathit|mbox|operatorname)\{([^{}\\]*)\}")
_SPACING = re.compile(r"\\[,;:! ]|~|\{,\}")
_COMMAND = re.compile(r"\\([a-zA-Z]+) ?")
_ESCAPED = re.compile(r"\\([%$&_#])")
_SCRIPT = re.compile(r"([\^_])\{([^{}\\^_]*)\}")
_WORD = re.compile(r"[A-Za-z]{2,}")
_SUM = re.compile(r"\{[^{}]*\}|(?<=[\w)\]}]) ?\+ ?(?=[\w(\\])")
_SIGNS = re.compile(rf" ?([{TIGHT}]) ?")


def tightened(text: str) -> str:
    """A text without the blanks beside the signs of TIGHT; runs of blanks become one."""
    return _SIGNS.sub(r"\1", " ".join(text.split()))


@lru_cache(maxsize=4096)  # completions of a page, and its candidates, repeat most of its formulas
def plain_formula(latex: str) -> str | None:
    r"""A formula as plain text (`4.1 \pm 0.2` as `4.1±0.2`, `10^{3}` as `10^3`); None if it is not simple.

    A plus between two terms stands between blanks; a minus stays as written, since it may part a range.

    Words outside \text and its like make it None too: a dollar sign in prose is no formula.
    """
    if _WORD.search(_COMMAND.sub(" ", _LETTERS.sub(" ", latex))):
        return None
    text = _SPACING.sub(lambda space: "," if space[0] == "{,}" else " ", latex)
    text = _SUM.sub(lambda found: found[0] if found[0].startswith("{") else " + ", text)
    text = _ESCAPED.sub(r"\1", text)
    # Commands before \text: else `\mu\text{m}` were a command `\mum`.
    text = _LETTERS.sub(r"\1", _COMMAND.sub(lambda command: _SYMBOLS.get(command[1], command[0]), text))
    text = _SCRIPT.sub(r"\1\2", text).replace("^°", "°").replace("^'", "'")
    if re.search(r"[\\{}]", text):
        return None
    return tightened(text)
