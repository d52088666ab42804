"""The text layers of a bench's pages, read once."""

from scriptorium.bench.folder import Bench
from scriptorium.bench.scoring.verdict_cache import VerdictCache
from scriptorium.progress import track


def text_layers(bench: Bench, cache: VerdictCache) -> dict[str, str]:
    """Page id to the text layer of each page with tests; empty where there is none or it cannot be read.

    Kept in `cache` by the PDF's path, size and time.
    """
    from scriptorium.pages.pdf import PdfError, PdfWorker

    places = {page: (tests[0][1]["pdf"], tests[0][1]["page"]) for page, tests in bench.pages.items()}
    root = bench.root / "pdfs"
    stamped = stamps(bench)
    keys = {page: cache.key(["text layer", stamped[pdf], number]) for page, (pdf, number) in places.items()}
    known = cache.read(keys.values())
    layers = {page: known[key] for page, key in keys.items() if key in known}
    left = [page for page in places if page not in layers]
    with PdfWorker() as worker:
        for page in track(left, len(left), "text layers"):
            pdf, number = places[page]
            try:
                layers[page] = worker.text(root / pdf, number)
            except PdfError:
                layers[page] = ""
    cache.write({keys[page]: layers[page] for page in left})
    return {page: layers[page] for page in places}


def stamps(bench: Bench) -> dict[str, tuple[str, int, int]]:
    """The whole path, size in bytes and time of change in ns of each PDF with tests."""
    root = (bench.root / "pdfs").resolve()
    found = {}
    for pdf in dict.fromkeys(tests[0][1]["pdf"] for tests in bench.pages.values()):
        stat = (root / pdf).stat()
        found[pdf] = (str(root / pdf), stat.st_size, stat.st_mtime_ns)
    return found
