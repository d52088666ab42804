"""The table of an ablation, from real bench.json files."""

import json
from pathlib import Path

import pytest

from scriptorium.bench.revision import REVISION
from scriptorium.bench.scoring.ablation import write_table
from scriptorium.errors import InputError


def scores(folder: Path, name: str, passed: list[int], **changes: object) -> None:
    """A bench.json of pages with ten tests each."""
    pages = {f"d{k}.pdf:1": {"text": [count, 10]} for k, count in enumerate(passed)}
    overall = 100 * sum(passed) / (10 * len(passed))
    value = {"revision": REVISION, "scores": {"rules": {"overall": overall}}, "per_page": {"rules": pages}}
    (folder / name).mkdir()
    (folder / name / "bench.json").write_text(json.dumps(value | changes))


def test_a_variant_stands_beside_the_run_it_varies(tmp_path: Path) -> None:
    scores(tmp_path, "base", [4, 5, 6, 5, 4, 6, 5, 5])
    scores(tmp_path, "better", [7, 8, 9, 8, 7, 9, 8, 8])
    scores(tmp_path, "same", [4, 5, 6, 5, 4, 6, 5, 5])
    write_table([("better", "base"), ("same", "base")], tmp_path, tmp_path / "t.md")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (tmp_path / "t.md").read_text().splitlines()
        if line.startswith(("| better", "| same"))
    ]
    assert rows[0][:6] == ["better", "base", "80.0", "50.0", "+30.0", "+30.0 to +30.0"]
    assert rows[1][:6] == ["same", "base", "50.0", "50.0", "+0.0", "+0.0 to +0.0"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"revision": -1}, r"odd.bench\.json: scored by revision -1"),
        ({"per_page": {}}, "scores of odd and base: no 'rules'"),
        ({"per_page": {"rules": {"other.pdf:1": {"text": [1, 10]}}}}, "different tests"),
    ],
)
def test_scores_that_do_not_fit_are_refused(tmp_path: Path, changes: dict, words: str) -> None:
    scores(tmp_path, "base", [4, 5])
    scores(tmp_path, "odd", [4, 5], **changes)
    with pytest.raises(InputError, match=words):
        write_table([("odd", "base")], tmp_path, tmp_path / "t.md")
    assert not (tmp_path / "t.md").exists()


def test_scores_that_are_missing_are_named(tmp_path: Path) -> None:
    scores(tmp_path, "base", [4])
    with pytest.raises(InputError, match=r"gone.bench\.json: cannot be read"):
        write_table([("gone", "base")], tmp_path, tmp_path / "t.md")
