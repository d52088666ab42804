"""Output adapters: a golden page of each dialect, faults by name, and no text that makes one crash or hang."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scriptorium.bench.candidates import SPECS
from scriptorium.bench.dialects import DIALECTS, DialectError, adapt_text
from scriptorium.bench.rules import judge

HTML = """<div data-bbox="10 10 500 40" data-label="Page-Header">Journal of Tests</div>
<div data-bbox="10 50 500 80" data-label="Section-Header"><h2>2. Results &amp; more</h2></div>
<div data-bbox="10 90 500 200" data-label="Text"><p>Let <math>J_1 &lt; k</math> be <b>bold </b>and <i>thin</i>,
see<sup>3</sup> and <input type="checkbox" checked> done.</p></div>
<div data-bbox="0 0 1 1" data-label="Equation-Block"><math display="block">\\sum_{i=1}^n a_{i}</math></div>
<div data-bbox="0 0 1 1" data-label="Table"><table border="1"><thead><tr><th colspan="2">Year</th></tr></thead>
<tbody><tr><td>R &amp; D</td><td><math>x < 3</math></td></tr></tbody></table></div>
<div data-bbox="0 0 1 1" data-label="List-Group"><ul><li>one</li><li>two<ol><li>inner</li></ol></li></ul></div>
<div data-bbox="0 0 1 1" data-label="Image"><img alt="A chart of sales"/></div>
<div data-bbox="0 0 1 1" data-label="Code-Block"><pre>a = 1
b  = 2</pre></div>
<div data-bbox="0 0 1 1" data-label="Page-Footer">17</div>"""
HTML_MARKDOWN = r"""## 2. Results & more

Let $J_1 \lt k$ be **bold** and *thin*, see<sup>3</sup> and ☑ done.

$$
\sum_{i=1}^n a_{i}
$$

<table>
<thead>
<tr><th colspan="2">Year</th></tr>
</thead>
<tbody>
<tr><td>R &amp; D</td><td>$x \lt 3$</td></tr>
</tbody>
</table>

- one
- two
  1. inner

![A chart of sales](image.png)

```
a = 1
b  = 2
```"""
DOTS = [
    {"bbox": [1, 2, 3, 4], "category": "Page-header", "text": "Journal"},
    {"bbox": [1, 2, 3, 4], "category": "Title", "text": "A Title"},
    {"bbox": [1, 2, 3, 4], "category": "Section-header", "text": "## 1. Start"},
    {"bbox": [1, 2, 3, 4], "category": "Section-header", "text": "2. Go on"},
    {"bbox": [1, 2, 3, 4], "category": "Text", "text": "Some $x_1$ text."},
    {"bbox": [1, 2, 3, 4], "category": "List-item", "text": "an item"},
    {"bbox": [1, 2, 3, 4], "category": "Formula", "text": "a^2 + b^2"},
    {"bbox": [1, 2, 3, 4], "category": "Formula", "text": "$$c^2$$"},
    {"bbox": [1, 2, 3, 4], "category": "Table", "text": "<table><tr><td>1</td></tr></table>"},
    {"bbox": [1, 2, 3, 4], "category": "Picture"},
    {"bbox": [1, 2, 3, 4], "category": "Page-footer", "text": "3"},
]
DOTS_MARKDOWN = """# A Title

## 1. Start

## 2. Go on

Some $x_1$ text.

- an item

$$
a^2 + b^2
$$

$$
c^2
$$

<table><tr><td>1</td></tr></table>"""
LATEX = r"""\title{A \textbf{Good} Title}
\author{Ann Author}
\section*{1. Introduction}
Of \textit{all} costs 5\% are \(a & b\) high.
\begin{table}
\begin{tabular}{|l c@{}|r|}
\hline
Name & \multicolumn{2}{c}{Both \& more} \\ \hline
\multirow{2}{*}{Two} & 1 & \(x_{1}\) \\
 & \begin{tabular}[c]{@{}c@{}}up\\ down\end{tabular} & 3 \\[2pt]
\end{tabular}
\caption{Table 1: Costs}
\end{table}
\begin{itemize}
\item first
\item second
\end{itemize}
\begin{align*}a &= b\end{align*}
\[ \begin{pmatrix} 1 \\[2pt] 2 \end{pmatrix} \]"""
LATEX_MARKDOWN = r"""# A Good Title

Ann Author

## 1. Introduction

Of *all* costs 5% are \(a & b\) high.

<table>
<tr><td>Name</td><td colspan="2">Both &amp; more</td></tr>
<tr><td rowspan="2">Two</td><td>1</td><td>\(x_{1}\)</td></tr>
<tr><td>up down</td><td>3</td></tr>
</table>

Table 1: Costs

- first
- second

\[\begin{aligned}a &= b\end{aligned}\]
\[ \begin{pmatrix} 1 \\[2pt] 2 \end{pmatrix} \]"""
GOLDEN = {
    "markdown": ("# As it is\r\n\n\n\nyes <b>", "# As it is\r\n\n\n\nyes <b>"),
    "chandra": (HTML, HTML_MARKDOWN),
    "surya": (
        json.dumps(
            {
                "page.png": [
                    {
                        "blocks": [
                            {"label": "Text", "html": "<p>Then <math>J_1</math>.</p>", "reading_order": 2},
                            {"label": "SectionHeader", "html": "First", "reading_order": 1},
                            {"label": "PageFooter", "html": "<p>9</p>", "reading_order": 3},
                        ]
                    }
                ]
            }
        ),
        "## First\n\nThen $J_1$.",
    ),
    "dots": (f"```json\n{json.dumps(DOTS)}\n```", DOTS_MARKDOWN),
    "mistral": (
        json.dumps(
            {
                "pages": [
                    {
                        "index": 0,
                        "markdown": "# T\n\n![img-0.jpeg](img-0.jpeg)\n\n[tbl-0.html](tbl-0.html)\n\nEnd $x$.",
                        "images": [{"id": "img-0.jpeg"}],
                        "tables": [{"id": "tbl-0.html", "content": "<table><tr><td>1</td></tr></table>"}],
                        "header": "Journal",
                        "footer": "12",
                    }
                ]
            }
        ),
        "# T\n\n<table><tr><td>1</td></tr></table>\n\nEnd $x$.",
    ),
    "marker": (
        '{0}------------------------------------------------\n\n# <span id="page-0-0"></span>Title\n\n'
        "![](_page_0_Picture_1.jpeg)\n\nSee [\\[3\\]](#page-4-2), $J\\_1 + \\text{a\\_b}$ and ![A cat](cat.png).",
        "# Title\n\nSee \\[3\\], $J_1 + \\text{a\\_b}$ and ![A cat](cat.png).",
    ),
    "mineru": (
        "# T\n\n![](images/0a1b.jpg)\n\n<html><body><table><tr><td>1</td></tr></table></body></html>\n\n$$\nx\n$$",
        "# T\n\n<table><tr><td>1</td></tr></table>\n\n$$\nx\n$$",
    ),
    "docling": (
        "## A\n\n<!-- image -->\n\nR&amp;D of snake\\_case, a &lt; b &gt; c but &lt;b&gt; and `x\\_y`, $a &amp; b$.",
        "## A\n\nR&D of snake_case, a < b > c but &lt;b> and `x\\_y`, $a & b$.",
    ),
    "nanonets": (
        "<header>J</header>\n# T\n<watermark>COPY</watermark>\n<img>A logo <b>of</b> X</img>\n"
        "Signed <signature>Ann</signature>\n\n<page_number>9/22</page_number>",
        "# T\n\n![A logo of X](image.png)\nSigned Ann",
    ),
    "nougat": (LATEX, LATEX_MARKDOWN),
    "got-ocr": (LATEX + "<|im_end|>", LATEX_MARKDOWN),
    "deepseek-ocr": (
        "<|ref|>header<|/ref|><|det|>[[1, 2, 3, 4]]<|/det|>\nJournal\n\n"
        "<|ref|>title<|/ref|><|det|>[[1, 2, 3, 4]]<|/det|>\n# A Title\n\n"
        "<|ref|>image<|/ref|><|det|>[[1, 2, 3, 4]]<|/det|>\n\n"
        "<|ref|>text<|/ref|><|det|>[[1, 2, 3, 4]]<|/det|>\nSome \\(x\\) text.\n"
        "<|ref|>A line itself<|/ref|><|det|>[[1, 2, 3, 4], [5, 6, 7, 8]]<|/det|>\n<｜end▁of▁sentence｜>",
        "# A Title\n\nSome \\(x\\) text.\n\nA line itself",
    ),
    "pandoc": (
        "# Title {#title .unnumbered}\n\n::: note\nH~2~O and x^2^ "
        "of [small]{.smallcaps} caps\\\nnext $a^2 b^2$\n:::\n\n"
        "  Right   Left\n-------  ------\n     12  12 &\n    123  x\n\n"
        "+-----+-----+\n| A   | B   |\n+=====+=====+\n| 1   | 2   |\n|     | 3   |\n+-----+-----+\n\n"
        "``` {.python}\nx^2^\n```",
        "# Title\n\nH<sub>2</sub>O and x<sup>2</sup> of small caps<br>\nnext $a^2 b^2$\n\n"
        "<table>\n<tr><th>Right</th><th>Left</th></tr>\n<tr><td>12</td><td>12 &amp;</td></tr>\n"
        "<tr><td>123</td><td>x</td></tr>\n</table>\n\n"
        "<table>\n<tr><th>A</th><th>B</th></tr>\n<tr><td>1</td><td>2 3</td></tr>\n</table>\n\n```python\nx^2^\n```",
    ),
}
PLAIN = (
    "# Heading\n\nSome **bold** text with $x_1$ and \\(y\\), 5 % of it.\n\n- one\n- two\n\n"
    "| a | b |\n|---|---|\n| 1 | 2 |\n\n<table><tr><td>1</td></tr></table>\n\n"
    "$$\na \\\\ b\n$$\n\nText.[^1] ![A cat](cat.png)\n\n[^1]: Note."
)
TAKES_MARKDOWN = sorted(set(DIALECTS) - {"chandra", "surya", "dots", "mistral"})


def test_every_dialect_has_a_golden_page_and_a_version() -> None:
    assert set(GOLDEN) == set(DIALECTS)
    assert all(name == module.NAME and module.VERSION >= 1 for name, module in DIALECTS.items())
    assert all("dialect" in kind.model_fields for kind in SPECS.values())


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_golden_page(name: str) -> None:
    text, expected = GOLDEN[name]
    assert adapt_text(text, name) == expected


def test_content_list_of_mineru() -> None:
    items = [
        {"type": "header", "text": "Journal", "page_idx": 0},
        {"type": "text", "text": "Title", "text_level": 1, "page_idx": 0},
        {"type": "equation", "text": "$$\nx^2\n$$", "text_format": "latex", "page_idx": 0},
        {
            "type": "table",
            "table_caption": ["Table 1"],
            "table_body": "<html><body><table></table></body></html>",
        },
        {"type": "image", "img_path": "images/a.jpg", "image_caption": ["Figure 1"], "page_idx": 0},
        {"type": "list", "list_items": ["one", "2. two"], "page_idx": 0},
        {"type": "code", "code_body": "```\nx\n```", "page_idx": 0},
    ]
    expected = (
        "# Title\n\n$$\nx^2\n$$\n\nTable 1\n\n<table></table>\n\nFigure 1\n\n- one\n2. two\n\n```\nx\n```"
    )
    assert adapt_text(json.dumps(items), "mineru") == expected


def test_lines_of_surya_and_html_without_labels() -> None:
    lines = {"text_lines": [{"text": "<b>A</b> <math>x_1</math>", "bbox": []}, {"text": "second"}]}
    assert adapt_text(json.dumps(lines), "surya") == "**A** $x_1$\nsecond"
    assert (
        adapt_text("<h1>T</h1><p>one</p>", "surya")
        == adapt_text("<h1>T</h1><p>one</p>", "chandra")
        == "# T\n\none"
    )


def test_multiline_table_of_pandoc() -> None:
    text = (
        "-----------------------\n  A      B\n ------ ---------------\n  first  of more\n         lines\n\n"
        "  second 2\n-----------------------\n\nafter"
    )
    assert adapt_text(text, "pandoc") == (
        "<table>\n<tr><th>A</th><th>B</th></tr>\n<tr><td>first</td><td>of more lines</td></tr>\n"
        "<tr><td>second</td><td>2</td></tr>\n</table>\n\nafter"
    )
    assert adapt_text("one\n\n---\n\ntwo", "pandoc") == "one\n\n---\n\ntwo"
    assert adapt_text("---\ntitle: x\n---\n\ntwo", "pandoc") == "---\ntitle: x\n---\n\ntwo"


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("dots", "Plain text", "not JSON"),
        ("dots", "{}", "list of layout cells"),
        ("dots", '[{"category": "Poem", "text": "x"}]', "Poem"),
        ("dots", '[{"category": "Text"}]', "cell 0.text"),
        ("dots", json.dumps(DOTS)[:-20], "not JSON"),
        ("dots", "[" * 100_000, "deep"),
        ("mistral", '{"pages": []}', "0 pages"),
        ("mistral", '{"pages": [{}, {}]}', "2 pages"),
        ("mistral", '{"pages": [7]}', "pages"),
        ("chandra", "Just text", "no HTML tag"),
        ("chandra", "<p><math><mrow><mi>x</mi></mrow></math></p>", "MathML"),
        ("surya", "Just text", "no HTML tag"),
        ("surya", '{"blocks": [{"label": "Text"}]}', "html"),
        ("surya", '{"a": [{"text_lines": []}, {"text_lines": []}]}', "2 pages"),
        ("surya", '{"a": 1, "b": 2}', "neither"),
        ("nougat", "Before [MISSING_PAGE_FAIL:3]", "MISSING_PAGE_FAIL"),
        ("nanonets", "Text <page_number>3", "<page_number>"),
        ("deepseek-ocr", "<|ref|>text<|/ref|>no place", "out of place"),
        ("mineru", '[{"type": "poem"}]', "poem"),
        (
            "mineru",
            '[{"type": "text", "text": "a", "page_idx": 0}, {"type": "text", "page_idx": 1}]',
            "2 pages",
        ),
        ("pandoc", "+--+--+\n| ab  |\n+--+--+\n", "spans"),
    ],
)
def test_another_shape_is_an_error_that_says_what_is_wrong(name: str, text: str, says: str) -> None:
    with pytest.raises(DialectError, match=re.escape(says)):
        adapt_text(text, name)


@pytest.mark.parametrize("name", TAKES_MARKDOWN)
def test_plain_markdown_stays_as_it_is(name: str) -> None:
    assert adapt_text(PLAIN, name) == PLAIN


PIECES = st.lists(
    st.sampled_from((
        "word", " ", "\n", "\n\n", "# T", "$", "$$", "\\(", "\\)", "\\[", "\\]", "\\", "{", "}", "&", "&amp;",
        "<p>", "</p>", "<table>", "<tr><td>", "</table>", "<math>", "</math>", '<div data-label="Text">', "<li>",
        "<|ref|>", "<|/ref|>", "<|det|>[[1]]<|/det|>", "<page_number>", "</page_number>", "<img>", "</img>",
        "\\begin{tabular}{l}", "\\end{tabular}", "\\begin{align}", "\\end{align}", "\\multirow{2}{*}{", "\\\\",
        "\\textbf{", "\\title{", "\\item ", "![", "](", ")", "[", "]", "`", "```", "---", "--- ---", "+--+", "|",
        "<!--", "-->", "^", "~", ":::", '[{"type": ', '{"pages": [', '"', "\x00", "\ud800", "\ue000", "0\ue001",
    )),
    max_size=40,
).map("".join)  # fmt: skip


@pytest.mark.parametrize("name", sorted(DIALECTS))
@settings(max_examples=60, deadline=None)
@given(text=st.one_of(PIECES, st.text(max_size=200)))
def test_any_text_gives_a_text_or_the_typed_error(name: str, text: str) -> None:
    try:
        adapted = adapt_text(text, name)
    except DialectError as error:
        assert str(error)
    else:
        adapted.encode("utf-8")


FIELDS = (
    "pages|markdown|tables|id|content|blocks|html|label|text_lines|text|category|type|text_level|page_idx"
    "|table_body|list_items|reading_order"
)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(FIELDS.split("|")),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("name", ["dots", "mistral", "surya", "mineru"])
@settings(max_examples=80, deadline=None)
@given(value=JSON_VALUES)
def test_any_json_gives_a_text_or_the_typed_error(name: str, value: object) -> None:
    try:
        adapt_text(json.dumps(value), name).encode("utf-8")
    except DialectError as error:
        assert str(error)


SAFE = st.lists(
    st.sampled_from(
        ["word", "and", "5 %", "$x_1$", "\\(y^2\\)", "**bold**", "costs $5", "\n\n", "\n\n# T\n\n", "\n- a"]
    ),
    max_size=20,
).map(" ".join)


@pytest.mark.parametrize("name", TAKES_MARKDOWN)
@settings(max_examples=60, deadline=None)
@given(text=SAFE)
def test_markdown_is_adapted_once(name: str, text: str) -> None:
    once = adapt_text(text, name)
    assert adapt_text(once, name) == once
    assert re.sub(r"\s+", "", once) == re.sub(r"\s+", "", text)


LONG = [
    "<math>",
    "<div>",
    "\\[",
    "\\(",
    "$",
    "\\begin{tabular}",
    "\\textbf{",
    "<|ref|>",
    "<img>",
    "<!--",
    "[",
    "![",
    "`",
]
LONG += [
    "\\multirow{2}{*}{",
    "---\n",
    "+--+\n",
    "<page_number>",
    "^a",
    "~a",
    "&amp;",
    "<details>",
    "{",
    "\\begin{align}",
]


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_long_texts_of_openings_come_to_an_end(name: str) -> None:
    for piece in LONG:
        try:
            adapt_text(piece * 5_000, name)
        except DialectError as error:
            assert str(error)


def test_what_an_html_page_says_is_found_by_the_rules() -> None:
    page = adapt_text(HTML, "chandra")
    fields = {"pdf": "a.pdf", "page": 1, "id": "t"}
    tests: list[dict[str, object]] = [
        fields | {"type": "table", "cell": "R & D", "up": "Year"},
        fields | {"type": "present", "text": "2. Results & more"},
        fields | {"type": "absent", "text": "Journal of Tests"},
    ]
    assert all(judge(test, page, "scriptorium-1").passed for test in tests)
    assert not judge(tests[2], HTML, "scriptorium-1").passed  # what the adapter is for
