"""What the faulty server reads on a page, so that outputs can be checked: its truth, or a text from its pixels."""

import atexit
import base64
import functools
import hashlib
import io
import json
import random
from pathlib import Path

import numpy as np
from PIL import Image

from scriptorium.pages.front_matter import FrontMatter, encode
from scriptorium.pages.pdf import PdfWorker
from scriptorium.serve.adapter import load

WORDS = [
    "pagina",
    "folium",
    "Seite",
    "страница",
    "頁",
    "ἔργον",
    "œuvre",
    "|",
    "*",
    "_",
    "<b>",
    "$x^2$",
    "&",
    "🜍",
]


KNOWN: dict[str, str] = {}
"""True answers by the hash of the page's image."""


def learn(*files: str) -> None:
    """Take the true answers in these JSON files for the pages that they name."""
    for file in files:
        KNOWN.update(json.loads(Path(file).read_text(encoding="utf-8")))


def hash_of_pixels(image: np.ndarray) -> str:
    """The name of a page image (H, W, 3): a hash of its size and pixels, whatever file format it came in."""
    return hashlib.sha256(repr(image.shape).encode() + np.ascontiguousarray(image).tobytes()).hexdigest()


def hash_of_url(url: str) -> str:
    """The name of the image in a data URL."""
    with Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))) as image:
        return hash_of_pixels(np.asarray(image.convert("RGB")))


def text_of(name: str) -> str:
    """The text of the page image `name`: several paragraphs, no two pages alike."""
    chance = random.Random(name)
    paragraphs = [" ".join(chance.choices(WORDS, k=chance.randrange(3, 12))) for _ in range(4)]
    return "\n\n".join([f"Page {name[:16]}", *paragraphs])


def answer_of(name: str) -> str:
    """The whole answer for the page image `name`."""
    return KNOWN.get(name) or encode(FrontMatter(), text_of(name))


def page_hashes(path: Path, adapter: str) -> list[str]:
    """The names of a PDF's page images."""
    rules, pdf = load(adapter), worker()
    images = [
        pdf.render(path, page, rules.image_side, max_scale=rules.max_scale)
        for page in range(1, len(pdf.pages(path)) + 1)
    ]
    return [hash_of_pixels(image) for image in images]


@functools.cache
def worker() -> PdfWorker:
    """One for all the tests of this process; its child ends with it."""
    pdf = PdfWorker()
    atexit.register(pdf.close)
    return pdf


def true_texts(path: Path, adapter: str) -> list[str]:
    """The text that each page of a PDF ought to have after conversion."""
    return [text_of(name).strip() for name in page_hashes(path, adapter)]
