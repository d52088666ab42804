"""What goes on over a page break."""

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptorium.convert.outputs.joins import Change, join


def joined(*texts: str) -> tuple[list[str], list[tuple[int, str, str]]]:
    found, changes = join(list(texts), list(range(1, len(texts) + 1)))
    return found, [(change.page, change.kind, change.lost) for change in changes]


def test_a_paragraph_goes_on_where_it_began() -> None:
    found, changes = joined("One.\n\nThe fox", "jumps over\nthe dog.\n\nTwo.")
    assert found == ["One.\n\nThe fox jumps over\nthe dog.", "Two."]
    assert changes == [(2, "paragraph", "")]


def test_a_paragraph_may_go_on_over_several_pages() -> None:
    assert joined("The fox", "jumps over", "the dog.\n\nEnd.")[0] == [
        "The fox jumps over the dog.",
        "",
        "End.",
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("It ends here.", "and yet it goes on"),
        ('"It ends here."', "and"),
        ("It goes on", "In capitals"),
        ("# A heading", "and text"),
        ("- an item", "and text"),
        ("text\n- an item", "and text"),
        ("[^1]: a note", "and text"),
        ("| a |\n|---|\n| b |", "and text"),
        ("<table><tr><td>x</td></tr></table>", "and text"),
        ("It is", "- an item"),
        ("```\ncode\n\ncode", "code\n```"),
        ("$$\na\n\nb$$", "and text"),
        ("It is", ""),
        ("Pages 3 –-", "and text"),
    ],
)
def test_nothing_else_is_joined(before: str, after: str) -> None:
    assert joined(before, after) == ([before, after], [])


def test_a_page_without_text_parts_what_is_around_it() -> None:
    assert joined("The fox", "", "jumps")[1] == []


@pytest.mark.parametrize(
    ("before", "after", "whole", "lost"),
    [
        ("An exam-", "ple of it.", "An example of it.", "-"),
        ("An exam\u00ad", "ple of it.", "An example of it.", "\u00ad"),
        ("An exam\u2010", "ple.", "An example.", "\u2010"),
        ("A well-known man. A well-", "known man.", "A well-known man. A well-known man.", ""),
        ("It is state-of-", "the art.", "It is state-of-the art.", ""),
        ("A cooperation. The co-", "operation.", "A cooperation. The cooperation.", "-"),
    ],
)
def test_a_hyphen_goes_unless_the_document_writes_the_word_with_it(
    before: str, after: str, whole: str, lost: str
) -> None:
    found, changes = joined(before, after)
    assert (found, changes) == ([whole, ""], [(2, "hyphen", lost)])


HEAD = "| a | b |\n|---|---|"


def test_a_table_goes_on_under_the_same_head() -> None:
    found, changes = joined(f"T\n\n{HEAD}\n| 1 | 2 |", "|a|b|\n|:--|---|\n| 3 | 4 |\n\nEnd.")
    assert found == [f"T\n\n{HEAD}\n| 1 | 2 |\n| 3 | 4 |", "End."]
    assert changes == [(2, "table", "|a|b|\n|:--|---|")]
    other = [f"{HEAD}\n| 1 | 2 |", "| a | c |\n|---|---|\n| 3 | 4 |"]
    assert joined(*other) == (other, [])


def test_an_html_table_goes_on_under_the_same_head() -> None:
    one = "<table><thead><tr><th>a</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table>"
    two = "<table>\n<tr><th>a</th></tr>\n<tr><td>2</td></tr>\n</table>\n\nEnd."
    found, changes = joined(one, two)
    assert found[0] == one.replace("</tbody>", "\n<tr><td>2</td></tr></tbody>")
    assert found[1] == "End."
    assert [(page, kind) for page, kind, _ in changes] == [(2, "table")]
    for other in (
        two.replace("<th>a", "<th>b"),
        two.replace("th>", "td>"),
        two.replace("<tr>", "<caption>c</caption><tr>", 1),
    ):
        assert joined(one, other)[1] == []


def test_running_heads_and_page_numbers_go_but_the_first_head() -> None:
    pages = [f"{n + 6}\n\nA book, p. {n}\n\nText {'abc'[n - 1]}.\n\nfoot" for n in (1, 2, 3)]
    found, changes = joined(*pages)
    assert found == ["A book, p. 1\n\nText a.\n\nfoot", "Text b.", "Text c."]
    assert Counter(kind for _, kind, _ in changes) == {"running": 7}


@pytest.mark.parametrize(
    "pages",
    [
        ["Same.", "Same.", "Same."],
        ["# Same\n\na.", "# Same\n\nb.", "# Same\n\nc."],
        ["Same\n\na.", "Same\n\nb.", "Other\n\nc."],
        ["Vol. 3\n\na.", "Vol. 9\n\nb.", "Vol. 1\n\nc."],
        ["***\n\na.", "* * *\n\nb.", "***\n\nc."],
    ],
)
def test_lines_that_do_not_run_stay(pages: list[str]) -> None:
    assert joined(*pages) == (pages, [])


PLAIN = [
    "The fox",
    "jumps-",
    "over it.",
    "x",
    "Head",
    "7",
    "# T",
    "- i",
    "```",
    "word\u00ad",
    "co-op",
    "é-",
    "$$x$$",
]
TABLES = [HEAD, f"{HEAD}\n| 1 | 2 |", "<table><tr><th>a</th></tr></table>"]
TABLES += ["<table><tr><th>a</th></tr><tr><td>1</td></tr></table>"]
BLOCKS = st.sampled_from(PLAIN + TABLES) | st.text(alphabet="aB -\n.|<>0#", max_size=12).map(str.strip)
PAGES = st.lists(st.lists(BLOCKS, max_size=4).map(lambda blocks: "\n\n".join(blocks).strip()), max_size=6)


def letters(texts: list[str]) -> Counter[str]:
    return Counter(re.sub(r"\s", "", "".join(texts)))


@given(PAGES)
def test_nothing_is_lost_but_what_is_said(pages: list[str]) -> None:
    found, changes = join(pages, list(range(1, len(pages) + 1)))
    assert len(found) == len(pages)
    assert letters(found) + letters([change.lost for change in changes]) == letters(pages)
    if not changes:
        assert found == pages


@given(PAGES)
def test_the_order_of_what_stays_is_kept(pages: list[str]) -> None:
    found, changes = join(pages, list(range(1, len(pages) + 1)))
    if all(isinstance(change, Change) and not change.lost for change in changes):
        assert "".join("".join(found).split()) == "".join("".join(pages).split())
