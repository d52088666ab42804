"""Other tools on a bench as a workflow: planned from the config, run, refused with a reason."""

import json
import shutil
from pathlib import Path

import pytest

from .conftest import ROOT, Runner, jobs

LAYER = "text_layer: {source: text-layer}\n"


@pytest.fixture
def bench(project: Path) -> Path:
    """The example bench of the documents, beside the workflow, and one candidate."""
    shutil.copytree(ROOT / "docs" / "examples" / "bench", project / "my bench")
    (project / "tools.yaml").write_text(LAYER, encoding="utf-8")
    return project / "my bench"


def test_candidates_are_converted_scored_and_shown(snakemake: Runner, project: Path, bench: Path) -> None:
    (project / "tools.yaml").write_text(LAYER + "again: {source: text-layer, repeats: 2}\n", encoding="utf-8")
    done = snakemake(
        "measure_candidates", "--cores", "1", "--config", f"bench={bench.name}", "candidates=tools.yaml"
    )
    assert done.returncode == 0, done.stderr[-2000:]
    folder = project / "results" / "candidates"
    scores = json.loads((folder / "text_layer.json").read_text(encoding="utf-8"))
    assert scores["candidates"][0]["candidate"] == "text_layer"
    assert (folder / "comparison.md").is_file() and (folder / "lint.json").is_file()
    assert (folder / "report" / "index.html").is_file()
    again = snakemake("-n", "measure_candidates", "--config", f"bench={bench.name}", "candidates=tools.yaml")
    assert "Nothing to be done" in again.stdout + again.stderr


def test_a_published_bench_is_fetched_first(snakemake: Runner, project: Path, bench: Path) -> None:
    planned = jobs(snakemake("-n", "measure_candidates", "--config", "candidates=tools.yaml"))
    assert planned["fetch_bench"] == 1 and planned["convert_candidate"] == 1 and planned["lint_bench"] == 1
    assert "compare_candidates" not in planned  # there is nobody to compare with
    assert "train" not in planned and "bench_read" not in planned


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (["bench=nowhere", "candidates=tools.yaml"], "no folder 'nowhere'"),
        (["bench=hub:a/b", "candidates=tools.yaml"], "has no revision"),
        (["candidates=none.yaml"], "none.yaml"),
        ([], "name a YAML file of tools"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    snakemake: Runner, bench: Path, config: list[str], reason: str
) -> None:
    done = snakemake("-n", "measure_candidates", *(["--config", *config] if config else []))
    assert done.returncode == 1 and reason in done.stdout + done.stderr
