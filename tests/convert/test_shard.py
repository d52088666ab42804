"""Shard workers end to end: real PDFs, real processes; killed and started again."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from scriptorium.convert.outputs.write import write_outputs
from scriptorium.convert.plan import plan_corpus, read_plan
from scriptorium.convert.report import read_rows, write_report
from scriptorium.convert.shard import convert_shard, settings_of
from scriptorium.errors import ServerError
from scriptorium.files import read_jsonl
from scriptorium.pages.front_matter import FrontMatter, encode
from scriptorium.serve.adapter import load
from scriptorium.serve.client import ChatClient

from ..serve.scripted import ScriptedServer, answer, in_turn

ROOT = Path(__file__).parents[2]
MALFORMED = ROOT.parent / "shared" / "data" / "malformed"
NAMES = ["pdfminer-six__simple1.pdf", "pypdf__commented.pdf", "qpdf__bad1.pdf", "pdfplumber__empty.pdf"]
NAMES += ["format-corpus__lorem-ipsum-openprintcopypw.pdf", "pypdf__imagemagick-images.pdf"]
GOOD = answer(encode(FrontMatter(), "What the page says."))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Path]:
    """A folder with a corpus of good and broken files, and its plan."""
    if not MALFORMED.is_dir():
        pytest.skip("the shared sample PDFs are not there")
    (tmp_path / "corpus").mkdir()
    for name in NAMES:
        (tmp_path / "corpus" / name).write_bytes((MALFORMED / name).read_bytes())
    plan_corpus(tmp_path / "corpus", 1, tmp_path / "plan.parquet")
    yield tmp_path


def convert(world: Path, model: str, adapter: str = "tiny", out: str = "0.json") -> dict:
    convert_shard(world / "plan.parquet", 0, model, load(adapter), 1, world / "store", world / out)
    return json.loads((world / out).read_text())


def stored(world: Path) -> list[dict]:
    return [row for path in sorted((world / "store").rglob("*.jsonl")) for row in read_jsonl(path)]


def pending(world: Path) -> int:
    return sum(row["status"] == "pending" for row in read_plan(world / "plan.parquet"))


def test_every_page_ends_with_a_status(world: Path) -> None:
    with ScriptedServer(in_turn(GOOD)) as server:
        receipt = convert(world, server.url)
        asked = len(server.requests)
    assert receipt["pages"] == pending(world) == sum(receipt["statuses"].values()) > 0
    assert receipt["statuses"]["ok"] == asked
    assert receipt["tokens"] == 5 * asked
    report = write_report(world / "plan.parquet", world / "store", [world / "0.json"], world / "report.json")
    assert "pending" not in report["statuses"]
    rows = list(read_rows(world / "report.json"))
    assert {Path(row["source"]).name for row in rows} == set(NAMES)
    unreadable = {Path(row["source"]).name: row["reason"] for row in rows if row["status"] == "unreadable"}
    assert unreadable["pdfplumber__empty.pdf"] and "encrypted" in unreadable[NAMES[4]]
    write_outputs(world / "plan.parquet", world / "store", [world / "0.json"], world)
    assert "What the page says." in (world / "markdown" / "pdfminer-six__simple1.md").read_text()


def test_finished_pages_are_not_read_again(world: Path) -> None:
    with ScriptedServer(in_turn(GOOD)) as server:
        first = convert(world, server.url)
        asked = len(server.requests)
        assert convert(world, server.url, out="again.json") == first
        assert len(server.requests) == asked
        warmer = load("tiny").model_copy(update={"temperatures": [0.5]})
        convert_shard(world / "plan.parquet", 0, server.url, warmer, 1, world / "store", world / "w.json")
        assert len(server.requests) == 2 * asked


def test_a_page_the_model_gives_up_on_gets_its_text_layer(world: Path) -> None:
    with ScriptedServer(in_turn(answer("---\nnoi", "length"))) as server:
        receipt = convert(world, server.url)
    assert receipt["statuses"]["fallback_text"] >= 1
    rows = {row["status"]: row for row in stored(world)}
    assert rows["fallback_text"]["text"] and rows["fallback_text"]["raw"] == "---\nnoi"
    assert rows["fallback_text"]["attempts"] == len(load("tiny").temperatures)


def test_a_server_that_goes_away_leaves_pages_pending(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ChatClient.__init__, "__defaults__", (0.3, None))
    with ScriptedServer(in_turn(GOOD, (503, {}, "gone"))) as server:
        with pytest.raises(ServerError, match="pending"):
            convert(world, server.url)
        assert not (world / "0.json").exists()
        done = len(stored(world))
        assert done < pending(world)
    with ScriptedServer(in_turn(GOOD)) as server:
        convert(world, server.url)
        assert len(server.requests) <= pending(world) - done
    assert max(Counter(row["key"] for row in stored(world)).values()) == 1


def script(world: Path, model: str, adapter: str) -> list[str]:
    worker = str(ROOT / "workflow" / "scripts" / "convert_shard.py")
    words = [
        "--plan",
        "plan.parquet",
        "--shard",
        "0",
        "--model",
        model,
        "--adapter",
        adapter,
        "--threads",
        "1",
    ]
    return [sys.executable, worker, *words, "--store", "store", "--out", "0.json"]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_killed_and_started_again_it_repeats_no_page(world: Path, how: signal.Signals) -> None:
    """The server answers the first two pages at once, and the rest when the first worker is gone."""
    released = threading.Event()
    answered: list[int] = []

    def reply(body: dict) -> tuple:
        answered.append(1)
        if len(answered) > 2:
            released.wait(60)
        return GOOD

    with ScriptedServer(reply) as server:
        words = script(world, server.url, "tiny")
        worker = subprocess.Popen(words, cwd=world, stderr=subprocess.DEVNULL)
        while len(stored_lines(world)) < 2:
            assert worker.poll() is None
            time.sleep(0.02)
        worker.send_signal(how)
        if how == signal.SIGKILL:
            worker.wait()
        released.set()
        assert worker.wait() in (-signal.SIGKILL, 128 + signal.SIGTERM)
        assert not (world / "0.json").exists()
        subprocess.run(words, cwd=world, check=True)
    rows = stored(world)
    assert len(rows) == len({row["key"] for row in rows}) == pending(world)
    assert json.loads((world / "0.json").read_text())["pages"] == pending(world)


def stored_lines(world: Path) -> list[bytes]:
    segments = sorted((world / "store").rglob("*.jsonl"))
    return [line for path in segments for line in path.read_bytes().splitlines()]


@pytest.mark.slow
def test_with_a_real_server_and_a_fresh_model(world: Path, model_folder: Path) -> None:
    """What a fresh model says is noise; every page ends with a status all the same, twice the same one."""
    short = (
        (ROOT / "config" / "models" / "tiny.yaml").read_text().replace("max_tokens: 160", "max_tokens: 16")
    )
    (world / "short.yaml").write_text(short)
    words = script(world, str(model_folder), "short.yaml")
    texts = []
    for store in ("store", "other"):
        subprocess.run([store if word == "store" else word for word in words], cwd=world, check=True)
        texts.append(
            {
                (row["document"], row["page"]): (row["status"], row["text"], row.get("raw"))
                for path in sorted((world / store).rglob("*.jsonl"))
                for row in read_jsonl(path)
            }
        )
    assert texts[0] == texts[1]
    assert len(texts[0]) == pending(world)
    receipt = json.loads((world / "0.json").read_text())
    assert receipt["settings"] == settings_of(str(model_folder), load(str(world / "short.yaml")))


def test_the_bounds_of_a_processor_that_is_started_here_are_part_of_the_key() -> None:
    adapter = load("olmocr-2")
    smaller = adapter.model_copy(update={"max_pixels": 600_000})
    here, server = "hub:org/name@main", "http://127.0.0.1:9/v1#m"
    assert settings_of(here, adapter) != settings_of(here, smaller)
    assert settings_of(server, adapter) == settings_of(server, smaller), "its own bounds are its owner's"
