"""Output adapters: a golden page of each dialect, faults by name, and no text that makes one crash or hang."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scriptorium.bench.candidates.specs import SPECS
from scriptorium.bench.dialects import DIALECTS, DialectError, adapt_text
from scriptorium.bench.rules import judge

from .dialect_pages import DOTS, GOLDEN, HTML

PLAIN = (
    "# Heading\n\nSome **bold** text with $x_1$ and \\(y\\), 5 % of it.\n\n- one\n- two\n\n"
    "| a | b |\n|---|---|\n| 1 | 2 |\n\n<table><tr><td>1</td></tr></table>\n\n"
    "$$\na \\\\ b\n$$\n\nText.[^1] ![A cat](cat.png)\n\n[^1]: Note."
)
TAKES_MARKDOWN = sorted(set(DIALECTS) - {"chandra", "surya", "dots", "html", "mistral"})


def test_every_dialect_has_a_golden_page_and_a_version() -> None:
    assert set(GOLDEN) == set(DIALECTS)
    assert all(name == module.NAME and module.VERSION >= 1 for name, module in DIALECTS.items())
    assert all("dialect" in kind.model_fields for kind in SPECS.values())


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_golden_page(name: str) -> None:
    text, expected = GOLDEN[name]
    assert adapt_text(text, name) == expected


def test_content_list_of_mineru() -> None:
    items = [
        {"type": "header", "text": "Journal", "page_idx": 0},
        {"type": "text", "text": "Title", "text_level": 1, "page_idx": 0},
        {"type": "equation", "text": "$$\nx^2\n$$", "text_format": "latex", "page_idx": 0},
        {
            "type": "table",
            "table_caption": ["Table 1"],
            "table_body": "<html><body><table></table></body></html>",
        },
        {"type": "image", "img_path": "images/a.jpg", "image_caption": ["Figure 1"], "page_idx": 0},
        {"type": "list", "list_items": ["one", "2. two"], "page_idx": 0},
        {"type": "code", "code_body": "```\nx\n```", "page_idx": 0},
    ]
    expected = (
        "# Title\n\n$$\nx^2\n$$\n\nTable 1\n\n<table></table>\n\nFigure 1\n\n- one\n2. two\n\n```\nx\n```"
    )
    assert adapt_text(json.dumps(items), "mineru") == expected


def test_lines_of_surya_and_html_without_labels() -> None:
    lines = {"text_lines": [{"text": "<b>A</b> <math>x_1</math>", "bbox": []}, {"text": "second"}]}
    assert adapt_text(json.dumps(lines), "surya") == "**A** $x_1$\nsecond"
    assert (
        adapt_text("<h1>T</h1><p>one</p>", "surya")
        == adapt_text("<h1>T</h1><p>one</p>", "chandra")
        == "# T\n\none"
    )


def test_multiline_table_of_pandoc() -> None:
    text = (
        "-----------------------\n  A      B\n ------ ---------------\n  first  of more\n         lines\n\n"
        "  second 2\n-----------------------\n\nafter"
    )
    assert adapt_text(text, "pandoc") == (
        "<table>\n<tr><th>A</th><th>B</th></tr>\n<tr><td>first</td><td>of more lines</td></tr>\n"
        "<tr><td>second</td><td>2</td></tr>\n</table>\n\nafter"
    )
    assert adapt_text("one\n\n---\n\ntwo", "pandoc") == "one\n\n---\n\ntwo"
    assert adapt_text("---\ntitle: x\n---\n\ntwo", "pandoc") == "---\ntitle: x\n---\n\ntwo"


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("dots", "Plain text", "not JSON"),
        ("dots", "{}", "list of layout cells"),
        ("dots", '[{"category": "Poem", "text": "x"}]', "Poem"),
        ("dots", '[{"category": "Text"}]', "cell 0.text"),
        ("dots", json.dumps(DOTS)[:-20], "not JSON"),
        ("dots", "[" * 100_000, "deep"),
        ("mistral", '{"pages": []}', "0 pages"),
        ("mistral", '{"pages": [{}, {}]}', "2 pages"),
        ("mistral", '{"pages": [7]}', "pages"),
        ("chandra", "Just text", "no HTML tag"),
        ("chandra", "<p><math><mrow><mi>x</mi></mrow></math></p>", "MathML"),
        ("surya", "Just text", "no HTML tag"),
        ("surya", '{"blocks": [{"label": "Text"}]}', "html"),
        ("surya", '{"a": [{"text_lines": []}, {"text_lines": []}]}', "2 pages"),
        ("surya", '{"a": 1, "b": 2}', "neither"),
        ("nougat", "Before [MISSING_PAGE_FAIL:3]", "MISSING_PAGE_FAIL"),
        ("nanonets", "Text <page_number>3", "<page_number>"),
        ("deepseek-ocr", "<|ref|>text<|/ref|>no place", "out of place"),
        ("mineru", '[{"type": "poem"}]', "poem"),
        (
            "mineru",
            '[{"type": "text", "text": "a", "page_idx": 0}, {"type": "text", "page_idx": 1}]',
            "2 pages",
        ),
        ("pandoc", "+--+--+\n| ab  |\n+--+--+\n", "spans"),
    ],
)
def test_another_shape_is_an_error_that_says_what_is_wrong(name: str, text: str, says: str) -> None:
    with pytest.raises(DialectError, match=re.escape(says)):
        adapt_text(text, name)


@pytest.mark.parametrize("name", TAKES_MARKDOWN)
def test_plain_markdown_stays_as_it_is(name: str) -> None:
    assert adapt_text(PLAIN, name) == PLAIN


PIECES = st.lists(
    st.sampled_from((
        "word", " ", "\n", "\n\n", "# T", "$", "$$", "\\(", "\\)", "\\[", "\\]", "\\", "{", "}", "&", "&amp;",
        "<p>", "</p>", "<table>", "<tr><td>", "</table>", "<math>", "</math>", '<div data-label="Text">', "<li>",
        "<|ref|>", "<|/ref|>", "<|det|>[[1]]<|/det|>", "<page_number>", "</page_number>", "<img>", "</img>",
        "\\begin{tabular}{l}", "\\end{tabular}", "\\begin{align}", "\\end{align}", "\\multirow{2}{*}{", "\\\\",
        "\\textbf{", "\\title{", "\\item ", "![", "](", ")", "[", "]", "`", "```", "---", "--- ---", "+--+", "|",
        "<!--", "-->", "^", "~", ":::", '[{"type": ', '{"pages": [', '"', "\x00", "\ud800", "\ue000", "0\ue001",
    )),
    max_size=40,
).map("".join)  # fmt: skip


@pytest.mark.parametrize("name", sorted(DIALECTS))
@settings(max_examples=60, deadline=None)
@given(text=st.one_of(PIECES, st.text(max_size=200)))
def test_any_text_gives_a_text_or_the_typed_error(name: str, text: str) -> None:
    try:
        adapted = adapt_text(text, name)
    except DialectError as error:
        assert str(error)
    else:
        adapted.encode("utf-8")


FIELDS = (
    "pages|markdown|tables|id|content|blocks|html|label|text_lines|text|category|type|text_level|page_idx"
    "|table_body|list_items|reading_order"
)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(FIELDS.split("|")),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("name", ["dots", "mistral", "surya", "mineru"])
@settings(max_examples=80, deadline=None)
@given(value=JSON_VALUES)
def test_any_json_gives_a_text_or_the_typed_error(name: str, value: object) -> None:
    try:
        adapt_text(json.dumps(value), name).encode("utf-8")
    except DialectError as error:
        assert str(error)


SAFE = st.lists(
    st.sampled_from(
        ["word", "and", "5 %", "$x_1$", "\\(y^2\\)", "**bold**", "costs $5", "\n\n", "\n\n# T\n\n", "\n- a"]
    ),
    max_size=20,
).map(" ".join)


@pytest.mark.parametrize("name", TAKES_MARKDOWN)
@settings(max_examples=60, deadline=None)
@given(text=SAFE)
def test_markdown_is_adapted_once(name: str, text: str) -> None:
    once = adapt_text(text, name)
    assert adapt_text(once, name) == once
    assert re.sub(r"\s+", "", once) == re.sub(r"\s+", "", text)


LONG = [
    "<math>",
    "<div>",
    "\\[",
    "\\(",
    "$",
    "\\begin{tabular}",
    "\\textbf{",
    "<|ref|>",
    "<img>",
    "<!--",
    "[",
    "![",
    "`",
]
LONG += [
    "\\multirow{2}{*}{",
    "---\n",
    "+--+\n",
    "<page_number>",
    "^a",
    "~a",
    "&amp;",
    "<details>",
    "{",
    "\\begin{align}",
]


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_long_texts_of_openings_come_to_an_end(name: str) -> None:
    for piece in LONG:
        try:
            adapt_text(piece * 5_000, name)
        except DialectError as error:
            assert str(error)


def test_what_an_html_page_says_is_found_by_the_rules() -> None:
    page = adapt_text(HTML, "chandra")
    fields = {"pdf": "a.pdf", "page": 1, "id": "t"}
    tests: list[dict[str, object]] = [
        fields | {"type": "table", "cell": "R & D", "up": "Year"},
        fields | {"type": "present", "text": "2. Results & more"},
        fields | {"type": "absent", "text": "Journal of Tests"},
    ]
    assert all(judge(test, page, "scriptorium-1").passed for test in tests)
    assert not judge(tests[2], HTML, "scriptorium-1").passed  # what the adapter is for
