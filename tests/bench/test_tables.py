"""Grids and relations."""

from hypothesis import given
from hypothesis import strategies as st

from scriptorium.bench.tables import MAX_PLACES, Cell, Table, lay_out

SPANS = st.builds(Cell, text=st.just("x"), rows=st.integers(0, 4), columns=st.integers(1, 3))


def free(_: int) -> None:
    """Any number of steps."""


def names(table: Table, cells: list[int] | tuple[int, ...]) -> list[str]:
    return [table.cells[cell].text for cell in cells]


def test_spans_and_headings() -> None:
    table = lay_out(
        [
            [Cell("City", True, rows=2), Cell("Rain", True, columns=2)],
            [Cell("May", True), Cell("June", True)],
            [Cell("Oslo"), Cell("53"), Cell("68")],
        ]
    )
    assert table is not None
    at = {cell.text: number for number, cell in enumerate(table.cells)}
    assert names(table, table.near(at["Rain"], "down", free)) == ["May", "June"]
    assert names(table, table.near(at["City"], "right", free)) == ["Rain", "May"]
    assert names(table, table.near(at["53"], "up", free)) == ["May"]
    assert sorted(names(table, table.related(at["68"], "top_heading", free))) == ["June", "Rain"]
    assert names(table, table.related(at["68"], "left_heading", free)) == ["Oslo"]


def test_too_large_a_table_is_not_read() -> None:
    assert lay_out([[Cell("x", rows=1000, columns=MAX_PLACES // 1000 + 1)]]) is None
    assert lay_out([]) is None


@given(st.lists(st.lists(SPANS, max_size=4), max_size=5))
def test_every_cell_has_its_corner(rows: list[list[Cell]]) -> None:
    table = lay_out(rows)
    if table is None:
        assert not any(rows)
        return
    assert len(table.cells) == sum(len(row) for row in rows)
    for number, (top, left, bottom, right) in enumerate(table.boxes):
        assert table.places[top][left] == number
        assert bottom < len(table.places)
        assert right < table.width
        for side in ("up", "down", "left", "right"):
            assert number not in table.near(number, side, free)
