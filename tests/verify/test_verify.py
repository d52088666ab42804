"""The verification: a model that reads well, one that does not, and a comparison with a recorded result."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from scriptorium.bench.folder import load_bench
from scriptorium.errors import InputError, PartialError, ThresholdError
from scriptorium.pages.image import decode_png, is_blank
from scriptorium.pages.pdf import PdfWorker
from scriptorium.serve.adapter import load
from scriptorium.verify import commands, make
from scriptorium.verify.commands import PAGES, slug, verify
from scriptorium.verify.report import match, read

from ..serve.scripted import Reply, ScriptedServer, answer
from .truth import TRUTH

LIGHTON = load("lightonocr")


def reader(texts: dict[str, str]) -> Any:
    """A server's script that knows the pages by their pictures, as the adapter has them drawn."""
    known = {}
    with PdfWorker() as pdf:
        for name, text in texts.items():
            image = pdf.render(PAGES / "pdfs" / name, 1, LIGHTON.image_side)
            known[hashlib.sha256(image.tobytes()).hexdigest()] = text

    def reply(body: dict[str, Any]) -> Reply:
        (part,) = body["messages"][0]["content"]
        image = decode_png(base64.b64decode(part["image_url"]["url"].partition(",")[2]))
        return answer(known[hashlib.sha256(image.tobytes()).hexdigest()])

    return reply


def verified(out: Path, texts: dict[str, str], expect: Path | None = None) -> str:
    """The Markdown of a verification with a server that gives these texts."""
    with ScriptedServer(reader(texts)) as script:
        try:
            verify(f"{script.url}/v1#some/Model-1B", adapter="lightonocr", out=out, expect=expect, threads=1)
        finally:
            told = (out / "verify.md").read_text(encoding="utf-8")
            assert script.url not in told and str(out) not in told
    return told


def test_who_reads_the_truth_passes_every_test(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = verified(tmp_path / "first", TRUTH)
    assert told.strip() == capsys.readouterr().out.strip()
    assert "## scriptorium verify: some/Model-1B" in told and "Failed:" not in told
    assert told.count("| ok | 1 |") == 5
    result = read(tmp_path / "first" / "verify.json")
    assert set(result.scores.values()) == {100.0} and {page["text"] for page in result.pages.values()} == set(
        TRUTH.values()
    )
    again = verified(tmp_path / "second", TRUTH, tmp_path / "first" / "verify.json")
    assert "**as recorded**" in again


def test_a_page_that_is_read_otherwise_is_not_as_recorded(tmp_path: Path) -> None:
    verified(tmp_path / "good", TRUTH)
    worse = TRUTH | {"prices.pdf": TRUTH["prices.pdf"].replace("6.85", "6.35")}
    with pytest.raises(ThresholdError, match=r"verify\.md"):
        verified(tmp_path / "bad", worse, tmp_path / "good" / "verify.json")
    told = (tmp_path / "bad" / "verify.md").read_text(encoding="utf-8")
    assert "**NOT as recorded**" in told and "Lost: prices-coldharbour" in told
    assert "Failed: prices-coldharbour, prices-days." in told
    good, bad = (read(tmp_path / name / "verify.json") for name in ("good", "bad"))
    assert match(bad, good).pages["essay.pdf"] == 100.0 and match(good, bad).gained
    assert match(good, good).alike


def test_a_page_without_text_is_an_end_in_part(tmp_path: Path) -> None:
    with pytest.raises(PartialError, match=r"essay\.pdf"):
        verified(tmp_path, TRUTH | {"essay.pdf": ""})


def test_a_recorded_result_of_the_model_is_found_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified(tmp_path / "one", TRUTH)
    monkeypatch.setattr(commands, "EXPECTED", tmp_path / "expected")
    (tmp_path / "expected").mkdir()
    (tmp_path / "one" / "verify.json").rename(tmp_path / "expected" / "some-model-1b.json")
    assert "**as recorded**" in verified(tmp_path / "two", TRUTH)


@pytest.mark.parametrize(
    ("name", "file"),
    [("allenai/olmOCR-2-7B-1025-FP8@abc", "allenai-olmocr-2-7b-1025-fp8"), ("../x", "x"), ("a b/C", "a-b-c")],
)
def test_names_of_models_as_names_of_files(name: str, file: str) -> None:
    assert slug(name) == file


@pytest.mark.parametrize("text", ["", "[]", '{"model": "m"}', json.dumps({"rows": []})])
def test_another_file_is_no_recorded_result(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(InputError, match="verify"):
        read(tmp_path / "x.json")


def test_the_packaged_pages_are_a_bench_that_a_reader_can_pass() -> None:
    bench = load_bench(PAGES)
    assert bench.pdfs == sorted(TRUTH) == sorted(f"{path.stem}.pdf" for path in PAGES.glob("*.typ"))
    assert {test["type"] for tests in bench.pages.values() for _, test in tests} >= {
        "present",
        "absent",
        "order",
        "table",
        "math",
    }
    assert sum(path.stat().st_size for path in PAGES.rglob("*")) < 200_000
    with PdfWorker() as pdf:
        for name in TRUTH:
            path = PAGES / "pdfs" / name
            assert len(pdf.pages(path)) == 1 and not is_blank(pdf.render(path, 1, 400))
            assert bool(pdf.text(path, 1).strip()) == (name != "ledger.pdf")


def test_pages_are_made_from_their_sources(tmp_path: Path) -> None:
    pytest.importorskip("typst")
    for source in PAGES.glob("*.typ"):
        (tmp_path / source.name).write_bytes(source.read_bytes())
    make.make(tmp_path)
    first = {path.name: path.read_bytes() for path in (tmp_path / "pdfs").iterdir()}
    make.make(tmp_path)
    assert first == {path.name: path.read_bytes() for path in (tmp_path / "pdfs").iterdir()}
    assert set(first) == set(TRUTH)
