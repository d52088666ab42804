"""HTML tables as olmOCR-bench reads them: what is not closed is not closed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptorium.bench.rules import OLMOCR, judge
from scriptorium.bench.text.tables import olmocr_html_tables

CELLS = {
    "<table><tr><td>1</td><td>2</td></tr></table>": [["1", "2"]],
    "<table><tr><td>1<td>2": [["12"]],
    "<table><tr><td>1</td><tr><td>2</td></table>": [["1", "2"]],
    "<table><tr><td>a<br>b</td></tr></table>": [["a\nb"]],
    "<table><tr><td>a</br>b</td></tr></table>": [["ab"]],
    "<table><tr><td>a &amp; b&nbsp;&foo; &#65;</td></tr></table>": [["a & b\xa0&foo A"]],
    "<table><tr><td>a<script>b</script></td></tr></table>": [["a"]],
    "<table><tr><td>x<table><tr><td>y</td></tr></table></td></tr></table>": [["xy", "y"], ["y"]],
    "<table><tr><td>p-value</": [["p-value</"]],
    "<tr><td>no table</td></tr>": [],
}


@pytest.mark.parametrize("text", CELLS)
def test_cells(text: str) -> None:
    assert [[cell.text for cell in table.cells] for table in olmocr_html_tables(text)] == CELLS[text]


@given(
    st.lists(
        st.sampled_from(["<table>", "<tr>", "<td>", "</td>", "</tr>", "</table>", "a", "<th", "&", "<!"])
    )
)
def test_any_text_is_read(pieces: list[str]) -> None:
    text = "".join(pieces)
    for table in olmocr_html_tables(text):
        for cell in table.cells:
            assert cell.origin is not None
            assert text[cell.origin[0]] == "<"
            assert cell.origin[0] < cell.origin[1] <= len(text)


def test_evidence_is_the_cell() -> None:
    text = "Rain:\n<table><tr><td>1</td><td class=x>2</td></tr></table>"
    verdict = judge({"type": "table", "cell": "2", "left": "1"}, text, OLMOCR)
    assert verdict.passed
    assert verdict.evidence is not None
    assert text[slice(*verdict.evidence)] == "<td class=x>2</td>"
