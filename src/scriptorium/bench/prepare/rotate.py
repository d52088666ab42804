"""A bench of pages turned on their side or head, with tests that point at the turned pages."""

import random
from pathlib import Path
from typing import Any

from scriptorium.bench.prepare.folder import (
    bring,
    check_free,
    encoded,
    new_bench,
    pdfs,
    read_lines,
    write_bytes,
    write_lines,
)
from scriptorium.bench.tests import Test, load_tests
from scriptorium.errors import ConfigError, InputError
from scriptorium.pages.pdf import PdfWorker
from scriptorium.progress import track

CATEGORY = "rotated"
ANGLES = (90, 180, 270)


def rotate(
    root: Path, out: Path, share: float = 0.1, seed: int = 0, originals: bool = False
) -> dict[str, int]:
    """Write a bench of some of the PDFs, turned clockwise; which ones, each with its degrees.

    `share`: part of the PDFs with tests, in (0, 1]; at least one. They lie in pdfs/rotated/, their tests, with
    `rotated_` before the id, in rotated.jsonl. `originals`: the untouched tests and PDFs come along. Raises
    ConfigError, InputError, TestError, PdfError.
    """
    if not 0 < share <= 1:
        raise ConfigError(f"--share {share:g}: more than 0, at most 1")
    tests = [test for path in sorted(root.glob("*.jsonl")) for test in load_tests(path)]
    chosen = choose(sorted({test["pdf"] for test in tests} & set(pdfs(root))), share, seed)
    how = {"made_from": root.name, "by": "rotate", "share": share, "seed": seed, "degrees": chosen}
    rows = [row for path in sorted(root.glob("*.jsonl")) for row in _turned(path, chosen)]
    if originals:
        _check_apart(set(pdfs(root)), chosen)
        check_free({test["id"] for test in tests}, [row["id"] for row in rows], "a rotated test")
    with new_bench(root, out, how) as part, PdfWorker() as worker:
        for name, degrees in track(chosen.items(), len(chosen), "PDFs turned"):
            write_bytes(part / "pdfs" / CATEGORY / name, worker.turned(root / "pdfs" / name, degrees))
        if originals:
            _bring_all(root, part)
        kept = read_lines(part / f"{CATEGORY}.jsonl") if (part / f"{CATEGORY}.jsonl").exists() else []
        lines = [line.raw for line in kept if line.raw.strip()]
        write_lines(part / f"{CATEGORY}.jsonl", [*lines, *map(encoded, rows), b""])
    return chosen


def _check_apart(names: set[str], chosen: dict[str, int]) -> None:
    if clash := sorted(f"{CATEGORY}/{name}" for name in chosen if f"{CATEGORY}/{name}" in names):
        raise InputError(f"pdfs/{clash[0]}: is there already; turn a bench that has no turned pages yet")


def choose(names: list[str], share: float, seed: int) -> dict[str, int]:
    """A share of the names, each with its degrees; the same for the same names and seed. Raises ConfigError."""
    if not names:
        raise ConfigError("there is no PDF with a test to turn; name a bench with tests")
    draw = random.Random(seed)
    drawn = sorted(draw.sample(names, max(1, round(share * len(names)))))
    return {name: draw.choice(ANGLES) for name in drawn}


def _turned(path: Path, chosen: dict[str, int]) -> list[Test]:
    """The records of a file's tests of turned PDFs, pointing at these; their category goes."""
    rows: list[dict[str, Any]] = []
    for line in read_lines(path):
        if line.record and line.record.get("pdf") in chosen:
            kept = {key: value for key, value in line.record.items() if key != "category"}
            place = {"pdf": f"{CATEGORY}/{kept['pdf']}", "id": f"{CATEGORY}_{kept['id']}"}
            rows.append(kept | place)
    return rows


def _bring_all(root: Path, part: Path) -> None:
    for path in sorted(root.glob("*.jsonl")):
        write_bytes(part / path.name, path.read_bytes())
    for name in pdfs(root):
        bring(root / "pdfs" / name, part / "pdfs" / name)
