"""Candidates made here: every page of a bench read by a source, one file a page, and only what is missing."""

import contextlib
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scriptorium.bench.candidates.files import (
    Page,
    claim,
    dialect_of,
    in_dialect,
    is_done,
    page_files,
    page_path,
    read_record,
    read_sidecar,
    stamp_of,
    write_page,
)
from scriptorium.bench.candidates.reading import Place, find_pdfs, places_of, read_places
from scriptorium.bench.candidates.sources import Given, opened, settings_of
from scriptorium.bench.candidates.specs import AnySpec, check_name
from scriptorium.bench.dialects import DIALECTS, unknown
from scriptorium.errors import (
    ConfigError,
    HostError,
    InputError,
    PartialError,
    ScriptoriumError,
    ServerError,
)
from scriptorium.files import sha256_file
from scriptorium.pages.pdf import PdfError, PdfWorker
from scriptorium.progress import track

LOG = ".server.log"
"""File in a candidate's folder for the output of a server that was started for it."""
NOTES = ("finish_reason", "prompt_tokens", "tokens", "seconds", "attempts")


@dataclass
class Converted:
    """What is in a candidate's folder: pages by state, and how many of them this run made."""

    states: Counter[str] = field(default_factory=Counter)
    made: int = 0

    def __str__(self) -> str:
        counts = ", ".join(f"{count} {state}" for state, count in sorted(self.states.items()))
        return f"{self.states.total()} pages: {counts} ({self.made} made now)"


def convert(
    folder: Path,
    candidates: Mapping[str, AnySpec],
    force: bool = False,
    fail_fast: bool = False,
    tell: Callable[[str, Converted], None] = lambda name, converted: None,
) -> dict[str, Converted]:
    """Read every page of the PDFs in `folder/pdfs` for each candidate, one after the other.

    A page that has its text is not read again; `force` begins a candidate anew. A candidate that fails does
    not keep the next from its turn, except with `fail_fast`, which also stops at the first page that fails.
    `tell` hears of each candidate that is complete.
    Raises, at the end, ServerError if a server went away, ConfigError or InputError for what cannot be
    carried out, PartialError if pages failed; all other pages are kept.
    """
    done: dict[str, Converted] = {}
    faults: list[ScriptoriumError] = []
    for name, spec in candidates.items():
        check_name(name, "candidate")
        try:
            done[name] = convert_one(folder, name, spec, force, fail_fast)
        except ScriptoriumError as error:
            if fail_fast or len(candidates) == 1:
                raise
            print(f"{name}: {error}", file=sys.stderr, flush=True)
            faults.append(error)
        else:
            tell(name, done[name])
    _raise_worst(faults)
    return done


def convert_one(folder: Path, name: str, spec: AnySpec, force: bool, fail_fast: bool) -> Converted:
    """Make or go on with one candidate. Raises what `convert` says."""
    root, target = folder / "pdfs", folder / name
    pdfs = find_pdfs(root)
    settings = settings_of(spec)
    claim(target, settings, force)
    stamp = stamp_of(settings)
    with PdfWorker() as worker:
        places = [place for path in pdfs for place in places_of(path, root, worker)]
        places = [Place(place.pdf, place.page, n) for n in range(1, spec.repeats + 1) for place in places]
        hashes = {path.relative_to(root).as_posix(): sha256_file(path) for path in pdfs}
        stamps = {place: stamp | {"pdf_sha256": hashes[place.pdf]} for place in places}
        left = [place for place in places if not is_done(target, place, stamps[place])]
        if left:
            with opened(spec, target / LOG) as source:
                reading = read_places(left, root, source, worker)
                with contextlib.closing(reading):
                    for place, given in track(reading, len(places), name, start=len(places) - len(left)):
                        page = as_page(place, given, spec.dialect)
                        write_page(target, place, page, stamps[place])
                        if fail_fast and page.state == "error":
                            raise PartialError(f"{name}, {place.id}, repeat {place.repeat}: {page.error}")
    result = Converted(Counter(read_sidecar(target, place)["state"] for place in places), len(left))
    if result.states["error"]:
        raise PartialError(f"{name}: {result}; {_first_error(target, places)}; run again to try them again")
    return result


def as_page(place: Place, given: Given | PdfError, dialect: str) -> Page:
    """What is written for a page that a source gave, or whose PDF could not be used."""
    if isinstance(given, PdfError):
        return Page("error", None, f"{given.reason}: {given}")
    notes = {key: value for key in NOTES if (value := getattr(given, key)) is not None}
    if given.text is None:
        return Page("error", None, given.error, given.raw or None, notes)
    return in_dialect(given.text, dialect, place, given.finish_reason, notes)


def adapt(
    folder: Path, candidate: str, new: str, dialect: str, force: bool = False, ending: str = ".md"
) -> Converted:
    """Read the texts of an existing candidate again as `dialect`, into the candidate `new`.

    The raw answers are read where they were kept, else the files with this `ending`. Pages that failed stay
    failed. Raises ConfigError for an unknown dialect or a name that is taken, InputError if there are no texts,
    PartialError if a text does not fit the dialect.
    """
    if dialect not in DIALECTS:
        raise ConfigError(unknown(dialect))
    check_name(new, "new candidate")
    old, target = folder / candidate, folder / new
    if old.resolve() == target.resolve():
        raise ConfigError(f"{new}: the new candidate cannot be the old one; take another name")
    files = {place: path for path, place in page_files(old, (ending,))}
    files |= {place: path for path, place in page_files(old, (".raw.txt",))}
    if not files:
        raise InputError(f"{old}: no <pdf>_pg<page>_repeat<n>{ending} in it; name a candidate's folder")
    origin = {"candidate": candidate, "settings": read_record(old)}
    settings: dict[str, Any] = {"source": "adapt", "dialect": dialect_of(dialect), "origin": origin}
    claim(target, settings, force)
    stamp, failed = stamp_of(settings), _failed(old, files) if ending != ".json" else {}
    for place, path in track(sorted(files.items(), key=str), len(files), new):
        write_page(target, place, _adapted(old, place, path, dialect, ending), stamp)
    for place, page in failed.items():
        write_page(target, place, page, stamp)
    result = Converted(Counter(read_sidecar(target, p)["state"] for p in [*files, *failed]), len(files))
    if result.states["error"]:
        raise PartialError(f"{new}: {result}; {_first_error(target, [*files, *failed])}")
    return result


def _adapted(old: Path, place: Place, path: Path, dialect: str, ending: str) -> Page:
    sidecar = read_sidecar(old, place) if ending != ".json" else {}
    notes = {key: sidecar[key] for key in NOTES if key in sidecar}
    try:
        raw = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        return Page("error", None, f"{path}: not UTF-8: {error}", None, notes)
    return in_dialect(raw, dialect, place, str(sidecar.get("finish_reason", "")), notes)


def _failed(old: Path, files: Mapping[Place, Path]) -> dict[Place, Page]:
    """The pages of a candidate that have nothing but a sidecar that says why."""
    pages = {}
    for _, place in page_files(old, (".json",)):
        sidecar = read_sidecar(old, place)
        if place not in files and sidecar.get("state") == "error":
            notes = {key: sidecar[key] for key in NOTES if key in sidecar}
            pages[place] = Page("error", None, str(sidecar.get("error", "")), None, notes)
    return pages


def _first_error(target: Path, places: list[Place]) -> str:
    for place in places:
        sidecar = read_sidecar(target, place)
        if sidecar["state"] == "error":
            return f"the first is {page_path(target, place, '.json')}: {sidecar['error']}"
    return ""


def _raise_worst(faults: list[ScriptoriumError]) -> None:
    """Raise one error for all: of the kind that leaves most undone."""
    for kind in (HostError, ServerError, ConfigError, InputError, PartialError):
        if any(isinstance(fault, kind) for fault in faults):
            raise kind("\n".join(str(fault) for fault in faults))
    if faults:
        raise faults[0]
