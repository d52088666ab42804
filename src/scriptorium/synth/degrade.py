"""The scanned look: a clean page image made old, copied, faxed or photographed, from a seed.

Whoever reads it must still be able to: every word's box is compared with the clean page, and where one can
no longer be read the same page is made anew, less severely. Boxes are moved with the page.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from scriptorium.errors import ConfigError, InputError
from scriptorium.synth import wear

REVISION = 1
"""Raised when the same arguments give another image."""

Box = tuple[float, float, float, float]
"""Left, top, right and bottom, in shares of the page's sides."""

CONTRAST_AT_LEAST = 0.25
"""Of a word's own contrast on the clean page; below, it fades into the paper."""
LIKENESS_AT_LEAST = 0.8
"""Correlation of a word's strokes with the clean ones. Set by reading the worst words of degraded pages: at 0.8
digits are told apart with some care, at 0.7 a blurred `e` could be a `c`."""
STROKES = (0.7, 2.1)
"""Pixels (standard deviations) between which strokes are told from grain and from the paper's clouds."""
LESS = 0.6
"""What severity is multiplied by when a word is lost."""
ATTEMPTS = 6


@dataclass(frozen=True)
class Look:
    """How a kind of sheet comes about: operations and the share of sheets that meet each, in order.

    `skew`: degrees at severity 1 (standard deviation); `curl`: a bound page's bend, `tilt`: the camera's
    perspective, both in shares of the page; `lid`: tones beyond the sheet's edge; `warm`: how far the paper
    yellows; `jpeg`: qualities from severity 0 to 1.
    """

    printed: tuple[tuple[wear.Operation, float], ...]
    seen: tuple[tuple[wear.Operation, float], ...]
    skew: float = 0.6
    curl: float = 0.0
    tilt: float = 0.0
    lid: tuple[float, float] = (1.0, 1.0)
    warm: float = 0.0
    gray: float = 0.5
    behind: float = 0.0
    jpeg: tuple[int, int] = (92, 55)


LOOKS = {
    "scan": Look(
        ((wear.spread, 0.3), (wear.paper, 0.8), (wear.fold, 0.15), (wear.punch, 0.15), (wear.staple, 0.15)),
        ((wear.light, 0.5), (wear.streaks, 0.2), (wear.specks, 0.3), (wear.coarse, 0.5), (wear.grain, 0.8)),
        behind=0.4,
        warm=0.25,
        lid=(0.8, 1.0),
    ),
    "copy": Look(
        (
            (wear.spread, 0.9),
            (wear.fade, 0.5),
            (wear.low_toner, 0.4),
            (wear.paper, 0.4),
            (wear.fold, 0.25),
            (wear.punch, 0.35),
            (wear.staple, 0.3),
            (wear.pen, 0.3),
        ),
        (
            (wear.light, 0.5),
            (wear.contrast, 0.7),
            (wear.specks, 0.9),
            (wear.streaks, 0.4),
            (wear.coarse, 0.5),
            (wear.grain, 0.6),
        ),
        skew=0.9,
        lid=(0.0, 0.9),
        gray=1.0,
        behind=0.2,
        jpeg=(88, 40),
    ),
    "book": Look(
        (
            (wear.spread, 0.9),
            (wear.fade, 0.6),
            (wear.paper, 1.0),
            (wear.foxing, 0.7),
            (wear.stain, 0.3),
            (wear.fold, 0.1),
            (wear.pen, 0.2),
        ),
        ((wear.gutter, 0.6), (wear.light, 0.6), (wear.blur, 0.3), (wear.coarse, 0.4), (wear.grain, 0.6)),
        skew=0.7,
        curl=0.006,
        lid=(0.05, 0.5),
        warm=1.0,
        gray=0.3,
        behind=0.6,
    ),
    "fax": Look(
        ((wear.spread, 0.5), (wear.low_toner, 0.4), (wear.fold, 0.1)),
        ((wear.coarse, 0.6), (wear.streaks, 0.4), (wear.threshold, 1.0), (wear.specks, 0.5)),
        skew=0.8,
        gray=1.0,
        jpeg=(95, 88),
    ),
    "photo": Look(
        ((wear.paper, 0.7), (wear.fold, 0.35), (wear.stain, 0.15), (wear.pen, 0.2)),
        ((wear.shadow, 0.7), (wear.light, 1.0), (wear.blur, 0.7), (wear.coarse, 0.3), (wear.grain, 0.9)),
        skew=1.2,
        curl=0.005,
        tilt=0.03,
        lid=(0.1, 0.5),
        warm=0.5,
        gray=0.1,
        behind=0.2,
    ),
}
"""Kinds of sheets by name; of equal shares where none is asked for."""


@dataclass(frozen=True)
class Degraded:
    """A degraded page: the JPEG's bytes and its pixels, uint8 (H, W, 3); words and other boxes that moved with it.

    `severity` is the one that it came to, at most the one asked for; `operations` says what was done.
    """

    jpeg: bytes
    image: np.ndarray
    boxes: tuple[Box, ...]
    others: tuple[Box, ...]
    look: str
    severity: float
    operations: tuple[str, ...]


def degrade(
    image: np.ndarray,
    boxes: Sequence[Box],
    seed: int,
    severity: float,
    look: str | None = None,
    behind: np.ndarray | None = None,
    others: Sequence[Box] = (),
) -> Degraded:
    """`image` (uint8, (H, W, 3)) as a sheet that was scanned; size unchanged, same arguments, same bytes.

    `boxes`: those of the words, which stay legible. `severity`: 0 to 1. `look`: one of LOOKS, by default
    drawn from the seed. `behind`: the image of the leaf's other side. `others`: boxes
    that move along and are not watched. Raises ConfigError for a severity or look
    that does not exist, InputError for words that cannot be read on the clean image either.
    """
    if not 0 <= severity <= 1:
        raise ConfigError(f"severity is {severity}; it runs from 0 to 1")
    if look is not None and look not in LOOKS:
        raise ConfigError(f"look {look!r} is unknown; use one of {', '.join(LOOKS)}")
    cv2.setNumThreads(1)  # pages are degraded side by side
    chosen = look or str(np.random.default_rng((seed, 0)).choice(list(LOOKS)))
    for attempt in range(ATTEMPTS):
        made = _made(image, boxes, others, np.random.default_rng((seed, 1)), severity, chosen, behind)
        if not made[1]:
            return made[0]
        severity = severity * LESS if attempt < ATTEMPTS - 2 else 0.0
    raise InputError(
        f"{made[1]} of {len(boxes)} words cannot be read, whatever the severity: check their boxes"
    )


def _made(
    image: np.ndarray,
    boxes: Sequence[Box],
    others: Sequence[Box],
    rng: np.random.Generator,
    severity: float,
    look: str,
    behind: np.ndarray | None,
) -> tuple[Degraded, int]:
    """The page at this severity, and how many of its words are lost."""
    kind, done = LOOKS[look], list[str]()
    sheet = _sheet(image, rng.random() < kind.gray)
    has_back, own = rng.random() < kind.behind, np.random.default_rng(rng.integers(2**63))
    if has_back and behind is not None:
        sheet = wear.show_through(sheet, _gray(behind), own, severity)
        done.append("show_through")
    sheet = _applied(sheet, kind.printed, rng, severity, done)
    bend = Bend.draw(rng, kind, severity, image.shape[1] / image.shape[0])
    lid = float(rng.uniform(*kind.lid))
    sheet = bend.image(sheet, lid)
    clean = bend.image(_gray(image), 1.0)
    sheet = _applied(sheet, kind.seen, rng, severity, done)
    pixels = _toned(sheet, float(rng.uniform(0.3, 1)) * kind.warm * severity)
    best, worst = kind.jpeg
    quality = round(best + (worst - best) * severity * rng.uniform(0.5, 1))
    jpeg = cv2.imencode(".jpg", pixels, (cv2.IMWRITE_JPEG_QUALITY, quality))[1].tobytes()
    out = np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR))
    moved = bend.boxes(boxes)
    lost = illegible(clean, _gray(out), moved)
    rgb = cv2.cvtColor(out, cv2.COLOR_BGR2RGB)
    return Degraded(jpeg, rgb, moved, bend.boxes(others), look, severity, tuple(done)), lost


def _applied(
    sheet: np.ndarray,
    operations: tuple[tuple[wear.Operation, float], ...],
    rng: np.random.Generator,
    severity: float,
    done: list[str],
) -> np.ndarray:
    """The operations that this sheet meets; none at severity 0, as a fax is coarse however mild it is.

    Each has a generator of its own: a change in one is none in others.
    """
    if severity == 0:
        return sheet
    for operation, share in operations:
        meets, own = rng.random() < share, np.random.default_rng(rng.integers(2**63))
        if meets:
            sheet = operation(sheet, own, severity)
            done.append(operation.__name__)
    return sheet


def _sheet(image: np.ndarray, gray: bool) -> np.ndarray:
    """float32 from 0 to 1; (H, W) for a page without colour: a third of the work."""
    red, green, blue = image[..., 0], image[..., 1], image[..., 2]
    if gray or (np.array_equal(red, green) and np.array_equal(green, blue)):
        return _gray(image)
    return image.astype(np.float32) / 255


def _gray(image: np.ndarray) -> np.ndarray:
    gray = image if image.ndim == 2 else cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)
    return gray.astype(np.float32) / 255


def _toned(sheet: np.ndarray, warm: float) -> np.ndarray:
    """uint8 (H, W, 3) in BGR, or (H, W) where all is gray. Paper yellows, black ink does not."""
    levels = cv2.convertScaleAbs(np.clip(sheet, 0, 1), alpha=255)
    if warm < 0.05:
        return levels if levels.ndim == 2 else cv2.cvtColor(levels, cv2.COLOR_RGB2BGR)
    steps = np.arange(256) / 255
    tables = np.stack([steps ** (1 + warm * k) for k in (1.5, 0.6, 0.1)], 1)
    # White becomes paper too: powers alone would leave it white.
    tables *= 1 - warm * np.array((0.14, 0.055, 0.01))
    table = np.round(tables * 255).astype(np.uint8)[None]
    three = cv2.cvtColor(levels, cv2.COLOR_GRAY2BGR if levels.ndim == 2 else cv2.COLOR_RGB2BGR)
    return cv2.LUT(three, table)


@dataclass(frozen=True)
class Bend:
    """Where each point of the new image lies on the clean one: a turn, a curl and a perspective."""

    turn: np.ndarray
    curl: tuple[float, float]
    tilt: tuple[float, float]
    shape: float

    @classmethod
    def draw(cls, rng: np.random.Generator, look: Look, severity: float, shape: float) -> "Bend":
        """A bend of this look; `shape` is width over height."""
        angle = np.radians(np.clip(rng.normal(0, look.skew), -2 * look.skew, 2 * look.skew) * severity)
        scale = 1 + (rng.uniform(-0.005, 0.015) + look.tilt * 0.7) * severity
        cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
        shift = rng.normal(0, 0.004, 2) * severity
        turn = np.array([[cos, -sin / shape, shift[0]], [sin * shape, cos, shift[1]]])
        curl = rng.uniform(-look.curl, look.curl) * severity, rng.uniform(2, 4)
        tilt = rng.uniform(-look.tilt, look.tilt, 2) * severity
        return cls(turn, (float(curl[0]), float(curl[1])), (float(tilt[0]), float(tilt[1])), shape)

    def source(self, points: np.ndarray) -> np.ndarray:
        """The places on the clean page of points (..., 2) of the new one, both in shares of the sides."""
        x, y = points[..., 0] - 0.5, points[..., 1] - 0.5
        depth = 1 + self.tilt[0] * 2 * x + self.tilt[1] * 2 * y
        x, y = x / depth, y / depth
        u = self.turn[0, 0] * x + self.turn[0, 1] * y + self.turn[0, 2]
        v = self.turn[1, 0] * x + self.turn[1, 1] * y + self.turn[1, 2]
        v = v + self.curl[0] * np.sin(self.curl[1] * (u + 0.5))
        return np.stack((u + 0.5, v + 0.5), -1)

    def image(self, sheet: np.ndarray, lid: float) -> np.ndarray:
        """The sheet, bent; `lid` is the tone beyond its edges."""
        height, width = sheet.shape[:2]
        # The bend is smooth: a coarse grid of it, enlarged, is right to a hundredth of a pixel.
        step = 16
        across = (np.arange(-1, width // step + 2) * step + 0.5) / width
        down = (np.arange(-1, height // step + 2) * step + 0.5) / height
        places = self.source(np.stack(np.meshgrid(across, down), -1)) * (width, height) - 0.5
        scale = np.array([[step, 0, -step], [0, step, -step]], np.float32)
        maps = cv2.warpAffine(
            places.astype(np.float32), scale, (width, height), borderMode=cv2.BORDER_REPLICATE
        )
        return cv2.remap(
            sheet, maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(lid, lid, lid)
        )

    def boxes(self, boxes: Sequence[Box]) -> tuple[Box, ...]:
        """The boxes around where their corners and middles come to lie."""
        if not boxes:
            return ()
        given = np.array(boxes)
        edges = [given[:, (i, j)] for i in (0, 2) for j in (1, 3)]
        middle = (given[:, :2] + given[:, 2:]) / 2
        edges += [np.stack((middle[:, 0], given[:, j]), -1) for j in (1, 3)]
        wanted = np.stack(edges, 1)
        found = wanted
        for _ in range(8):  # the bend is slight, so this closes in tenfold a step
            found = found + wanted - self.source(found)
        low, high = found.min(1), found.max(1)
        return tuple(
            (float(a), float(b), float(c), float(d)) for (a, b), (c, d) in zip(low, high, strict=True)
        )


def illegible(clean: np.ndarray, seen: np.ndarray, boxes: Sequence[Box]) -> int:
    """How many boxes can no longer be read, of pages float32 (H, W) from 0 to 1 that lie over one another.

    A word is read while it keeps CONTRAST_AT_LEAST of its contrast and LIKENESS_AT_LEAST, and lies on the page.
    Boxes that are bare on the clean page are not counted.
    """
    if not boxes:
        return 0
    height, width = clean.shape
    fine, wide = STROKES
    x, y = (cv2.GaussianBlur(p, (0, 0), fine) - cv2.GaussianBlur(p, (0, 0), wide) for p in (clean, seen))
    edges = np.array(boxes) * (width, height, width, height)
    places = np.concatenate((np.floor(edges[:, :2]), np.ceil(edges[:, 2:])), 1).astype(int)
    off = (edges[:, :2] < -1).any(1) | (edges[:, 2:] > (width + 1, height + 1)).any(1)
    left, top = places[:, 0].clip(0, width - 1), places[:, 1].clip(0, height - 1)
    right, bottom = places[:, 2].clip(left + 1, width), places[:, 3].clip(top + 1, height)
    area = (right - left) * (bottom - top)

    def mean(values: np.ndarray) -> np.ndarray:
        sums = cv2.integral(values, sdepth=cv2.CV_64F)
        return (sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]) / area

    mx, my = mean(x), mean(y)
    vx, vy, both = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
    inked = vx > 1e-4
    kept = np.sqrt(np.maximum(vy, 1e-9) / np.maximum(vx, 1e-9))
    alike = both / np.sqrt(np.maximum(vx * vy, 1e-12))
    return int((inked & (off | (kept < CONTRAST_AT_LEAST) | (alike < LIKENESS_AT_LEAST))).sum())
