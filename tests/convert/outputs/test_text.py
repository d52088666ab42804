"""Plain text and HTML of pages as models may write them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptorium.convert.outputs.html import body
from scriptorium.convert.outputs.text import plain


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("# Head\n\nline one\nline *two*", "Head\n\nline one line two"),
        ("- one\n- two\n\n1. three", "one\ntwo\n\nthree"),
        ("a<br>b", "a\nb"),
        ("|a|b|\n|-|-|\n|1||", "a\tb\n1\t"),
        (
            "<table><tr><td>a <b>b</b>c</td><td><p>x</p><p>y</p></td></tr><tr><td></td><td>q</td></tr></table>",
            "a bc\tx y\n\tq",
        ),
        ("```\nx  y\n\n z\n```", "x  y\n\n z"),
        ("\\(a_1 * b_1\\) costs $5", "\\(a_1 * b_1\\) costs $5"),
        ("$$\na\n\n- b < c\n$$\n\nx", "$$\na\n\n- b < c\n$$\n\nx"),
        ("\\[ x \\]", "\\[ x \\]"),
        ("`\\(a\\)` \\( open", "\\(a\\) ( open"),
        ("![a chart](page_1_2.png)", "[a chart]"),
        ("x\x01y\x02z", "xyz"),
        ("<script>bad()</script>", ""),
        ("   ", ""),
    ],
)
def test_plain_text(markdown: str, text: str) -> None:
    assert plain(markdown) == text


def test_deep_nesting_loses_nothing() -> None:
    assert plain("<div>" * 400 + "x") == plain("> " * 60 + "x") == "x"
    assert plain("<table><tr><td>" * 200 + "x") == "x"


@given(
    st.lists(
        st.sampled_from(
            [
                "<",
                ">",
                "script",
                "img src=x onerror=f()",
                "/",
                "'",
                '"',
                "\\(",
                "$$",
                "`",
                "\n",
                "a",
                "[",
                "](javascript:f)",
            ]
        )
    )
)
def test_html_never_has_a_script_or_a_picture(parts: list[str]) -> None:
    html = body("".join(parts))
    assert not re.search(r"<(script|img|iframe|style)|href=\"?javascript|<[^>]*onerror", html)
