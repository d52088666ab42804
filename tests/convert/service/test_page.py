"""The page to try the service, in a real browser."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scriptorium.pages.front_matter import FrontMatter, encode
from tests.convert import samples
from tests.convert.service.served import Served, serving
from tests.faults import world
from tests.faults.truth import true_texts
from tests.serve.scripted import ScriptedServer, answer

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

HOSTILE = """# <img src=x onerror="window.hacked = 1">A title

<script>window.hacked = 1</script><svg onload="window.hacked = 1"></svg>
[a link](javascript:window.hacked=1) and <a href="javascript:window.hacked=1" onclick="window.hacked=1">another</a>

<iframe src="http://127.0.0.1:1/"></iframe><form action="http://127.0.0.1:1/"><input name=q></form>
<style>body { display: none }</style><link rel=stylesheet href="http://127.0.0.1:1/x.css">
<p style="position:fixed;inset:0" class="sheet" id="notice">over everything</p>

![a picture](http://127.0.0.1:1/pixel.png)

Inline \\(\\href{javascript:window.hacked=1}{x}\\) and \\[\\def\\a{\\a\\a}\\a\\]

<table><tr><td onmouseover="window.hacked=1">cell</td></tr></table>

The end of the page."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM:
        pytest.skip("there is no chromium on this host")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def model() -> Iterator[world.FaultyServer]:
    with world.FaultyServer({"stream": True}) as server:
        yield server


@pytest.fixture(scope="module")
def service(model: world.FaultyServer) -> Iterator[Served]:
    with serving(model.url, SCRIPTORIUM_SERVICE_KEY="") as running:
        yield running


class Reader:
    """Somebody at a browser; what goes wrong there, and where it asks, is kept."""

    def __init__(self, browser: Any, service: Served) -> None:
        self.problems: list[str] = []
        self.asked: set[str] = set()
        self.context = browser.new_context(viewport={"width": 1280, "height": 900})
        self.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=service.url)
        self.page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.page.on("console", lambda message: self.problems.append(message.text))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("request", lambda request: self.asked.add(request.url.split("/")[2]))
        self.page.goto(service.url)

    def choose(self, path: Path, pages: str = "") -> None:
        """Choose a file, and have it read."""
        self.page.set_input_files("#file", path)
        self.page.fill("#pages", pages)
        self.page.click("#read")

    def done(self) -> None:
        """Wait until the last page is there."""
        self.page.wait_for_selector("body:not(.busy)")

    def sheets(self) -> list[str]:
        """The statuses that are shown, in order."""
        return self.page.eval_on_selector_all(
            ".sheet",
            "all => all.map(each => `${each.dataset.page} ${each.querySelector('.status').textContent}`)",
        )


@pytest.fixture
def reader(chromium: Any, service: Served) -> Iterator[Reader]:
    made = Reader(chromium, service)
    yield made
    made.context.close()


def test_pages_stand_beside_their_pictures(reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / "my own.pdf"
    path.write_bytes(world.document("browser", 3))
    page = reader.page
    assert page.is_disabled("#read")
    reader.choose(path, "1-3,9")
    reader.done()
    assert reader.sheets() == ["1 ok", "2 ok", "3 ok", "9 unreadable"]
    assert page.inner_text(".sheet[data-page='9'] .why").startswith("bad_page")
    assert (
        page.eval_on_selector_all(".sheet img", "all => all.map(each => each.naturalWidth > 100)")
        == [True] * 3
    )
    texts = true_texts(path, world.ADAPTER)
    page.click("[data-mode=raw]")
    assert page.inner_text(".sheet[data-page='2'] .text-body").strip() == texts[1]
    page.click("#copy")
    page.wait_for_selector("text=Copied")
    whole = "\n\n".join(texts) + "\n\n<!-- page 9: unreadable -->\n"
    assert page.evaluate("navigator.clipboard.readText()") == whole
    with page.expect_download() as download:
        page.click("#download")
    assert download.value.suggested_filename == "my own.md"
    assert Path(download.value.path()).read_text(encoding="utf-8") == whole
    assert "4 of 4 pages, 1 without text" in page.inner_text("#progress")
    assert reader.problems == []
    assert reader.asked == {page.url.split("/")[2]}


def test_a_file_can_be_dropped(reader: Reader) -> None:
    data = list(samples.encoded(samples.picture(), "png"))
    reader.page.evaluate(
        """data => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(data)], "dropped.png", { type: "image/png" }));
          document.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true }));
        }""",
        data,
    )
    assert reader.page.inner_text("#chosen") == "dropped.png"
    reader.page.click("#read")
    reader.done()
    assert reader.sheets() == ["1 ok"]


def test_what_cannot_be_read_is_told(reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / "broken.pdf"
    path.write_text("no PDF")
    reader.choose(path)
    reader.page.wait_for_selector("#notice:not([hidden])")
    assert "broken.pdf: not a PDF" in reader.page.inner_text("#notice")
    path.write_bytes(samples.pdf(password="secret"))
    reader.page.click("#read")
    reader.page.wait_for_selector("#notice:has-text('choose it again')")
    reader.page.fill("#password", "secret")
    reader.choose(path)
    reader.page.wait_for_selector(".sheet")
    reader.done()
    assert reader.page.is_hidden("#notice")
    assert reader.page.inner_text(".sheet .text-body") == "A blank page."


def test_stop(reader: Reader, model: world.FaultyServer, tmp_path: Path) -> None:
    path = tmp_path / "held.pdf"
    path.write_bytes(world.document("held", 2))
    model.order(hold=True)
    try:
        reader.choose(path)
        reader.page.wait_for_selector("#progress >> text=0 of 2 pages")
        reader.page.click("#stop")
        reader.done()
        assert reader.page.inner_text("#notice") == "Stopped."
        assert reader.page.is_enabled("#read")
    finally:
        model.order(stream=True)


def test_a_hostile_answer_does_nothing(chromium: Any, tmp_path: Path) -> None:
    path = tmp_path / "<img src=x onerror=alert(1)>.pdf"
    path.write_bytes(world.document("hostile", 1))
    hostile = answer(encode(FrontMatter(), HOSTILE))
    with ScriptedServer(lambda _: hostile) as model, serving(model.url) as service:
        reader = Reader(chromium, service)
        reader.choose(path)
        reader.page.wait_for_selector("#copy:not([hidden])")
        body = reader.page.locator(".text-body")
        assert "The end of the page." in body.inner_text()
        assert body.is_visible() and reader.page.is_visible("header")
        body.locator("td").hover()
        for link in body.locator(".link").all():
            link.click()
        assert reader.page.evaluate("window.hacked") is None
        bad = "script, iframe, form, style, link, svg, img, input, a, [onclick], [onmouseover], [style], [id]"
        assert body.locator(bad).count() == 0
        assert reader.asked == {service.url.split("/")[2]}
        assert not [problem for problem in reader.problems if "ormula" not in problem], reader.problems
        reader.page.click("[data-mode=raw]")
        assert body.inner_text().strip() == HOSTILE
        reader.context.close()


def test_the_key_is_asked_for_once(chromium: Any, model: world.FaultyServer, tmp_path: Path) -> None:
    path = tmp_path / "key.pdf"
    path.write_bytes(world.document("key", 1))
    with serving(model.url, SCRIPTORIUM_SERVICE_KEY="sesame") as service:
        reader = Reader(chromium, service)
        reader.page.wait_for_selector("dialog[open]")
        reader.page.fill("#key", "sesame")
        reader.page.click("dialog button")
        reader.page.wait_for_selector("#model:has-text('faulty')")
        reader.choose(path)
        reader.page.wait_for_selector("#copy:not([hidden])")
        assert reader.sheets() == ["1 ok"]
        assert json.loads(reader.page.evaluate("JSON.stringify(Object.keys(localStorage))")) == []
        reader.context.close()
