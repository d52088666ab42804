"""benchmarks/gpu.py does all its parts on a CPU, so that a rented GPU's minutes are not spent on its faults."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
EVERY = [
    "device",
    "kernel",
    "exact_adamw",
    "packed",
    "one_by_one",
    "plain_loop",
    "trl",
    "fp8",
    "grpo",
    "compared",
]


def benchmark(*words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
        "PYTHONPATH": str(ROOT / "src"),
    }
    command = [sys.executable, str(ROOT / "benchmarks" / "gpu.py"), *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def test_every_part_runs_in_the_rehearsal(tmp_path: Path) -> None:
    out = tmp_path / "cpu.jsonl"
    done = benchmark("--cpu", "--out", str(out))
    assert done.returncode == 0, done.stderr[-3000:]
    lines = {line["part"]: line for line in map(json.loads, out.read_text().splitlines())}
    assert list(lines) == EVERY and all(line["ok"] for line in lines.values())
    assert lines["compared"]["largest_difference_of_losses"] < 1e-5
    assert lines["exact_adamw"]["plain_bfloat16"] < 0.5 < 0.9999 < lines["exact_adamw"]["ours"]
    assert all(
        lines[name]["tokens_per_second"] > 0 for name in ("packed", "one_by_one", "plain_loop", "trl", "fp8")
    )


def test_a_part_that_fails_is_said_and_the_others_go_on(tmp_path: Path) -> None:
    # Rows of ten tokens hold no page.
    code = (
        "import sys; sys.argv = ['gpu.py', '--cpu', '--parts', 'packed', 'exact_adamw']\n"
        "sys.path.insert(0, 'benchmarks')\n"
        "import gpu, gpu_loops; whole = gpu_loops.our_loop\n"
        "gpu_loops.our_loop = lambda bench, **args: whole(bench, **(args | {'max_length': 10}))\n"
        "gpu.main()"
    )
    environment = os.environ | {
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
        "PYTHONPATH": str(ROOT / "src"),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"part"')]
    assert done.returncode == 1
    assert [(line["part"], line["ok"]) for line in lines] == [
        ("device", True),
        ("packed", False),
        ("exact_adamw", True),
    ]
    assert "does not fit" in lines[1]["error"]
