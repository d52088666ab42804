"""Whether a page to learn from is known to a bench or to held-out pages: by runs of 13 words, and by its image.

13 words in a row are what GPT-3's authors took for a sign that a text was seen (Brown et al., 2020, appendix C).
Known is what the truth of a measured page says, what its tests ask for, and what its text layer has.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scriptorium.errors import InputError
from scriptorium.files import read_jsonl
from scriptorium.mix.duplicates import image_hash, tells
from scriptorium.mix.shingles import shingles
from scriptorium.pages import front_matter
from scriptorium.pages.pdf import PdfError, PdfWorker
from scriptorium.progress import track

WORDS = 13
"""Words in a run that must not be known."""
BITS = 6
"""Bits, of 256, in which the images of one and the same page may differ."""
SIDE = 320
"""Pixels of the longest side at which images are compared."""

FIELDS = ("text", "before", "after", "cell", "math")
"""Of a test, what it asks for."""


@dataclass(frozen=True)
class Known:
    """What measured pages say: hashes of their runs of words (uint64, sorted), and of their images (N, 8)."""

    runs: np.ndarray
    images: np.ndarray

    def fault(self, text: str, image: np.ndarray | None) -> str:
        """What of a page is known, "" if nothing is. `image` is its hash, None where that is not asked."""
        own = shingles(text, WORDS)
        places = np.searchsorted(self.runs, own)
        hits = int((self.runs[np.minimum(places, len(self.runs) - 1)] == own).sum()) if len(self.runs) else 0
        if hits:
            return f"{hits} of {len(own)} runs of {WORDS} words are in measured pages"
        if image is None or not len(self.images) or not tells(image[None])[0]:
            return ""
        bits = int(np.unpackbits((self.images ^ image).view(np.uint8), axis=1).sum(axis=1).min())
        return f"its image differs from a measured page's in {bits} of 256 bits" if bits <= BITS else ""


def known(folders: list[Path], images: bool = True) -> Known:
    """What the pages of bench folders say (`pdfs/**.pdf`, `.md` beside them if there is one, `*.jsonl`).

    A PDF that cannot be opened is passed over: no model can be measured on it. Raises InputError for a folder
    without `pdfs/`, or for tests that cannot be read.
    """
    runs: list[np.ndarray] = [np.empty(0, np.uint64)]
    hashes: list[np.ndarray] = []
    with PdfWorker() as worker:
        for folder in folders:
            if not (folder / "pdfs").is_dir():
                raise InputError(f"{folder}: no pdfs/ in it; name a folder in the bench layout")
            runs += [shingles(text, WORDS) for text in _asked(folder)]
            pdfs = sorted((folder / "pdfs").rglob("*.pdf"))
            for pdf in track(pdfs, len(pdfs), "measured pages looked at"):
                runs += [shingles(text, WORDS) for text in _texts(pdf, worker)]
                hashes += _images(pdf, worker) if images else []
    return Known(np.unique(np.concatenate(runs)), np.array(hashes, np.uint32).reshape(-1, 8))


def _asked(folder: Path) -> list[str]:
    """The texts that tests ask for."""
    found = []
    for path in sorted(folder.glob("*.jsonl")):
        try:
            tests: list[dict[str, Any]] = read_jsonl(path)
            found += [test[key] for test in tests for key in FIELDS if isinstance(test.get(key), str)]
        except (ValueError, AttributeError) as error:
            raise InputError(
                f"{path}: not a file of tests ({error}); mend it, or name another folder"
            ) from error
    return found


def _texts(pdf: Path, worker: PdfWorker) -> list[str]:
    """The truth beside a PDF, and the text layer of its pages."""
    truth = pdf.with_suffix(".md")
    found = [front_matter.body(truth.read_text("utf-8", "replace"))] if truth.is_file() else []
    try:
        return found + [worker.text(pdf, page) for page in range(1, len(worker.pages(pdf)) + 1)]
    except PdfError:
        return found


def _images(pdf: Path, worker: PdfWorker) -> list[np.ndarray]:
    try:
        return [image_hash(worker.render(pdf, page, SIDE)) for page in range(1, len(worker.pages(pdf)) + 1)]
    except PdfError:
        return []
