"""A table as a grid: which cell covers which place, once spans are laid out."""

from dataclasses import dataclass

from scriptorium.synth.document import Cell, Table

SIDES = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}


@dataclass(frozen=True)
class Grid:
    """`places`: (row, column) to the cell that covers it and where that cell begins."""

    places: dict[tuple[int, int], tuple[Cell, tuple[int, int]]]
    height: int
    width: int

    def cell(self, row: int, column: int) -> Cell:
        """The cell that covers a place."""
        return self.places[row, column][0]

    def text(self, row: int, column: int) -> str:
        """The text of the cell that covers a place."""
        return self.cell(row, column).text

    def origins(self) -> list[tuple[int, int]]:
        """Where cells begin."""
        return [place for place, (_, origin) in self.places.items() if place == origin]

    def row(self, row: int) -> list[str]:
        """The texts of a row up to the first empty cell, a cell that spans taken once."""
        found = dict.fromkeys(self.places[row, column][1] for column in range(self.width))
        texts = [self.text(*origin) for origin in found]
        return texts[: texts.index("")] if "" in texts else texts

    def neighbours(self, row: int, column: int) -> dict[str, str]:
        """The texts beside a cell that covers one place, by side; blank ones and spanning ones left out."""
        found = {}
        for side, (down, right) in SIDES.items():
            place = (row + down, column + right)
            cell, _ = self.places.get(place, (Cell(), place))
            if cell.text and cell.columns == cell.rows == 1 and self.cell(row, column).columns == 1:
                found[side] = cell.text
        return found

    def heading(self, row: int, column: int) -> str:
        """The nearest heading above a cell, or nothing."""
        above = [self.cell(r, column) for r in range(row)]
        heads = [cell.text for cell in above if cell.header and cell.text]
        return heads[-1] if heads and self.cell(row, column).columns == 1 else ""


def grid_of(table: Table) -> Grid:
    """The grid of a table. Raises ValueError if its rows do not fill a rectangle."""
    places: dict[tuple[int, int], tuple[Cell, tuple[int, int]]] = {}
    for row, cells in enumerate(table.rows):
        column = 0
        for cell in cells:
            while (row, column) in places:
                column += 1
            for down in range(cell.rows):
                for right in range(cell.columns):
                    places[row + down, column + right] = (cell, (row, column))
            column += cell.columns
    height = len(table.rows)
    if set(places) != {(r, c) for r in range(height) for c in range(table.widths)}:
        raise ValueError(f"the rows of the table do not fill {height} x {table.widths} places")
    return Grid(places, height, table.widths)
