"""Sheets and their budget; several children that draw."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scriptorium.pages.image import decode_png
from scriptorium.pages.pdf import PdfError, PdfWorker
from scriptorium.pages.pool import DocumentPool
from scriptorium.pages.rotation import rotate
from scriptorium.pages.sheet import RESERVE, Budget, Sheet, as_sheet

SHARED = Path(__file__).parents[3] / "shared" / "data" / "pdfs"
PAGE = np.arange(40 * 30 * 3, dtype=np.uint8).reshape(40, 30, 3)


def test_a_sheet_is_drawn_when_it_is_wanted_and_let_go_when_sent() -> None:
    budget, drawn = Budget(1 << 30), []
    sheet = Sheet(lambda: (drawn.append(1), PAGE)[1], budget)
    assert not sheet.is_blank()
    assert budget.used == len(sheet.png())
    sheet.sent()
    assert budget.used == 0
    sheet.turn(90)
    assert (decode_png(sheet.png()) == rotate(PAGE, 90)).all()
    assert len(drawn) == 2
    sheet.drop()
    sheet.drop()
    assert budget.used == 0


def test_a_blank_page_takes_nothing() -> None:
    budget = Budget(1 << 30)
    assert Sheet(lambda: np.full((40, 30, 3), 250, np.uint8), budget).is_blank()
    assert budget.used == 0


def test_an_array_stays_at_hand() -> None:
    sheet = as_sheet(PAGE)
    first = sheet.png()
    sheet.sent()
    assert sheet.png() is first
    assert as_sheet(sheet) is sheet


def test_what_cannot_be_drawn_gives_its_room_back() -> None:
    def fails() -> np.ndarray:
        raise PdfError("damaged", "no")

    budget = Budget(1 << 30)
    with pytest.raises(PdfError):
        Sheet(fails, budget).is_blank()
    assert budget.used == 0


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 50), min_size=1, max_size=40), st.integers(1, 60))
def test_the_budget_is_kept_whoever_comes(sizes: list[int], limit: int) -> None:
    budget = Budget(limit)

    def use(size: int) -> int:
        budget.take(size)
        seen = budget.used
        budget.change(-size)
        return seen

    with ThreadPoolExecutor(6) as pool:
        seen = list(pool.map(use, sizes))
    assert budget.used == 0
    assert max(seen) <= budget.most <= max(limit, max(sizes))


def test_drawing_waits_for_room() -> None:
    budget = Budget(RESERVE + 10)
    one, two = Sheet(lambda: PAGE, budget), Sheet(lambda: PAGE, budget)
    assert len(one.png()) > 10
    started = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(lambda: (started.set(), two.png())[1])
        started.wait()
        assert not waiting.done()
        one.sent()
        assert waiting.result(10)


def test_several_children_draw_what_one_draws() -> None:
    if not SHARED.is_dir():
        pytest.skip("the shared sample PDFs are not there")
    path = SHARED / "edgar.pdf"
    other = SHARED / "olmo-page-1.pdf"
    pool = DocumentPool(2)
    try:
        with PdfWorker() as alone, ThreadPoolExecutor(4) as threads:
            wanted = {each: alone.render(each, 1, 300) for each in (path, other)}
            jobs = [path, other] * 6
            for each, got in zip(jobs, threads.map(lambda p: pool.render(p, 1, 300), jobs), strict=True):
                assert (got == wanted[each]).all()
            assert pool.text(path, 1) == alone.text(path, 1)
            assert pool.words(path, 1) == alone.words(path, 1)
    finally:
        pool.close()
    assert all(worker._child.process is None for worker in pool._workers)
