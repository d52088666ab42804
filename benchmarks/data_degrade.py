"""Pages a second of the scanned look, on one core, pages of 1288 px, every word watched by the guard.

    python benchmarks/data_degrade.py --pages 60

Pages of all families are typeset and drawn first, untimed; then each is degraded once at a severity from 0 to 1,
decoding of its own JPEG and lost tries included. Exits 4 below 4 pages/s.
"""

import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer

from scriptorium.pages.pdf import PdfWorker
from scriptorium.synth.degrade import LOOKS, degrade
from scriptorium.synth.families import FAMILIES, draw
from scriptorium.synth.typst import Typesetter

TARGET = 4.0
SIDE = 1288


def clean_pages(count: int) -> list[tuple[np.ndarray, list[tuple[float, float, float, float]]]]:
    """Images of generated pages and the boxes of their words."""
    typesetter, found = Typesetter(), []
    with PdfWorker() as worker, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.pdf"
        for number in range(count):
            family = list(FAMILIES)[number % len(FAMILIES)]
            path.write_bytes(typesetter.pdf(draw(family, "sft", random.Random(number), "en")))
            boxes = [(w.left, w.top, w.right, w.bottom) for w in worker.words(path, 1)]
            found.append((np.array(worker.render(path, 1, SIDE)), boxes))
    return found


def main(pages: Annotated[int, typer.Option(min=1)] = 60) -> None:
    """Degrade `pages` pages one after another and print what it took, by look."""
    cv2.setNumThreads(1)
    clean = clean_pages(pages)
    spent, count, lowered = Counter[str](), Counter[str](), Counter[str]()
    start, clock = time.process_time(), time.perf_counter()
    for number, (image, boxes) in enumerate(clean):
        look = list(LOOKS)[number % len(LOOKS)]
        severity = (number * 0.618) % 1
        before = time.process_time()
        made = degrade(image, boxes, number, severity, look, behind=clean[number - 1][0])
        spent[look] += time.process_time() - before
        count[look] += 1
        lowered[look] += made.severity < severity
    processor, wall = time.process_time() - start, time.perf_counter() - clock
    for look in count:
        each = 1000 * spent[look] / count[look]
        print(f"{look:6} {each:6.0f} ms a page; severity lowered on {lowered[look]} of {count[look]}")
    rate = pages / processor
    print(
        f"{pages} pages of {SIDE} px: {rate:.1f} a second of one core's time, {pages / wall:.1f} by the clock"
    )
    sys.exit(0 if rate >= TARGET else 4)


if __name__ == "__main__":
    typer.run(main)
