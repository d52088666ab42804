"""How soon `scriptorium convert` sends its first request, beside the peer: wall time and processor time.

A server that answers at once notes when the first request came (convert_server.py). Each run is a fresh process
with a fresh output folder, for the smallest PDF. Processor time is that of the command's own process when it
begins its first request, without the child that draws pages; on a busy machine it says more than the wall.

    python benchmarks/convert_start.py --pdfs ../shared/data/pdfs --out build/convert-start
    python benchmarks/convert_start.py --pdfs ../shared/data/pdfs --out build/convert-start --peer build/peer
"""

import argparse
import json
import os
import shutil
import statistics
import sys
from pathlib import Path
from typing import Any

from convert_client import server, timed
from peer import PEER, add_options, from_options

OURS = """
import sys, time
told = [sys.argv.pop()]
def noted(event, _):
    if event == "socket.connect" and told:
        with open(told.pop(), "w") as file:
            file.write(str(time.process_time()))
sys.addaudithook(noted)
from scriptorium.cli import main
main()
"""
"""Notes the processor time when the first connection is opened."""


def start(words: list[str], url: str, out: Path) -> float:
    """Seconds from the start of a process to its first request."""
    environment = {**os.environ, "PYTHONUTF8": "1"}
    return float(timed(words, url, out / "start.log", environment)["seconds_to_first_request"])


def summary(found: list[float]) -> dict[str, float]:
    """The best and the middle of several runs."""
    return {"best": round(min(found), 3), "median": round(statistics.median(found), 3)}


def ours(pdf: Path, out: Path, runs: int, named: bool) -> dict[str, Any]:
    """Our start; `named`: the model's name is given, so that the server is not asked for it."""
    walls, processor = [], []
    for number in range(runs):
        folder, told = out / f"ours-{named}-{number}", out / "processor"
        with server() as url:
            words = [sys.executable, "-c", OURS, "convert", str(pdf), "--out", str(folder)]
            words += ["--server", f"{url}#olmocr" if named else url, str(told)]
            walls.append(start(words, url, out))
        processor.append(float(told.read_text()))
    return {"wall_seconds": summary(walls), "processor_seconds": summary(processor)}


def theirs(pdf: Path, out: Path, runs: int, peer: Path) -> dict[str, Any]:
    """The peer's start."""
    walls = []
    for number in range(runs):
        with server() as url:
            words = [str(peer), "-m", "olmocr.pipeline", str(out / f"peer-{number}"), "--server", f"{url}/v1"]
            walls.append(start([*words, "--model", "olmocr", "--markdown", "--pdfs", str(pdf)], url, out))
    return {"wall_seconds": summary(walls)}


def main() -> None:
    """Measure and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pdfs", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=5)
    add_options(parser)
    options = parser.parse_args()
    shutil.rmtree(options.out, ignore_errors=True)
    options.out.mkdir(parents=True)
    pdf = min(options.pdfs.glob("*.pdf"), key=lambda path: path.stat().st_size)
    found: dict[str, Any] = {"cores": os.cpu_count(), "load_before": os.getloadavg()}
    found["ours"] = ours(pdf, options.out, options.runs, named=True)
    found["ours_asking_for_the_model"] = ours(pdf, options.out, options.runs, named=False)
    if options.peer != PEER or PEER.is_dir():
        found["peer"] = theirs(pdf, options.out, min(options.runs, 3), from_options(options).python)
    found["load_after"] = os.getloadavg()
    text = json.dumps(found, indent=1)
    (options.out / "convert_start.json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
