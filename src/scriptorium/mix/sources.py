"""Markdown sources as pairs: typeset by typst, and the truth cut exactly where the pages end.

A mark behind every word tells the page that it came to stand on, so a paragraph that goes on overleaf is cut at
the word. Each document has looks of its own, drawn by its bytes and the seed.
"""

import json
import random
import tempfile
from collections.abc import Iterator
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from scriptorium.errors import HostError, InputError
from scriptorium.files import sha256_file, whole
from scriptorium.mix.markdown_source import LOOKS, Block, Source, Word, truth_of
from scriptorium.mix.offers import document_name, offer, with_front
from scriptorium.mix.pairs import Page, Pairs
from scriptorium.mix.store_pairs import check_new, counts
from scriptorium.mix.typst_math import FormulaError
from scriptorium.pages.document import DocumentWorker
from scriptorium.progress import track

FONTS = ("Libertinus Serif", "New Computer Modern", "DejaVu Sans Mono")
"""Fonts that come inside the typst wheel."""

PAPERS = ("a4", "a5", "us-letter")

PREAMBLE = """\
#set page(paper: "{paper}", margin: {margin}pt, columns: {columns})
#set text(font: "{font}", size: {size}pt, hyphenate: false)
#set par(justify: {justify})
#show raw: set text(font: "DejaVu Sans Mono")
#set table(inset: 4pt)
#let w(n) = context [#metadata((n, here().page()))<w>]
"""


def source_pairs(
    folder: Path, out: Path, seed: int = 0, language: str | None = None, fonts: Path | None = None
) -> dict[str, int]:
    """The pages of every *.md below `folder` as pairs in the folder `out`; pages kept and rejected.

    `language`: of all of them; guessed by page where there is none. `fonts`: a folder with more of them, for
    scripts that typst's own do not have. A document that cannot be typeset is one rejected row. Raises
    InputError for a folder without Markdown, ConfigError if `out` is there.
    """
    check_new(out)
    paths = sorted(path for path in folder.rglob("*.md") if path.is_file())
    if not paths:
        raise InputError(f"{folder}: no *.md in it")
    typesetter = Typesetter(fonts)
    with whole(out) as part, DocumentWorker() as worker, tempfile.TemporaryDirectory() as scratch:
        pairs = Pairs(part)
        for path in track(paths, len(paths), "sources typeset"):
            source, sha256 = path.relative_to(folder).as_posix(), sha256_file(path)
            name = document_name(source, sha256)
            try:
                pdf, truths = typesetter.pages(path.read_bytes().decode("utf-8"), f"{seed}:{sha256}")
            except (FormulaError, TypesetError) as error:
                pairs.reject(Page(name, 0, source, sha256), str(error))
                continue
            except UnicodeDecodeError as error:
                pairs.reject(Page(name, 0, source, sha256), f"not UTF-8: {error}")
                continue
            made = Path(scratch) / f"{sha256}.pdf"
            made.write_bytes(pdf)
            for number, text in enumerate(truths, 1):
                page = Page(name, number, source, sha256, source)
                offer(pairs, page, made, number, worker, partial(with_front, text, language))
            made.unlink()
        pairs.close()
    return counts(pairs)


class TypesetError(InputError):
    """A source that typst does not set."""


class Typesetter:
    """A typst compiler that keeps its fonts between documents. Same text and seed, same bytes."""

    def __init__(self, fonts: Path | None = None) -> None:
        try:
            import typst
        except ImportError as error:
            raise HostError("typesetting needs typst; install it: pip install '.[synth]'") from error
        self._typst = typst
        self._compiler = typst.Compiler(ignore_system_fonts=True, font_paths=[str(fonts)] if fonts else [])
        self._fonts = typst.Fonts(include_system_fonts=False, font_paths=[str(fonts)] if fonts else [])

    def pages(self, text: str, seed: str) -> tuple[bytes, list[str]]:
        """The PDF of a Markdown text, and the truth of each page. Raises FormulaError, TypesetError."""
        source = Source(text)
        if not source.blocks:
            raise TypesetError("nothing to set: no text in it")
        code = (preamble(random.Random(seed)) + body(source.blocks)).encode()
        try:
            pdf = self._compiler.compile(input=code, format="pdf", timestamp=0, pdf_tags=False)
            found = self._typst.query(code, "<w>", field="value", font_paths=self._fonts)
            marks: list[Any] = json.loads(found)
        except self._typst.TypstError as error:
            raise TypesetError(f"not typeset: {error}") from error
        assert isinstance(pdf, bytes)  # a list only for the formats with one file a page
        place: dict[int, int] = dict(map(tuple, marks))

        def truth(page: int) -> str:
            return truth_of(source.blocks, lambda word: place.get(word.number) == page)

        return pdf, [truth(page) for page in range(1, max(place.values()) + 1)]


def preamble(draw: random.Random) -> str:
    """The looks of a document."""
    columns = draw.choice([1, 1, 1, 2])
    paper = draw.choice(PAPERS)
    return PREAMBLE.format(
        paper=paper,
        margin=draw.choice([36, 50, 64]),
        columns=1 if paper == "a5" else columns,
        font=draw.choice(FONTS[:2]),
        size=draw.choice([9, 10, 11, 12]),
        justify=str(draw.random() < 0.6).lower(),
    )


def body(blocks: list[Block]) -> str:
    """The typst code of some blocks."""
    parts = []
    for kind, group in groupby(blocks, key=lambda block: (block.kind, block.group)):
        here = list(group)
        match kind[0]:
            case "cell":
                parts.append(_table(here))
            case "code":
                lines = "#linebreak()\n".join(_words(block.words) for block in here)
                parts.append(f"#block[#set par(justify: false)\n{lines}]")
            case _:
                parts += [_block(block) for block in here]
    return "\n\n".join(parts) + "\n"


def _block(block: Block) -> str:
    words = _words(block.words)
    if block.kind == "heading":
        return f"#heading(level: {block.level})[{words}]"
    if block.kind == "item":
        bullet = "#sym.bullet" if block.bullet == "-" else f'#"{block.bullet}"' if block.bullet else ""
        return f"#pad(left: {block.level * 12}pt)[{bullet} {words}]"
    return words  # inside #par[] a displayed formula would not be drawn


def _table(cells: list[Block]) -> str:
    columns = max(sum(1 for _ in row) for _, row in groupby(cells, key=lambda cell: cell.row))
    made = "".join(f"table.cell(breakable: false)[{_cell(cell)}]," for cell in cells)
    return f"#table(columns: {columns}, {made})"


def _cell(cell: Block) -> str:
    words = _words(cell.words)
    return f"#strong[{words}]" if cell.head and words else words


def _words(words: list[Word]) -> str:
    return "".join(_spaced(words))


def _spaced(words: list[Word]) -> Iterator[str]:
    for number, word in enumerate(words):
        yield " " if word.spaced and number else ""
        code = word.code if word.code.startswith("$") else f"#{word.code}"
        for look in reversed(word.looks):
            code = f"#{LOOKS[look]}[{code}]"
        yield f"{code}#w({word.number})"
