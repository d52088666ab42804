"""The text view: what a reader sees, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptorium.bench.judges.asked import plain
from scriptorium.bench.text.inline_math import plain_formula
from scriptorium.bench.text.normal import normal_form
from scriptorium.bench.text.view import view

SEEN = {
    "**bold\nover lines** and __under__": "bold over lines and under",
    "*italic\nover lines* _too_": "italic over lines too",
    "***both*** of them": "both of them",
    "max_len and min_len": "max_len and min_len",
    "3*4 and 5*6": "3*4 and 5*6",
    "a * b * c": "a * b * c",
    '[the manual](http://x.org/a_(b) "title") says': "the manual says",
    "![a chart](c.png) shows": "a chart shows",
    "![a [nested](x) one](c.png)": "a nested one",
    "array[3](4)x": "array3x",
    "[1] and [2]": "[1] and [2]",
    "file\\_name \\[1\\] \\*": "file_name [1] *",
    "a &lt; b &amp; c&nbsp;d &#955;": "a<b & c d λ",
    "one<br>two<BR/>three<br />four": "one two three four",
    "<p class='x'>one</p><p>two</p>": " one two ",
    '<b>Bold</b> <span style="color:red">red</span>': "Bold red",
    "a <unknown> tag, x < y > z": "a<unknown>tag, x<y>z",
    "# One #\n## Two\nthree": "One Two three",
    "- item\n* item\n  + item": "item item item",
    "> quoted\n> > twice": "quoted twice",
    "`code *x*` and ``a ` b``": "code *x* and a ` b",
    "a ` alone": "a ` alone",
    "Title\n-----\ntext": "Title text",
    "above\n\n* * *\n\nbelow": "above below",
    "10<sup>2</sup>, 10² and $10^{2}$": "10^2, 10^2 and 10^2",
    "H<sub>2</sub>O, H₂O and $H_2$O": "H_2O, H_2O and H_2O",
    "$4.1 \\pm 0.2$ or 4.1 ± 0.2 or \\(4.1\\pm0.2\\)": "4.1±0.2 or 4.1±0.2 or 4.1±0.2",
    "costs $5 and then $10 more": "costs $5 and then $10 more",
    "$\\frac{a_1}{b_1}$ stays": "$\\frac{a_1}{b_1}$ stays",
    "co\u00adoperate zero\u200bwidth": "cooperate zerowidth",
    "a\u2010b\u2011c\u2013d\u2014e": "a-b-c-d-e",
    "“x” ‘y’": "\"x\" 'y'",
    "cafe\u0301": "café",
    "note[^1] here\n\n[^1]: See Brown": "note here See Brown",
    "| a | b |\n|---|:-:|\n| 1 | 2 |": "| a | b | | 1 | 2 |",
    "<table><tr><th>a</th><td>b</td></tr></table>": " | a | b | ",
    "~~gone~~ a ~~ b": "gone a ~~ b",
    "<https://x.org> and [ref]\n\n[ref]: https://x.org": "https://x.org and [ref] ",
    "a\r\nb\rc": "a b c",
    "a ` tick\n\nthe **bold** text\n\nanother ` tick": "a ` tick the bold text another ` tick",
    "a ` tick\r\n\r\nthe **bold** text ` `c *d*`": "a ` tick the bold text c d`",
    "> a ` tick\n>\n> **b** ` c": "a ` tick b ` c",
    "a ` tick\n# *b* `": "a ` tick b `",
    "`code\nover *lines*`": "code over *lines*",
    "10&sup2; m, H&#8322;O": "10^2 m, H_2O",
    "\u202bab\u202c c\u200fd \u2066e\u2069": "ab cd e",
    "p < 0.05, p<0.05, $p<0.05$, p &lt; 0.05, $p$ \\< 0.05, `p < 0.05`": ", ".join(["p<0.05"] * 6),
    "```\nx = 1\n```": " x=1 ",
    "$x = \\frac{a}{b}$ or 4 $\\pm$ 1 or 4 &plusmn; 1": "$x=\\frac{a}{b}$ or 4±1 or 4±1",
    "$3 \\cdot 10^{5}$ or 3·10⁵": "3·10^5 or 3·10^5",
    "a - b, a-b, 3 + 4, 3+4": "a - b, a-b, 3 + 4, 3+4",
    "[the *text*][1] and [b][] and ![c][1]\n\n[1]: http://x.org\n[b]: /b": "the text and b and c ",
    "[text][1] and [1], [x][2]\n\n[1]: Smith (2020)": "[text][1] and [1], [x][2] [1]: Smith (2020)",
    "[1]: #a\n\n[2][3], [1] and x[1]": " [2][3], [1] and x[1]",
    "## B ##\ntext": "B text",
    "# C#\n# **D** #  \n# ##\n# \\#\n# #e": "C# D # #e",
    "a\n-\nb": "a b",
    "a\n\n-\n\nb": "a - b",
    "<td>\n-\n</td>": " | - ",
    "exam\u00ad\nple, exam\u00ad \r\nple, exam&shy;\nple": "example, example, example",
    "exam\u00ad\n\nple \u00ad\n- 5": "exam ple 5",
    "\n\u00ad": " ",
}


@pytest.mark.parametrize("markdown", SEEN)
def test_what_is_seen(markdown: str) -> None:
    assert view(markdown).text == SEEN[markdown]


@pytest.mark.parametrize(
    "markdown",
    [
        "<!-- secret -->",
        "<!-- secret",
        "<script>secret</script>",
        "<style>secret",
        "<title>secret</title>",
        "[a](secret)",
        "<a href='secret'>a</a>",
        "<img alt='secret'>",
        "[x]: http://secret",
    ],
)
def test_hidden_text_is_not_seen(markdown: str) -> None:
    assert "secret" not in view(f"before\n\n{markdown}").text + view(markdown).text


MARKED = {
    "# Head *it* `x`\ntext": [("italic", "it"), ("heading", "Head it x")],
    "Two words\n===": [("heading", "Two words")],
    "Two words\n-\nthree\n=": [("heading", "Two words"), ("heading", "three")],
    "- item\n-\n- item\n---": [],
    "<td>a\n-\n</td>": [],
    "<b>a</b>\n---": [("bold", "a"), ("heading", "a")],
    "## B ##": [("heading", "B")],
    "a ` b\n\n# Head\n\n**c** ` d": [("heading", "Head"), ("bold", "c")],
    "> ## Quoted": [("heading", "Quoted")],
    "<h2 class='a'>Head</h2>": [("heading", "Head")],
    "**one** between **two**": [("bold", "one"), ("bold", "two")],
    "***x***": [("bold", "x"), ("italic", "x")],
    "<EM>x</EM> <strong>y</strong>": [("italic", "x"), ("bold", "y")],
    "<br>x</b> <img>y</i>": [],
    "* buy milk\n* buy bread": [],
    "snake_case_name": [],
    "```\n# comment **x**\n```": [],
    "#hashtag": [],
    "*a\n\nb*": [],
}


@pytest.mark.parametrize("markdown", MARKED)
def test_marks(markdown: str) -> None:
    seen = view(markdown)
    assert [(mark.kind, seen.text[mark.start : mark.end].strip()) for mark in seen.marks] == MARKED[markdown]


PIECES = [
    "*",
    "**",
    "_",
    "`",
    "```\n",
    "\n",
    " ",
    "# ",
    "> ",
    "|",
    "---",
    "<b>",
    "</b>",
    "<td>",
    "<!--",
    "-->",
]
PIECES += [
    "&lt;",
    "[",
    "](u)",
    "![",
    "\\",
    "$",
    "x",
    "é",
    "²",
    "±",
    "=",
    "\\(",
    "\\)",
    "\u00ad",
    "-",
    "<",
    "[1]",
    "[1]: /",
    " #",
    "<table>",
    "[^1]",
    "~~",
]
MARKDOWN = st.lists(st.sampled_from([*PIECES, "\u200b", "5"]), max_size=40).map("".join) | st.text(
    max_size=60
)


@given(MARKDOWN)
def test_any_text_has_a_view(markdown: str) -> None:
    seen = view(markdown)
    assert "  " not in seen.text
    assert "\n" not in seen.text
    for mark in seen.marks:
        assert 0 <= mark.start <= mark.end <= len(seen.text)
    for at in range(len(seen.text)):
        start, end = seen.span(at, at + 1)
        assert 0 <= start <= end


@given(st.lists(st.sampled_from(["alpha", "beta", "gamma"]), min_size=1, max_size=8), st.integers(0, 7))
def test_a_span_leads_back_to_the_markdown(words: list[str], which: int) -> None:
    markdown = "# " + " **and**\n".join(words)
    word = words[which % len(words)]
    seen = view(markdown)
    at = seen.text.index(word)
    start, end = seen.span(at, at + len(word))
    assert markdown[start:end] == word


@pytest.mark.parametrize(
    ("latex", "plain"),
    [
        ("95.2", "95.2"),
        ("4.1 \\pm 0.2", "4.1±0.2"),
        ("p < 0.05", "p<0.05"),
        ("10^{-3}", "10^-3"),
        ("25\\,\\mathrm{kg}", "25 kg"),
        ("90^\\circ", "90°"),
        ("12\\%", "12%"),
        ("1{,}136", "1,136"),
        ("n=3+4", "n=3 + 4"),
        ("x^{2}+(a + b)", "x^2 + (a + b)"),
        ("\\mathrm{Ca}^{2+}", "Ca^2+"),
        ("a-b", "a-b"),
        ("a - b", "a - b"),
        ("x \\to 0", "x → 0"),
        ("x\\in A", "x ∈ A"),
        ("5\\,\\mu\\text{m}", "5 μm"),
        ("\\frac{a}{b}", None),
        ("\\sqrt{2}", None),
        ("5 per kg", None),
    ],
)
def test_simple_formulas(latex: str, plain: str | None) -> None:
    assert plain_formula(latex) == plain


@given(st.text("ab1 .,:;()%/?'\"-", max_size=12) | MARKDOWN)
def test_the_short_way_of_plain_texts_is_the_view(text: str) -> None:
    assert plain(text) == (view(text).text.strip() or " ".join(text.split()))


@given(st.lists(st.text("abcXYZ019", min_size=1, max_size=6), max_size=12).map(" ".join))
def test_the_view_of_words_is_themselves_and_so_is_their_normal_form(words: str) -> None:
    assert view(words).text == words
    assert normal_form(words) == words


@given(MARKDOWN)
def test_the_view_of_a_text_without_marks_is_its_own_view(markdown: str) -> None:
    # Not so for every text: `\\*` is seen as `*`, and `&amp;lt;` as `&lt;`, which have a meaning of their own.
    seen = "".join(c for c in view(markdown).text if c.isalnum() or c == " ")
    once = view(seen).text
    assert view(once).text == once


@given(st.text(max_size=60) | MARKDOWN)
def test_the_normal_form_settles(text: str) -> None:
    # Once is not enough: taking out a pair can make another (`*_*_` keeps `__`), but each round that changes a
    # text makes it shorter, so rounds end, and a text without marks is left as it is.
    rounds = [normal_form(text)]
    while len(rounds) < 2 or rounds[-1] != rounds[-2]:
        rounds.append(normal_form(rounds[-1]))
        assert len(rounds[-1]) < len(rounds[-2]) or rounds[-1] == rounds[-2]
    unmarked = "".join(c for c in rounds[0] if c not in "*_<>")
    assert normal_form(unmarked).count(" ") <= unmarked.count(" ")
    assert normal_form(normal_form(unmarked)) == normal_form(unmarked)
