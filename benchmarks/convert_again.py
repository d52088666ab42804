"""How long `scriptorium convert` takes where all was done before: 10,000 documents of ten pages, whole commands.

    python benchmarks/convert_again.py --out build/convert-again

Makes the PDFs, and a store of generated records for their 100,000 pages (300 MB; both are kept for the next time). The
first command finds every page in the store, and writes plan, outputs and report; the second, and a third, find all of
it done. Exit code 4 if the second takes more than 5 s of the processor, its child included: the clock says little where
the machine does other things.
"""

import argparse
import hashlib
import os
import shutil
import sys
from pathlib import Path

import tiny_pdfs
from convert_outputs import FRONT, TEXT
from measure import MIB, OURS, Run, environment, run, verdict

from scriptorium.convert.shard import settings_of
from scriptorium.pages.signals import of_text
from scriptorium.pages.store import Store, content_keys, writer_name
from scriptorium.serve.adapter import load

DOCUMENTS, PAGES = 10_000, 10
SERVER = "http://127.0.0.1:9/v1#olmocr"
"""Nobody listens there: no page is asked for."""
TARGET_SECONDS = 5.0


def make(out: Path) -> None:
    """The corpus, and a store that has every page of it."""
    corpus = tiny_pdfs.make(out / "corpus", DOCUMENTS, pages=PAGES)
    key = content_keys(settings_of(SERVER, load("tiny")))
    record = {"text": TEXT, "front": FRONT, "seconds": 1.5, "tokens": 700, "prompt_tokens": 1560}
    record |= {"finish_reason": "stop", "attempts": 1, "rotation": 0, "reason": "", "signals": of_text(TEXT)}
    with Store(out / "converted" / "store").writer(writer_name(0, 1)) as writer:
        for path in sorted(corpus.rglob("*.pdf")):
            document = hashlib.sha256(path.read_bytes()).hexdigest()
            for page in range(1, PAGES + 1):
                writer.append(key(document, page), "ok", {"document": document, "page": page, **record})
    (out / "made").touch()


def converted(out: Path) -> Run:
    """One run of the command."""
    words = ["convert", out / "corpus", "--server", SERVER, "--adapter", "tiny", "--out", out / "converted"]
    return run([OURS, *words], environment(out / "cache"))


def main() -> None:
    """Make what is not there, measure, and say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    if not (out / "made").exists():
        shutil.rmtree(out, ignore_errors=True)
        make(out)
    found = {}
    for name in ("first", "second", "third"):
        load_before = os.getloadavg()[0]
        found[name] = each = converted(out)
        told = f"{each.seconds:.1f} s, processor {each.processor:.1f} s, {each.memory / MIB:.0f} MiB"
        print(f"{name}: {told}, exit code {each.code}, load {load_before:.0f}", flush=True)
    done = verdict("the command again", found["second"].processor, TARGET_SECONDS, "s of the processor")
    sys.exit(0 if done and found["second"].code == 0 else 4)


if __name__ == "__main__":
    main()
