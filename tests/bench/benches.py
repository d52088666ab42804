"""Bench folders made for a test."""

from pathlib import Path

from scriptorium.files import write_jsonl

from .shared import vectors

SCENARIOS = {row["name"]: row for row in vectors("scoring")}


def laid_out(folder: Path, tests: dict[str, list[dict]], outputs: dict[str, str], pdfs: list[str]) -> Path:
    """A bench folder with empty PDFs: scoring asks only whether they are there, and nulls bear with them."""
    for name in pdfs:
        (folder / "pdfs" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "pdfs" / name).touch()
    for name, rows in tests.items():
        write_jsonl(folder / name, rows)
    for name, text in outputs.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def scenario(folder: Path, name: str) -> Path:
    """The bench of a scoring vector; the path to score."""
    row = SCENARIOS[name]
    laid_out(folder, row["jsonl"], row["outputs"], list(row["pdf_pages"]))
    return folder / row["dir_is_file"] if row["dir_is_file"] else folder


def present(pdf: str, number: int, text: str = "alpha", page: int = 1, **more: object) -> dict:
    """A test that a text is there."""
    return {"pdf": pdf, "page": page, "id": f"{pdf}-{number}", "type": "present", "text": text, **more}
