"""The review app in a real browser, against a real server process on loopback."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.bench.shared import sample

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
MULTI = "multi_column_miss.pdf"


@dataclass
class Served:
    """A running review server and the folder it serves."""

    folder: Path
    address: str

    @property
    def base(self) -> str:
        return self.address.split("/?")[0]

    def lines(self) -> list[str]:
        return (self.folder / "dataset.jsonl").read_text(encoding="utf-8").split("\n")

    def record(self, name: str) -> dict[str, Any]:
        rows = [json.loads(line) for line in self.lines() if line.strip()]
        return next(row for row in rows if row["id"] == name)

    def trail(self) -> list[dict[str, Any]]:
        path = self.folder.with_name(f"{self.folder.name}.review.jsonl")
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """The sample with a second candidate, which writes one page otherwise."""
    folder = tmp_path / "bench"
    shutil.copytree(sample(), folder, copy_function=shutil.copyfile)
    shutil.copytree(folder / "olmocr_pipeline", folder / "shouting")
    text = folder / "shouting" / "multi_column_miss_pg1_repeat1.md"
    shouted = text.read_text(encoding="utf-8").upper() + "\n<script>window.hacked = 1</script>\n"
    text.write_text(shouted, encoding="utf-8")
    return folder


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """Starts servers, and ends them."""
    started: list[subprocess.Popen[str]] = []

    def start(folder: Path, *options: str) -> Served:
        command = [sys.executable, "-c", "from scriptorium.cli import main; main()", "bench", "review"]
        process = subprocess.Popen(
            [*command, str(folder), "--no-open", *options], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout
        for line in process.stdout:
            if found := re.search(r"http://\S+", line):
                return Served(folder, found[0])
        raise AssertionError(f"the server ended with {process.wait()}")

    yield start
    for process in started:
        process.terminate()
        try:
            process.wait(timeout=20)
        finally:
            process.kill()
            process.communicate()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM:
        pytest.skip("there is no chromium on this host")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def browser(chromium: Any) -> Iterator[Any]:
    yield chromium
    for context in chromium.contexts:
        context.close()


class Person:
    """Somebody at a browser of their own; what goes wrong there, and where it asks, is kept."""

    def __init__(self, browser: Any, served: Served) -> None:
        self.served, self.problems, self.asked = served, [], set()
        self.page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        self.page.set_default_timeout(15_000)
        self.page.on("console", lambda message: self.problems.append(message.text))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("request", lambda request: self.asked.add(request.url.split("/")[2]))

    def open(self, pdf: str = MULTI) -> None:
        self.page.goto(self.served.address)
        self.page.select_option("#pages", json.dumps([pdf, 1], separators=(",", ":")))
        self.page.wait_for_selector(f"#picture[alt='Page 1 of {pdf}']")
        self.page.wait_for_selector(".card .verdicts b")

    def card(self, name: str) -> Any:
        return self.page.locator(f".card[data-id='{name}']")

    def choose(self, name: str) -> None:
        self.card(name).click()
        self.page.wait_for_selector(f".card.selected[data-id='{name}'] table.verdicts")

    def state(self, name: str, state: str) -> None:
        self.page.wait_for_selector(f".card.{state}[data-id='{name}']")

    def sign(self, rules: str, candidate: str, sign: str, where: str = ".editor .live") -> None:
        cell = f"{where} td[data-rules='{rules}'][data-candidate='{candidate}'] b"
        self.page.wait_for_selector(f"{cell}:text-is('{sign}')")

    def mark_words(self, first: int, last: int) -> None:
        ends = [self.page.locator(".word").nth(index) for index in (first, last)]
        ends[0].scroll_into_view_if_needed()
        (left, top), (right, bottom) = [
            (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
            for box in (end.bounding_box() for end in ends)
        ]
        mouse = self.page.mouse
        mouse.move(left, top)
        mouse.down()
        mouse.move(right, bottom, steps=6)
        mouse.up()

    def fine(self) -> None:
        """Nothing failed in the browser, and it asked this server only."""
        assert self.problems == []
        assert self.asked == {self.served.base.split("/")[2]}


def test_a_person_reviews_a_page(bench: Path, serve: Callable[..., Served], browser: Any) -> None:
    served = serve(bench)
    before = served.lines()
    ann = Person(browser, served)
    page = ann.page
    ann.open()
    assert "token" not in page.url
    drawn = "async node => { await node.decode(); return node.naturalWidth }"
    assert page.locator("#picture").evaluate(drawn) > 1000
    assert page.evaluate("window.hacked") is None

    ann.choose("multi_column_miss_00")
    page.keyboard.press("a")
    page.fill("#name", "Ann")
    page.click("#ask-name button")
    ann.state("multi_column_miss_00", "verified")
    changed = [
        number for number, (old, new) in enumerate(zip(before, served.lines(), strict=True)) if old != new
    ]
    assert len(changed) == 1
    assert served.lines()[changed[0]] == before[changed[0]][:-1] + ', "checked": "verified"}'
    page.wait_for_selector(".card.selected[data-id='multi_column_miss_01']")

    page.keyboard.press("e")
    for rules, candidate, sign in (
        ("scriptorium-1", "olmocr_pipeline", "✓"),
        ("scriptorium-1", "shouting", "✗"),
    ):
        ann.sign(rules, candidate, sign)
    page.uncheck("[data-field='case_sensitive']")
    ann.sign("scriptorium-1", "shouting", "✓")
    ann.sign("olmocr-2026.03", "shouting", "✓")
    page.fill("[data-field='text']", "words that stand nowhere")
    ann.sign("olmocr-2026.03", "olmocr_pipeline", "✗")
    page.fill("[data-field='max_diffs']", "-1")
    page.wait_for_selector(".row.wrong[data-row='max_diffs'] .fault:text('at least 0')")
    assert page.locator(".editor .live td").count() == 0
    page.keyboard.press("Escape")
    assert "nowhere" not in "".join(served.lines())

    page.keyboard.press("e")
    page.uncheck("[data-field='case_sensitive']")
    page.click(".editor button.main")
    page.wait_for_selector(".card[data-id='multi_column_miss_01'] dt:text-is('case sensitive')")
    assert served.record("multi_column_miss_01")["case_sensitive"] is False

    ann.mark_words(6, 10)
    page.click("#popover button:text-is('present')")
    assert page.input_value("[data-field='text']") == "with groups and individuals refusing"
    ann.sign("scriptorium-1", "olmocr_pipeline", "✓")
    page.click(".editor button.main")
    added = "multi_column_miss_p1_present_01"
    page.wait_for_selector(f".card.selected[data-id='{added}']")
    assert served.record(added)["text"] == "with groups and individuals refusing"
    assert len(served.lines()) == len(before) + 1

    page.keyboard.press("u")
    page.wait_for_selector(f".card[data-id='{added}']", state="detached")
    page.wait_for_selector("#redo:not([disabled])")
    page.keyboard.press("u")
    page.wait_for_selector(
        ".card[data-id='multi_column_miss_01'] dt:text-is('case sensitive')", state="detached"
    )
    ann.choose("multi_column_miss_03")
    page.keyboard.press("r")
    ann.state("multi_column_miss_03", "rejected")

    page.reload()
    ann.state("multi_column_miss_03", "rejected")
    ann.state("multi_column_miss_00", "verified")
    changed = [
        number for number, (old, new) in enumerate(zip(before, served.lines(), strict=True)) if old != new
    ]
    assert len(changed) == 2
    assert [step["action"] for step in served.trail()] == ["approve", "edit", "add", "undo", "undo", "reject"]
    assert {step["who"] for step in served.trail()} == {"Ann"}
    edit = served.trail()[1]["changes"][0]
    assert "case_sensitive" in edit["after"] and "case_sensitive" not in edit["before"]
    ann.fine()


def test_two_people_do_not_write_over_each_other_and_the_server_ends_under_them(
    bench: Path, browser: Any, serve: Callable[..., Served]
) -> None:
    served = serve(bench)
    ann, bob = Person(browser, served), Person(browser, served)
    for person, name in ((ann, "Ann"), (bob, "Bob")):
        person.open()
        person.page.click("#who")
        person.page.fill("#name", name)
        person.page.click("#ask-name button")
        person.page.wait_for_selector(f"#who:text-is('{name}')")
        person.choose("multi_column_miss_03")
        person.page.keyboard.press("e")
        person.page.wait_for_selector(".editor .live td")
    bob.page.fill("[data-field='max_diffs']", "2")
    bob.page.click(".editor button.main")
    bob.page.wait_for_selector(".card[data-id='multi_column_miss_03'] dt:text-is('max diffs')")
    ann.page.fill("[data-field='max_diffs']", "1")
    ann.page.click(".editor button.main")
    ann.page.wait_for_selector("#notice:has-text('changed or deleted by someone else')")
    assert '"max_diffs":2' in ann.page.inner_text("#notice")
    assert served.record("multi_column_miss_03")["max_diffs"] == 2
    ann.page.click("#notice button:text-is('Save mine')")
    ann.page.wait_for_selector(".editor", state="detached")
    assert served.record("multi_column_miss_03")["max_diffs"] == 1
    assert [step["who"] for step in served.trail()] == ["Bob", "Ann"]
    ann.problems = [problem for problem in ann.problems if "409" not in problem]
    ann.fine()
    bob.fine()


def test_texts_filters_disagreements_and_keys(
    bench: Path, serve: Callable[..., Served], browser: Any
) -> None:
    served = serve(bench, "--name", "Ann")
    ann = Person(browser, served)
    page = ann.page
    ann.open()
    ann.choose("multi_column_miss_00")
    page.wait_for_selector("#text.rendered mark.pass")
    page.keyboard.press("t")
    page.wait_for_selector("#text.raw mark.pass")
    assert page.inner_text("#text mark.pass").startswith("Corporate social responsibility")
    assert page.locator(".word.hit").count() >= 9

    page.keyboard.press("d")
    page.wait_for_selector("#parted tbody tr:has-text('multi_column_miss_00')")
    page.wait_for_selector("#parted .tools span:empty", state="attached")
    assert page.locator("#parted tbody tr:has-text('lincoln')").count() == 0
    page.click("#parted tbody tr:has-text('multi_column_miss_02')")
    page.wait_for_selector(".card.selected[data-id='multi_column_miss_02']")

    page.select_option("#by-type", "order")
    page.wait_for_selector(".card[data-id='multi_column_miss_00']", state="detached")
    assert page.locator(".card .type").all_inner_texts() == ["order"] * page.locator(".card").count()
    page.select_option("#by-type", "")
    page.wait_for_selector(".card[data-id='multi_column_miss_00']")

    page.keyboard.press("q")
    page.wait_for_selector("#picture:not([alt*='multi_column'])")
    rows = [json.loads(line) for line in served.lines() if line.strip()]
    assert all((row.get("checked") == "rejected") == (row["pdf"] == MULTI) for row in rows)
    page.keyboard.press("p")
    ann.state("multi_column_miss_00", "rejected")
    page.keyboard.press("u")
    ann.state("multi_column_miss_00", "unchecked")
    assert served.lines() == (sample() / "dataset.jsonl").read_text(encoding="utf-8").split("\n")
    page.keyboard.press("?")
    page.wait_for_selector("#keys[open]")
    ann.fine()


def test_an_order_test_is_marked_in_a_text_and_on_the_page_and_others_are_noticed(
    bench: Path, serve: Callable[..., Served], browser: Any
) -> None:
    served = serve(bench, "--name", "Ann")
    ann = Person(browser, served)
    page = ann.page
    ann.open()
    page.dblclick("#text p:text-is('N Hirschhorn')", position={"x": 50, "y": 10})
    page.click("#popover button:text-is('order')")
    assert page.input_value("[data-field='before']") == "Hirschhorn"
    ann.mark_words(0, 3)
    page.click("#popover button:text-is('after')")
    assert page.input_value("[data-field='after']") == "stakeholders has occurred in"
    page.wait_for_selector(".editor .live td")
    page.fill("[data-field='category-file']", "no/such/../name")
    page.click(".editor button.main")
    page.wait_for_selector(".row.wrong[data-row='category-file'] .fault:text('cannot be a file')")
    page.fill("[data-field='category-file']", "mine")
    page.click(".editor button.main")
    page.wait_for_selector(".card.selected[data-id='multi_column_miss_p1_order_01']")
    assert json.loads((bench / "mine.jsonl").read_text(encoding="utf-8")) == {
        "pdf": MULTI,
        "page": 1,
        "id": "multi_column_miss_p1_order_01",
        "type": "order",
        "before": "Hirschhorn",
        "after": "stakeholders has occurred in",
    }
    page.keyboard.press("x")
    page.wait_for_selector(".card[data-id='multi_column_miss_p1_order_01']", state="detached")

    other = '{"pdf": "multi_column_miss.pdf", "page": 1, "id": "other", "type": "present", "text": ""}\n'
    (bench / "mine.jsonl").write_text(other, encoding="utf-8")
    page.wait_for_selector(".card.broken:has-text('is blank')")
    page.click(".card.broken")
    page.keyboard.press("e")
    page.fill("[data-field='line']", other.replace('""', '"words"'))
    page.click(".editor button.main")
    ann.state("other", "unchecked")
    assert served.record("multi_column_miss_00")
    assert json.loads((bench / "mine.jsonl").read_text(encoding="utf-8"))["text"] == "words"
    ann.problems = [problem for problem in ann.problems if "422" not in problem]
    ann.fine()


def test_strangers_are_kept_out(bench: Path, serve: Callable[..., Served]) -> None:
    served = serve(bench, "--name", "Ann")
    good = {"origin": served.base}
    with httpx.Client(base_url=served.base) as stranger:
        for path in (
            "/",
            "/api/bench",
            "/static/main.js",
            "/?token=guess",
            "/picture?pdf=earnings.pdf&page=1",
        ):
            assert stranger.get(path).status_code == 403
        assert stranger.post("/api/undo", json={}, headers=good).status_code == 403
        assert stranger.get(served.address, headers={"host": "evil.example"}).status_code == 403
        first = stranger.get(served.address)
        assert first.status_code == 200
        assert "default-src 'none'" in first.headers["content-security-policy"]
        assert "HttpOnly" in first.headers["set-cookie"] and "SameSite=Strict" in first.headers["set-cookie"]
        for headers in ({}, {"origin": "https://evil.example"}, {"origin": "null"}):
            assert stranger.post("/api/undo", json={}, headers=headers).status_code == 403
        assert stranger.post("/api/undo", json={}, headers=good).status_code == 400
        assert stranger.post("/api/undo", content=b"[]", headers=good).status_code == 400
        assert stranger.post("/api/edit", json={"category": "dataset"}, headers=good).status_code == 400
        assert stranger.post("/api/judge", content=b" " * (5 << 20), headers=good).status_code == 413
        for name in ("../dataset.jsonl", "/etc/passwd", "missing.pdf"):
            assert stranger.get("/picture", params={"pdf": name, "page": 1}).status_code == 400
        assert stranger.get("/static/../app.py").status_code == 404
    assert not served.trail()
