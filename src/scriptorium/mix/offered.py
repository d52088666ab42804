"""The pairs of any folder: one with `pages.parquet`, or `X.pdf` beside `X.md` at any depth."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scriptorium.errors import InputError
from scriptorium.mix.audit import read_index
from scriptorium.mix.sieve import rows_of

NO_PAGES = frozenset({"readme.md", "license.md", "changelog.md"})
"""Markdown about a set of pages."""


@dataclass(frozen=True)
class Offered:
    """A page that a folder offers. `pdf` and `md`: None where there is none. `reason`: why it was left out."""

    id: str
    document: str
    pdf: Path | None
    md: Path | None
    reason: str = ""
    group: str = ""


def offered(folder: Path) -> list[Offered]:
    """The pages of a folder, sorted by id. Raises InputError for one without any."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; name one with pairs X.pdf and X.md")
    found = list(_indexed(folder) if (folder / "pages.parquet").is_file() else _beside(folder))
    if not found:
        raise InputError(
            f"{folder}: no page in it; expected X.pdf beside X.md at any depth, or pages.parquet"
        )
    return sorted(found, key=lambda page: page.id)


def _indexed(folder: Path) -> Iterator[Offered]:
    for row in rows_of(read_index(folder)):
        pdf = folder / row["pdf"] if row["pdf"] else None
        md = folder / row["md"] if row["md"] else None
        yield Offered(row["id"], row["document"], pdf, md, row["reason"], row.get("group") or "")


def _beside(folder: Path) -> Iterator[Offered]:
    stems: dict[str, dict[str, Path]] = {}
    for path in folder.rglob("*"):
        known = path.suffix in (".pdf", ".md") and path.name.lower() not in NO_PAGES
        if known and not any(part.startswith(".") for part in path.relative_to(folder).parts):
            name = path.relative_to(folder).as_posix().removesuffix(path.suffix)
            stems.setdefault(name, {})[path.suffix] = path
    for name, paths in stems.items():
        yield Offered(name, name, paths.get(".pdf"), paths.get(".md"))
