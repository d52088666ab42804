"""A shard of all families as a bench: the truth gets everything, other texts next to nothing; same seed, same bytes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scriptorium.bench.folder import load_bench
from scriptorium.bench.outputs import Output
from scriptorium.bench.rules import OLMOCR, RULES, STRICT
from scriptorium.bench.scoring.scores import score_outputs
from scriptorium.bench.scoring.verdict_cache import VerdictCache
from scriptorium.files import read_jsonl, sha256_tree
from scriptorium.mix.index import split_pages
from scriptorium.pages import front_matter
from scriptorium.synth.families import FAMILIES
from scriptorium.synth.shard import make_shard

SCRIPT = Path(__file__).parents[2] / "workflow" / "scripts" / "synth_shard.py"


@pytest.fixture(scope="module")
def shard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pages of every family."""
    out = tmp_path_factory.mktemp("shard") / "0"
    make_shard("mixed", "made", "bench", 0, 2 * len(FAMILIES), 7, out)
    return out


@pytest.fixture(scope="module")
def bench(shard: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bench") / "bench"
    split_pages([shard], out)
    return out


def test_same_seed_same_bytes(shard: Path, tmp_path: Path) -> None:
    arguments = ["--family", "mixed", "--source", "made", "--split", "bench", "--shard", "0", "--seed", "7"]
    command = [
        sys.executable,
        str(SCRIPT),
        *arguments,
        "--pages",
        str(2 * len(FAMILIES)),
        "--out",
        str(tmp_path / "b"),
    ]
    subprocess.run(command, check=True, env=os.environ | {"PYTHONHASHSEED": "11"})
    assert sha256_tree(tmp_path / "b") == sha256_tree(shard)


def test_a_row_has_its_page_and_boxes(shard: Path) -> None:
    rows = read_jsonl(shard / "pages.jsonl")
    assert [row["group"] for row in rows] == list(FAMILIES) * 2
    assert {tuple(row) for row in rows} == {("document", "page", "text", "tests", "group", "boxes")}
    assert sorted(path.stem for path in shard.glob("documents/*.pdf")) == [row["document"] for row in rows]


def scores(bench: Path, texts: dict[str, str], tmp_path: Path) -> dict[str, float]:
    """The overall score of a candidate under each rule set."""
    outputs = {page: [Output(text, "ok")] for page, text in texts.items()}
    made = score_outputs(
        load_bench(bench),
        outputs,
        "made",
        RULES,
        nulls=False,
        explain=False,
        cache=VerdictCache(tmp_path / "cache"),
    )
    return {rules: made.rules[rules]["overall"] for rules in RULES}


def truths(bench: Path) -> dict[str, str]:
    texts = {}
    for page in load_bench(bench).pages:
        path = bench / "pdfs" / f"{page}.md"
        texts[page] = front_matter.decode(path.read_text(encoding="utf-8"))[1] or ""
    return texts


def test_the_truth_gets_everything(bench: Path, tmp_path: Path) -> None:
    assert scores(bench, truths(bench), tmp_path) == {OLMOCR: 100.0, STRICT: 100.0}


def test_another_page_and_no_text_get_next_to_nothing(bench: Path, tmp_path: Path) -> None:
    own = truths(bench)
    pages = list(own)
    others = {page: own[pages[(k + 5) % len(pages)]] for k, page in enumerate(pages)}
    assert scores(bench, others, tmp_path)[STRICT] < 8
    assert scores(bench, dict.fromkeys(pages, ""), tmp_path)[STRICT] < 8
