"""Figures as SVG without text, each with the alt text that tells what it shows."""

import random

INKS = ("#1f4e79", "#7b2d26", "#2f6b3a", "#5b4a8a", "#444444", "#b0651d")


def chart(rng: random.Random, width: float, height: float) -> tuple[str, str]:
    """A drawing (SVG, `width` x `height`) and its alt text."""
    draw, name = rng.choice(
        ((_bars, "Bar chart"), (_curve, "Line chart"), (_points, "Scatter plot"), (_blocks, "Diagram"))
    )
    shapes, what = draw(rng, width, height)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
    # All but invisible: by it the place of the figure is found on the drawn page.
    ground = f'<rect width="{width}" height="{height}" fill="#ffffff" fill-opacity="0.02"/>'
    return f"{head}{ground}{shapes}</svg>", f"{name} {what}"


def _axes(width: float, height: float) -> str:
    return f'<path d="M20 6V{height - 14}H{width - 6}" fill="none" stroke="#222" stroke-width="1.2"/>'


def _bars(rng: random.Random, width: float, height: float) -> tuple[str, str]:
    count, ink = rng.randint(4, 9), rng.choice(INKS)
    step = (width - 34) / count
    shapes = [_axes(width, height)]
    for number in range(count):
        tall = round(rng.uniform(0.15, 0.95) * (height - 24), 1)
        x, y = round(24 + number * step, 1), round(height - 14 - tall, 1)
        shapes.append(f'<rect x="{x}" y="{y}" width="{step * 0.7:.1f}" height="{tall}" fill="{ink}"/>')
    return "".join(shapes), f"with {count} bars"


def _curve(rng: random.Random, width: float, height: float) -> tuple[str, str]:
    count, shapes = rng.randint(1, 3), [_axes(width, height)]
    for ink in rng.sample(INKS, count):
        level, points = rng.uniform(0.3, 0.7), []
        for step in range(13):
            level = min(0.95, max(0.05, level + rng.uniform(-0.16, 0.16)))
            points.append(f"{22 + step * (width - 34) / 12:.1f} {14 + level * (height - 34):.1f}")
        shapes.append(f'<path d="M{"L".join(points)}" fill="none" stroke="{ink}" stroke-width="1.6"/>')
    return "".join(shapes), f"with {count} {'curve' if count == 1 else 'curves'}"


def _points(rng: random.Random, width: float, height: float) -> tuple[str, str]:
    shapes, ink, slope = [_axes(width, height)], rng.choice(INKS), rng.choice((1, -1))
    for _ in range(rng.randint(25, 60)):
        x = rng.random()
        y = min(0.97, max(0.03, 0.5 - slope * (x - 0.5) * 0.8 + rng.gauss(0, 0.1)))
        shapes.append(
            f'<circle cx="{24 + x * (width - 36):.1f}" cy="{8 + y * (height - 28):.1f}" r="2" fill="{ink}"/>'
        )
    return "".join(shapes), f"of points that {'rise' if slope > 0 else 'fall'} to the right"


def _blocks(rng: random.Random, width: float, height: float) -> tuple[str, str]:
    count, ink = rng.randint(3, 5), rng.choice(INKS)
    step, tall = (width - 10) / count, height * 0.4
    shapes, y = [], height * 0.3
    for number in range(count):
        x = 5 + number * step
        shapes.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{step * 0.7:.1f}" height="{tall:.1f}" rx="5" fill="{ink}" '
            f'fill-opacity="0.2" stroke="{ink}"/>'
        )
        if number < count - 1:
            start, middle = x + step * 0.7, y + tall / 2
            way = f"M{start:.1f} {middle:.1f}H{start + step * 0.28:.1f}m-5 -3l5 3l-5 3"
            shapes.append(f'<path d="{way}" fill="none" stroke="#222"/>')
    return "".join(shapes), f"of {count} boxes joined by arrows"
