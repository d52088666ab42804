"""Makes the PDFs of the five pages from their sources: `python -m scriptorium.verify.make`, with the extra synth."""

import io
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from scriptorium.files import whole

PAGES = Path(__file__).parent / "pages"
SCANS = ("ledger",)
"""Pages that become pictures, as of a scanner."""
PPI = 110.0
TILT = 0.7
"""Degrees, counter-clockwise."""


def make(folder: Path) -> None:
    """Compile every source in `folder` to `folder/pdfs`. Needs the package typst."""
    import typst

    for source in sorted(folder.glob("*.typ")):
        if source.stem in SCANS:
            data = scanned(typst.compile(source, format="png", ppi=PPI))
        else:
            data = typst.compile(source, format="pdf", timestamp=0)
        with whole(folder / "pdfs" / f"{source.stem}.pdf") as path:
            path.write_bytes(data)


def scanned(png: bytes) -> bytes:
    """A PDF with the picture of a page as a cheap scanner would give it: grey, tilted, soft, noisy."""
    page = Image.open(io.BytesIO(png)).convert("L")
    page = page.rotate(TILT, Image.Resampling.BICUBIC, fillcolor=255).filter(ImageFilter.GaussianBlur(0.6))
    noise = np.random.default_rng(0).normal(-12, 6, (page.height, page.width))
    grey = Image.fromarray(np.clip(np.asarray(page) + noise, 0, 255).astype(np.uint8))
    out = io.BytesIO()
    never = time.gmtime(0)  # the same page, the same bytes
    grey.save(out, "PDF", resolution=PPI, quality=60, creationDate=never, modDate=never)
    return out.getvalue()


if __name__ == "__main__":
    make(PAGES)
