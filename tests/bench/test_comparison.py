"""Two candidates on the same tests."""

from pathlib import Path

import pytest

from scriptorium.bench import Scores, compare, score
from scriptorium.bench.rules import OLMOCR, STRICT
from scriptorium.bench.scoring.comparison import compare_all
from scriptorium.errors import InputError

from .benches import laid_out, present

PDFS = [f"{letter}.pdf" for letter in "abcdefgh"]
ABSENT = {"pdf": "a.pdf", "page": 1, "id": "ghost", "type": "absent", "text": "ghost"}


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """`good` reads all pages; `poor` none but one; `gone` lacks one page; `wild` shows what should not be."""
    tests = {"x.jsonl": [present(pdf, 1) for pdf in PDFS], "y.jsonl": [ABSENT]}
    texts = {"good": "alpha", "poor": "other words", "gone": "alpha", "wild": "alpha ghost"}
    outputs = {f"{name}/{pdf[0]}_pg1_repeat1.md": text for name, text in texts.items() for pdf in PDFS} | {
        "poor/h_pg1_repeat1.md": "alpha"
    }
    del outputs["gone/b_pg1_repeat1.md"]
    return laid_out(tmp_path, tests, outputs, PDFS)


def scored(bench: Path, name: str, **more: object) -> Scores:
    return score(bench, name, nulls=False, **more)


def test_gained_and_lost_by_reason(bench: Path) -> None:
    found = compare(scored(bench, "good"), scored(bench, "poor")).rules
    ids = [f"{pdf}-1" for pdf in PDFS[:-1]]
    assert found[OLMOCR]["gained"] == {"missing": ids}
    baselines = [f"{pdf}_baseline" for pdf in PDFS[:-1]]
    assert found[STRICT]["gained"]["missing"] == ids
    assert sorted(found[STRICT]["gained"]["no_content"]) == sorted([*baselines, "ghost"])
    assert found[STRICT]["lost"] == {}
    assert compare(scored(bench, "wild"), scored(bench, "good")).rules[STRICT]["lost"] == {"found": ["ghost"]}


def test_a_page_without_output_is_a_reason(bench: Path) -> None:
    found = compare(scored(bench, "gone"), scored(bench, "good")).rules[OLMOCR]
    assert found["lost"] == {"missing": ["b.pdf-1", "b.pdf_baseline"]}
    assert found["overall"]["difference"] == pytest.approx(-(12.5 + 12.5 + 0) / 3, abs=1e-3)


def test_the_difference_is_that_of_the_scores_and_turns_with_them(bench: Path) -> None:
    good, poor = scored(bench, "good"), scored(bench, "poor")
    there, back = compare(good, poor).rules[STRICT], compare(poor, good).rules[STRICT]
    wanted = good.rules[STRICT]["overall"] - poor.rules[STRICT]["overall"]
    assert there["overall"]["difference"] == pytest.approx(wanted, abs=1e-3)
    assert back["overall"]["difference"] == -there["overall"]["difference"]
    assert back["overall"]["interval"] == [-high for high in reversed(there["overall"]["interval"])]
    assert back["overall"]["p"] == there["overall"]["p"]
    assert there["gained"] == back["lost"]
    low, high = there["overall"]["interval"]
    assert low <= wanted <= high
    assert there["overall"]["p"] < 0.05
    assert there["categories"]["x"]["difference"] == 87.5


def test_a_candidate_against_itself(bench: Path) -> None:
    found = compare(scored(bench, "good"), scored(bench, "good")).rules[STRICT]
    assert found["overall"] == {"difference": 0.0, "interval": [0.0, 0.0], "p": 1.0}
    assert found["gained"] == found["lost"] == {}
    assert found["detectable"] == 0.0


def test_pairs_are_adjusted(bench: Path) -> None:
    found = compare_all([scored(bench, name) for name in ("good", "poor", "wild")])
    assert [(each.a, each.b) for each in found] == [("good", "poor"), ("good", "wild"), ("poor", "wild")]
    cells = [each.rules[STRICT]["overall"] for each in found]
    assert all(cell["p_holm"] >= cell["p"] for cell in cells)
    assert min(cells, key=lambda cell: cell["p"])["p_holm"] == pytest.approx(
        3 * min(c["p"] for c in cells), rel=1e-3
    )


def test_what_cannot_be_compared_is_refused(bench: Path) -> None:
    good = scored(bench, "good")
    with pytest.raises(InputError, match="different rule sets"):
        compare(scored(bench, "good", rules=OLMOCR), scored(bench, "poor", rules=STRICT))
    with pytest.raises(InputError, match="profile"):
        compare(good, scored(bench, "poor", profile="keep-headers"))
    with pytest.raises(InputError, match="1 tests are of only one of good and poor, 'ghost' first"):
        compare(good, scored(bench, "poor", categories=["x", "baseline"]))
