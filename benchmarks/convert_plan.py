"""What a plan costs: files a second and memory, for small files that nobody has looked at, and again.

    python benchmarks/convert_plan.py --files 100000 --out build/convert-plan

Each plan is a process of its own on one core, its child that opens the files included; its start counts too. The
last figures are of one shard's rows read from the plan.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import tiny_pdfs
from measure import MIB, emptied, environment, last_core, run, verdict

PLAN = """
import sys
from pathlib import Path
from scriptorium.convert.plan import plan_corpus
plan_corpus(sys.argv[1], int(sys.argv[3]), Path(sys.argv[2]), jobs=int(sys.argv[4]))
"""
SHARD = """
import sys, time
from pathlib import Path
from scriptorium.convert.plan import read_plan
start = time.perf_counter()
rows = read_plan(Path(sys.argv[1]), int(sys.argv[2]))
print(len(rows), time.perf_counter() - start)
"""
TARGET = 3000
"""Files a second on one core."""


def planned(corpus: Path, out: Path, shards: int, jobs: int, cores: bool = False) -> dict[str, Any]:
    """One plan: seconds, processor seconds, peak memory."""
    words = [sys.executable, "-c", PLAN, str(corpus), str(out / "plan.parquet"), str(shards), str(jobs)]
    done = run(words, environment(out / "cache"), None if cores else last_core())
    return {
        "seconds": round(done.seconds, 2),
        "processor_seconds": round(done.processor, 2),
        "peak_mb": round(done.memory / MIB, 1),
    }


def main() -> None:
    """Measure and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--shards", type=int, default=20)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    out = emptied(options.out)
    corpus = tiny_pdfs.make(out / "corpus", options.files)
    time.sleep(3)  # a file that was changed this moment is not remembered
    found: dict[str, Any] = {"files": options.files, "cold": planned(corpus, out, options.shards, 1)}
    before = (out / "plan.parquet").read_bytes()
    found["again"] = planned(corpus, out, options.shards, 1)
    (out / ".looked.sqlite").unlink()
    found["cold, two jobs, all cores"] = planned(corpus, out, options.shards, 2, cores=True)
    found["same bytes each time"] = before == (out / "plan.parquet").read_bytes()
    words = [sys.executable, "-c", SHARD, str(out / "plan.parquet"), "1"]
    rows, seconds = run(words, environment(out / "cache")).output.split()
    found["one shard"] = {"rows": int(rows), "seconds": round(float(seconds), 3)}
    for name in ("plan.parquet", "plan-by-shard.parquet", ".looked.sqlite"):
        found[name] = {"mb": round((out / name).stat().st_size / MIB, 1)}
    text = json.dumps(found, indent=1)
    (out / "convert_plan.json").write_text(text + "\n")
    print(text)
    rate = options.files / found["cold"]["processor_seconds"]
    sys.exit(0 if verdict("plan", rate, TARGET, "files a processor second", at_least=True) else 4)


if __name__ == "__main__":
    main()
