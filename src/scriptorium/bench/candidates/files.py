"""The files of a candidate: `<pdf>_pg<page>_repeat<n>.md`, its sidecar `.json`, its raw answer, its record.

The sidecar is written last: a page without one, or with one of other settings, is not done.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scriptorium import __version__
from scriptorium.bench.candidates.reading import Place
from scriptorium.bench.candidates.specs import RECORD, digest
from scriptorium.bench.dialects import DIALECTS, DialectError, adapt_text
from scriptorium.errors import ConfigError
from scriptorium.files import write_json, write_text

RAW = ".raw.txt"
"""Ends the name of an answer as it came, kept where the text was made from it by a dialect."""
PAGE_FILE = re.compile(r"(?P<stem>.+)_pg(?P<page>[0-9]+)_repeat(?P<repeat>[0-9]+)", re.DOTALL)
DONE = ("ok", "empty", "truncated")
"""The states in which a page has a text; the fourth is "error"."""


@dataclass(frozen=True)
class Page:
    """A page as it is written: `text` is None in the state "error". `notes` go into the sidecar as they are."""

    state: str
    text: str | None
    error: str = ""
    raw: str | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)


def in_dialect(raw: str, dialect: str, place: Place, finish_reason: str, notes: Mapping[str, Any]) -> Page:
    """The page that an answer in `dialect` amounts to; one that does not fit the dialect is an error."""
    kept = None if dialect == "markdown" else raw
    try:
        text = adapt_text(raw, dialect)
    except DialectError as error:
        return Page("error", None, f"{place.id}: dialect {dialect}: {error}", kept, notes)
    state = "truncated" if finish_reason == "length" else "ok" if text.strip() else "empty"
    return Page(state, text, "", kept, notes)


def page_path(folder: Path, place: Place, ending: str) -> Path:
    """The file of a page in a candidate's folder."""
    return folder / f"{place.pdf.removesuffix('.pdf')}_pg{place.page}_repeat{place.repeat}{ending}"


def write_page(folder: Path, place: Place, page: Page, stamp: Mapping[str, Any]) -> None:
    """Write a page's text, then its sidecar: its state, its notes and `stamp` (what it was made with)."""
    for ending, content in ((RAW, page.raw), (".md", page.text)):
        path = page_path(folder, place, ending)
        if content is None:
            path.unlink(missing_ok=True)
        else:
            write_text(path, content)
    sidecar = {"state": page.state, "error": page.error, **page.notes, **stamp}
    write_json(page_path(folder, place, ".json"), sidecar)


def read_sidecar(folder: Path, place: Place) -> dict[str, Any]:
    """What is known of a page; empty where there is no sidecar."""
    try:
        found = json.loads(page_path(folder, place, ".json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):  # a file of somebody else's: the page is not done
        return {}
    return found if isinstance(found, dict) else {}


def is_done(folder: Path, place: Place, stamp: Mapping[str, Any]) -> bool:
    """Whether the page has a text that was made with `stamp`."""
    sidecar = read_sidecar(folder, place)
    same = all(sidecar.get(key) == value for key, value in stamp.items())
    return same and sidecar.get("state") in DONE and page_path(folder, place, ".md").is_file()


def stamp_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What each sidecar of a candidate says of how it was made."""
    source = {"kind": settings["source"], "digest": digest(settings)}
    return {"dialect": settings["dialect"], "source": source}


def dialect_of(name: str) -> dict[str, Any]:
    """A dialect's name and version, as they are recorded."""
    return {"name": name, "version": DIALECTS[name].VERSION}


def claim(folder: Path, settings: Mapping[str, Any], force: bool) -> None:
    """Make `folder` the candidate with these settings. `force` removes the pages that are there.

    Raises ConfigError if it holds texts of other settings, or made elsewhere.
    """
    if force:
        for path, _ in page_files(folder, (".md", ".json", RAW)):
            path.unlink()
        (folder / RECORD).unlink(missing_ok=True)
    before = read_record(folder)
    if next(page_files(folder, (".md",)), None) is not None:
        if before is None:
            raise ConfigError(
                f"{folder}: holds texts made elsewhere; take another name, or --force to convert it all anew"
            )
        if digest(before) != digest(settings):
            raise ConfigError(
                f"{folder}: made with other settings ({', '.join(_differences(before, settings))}); "
                "take another name, or --force to convert it all anew"
            )
    if before is None or digest(before) != digest(settings):
        write_json(folder / RECORD, {"settings": dict(settings), "scriptorium": __version__})


def page_files(folder: Path, endings: tuple[str, ...]) -> Iterator[tuple[Path, Place]]:
    """The files of pages with one of these endings, in order, and the page of each."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        ending = next((ending for ending in endings if name.endswith(ending)), None)
        match = PAGE_FILE.fullmatch(name.removesuffix(ending)) if ending else None
        if match and not path.name.startswith("."):
            yield path, Place(f"{match['stem']}.pdf", int(match["page"]), int(match["repeat"]))


def read_record(folder: Path) -> dict[str, Any] | None:
    path = folder / RECORD
    if not path.exists():
        return None
    try:
        return dict(json.loads(path.read_text(encoding="utf-8"))["settings"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ConfigError(
            f"{path}: not the record of a candidate ({error!r}); --force begins anew"
        ) from error


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    keys = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
    return [f"{key} was {_short(before.get(key))}, is {_short(after.get(key))}" for key in keys]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
