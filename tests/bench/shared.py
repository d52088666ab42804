"""Where the test data of the bench lies."""

from pathlib import Path

import pytest

from scriptorium.files import read_jsonl

DATA = Path(__file__).parents[2].parent / "shared" / "data"


def vectors(name: str) -> list[dict]:
    """The rows of a file of vectors; none where the shared data are missing."""
    path = DATA / "bench-vectors" / f"{name}.jsonl"
    return read_jsonl(path) if path.exists() else []


def sample() -> Path:
    """The sample bench; skips the test where it is missing."""
    folder = DATA / "bench-sample"
    if not folder.exists():
        pytest.skip(f"{folder} is missing")
    return folder
