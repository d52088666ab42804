"""What the client of conversion can do, beside the peer's: pages a second, memory, time to the first request.

Both convert the same PDFs against the same server, which answers at once (convert_server.py); one after the
other in the same run, since machines are shared and differ.

    python benchmarks/convert_client.py --pdfs ../shared/data/pdfs --peer build/peer --out build/convert-client
"""

import argparse
import contextlib
import json
import os
import resource
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
from peer import add_options, from_options

HERE = Path(__file__).parent
SIDE = 1288
BARE = """
import sys
class NoPandas:
    def find_spec(self, name, *_):
        if name == "pandas":
            raise ImportError(name)
sys.meta_path.insert(0, NoPandas())
"""
"""As in an installation without the training extras: pyarrow imports pandas where there is one, which takes as
long as all the rest of the start."""
OURS = BARE + "from scriptorium.cli import main; main()"
HELD = """
import sys
from pathlib import Path
from scriptorium.convert.documents import Pages
from scriptorium.convert.plan import plan_corpus, read_plan
from scriptorium.convert.shard import read_pages
from scriptorium.pages.store import Store, content_key
from scriptorium.serve.adapter import load
from scriptorium.serve.client import ChatClient
from scriptorium.serve.endpoint import Endpoint
corpus, out, url, most = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
plan_corpus(corpus, 1, out / "plan.parquet")
rows = [row for row in read_plan(out / "plan.parquet", 0) if row["status"] == "pending"]
left = {content_key(row["document"], row["page"], {}): row for row in rows}
with (
    ChatClient(Endpoint(url + "/v1", "olmocr", in_flight=most)) as client,
    Pages(out / "plan.parquet", children=0) as documents,
    Store(out / "store").writer("0") as writer,
):
    read_pages(left, client, load("qwen2.5-vl"), documents, writer)
"""
PEER_RENDER = """
import json, sys, time
from olmocr.data.renderpdf import render_pdf_to_base64png
seconds = []
for path, page in json.loads(sys.argv[1]):
    start = time.perf_counter()
    render_pdf_to_base64png(path, page, SIDE)
    seconds.append(time.perf_counter() - start)
print(json.dumps(seconds))
""".replace("SIDE", str(SIDE))


@contextlib.contextmanager
def server(hold: int = 0) -> Iterator[str]:
    """The server's URL while the block runs."""
    command = [sys.executable, str(HERE / "convert_server.py"), "--hold", str(hold)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.kill()
        process.wait()


def seen(url: str) -> dict[str, Any]:
    """What the server has seen so far."""
    with urllib.request.urlopen(f"{url}/seen") as reply:
        return json.load(reply)


def timed(
    command: list[str], url: str, log: Path, environment: dict[str, str] | None = None
) -> dict[str, Any]:
    """Run a client to its end: pages, seconds, pages a second, CPU seconds, peak memory of it and its family."""
    started, before = time.time(), cpu()
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
        peak = watch(process)
    if process.returncode:
        sys.exit(f"{command[0]} ended with code {process.returncode}; see {log}")
    told, seconds = seen(url), time.time() - started
    return {
        "pages": told["requests"],
        "seconds": round(seconds, 2),
        "pages_per_second": round(told["requests"] / seconds, 2),
        "pages_per_second_between_first_and_last": round(
            told["requests"] / (told["last"] - told["first"]), 2
        ),
        "cpu_seconds": round(cpu() - before, 2),
        "seconds_to_first_request": round(told["first"] - started, 2),
        "most_in_flight": told["most"],
        "peak_mb": peak,
    }


def cpu() -> float:
    """CPU seconds of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def watch(process: "subprocess.Popen[bytes]") -> dict[str, float]:
    """Wait for a process; its peak resident memory and that of its children together, MB."""
    own = family = 0
    watched = psutil.Process(process.pid)
    while process.poll() is None:
        with contextlib.suppress(psutil.NoSuchProcess):
            own = max(own, watched.memory_info().rss)
            children = watched.children(recursive=True)
            family = max(family, sum(memory(child) for child in children))
        time.sleep(0.1)
    return {"client": round(own / 1e6, 1), "children": round(family / 1e6, 1)}


def memory(process: psutil.Process) -> int:
    """Resident bytes; none of a process that has ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.memory_info().rss
    return 0


def throughput(pdfs: Path, peer: Path, out: Path) -> dict[str, Any]:
    """Both clients on all pages."""
    found: dict[str, Any] = {}
    with server() as url:
        words = [
            sys.executable,
            "-c",
            OURS,
            "convert",
            str(pdfs),
            "--server",
            url,
            "--out",
            str(out / "ours"),
        ]
        found["ours"] = timed(words, url, out / "ours.log")
    files = sorted(str(path) for path in pdfs.glob("*.pdf"))
    with server() as url:
        words = [str(peer), "-m", "olmocr.pipeline", str(out / "peer"), "--server", f"{url}/v1"]
        words += ["--model", "olmocr", "--markdown", "--pdfs", *files]
        found["peer"] = timed(words, url, out / "peer.log", {**os.environ, "PYTHONUTF8": "1"})
    for key in ("pages_per_second", "pages_per_second_between_first_and_last"):
        found[f"ratio_of_{key}"] = round(found["ours"][key] / found["peer"][key], 1)
    return found


def rendering(pdfs: Path, peer: Path, most: int) -> dict[str, Any]:
    """Milliseconds to draw and encode a page: ours through its child process, the peer's through its function."""
    from scriptorium.pages.image import data_url, encode_png
    from scriptorium.pages.pdf import PdfWorker

    ours = []
    with PdfWorker() as pdf:
        pages = [(str(p), n) for p in sorted(pdfs.glob("*.pdf")) for n in range(1, len(pdf.pages(p)) + 1)]
        pages = pages[:: max(1, len(pages) // most)]
        for path, page in pages:
            start = time.perf_counter()
            data_url(encode_png(pdf.render(Path(path), page, SIDE)))
            ours.append(time.perf_counter() - start)
    words = [str(peer), "-c", PEER_RENDER, json.dumps(pages)]
    theirs = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    mean = [1000 * sum(each) / len(each) for each in (ours, theirs)]
    return {"pages": len(pages), "ours_ms": round(mean[0], 1), "peer_ms": round(mean[1], 1)} | {
        "ratio": round(mean[1] / mean[0], 1)
    }


def start(pdfs: Path, out: Path, runs: int = 3) -> list[float]:
    """Seconds from the start of the process to the first request, for one small PDF, in several runs."""
    found = []
    smallest = min(pdfs.glob("*.pdf"), key=lambda path: path.stat().st_size)
    for number in range(runs):
        with server() as url:
            words = [sys.executable, "-c", OURS, "convert", str(smallest), "--server", f"{url}#olmocr"]
            words += ["--out", str(out / f"start{number}")]
            found.append(timed(words, url, out / "start.log")["seconds_to_first_request"])
    return found


def held(pdfs: Path, most: int, out: Path) -> dict[str, Any]:
    """Memory while `most` requests wait for an answer: copies of the PDFs, each with another byte at its end."""
    corpus = out / "copies"
    corpus.mkdir()
    pages = int(json.loads((out / "throughput.json").read_text())["ours"]["pages"])
    for number in range(-(-most // pages) + 1):
        for path in pdfs.glob("*.pdf"):
            (corpus / f"{number}-{path.name}").write_bytes(path.read_bytes() + b"\n" * number)
    with server(most) as url:
        words = [sys.executable, "-c", BARE + HELD, str(corpus), str(out), url, str(most)]
        return timed(words, url, out / "held.log")


def main() -> None:
    """Measure and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pdfs", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--in-flight", type=int, default=1600, help="requests held at once")
    parser.add_argument("--rendered", type=int, default=40, help="pages that are drawn one by one")
    add_options(parser)
    options = parser.parse_args()
    peer = from_options(options).python
    shutil.rmtree(options.out, ignore_errors=True)
    options.out.mkdir(parents=True)
    found: dict[str, Any] = {"cores": os.cpu_count(), "load": os.getloadavg()}
    found["throughput"] = throughput(options.pdfs, peer, options.out)
    (options.out / "throughput.json").write_text(json.dumps(found["throughput"]))
    found["rendering"] = rendering(options.pdfs, peer, options.rendered)
    found["start"] = start(options.pdfs, options.out)
    found["held"] = held(options.pdfs, options.in_flight, options.out)
    text = json.dumps(found, indent=1)
    (options.out / "convert_client.json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
