"""Whether a page of a large corpus costs what a page of a small one costs: the whole command at several sizes.

    python benchmarks/convert_flat.py --pages 1000 20000 100000 --out build/convert-flat

Each size: `scriptorium convert` of so many small PDFs of a page each, against a server that answers at once
(convert_server.py); then the same command again, which finds all of them done. What a start costs is measured with
ten pages and taken off. Processor seconds are those of the command and its children, the server's left out: on a
machine that does other things the clock says little.
"""

import argparse
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import tiny_pdfs
from convert_client import server
from measure import MIB, OURS, Run, emptied, environment, run, verdict

START = 10
MOST_MORE = 10.0
"""Percent that a page of the largest corpus may cost more than one of the smallest."""


def converted(corpus: Path, out: Path, url: str) -> Run:
    """One run of the command."""
    words: list[str | Path] = [
        "convert",
        corpus,
        "--server",
        f"{url}#olmocr",
        "--out",
        out,
        "--adapter",
        "tiny",
    ]
    return run([OURS, *words], environment(out.parent / "cache"))


def told(done: Run, pages: int, start: Run) -> dict[str, Any]:
    """What a run cost, and what a page of it."""
    return {
        "seconds": round(done.seconds, 1),
        "processor_seconds": round(done.processor, 1),
        "peak_mb": round(done.memory / MIB, 1),
        "pages_per_second": round(pages / (done.seconds - start.seconds), 1),
        "processor_ms_per_page": round(1000 * (done.processor - start.processor) / pages, 3),
    }


def main() -> None:
    """Measure and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, nargs="+", default=[1000, 20_000])
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    out = emptied(options.out)
    found: dict[str, Any] = {"load before": os.getloadavg()}
    with server() as url:
        start = converted(tiny_pdfs.make(out / "first", START), out / "warm", url)
        start = converted(out / "first", out / "start", url)
        for pages in options.pages:
            corpus = tiny_pdfs.make(out / "corpus", pages)
            found[str(pages)] = told(converted(corpus, out / "out", url), pages, start)
            found[f"{pages} again"] = told(converted(corpus, out / "out", url), pages, start)
            print(json.dumps({str(pages): [found[str(pages)], found[f"{pages} again"]]}), flush=True)
            shutil.rmtree(corpus)
            shutil.rmtree(out / "out")
    found["load after"] = os.getloadavg()
    (out / "convert_flat.json").write_text(json.dumps(found, indent=1) + "\n")
    least, most = (
        found[str(pages)]["processor_ms_per_page"] for pages in (options.pages[0], options.pages[-1])
    )
    sys.exit(0 if verdict("a page more", 100 * (most / least - 1), MOST_MORE, "%") else 4)


if __name__ == "__main__":
    main()
