"""Charts as SVG by hand: their colours are the page's, so they follow light and dark."""

import math
from dataclasses import dataclass

from markupsafe import Markup, escape

Point = tuple[float, float]
MOST_POINTS = 400
WIDTH, HEIGHT = 360, 210
LEFT, RIGHT, TOP, BOTTOM = 40, 18, 14, 34
COLOURS = 6


@dataclass(frozen=True)
class Series:
    """A line: its name, and its points in order."""

    name: str
    points: list[Point]


@dataclass(frozen=True)
class Interval:
    """A value with its interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.1f} ({self.low:.1f} to {self.high:.1f})"


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """At most `most` + 1 round numbers from `low` to `high`, at steps of 1, 2 or 5 times a power of ten."""
    span = high - low
    if span <= 0:
        return [low]
    power = 10.0 ** math.floor(math.log10(span / most))
    step = next(power * factor for factor in (1, 2, 5, 10, 20) if span / (power * factor) <= most)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(k * step, 10) for k in range(first, last + 1)]


def label(value: float) -> str:
    """A number for an axis: no more digits than it needs."""
    text = f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.4g}"
    return text.replace("-", "−")


@dataclass(frozen=True)
class Frame:
    """The part of a chart that data are drawn in: its ranges, and where they lie on the paper."""

    x0: float
    x1: float
    y0: float
    y1: float

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the data lies, in px."""
        across = LEFT + (x - self.x0) / (self.x1 - self.x0) * (WIDTH - LEFT - RIGHT)
        down = HEIGHT - BOTTOM - (y - self.y0) / (self.y1 - self.y0) * (HEIGHT - BOTTOM - TOP)
        return round(across, 1), round(down, 1)

    def path(self, points: list[Point]) -> str:
        """Points of the data as SVG wants them."""
        return " ".join(f"{x:g},{y:g}" for x, y in (self.at(*point) for point in points))


def frame(series: list[Series], y_from: float | None, y_to: float | None) -> Frame:
    """A frame that holds all of `series` and, where given, reaches to `y_from` and `y_to`."""
    xs = [x for one in series for x, _ in one.points]
    ys = [y for one in series for _, y in one.points]
    low = min([*ys, *([] if y_from is None else [y_from])])
    high = max([*ys, *([] if y_to is None else [y_to])])
    return Frame(min(xs), max(max(xs), min(xs) + 1), low, high if high > low else low + 1)


def line_chart(
    series: list[Series],
    y_from: float | None = 0.0,
    y_to: float | None = None,
    marks: list[tuple[float, str]] | None = None,
) -> Markup:
    """Lines over steps, with labelled vertical lines at `marks`. Empty where there is nothing to draw."""
    drawn = [thin(one) for one in series if one.points]
    if not drawn:
        return Markup("")
    box = frame(drawn, y_from, y_to)
    parts = _axes(box)
    for x, note in marks or []:
        (across, low), (_, high) = box.at(x, box.y0), box.at(x, box.y1)
        parts += [_line("mark", across, low, across, high), _text("note", across + 3, high + 9, note)]
    for number, one in enumerate(drawn):
        kind = f"line s{number % COLOURS + 1}"
        parts.append(f'<polyline class="{kind}" points="{box.path(one.points)}"/>')
    return _svg(WIDTH, HEIGHT, parts, ", ".join(one.name for one in drawn))


def _axes(box: Frame) -> list[str]:
    parts = []
    for value in ticks(box.y0, box.y1):
        (left, down), (right, _) = box.at(box.x0, value), box.at(box.x1, value)
        parts.append(_line("grid", left, down, right, down))
        parts.append(_text("tick", LEFT - 7, down + 4, label(value), "end"))
    for value in ticks(box.x0, box.x1):
        across, down = box.at(value, box.y0)
        parts.append(_text("tick", across, down + 16, label(value), "middle"))
    return [*parts, _text("tick", (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 2, "step", "middle")]


def thin(series: Series) -> Series:
    """The series with no more than `MOST_POINTS` points: evenly spaced ones, and the last."""
    step = math.ceil(len(series.points) / MOST_POINTS)
    if step <= 1:
        return series
    kept = sorted({*range(0, len(series.points), step), len(series.points) - 1})
    return Series(series.name, [series.points[i] for i in kept])


def interval_chart(
    rows: list[tuple[str, list[Interval | None]]], low: float, high: float, zero: bool = False
) -> Markup:
    """A line of dots with whiskers for each row, one dot a column; `zero` draws a line at zero."""
    if not rows:
        return Markup("")
    columns = max(len(cells) for _, cells in rows)
    left, width, pitch = 150, 1080, 14 * columns + 12
    height = pitch * len(rows) + 30

    def across(value: float) -> float:
        return left + (min(max(value, low), high) - low) / (high - low) * (width - left - 20)

    parts = []
    for value in ticks(low, high, 10):
        parts.append(_line("grid", across(value), 4, across(value), height - 24))
        parts.append(_text("tick", across(value), height - 8, label(value), "middle"))
    if zero:
        parts.append(_line("zero", across(0), 4, across(0), height - 24))
    for number, (name, cells) in enumerate(rows):
        middle = 4 + (number + 0.5) * pitch
        parts.append(_text("name", left - 12, middle + 4, name, "end"))
        for column, cell in enumerate(cells):
            if cell is not None:
                y, colour = middle + (column - (len(cells) - 1) / 2) * 14, f"s{column % COLOURS + 1}"
                parts.append(_line(f"whisker {colour}", across(cell.low), y, across(cell.high), y))
                parts.append(_dot(colour, across(cell.value), y, f"{name}: {cell}"))
    return _svg(width, height, parts, "values with intervals", "intervals")


def _svg(width: float, height: float, parts: list[str], what: str, kind: str = "lines") -> Markup:
    size = f'viewBox="0 0 {width:g} {height:g}" style="max-width:{width:g}px"'
    return Markup(f'<svg class="{kind}" {size} role="img" aria-label="{escape(what)}">{"".join(parts)}</svg>')


def _line(kind: str, x0: float, y0: float, x1: float, y1: float) -> str:
    return f'<line class="{kind}" x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}"/>'


def _text(kind: str, x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _dot(colour: str, x: float, y: float, title: str) -> str:
    place = f'cx="{x:.1f}" cy="{y:.1f}" r="4.5"'
    return f'<circle class="dot {colour}" {place}><title>{escape(title)}</title></circle>'
