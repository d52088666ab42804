"""The report's parts: charts, places in the lineage, marked differences, numbers in words."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from scriptorium.report.charts import MOST_POINTS, Interval, Series, interval_chart, line_chart, thin, ticks
from scriptorium.report.html import duration, signed, size
from scriptorium.report.lineage import places
from scriptorium.report.samples import body, mark_differences, tables

words = st.text(alphabet="ab <>&\n", max_size=40)
numbers = st.floats(-1e9, 1e9, allow_nan=False, width=32)


@given(words, words)
def test_marked_differences_hold_both_texts(truth: str, text: str) -> None:
    page = html.fragment_fromstring(f"<pre>|{mark_differences(truth, text)}</pre>")
    assert "".join(page.xpath(".//text()[not(parent::del)]")) == "|" + text
    assert "".join(page.xpath(".//text()[not(parent::ins)]")) == "|" + truth
    assert {one.tag for one in page.iter()} <= {"pre", "ins", "del"}


def test_a_wrong_word_is_marked_and_no_other() -> None:
    assert mark_differences("the cat sat", "the dog sat") == "the <del>cat</del><ins>dog</ins> sat"
    assert mark_differences("a < b", "a < b") == "a &lt; b"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("<table><tr><td>1</td></tr></table>", "<td>1</td>"),
        ("<TABLE onclick=x><tr><td style='a'><script>1</script>2</td></tr></TABLE>", "<td>2</td>"),
        ('<table><tr><th colspan="2"><img src=x>3</th></tr></table>', '<th colspan="2">3</th>'),
        ('<table><tr><td><a href="https://example.org">4</a></td></tr></table>', "<td>4</td>"),
    ],
)
def test_tables_keep_their_cells_and_nothing_that_acts(text: str, clean: str) -> None:
    (found,) = tables(f"before {text} after")
    assert clean in found
    assert not re.search(r"script|onclick|style|img|href", found)


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ("---\nprimary_language: en\n---\nText\n---\nmore", "Text\n---\nmore"),
        ("---\nprimary_language: null\n---", ""),
        ("No front matter", "No front matter"),
        ("---\nnever closed", "---\nnever closed"),
    ],
)
def test_the_text_stands_behind_the_front_matter(document: str, text: str) -> None:
    assert body(document) == text


@given(numbers, numbers)
def test_ticks_are_few_even_and_inside(one: float, other: float) -> None:
    low, high = sorted((one, other))
    found = ticks(low, high)
    assert 1 <= len(found) <= 6 or high - low < 1e-6
    assert found == sorted(found)
    slack = (high - low) * 1e-6 + 1e-9
    assert all(low - slack <= tick <= high + slack for tick in found)


def test_a_chart_draws_its_points_in_its_frame() -> None:
    points = [(float(x), x * x / 10) for x in range(2000)]
    chart = html.fragment_fromstring(str(line_chart([Series("<loss>", points)])))
    drawn = [tuple(map(float, pair.split(","))) for pair in chart.xpath(".//polyline/@points")[0].split()]
    assert len(drawn) <= MOST_POINTS + 1
    assert all(0 <= x <= 360 and 0 <= y <= 210 for x, y in drawn)
    assert drawn == sorted(drawn) and drawn[0][1] > drawn[-1][1]
    assert chart.get("aria-label") == "<loss>"


def test_thinning_keeps_both_ends() -> None:
    kept = thin(Series("a", [(float(i), 0.0) for i in range(1001)])).points
    assert kept[0] == (0.0, 0.0) and kept[-1] == (1000.0, 0.0) and len(kept) <= MOST_POINTS + 1


@pytest.mark.parametrize("points", [[(5.0, 0.0)], [(1.0, 2.0), (2.0, 2.0)], [(1.0, -3.0), (9.0, -3.0)]])
def test_flat_lines_and_single_points_can_be_drawn(points: list[tuple[float, float]]) -> None:
    assert "nan" not in line_chart([Series("a", points)])
    assert line_chart([Series("a", [])]) == ""


def test_intervals_stand_where_their_values_are() -> None:
    rows = [("one", [Interval(0, 0, 0), None]), ("two", [Interval(100, 90, 100), Interval(50, 40, 60)])]
    chart = html.fragment_fromstring(str(interval_chart(rows, 0, 100)))
    left, right, middle = (float(x) for x in chart.xpath(".//circle/@cx"))
    assert middle == pytest.approx((left + right) / 2)
    assert len(chart.xpath(".//line[starts-with(@class, 'whisker')]")) == 3


@given(st.lists(st.sets(st.integers(0, 7), max_size=3), min_size=1, max_size=8))
def test_boxes_stand_right_of_their_parents_and_apart(edges: list[set[int]]) -> None:
    parents = {str(i): [str(j) for j in sorted(known) if j < i] for i, known in enumerate(edges)}
    where = places(parents)
    for name, known in parents.items():
        assert all(where[parent].column < where[name].column for parent in known)
    for name, place in where.items():
        assert place.row >= 0
        others = [where[one].row for one in where if one != name and where[one].column == place.column]
        assert all(abs(place.row - row) > 0.99 for row in others)


def test_seeds_stand_around_their_parent() -> None:
    where = places({"sft": [], "1": ["sft"], "2": ["sft"], "3": ["sft"], "soup": ["1", "2", "3"]})
    assert [where[name].row for name in ("1", "2", "3")] == [0, 1, 2]
    assert where["sft"].row == where["soup"].row == 1


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.44, "0.4 s"), (59.4, "59 s"), (200, "3 min 20 s"), (18_420, "5 h 7 min")]
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(("count", "words"), [(12, "12 bytes"), (812_550_000, "813 MB"), (4.2e9, "4.2 GB")])
def test_sizes_in_words(count: float, words: str) -> None:
    assert size(count) == words


def test_differences_bear_their_sign() -> None:
    assert (signed(1.25), signed(-0.44), signed(0)) == ("+1.2", "−0.4", "+0.0")
