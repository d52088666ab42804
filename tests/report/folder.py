"""A results folder like the workflow's, in seconds: real pages, tests, scores and receipts; readings made up.

Each run "reads" the true text with some of its words spoilt, the fewer the later it stands in the chain.
"""

import gzip
import json
import math
import random
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from scriptorium.bench.scoring.run_scores import write_scores
from scriptorium.files import write_json, write_jsonl
from scriptorium.mix.index import split_pages
from scriptorium.pages.front_matter import body
from scriptorium.receipt import write_receipt
from scriptorium.recipe.plan import Run, write_run
from scriptorium.recipe.recipe import DataRef
from scriptorium.synth.shard import make_shard

CHAIN: dict[str, tuple[str, list[str], float]] = {
    "base": ("init", [], 1.0),
    "pretrain": ("pretrain", ["base"], 0.6),
    "sft": ("sft", ["pretrain"], 0.12),
    "grpo_token-1": ("grpo", ["sft"], 0.06),
    "grpo_sequence-1": ("grpo", ["sft"], 0.07),
    "grpo_lora": ("grpo", ["sft"], 0.0),
    "merged": ("merge", ["grpo_lora"], 0.08),
    "soup": ("soup", ["grpo_token-1", "grpo_sequence-1", "merged"], 0.04),
    "fp8": ("quantize", ["soup"], 0.05),
}
"""Run to method, parents and the share of words it gets wrong."""

DATA = {"pretrain": "sft", "sft": "sft", "grpo": "rl"}
MEASURED = [name for name in CHAIN if name != "grpo_lora"]
HOSTILE = '<script>alert("x")</script><img src=x onerror=alert(1)>'


def make_results(folder: Path, pages: int = 10) -> Path:
    """A results folder with all runs, scores, metrics, costs and a corpus; returns the bench's folder."""
    write_json(folder / "recipe.json", {"recipe": "tiny"})
    for split in ("sft", "rl", "bench"):
        shard = folder / "synth" / "primer" / split / "0"
        make_shard("primer", "primer", split, 0, pages if split == "bench" else 2, 1, shard)
        split_pages([shard], folder / "pages" / "primer" / split)
    bench = folder / "pages" / "primer" / "bench"
    for number, (name, (method, parents, spoilt)) in enumerate(CHAIN.items()):
        make_run(folder, bench, name, method, parents, spoilt, number)
    score(folder, bench, "soup", [("parent", "sft"), *(("ingredient", r) for r in CHAIN["soup"][1])])
    make_costs(folder)
    make_corpus(folder / "corpus" / "library", bench)
    return bench


def make_run(
    folder: Path, bench: Path, name: str, method: str, parents: list[str], spoilt: float, number: int
) -> None:
    """One run's stage, receipt, metrics, readings and scores."""
    home = folder / name
    data = [DataRef(source="primer", split=DATA[method])] if method in DATA else []
    curriculum = {"groups": ["8x1", "16x1", "16x6"]} if method == "pretrain" else None
    run = Run(
        name=name,
        stage=name,
        method=method,
        recipe="tiny",
        model="tiny",
        parents=parents,
        data=data,
        curriculum=curriculum,
        seed=1,
    )
    write_run(home / "stage.yaml", run)
    (home / "model").mkdir()
    save_file({"w": np.full((8, 8), number, np.float32)}, home / "model" / "model.safetensors")
    folders = {parent: folder / parent / "model" for parent in parents}
    started = time.monotonic() - 40 * number
    write_receipt(home / "model.json", run, home / "model", folders, [], "full", 100, started, TOTALS)
    if method in DATA:
        write_jsonl(home / "metrics.jsonl", metrics(method, number))
    if name in MEASURED:
        write_jsonl(home / "bench" / "pages.jsonl", readings(bench, spoilt, number))
        score(folder, bench, name, [])


def score(folder: Path, bench: Path, name: str, kin: list[tuple[str, str]]) -> None:
    """Score a run's readings with the scorer that the workflow uses."""
    relatives = [f"{how}={run}={folder / run / 'bench.json'}" for how, run in kin]
    home = folder / name
    write_scores(
        bench, home / "bench" / "pages.jsonl", name, home / "model.json", relatives, home / "bench.json"
    )


TOTALS = {"total/tokens": 250_000.0, "total/seconds": 100.0}
"""What a training adds up to, in its receipt."""


def metrics(method: str, seed: int) -> list[dict[str, Any]]:
    """The lines that training writes."""
    rng = random.Random(seed)
    if method == "grpo":
        return [
            {
                "step": step,
                "reward": 0.55 + 0.3 * (1 - math.exp(-step / 15)) + rng.gauss(0, 0.03),
                "reward_std": 0.2 * math.exp(-step / 30) + abs(rng.gauss(0, 0.01)),
                "frac_reward_zero_std": min(1.0, step / 60 + abs(rng.gauss(0, 0.05))),
                "loss": rng.gauss(0, 0.01),
            }
            for step in range(1, 41)
        ]
    lines: list[dict[str, Any]] = []
    for step in range(20, 1001, 20):
        line = {"step": step, "loss": 3.2 * math.exp(-step / 280) + 0.2 + rng.gauss(0, 0.04), "lr": 1e-3}
        lines.append(line | ({"opened": 1 + (step > 300) + (step > 600)} if method == "pretrain" else {}))
        if method == "sft" and step % 200 == 0:
            lines.append({"step": step, "dev/bench": 70 * (1 - math.exp(-step / 300)), "dev/pages": 60})
            lines.append({"step": step, "tokens_per_second": 2400 + rng.gauss(0, 50)})
    return lines


def readings(bench: Path, spoilt: float, seed: int) -> list[dict[str, Any]]:
    """The true text of every bench page with a share of its words spoilt; hostile HTML on the first page."""
    rows = []
    for number, path in enumerate(sorted((bench / "pdfs").glob("*.md"))):
        rng = random.Random(f"{seed} {number}")
        words = body(path.read_text(encoding="utf-8")).split(" ")
        text = " ".join(spoil(word, rng) if rng.random() < spoilt else word for word in words)
        text = text.replace("<table>", f"<table onclick=alert(1)>{HOSTILE}") + (
            HOSTILE if number == 0 else ""
        )
        name = path.with_suffix(".pdf").name
        rows.append({"id": path.stem, "pdf": name, "page": 1, "status": "ok", "text": text})
        rows[-1] |= {"finish_reason": "stop", "tokens": len(text), "seconds": 0.5, "attempts": 1}
    return rows


def spoil(word: str, rng: random.Random) -> str:
    """A word as a bad reader gives it: left out, or with its letters turned about."""
    return "" if rng.random() < 0.3 else word[::-1]


def make_costs(folder: Path) -> None:
    """Benchmark files as Snakemake writes them."""
    head = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"
    for rule, names, seconds in (
        ("sft", ["sft"], 840.5),
        ("soup", ["soup"], 3.2),
        ("bench_read", MEASURED, 31.0),
    ):
        for name in names:
            path = folder / "benchmarks" / rule / f"{name}.tsv"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{head}{seconds}\t0:00:31\t812.55\t9000\t700\t750\t0\t1\t98.1\t30.4\n")
    short = folder / "benchmarks" / "stage" / "soup.tsv"
    short.parent.mkdir()
    short.write_text(f"{head}0.0102\t0:00:00\tNA\tNA\tNA\tNA\tNA\tNA\tNA\tNA\n")


def make_corpus(folder: Path, bench: Path) -> None:
    """A converted corpus: two documents, one page of them blank, and a file that could not be opened."""
    texts = [body(path.read_text(encoding="utf-8")) for path in sorted((bench / "pdfs").glob("*.md"))[:3]]
    rows, records = [], []
    for document, pages in (("a.pdf", [*texts[:2], ""]), ("b.pdf", [texts[2] + HOSTILE])):
        spans, text, statuses = [], "", []
        for number, page in enumerate(pages, 1):
            spans.append([len(text), len(text) + len(page), number])
            text += page
            statuses.append("ok" if page else "blank")
            rows.append({"document": document, "source": f"corpus/{document}", "page": number})
            rows[-1] |= {"status": statuses[-1], "reason": ""}
        attributes = {"pdf_page_numbers": spans, "page_status": statuses}
        source = {"Source-File": f"corpus/{document}"}
        records.append({"id": document, "text": text, "metadata": source, "attributes": attributes})
    rows.append({"document": "c", "source": "corpus/<c>.pdf", "page": 0, "status": "unreadable"})
    rows[-1]["reason"] = "not_a_pdf: corpus/c.pdf: starts with 'PK'"
    statuses = {"blank": 1, "ok": 3, "unreadable": 1}
    report = {"files": 3, "pages": 4, "statuses": statuses, "tokens": 900, "seconds": 4.5}
    report["problems"] = rows[-1:]
    write_json(folder / "report.json", report)
    (folder / "dolma").mkdir()
    with gzip.open(folder / "dolma" / "00000.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(record) + "\n" for record in records)


def copy(results: Path, to: Path) -> Path:
    """A copy of a results folder that a test may spoil."""
    shutil.copytree(results, to)
    return to
