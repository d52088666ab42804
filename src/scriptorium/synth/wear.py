"""What time, copiers and scanners do to a sheet: single operations, each a function of one random generator.

A sheet is float32, (H, W) or (H, W, 3), 1 for white paper and 0 for black ink. Strength runs from 0 (hardly
seen) to 1 (as bad as is still read). Numbers were set by looking at pages of 1288 px; lengths are shares of
the longest side, so that other sizes look alike.
"""

from collections.abc import Callable

import cv2
import numpy as np

Sheet = np.ndarray
Operation = Callable[[Sheet, np.random.Generator, float], Sheet]


def noise(shape: tuple[int, int], rng: np.random.Generator, cell: float, octaves: int = 3) -> np.ndarray:
    """Smooth noise (H, W) of mean 0, most of it within -1 to 1; its coarsest bumps are `cell` pixels wide."""
    height, width = shape
    coarse = max(1, int(cell / 2 ** (octaves + 1)))
    small = (max(2, width // coarse), max(2, height // coarse))
    total = np.zeros((small[1], small[0]), np.float32)
    for octave in range(octaves):
        size = cell / coarse / 2**octave
        grid = rng.standard_normal((int(small[1] / size) + 3, int(small[0] / size) + 3), np.float32)
        total += cv2.resize(grid, small, interpolation=cv2.INTER_CUBIC) * np.float32(0.6 / 2**octave)
    return cv2.resize(total, (width, height), interpolation=cv2.INTER_LINEAR)


def lay(sheet: Sheet, layer: np.ndarray) -> Sheet:
    """The sheet seen through a layer (H, W), (H, 1) or (1, W) that lets through its share of the light."""
    return sheet * (layer if sheet.ndim == 2 else layer[..., None])


def is_free(sheet: Sheet, left: float, top: float, right: float, bottom: float) -> bool:
    """Whether nothing is printed in a box, given in shares of the sides."""
    height, width = sheet.shape[:2]
    part = sheet[int(top * height) : int(bottom * height), int(left * width) : int(right * width)]
    return part.size > 0 and float(part.min()) > 0.7


# Ink


def spread(sheet: Sheet, rng: np.random.Generator, strength: float) -> Sheet:
    """Ink that ran in some places and did not take in others."""
    kernel = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    clouds = noise(sheet.shape[:2], rng, _length(sheet, 0.3), 2) * 0.45
    grains = noise(sheet.shape[:2], rng, 4, 1) * 0.35
    where = (clouds + grains + rng.uniform(-0.25, 0.4)) * strength
    thick, thin = cv2.erode(sheet, kernel), cv2.dilate(sheet, kernel)
    more, less = np.clip(where, 0, 0.7), np.clip(-where, 0, 0.4)
    return sheet + lay(thick - sheet, more) + lay(thin - sheet, less)


def fade(sheet: Sheet, rng: np.random.Generator, strength: float) -> Sheet:
    """Ink worn off in clouds and in grains."""
    clouds = noise(sheet.shape[:2], rng, _length(sheet, 0.2), 2)
    grains = noise(sheet.shape[:2], rng, 3, 1)
    lost = np.clip(0.12 + 0.25 * clouds + 0.25 * grains, 0, 0.8) * strength
    return 1 - lay(1 - sheet, 1 - lost)


def low_toner(sheet: Sheet, rng: np.random.Generator, strength: float) -> Sheet:
    """Pale bands along the way of the paper through a copier."""
    width = sheet.shape[1]
    bands = noise((1, width), rng, width / rng.uniform(3, 9), 2)
    return 1 - lay(1 - sheet, 1 - np.clip(bands, 0, 1) * (0.6 * strength))


# Paper


def paper(sheet: Sheet, rng: np.random.Generator, strength: float) -> Sheet:
    """Fibres and clouds of the paper, and its tone."""
    shape = sheet.shape[:2]
    fibres = noise(shape, rng, 4, 2) * 0.012 + noise(shape, rng, _length(sheet, 0.3), 2) * 0.03
    tone = 1 - rng.uniform(0.02, 0.16) * strength
    return lay(sheet, np.clip(tone + fibres * (0.3 + strength), 0, 1))


def foxing(sheet: Sheet, rng: np.random.Generator, strength: float) -> Sheet:
    """The small brown spots of old paper, and darker edges."""
    height, width = (side // 4 for side in sheet.shape[:2])
    spots = np.zeros((height, width), np.float32)
    for _ in range(int(rng.integers(5, 15 + int(60 * strength)))):
        at = (int(rng.integers(width)), int(rng.integers(height)))
        cv2.circle(spots, at, int(rng.integers(1, 5)), float(rng.uniform(0.05, 0.35) * strength), -1)
    spots = cv2.GaussianBlur(spots, (0, 0), 1.5)
    y, x = _axes(height, width)
    edge = np.maximum(np.abs(x), np.abs(y))
    wavy = edge + noise((height, width), rng, 40, 3) * 0.04
    spots += np.clip((wavy - 0.85) / 0.15, 0, 1) ** 2 * (0.35 * strength)
    return lay(sheet, _enlarged(1 - spots, sheet))


def stain(sheet: Sheet, rng: np.random.Generator, strength: float) -> Sheet:
    """What a cup or a drop of water left: a pale disc with a darker rim."""
    height, width = (side // 4 for side in sheet.shape[:2])
    y, x = _axes(height, width)
    y = y * (height / width)
    centre = rng.uniform(-1, 1, 2) * (1, height / width)
    radius = rng.uniform(0.12, 0.45)
    away = np.hypot(x - centre[0], y - centre[1]) / radius + noise((height, width), rng, 60, 3) * 0.06
    rim = np.exp(-(((away - 1) / rng.uniform(0.02, 0.06)) ** 2)) * rng.uniform(0.4, 1)
    disc = np.clip((1.02 - away) * 20, 0, 1) * rng.uniform(0.1, 0.6)
    layer = 1 - (rim + disc) * (0.28 * strength)
    return lay(sheet, _enlarged(layer.astype(np.float32), sheet))


def fold(sheet: Sheet, rng: np.random.Generator, strength: float) -> Sheet:
    """One or two creases: worn ink on the edge, light on one side and shade on the other."""
    for _ in range(int(rng.integers(1, 3))):
        across = rng.random() < 0.7
        long = sheet.shape[0 if across else 1]
        at = long * rng.choice((1 / 3, 1 / 2, 2 / 3)) + rng.normal(0, 0.01) * long
        away = (np.arange(long, dtype=np.float32) - at) / _length(sheet, 0.001)
        side = 1 if rng.random() < 0.5 else -1
        shade = np.sign(away) * np.exp(-np.abs(away) / 25) * (0.09 * side) - np.exp(-(away**2) / 2) * 0.12
        worn = np.exp(-(away**2) / 3) * rng.uniform(0.2, 0.7) * strength
        axis = (slice(None), None) if across else (None, slice(None))
        sheet = 1 - lay(1 - sheet, (1 - worn[axis]).astype(np.float32))
        sheet = lay(sheet, (1 + shade[axis] * strength).astype(np.float32))
    return np.minimum(sheet, 1)


def punch(sheet: Sheet, rng: np.random.Generator, strength: float) -> Sheet:
    """Two to four punched holes, dark as the lid behind, in a margin that is free."""
    height, width = sheet.shape[:2]
    side = 0.035 if rng.random() < 0.8 else 0.965
    if not is_free(sheet, side - 0.03, 0.1, side + 0.03, 0.9):
        return sheet
    count, gap = int(rng.choice((2, 2, 3, 4))), _length(sheet, 0.27)
    dark, radius = float(rng.uniform(0.05, 0.6)), int(_length(sheet, 0.0095))
    shadow = np.ones((height, width), np.float32)
    for hole in range(count):
        at = int(side * width), int(height / 2 + (hole - (count - 1) / 2) * min(gap, height * 0.7 / count))
        cv2.circle(shadow, at, radius, dark, -1, cv2.LINE_AA)
    return lay(sheet, cv2.GaussianBlur(shadow, (0, 0), 0.8))


def staple(sheet: Sheet, rng: np.random.Generator, strength: float) -> Sheet:
    """A staple in the corner, with its shadow."""
    if not is_free(sheet, 0.02, 0.015, 0.12, 0.06):
        return sheet
    height, width = sheet.shape[0], sheet.shape[1]
    start = np.array((rng.uniform(0.04, 0.06) * width, rng.uniform(0.025, 0.035) * height))
    angle = rng.uniform(-0.9, 0.2)
    end = start + _length(sheet, 0.028) * np.array((np.cos(angle), -np.sin(angle)))
    layer = np.ones((height, width), np.float32)
    lines = ((2, 2, 0.75, 3), (0, 0, 0.35, 2))
    for right, down, tone, thick in lines:
        shift = np.array((right, down))
        cv2.line(layer, _point(start + shift), _point(end + shift), tone, thick, cv2.LINE_AA)
    return lay(sheet, layer)


def pen(sheet: Sheet, rng: np.random.Generator, strength: float) -> Sheet:
    """A reader's marks beside the text: ticks, strokes and braces in a margin that is free."""
    height, width = sheet.shape[:2]
    layer = np.ones((height, width), np.float32)
    tone, thick = float(rng.uniform(0.25, 0.6)), int(rng.integers(1, 3))
    for _ in range(int(rng.integers(1, 4))):
        x, y = rng.choice((0.045, 0.955)), rng.uniform(0.1, 0.85)
        tall = rng.uniform(0.015, 0.08)
        if not is_free(sheet, x - 0.025, y - 0.01, x + 0.025, y + tall + 0.01):
            continue
        steps = np.linspace(0, 1, 24)
        bend = rng.normal(0, 0.006, 3)
        xs = x + bend[0] * np.sin(steps * 3) + bend[1] * np.sin(steps * 6 + bend[2] * 200)
        stroke = np.stack((xs * width, (y + steps * tall) * height), 1)
        if tall < 0.03:  # a tick
            stroke = (
                stroke[:8].tolist() + (stroke[7] + np.outer(steps, (0.018 * width, -0.02 * height))).tolist()
            )
        cv2.polylines(layer, [np.round(stroke).astype(np.int32)], False, tone, thick, cv2.LINE_AA)
    return lay(sheet, layer)


# Machine


def specks(sheet: Sheet, rng: np.random.Generator, strength: float) -> Sheet:
    """Dust and toner: dark specks, white ones where there is ink, now and then a hair."""
    height, width = sheet.shape[0], sheet.shape[1]
    layer = np.ones((height, width), np.float32)
    for tone, most in ((0.4, 150), (1.8, 60)):
        count = int(rng.integers(5, 10 + int(most * strength)))
        places = np.stack((rng.integers(0, width, count), rng.integers(0, height, count)), 1)
        sizes = rng.geometric(0.85, count) - 1
        for place, size in zip(places, sizes, strict=True):
            cv2.circle(layer, (int(place[0]), int(place[1])), min(int(size), 2), tone, -1)
    if rng.random() < 0.3 * strength:
        steps = np.linspace(0, 1, 30)[:, None]
        path = rng.uniform(0, (width, height)) + np.cumsum(rng.normal(0, 3, (30, 2)), 0) + steps * 30
        cv2.polylines(layer, [path.astype(np.int32)], False, 0.4, 1, cv2.LINE_AA)
    layer = cv2.GaussianBlur(layer, (0, 0), 0.6)
    return np.minimum(lay(sheet, layer) + lay(np.ones_like(sheet), np.maximum(layer - 1, 0) * 0.3), 1)


def streaks(sheet: Sheet, rng: np.random.Generator, strength: float) -> Sheet:
    """Fine lines down the page, from dirt on the glass of a sheet feeder."""
    width = sheet.shape[1]
    columns = np.ones((1, width), np.float32)
    for _ in range(int(rng.integers(1, 2 + int(4 * strength)))):
        at, wide = int(rng.integers(width)), int(rng.integers(1, 3))
        columns[:, at : at + wide] *= 1 - rng.uniform(0.05, 0.35) * strength
    return lay(sheet, columns)


def light(sheet: Sheet, rng: np.random.Generator, strength: float) -> Sheet:
    """Uneven light: a ramp, and darker corners."""
    y, x = _axes(32, 32)
    angle = rng.uniform(0, 2 * np.pi)
    ramp = (x * np.cos(angle) + y * np.sin(angle)) * rng.uniform(0.02, 0.10)
    corners = (x**2 + y**2) * rng.uniform(0.0, 0.07)
    return np.clip(lay(sheet, _enlarged((1 - strength * (ramp + corners)).astype(np.float32), sheet)), 0, 1)


def gutter(sheet: Sheet, rng: np.random.Generator, strength: float) -> Sheet:
    """The shadow where a bound page bends into the spine."""
    width = sheet.shape[1]
    away = np.arange(width, dtype=np.float32) / width
    if rng.random() < 0.5:
        away = away[::-1]
    return lay(sheet, (1 - np.exp(-away / rng.uniform(0.015, 0.045)) * (0.75 * strength))[None, :])


def shadow(sheet: Sheet, rng: np.random.Generator, strength: float) -> Sheet:
    """The soft shadow of whoever holds the camera."""
    y, x = _axes(64, 64)
    angle = rng.uniform(0, 2 * np.pi)
    edge = x * np.cos(angle) + y * np.sin(angle) + 0.25 * np.sin(x * 2 + angle) - rng.uniform(-0.4, 0.6)
    dark = 1 / (1 + np.exp(-edge / rng.uniform(0.05, 0.2))) * rng.uniform(0.15, 0.45) * strength
    return lay(sheet, _enlarged((1 - dark).astype(np.float32), sheet))


def blur(sheet: Sheet, rng: np.random.Generator, strength: float) -> Sheet:
    """A lens out of focus, or a hand that moved."""
    if rng.random() < 0.7:
        return cv2.GaussianBlur(sheet, (0, 0), 0.35 + rng.uniform(0.2, 0.9) * strength)
    long = 1 + round(3 * strength)
    kernel = np.eye(long, dtype=np.float32) if rng.random() < 0.5 else np.ones((1, long), np.float32)
    return cv2.filter2D(sheet, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)


def coarse(sheet: Sheet, rng: np.random.Generator, strength: float) -> Sheet:
    """Scanned at fewer dots per inch than it is drawn."""
    share = 1 - rng.uniform(0.1, 0.42) * strength
    height, width = sheet.shape[:2]
    small = cv2.resize(sheet, (round(width * share), round(height * share)), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def grain(sheet: Sheet, rng: np.random.Generator, strength: float) -> Sheet:
    """The sensor's noise."""
    field = rng.standard_normal(sheet.shape[:2], np.float32) * np.float32(rng.uniform(0.01, 0.055) * strength)
    if rng.random() < 0.5:
        field = cv2.GaussianBlur(field, (0, 0), 0.6) * 1.8
    return sheet + (field if sheet.ndim == 2 else field[..., None])


def contrast(sheet: Sheet, rng: np.random.Generator, strength: float) -> Sheet:
    """A copier set too light or too dark: steep tones, blown-out paper."""
    middle, steep = 0.55 + rng.uniform(-0.15, 0.12) * strength, 1 + rng.uniform(0.5, 3) * strength
    return np.clip((sheet - middle) * steep + middle, 0, 1)


def threshold(sheet: Sheet, rng: np.random.Generator, strength: float) -> Sheet:
    """Black or white and nothing between, as a fax machine sends it: ragged edges, salt and pepper."""
    gray = sheet if sheet.ndim == 2 else cv2.cvtColor(np.ascontiguousarray(sheet), cv2.COLOR_RGB2GRAY)
    ragged = gray + rng.standard_normal(gray.shape, np.float32) * np.float32(0.02 + 0.05 * strength)
    around = cv2.blur(gray, (41, 41))
    level = np.minimum(0.7, around - 0.15) + rng.uniform(-0.06, 0.06) * strength
    return (ragged > level).astype(np.float32)


def show_through(sheet: Sheet, behind: np.ndarray, rng: np.random.Generator, strength: float) -> Sheet:
    """The other side of the leaf, mirrored and soft. `behind`: (H, W), 0 to 1, any size."""
    height, width = sheet.shape[:2]
    small = cv2.resize(behind, (width // 2, height // 2), interpolation=cv2.INTER_AREA)[:, ::-1]
    small = cv2.GaussianBlur(np.ascontiguousarray(small), (0, 0), rng.uniform(0.8, 1.8))
    shift = np.array([[1, 0, rng.uniform(-9, 9)], [0, 1, rng.uniform(-9, 9)]], np.float32)
    moved = cv2.warpAffine(small, shift, (width // 2, height // 2), borderValue=1.0)
    dark = rng.uniform(0.06, 0.3) * strength
    return lay(sheet, 1 - dark * (1 - cv2.resize(moved, (width, height))))


def _length(sheet: Sheet, share: float) -> float:
    return max(sheet.shape[:2]) * share


def _axes(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """y (H, 1) and x (1, W) from -1 to 1."""
    return (
        np.linspace(-1, 1, height, dtype=np.float32)[:, None],
        np.linspace(-1, 1, width, dtype=np.float32)[None, :],
    )


def _enlarged(layer: np.ndarray, sheet: Sheet) -> np.ndarray:
    return cv2.resize(layer, (sheet.shape[1], sheet.shape[0]), interpolation=cv2.INTER_LINEAR)


def _point(at: np.ndarray) -> tuple[int, int]:
    return int(at[0]), int(at[1])
