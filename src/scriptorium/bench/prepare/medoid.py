"""Of several texts of a page, the one that is most like all the others."""

from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from scriptorium.bench.outputs import Output, page_names, read_output
from scriptorium.bench.prepare.folder import check_name
from scriptorium.errors import ConfigError, InputError
from scriptorium.files import whole, write_json
from scriptorium.progress import track

LEAST = 3
"""Of two texts neither is in the middle."""

LONGEST = 50_000
"""Characters of a text that are compared: ten times a full page, so that a loop cannot take minutes."""


class Summary(NamedTuple):
    """How many pages got the middle one of their texts, the first for want of three, or none at all."""

    chosen: int
    first: int
    none: int


def medoid(bench: Path, candidate: str, name: str) -> Summary:
    """Write the candidate `name`: of each page's texts the medoid, with a sidecar that says which it was.

    Raises InputError if the candidate has no outputs, or no page has three; ConfigError if `name` is there.
    """
    check_name(name)
    home, out = bench / candidate, bench / name
    if out.exists():
        raise ConfigError(f"--name {name}: {out} is there already; choose another name")
    pages: dict[tuple[str, int], list[tuple[int, Output]]] = defaultdict(list)
    for path, stem, page, repeat in page_names(home):
        pages[stem, page].append((repeat, read_output(path)))
    if not any(len(each) >= LEAST for each in pages.values()):
        raise InputError(f"{home}: no page has {LEAST} repeats or more; convert with --repeats {LEAST}")
    counts = [0, 0, 0]
    with whole(out) as part:
        part.mkdir(parents=True)
        for (stem, page), each in track(sorted(pages.items()), len(pages), "pages"):
            counts[_write(part / f"{stem}_pg{page}_repeat1.md", sorted(each, key=lambda one: one[0]))] += 1
    return Summary(*counts)


def _write(path: Path, outputs: list[tuple[int, Output]]) -> int:
    """Write the medoid of a page; which of Summary's counts it belongs to."""
    texts = [(repeat, output.text, output.sidecar) for repeat, output in outputs if output.text is not None]
    path.parent.mkdir(parents=True, exist_ok=True)
    note = {"source": "medoid", "repeats": [repeat for repeat, _ in outputs]}
    if not texts:
        write_json(path.with_suffix(".json"), {"state": "error", "error": "no repeat has a text", **note})
        return 2
    repeat, text, sidecar = texts[middle([text for _, text, _ in texts])]
    path.write_text(text, encoding="utf-8", newline="")
    write_json(path.with_suffix(".json"), {**sidecar, **note, "repeat": repeat})
    return 0 if len(texts) >= LEAST else 1


def middle(texts: list[str]) -> int:
    """The index of the text with the least mean normalised Levenshtein distance to the others; the first of equals.

    Of fewer than three it is the first. Texts are compared up to LONGEST characters.
    """
    cut = [text[:LONGEST] for text in texts]
    if len(cut) < LEAST:
        return 0
    sums = [sum(Levenshtein.normalized_distance(one, other) for other in cut) for one in cut]
    return min(range(len(cut)), key=lambda at: (round(sums[at], 12), at))
