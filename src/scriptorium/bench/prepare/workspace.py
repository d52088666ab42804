"""A candidate of what an olmOCR pipeline, or ours, wrote into its workspace."""

from pathlib import Path, PurePosixPath
from typing import NamedTuple

from scriptorium.bench.prepare.folder import check_name, pdfs
from scriptorium.errors import ConfigError
from scriptorium.files import write_json, write_text
from scriptorium.pages.pdf import PdfError, PdfWorker
from scriptorium.pages.workspace import results
from scriptorium.progress import track

Texts = dict[tuple[str, int], str | None]
"""PDF's path below pdfs/ and page to the text; None for a page that failed."""


class Summary(NamedTuple):
    """How many pages have a text, how many have none, and the sources that are no PDF of the bench."""

    written: int
    missing: int
    unknown: list[str]


def from_workspace(workspace: Path, bench: Path, candidate: str, repeat: int = 1) -> Summary:
    """Write `<bench>/<candidate>/<pdf>_pg<page>_repeat<repeat>.md` for every page that the workspace has.

    Pages of the bench that it lacks get no Markdown, but a sidecar with the state `missing`. Other repeats of
    the candidate stay. Raises InputError for a workspace without results, ConfigError if the repeat is there.
    """
    check_name(candidate)
    home = bench / candidate
    if any(home.rglob(f"*_repeat{repeat}.md")) or any(home.rglob(f"*_repeat{repeat}.json")):
        raise ConfigError(
            f"{home}: has repeat {repeat} already; take --repeat {repeat + 1} or another --name"
        )
    names = pdfs(bench)
    texts, unknown = read_texts(workspace, names)
    written = missing = 0
    with PdfWorker() as worker:
        for name in track(names, len(names), "documents written"):
            for page in range(1, _count(bench / "pdfs" / name, worker) + 1):
                stem = home / f"{name.removesuffix('.pdf')}_pg{page}_repeat{repeat}"
                text = texts.get((name, page))
                if text is None:
                    state = "error" if (name, page) in texts else "missing"
                    error = "no result in the workspace" if state == "missing" else "the page gave no text"
                    write_json(stem.with_name(f"{stem.name}.json"), {"state": state, "error": error})
                    missing += 1
                else:
                    write_text(stem.with_name(f"{stem.name}.md"), text)
                    written += 1
    return Summary(written, missing, unknown)


def _count(path: Path, worker: PdfWorker) -> int:
    try:
        return len(worker.pages(path))
    except PdfError:
        return 1


def read_texts(workspace: Path, names: list[str]) -> tuple[Texts, list[str]]:
    """The text of every page, and the sources that are none of the PDFs `names`. Raises InputError.

    Of two results for one page the one further down counts: a pipeline that was started again adds to its files.
    """
    find, texts, unknown = Finder(names), Texts(), set()
    for result in results(workspace):
        name = find(result.source)
        if name is None:
            unknown.add(result.source)
            continue
        texts |= {(name, page.number): page.text for page in result.pages}
    return texts, sorted(unknown)


class Finder:
    """Which PDF of a bench a source is: by its path after `pdfs/`, else by a name that only one PDF has."""

    def __init__(self, names: list[str]) -> None:
        self.names = set(names)
        self.by_name: dict[str, list[str]] = {}
        for name in names:
            self.by_name.setdefault(PurePosixPath(name).name, []).append(name)

    def __call__(self, source: str) -> str | None:
        """The PDF's path below pdfs/, or None."""
        parts = PurePosixPath(source.replace("\\", "/")).parts
        for start in range(len(parts)):
            tail = "/".join(parts[start:])
            if tail in self.names and (start == 0 or parts[start - 1] == "pdfs"):
                return tail
        alike = self.by_name.get(parts[-1], []) if parts else []
        return alike[0] if len(alike) == 1 and "pdfs" not in parts else None
