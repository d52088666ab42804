"""How long a conversion that is finished takes to be resumed: 100,000 pages, all in the store, no page read.

python benchmarks/convert_resume.py --out build/resume

Makes a plan and a store of generated records of 3 KB (300 MB; kept for the next time), then runs what
`scriptorium convert` and a workflow's shard do before they could read a page, in a process of its own each time:
the plan's rows, their keys, finding them in the store, the receipt. Three times: with the store's index; without,
as after a kill (the index is then made again); and with a worker's 20 shards. Prints seconds by the clock and of the
processor, and peak memory; exits 4 above 5 s by the processor with the index.
"""

import argparse
import hashlib
import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

from scriptorium.convert.plan import shard_of, write_plan
from scriptorium.convert.shard import settings_of
from scriptorium.pages.store import Store, content_keys, writer_name
from scriptorium.serve.adapter import load

PAGES, LONG, SHARDS = 100_000, 100, 20
TARGET_SECONDS = 5.0
MODEL = "hub:nobody/nothing@0000000"
TEXT_BYTES = 2500
RUN = """
import resource, sys, time
begun = time.monotonic()
from pathlib import Path
from scriptorium.convert.shard import convert_shard
from scriptorium.serve.adapter import load
out, shards = Path(sys.argv[1]), int(sys.argv[2])
for shard in range(shards):
    receipt = out / "shards" / f"{shard:05d}.json"
    convert_shard(out / "plan.parquet", shard, sys.argv[3], load("tiny"), 1, out / "store", receipt)
used = resource.getrusage(resource.RUSAGE_SELF)
print(time.monotonic() - begun, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
"""


def make(out: Path, shards: int) -> None:
    """The plan of a corpus of documents of 100 pages in so many shards, and a store that has them all."""
    chance = random.Random(1)
    words = [hashlib.sha256(str(k).encode()).hexdigest()[: 3 + k % 9] for k in range(5000)]
    key = content_keys(settings_of(MODEL, load("tiny")))
    rows, store = [], Store(out / "store")
    writers = [store.writer(writer_name(shard, shards)) for shard in range(shards)]
    for number in range(PAGES // LONG):
        document = hashlib.sha256(str(number).encode()).hexdigest()
        for page in range(1, LONG + 1):
            shard = shard_of(document, page, shards)
            text = " ".join(chance.choices(words, k=TEXT_BYTES // 8))
            record = {"document": document, "page": page, "text": text, "seconds": 1.5, "tokens": 700}
            writers[shard].append(key(document, page), "ok", {**record, "prompt_tokens": 1560, "attempts": 1})
            rows.append(row(number, document, page, shard))
    for writer in writers:
        writer.__exit__()
    write_plan(rows, {"corpus": "", "manifests": json.dumps([])}, out / "plan.parquet", shards)


def row(number: int, document: str, page: int, shard: int) -> dict[str, object]:
    """A row of the plan."""
    place = {
        "document": document,
        "source": f"corpus/{number}.pdf",
        "page": page,
        "pages": LONG,
        "shard": shard,
    }
    about = {"member": "", "id": "", "kind": "pdf", "bytes": 1000, "metadata": ""}
    return {**place, "status": "pending", "reason": "", **about}


def measure(out: Path, shards: int) -> tuple[float, float, float]:
    """Seconds by the clock, of the processor, and MiB, of a run that finds all done."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(out), str(shards), MODEL], capture_output=True, text=True, check=True
    )
    clock, processor, memory = map(float, done.stdout.split())
    return clock, processor, memory


def main() -> None:
    """Make what is not there, measure, and say."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    for shards in (1, SHARDS):
        if not (out / str(shards) / "plan.parquet").exists():
            shutil.rmtree(out / str(shards), ignore_errors=True)
            make(out / str(shards), shards)
    one, several = out / "1", out / str(SHARDS)
    found = {"with the index": measure(one, 1)}
    shutil.rmtree(one / "store" / "index")
    found["without, it is made"] = measure(one, 1)
    found[f"in {SHARDS} shards"] = measure(several, SHARDS)
    for name, (clock, processor, memory) in found.items():
        print(f"{name}: {clock:.2f} s, processor {processor:.2f} s, {memory:.0f} MiB")
    sys.exit(0 if found["with the index"][1] < TARGET_SECONDS else 4)


if __name__ == "__main__":
    main()
