"""How well a page's score tells spoilt texts from true ones, and what measuring it takes.

python benchmarks/convert_signals.py PDFS

The text layers of born-digital pages stand for true texts: those of at least 500 letters that are no scan's and
not garbled, without their first and last line as a model leaves out running heads, hyphens at line ends joined.
They are spoilt in one way after another, and every text is scored as a conversion does it: with the page's ink,
with its text layer and without. The figure is the area under the ROC curve: the chance that a true text has a
better score than a spoilt one, a tie counted as half; 0.5 is a guess. True texts are nearly exact here: a model's
own small errors, its formulas and tables are not in it, so agreement with the layer looks better than it is.
"""

import argparse
import random
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from scriptorium.convert.quality import quality
from scriptorium.pages.ink import measure as measure_ink
from scriptorium.pages.layer import judge
from scriptorium.pages.pdf import PdfWorker
from scriptorium.pages.signals import HYPHEN, measure

SIDE = 1288
LETTERS = 500


def lines_lost(text: str, other: str, rng: random.Random) -> str:
    """Every second line is missing."""
    del other, rng
    return "\n".join(text.split("\n")[::2])


def cut_off(text: str, other: str, rng: random.Random) -> str:
    """The last two fifths are missing."""
    del other, rng
    return text[: len(text) * 3 // 5]


def half_invented(text: str, other: str, rng: random.Random) -> str:
    """The second half is from another page."""
    del rng
    return text[: len(text) // 2] + other[len(other) // 2 :]


def all_invented(text: str, other: str, rng: random.Random) -> str:
    """The text of another page."""
    del text, rng
    return other


def looped(text: str, other: str, rng: random.Random) -> str:
    """The end comes ten times."""
    del other, rng
    return text + ("\n" + text[-120:]) * 10


def misread(text: str, other: str, rng: random.Random) -> str:
    """One letter of eight is another one."""
    del other
    return re.sub(
        r"[^\W\d_]", lambda found: rng.choice("etaoinshrdlu") if rng.random() < 1 / 8 else found[0], text
    )


def shifted(text: str, other: str, rng: random.Random) -> str:
    """Each letter is the next in the alphabet."""
    del other, rng
    return re.sub("[a-yA-Y]", lambda found: chr(ord(found[0]) + 1), text)


def unclosed(text: str, other: str, rng: random.Random) -> str:
    """A table of three rows at the end, of which no tag is closed."""
    del other, rng
    return text + "\n<table>" + "<tr><td>a<td>b" * 3


SPOILT: tuple[Callable[[str, str, random.Random], str], ...] = (
    lines_lost,
    cut_off,
    half_invented,
    all_invented,
    looped,
    misread,
    shifted,
    unclosed,
)


def true_pages(folder: Path) -> Iterator[tuple[str, str, tuple[float, int]]]:
    """Text, text layer and ink of the pages whose layer can stand for the truth."""
    with PdfWorker() as worker:
        for pdf in sorted(folder.rglob("*.pdf")):
            for page in range(1, len(worker.pages(pdf)) + 1):
                layer = worker.text(pdf, page).strip()
                judgement = judge(layer)
                if judgement.fault or judgement.letters < LETTERS or worker.picture(pdf, page) > 0.5:
                    continue
                text = HYPHEN.sub("", "\n".join(layer.split("\n")[1:-1]))
                yield text, layer, tuple(measure_ink(worker.render(pdf, page, SIDE)))


def area(true: list[float], spoilt: list[float]) -> float:
    """The area under the ROC curve."""
    one, other = np.array(true)[:, None], np.array(spoilt)[None, :]
    return float(np.mean((one > other) + 0.5 * (one == other)))


def main() -> None:
    """Make the pages, spoil them, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("pdfs", type=Path, help="folder of PDFs")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    seconds: list[float] = []

    def score(text: str, layer: str, ink: tuple[float, int]) -> float:
        start = time.process_time()
        signals = measure(text, layer) | {"marked": ink[0], "marks": ink[1]}
        found = quality({"status": "ok", "text": text, "signals": signals})
        seconds.append(time.process_time() - start)
        assert found is not None
        return found.score

    pages = list(true_pages(args.pdfs))
    measure("warm", "warm")
    kinds = {"with the layer": True, "without": False}
    true = {
        name: [score(text, layer if has else "", ink) for text, layer, ink in pages]
        for name, has in kinds.items()
    }
    print(
        f"{len(pages)} pages; mean score of true texts "
        + str({k: round(float(np.mean(v)), 3) for k, v in true.items()})
    )
    for spoil in SPOILT:
        rng = random.Random(f"{args.seed} {spoil.__name__}")
        cells = []
        for name, has in kinds.items():
            scores, kept = [], []
            for number, (text, layer, ink) in enumerate(pages):
                bad = spoil(text, pages[(number + 7) % len(pages)][0], rng)
                if bad != text:
                    kept.append(true[name][number])
                    scores.append(score(bad, layer if has else "", ink))
            cells.append(f"{area(kept, scores):.3f}" if scores else "-")
        print(f"| {spoil.__doc__} | {' | '.join(cells)} |")
    print(f"{1000 * np.mean(seconds):.2f} ms of processor time a page")


if __name__ == "__main__":
    main()
