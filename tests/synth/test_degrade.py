"""The scanned look: same bytes for a seed, words stay legible, boxes move with the page."""

import io

import numpy as np
import pytest

pytest.importorskip("cv2")

from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from scriptorium.errors import ConfigError, InputError
from scriptorium.synth import wear
from scriptorium.synth.degrade import LOOKS, Bend, Look, degrade, illegible

WIDTH, HEIGHT = 456, 644


def page(
    colour: tuple[int, int, int] = (0, 0, 0),
) -> tuple[np.ndarray, list[tuple[float, float, float, float]]]:
    """A page of words of known places."""
    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw, boxes = ImageDraw.Draw(image), []
    font = ImageFont.load_default(13)
    for row in range(26):
        for column in range(5):
            at = (45 + 75 * column, 45 + 21 * row)
            draw.text(at, f"wo{row}rd{column}", colour, font)
            left, top, right, bottom = draw.textbbox(at, f"wo{row}rd{column}", font)
            boxes.append((left / WIDTH, top / HEIGHT, right / WIDTH, bottom / HEIGHT))
    return np.array(image), boxes


CLEAN, BOXES = page()


def box_of_ink(image: np.ndarray) -> tuple[float, float, float, float]:
    rows, columns = np.nonzero(image.min(2) < 128)
    height, width = image.shape[:2]
    return columns.min() / width, rows.min() / height, (columns.max() + 1) / width, (rows.max() + 1) / height


@pytest.mark.parametrize("look", LOOKS)
def test_same_arguments_give_same_bytes_and_another_seed_gives_others(look: str) -> None:
    first, again, other = (degrade(CLEAN, BOXES, seed, 0.7, look, behind=CLEAN) for seed in (7, 7, 8))
    assert first.jpeg == again.jpeg
    assert first.boxes == again.boxes
    assert first.jpeg != other.jpeg


@pytest.mark.parametrize("look", LOOKS)
def test_the_image_is_what_the_jpeg_holds_and_keeps_its_size(look: str) -> None:
    made = degrade(CLEAN, BOXES, 3, 0.8, look)
    read = np.array(Image.open(io.BytesIO(made.jpeg)).convert("RGB"))
    assert made.image.shape == CLEAN.shape
    # Two decoders of JPEG may round differently.
    assert np.abs(read.astype(int) - made.image).mean() < 1


def test_more_severity_takes_a_page_further_from_the_clean_one() -> None:
    for look in LOOKS:
        away = []
        for severity in (0.0, 0.5, 1.0):
            images = [degrade(CLEAN, [], seed, severity, look, behind=CLEAN).image for seed in range(6)]
            away.append(np.mean([np.abs(image.astype(int) - CLEAN).mean() for image in images]))
        assert away[0] < away[1] < away[2], look


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**63), st.floats(0, 1), st.sampled_from(sorted(LOOKS)))
def test_every_word_can_be_read_and_lies_in_its_box(seed: int, severity: float, look: str) -> None:
    made = degrade(CLEAN, BOXES, seed, severity, look, behind=CLEAN)
    assert made.severity <= severity
    assert len(made.boxes) == len(BOXES)
    gray = made.image.min(2).astype(int)
    for left, top, right, bottom in made.boxes:
        part = gray[
            int(top * HEIGHT) : int(np.ceil(bottom * HEIGHT)), int(left * WIDTH) : int(np.ceil(right * WIDTH))
        ]
        assert np.ptp(part) > 40


def test_boxes_move_with_the_ink() -> None:
    """One block on a page bent in every way: its box is found again from the pixels."""
    sheet = np.full((1000, 700, 3), 255, np.uint8)
    for seed in range(40):
        rng = np.random.default_rng(seed)
        left, top = (int(each) for each in rng.integers(100, 500, 2))
        marked = sheet.copy()
        marked[top : top + 90, left : left + 120] = 0
        box = (left / 700, top / 1000, (left + 120) / 700, (top + 90) / 1000)
        bend = Bend.draw(rng, Look((), (), skew=3, curl=0.01, tilt=0.05), 1.0, 0.7)
        (moved,) = bend.boxes([box])
        found = box_of_ink(np.repeat(bend.image(marked[..., 0], 255.0)[..., None], 3, 2))
        assert np.abs(np.array(moved) - found).max() < 2 / 700


def test_a_word_that_would_be_lost_costs_severity() -> None:
    faint, boxes = page((150, 150, 150))
    asked = [degrade(faint, boxes, seed, 1.0, "fax") for seed in range(8)]
    assert any(made.severity < 1 for made in asked)
    unguarded = [degrade(faint, [], seed, 1.0, "fax") for seed in range(8)]
    assert all(made.severity == 1 for made in unguarded)
    assert any(a.jpeg != b.jpeg for a, b in zip(asked, unguarded, strict=True))


@pytest.mark.parametrize("look", LOOKS)
def test_without_severity_a_page_is_as_it_was_but_for_the_jpeg(look: str) -> None:
    made = degrade(CLEAN, BOXES, 9, 0.0, look)
    assert made.operations == ()
    assert np.abs(made.image.astype(int) - CLEAN).mean() < 2
    assert np.allclose(made.boxes, BOXES)


def test_lost_words_are_counted() -> None:
    clean = CLEAN.min(2).astype(np.float32) / 255
    assert illegible(clean, clean, BOXES) == 0
    assert illegible(clean, np.ones_like(clean), BOXES) == len(BOXES)
    assert illegible(clean, 1 - 0.1 * (1 - clean), BOXES) == len(BOXES)
    covered = clean.copy()
    left, top, right, bottom = BOXES[17]
    covered[
        int(top * HEIGHT) - 1 : int(bottom * HEIGHT) + 1, int(left * WIDTH) - 1 : int(right * WIDTH) + 1
    ] = 0
    assert illegible(clean, covered, BOXES) == 1
    other = np.roll(clean, 9, axis=1)
    assert illegible(clean, other, BOXES) > len(BOXES) / 2
    assert illegible(clean, clean, [(0.97, 0.5, 1.05, 0.52), (0.4, 0.001, 0.5, 0.01)]) == 0, "bare boxes"


def test_a_word_off_the_page_is_lost() -> None:
    marked = np.ones((200, 200), np.float32)
    marked[90:110:3, 150:] = 0
    assert illegible(marked, marked, [(0.75, 0.4, 1.0, 0.6)]) == 0
    assert illegible(marked, marked, [(0.75, 0.4, 1.1, 0.6)]) == 1


def test_colour_stays_where_the_look_keeps_it() -> None:
    red, boxes = page((200, 20, 20))
    kept = [degrade(red, boxes, seed, 0.3, "photo").image for seed in range(12)]
    gray = [np.ptp(image.astype(int), axis=2).max() < 30 for image in kept]
    assert not all(gray)
    copies = [degrade(red, boxes, seed, 0.3, "copy").image for seed in range(3)]
    assert all(np.ptp(image.astype(int), axis=2).max() == 0 for image in copies)


@pytest.mark.parametrize("shape", [(300, 200), (300, 200, 3)])
def test_every_operation_keeps_shape_and_size_and_changes_something(shape: tuple[int, ...]) -> None:
    sheet = np.ones(shape, np.float32)
    sheet[100:200:4, 60:140] = 0.1
    operations = {each for look in LOOKS.values() for each, _ in (*look.printed, *look.seen)}
    for operation in operations:
        results = [operation(sheet.copy(), np.random.default_rng(seed), 1.0) for seed in range(4)]
        expected = shape[:2] if operation is wear.threshold else shape
        assert all(made.shape == expected and np.isfinite(made).all() for made in results), operation
        assert any(not np.array_equal(made, sheet) for made in results), operation


def test_marks_in_margins_leave_print_alone() -> None:
    full = np.full((600, 420), 0.3, np.float32)
    for operation in (wear.punch, wear.staple, wear.pen):
        for seed in range(5):
            assert np.array_equal(operation(full.copy(), np.random.default_rng(seed), 1.0), full)


def test_what_does_not_exist_is_named() -> None:
    with pytest.raises(ConfigError, match=r"severity is 1\.5"):
        degrade(CLEAN, BOXES, 1, 1.5)
    with pytest.raises(ConfigError, match="look 'xerox' is unknown; use one of scan"):
        degrade(CLEAN, BOXES, 1, 0.5, "xerox")
    with pytest.raises(InputError, match="1 of 1 words cannot be read"):
        wide = CLEAN.copy()
        wide[300:310, :] = 0
        degrade(wide, [(-0.2, 0.4, 1.2, 0.6)], 1, 0.5)
