"""The lineage of the models as a drawing: a box for each run with its score, data above it."""

from dataclasses import dataclass

from markupsafe import Markup, escape

from scriptorium.report.results import RunRecord, Split

BOX, GAP, PITCH, HEAD = (148, 58), 30, 108, 30
"""Box width and height, space between columns, distance of rows, room above a box for its data; px."""

NAMES = {
    "grpo": "reinforced",
    "sft": "fine-tuned",
    "soup": "averaged",
    "quantize": "quantised",
    "init": "fresh",
}
NAMES |= {
    "pretrain": "pretrained",
    "merge": "merged",
    "dpo": "preference-tuned",
    "external": "from elsewhere",
}
"""Methods in words."""


@dataclass(frozen=True)
class Place:
    """Where a box stands: its column, and the height of its middle in rows."""

    column: int
    row: float


def places(parents: dict[str, list[str]]) -> dict[str, Place]:
    """A place for every node: a column right of its parents, a row near theirs. Parents come first."""
    column: dict[str, int] = {}
    for name, known in parents.items():
        column[name] = max((column[parent] + 1 for parent in known), default=0)
    found: dict[str, Place] = {}
    for number in range(max(column.values(), default=-1) + 1):
        names = [name for name in parents if column[name] == number]
        wished = {name: _mean([found[parent].row for parent in parents[name]]) for name in names}
        names.sort(key=lambda name: wished[name])
        rows: list[float] = []
        for name in names:
            rows.append(max(wished[name], rows[-1] + 1) if rows else wished[name])
        shift = _mean([wished[name] - row for name, row in zip(names, rows, strict=True)])
        found |= {name: Place(number, row + shift) for name, row in zip(names, rows, strict=True)}
    lowest = min((place.row for place in found.values()), default=0.0)
    return {name: Place(found[name].column, found[name].row - lowest) for name in parents}


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def draw(splits: dict[str, Split], runs: dict[str, RunRecord], rules: str) -> Markup:
    """The drawing of `runs` (parents first) with overall scores by `rules`; `splits` tell the pages of data."""
    outside = [p for run in runs.values() for p in run.parents if p not in runs]
    parents: dict[str, list[str]] = {name: [] for name in dict.fromkeys(outside)}
    parents |= {name: run.parents for name, run in runs.items()}
    where = places(parents)
    width = max(place.column for place in where.values()) * (BOX[0] + GAP) + BOX[0] + 4
    height = max(place.row for place in where.values()) * PITCH + HEAD + BOX[1] + 4
    parts = [_arrow(where[parent], where[name]) for name, known in parents.items() for parent in known]
    for name, place in where.items():
        parts += _box(name, runs.get(name), place, rules)
        parts += _data(splits, runs[name], place) if name in runs else []
    head = f'<svg class="lineage" viewBox="-2 0 {width} {height:.0f}" style="max-width:{width}px" role="img"'
    return Markup(f'{head} aria-label="lineage of the models">{"".join(parts)}</svg>')


def _corner(place: Place) -> tuple[float, float]:
    return place.column * (BOX[0] + GAP), place.row * PITCH + HEAD


def _arrow(start: Place, end: Place) -> str:
    (x0, y0), (x1, y1) = _corner(start), _corner(end)
    x0, y0, y1 = x0 + BOX[0], y0 + BOX[1] / 2, y1 + BOX[1] / 2
    # A long arrow keeps to its own row until the last gap, so that it passes no box from behind.
    bend = x1 - GAP
    straight = f"M{x0:.0f},{y0:.1f} H{bend:.0f}" if bend > x0 else f"M{x0:.0f},{y0:.1f}"
    middle = x1 - GAP / 2
    curve = f"C{middle:.0f},{y0:.1f} {middle:.0f},{y1:.1f} {x1 - 6:.0f},{y1:.1f}"
    tip = f'<path class="tip" d="M{x1:.0f},{y1:.1f} l-7,-3.5 v7 z"/>'
    return f'<path class="arrow" d="{straight} {curve}"/>{tip}'


def _box(name: str, run: RunRecord | None, place: Place, rules: str) -> list[str]:
    x, y = _corner(place)
    method = run.method if run else "external"
    scores = run.score(rules) if run else None
    size = f'width="{BOX[0]}" height="{BOX[1]}" rx="7"'
    parts = [
        f'<g class="run {escape(method)}"><title>{escape(name)}</title><rect x="{x:.0f}" y="{y:.1f}" {size}/>',
        f'<text class="name" x="{x + 12:.0f}" y="{y + 22:.1f}">{escape(_short(name))}</text>',
        f'<text class="tick" x="{x + 12:.0f}" y="{y + 42:.1f}">{escape(NAMES.get(method, method))}</text>',
    ]
    if scores:
        right = f'x="{x + BOX[0] - 10:.0f}" y="{y + 44:.1f}" text-anchor="end"'
        parts.append(f'<text class="score" {right}>{scores["overall"]:.1f}</text>')
    return [*parts, "</g>"]


def _data(splits: dict[str, Split], run: RunRecord, place: Place) -> list[str]:
    """The data of a stage, as a label above its box."""
    labels = [f"{name} · {splits[name].kept:,} pages" if name in splits else name for name in run.data]
    if not labels:
        return []
    x, y = _corner(place)
    text = labels[0] if len(labels) == 1 else f"{labels[0]} and {len(labels) - 1} more"
    middle = x + BOX[0] / 2
    return [
        f'<path class="feed" d="M{middle:.0f},{y - 10:.1f} v8"/>',
        f'<text class="data" x="{middle:.0f}" y="{y - 14:.1f}" text-anchor="middle">{escape(text)}</text>',
    ]


def _short(name: str, most: int = 17) -> str:
    """A name that fits its box: of a path or a model on the hub the last part, without its revision."""
    last = name.rstrip("/").rpartition("/")[2].partition("@")[0]
    return last if len(last) <= most else f"{last[: most - 1]}…"
