"""What a candidate wrote for each page of a bench, from the files it was kept in."""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from scriptorium.errors import InputError

State = Literal["ok", "empty", "missing", "error", "truncated"]
STATES: tuple[State, ...] = ("ok", "empty", "truncated", "missing", "error")
"""What became of a page's output. `missing` and `error` have no text: all tests of the page fail."""

FAILED: tuple[State, ...] = ("missing", "error")

NO_OUTPUT = ("gave_up", "unreadable")
"""The statuses of a pages.jsonl for a page that has no output; a blank page's output is an empty text."""

_NAME = r"(?P<stem>.*)_pg(?P<page>[0-9]+)_repeat(?P<repeat>[0-9]+)"
_REPEAT = re.compile(_NAME + r"\.md", re.DOTALL)
_SIDECAR = re.compile(_NAME + r"\.json", re.DOTALL)


@dataclass(frozen=True)
class Output:
    """One text for one page; None where there is none. `sidecar`: what its maker wrote beside it."""

    text: str | None
    state: State
    sidecar: dict[str, Any] = field(default_factory=dict)


MISSING = Output(None, "missing")

Outputs = Mapping[str, Sequence[Output]]
"""Page id to the outputs of its repeats, in the order of their numbers."""


def page_id(pdf: str, page: int) -> str:
    """The id of a bench page: the PDF's path below pdfs/ without its ending, and `#page` from page 2 on."""
    stem = pdf.removesuffix(".pdf")
    return stem if page == 1 else f"{stem}#{page}"


def read_outputs(path: Path) -> dict[str, list[Output]]:
    """The outputs in a `pages.jsonl`. Raises InputError for other rows."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
        rows = [json.loads(line) for line in lines if line.strip()]
        return {page_id(row["pdf"], row["page"]): [_from_row(row)] for row in rows}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: not the outputs of bench pages (pdf, page, status, text a line): {error!r}"
        ) from error


def _from_row(row: dict[str, Any]) -> Output:
    if row["status"] in NO_OUTPUT:
        return Output(None, "error", {"error": row["status"]})
    return _output(row["text"], {"finish_reason": row.get("finish_reason")})


def page_names(folder: Path) -> Iterator[tuple[Path, str, int, int]]:
    """The outputs below a candidate's folder: path, PDF's path without ending, page, repeat; by name.

    Raises InputError for a folder without the right to be read.
    """
    yield from _named(folder, _REPEAT)


def page_sidecars(folder: Path) -> Iterator[tuple[Path, str, int, int]]:
    """The same of the sidecars below a candidate's folder, those without an output included."""
    yield from _named(folder, _SIDECAR)


def _named(folder: Path, form: re.Pattern[str]) -> Iterator[tuple[Path, str, int, int]]:
    paths = [Path(home, name) for home, _, names in os.walk(folder, onerror=_refuse) for name in names]
    for path in sorted(paths):
        name = form.fullmatch(path.relative_to(folder).as_posix())
        try:
            if name and path.is_file():
                yield path, name["stem"], int(name["page"]), int(name["repeat"])
        except PermissionError as error:
            _refuse(error)


def _refuse(error: OSError) -> None:
    """Raises InputError for a folder that may not be read: its outputs would be passed over in silence."""
    if isinstance(error, PermissionError):
        raise InputError(f"{error.filename}: cannot be read; allow that, or move it away") from error


def read_candidate(folder: Path, candidate: str) -> dict[str, list[Output]]:
    """The outputs `<folder>/<candidate>/**/<pdf>_pg<page>_repeat<n>.md`, the layout of olmOCR-bench.

    A `.json` of the same stem beside a `.md` is its sidecar; one that cannot be read is passed over, with
    `sidecar_error` saying why. A sidecar alone is a page that failed. A `.md` that cannot be read or is not
    UTF-8 has the state `error`. Line ends are read as olmOCR-bench reads them: all as a newline. Raises
    InputError if there is no output.
    """
    found: dict[str, list[tuple[int, Output]]] = {}
    home = folder / candidate
    for path, stem, page, repeat in page_names(home):
        found.setdefault(page_id(stem, page), []).append((repeat, read_output(path)))
    for path, stem, page, repeat in page_sidecars(home):
        if not path.with_suffix(".md").exists():
            found.setdefault(page_id(stem, page), []).append((repeat, _lost(_sidecar(path))))
    if not found:
        raise InputError(f"{home}: no <pdf>_pg<page>_repeat<n>.md in it; name a candidate's folder")
    return {
        page: [output for _, output in sorted(outputs, key=lambda each: each[0])]
        for page, outputs in found.items()
    }


def read_output(path: Path) -> Output:
    """One output file and its sidecar."""
    sidecar = _sidecar(path.with_suffix(".json"))
    try:
        text = path.read_bytes().decode("utf-8")
    except (OSError, ValueError) as error:
        return Output(None, "error", sidecar | {"error": f"{path.name}: {error}"})
    return _output(text.replace("\r\n", "\n").replace("\r", "\n"), sidecar)


def _lost(sidecar: dict[str, Any]) -> Output:
    """The output of a sidecar without a text."""
    return Output(None, "error" if sidecar.get("state") == "error" else "missing", sidecar)


def _sidecar(path: Path) -> dict[str, Any]:
    """A sidecar, empty where there is none; what is wrong with it where it cannot be read."""
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        return {"sidecar_error": f"{path.name}: {error}"}
    if not isinstance(value, dict):
        return {"sidecar_error": f"{path.name}: not a JSON object"}
    if value.get("state") not in (None, *STATES):
        return {"sidecar_error": f"{path.name}: state: must be one of {', '.join(STATES)}"}
    return value


def _output(text: str, sidecar: dict[str, Any]) -> Output:
    """The state is the sidecar's where it says one; else what the text and the finish reason say."""
    said = sidecar.get("state")
    if said in FAILED or (said is None and sidecar.get("error")):
        return Output(None, said or "error", sidecar)
    if not text.strip():
        return Output(text, "ok" if said == "ok" else "empty", sidecar)
    cut = said == "truncated" or (said is None and sidecar.get("finish_reason") == "length")
    return Output(text, "truncated" if cut else "ok", sidecar)
