"""The index of a folder of small pairs: cold, again with nothing changed, and the memory that it takes.

python benchmarks/data_index.py [--pairs 270000]

Each pair is an empty page and a short text, a hundred to a folder: what is measured is opening and reading
many files, not drawing them. Memory is the peak of the process that indexes, and of its largest child.
"""

import argparse
import io
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

HEAD = (
    "---\nprimary_language: en\nis_rotation_valid: True\nrotation_correction: 0\n"
    "is_table: False\nis_diagram: False\n---\n"
)


def make(folder: Path, pairs: int) -> None:
    """Generate pairs, each file with bytes of its own."""
    import pypdfium2

    document, file = pypdfium2.PdfDocument.new(), io.BytesIO()
    document.new_page(100, 50)
    document.save(file)
    for number in range(pairs):
        path = folder / f"{number // 100:05d}" / f"{number}.pdf"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.getvalue() + b"%%%d\n" % number)
        path.with_suffix(".md").write_text(f"{HEAD}page {number}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=270_000)
    args = parser.parse_args()
    from scriptorium.mix.catalogue import index

    with tempfile.TemporaryDirectory() as scratch:
        make(Path(scratch), args.pairs)
        result: dict[str, float] = {"pairs": args.pairs}
        for name in ("cold", "again"):
            start = time.perf_counter()
            counts = index(Path(scratch))
            result[f"{name}_seconds"] = round(time.perf_counter() - start, 2)
            assert counts["kept"] == args.pairs
    for name, who in (("own", resource.RUSAGE_SELF), ("child", resource.RUSAGE_CHILDREN)):
        kib = resource.getrusage(who).ru_maxrss
        result[f"{name}_mib"] = round(kib / 1024 / (1024 if sys.platform == "darwin" else 1), 1)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
