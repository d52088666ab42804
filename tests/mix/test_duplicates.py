"""Signatures of texts and images: what is alike is found, what is not stays, and equal in every process."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from scriptorium.mix.duplicates import (
    MOST,
    VALUES,
    Signatures,
    image_hash,
    minhash,
    near_images,
    near_texts,
    tells,
    text_runs,
)
from scriptorium.mix.shingles import jaccard, shingles

from .pairs_made import prose


def changed(text: str, places: int) -> str:
    """The text with so many words, evenly spread, exchanged."""
    words = text.split()
    for number in range(places):
        words[(number * len(words)) // places] = f"changed{number}"
    return " ".join(words)


def found(texts: list[str], least: float) -> dict[int, tuple[int, float]]:
    signatures = np.array([minhash(text_runs(text)) for text in texts]).reshape(-1, VALUES)
    return near_texts(signatures, least, lambda number: text_runs(texts[number]))


def test_the_share_that_signatures_tell_is_near_the_true_one() -> None:
    for places in (2, 5, 10, 20, 40):
        one, other = prose(1, 400), changed(prose(1, 400), places)
        true = jaccard(text_runs(one), text_runs(other))
        told = (minhash(text_runs(one)) == minhash(text_runs(other))).mean()
        assert abs(true - told) < 0.2, places


def test_texts_above_the_share_are_found_and_no_others() -> None:
    texts = [prose(seed, 300) for seed in range(40)]
    near = [changed(texts[seed], 3) for seed in range(0, 40, 4)]
    far = [changed(texts[seed], 60) for seed in range(1, 40, 4)]
    out = found([*texts, *near, *far], 0.8)
    assert {page: earlier for page, (earlier, _) in out.items()} == {40 + n: 4 * n for n in range(10)}
    assert all(share >= 0.8 for _, share in out.values())


def test_a_page_is_left_out_only_for_one_that_stays() -> None:
    first = prose(3, 300)
    chain = [first, changed(first, 4), changed(changed(first, 4), 9)]
    shares = [jaccard(text_runs(chain[a]), text_runs(chain[b])) for a, b in ((0, 1), (1, 2), (0, 2))]
    assert shares[0] > shares[1] > shares[2]
    out = found(chain, (shares[1] + shares[2]) / 2)
    assert set(out) == {1}  # the third is like the second alone, and that one is gone


def test_case_markup_and_hyphens_make_no_other_text_and_no_text_is_no_duplicate() -> None:
    text = prose(4, 50)
    assert found([text, text.upper(), f"**{text}**", "", "", "   "], 0.9).keys() == {1, 2}
    assert found(["one word", "One  WORD", "another"], 0.9).keys() == {1}


def test_of_a_long_run_of_equal_pages_one_stays() -> None:
    texts = [prose(5, 30)] * (4 * MOST) + [prose(6, 30)]
    assert len(found(texts, 0.8)) == 4 * MOST - 1


def drawn(seed: int, paint: Callable[[np.ndarray], None] = lambda page: None) -> np.ndarray:
    page = np.full((800, 600, 3), 255, np.uint8)
    random = np.random.default_rng(seed)
    for top in range(40, 760, 16):
        page[top : top + 8, 40 : 40 + int(random.integers(60, 520))] = random.integers(0, 120)
    paint(page)
    return page


def test_an_image_is_found_again_smaller_and_with_noise() -> None:
    def stain(page: np.ndarray) -> None:
        page[700:706, 500:506] = 90

    pages = [drawn(seed) for seed in range(30)]
    again = [drawn(3, stain), drawn(4)[::2, ::2]]
    hashes = np.array([image_hash(page) for page in [*pages, *again]])
    assert {page: earlier for page, (earlier, _) in near_images(hashes, 7).items()} == {30: 3, 31: 4}


def test_blank_images_are_no_duplicates() -> None:
    hashes = np.array([image_hash(np.full((80, 60), value, np.uint8)) for value in (255, 255, 0)])
    assert near_images(hashes, 7) == {}


def test_signatures_lie_in_a_file(tmp_path: Path) -> None:
    store = Signatures(tmp_path / "s", 4)
    for number in range(5):
        store.add(np.full(4, number, np.uint32))
    read = store.read()
    assert isinstance(read, np.memmap)
    assert read[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert Signatures(tmp_path / "empty", 4).read().shape == (0, 4)


def test_the_same_numbers_in_another_process() -> None:
    code = "from scriptorium.mix.shingles import shingles; print(shingles('a b c ä d', 3).tolist())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(shingles("a b c ä d", 3).tolist())


@pytest.mark.parametrize(("words", "runs"), [(0, 0), (12, 0), (13, 1), (14, 2)])
def test_runs_of_thirteen_words(words: int, runs: int) -> None:
    assert len(shingles(prose(1, words), 13)) == runs


def test_pages_of_a_line_or_two_are_not_called_alike() -> None:
    def titled(left: int) -> np.ndarray:
        page = np.full((800, 600), 255, np.uint8)
        page[90:104, left : left + 200] = 40
        return page

    hashes = np.array([image_hash(titled(left)) for left in (60, 64)])
    assert (hashes[0] == hashes[1]).all()
    assert not tells(hashes).any()
    assert near_images(hashes, 7) == {}
    assert tells(np.array([image_hash(drawn(1))])).all()
