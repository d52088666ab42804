"""What writing the outputs of a large store costs: each format and the report, seconds and peak memory.

    python benchmarks/convert_outputs.py --pages 100000 --out build/convert-outputs

The store is made up: documents of ten pages, 2,700 characters a page, in as many shards as are asked for. Each
format is written by a process of its own, on one core.
"""

import argparse
import hashlib
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from measure import MIB, emptied, environment, last_core, run

from scriptorium.convert.plan import shard_of, write_plan
from scriptorium.pages.signals import of_text
from scriptorium.pages.store import Store, content_key

ALL = ("dolma", "json", "markdown", "html", "text", "parquet")
IN_DOCUMENT = 10
SETTINGS = {"weights": "w", "prompt": "p"}
FRONT = {"primary_language": "en", "is_rotation_valid": True, "rotation_correction": 0}
FRONT |= {"is_table": False, "is_diagram": False}
TEXT = "\n\n".join(["The page says a few hundred words, as pages do, and ends. " * 5] * 9)
OUTPUTS = """
import sys
from pathlib import Path
from scriptorium.convert.outputs.options import parse
from scriptorium.convert.outputs.write import write_outputs
world, name = Path(sys.argv[1]), sys.argv[2]
receipts = sorted((world / "shards").glob("*.json"))
write_outputs(world / "plan.parquet", world / "store", receipts, world / "out", parse({"formats": [name]}, "-"))
"""
REPORT = """
import sys
from pathlib import Path
from scriptorium.convert.report import write_report
world = Path(sys.argv[1])
receipts = sorted((world / "shards").glob("*.json"))
write_report(world / "plan.parquet", world / "store", receipts, world / "out" / "report.json")
"""


def rows(pages: int, shards: int) -> Iterator[dict[str, Any]]:
    """The rows of the plan."""
    for number in range(pages // IN_DOCUMENT):
        document = hashlib.sha256(str(number).encode()).hexdigest()
        row: dict[str, Any] = {
            "document": document,
            "source": f"corpus/{number // 1000:04d}/{number:07d}.pdf",
        }
        row |= {
            "pages": IN_DOCUMENT,
            "status": "pending",
            "reason": "",
            "member": "",
            "id": "",
            "kind": "pdf",
        }
        row |= {"bytes": 1000, "metadata": ""}
        for page in range(1, IN_DOCUMENT + 1):
            yield row | {"page": page, "shard": shard_of(document, page, shards)}


def make(world: Path, pages: int, shards: int) -> None:
    """A plan, a store with every page, and the shards' receipts."""
    write_plan(rows(pages, shards), {"corpus": "corpus", "manifests": "[]"}, world / "plan.parquet", shards)
    (world / "shards").mkdir()
    for shard in range(shards):
        (world / "shards" / f"{shard}.json").write_text(json.dumps({"shard": shard, "settings": SETTINGS}))
    signals = of_text(TEXT)  # as every page has that was read: else each output would measure it anew
    with Store(world / "store").writer("00000") as store:
        for row in rows(pages, shards):
            text = f"{row['document']} {row['page']}\n\n{TEXT}"
            record = {
                "document": row["document"],
                "page": row["page"],
                "text": text,
                "front": FRONT,
                "raw": "",
            }
            record |= {"finish_reason": "stop", "tokens": 700, "prompt_tokens": 1600, "seconds": 1.0}
            record |= {"attempts": 1, "rotation": 0, "reason": "", "signals": signals}
            store.append(content_key(row["document"], row["page"], SETTINGS), "ok", record)


def measured(words: list[str], out: Path) -> dict[str, float]:
    """Seconds, processor seconds and peak memory of a process on one core."""
    done = run([sys.executable, "-c", *words], environment(out / "cache"), last_core())
    return {
        "seconds": round(done.seconds, 2),
        "processor_seconds": round(done.processor, 2),
        "peak_mb": round(done.memory / MIB, 1),
    }


def main() -> None:
    """Measure and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=100_000)
    parser.add_argument("--shards", type=int, default=20)
    parser.add_argument("--only", nargs="*", default=[*ALL, "report"])
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    world = emptied(options.out)
    make(world, options.pages, options.shards)
    found: dict[str, Any] = {"pages": options.pages, "shards": options.shards}
    for name in options.only:
        found[name] = measured(
            [REPORT, str(world)] if name == "report" else [OUTPUTS, str(world), name], world
        )
        found[name]["mb"] = round(size(world / "out") / MIB, 1)
        shutil.rmtree(world / "out")
    text = json.dumps(found, indent=1)
    (world / "convert_outputs.json").write_text(text + "\n")
    print(text)


def size(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
