"""Documents held out for measuring: whole documents, by a hash of their name, in every stratum alike.

Whether a document is held out depends on its name and the salt alone, so a set that grows moves nothing that was
there; only where a stratum would have too few pages are more held out, those with the next hashes.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from hashlib import sha256


def place(document: str, salt: str = "") -> float:
    """Where a document stands between 0 and 1: evenly, the same everywhere."""
    return int.from_bytes(sha256(f"{salt}\0{document}".encode()).digest()[:7], "big") / (1 << 56)


def held_out(pages: Iterable[tuple[str, str]], share: float, least: int = 0, salt: str = "") -> set[str]:
    """The documents that are held out, of pages given as (document, stratum).

    A document is of the stratum that most of its pages are of. `share`, in [0, 1], of the documents of each stratum
    is held out, and as many more as make `least` pages in all, the strata by turns; never all of a stratum's
    documents.
    """
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    for document, stratum in pages:
        kinds[document][stratum] += 1
    strata: dict[str, list[str]] = defaultdict(list)
    for document in sorted(kinds, key=lambda name: (place(name, salt), name)):
        stratum = max(sorted(kinds[document]), key=kinds[document].__getitem__)
        strata[stratum].append(document)
    out = {name for names in strata.values() for name in names[:-1] if place(name, salt) < share}
    count = sum(kinds[name].total() for name in out)
    waiting = [[name for name in names[:-1] if name not in out] for _, names in sorted(strata.items())]
    while count < least and any(waiting):
        for names in waiting:
            if names and count < least:
                out.add(name := names.pop(0))
                count += kinds[name].total()
    return out
