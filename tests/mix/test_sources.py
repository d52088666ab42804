"""Markdown typeset and cut at the borders of its pages: nothing lost, nothing twice, nothing on another page."""

import re
import tempfile
from pathlib import Path

import pytest

from scriptorium.errors import InputError
from scriptorium.files import sha256_tree
from scriptorium.mix.markdown_source import Source, truth_of
from scriptorium.mix.pairs import kept_pages
from scriptorium.mix.sources import Typesetter, source_pairs
from scriptorium.mix.typst_math import FormulaError, typst_formula
from scriptorium.pages import front_matter
from scriptorium.pages.pdf import PdfWorker

from .made import reasons

pytest.importorskip("typst")


def words(count: int, name: str = "word") -> str:
    return " ".join(f"{name}{number}" for number in range(count))


UNEQUAL = f"""# The beginning

{words(30, "lead")}

| Item | Price |
|------|------:|
{chr(10).join(f"| thing{number} | {number} |" for number in range(60))}

{words(900, "tail")}

```python
{chr(10).join(f"line_{number} = {number}" for number in range(40))}
```

1. {words(40, "first")}
2. {words(40, "second")}
   - {words(10, "inner")}
"""


def pages(text: str, seed: str = "1") -> tuple[list[str], list[str]]:
    """Truth and text layer of every page."""
    pdf, truths = Typesetter().pages(text, seed)
    with tempfile.TemporaryDirectory() as folder, PdfWorker() as worker:
        made = Path(folder) / "x.pdf"
        made.write_bytes(pdf)
        count = len(worker.pages(made))
        return truths, [worker.text(made, number) for number in range(1, count + 1)]


@pytest.mark.parametrize("seed", ["1", "2", "3", "4", "5", "6"])
def test_every_word_is_in_the_truth_of_its_own_page(seed: str) -> None:
    truths, layers = pages(UNEQUAL, seed)
    assert len(truths) == len(layers) > 1
    for truth, layer in zip(truths, layers, strict=True):
        shown = re.findall(r"(?:lead|thing|tail|line_|first|second|inner)\d+", layer)
        told = re.findall(r"(?:lead|thing|tail|line_|first|second|inner)\d+", truth)
        assert sorted(told) == sorted(shown)
    together = re.findall(r"(?:lead|thing|tail|first|second|inner)\d+", " ".join(truths))
    assert together == re.findall(r"(?:lead|thing|tail|first|second|inner)\d+", UNEQUAL)


def test_what_is_cut_stays_whole_markdown() -> None:
    truths, _ = pages(UNEQUAL)
    for truth in truths:
        assert truth.count("<table>") == truth.count("</table>")
        assert truth.count("```") % 2 == 0
        assert truth.count("<tr>") == truth.count("</tr>")
    assert truths[0].startswith("# The beginning\n\nlead0 lead1")
    assert "<tr><th>Item</th><th>Price</th></tr>\n<tr><td>thing0</td><td>0</td></tr>" in truths[0]
    assert sum(truth.count("# The beginning") for truth in truths) == 1


def test_what_no_reader_sees_is_in_neither() -> None:
    text = (
        "---\ntitle: x\n---\n[![badge](https://ci/b.svg)](https://ci) See [the page](https://example.org/secret "
        '"title") now.\n\n<!-- hidden -->\n<div align="center">\n\nEnd <b>bold</b> \\* & *so* **on *and* on**.\n'
    )
    truths, layers = pages(text)
    assert truths == ["See the page now.\n\nEnd bold * & *so* **on *and* on**."]
    for hidden in ("secret", "badge", "hidden", "div", "title"):
        assert hidden not in layers[0]


FORMULAS = [
    r"\sum_{i=1}^n \frac{x^2}{\sqrt{y}}",
    r"\sqrt[3]{x} \le \alpha \mathbb{R} f'(x) \sin x",
    r"\begin{pmatrix} a & b \\ c, & \text{if } d;\end{pmatrix}",
    r"\hat{x} \bar{y} \vec{v} \overline{AB} \underbrace{a+b}_{n}",
    r"\left( \frac12 \right] \mathbf{v} \mathcal{L} \# \& \%",
    r"\int_0^\infty e^{-x^2}\,dx \to \lim_{n \to \infty} a_n",
    r"\begin{cases} 1 & x > 0 \\ 0 & \text{else ``x''} \end{cases}",
    r"a \neq b, \; x_{i,j}^{(k)} \cdots \binom{n}{k}",
]


@pytest.mark.parametrize("formula", FORMULAS)
def test_formulas_are_typeset(formula: str) -> None:
    truths, layers = pages(f"Let ${formula}$ be.\n\n$$\n{formula}\n$$\n\nEnd")
    assert truths == [f"Let \\({formula}\\) be.\n\n\\[ {formula} \\]\n\nEnd"]
    shown = re.fullmatch(r"Let(.*)be\.(.*)End", " ".join(layers[0].split()))
    assert shown
    inline, displayed = ({c for c in each if not c.isspace()} for each in shown.groups())
    assert inline and inline <= displayed | {"\u2061"}  # both are drawn


def test_what_looks_like_a_formula_and_is_none() -> None:
    text = "It costs $5 and then $7, or `$x$` here.\n\n```\n$y$\n```"
    assert truth_of(Source(text).blocks, lambda _: True) == text
    with pytest.raises(FormulaError, match="foo"):
        typst_formula(r"\foo")


def test_a_folder_becomes_pairs(tmp_path: Path) -> None:
    source = tmp_path / "mine"
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "a b.md").write_text("\ufeff" + UNEQUAL.replace("\n", "\r\n"))
    (source / "bad.md").write_text(r"A formula $\foo$ here")
    (source / "empty.md").write_text("<!-- nothing -->")
    (source / "latin.md").write_bytes(b"caf\xe9")
    found = source_pairs(source, tmp_path / "out", language="en")
    assert found["rejected"] == 3 and found["kept"] > 2
    said = {reason for reason in reasons(tmp_path / "out").values() if reason}
    assert said == {"formula not readable", "nothing to set", "not UTF-8"}
    rows = kept_pages(tmp_path / "out")
    assert {row["group"] for row in rows} == {"deep/a b.md"}
    with PdfWorker() as worker:
        for row in rows:
            front, text = front_matter.decode((tmp_path / "out" / row["md"]).read_text())
            assert front.primary_language == "en" and text
            assert len(worker.pages(tmp_path / "out" / row["pdf"])) == 1
    source_pairs(source, tmp_path / "two", language="en")
    assert sha256_tree(tmp_path / "out") == sha256_tree(tmp_path / "two")
    with pytest.raises(InputError, match=r"no \*\.md"):
        source_pairs(tmp_path / "none", tmp_path / "three")
