"""A bench of worse pictures of the same pages: pages as images without a text layer, the tests unchanged."""

import io
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter
from pydantic import BaseModel, ConfigDict, Field

from scriptorium.bench.prepare.folder import new_bench, pdfs, write_bytes
from scriptorium.errors import InputError
from scriptorium.pages.pdf import PdfWorker
from scriptorium.progress import track

POINTS = 72.0
MOST_PAGES = 100
"""Pages of one PDF, which are held in memory together."""


class Damage(BaseModel):
    """What is done to a page: drawn at `dpi`, blurred, strewn with noise, grey, packed as JPEG."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dpi: int = Field(default=150, ge=20, le=600)
    blur: float = Field(default=0.0, ge=0, le=50, description="Radius of a Gaussian blur, pixels.")
    noise: float = Field(default=0.0, ge=0, le=128, description="Standard deviation, of 255 levels.")
    grey: bool = False
    jpeg: int = Field(default=90, ge=1, le=100, description="JPEG quality.")
    seed: int = 0


def degrade(root: Path, out: Path, damage: Damage) -> int:
    """Write a bench with every PDF as images, one a page, and the tests byte for byte; how many PDFs.

    The same damage gives the same pixels: noise is seeded by name, page and seed. Since ids stay, a run on it
    compares test by test with one on the source. Raises ConfigError, InputError, PdfError.
    """
    names = pdfs(root)
    how = {"made_from": root.name, "by": "degrade", **damage.model_dump()}
    with new_bench(root, out, how) as part, PdfWorker() as worker:
        for path in sorted(root.glob("*.jsonl")):
            write_bytes(part / path.name, path.read_bytes())
        for name in track(names, len(names), "PDFs drawn"):
            write_bytes(part / "pdfs" / name, degraded(root / "pdfs" / name, name, damage, worker))
    return len(names)


def degraded(path: Path, name: str, damage: Damage, worker: PdfWorker) -> bytes:
    """The PDF as images; `name` seeds the noise. Pages keep their size to a pixel. Raises PdfError, InputError."""
    sizes = worker.pages(path)
    if len(sizes) > MOST_PAGES:
        raise InputError(f"{path}: has {len(sizes)} pages, at most {MOST_PAGES} are redrawn; split it")
    images = list(_images(path, name, [max(size) for size in sizes], damage, worker))
    file = io.BytesIO()
    images[0].save(
        file,
        format="PDF",
        save_all=True,
        append_images=images[1:],
        resolution=damage.dpi,
        quality=damage.jpeg,
        creationDate=None,  # else two runs would differ
        modDate=None,
    )
    return file.getvalue()


def _images(
    path: Path, name: str, sides: list[float], damage: Damage, worker: PdfWorker
) -> Iterator[Image.Image]:
    for page, side in enumerate(sides, 1):
        pixels = max(1, round(side * damage.dpi / POINTS))
        image = Image.fromarray(worker.render(path, page, pixels))
        yield _damaged(image, damage, f"{damage.seed}/{name}/{page}")


def _damaged(image: Image.Image, damage: Damage, seed: str) -> Image.Image:
    if damage.grey:
        image = image.convert("L")
    if damage.blur:
        image = image.filter(ImageFilter.GaussianBlur(damage.blur))
    if damage.noise:
        draw = np.random.default_rng(np.frombuffer(sha256(seed.encode()).digest(), np.uint32))
        pixels = np.asarray(image, np.float32)
        noise = draw.normal(0.0, damage.noise, pixels.shape[:2]).astype(np.float32)
        strewn = pixels + (noise if pixels.ndim == 2 else noise[:, :, None])
        image = Image.fromarray(np.clip(np.rint(strewn), 0, 255).astype(np.uint8))
    return image
