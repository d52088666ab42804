"""Pages in the dialects of other tools, written for these tests, and the Markdown that they are."""

import json

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
    "html": (HTML, HTML_MARKDOWN),
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
