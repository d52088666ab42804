"""Grids and relations."""

from hypothesis import given
from hypothesis import strategies as st

from scriptorium.bench.text.tables import MAX_PLACES, Cell, Table, lay_out

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


@given(st.lists(st.lists(SPANS, max_size=4), max_size=5))
def test_the_grid_is_within_its_bounds(rows: list[list[Cell]]) -> None:
    table = lay_out(rows)
    if table is None:
        return
    for places in table.places:
        assert all(0 <= column < table.width for column in places)
        assert all(0 <= number < len(table.cells) for number in places.values())
    assert table.width == max(max(places, default=-1) + 1 for places in table.places)
    assert len(table.places) >= len(rows)


@given(st.integers(1, 5), st.integers(1, 5))
def test_without_spans_the_grid_is_the_rows(height: int, width: int) -> None:
    table = lay_out([[Cell(f"{row},{column}") for column in range(width)] for row in range(height)])
    assert table is not None
    assert table.width == width
    for row in range(height):
        for column in range(width):
            number = table.places[row][column]
            assert table.cells[number].text == f"{row},{column}"
            right = table.near(number, "right", free)
            assert names(table, right) == ([f"{row},{column + 1}"] if column + 1 < width else [])


@given(st.lists(st.lists(st.builds(Cell, text=st.just("x")), max_size=4), max_size=5))
def test_sides_are_symmetric_where_nothing_spans(rows: list[list[Cell]]) -> None:
    table = lay_out(rows)
    for number in range(len(table.cells) if table else 0):
        for side, back in (("right", "left"), ("down", "up")):
            for other in table.near(number, side, free):
                assert number in table.near(other, back, free)


@given(st.lists(st.lists(SPANS, max_size=4), max_size=5), st.integers(0, 3), st.integers(0, 3))
def test_a_side_is_symmetric_between_cells_that_span_nothing(
    rows: list[list[Cell]], row: int, column: int
) -> None:
    table = lay_out(rows)
    if table is None or row >= len(table.places) or column not in table.places[row]:
        return
    number = table.places[row][column]
    for other in table.near(number, "right", free):
        tops = {table.boxes[number][0], table.boxes[number][2], table.boxes[other][0], table.boxes[other][2]}
        if len(tops) == 1:
            assert number in table.near(other, "left", free)
