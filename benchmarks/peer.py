"""The peer of these benchmarks, olmOCR-bench, in an environment of its own.

Makes (or finds) the environment and its browser, runs the peer's command, and judges single tests by the
peer's own classes in a long-lived child that is killed and restarted when a case takes too long.

    python benchmarks/peer.py --peer build/peer            make the environment and say what it can do

The wheel on PyPI is older than the rule set olmocr-2026.03, which is the tree of March 2026 with the same
version number: no footnote and format tests, an older reading of tables. For the later one say
`--source "olmocr[bench] @ git+https://github.com/allenai/olmocr@f7cfe4c" --peer build/peer-git`.
"""

import argparse
import json
import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent
PEER = ROOT / "build" / "peer"
WHEEL = "olmocr[bench]==0.4.27"
MISSING = "numpy"
"""What the peer's extra forgets to name."""

HANG = "hang"


@dataclass(frozen=True)
class Outcome:
    """What a scorer said of a test on a text: passed, or why there is no verdict ("load: ...", "run: ...")."""

    passed: bool | None
    why: str = ""

    @property
    def word(self) -> str:
        """The outcome in a word: pass, fail, undecided, hang, load error, run error."""
        if self.passed is not None:
            return "pass" if self.passed else "fail"
        stage = self.why.partition(":")[0]
        return f"{stage} error" if stage in ("load", "run") else stage or "undecided"


@dataclass(frozen=True)
class Peer:
    """The peer's environment: its Python and its browser."""

    folder: Path

    @property
    def python(self) -> Path:
        """The interpreter that has the peer installed."""
        return self.folder / "bin" / "python"

    def environment(self, home: Path) -> dict[str, str]:
        """Variables for a run of the peer: `home` holds its formula cache, one thread per library."""
        return {
            **os.environ,
            "HOME": str(home),
            "PLAYWRIGHT_BROWSERS_PATH": str(self.folder / "browsers"),
            "OMP_NUM_THREADS": "1",
            "PYTHONUTF8": "1",
        }

    def bench(self, folder: Path, home: Path, *more: str) -> "subprocess.CompletedProcess[str]":
        """Run the peer's scorer on a bench folder."""
        command = [str(self.python), "-m", "olmocr.bench.benchmark", "--dir", str(folder), *more]
        return subprocess.run(command, env=self.environment(home), capture_output=True, text=True)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that say where the peer is and what it is made of."""
    parser.add_argument("--peer", type=Path, default=PEER, help="the peer's environment; made where missing")
    parser.add_argument("--source", default=WHEEL, help="what pip installs into a new environment")
    parser.add_argument(
        "--chromium", default=shutil.which("chromium"), help="browser for the peer's formulas"
    )


def from_options(options: argparse.Namespace) -> Peer:
    """The peer that `add_options` describes, made where it is missing."""
    peer = Peer(options.peer.resolve())
    if not peer.python.exists():
        print(f"making the peer's environment in {peer.folder}", file=sys.stderr)
        venv.create(peer.folder, with_pip=True)
        subprocess.run([str(peer.python), "-m", "pip", "install", "-q", options.source, MISSING], check=True)
    if not (peer.folder / "browsers").exists():
        _give_browser(peer, options.chromium)
    return peer


_LAUNCH = """
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    playwright.chromium.launch().close()
"""


def _give_browser(peer: Peer, chromium: str | None) -> None:
    """Put `chromium` where the peer's Playwright looks for its own build; without one, let it fetch its own."""
    environment = peer.environment(peer.folder)
    if chromium is None:
        command = [str(peer.python), "-m", "playwright", "install", "chromium"]
        subprocess.run(command, env=environment, check=True)
        return
    tried = _launch(peer, environment)
    expected = re.search(r"Executable doesn't exist at (\S+)", tried.stderr)
    if expected is None:
        raise SystemExit(
            f"the peer's Playwright does not say where it looks for its browser:\n{tried.stderr}"
        )
    place = Path(expected[1])
    place.parent.mkdir(parents=True)
    place.symlink_to(chromium)
    tried = _launch(peer, environment)
    if tried.returncode:
        shutil.rmtree(peer.folder / "browsers")
        raise SystemExit(f"the peer's Playwright cannot drive {chromium}:\n{tried.stderr}")


def _launch(peer: Peer, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(peer.python), "-c", _LAUNCH], env=environment, capture_output=True, text=True, timeout=120
    )


class Judge:
    """The peer's verdicts, one by one, with a deadline for each."""

    def __init__(self, peer: Peer, home: Path, seconds: float = 10.0) -> None:
        self._command = [str(peer.python), str(HERE / "peer_worker.py")]
        home.mkdir(parents=True, exist_ok=True)
        self._environment = peer.environment(home)
        self._seconds = seconds
        self._child: subprocess.Popen[bytes] | None = None
        self.hangs = 0

    def __enter__(self) -> "Judge":
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def types(self) -> list[str]:
        """The types of test that the peer knows."""
        return list(self._ask({"ask": "types"}, 60.0)["types"])

    def judge(self, test: dict[str, Any], text: str) -> Outcome:
        """The peer's outcome; `hang` where its deadline passed (twice that for the first, browserless one)."""
        try:
            answer = self._ask({"test": test, "text": text}, self._seconds)
        except TimeoutError:
            self.hangs += 1
            self._stop()
            return Outcome(None, HANG)
        return Outcome(answer["passed"], answer["why"])

    def _ask(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        if self._child is None:
            self._child = self._start()
            self._answer(self._child, 120.0)
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps(request).encode() + b"\n")
        self._child.stdin.flush()
        return self._answer(self._child, seconds)

    def _start(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=self._environment,
            start_new_session=True,
        )

    @staticmethod
    def _answer(child: "subprocess.Popen[bytes]", seconds: float) -> dict[str, Any]:
        assert child.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(child.stdout, selectors.EVENT_READ)
            if not selector.select(seconds):
                raise TimeoutError
        line = child.stdout.readline()
        if not line:
            raise SystemExit(
                f"the peer's worker ended with {child.wait()}; run peer_worker.py by hand to see why"
            )
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _stop(self) -> None:
        if self._child is not None:
            os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()
            self._child = None


@dataclass(frozen=True)
class Scores:
    """What the peer's command printed of one candidate."""

    overall: float | None
    by_type: dict[str, tuple[float, int]]
    by_file: dict[str, tuple[int, int]]


_OVERALL = re.compile(r"^(\S.*?)\s*: Average Score: (?:([\d.]+)%|FAILED)")
_TYPE = re.compile(r"^    (\w+)\s*: ([\d.]+)% average pass rate over (\d+) tests")
_FILE = re.compile(r"^        (\S+)\s*: [\d.]+% \((\d+)/(\d+) tests\)")


def printed_scores(output: str) -> dict[str, Scores]:
    """The scores of each candidate out of the summary that the peer's command prints."""
    found: dict[str, Scores] = {}
    scores: Scores | None = None
    for line in output.splitlines():
        if match := _OVERALL.match(line):
            scores = Scores(float(match[2]) if match[2] else None, {}, {})
            found[match[1]] = scores
        elif scores and (match := _TYPE.match(line)):
            scores.by_type[match[1]] = (float(match[2]), int(match[3]))
        elif scores and (match := _FILE.match(line)):
            scores.by_file[match[1].removesuffix(".jsonl")] = (int(match[2]), int(match[3]))
    return found


def main() -> None:
    """Make the environment and print the types of test that the peer knows."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_options(parser)
    peer = from_options(parser.parse_args())
    with Judge(peer, peer.folder / "home") as judge:
        print(f"{peer.python}: {', '.join(judge.types())}")


if __name__ == "__main__":
    main()
