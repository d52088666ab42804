"""The viewer in a real browser, opened as a file: search, filters, keys, two runs, marks, hostile texts."""

import json
from pathlib import Path
from typing import Any

import pytest

from scriptorium.convert.viewer.runs import open_runs
from scriptorium.convert.viewer.write import write_viewer
from tests.convert.viewer.corpora import BROKEN, FRONT, convert, make_sources

CHROMIUM = Path("/usr/bin/chromium")

HOSTILE = """# Hostile <script>window.hacked = 1</script>
</script><script>window.hacked = 2</script> <!-- --> ]]> \u2028 \u2029 ${window.hacked = 3} `code`
<img src="https://example.org/a.png" onerror="window.hacked = 4"> ![x](https://example.org/b.png)
[go](javascript:window.hacked=5) <a href="https://example.org" id="bad" onclick="window.hacked=6">away</a>
<iframe src="https://example.org"></iframe><svg onload="window.hacked = 7"></svg><style>body{display:none}</style>
\\(\\href{javascript:window.hacked=8}{y}\\) \\(\\htmlData{x=y}{z}\\) $\\includegraphics{https://example.org/c.png}$
<span class="formula">\\(<img src=x onerror="window.hacked=9">\\)</span> <form action="https://example.org"><input></form>
"""
REASON = '<img src=x onerror="window.hacked = 10"></script><script>window.hacked = 11</script>'
BOMB = r"\def\a{xxxxxxxxxx}\def\b{\a\a\a\a\a\a\a\a\a\a}\def\c{\b\b\b\b\b\b\b\b\b\b}\c\c\c\c\c\c\c\c\c\c"

LETTER = "The quick brown fox.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nMass is $E = mc^2$, price $5 and $6."
LETTER += "\n\n\\[\\frac{1}{2}\\]"
FIRST = {
    ("letter.pdf", 1): {"status": "ok", "text": LETTER, "signals": {"own": 0.91, "layer": {"recall": 0.5}}},
    ("letter.pdf", 2): {"status": "ok", "text": HOSTILE, "reason": REASON, "signals": {REASON: REASON}},
    ("letter.pdf", 3): {"status": "gave_up", "text": "", "raw": "no head here", "front": None, "attempts": 8}
    | {"reason": "attempt 8: cut off"},
    ("report.pdf", 1): {
        "status": "fallback_text",
        "text": "layer words",
        "front": None,
        "signals": {"score": 0.2},
    },
    ("report.pdf", 2): {
        "status": "ok",
        "text": f"Deutscher Text \\({BOMB}\\)",
        "front": FRONT | {"primary_language": "de"},
    },
    ("photo.png", 1): {"status": "ok_rotated", "text": "turned", "rotation": 90},
}
SECOND = FIRST | {
    ("letter.pdf", 1): {"status": "ok", "text": LETTER.replace("brown", "crimson")},
    ("report.pdf", 1): {"status": "ok", "text": "true words"},
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> list[Path]:
    root = tmp_path_factory.mktemp("viewer")
    sources = make_sources(root)
    first = convert(sources, root / "first", {"weights": "one", "prompt": REASON}, FIRST)
    return [first, convert(sources, root / "second", {"weights": "two"}, SECOND)]


@pytest.fixture(scope="module")
def site(folders) -> Path:
    out = folders[0].parent / "site"
    write_viewer(open_runs(folders), out)
    return out / "index.html"


@pytest.fixture(scope="module")
def browser():
    sync = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is missing")
    with sync.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def page(browser, site):
    """The viewer, opened; at the end nothing was complained of and nothing but files was asked for."""
    context = browser.new_context(
        viewport={"width": 1400, "height": 900}, offline=True, accept_downloads=True
    )
    opened = context.new_page()
    opened.set_default_timeout(10_000)
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on(
        "request",
        lambda request: request.url.startswith(("file:", "blob:")) or complaints.append(request.url),
    )
    opened.on(
        "dialog",
        lambda dialog: dialog.accept() if dialog.type == "confirm" else complaints.append(dialog.message),
    )
    opened.goto(site.as_uri())
    opened.wait_for_selector('.filters [name="words"]', state="attached")
    yield opened
    assert complaints == []
    assert opened.evaluate("window.hacked") is None
    context.close()


def at(page, name: str) -> None:
    """Wait until the page of this file name and number is drawn."""
    file, number = name.split(":")
    page.wait_for_function(
        "([file, number]) => document.querySelector('.where strong')?.textContent === file"
        " && document.querySelector('.where .soft').textContent.startsWith(`page ${number} ·`)"
        " && document.querySelector('.panes').dataset.page !== undefined",
        arg=[file, number],
    )


def count(page) -> int:
    return int(page.inner_text(".found span").split(" of ")[0])


def listed(page, files: set[str], said: str) -> None:
    """Wait until the list has pages of these files alone and the address says why."""
    page.wait_for_function(
        "([files, said]) => {"
        " const shown = [...document.querySelectorAll('.page-row .file')].map((each) => each.innerText);"
        " return location.href.includes(said) && files.join() === [...new Set(shown)].sort().join(); }",
        arg=[sorted(files), said],
    )


def open_page(page, name: str, **said: str) -> None:
    """Open a page through the search and the filters."""
    page.evaluate("location.hash = '#pages'")
    page.wait_for_selector(".found span")
    for field, value in said.items():
        page.select_option(f'.filters [name="{field}"]', value)
    file, number = name.split(":")
    row = page.locator(".page-row", has_text=file).filter(has_text=f"p. {number}")
    row.click()
    at(page, name)


def test_the_overview_counts_pages_and_leads_to_them(page):
    row = page.locator("#overview tr", has_text="fallback text")
    assert row.inner_text().split() == ["fallback", "text", "1", "–"]
    row.get_by_role("link").click()
    at(page, "report.pdf:1")
    assert count(page) == 1


def test_search_finds_names_reasons_and_words_of_the_texts(page):
    page.keyboard.press("j")
    page.wait_for_selector(".page-row")
    everything = count(page)
    for words, found in [
        ("deep/report", 2),
        ("cut off", 1),
        ("photo png", 1),
        ("nowhere at all", 0),
        ("", everything),
    ]:
        page.fill('.filters [name="words"]', words)
        page.wait_for_function(
            "n => document.querySelector('.found span').textContent.startsWith(`${n} of`)", arg=found
        )
    page.select_option('.filters [name="where"]', "texts")
    for words, found in [
        ("QUICK fox", 1),
        ("crimson", 1),
        ("true words", 1),
        ("deutscher", 1),
        ("report", 0),
    ]:
        page.fill('.filters [name="words"]', words)
        page.wait_for_function(
            "n => document.querySelector('.found span').textContent === n",
            arg=f"{found} of {everything} pages",
        )
    page.click("text=Clear")
    assert count(page) == everything


def test_each_filter_lists_the_pages_it_says_and_the_address_keeps_them(page, folders):
    rows = list(open_runs(folders)[0].judged())
    low = {Path(row["source"]).name for row in rows if row["quality"].score < 0.5}
    assert "letter.pdf" in low and "photo.png" not in low
    page.keyboard.press("j")
    page.wait_for_selector(".page-row")
    for name, value, files in [
        ("status", "gave_up", {"letter.pdf"}),
        ("status", "trouble", {"letter.pdf", "report.pdf", BROKEN}),
        ("language", "de", {"report.pdf"}),
        ("score", "0.5", low),
        ("alike", "differ", {"letter.pdf", "report.pdf"}),
        ("alike", "status", {"report.pdf"}),
    ]:
        page.click("text=Clear") if page.locator(".found button").is_visible() else None
        page.select_option(f'.filters [name="{name}"]', value)
        listed(page, files, f"{name}={value}")
    page.reload()
    page.wait_for_selector(".page-row")
    assert page.input_value('.filters [name="alike"]') == "status" and count(page) == 1
    page.click("text=Clear")
    page.select_option('.filters [name="order"]', "worst")
    assert page.locator(".page-row").first.inner_text().startswith("letter.pdf")
    assert "gave up" in page.locator(".page-row").first.inner_text()


def test_a_page_is_shown_with_its_picture_tables_formulas_and_signals(page):
    open_page(page, "letter.pdf:1")
    body = page.locator(".text-pane:visible .text-body")
    assert body.locator("td").all_inner_texts() == ["1", "2"]
    assert body.locator("math").count() == 2 and body.locator("math mfrac").count() == 1
    assert "price $5 and $6" in body.inner_text()
    picture = page.locator(".picture-frame img")
    page.wait_for_function("() => document.querySelector('.picture-frame img').naturalWidth > 0")
    assert picture.get_attribute("alt") == "letter.pdf, page 1"
    page.keyboard.press("+")
    assert page.get_attribute(".picture-frame", "data-zoom") == "wide"
    page.keyboard.press("r")
    assert body.inner_text().startswith("The quick brown fox.\n\n| a | b |")
    page.keyboard.press("i")
    facts = page.inner_text(".facts-strip")
    assert "layer: recall" in facts and "0.91" in facts and "finish reason" in facts
    page.keyboard.press("j")
    at(page, "letter.pdf:2")
    page.keyboard.press("k")
    at(page, "letter.pdf:1")


def test_pages_without_a_text_say_why(page):
    open_page(page, "letter.pdf:3")
    assert "attempt 8: cut off" in page.inner_text(".facts-strip")
    assert "8 attempts" in page.inner_text(".facts-strip")
    assert page.inner_text(".text-pane:visible .text-body") == "no head here"
    assert "in no output" in page.inner_text(".text-pane:visible .pane-note")
    assert page.get_by_role("button", name="✓ Right").is_disabled()
    page.locator(".page-row", has_text="broken.pdf").click()
    page.wait_for_selector("text=This file has no pages that could be read.")


def test_hostile_texts_do_not_run_load_or_lead_anywhere(page):
    open_page(page, "letter.pdf:2")
    body = page.locator(".text-pane:visible .text-body")
    assert "Hostile" in body.locator("h1").inner_text()
    for bad in (
        "script",
        "img",
        "iframe",
        "svg",
        "a",
        "form",
        "input",
        "style",
        "[onclick]",
        "[id]",
        "[style*=url]",
    ):
        assert body.locator(bad).count() == 0, bad
    assert page.locator(".reason").inner_text() == REASON
    page.keyboard.press("i")
    assert REASON in page.inner_text(".fact-body")
    page.keyboard.press("r")
    assert "<script>window.hacked = 1</script>" in body.inner_text()
    open_page(page, "report.pdf:2")
    assert "Deutscher Text" in page.inner_text(".text-pane:visible .text-body")
    assert len(page.inner_html(".text-pane:visible .text-body")) < 20_000  # the bomb stays as it was written


def test_two_runs_stand_side_by_side_with_their_differences(page):
    open_page(page, "letter.pdf:1")
    page.keyboard.press("d")
    page.wait_for_selector(".only.removed")
    assert page.locator(".only.removed").all_inner_texts() == ["brown"]
    assert page.locator(".only.added").all_inner_texts() == ["crimson"]
    assert page.locator(".pane-name").all_inner_texts()[1:] == ["first", "second"]
    page.keyboard.press("x")
    page.wait_for_function("() => document.querySelector('.only.removed').textContent === 'crimson'")
    page.keyboard.press("s")
    assert page.locator(".text-pane:visible").count() == 1
    assert page.locator(".text-pane:visible .pane-name").inner_text() == "second"


def exported(page) -> list[dict[str, Any]]:
    page.click("#marks-open")
    with page.expect_download() as download:
        page.click("#export")
    text = Path(download.value.path()).read_text(encoding="utf-8")
    page.locator("#marks").get_by_role("button", name="Close").click()
    return [json.loads(line) for line in text.splitlines()]


def test_marks_are_kept_exported_taken_in_and_removed(page, tmp_path):
    open_page(page, "letter.pdf:1")
    page.keyboard.press("y")
    open_page(page, "letter.pdf:2")
    page.keyboard.press("n")
    open_page(page, "report.pdf:1")
    page.keyboard.press("y")  # a text layer cannot be right as it is
    page.keyboard.press("e")
    page.keyboard.press("Escape")
    page.keyboard.press("e")
    page.fill(".editor textarea", "Words by hand: \\(x\\) <b>ü</b>")
    page.keyboard.press("Control+Enter")
    assert "language" in page.inner_text(".editor-said")
    page.fill('.editor [name="primary_language"]', "en")
    page.keyboard.press("Control+Enter")
    assert page.inner_text(".text-pane:visible .text-body") == "Words by hand: \\(x\\) <b>ü</b>"
    marks = exported(page)
    assert [(each["mark"], each["page"]) for each in marks] == [("right", 1), ("wrong", 2), ("fixed", 1)]
    assert (
        marks[2]["text"] == "Words by hand: \\(x\\) <b>ü</b>"
        and marks[2]["front"]["primary_language"] == "en"
    )
    page.reload()
    page.wait_for_selector(".page-row")
    assert page.inner_text("#marks-open") == "Marks: 3"
    page.select_option('.filters [name="mark"]', "wrong")
    assert count(page) == 1
    page.click("text=Clear")
    file = tmp_path / "marks.jsonl"
    file.write_text("".join(json.dumps(each) + "\n" for each in marks) + "not a mark\n")
    page.click("#marks-open")
    page.click("#forget")
    assert "0 right, 0 wrong, 0 corrected" in page.inner_text("#marks")
    page.set_input_files("#import", file)
    page.wait_for_selector("text=3 marks taken in; 1 lines are no marks.")
    page.locator("#marks").get_by_role("button", name="Close").click()
    assert exported(page) == marks
    open_page(page, "letter.pdf:2")
    page.keyboard.press("n")
    assert [each["mark"] for each in exported(page)] == ["right", "fixed"]


def test_everything_that_can_be_used_has_a_name_and_fits_a_narrow_window(page):
    open_page(page, "letter.pdf:1")
    page.keyboard.press("s")
    nameless = page.evaluate(
        """[...document.querySelectorAll('button, input, select, textarea, [tabindex="0"]')].filter((node) =>
        node.checkVisibility() && !node.ariaLabel && !node.textContent.trim() && !node.labels?.length).length"""
    )
    assert nameless == 0
    page.set_viewport_size({"width": 380, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.evaluate("location.hash = '#overview'")
    page.wait_for_selector("#overview", state="visible")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
