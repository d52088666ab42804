"""Near-duplicates among many pages, of text (MinHash) and of image (difference hash), in bounded memory.

Signatures lie in a file; they are compared band by band, so what is in memory at once is two numbers a page.
What the bands find is a candidate, and is compared in truth: texts by the runs of words they share, images by the
bits that differ. A page is called a duplicate only of a page that stays.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from scriptorium.mix.shingles import jaccard, mixed, of_words
from scriptorium.pages.signals import words

WORDS = 5
"""Words in a run."""
VALUES, ROWS = 64, 4
"""Values of a text's signature, and how many make a band: 16 bands find 99.97 % of pairs that share 0.8."""
SLACK = 0.2
"""How far the share that signatures tell may lie below the bound: 4 times its standard deviation at 0.8."""
SIDE = 16
"""Differences of brightness in a row and in a column of an image: 256 bits."""
PIECES = 8
"""Bands of an image's bits: with fewer than 8 different bits one band at least is equal."""
TELLING = 24
"""Bits of an image's hash that must be set: pages of one line or a title have 1 to 12, and look like one another."""
MOST = 64
"""Pages of a band's run with which a page is compared: the first ones. A longer run is nearly always one text."""

SEEDS = mixed(np.arange(1, VALUES + 1, dtype=np.uint64) * np.uint64(0xD1342543DE82EF95)) | np.uint64(1)


def minhash(runs: np.ndarray) -> np.ndarray:
    """The signature (VALUES,) uint32 of a text's runs (uint64); of none, all bits set."""
    if not len(runs):
        return np.full(VALUES, 0xFFFFFFFF, np.uint32)
    lowest = np.full(VALUES, 0xFFFFFFFFFFFFFFFF, np.uint64)
    for start in range(0, len(runs), 4096):
        part = runs[start : start + 4096, None] * SEEDS
        lowest = np.minimum(lowest, (part ^ (part >> np.uint64(29))).min(axis=0))
    return (lowest >> np.uint64(32)).astype(np.uint32)


def text_runs(text: str) -> np.ndarray:
    """The runs of a text that are compared; a short text is one run of all its words, a blank one has none."""
    said = words(text)
    return of_words(said, min(WORDS, len(said))) if said else np.empty(0, np.uint64)


def image_hash(pixels: np.ndarray) -> np.ndarray:
    """The difference hash (SIDE * SIDE / 32,) uint32 of a page image, uint8 (H, W, 3) or (H, W)."""
    from PIL import Image  # only pages that are looked at need it

    gray = pixels if pixels.ndim == 2 else pixels[..., 1]
    small = Image.fromarray(np.ascontiguousarray(gray)).resize((SIDE + 1, SIDE), Image.Resampling.BOX)
    values = np.asarray(small, np.int16)
    return np.packbits(values[:, 1:] > values[:, :-1]).view(np.uint32)


def tells(hashes: np.ndarray) -> np.ndarray:
    """Which image hashes, uint32 (N, 8), are of pages that have enough on them to be told apart: bool (N,)."""
    return np.unpackbits(hashes.view(np.uint8), axis=1).sum(axis=1) >= TELLING


class Signatures:
    """Signatures of equal length, added one by one to a file, so that a million takes no memory."""

    def __init__(self, path: Path, width: int) -> None:
        self.path, self.width, self.count = path, width, 0
        self._file = path.open("wb")

    def add(self, signature: np.ndarray) -> None:
        """Append one, uint32 (width,)."""
        self._file.write(signature.astype(np.uint32).tobytes())
        self.count += 1

    def read(self) -> np.ndarray:
        """All of them, uint32 (count, width), on disk; nothing can be added any more."""
        self._file.close()
        if not self.count:
            return np.empty((0, self.width), np.uint32)
        return np.memmap(self.path, np.uint32, "r", shape=(self.count, self.width))


def near_texts(
    signatures: np.ndarray, least: float, runs_of: Callable[[int], np.ndarray]
) -> dict[int, tuple[int, float]]:
    """Pages to leave out: number to the number of an earlier page that stays, and the share of runs in common.

    `signatures`: uint32 (N, VALUES). `least`: the share from which texts are duplicates. `runs_of`: the runs of
    the page of a number, asked for candidates alone. Pages without text are no duplicates.
    """
    pairs: dict[int, set[int]] = defaultdict(set)
    for one, other in _candidates(signatures, ROWS, skip=0xFFFFFFFF):
        if (signatures[one] == signatures[other]).mean() >= least - SLACK:
            pairs[other].add(one)
    out: dict[int, tuple[int, float]] = {}
    for page in sorted(pairs):
        own = runs_of(page)
        for earlier in sorted(pairs[page]):
            if earlier not in out and (share := jaccard(own, runs_of(earlier))) >= least:
                out[page] = (earlier, share)
                break
    return out


def near_images(hashes: np.ndarray, most: int) -> dict[int, tuple[int, int]]:
    """As near_texts: pages to leave out, each with an earlier one and the bits that differ, at most `most`.

    `hashes`: uint32 (N, 8). A page that has next to nothing on it (`tells`) is no duplicate.
    """
    pairs: dict[int, dict[int, int]] = defaultdict(dict)
    telling = tells(np.asarray(hashes))
    for one, other in _candidates(hashes, hashes.shape[1] // PIECES or 1, skip=0):
        bits = int(np.unpackbits((hashes[one] ^ hashes[other]).view(np.uint8)).sum())
        if bits <= most and telling[one] and telling[other]:
            pairs[other][one] = bits
    out: dict[int, tuple[int, int]] = {}
    for page in sorted(pairs):
        stays = [earlier for earlier in sorted(pairs[page]) if earlier not in out]
        if stays:
            out[page] = (stays[0], pairs[page][stays[0]])
    return out


def _candidates(signatures: np.ndarray, rows: int, skip: int) -> Iterator[tuple[int, int]]:
    """Pairs of numbers, the lower first, that agree in a band of `rows` values; not in one of `skip` alone."""
    for start in range(0, signatures.shape[1], rows):
        band = np.ascontiguousarray(signatures[:, start : start + rows])
        key = np.zeros(len(band), np.uint64)
        for column in range(band.shape[1]):
            key = mixed(key + band[:, column].astype(np.uint64) + np.uint64(1))
        empty = (band == np.uint32(skip)).all(axis=1)
        order = np.argsort(key, kind="stable")
        bounds = np.flatnonzero(np.diff(key[order])) + 1
        starts, ends = np.r_[0, bounds], np.r_[bounds, len(order)]
        for first, last in zip(*(each[ends - starts > 1].tolist() for each in (starts, ends)), strict=True):
            run = order[first:last].tolist()
            if empty[run[0]]:
                continue
            for place, other in enumerate(run):
                for one in run[: min(place, MOST)]:
                    yield one, other
