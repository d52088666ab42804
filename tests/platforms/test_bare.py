"""Client and bench where Windows' and macOS's lacks are: no fork, no rlimits, no flock, processes spawned.

The processes run on Linux with those things taken away (bare/sitecustomize.py). That shows that nothing needs
them; it does not show what the systems themselves do.
"""

import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import scriptorium

from ..faults import world
from ..pages import hostile

BARE = Path(__file__).with_name("bare")
SHARED = world.ROOT.parent / "shared" / "data"
CLIENT = ("pages", "serve", "convert", "bench", "doctor", "verify")
MAIN = "from scriptorium.cli import main; main()"


def python(code: str, *words: object, **more: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process that lacks them."""
    env = os.environ | {"PYTHONPATH": str(BARE), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"} | more
    command = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, env=env, cwd=world.ROOT, timeout=200)


def convert(source: Path, out: Path, url: str, *words: str) -> subprocess.CompletedProcess[str]:
    """The command `convert` there."""
    return python(MAIN, "convert", source, "--out", out, "--server", url, "--adapter", world.ADAPTER, *words)


def modules() -> list[str]:
    """All modules of client and bench; not the programs that are run by their path or start at once."""
    found = ["scriptorium.cli", "scriptorium.job", "scriptorium.files", "scriptorium.receipt"]
    for name in CLIENT:
        package = f"scriptorium.{name}"
        found.append(package)
        path = [str(Path(scriptorium.__path__[0]) / name)]
        found += [each.name for each in pkgutil.walk_packages(path, f"{package}.")]
    return found


def test_everything_is_imported_there() -> None:
    code = """
import importlib, json, os, sys
assert not hasattr(os, "fork") and not hasattr(os, "killpg")
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
gone = [name for name in ("fcntl", "resource", "pwd") if name in sys.modules]
print(gone)
"""
    names = modules()
    assert "scriptorium.convert.shard" in names and "scriptorium.bench.review.trail" in names
    done = python(code, json.dumps(names))
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_a_conversion_is_the_same_there(tmp_path: Path, server: world.FaultyServer) -> None:
    corpus = world.make_corpus(tmp_path / "corpus", documents=4, pages=2)
    real = SHARED / "pdfs" / "edgar.pdf"
    if real.is_file():
        (corpus / "real.pdf").write_bytes(real.read_bytes())
    (corpus / "bad.pdf").write_bytes(b"%PDF-1.7\nno more")
    done = convert(corpus, tmp_path / "there", server.url)
    assert done.returncode == 3 and "Traceback" not in done.stderr, done.stderr
    assert world.convert(corpus, tmp_path / "here", server.url).code == 3
    assert world.outputs(tmp_path / "there") == world.outputs(tmp_path / "here") != {}


def test_a_child_is_limited_by_looking_at_it(tmp_path: Path) -> None:
    """Processor time, the clock and memory bound it without the kernel's help; the next file is read."""
    (tmp_path / "busy.pdf").write_bytes(hostile.busy())
    (tmp_path / "bloated.pdf").write_bytes(hostile.bloated())
    (tmp_path / "good.pdf").write_bytes(hostile.pages(1))
    code = """
import json, sys
from pathlib import Path
from scriptorium.pages.document import DocumentWorker
from scriptorium.pages.pdf import PdfError
found = []
for name, limits in (
    ("busy", {"cpu_seconds": 1}), ("busy", {"wall_seconds": 1.0}), ("bloated", {"memory": 200 << 20})
):
    with DocumentWorker(**limits) as worker:
        try:
            worker.render(Path(sys.argv[1], f"{name}.pdf"), 1, 224)
        except PdfError as error:
            found.append(error.reason)
        assert len(worker.pages(Path(sys.argv[1], "good.pdf"))) == 1
print(json.dumps(found))
"""
    done = python(code, tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["timeout", "timeout", "memory"]


def test_a_lock_is_one_there(tmp_path: Path) -> None:
    """One process holds it, another does not get it, and gets it when the first has been killed."""
    code = """
import sys
from scriptorium.locks import try_lock
with open(sys.argv[1], "a+") as file:
    print(try_lock(file), flush=True)
    sys.stdin.read()
"""
    env = os.environ | {"PYTHONPATH": str(BARE)}
    first = subprocess.Popen(
        [sys.executable, "-c", code, tmp_path / "lock"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=env,
    )
    assert first.stdout and first.stdout.readline() == b"True\n"
    second: list[Any] = [sys.executable, "-c", code, tmp_path / "lock"]
    ask = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "env": env}
    assert subprocess.run(second, **ask).stdout == b"False\n"
    first.kill()
    first.communicate()
    assert subprocess.run(second, **ask).stdout == b"True\n"


def test_the_bench_scores_the_same_there(tmp_path: Path) -> None:
    """With two spawned processes, formulas and all."""
    sample = SHARED / "bench-sample"
    if not sample.is_dir():
        pytest.skip("the shared bench sample is not there")
    scores = []
    for name, run in (("there", python), ("here", here)):
        out = tmp_path / f"{name}.json"
        cache = {"SCRIPTORIUM_CACHE": str(tmp_path / name), "XDG_CACHE_HOME": str(tmp_path / name)}
        done = run(MAIN, "bench", "score", sample, "--jobs", 2, "--jsonl", out, **cache)
        assert done.returncode in (0, 3), done.stderr
        scores.append(out.read_bytes())
    assert scores[0] == scores[1] != b""


def here(code: str, *words: object, **more: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process as this system has it."""
    command = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | more, timeout=200)
