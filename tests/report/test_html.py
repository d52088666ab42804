"""The report of a results folder: complete, self-contained, safe to open, the same each time."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import html

from scriptorium.errors import InputError
from scriptorium.report.html import write_report
from scriptorium.report.results import read_runs

from .folder import CHAIN, MEASURED, copy, make_results


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report") / "results"
    make_results(folder)
    return folder


@pytest.fixture(scope="module")
def report(results: Path) -> Path:
    out = results.parent / "report.html"
    write_report(results, MEASURED, results / "pages" / "primer" / "bench", "library", out)
    return out


@pytest.fixture(scope="module")
def page(report: Path) -> html.HtmlElement:
    return html.fromstring(report.read_text(encoding="utf-8"))


def section(page: html.HtmlElement, name: str) -> str:
    return str(page.get_element_by_id(name).text_content())


def test_it_refers_to_nothing_outside_itself(report: Path, page: html.HtmlElement) -> None:
    for name in ("src", "href", "data", "action", "poster", "srcset", "background"):
        for value in page.xpath(f"//@{name}"):
            assert value.startswith(("#", "data:")), value
    text = report.read_text(encoding="utf-8")
    assert not re.search(r"url\(|@import|https?://", text)


def test_what_a_model_wrote_cannot_act(page: html.HtmlElement) -> None:
    assert not page.xpath("//script | //iframe | //object | //embed | //form")
    assert not [name for name in page.xpath("//@*") if name.attrname.startswith("on")]
    assert {image.get("src")[:22] for image in page.xpath("//img")} == {"data:image/png;base64,"}
    assert '<script>alert("x")</script>' in section(page, "pages")
    assert page.xpath("//*[@id='pages']//div[@class='shown']/table//td")


def test_every_run_has_its_box_score_and_cost(page: html.HtmlElement, results: Path) -> None:
    boxes = page.xpath("//svg[@class='lineage']//g")
    assert [box.find("text").text for box in boxes] == list(read_runs(results, MEASURED))
    assert len(page.xpath("//svg[@class='lineage']//path[@class='arrow']")) == sum(
        len(parents) for _, parents, _ in CHAIN.values()
    )
    for name in MEASURED:
        scores = json.loads((results / name / "bench.json").read_text())["scores"]
        row = next(row for row in page.xpath("//*[@id='scores']//tr") if row[0].text_content() == name)
        assert row[1].text_content().startswith(f"{scores['olmocr-2026.03']['overall']:.1f} ")
    assert "primer/rl · 2 pages" in section(page, "lineage")
    assert "14 min 0 s" in section(page, "cost") and "2,500" in section(page, "cost")


def test_it_compares_the_soup_with_its_relatives(page: html.HtmlElement, results: Path) -> None:
    relatives = json.loads((results / "soup" / "bench.json").read_text())["relatives"]
    rows = {row[0].text_content(): row for row in page.xpath("//*[@id='kin']//table/tr[td]")}
    assert rows.keys() == relatives.keys() == {"sft", *CHAIN["soup"][1]}
    for name, row in rows.items():
        mean = relatives[name]["difference"]["olmocr-2026.03"]["mean"]
        assert row[2].text_content().startswith(f"{mean:+.1f}".replace("-", "−"))


def test_it_draws_what_was_logged(page: html.HtmlElement) -> None:
    titles = [title.text for title in page.xpath("//*[@id='learning']//h3")]
    assert titles[:4] == ["Loss of pretrain", "Loss of sft", "Score on held-out pages", "Speed"]
    assert titles[4:] == ["Mean reward", "Spread of the reward", "Groups without spread"]
    assert [len(one.xpath(".//polyline")) for one in page.xpath("//*[@id='learning']//svg[@class='lines']")] == [
        1, 1, 1, 1, 3, 3, 3,
    ]  # fmt: skip
    assert [mark.text for mark in page.xpath("//text[@class='note']")] == ["16x1", "16x6"]


def test_the_corpus_accounts_for_every_page(page: html.HtmlElement) -> None:
    text = section(page, "corpus")
    assert "4 pages of 3 files" in text
    assert "<c>.pdf" in text and "not_a_pdf" in text
    assert len(page.xpath("//*[@id='corpus']//div[@class='text']")) == 3


def test_twice_gives_the_same_bytes(results: Path, report: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.html"
    write_report(results, MEASURED, results / "pages" / "primer" / "bench", "library", again)
    assert again.read_bytes() == report.read_bytes()


def test_one_run_without_pages_or_corpus_is_enough(results: Path, tmp_path: Path) -> None:
    write_report(results, ["sft"], None, None, tmp_path / "sft.html")
    page = html.fromstring((tmp_path / "sft.html").read_text(encoding="utf-8"))
    assert [box.find("text").text for box in page.xpath("//svg[@class='lineage']//g")] == [
        "base",
        "pretrain",
        "sft",
    ]
    assert not page.xpath("//*[@id='pages' or @id='corpus' or @id='kin']")
    assert set(page.xpath("//nav/a/@href")) == {f"#{one}" for one in page.xpath("//section/@id")}


def test_a_model_from_elsewhere_has_a_report_too(results: Path, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    (folder / "external").mkdir(parents=True)
    shutil.copy(results / "sft" / "bench.json", folder / "external")
    (folder / "external" / "model.json").write_text('{"parents": {"hub:org/name": ""}}')
    write_report(folder, ["external"], None, None, tmp_path / "report.html")
    page = html.fromstring((tmp_path / "report.html").read_text(encoding="utf-8"))
    boxes = [box.xpath("string(text)") for box in page.xpath("//svg[@class='lineage']//g")]
    assert boxes == ["name", "external"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("model.json", "{", r"model\.json: not JSON"),
        ("bench.json", "[]", r"bench\.json: expected a JSON object"),
        ("metrics.jsonl", '{"step": 1}\n{', r"metrics\.jsonl: line 2"),
    ],
)
def test_a_damaged_file_is_named(results: Path, tmp_path: Path, name: str, text: str, message: str) -> None:
    spoilt = copy(results, tmp_path / "results")
    (spoilt / "sft" / name).write_text(text)
    with pytest.raises(InputError, match=message):
        write_report(spoilt, ["sft"], None, None, tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_what_is_not_there_is_named(results: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nobody: no such run"):
        write_report(results, ["nobody"], None, None, tmp_path / "report.html")
    with pytest.raises(InputError, match="convert the corpus first"):
        write_report(results, ["sft"], None, "none", tmp_path / "report.html")


def test_the_script_writes_it(results: Path, tmp_path: Path) -> None:
    script = Path(__file__).parents[2] / "workflow" / "scripts" / "report.py"
    out = tmp_path / "report.html"
    command = [sys.executable, script, "--results", results, "--run", "base", "soup", "--out", out]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    assert "grpo_lora" in out.read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs the program chromium")
def test_a_browser_opens_it_without_a_word_and_without_the_network(report: Path, tmp_path: Path) -> None:
    log = tmp_path / "net.json"
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    command += [
        "--disable-component-update",
        "--enable-logging=stderr",
        f"--user-data-dir={tmp_path / 'home'}",
    ]
    command += [f"--log-net-log={log}", "--window-size=1200,900", f"--screenshot={tmp_path / 'shot.png'}"]
    done = subprocess.run([*command, report.as_uri()], capture_output=True, text=True, timeout=120)
    assert (tmp_path / "shot.png").stat().st_size > 20_000
    assert "CONSOLE" not in done.stderr
    asked = set(re.findall(r'"url":"(\w+)://([^/"]*)', log.read_text(errors="replace")))
    ours = {host for scheme, host in asked if scheme in ("http", "https", "ws", "wss")}
    # The browser asks its maker about updates and accounts, whatever it opens.
    assert not {host for host in ours if not host.endswith((".google.com", ".googleapis.com", ".gvt1.com"))}
