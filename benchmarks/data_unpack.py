"""Unpacking a mix of generated pages in the hub's format: ours against olmocr's own step on the same files.

python benchmarks/data_unpack.py --peer PYTHON [--pages 20000] [--tarballs 8] [--jobs 2]

PYTHON: an interpreter with olmocr 0.4.27, pandas and pyarrow. Its step is given the same local folder, so neither
side uses a network. Seconds are of the wall, processes and imports included; bytes are what each side wrote,
links counted as links. The pages are of typst, A4, 50 kinds of them, each file with bytes of its own.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

OURS = (
    "import sys; from pathlib import Path; from scriptorium.mix.hub import unpack\n"
    "if __name__ == '__main__':\n"
    "    unpack(Path(sys.argv[1]), '00_documents_train', Path(sys.argv[2]), jobs=int(sys.argv[3]))"
)
THEIRS = (
    "import sys; from olmocr.data.prepare_olmocrmix import prepare_olmocr_mix\n"
    "if __name__ == '__main__': prepare_olmocr_mix(sys.argv[1], '00_documents', 'train', sys.argv[2])"
)


def make(folder: Path, pages: int, tarballs: int) -> int:
    """Generate a data set; the bytes of its PDFs and texts."""
    import typst

    from scriptorium.mix.repack import repack

    source = folder / "pairs"
    size = 0
    compiler = typst.Compiler(ignore_system_fonts=True)
    kinds = []
    for number in range(50):
        words = " ".join(f"word{(number * 7919 + k * 104729) % 9973}" for k in range(400))
        data = compiler.compile(
            input=f"#set page(paper: 'a4')\n{words}".replace("'", '"').encode(), format="pdf", timestamp=0
        )
        assert isinstance(data, bytes)
        kinds.append((data, words))
    head = (
        "---\nprimary_language: en\nis_rotation_valid: True\nrotation_correction: 0\n"
        "is_table: False\nis_diagram: False\n---\n"
    )
    for number in range(pages):
        data, words = kinds[number % len(kinds)]
        path = source / f"{number // 100:04d}" / f"page{number}-1.pdf"
        path.parent.mkdir(parents=True, exist_ok=True)
        content = data + f"%{number}\n".encode()
        text = f"{head}{words} {number}".encode()
        path.write_bytes(content)
        path.with_suffix(".md").write_bytes(text)
        size += len(content) + len(text)
    largest = pages // tarballs * (len(kinds[0][0]) + 2000)
    repack(source, folder / "hub", "00_documents", "train", largest)
    shutil.rmtree(source)
    return size


def run(command: list[str], out: Path, environment: dict[str, str]) -> dict[str, Any]:
    """Run one side; seconds, bytes written, pages."""
    start = time.perf_counter()
    found = subprocess.run(command, env=environment, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if found.returncode:
        sys.exit(f"{command[0]}: exit {found.returncode}\n{found.stderr[-2000:]}")
    files = [path for path in out.rglob("*") if path.is_file() or path.is_symlink()]
    written = sum(path.lstat().st_size for path in files)
    blocks = sum(path.lstat().st_blocks * 512 for path in files)
    return {
        "seconds": round(seconds, 2),
        "bytes": written,
        "on_disk": blocks,
        "pages": sum(path.suffix == ".md" for path in files if "README" not in path.name),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", help="Python with olmocr 0.4.27; without it only ours is run")
    parser.add_argument("--pages", type=int, default=20_000)
    parser.add_argument("--tarballs", type=int, default=8)
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        size = make(folder, args.pages, args.tarballs)
        hub = folder / "hub"
        fetched = sum(path.stat().st_size for path in hub.rglob("*") if path.is_file())
        plain = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        result: dict[str, Any] = {"pages": args.pages, "final_bytes": size, "fetched_bytes": fetched}
        result["ours"] = run(
            [sys.executable, "-c", OURS, str(hub), str(folder / "ours"), str(args.jobs)],
            folder / "ours",
            {**plain, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        result["ours"]["over_final"] = round(result["ours"]["bytes"] / size - 1, 4)
        shutil.rmtree(folder / "ours")
        if args.peer:
            peer = {key: value for key, value in plain.items() if key != "PYTHONPATH"}
            result["olmocr"] = run(
                [args.peer, "-c", THEIRS, str(hub), str(folder / "theirs")], folder / "theirs", peer
            )
            result["olmocr"]["over_final"] = round(result["olmocr"]["bytes"] / size - 1, 4)
            result["times_faster"] = round(result["olmocr"]["seconds"] / result["ours"]["seconds"], 2)
        print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
