"""Filters of a source in the workflow: what is learnt from goes through them, what is measured on does not."""

from pathlib import Path

import yaml

from .conftest import Runner, jobs

FILTERS = ["rotated", "rules", "language=en", "contamination=drop"]


def recipe(folder: Path, filters: list[str]) -> Path:
    values = {"over": "tiny", "name": "filtered", "sources": {"primer": {"filters": filters}}}
    path = folder / "filtered.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


def test_pages_to_learn_from_are_filtered_against_those_measured_on(
    snakemake: Runner, tmp_path: Path
) -> None:
    done = snakemake("-n", "-p", "--config", f"recipe={recipe(tmp_path, FILTERS)}", "results=filtered")
    counts = jobs(done)
    assert counts["filter_pairs"] == 3  # sft, rl and dev are packed; bench is read as it is
    assert counts["split_pages"] == 5
    lines = [
        line
        for line in (done.stdout + done.stderr).splitlines()
        if "filter_pairs.py" in line and "--out" in line
    ]
    learnt = next(line for line in lines if "--out filtered/filtered/primer/sft" in line)
    assert "--filter rotated --filter rules --filter language=en --filter contamination=drop" in learnt
    assert "--against filtered/pages/primer/bench filtered/pages/primer/dev " in learnt
    held_out = next(line for line in lines if "--out filtered/filtered/primer/dev" in line)
    assert "pages/primer/bench" not in held_out
    packed = [
        line for line in (done.stdout + done.stderr).splitlines() if "pack.py" in line and "--out" in line
    ]
    assert sum("--pages filtered/filtered/primer/" in line for line in packed) == 3
    assert sum("--pages filtered/pages/lines/" in line for line in packed) == 1


def test_a_filter_that_is_none_is_refused_before_any_job(snakemake: Runner, tmp_path: Path) -> None:
    done = snakemake("-n", "--config", f"recipe={recipe(tmp_path, ['langage=en'])}", "results=filtered")
    assert done.returncode == 1
    assert "filter 'langage=en': no such filter; did you mean language?" in done.stdout + done.stderr
