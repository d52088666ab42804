"""The report in a real browser, opened as a file: filters, marks, two candidates, keys, hostile texts."""

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from scriptorium.bench.html_report import write_report
from scriptorium.errors import InputError
from tests.bench.shared import sample

CHROMIUM = Path("/usr/bin/chromium")
GIVEN, DAMAGED = "olmocr_pipeline", "damaged"

HOSTILE = """# Hostile <script>window.hacked = 1</script>
</script><script>window.hacked = 2</script> <!-- --> ]]> \u2028 \u2029 ${window.hacked = 3} `code`
<img src="https://example.org/a.png" onerror="window.hacked = 4"> ![x](https://example.org/b.png)
[go](javascript:window.hacked=5) <a href="javascript:window.hacked=6" id="bad">away</a> \\(\\href{javascript:x}{y}\\)
<iframe src="https://example.org"></iframe><svg onload="window.hacked = 7"></svg>
"""


@pytest.fixture(scope="module")
def bench(tmp_path_factory) -> Path:
    """The sample with a second candidate, a damaged copy of the first, and a page of hostile text."""
    folder = tmp_path_factory.mktemp("report") / "bench"
    shutil.copytree(sample(), folder, copy_function=shutil.copyfile)
    shutil.copytree(folder / GIVEN, folder / DAMAGED)
    draw = random.Random(0)
    for path in sorted((folder / DAMAGED).rglob("*.md")):
        words = path.read_text(encoding="utf-8").split(" ")
        kept = [word.upper() if draw.random() < 0.1 else word for word in words]
        path.write_text(" ".join(kept), encoding="utf-8")
    (folder / DAMAGED / "earnings_pg1_repeat1.md").unlink()
    (folder / DAMAGED / "lincoln_letter_pg1_repeat1.md").write_text(HOSTILE, encoding="utf-8")
    evil = {"pdf": "lincoln_letter.pdf", "page": 1, "type": "present", "text": "Hostile"}
    ids = ["</script><script>window.hacked = 8</script>", '"><img src=x onerror="window.hacked = 9">']
    lines = "".join(json.dumps(evil | {"id": name}) + "\n" for name in ids)
    (folder / "hostile <b>.jsonl").write_text(lines, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def report(bench) -> Path:
    return write_report(bench, [GIVEN, DAMAGED], bench.parent / "out")


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
def page(browser, report):
    """The report, opened; at the end nothing was complained of and nothing but files was asked for."""
    opened = browser.new_page(viewport={"width": 1400, "height": 900})
    opened.set_default_timeout(10_000)
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("request", lambda request: request.url.startswith("file:") or complaints.append(request.url))
    opened.on("dialog", lambda dialog: complaints.append(dialog.message))
    opened.goto(report.as_uri())
    opened.wait_for_selector(".rules button", state="attached")
    yield opened
    assert complaints == []
    assert opened.evaluate("window.hacked") is None
    opened.close()


def at_page(page, name: str) -> None:
    """Wait until the page of this id is drawn."""
    page.wait_for_function(
        "name => document.querySelector('.where strong')?.textContent === name"
        " && !document.querySelector('.panes').hidden",
        arg=name,
    )


def count(page) -> int:
    return int(page.inner_text(".found span").split(" of ")[0].replace(",", ""))


def test_the_first_page_names_candidates_rule_sets_nulls_and_differences(page):
    text = page.inner_text("#scores")
    for said in (GIVEN, DAMAGED, "scriptorium-1", "olmocr-2026.03", "no reading: shuffled lines", "missing"):
        assert said in text
    assert page.locator("#scores .null").count() == 8
    heading = page.locator("#scores h3").first.inner_text()
    page.get_by_role("link", name="all on their pages").first.click()
    page.wait_for_selector(".page-row")
    assert page.input_value('.filters [name="outcome"]') == "differ"
    assert heading.startswith(f"{GIVEN}: {count(page)} test") and count(page) > 0


def test_each_filter_narrows_the_list_and_clear_opens_it(page):
    page.click("nav >> text=Pages")
    at_page(page, "blank_book_pg1")
    everything = count(page)
    assert everything == page.evaluate(
        "document.querySelector('.found span').textContent.match(/of (\\d+)/)[1] * 1"
    )
    for name, value in [("outcome", "failed"), ("type", "table"), ("category", "dataset"), ("words", "earn")]:
        before = count(page)
        field = page.locator(f'.filters [name="{name}"]')
        if name == "words":
            field.fill(value)
        else:
            field.select_option(value)
        assert count(page) <= before < everything + 1
    page.click("text=Clear")
    page.select_option('.filters [name="reason"]', "missing")
    assert 0 < count(page) < everything
    page.select_option('.filters [name="a"]', label=DAMAGED)
    assert page.locator(".page-row", has_text="earnings").count() == 1
    page.click("text=Clear")
    assert count(page) == everything
    page.fill('.filters [name="words"]', "no test says this")
    assert (count(page), page.locator(".page-row").count()) == (0, 0)


def test_a_click_on_a_test_marks_its_evidence_and_a_click_on_a_mark_finds_its_test(page):
    page.goto(page.url + "#pages?page=multi_column_miss")
    at_page(page, "multi_column_miss")
    row = page.locator(".test-row", has_text="Over the past three decades")
    row.click()
    selected = page.locator(".text-pane:visible mark.selected")
    assert selected.first.inner_text().startswith("Over the past three decades")
    assert selected.first.evaluate(
        "mark => { const r = mark.getBoundingClientRect(); return r.top > 0 && r.bottom < 900 }"
    )
    assert "present" in page.inner_text(".inspector") and "found" in page.inner_text(".inspector")
    page.keyboard.press("2")
    assert selected.first.get_attribute("class").split()[-2:] == ["passed", "selected"]
    mark = page.locator(".text-pane:visible mark.passed:not(.selected)").first
    name = mark.get_attribute("data-test")
    mark.click()
    assert page.locator('.test-row[aria-current="true"]').get_attribute("data-test") == name
    assert page.inner_text(".inspector .test-id") == name
    page.locator(".text-pane:visible >> text=Raw").click()
    assert page.locator(f'.text-body[data-mode="raw"] mark.selected[data-test="{name}"]').count() >= 1


def test_two_candidates_stand_side_by_side_with_their_differences(page):
    page.goto(page.url + "#pages?page=multi_column_miss")
    at_page(page, "multi_column_miss")
    page.click("text=Side by side")
    assert page.locator(".text-pane:visible .pane-name").all_inner_texts() == [GIVEN, DAMAGED]
    page.click("text=Differences")
    removed = page.locator(".only.removed").all_inner_texts()
    added = page.locator(".only.added").all_inner_texts()
    assert removed and added and "".join(removed).upper() == "".join(added)
    page.select_option('.filters [name="outcome"]', "apart")
    for row in page.locator(".test-row").all():
        assert len(set(row.locator(".glyph").all_inner_texts())) == 2


def test_the_differences_of_two_texts_are_the_shortest_script(page):
    random_texts = random.Random(1)
    for _ in range(40):
        one, two = (" ".join(random_texts.choices("abcd", k=random_texts.randrange(9))) for _ in range(2))
        found = page.evaluate("([a, b]) => PageView.diff.show(a, b)", [one, two])
        for html, text in ((found["a"], one), (found["b"], two)):
            assert (
                page.evaluate("h => new DOMParser().parseFromString(h, 'text/html').body.textContent", html)
                == text
            )
        assert round(found["share"], 6) == round(_shared(tokens(one), tokens(two)), 6)
    far = page.evaluate(
        "([a, b]) => PageView.diff.show(a, b).cut", [" ".join("a" * 5000), " ".join("b" * 5000)]
    )
    assert far is True


def tokens(text: str) -> list[str]:
    return list(text)  # every word is one letter here


def _shared(one: list[str], two: list[str]) -> float:
    """Percent of words in the longest common subsequence, by the textbook's table."""
    table = [[0] * (len(two) + 1) for _ in range(len(one) + 1)]
    for i, a in enumerate(one):
        for j, b in enumerate(two):
            table[i + 1][j + 1] = table[i][j] + 1 if a == b else max(table[i][j + 1], table[i + 1][j])
    return 200 * table[-1][-1] / (len(one) + len(two)) if one or two else 100.0


def test_keys_go_through_pages_tests_filters_and_rule_sets(page):
    page.keyboard.press("j")
    at_page(page, "blank_book_pg1")
    page.keyboard.press("f")
    assert page.input_value('.filters [name="outcome"]') == "failed"
    page.keyboard.press("f")
    assert page.input_value('.filters [name="outcome"]') == ""
    rows = page.locator(".page-row").evaluate_all("rows => rows.map(row => row.title)")
    page.locator(".page-row").first.click()
    at_page(page, rows[0])
    page.keyboard.press("j")
    at_page(page, rows[1])
    page.keyboard.press("k")
    at_page(page, rows[0])
    page.keyboard.press("n")
    page.wait_for_selector(".inspector:not([hidden])")
    assert page.locator('.test-row[aria-current="true"]').count() == 1
    page.keyboard.press("2")
    assert page.inner_text('.rules [aria-pressed="true"]') == "olmocr-2026.03"
    page.keyboard.press("1")
    assert page.inner_text('.rules [aria-pressed="true"]') == "scriptorium-1"
    page.keyboard.press("r")
    assert page.locator('.text-body[data-mode="raw"]').first.is_visible()
    page.keyboard.press("s")
    assert page.locator(".text-pane:visible").count() == 2
    page.keyboard.press("/")
    page.keyboard.type("jjfs")
    assert page.input_value('.filters [name="words"]') == "jjfs"
    page.keyboard.press("Enter")
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    assert page.locator("#scores").is_visible()


def test_an_address_opens_the_same_view_again(page):
    page.goto(page.url + f"#pages?rules=olmocr-2026.03&a={DAMAGED}&type=math&page=mathfuncs")
    at_page(page, "mathfuncs")
    assert page.inner_text('.rules [aria-pressed="true"]') == "olmocr-2026.03"
    page.locator(".test-row").first.click()
    page.wait_for_selector(".inspector .drawn math")
    address = page.url
    page.reload()
    page.wait_for_selector(".inspector .drawn math")
    assert page.url == address


def test_hostile_texts_and_ids_do_nothing(page):
    page.goto(page.url + f"#pages?a={DAMAGED}&b={GIVEN}&page=lincoln_letter")
    at_page(page, "lincoln_letter")
    for row in page.locator(".test-row").all():
        row.click()
    for name in ("Raw", "Rendered"):
        page.locator(".text-pane").first.locator(f"text={name}").click()
    assert page.locator(".text-body script, .text-body img, .text-body iframe, .text-body a").count() == 0
    assert "window.hacked = 8" in page.locator(".test-row").evaluate_all(
        "rows => rows.map(row => row.title).join()"
    )
    page.locator(".text-pane").first.locator("text=Raw").click()
    assert "</script><script>window.hacked = 2</script>" in page.locator(".text-body").first.inner_text()
    page.keyboard.press("d")
    page.wait_for_timeout(100)


def test_a_missing_output_and_light_and_dark(page):
    page.goto(page.url + f"#pages?a={DAMAGED}&page=earnings")
    at_page(page, "earnings")
    assert page.locator(".text-pane .pane-note").first.inner_text() == "missing"
    colour = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(colour)
    page.click("#theme")
    assert page.evaluate(colour) != light


def test_pictures_are_drawn_once_a_page_and_used_again(bench, report):
    pictures = {path: path.stat().st_ino for path in (report.parent / "pictures").iterdir()}
    assert len(pictures) == len(list((report.parent / "data" / "pages").iterdir())) == 23
    with Image.open(min(pictures)) as picture:
        assert max(picture.size) == 1280 and picture.format == "WEBP"
    (report.parent / "pictures" / "of-an-older-report.webp").write_bytes(b"")
    assert write_report(bench, [GIVEN, DAMAGED], report.parent) == report
    assert {path: path.stat().st_ino for path in (report.parent / "pictures").iterdir()} == pictures


def test_the_same_bench_gives_the_same_bytes(bench, report, tmp_path):
    shutil.copytree(report.parent, tmp_path / "again")  # for its pictures
    again = write_report(bench, [GIVEN, DAMAGED], tmp_path / "again").parent
    files = [path.relative_to(again) for path in again.rglob("*") if path.is_file()]
    assert all((report.parent / name).read_bytes() == (again / name).read_bytes() for name in files)


def test_a_folder_with_other_things_is_refused(bench, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="not empty and no report"):
        write_report(bench, [GIVEN], tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_a_bench_without_candidates_is_refused(tmp_path):
    bench = tmp_path / "bench"
    shutil.copytree(sample() / "pdfs", bench / "pdfs", copy_function=shutil.copyfile)
    shutil.copyfile(sample() / "blanks.jsonl", bench / "blanks.jsonl")
    with pytest.raises(InputError, match="no candidate"):
        write_report(bench, [], tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.fixture
def odd(tmp_path) -> Path:
    """A bench with a PDF that is none, three repeats of a page, one that failed, and a test of a page 2."""
    folder = tmp_path / "odd"
    (folder / "pdfs").mkdir(parents=True)
    (folder / "pdfs" / "a.pdf").write_bytes(b"%PDF-1.4 not more than that")
    tests = [
        {"pdf": "a.pdf", "page": page, "type": "present", "text": "word", "id": f"t{page}"} for page in (1, 2)
    ]
    (folder / "some.jsonl").write_text("".join(json.dumps(test) + "\n" for test in tests))
    (folder / "tool").mkdir()
    for repeat, text in enumerate(("nothing", "a word", "the word"), 1):
        (folder / "tool" / f"a_pg1_repeat{repeat}.md").write_text(text)
    (folder / "tool" / "a_pg2_repeat1.md").write_text("")
    (folder / "tool" / "a_pg2_repeat1.json").write_text('{"state": "error", "error": "out of <memory>"}')
    return folder


def test_odd_pages_are_shown_as_they_are(browser, odd):
    opened = browser.new_page()
    opened.goto(write_report(odd, [], odd.parent / "out").as_uri() + "#pages?page=a")
    at_page(opened, "a")
    assert opened.inner_text(".picture-frame") == "No picture: damaged."
    assert opened.inner_text(".text-pane:visible .pane-note") == "first of 3 repeats"
    opened.locator(".test-row", has_text="word").click()
    assert "67 % of the repeats pass" in opened.inner_text(".inspector")
    opened.keyboard.press("j")
    at_page(opened, "a#2")
    assert opened.inner_text(".text-pane:visible .pane-note") == "error · out of <memory>"
    opened.keyboard.press("2")
    unknown = opened.locator(".test-row", has_text="baseline").locator(".glyph")
    assert (unknown.inner_text(), unknown.get_attribute("class")) == ("–", "glyph unknown")
    opened.close()


def test_one_rule_set_alone(odd):
    page = write_report(odd, ["tool"], odd.parent / "out", ["scriptorium-1"]).read_text(encoding="utf-8")
    assert "<h2>scriptorium-1</h2>" in page and "olmocr-2026.03" not in page


def test_the_command_says_where_the_report_is_and_refuses_with_exit_code_2(odd):
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [
            sys.executable,
            "-c",
            "from scriptorium.cli import main; main()",
            "bench",
            "report",
            *words,
        ]
        return subprocess.run(command, capture_output=True, text=True)

    done = run(str(odd), "--out", str(odd.parent / "out"), "--candidate", "tool")
    assert (done.returncode, done.stdout.strip()) == (0, str(odd.parent / "out" / "index.html"))
    refused = run(str(odd), "--out", str(odd))
    assert refused.returncode == 2 and "no report" in refused.stderr
    unknown = run(str(odd), "--out", str(odd.parent / "new"), "--candidate", "other")
    assert unknown.returncode == 2 and not (odd.parent / "new").exists()
