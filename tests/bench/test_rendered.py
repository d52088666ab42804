"""A page's Markdown as HTML: harmless, marked where the evidence stands, formulas drawn."""

import re
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

from scriptorium.bench.rendered import LONGEST, drawn_formula, raw, rendered

HOSTILE = [
    "<script>alert(1)</script>",
    '<img src="x" onerror="alert(1)">',
    "![a](https://tracker.example/a.png)",
    "[a](javascript:alert(1))",
    '<a href="javascript:alert(1)">a</a>',
    "<svg onload=alert(1)><animate onbegin=alert(1)></svg>",
    "<iframe src='https://example.org'></iframe>",
    "<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>",
    '<table background="https://example.org/x.png" onclick="x()"><tr><td style="background:url(x)">a',
    "<style>@import url(https://example.org)</style>",
    "<link rel=stylesheet href=https://example.org>",
    '<p title="<img src=x onerror=alert(1)>">a</p>',
    r"\(\href{javascript:alert(1)}{a}\)",
    r"$$\includegraphics{https://example.org/x.png}$$",
    '<form action="https://example.org"><input autofocus onfocus=alert(1)></form>',
    "</mark></div></body><script>alert(1)</script>",
]

SAFE = {"class", "data-test", "title", "colspan", "rowspan", "start"}


def tree(markdown: str, evidence=()):
    return html.fragment_fromstring(rendered(markdown, list(evidence)), create_parent="div")


def marked(shown: str, test: str) -> str:
    """The text in the marks of a test, pieces joined."""
    pieces = re.findall(rf'<mark class="[^"]*" data-test="{test}">(.*?)</mark>', shown, re.DOTALL)
    return "".join(unescape(re.sub("<[^>]*>", "", piece)) for piece in pieces)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_runs_loads_or_leads_anywhere(hostile):
    for text in (hostile, f"before\n\n{hostile}\n\nafter", f"| a |\n|---|\n| {hostile} |"):
        for element in tree(text, [(0, len(text), "passed", "t")]).iter():
            assert element.tag not in {
                "script",
                "img",
                "iframe",
                "svg",
                "style",
                "link",
                "form",
                "input",
                "a",
                "object",
            }
            assert not any(
                name.startswith("on") or name in {"src", "href", "style"} for name in element.attrib
            )


def test_an_image_is_a_box_with_its_alternative_text_and_a_link_shows_its_target():
    shown = tree(
        '![a map](x.png) <img alt="a &quot;b&quot;"> ![](y.png) [site](https://example.org/?a=1&b=2)'
    )
    assert [box.text for box in shown.iter("span") if box.get("class") == "picture"] == [
        "a map",
        'a "b"',
        "image",
    ]
    (link,) = [span for span in shown.iter("span") if span.get("class") == "link"]
    assert (link.text, link.get("title")) == ("site", "https://example.org/?a=1&b=2")


def test_formulas_are_drawn_and_those_that_cannot_be_stand_as_written():
    shown = tree("Let \\(a^2\\) and $$\\frac{1}{2}$$ and \\(\\frac{\\) and `$x_1$`.")
    assert [math.get("display") for math in shown.iter("math")] == ["inline", "block"]
    assert len(list(shown.iter("msup"))) == len(list(shown.iter("mfrac"))) == 1
    assert [code.text for code in shown.iter("code")] == ["\\(\\frac{\\)", "$x_1$"]
    assert "msub" in drawn_formula("x_1") and "formula bad" in drawn_formula("\\frac{")


def test_a_price_keeps_its_dollar():
    assert "$5" in tree("It costs $5, not $6 or so.").text_content()


@pytest.mark.parametrize(
    ("markdown", "piece", "seen"),
    [
        ("# A **bold** title", "A **bold** title", "A bold title"),
        ("a caf&eacute; &amp; b", "caf&eacute; &amp;", "café &"),
        ("<table><tr><td>one</td><td>two</td></tr></table>", "<td>two", "two"),
        ("| a | b |\n|---|---|\n| 1 | 22 |\n| 1 | 3 |", "22", "22"),
        ("[text](https://example.org/text) text", "](https://example.org/text) text", " text"),
        ("first\n\n- one\n- two", "one\n- two", "onetwo"),
        ("a < b & c > d", "b & c", "b & c"),
    ],
)
def test_a_mark_stands_where_its_evidence_is_seen(markdown, piece, seen):
    start = markdown.index(piece)
    span = (start, start + len(piece), "passed", "t")
    assert marked(rendered(markdown, [span]), "t") == seen
    assert marked(raw(markdown, [span]), "t") == piece


def test_evidence_in_a_formula_marks_the_formula():
    text = "Let \\(a^2 + b\\) be."
    shown = tree(text, [(text.index("b"), text.index("b") + 1, "passed", "t")])
    assert shown.find(".//mark/span/math") is not None


def test_marks_over_each_other_are_nested_and_names_are_escaped():
    shown = tree("one two three", [(0, 7, "failed", 'a"<b>'), (4, 13, "passed", "b")])
    assert [(mark.get("data-test"), mark.text_content()) for mark in shown.iter("mark")] == [
        ('a"<b>', "one "), ("b", "two"), ('a"<b>', "two"), ("b", " three"),
    ]  # fmt: skip


def test_the_end_of_a_runaway_text_is_not_shown():
    assert len(raw("a" * 10_000_000, [(0, 10_000_000, "x", "t")])) < LONGEST + 100
    assert len(rendered("a " * 5_000_000, [])) < LONGEST + 100


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from("ab <>&\"'`*_#|-\n$\\()[]!/1é\ud800\U000f0000td"), max_size=60), st.data())
def test_any_text_gives_safe_html_whose_raw_form_is_the_text(text, data):
    start = data.draw(st.integers(0, 60))
    spans = [(start, start + data.draw(st.integers(0, 30)), "passed", "t"), (5, 15, "failed", "u")]
    written = html.fromstring(f"<pre>:{raw(text, spans)}</pre>")
    assert written.text_content() == ":" + text.replace("\ud800", "?")
    for element in tree(text, spans).iter():
        if not element.xpath("ancestor-or-self::math"):
            assert set(element.attrib) <= SAFE
