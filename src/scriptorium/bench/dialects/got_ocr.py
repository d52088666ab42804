r"""GOT-OCR: its formatted output, LaTeX for the most part.

Shape: `\title{...}`, `\section*{...}`, `\begin{tabular}...`, `\begin{itemize}`, formulas in `\(` and `\[`, text
between; the end mark `<|im_end|>` may be left. Its plain output is text and stays as it is.
"""

from scriptorium.bench.dialects import latex

NAME = "got-ocr"
VERSION = 1


def adapt(text: str) -> str:
    """The Markdown of one page; never raises."""
    return latex.markdown_of(text.replace("<|im_end|>", ""))
