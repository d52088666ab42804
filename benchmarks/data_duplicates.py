"""Near-duplicates and contamination among many generated pages: time and memory, in one process on one core.

    python benchmarks/data_duplicates.py --pages 100000

Pages are of about 300 words out of 5,000 with the frequencies of a language (Zipf); every fiftieth is another one
with 0.5 % of its words exchanged. They are made anew from their number whenever their text is asked for, so that what
is held in memory is what the checks hold. Seconds are of the processor, so that others on the machine do not count;
those that it takes to make the pages are measured alone and taken off.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from scriptorium.mix.contamination import WORDS, Known
from scriptorium.mix.duplicates import VALUES, Signatures, minhash, near_texts, text_runs
from scriptorium.mix.shingles import jaccard, shingles

EVERY = 50
"""Of so many pages one is a near-duplicate of the page that many before it."""
VOCABULARY = [
    f"{first}{middle}{last}"
    for first in "bdfgklmnprstvz"
    for middle in ("a", "en", "ir", "ol", "u")
    for last in ("", "da", "kel", "mos", "n", "per", "rit", "s", "tan", "vo", "x", "zu")
] * 6
SHARE = 0.8
"""Of the runs of five words of two texts, from which they are near-duplicates."""
CONTROL = 10
"""Pages that are in the bench too, so that the check has something to find."""
SHARES = 1 / np.arange(1, 5001)
CHANCES = np.cumsum(SHARES / SHARES.sum())


def page(number: int) -> str:
    """The text of a page: the same for the same number."""
    other = number % EVERY == EVERY - 1
    random = np.random.default_rng(number - EVERY + 1 if other else number)
    words = np.searchsorted(CHANCES, random.random(int(random.integers(200, 400))))
    if other:
        change = np.random.default_rng(number)
        places = change.random(len(words)) < 0.005
        words[places] = change.integers(0, 5000, int(places.sum()))
    return " ".join(f"{VOCABULARY[word % len(VOCABULARY)]}{word // 840 or ''}" for word in words.tolist())


def peak() -> float:
    """The most memory this process has held, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pages", type=int, default=100_000)
    parser.add_argument(
        "--measured", type=int, default=1400, help="pages of the bench that none may be known to"
    )
    args = parser.parse_args()
    started, base = time.process_time(), peak()
    for number in range(args.pages):
        page(number)
    making = time.process_time() - started
    measured = [*range(0, CONTROL * EVERY, EVERY), *range(1 << 40, (1 << 40) + args.measured)]
    runs = [shingles(page(number), WORDS) for number in measured]
    known = Known(np.unique(np.concatenate(runs)), np.empty((0, 8), np.uint32))
    with tempfile.TemporaryDirectory() as folder:
        store = Signatures(Path(folder) / "texts", VALUES)
        signing = time.process_time()
        for number in range(args.pages):
            store.add(minhash(text_runs(page(number))))
        signed = time.process_time()
        out = near_texts(store.read(), SHARE, lambda number: text_runs(page(number)))
        compared = time.process_time()
    hits = sum(bool(known.fault(page(number), None)) for number in range(args.pages))
    checked = time.process_time()
    true = list(range(EVERY - 1, args.pages, EVERY))
    print(f"{args.pages} pages, of which {len(true)} were made out of another one")
    print(f"signatures {signed - signing - making:.1f} s, comparing {compared - signed:.1f} s")
    near = {
        each for each in true if jaccard(text_runs(page(each)), text_runs(page(each - EVERY + 1))) >= SHARE
    }
    print(
        f"{len(near)} of them share {SHARE} of their runs; found {len(out)}, {len(set(out) & near)} of these"
    )
    print(
        f"contamination {checked - compared - making:.1f} s against {len(known.runs)} runs, "
        f"{hits} pages known ({CONTROL} of the bench and a duplicate of each)"
    )
    print(
        f"memory {peak():.0f} MB at most, {base:.0f} MB before; making pages took {making:.1f} s (taken off)"
    )


if __name__ == "__main__":
    main()
