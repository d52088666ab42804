"""A folder of PDFs labelled by a real server on this machine, made into pairs."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from scriptorium.errors import ConfigError, InputError, PartialError, ServerError, ThresholdError
from scriptorium.files import read_jsonl, sha256_tree
from scriptorium.mix.from_pdfs import Sampling, bench_tests, find, from_pdfs, journal_of
from scriptorium.mix.labels import Terms, Wanted, estimate
from scriptorium.mix.pairs import kept_pages
from scriptorium.pages import front_matter
from scriptorium.pages.document import DocumentWorker
from scriptorium.pages.pdf import PdfWorker
from scriptorium.serve.adapter import Adapter
from scriptorium.serve.client import ChatClient

from ..serve.scripted import ScriptedServer, answer
from .made import index, reasons

typst = pytest.importorskip("typst")

LINES = ["The miller of the upper valley wrote to his brother.", "He asked for seventeen sacks of barley."]
ADAPTER = Adapter(
    name="test",
    prompt="Read.",
    image_side=200,
    max_tokens=100,
    temperatures=[0.1, 0.5],
    context=1000,
    engine="transformers",
    family="qwen2.5-vl",
)


def document(text: str, pages: int = 1, turned: bool = False) -> bytes:
    body = f"#set page(width: 300pt, height: 200pt)\n{text}" + f"\n#pagebreak()\n{text}" * (pages - 1)
    made = typst.compile(body.encode(), format="pdf", timestamp=0)
    assert isinstance(made, bytes)
    return made


def folder(path: Path, count: int = 6) -> Path:
    path.mkdir()
    for number in range(count):
        (path / f"letter {number}.pdf").write_bytes(document(f"{LINES[0]}\n\n{LINES[1]} No. {number}"))
    return path


def reply(text: str, language: str = "en", rotation: int = 0) -> str:
    front = front_matter.FrontMatter(language, rotation == 0, rotation)
    return front_matter.encode(front, text)


GOOD = reply("\n\n".join(LINES))


def label(server: ScriptedServer, source: Path, out: Path, **more: Any) -> Any:
    with ChatClient(server.endpoint, patience=1) as client:
        return from_pdfs(source, out, client, "m", ADAPTER, **more)


def test_a_folder_becomes_train_dev_and_bench(tmp_path: Path) -> None:
    source, out = folder(tmp_path / "mine"), tmp_path / "out"
    (source / "again.pdf").write_bytes((source / "letter 0.pdf").read_bytes())
    (source / "torn.pdf").write_bytes(b"%PDF-1.7 end")
    with ScriptedServer(lambda _: answer(GOOD)) as server:
        summary = label(server, source, out)
        assert len(server.requests) == 6
    assert summary.rejected == 2
    assert sum(summary.kept.values()) == 6 and min(summary.kept.values()) >= 1
    documents = [{row["document"] for row in kept_pages(out / name)} for name in ("train", "dev", "bench")]
    assert sum(map(len, documents)) == len(set.union(*documents)) == 6
    assert {"document twice", "document damaged"} <= set(reasons(out / "train").values())
    [row, *_] = kept_pages(out / "train")
    assert (out / "train" / row["md"]).read_text() == GOOD
    with PdfWorker() as worker:
        assert LINES[0] in worker.text(out / "train" / row["pdf"], 1)
    tests = read_jsonl(out / "bench" / "from_pdfs.jsonl")
    assert {test["type"] for test in tests} == {"baseline", "present"}
    assert {test["text"] for test in tests if test["type"] == "present"} == set(LINES)
    assert len(read_jsonl(out / "labels.jsonl")) == 6


ANSWERS = {
    "nonsense": ("I cannot help with that.", "stop", "label"),
    "half": (GOOD[:-20], "length", "label salvaged"),
    "half a head": (GOOD[:30], "length", "label"),
    "empty": (reply(""), "stop", "label gave_up"),
    "wrong head": (GOOD.replace("en", "english", 1), "stop", "label"),
    "filtered": ("", "content_filter", "label gave_up"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_what_is_no_whole_answer_is_never_learnt(tmp_path: Path, case: str) -> None:
    text, finish, reason = ANSWERS[case]
    with (
        ScriptedServer(lambda _: answer(text, finish)) as server,
        pytest.raises(ThresholdError, match="3 of 3"),
    ):
        label(server, folder(tmp_path / "mine", 3), tmp_path / "out", most_rejected=0.5)
    found = [row for name in ("train", "dev", "bench") for row in index(tmp_path / "out" / name).values()]
    assert len(found) == 3
    assert all(row["verdict"] == "rejected" and row["reason"].startswith(reason) for row in found)


def test_a_killed_run_asks_only_for_what_is_left(tmp_path: Path) -> None:
    source, out = folder(tmp_path / "mine"), tmp_path / "out"
    count = 0

    def flaky(_: Any) -> Any:
        nonlocal count
        count += 1
        return answer(GOOD) if count <= 3 else (401, {}, "{}")

    with ScriptedServer(flaky) as server, pytest.raises((ConfigError, ServerError)):
        label(server, source, out)
    assert not out.exists()
    segment = next(journal_of(out).rglob("*.jsonl"))
    kept = len(segment.read_bytes().splitlines())
    assert 1 <= kept <= 3
    with segment.open("ab") as file:
        file.write(b'{"key": "half a line')
    with ScriptedServer(lambda _: answer(GOOD)) as server:
        assert sum(label(server, source, out).kept.values()) == 6
        assert len(server.requests) == 6 - kept
    with ScriptedServer(lambda _: answer(GOOD)) as server:
        label(server, source, tmp_path / "two", journal=journal_of(out))
        assert not server.requests
    assert sha256_tree(out) == sha256_tree(tmp_path / "two")


def test_samples_that_disagree_are_no_label(tmp_path: Path) -> None:
    texts = {0: "first line\n\nsecond line", 2: "first line\n\nsecond time"}
    with ScriptedServer(lambda body: answer(reply(texts[body["seed"]]))) as server:
        source = folder(tmp_path / "mine", 3)
        strict = label(server, source, tmp_path / "a", terms=Terms(2, 0.95))
        assert len(server.requests) == 6
        loose = label(server, source, tmp_path / "b", terms=Terms(2, 0.8), journal=journal_of(tmp_path / "a"))
    assert (strict.rejected, loose.rejected) == (3, 0)
    rows = read_jsonl(tmp_path / "b" / "labels.jsonl")
    assert rows[0]["agreement"] == pytest.approx(1 - 2 / 23, abs=1e-4)


def test_the_ceiling_stops_and_a_higher_one_goes_on(tmp_path: Path) -> None:
    source, out = folder(tmp_path / "mine"), tmp_path / "out"
    dear = {"price_in": 1e5, "price_out": 0.0}  # a request of ten tokens costs 1
    with ScriptedServer(lambda _: answer(GOOD)) as server:
        with pytest.raises(PartialError, match="3 requests left"):
            label(server, source, out, terms=Terms(most_cost=3.0, **dear))
        assert len(server.requests) == 3 and not out.exists()
        label(server, source, out, terms=Terms(most_cost=6.0, **dear))
        assert len(server.requests) == 6
    with pytest.raises(ConfigError, match="prices"):
        Terms(most_cost=1.0)


def test_a_page_that_lies_on_its_side_is_upright_in_its_pair(tmp_path: Path) -> None:
    source = tmp_path / "mine"
    source.mkdir()
    (source / "side.pdf").write_bytes(document(f"#rotate(90deg, reflow: true)[{LINES[0]}]"))
    replies = iter([reply("x y", rotation=90)])
    with ScriptedServer(lambda _: answer(next(replies, GOOD))) as server:
        label(server, source, tmp_path / "out", sampling=Sampling(dev=0, bench=0))
        shown = [sent(body) for body in server.requests]
    assert np.array_equal(shown[1], np.rot90(shown[0]))
    [row] = kept_pages(tmp_path / "out" / "train")
    made = tmp_path / "out" / "train" / row["pdf"]
    with PdfWorker() as worker:
        upright = worker.render(made, 1, 200)
    assert upright.shape == shown[1].shape
    assert np.abs(upright.astype(int) - shown[1]).mean() < 8  # drawn after the turn, not before
    assert "is_rotation_valid: True" in (tmp_path / "out" / "train" / row["md"]).read_text()


def sent(body: dict[str, Any]) -> np.ndarray:
    [part] = [part for part in body["messages"][0]["content"] if part["type"] == "image_url"]
    png = base64.b64decode(part["image_url"]["url"].partition(",")[2])
    return np.array(Image.open(io.BytesIO(png)).convert("RGB"))


def test_images_and_samples_of_pages(tmp_path: Path) -> None:
    source = tmp_path / "mine"
    source.mkdir()
    (source / "book.pdf").write_bytes(document(LINES[0], 9))
    Image.new("RGB", (40, 30), "white").save(source / "scan.png")
    with DocumentWorker() as worker:
        drawn = [find(source, Sampling(pages=2, seed=seed), worker) for seed in (1, 1, 2, 3)]
        assert len(find(source, Sampling(), worker).pages) == 10
        with pytest.raises(InputError, match="no PDF"):
            find(tmp_path / "none", Sampling(), worker)
    numbers = [[page.page for page in found.pages] for found in drawn]
    assert numbers[0] == numbers[1] and len(numbers[0]) == 3
    assert len({tuple(each) for each in numbers}) > 1


def test_bench_tests_are_what_model_and_file_both_say() -> None:
    page = Wanted("0" * 64, 1, Path("x.pdf"), "x.pdf")
    text = "A line that the file has too.\nA line that only the model has.\nA line that comes twice here.\n"
    layer = "A line that the file\nhas too. A line that comes twice here. A line that comes twice here."
    found = bench_tests(page, text + "A line that comes twice here.", layer)
    assert [test.get("text") for test in found] == [None, "A line that the file has too."]


def test_an_estimate_counts_samples_and_prices() -> None:
    one, two = (estimate(10, ADAPTER, Terms(count, price_in=2, price_out=8)) for count in (1, 2))
    assert (one.requests, two.requests) == (10, 20)
    assert two.cost == pytest.approx(2 * one.cost) and one.cost > 0
    assert json.loads(json.dumps(one._asdict()))["pages"] == 10
