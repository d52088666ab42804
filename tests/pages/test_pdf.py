"""PDFs in a limited process: what it returns, and that nothing it meets harms the caller."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pypdf import PdfReader, PdfWriter

from scriptorium.errors import HostError, InputError
from scriptorium.pages.pdf import REASONS, PageSize, PdfError, PdfWorker

from . import hostile

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared sample PDFs are not there")

CORNER = b"1 0 0 rg 0 0 20 10 re f"
"""A red mark in the lower left corner."""


@pytest.fixture(scope="module")
def worker() -> Iterator[PdfWorker]:
    with PdfWorker() as worker:
        yield worker


@pytest.fixture
def write(tmp_path: Path):
    def write(content: bytes, name: str = "file.pdf") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


def is_red(image: np.ndarray) -> np.ndarray:
    return (image[..., 0] > 200) & (image[..., 1] < 50)


def reason(call, *arguments, **more) -> str:
    with pytest.raises(PdfError) as raised:
        call(*arguments, **more)
    assert isinstance(raised.value, InputError) and raised.value.reason in REASONS
    assert str(arguments[0]) in str(raised.value)
    return raised.value.reason


def test_scale_one_is_exact(worker: PdfWorker, write) -> None:
    image = worker.render(write(hostile.drawing(CORNER)), 1, 224)
    assert (image.shape, image.dtype) == ((168, 224, 3), np.uint8)
    expected = np.full((168, 224, 3), 255, np.uint8)
    expected[158:, :20] = (255, 0, 0)
    assert np.array_equal(image, expected)
    image[0, 0] = 7  # the caller owns it


def test_a_small_page_is_not_enlarged_beyond_the_largest_scale(worker: PdfWorker, write) -> None:
    small = write(hostile.drawing(CORNER, b"[0 0 56 28]"))
    assert worker.render(small, 1, 224).shape == (112, 224, 3)
    assert worker.render(small, 1, 224, max_scale=1.0).shape == (28, 56, 3)
    assert worker.render(small, 1, 40, max_scale=1.0).shape == (20, 40, 3)


@pytest.mark.parametrize("box", ["595.276 841.89", "612 792", "841.89 595.276", "1 1000", "33.3333 33.3334"])
@pytest.mark.parametrize("side", [224, 1288])
def test_the_longest_side_is_exact(worker: PdfWorker, write, box: str, side: int) -> None:
    image = worker.render(write(hostile.drawing(CORNER, f"[0 0 {box}]".encode())), 1, side)
    width, height = map(float, box.split())
    assert max(image.shape) == side
    assert abs(image.shape[1] / image.shape[0] - width / height) * min(image.shape[:2]) <= 1.01 * max(
        1, width / height
    )


def test_crop_box_and_rotation_are_seen_and_survive_a_split(worker: PdfWorker, write) -> None:
    entries = b"/CropBox[100 50 300 150]/Rotate 90"
    path = write(hostile.drawing(b"1 0 0 rg 100 50 20 10 re f", b"[0 0 400 400]", entries))
    assert worker.pages(path) == [PageSize(100, 200)]
    image = worker.render(path, 1, 200)
    red = np.argwhere(is_red(image))
    assert red.min(0).tolist() == [0, 0] and red.max(0).tolist() == [19, 9]  # turned clockwise: upper left
    single = write(worker.split(path, 1), "single.pdf")
    assert np.array_equal(worker.render(single, 1, 200), image)
    page = PdfReader(single).pages[0]
    assert (page.rotation, page.mediabox.width, page.cropbox.left) == (90, 400, 100)


def test_pages_text_and_split(worker: PdfWorker, write) -> None:
    path = write(hostile.pages(5))
    assert worker.pages(path) == [PageSize(100 + n, 50) for n in range(1, 6)]
    for number in (5, 1, 3):
        assert worker.text(path, number).strip() == f"page {number}"
        single = write(worker.split(path, number), f"{number}.pdf")
        assert worker.pages(single) == [PageSize(100 + number, 50)]
        assert worker.text(single, 1).strip() == f"page {number}"
        assert np.array_equal(worker.render(single, 1, 300), worker.render(path, number, 300))


def test_a_split_has_the_same_bytes_in_another_process(worker: PdfWorker, write) -> None:
    path = write(hostile.pages(2))
    first = worker.split(path, 2)
    with PdfWorker() as other:
        assert other.split(path, 2) == first
    assert b"Date" not in first
    assert first != worker.split(path, 1)


@needs_shared
def test_real_pages_split_alike(worker: PdfWorker, write) -> None:
    for name in ("earnings.pdf", "mathfuncs.pdf", "lincoln_letter.pdf"):
        path = SHARED / "bench-sample" / "pdfs" / name
        single = write(worker.split(path, 1), name)
        assert single.read_bytes() == worker.split(path, 1)
        assert np.array_equal(worker.render(single, 1, 700), worker.render(path, 1, 700))
        assert worker.text(single, 1) == worker.text(path, 1)
        assert len(PdfReader(single).pages) == 1


@needs_shared
def test_a_hyphen_at_the_end_of_a_line_stays_a_hyphen(worker: PdfWorker) -> None:
    assert "hydroly-\nsis" in worker.text(SHARED / "pdfs" / "not_parsing2.pdf", 1)


def test_a_file_that_changes_is_opened_anew(worker: PdfWorker, write) -> None:
    assert len(worker.pages(write(hostile.pages(2)))) == 2
    assert len(worker.pages(write(hostile.pages(3)))) == 3


def test_fields_of_a_form_are_drawn(worker: PdfWorker, write) -> None:
    appearance = hostile.stream(b"/Type/XObject/Subtype/Form/BBox[0 0 20 10]", b"1 0 0 rg 0 0 20 10 re f")
    content = hostile.pdf(
        b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R]>>>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 50]/Annots[4 0 R]>>",
        b"<</Type/Annot/Subtype/Widget/FT/Tx/T(a)/F 4/Rect[0 0 20 10]/AP<</N 5 0 R>>>>",
        appearance,
    )
    path = write(content)
    image = worker.render(path, 1, 100)
    assert is_red(image)[42:48, 2:18].all() and not is_red(image)[:38].any()
    single = write(worker.split(path, 1), "single.pdf")
    assert np.array_equal(worker.render(single, 1, 100), image)
    assert single.read_bytes() == worker.split(path, 1)
    assert np.array_equal(worker.render(path, 1, 100), image)


def test_what_is_no_pdf(worker: PdfWorker, write, tmp_path: Path) -> None:
    assert reason(worker.pages, tmp_path / "nowhere.pdf") == "missing"
    assert reason(worker.pages, tmp_path) == "missing"
    assert reason(worker.pages, write(b"")) == "not_a_pdf"
    assert reason(worker.render, write(b"Dear Sir or Madam"), 1, 224) == "not_a_pdf"
    assert reason(worker.split, write(b"%PDF-1.7\nand no more"), 1) == "damaged"
    os.mkfifo(tmp_path / "pipe.pdf")
    assert reason(worker.text, tmp_path / "pipe.pdf", 1) == "missing"
    assert reason(worker.pages, write(hostile.EMPTY)) == "no_pages"


def test_pages_that_are_not_there_or_have_no_area(worker: PdfWorker, write) -> None:
    path = write(hostile.pages(2))
    for number in (0, -1, 3, 2**40):
        assert reason(worker.render, path, number, 224) == "bad_page"
        assert reason(worker.split, path, number) == "bad_page"
    tall = write(hostile.drawing(CORNER, b"[0 0 595 2147483648]"), "tall.pdf")
    assert reason(worker.render, tall, 1, 224) == "bad_page"


def test_a_password_opens_what_is_locked(worker: PdfWorker, write, tmp_path: Path) -> None:
    writer = PdfWriter(clone_from=write(hostile.pages(2)))
    writer.encrypt("sesame", "owner", algorithm="RC4-128")
    path = tmp_path / "locked.pdf"
    writer.write(path)
    assert reason(worker.pages, path) == "encrypted"
    assert reason(worker.pages, path, password="wrong") == "encrypted"
    assert len(worker.pages(path, password="sesame")) == 2
    assert worker.text(path, 2, password="sesame").strip() == "page 2"
    assert reason(worker.text, path, 2) == "encrypted"  # the open document is not for everyone
    single = write(worker.split(path, 1, password="sesame"), "single.pdf")
    assert len(worker.pages(single)) == 1


def test_an_empty_document_after_a_locked_one_is_not_called_locked(worker: PdfWorker, write) -> None:
    writer = PdfWriter(clone_from=write(hostile.pages(1)))
    writer.encrypt("sesame", algorithm="RC4-128")
    writer.write(write(b"", "locked.pdf"))
    empty = write(hostile.EMPTY, "empty.pdf")
    assert reason(worker.pages, empty.with_name("locked.pdf")) == "encrypted"
    assert reason(worker.pages, empty) == "no_pages"


def test_a_busy_page_is_stopped_by_the_processor_limit(write) -> None:
    good, bad = write(hostile.pages(1), "good.pdf"), write(hostile.busy())
    with PdfWorker(cpu_seconds=1) as worker:
        worker.pages(good)
        assert reason(worker.render, bad, 1, 224) == "timeout"
        assert len(worker.pages(good)) == 1


def test_a_busy_page_is_stopped_by_the_clock(write) -> None:
    with PdfWorker(wall_seconds=0.5) as worker:
        assert reason(worker.render, write(hostile.busy()), 1, 224) == "timeout"
        assert worker._child.process is None


def test_a_page_cannot_take_all_the_memory(write) -> None:
    good, bad = write(hostile.pages(1), "good.pdf"), write(hostile.bloated())
    with PdfWorker(memory=256 << 20) as worker:
        assert reason(worker.render, bad, 1, 224) == "memory"
        assert len(worker.pages(good)) == 1


def test_a_child_that_does_not_come_up_is_the_hosts_fault(write) -> None:
    """No file has been opened yet: neither a script that ends at once nor one without memory blames it."""
    path = write(hostile.pages(1))
    with PdfWorker() as worker:
        worker._child.script = write(b"raise SystemExit(9)", "child.py")
        with pytest.raises(HostError, match=r"does not start \(exit code 9\)"):
            worker.pages(path)
    with PdfWorker(memory=16 << 20) as worker, pytest.raises(HostError, match="memory"):
        worker.pages(path)


@pytest.mark.skipif(sys.platform == "win32", reason="no such limits")
@pytest.mark.parametrize("most", [6, 8, 10, 12, 16, 24])
def test_few_open_files_are_never_a_files_fault(write, most: int) -> None:
    code = (
        "import resource, sys; from pathlib import Path; from scriptorium.errors import HostError\n"
        "from scriptorium.pages.document import DocumentWorker\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[2]),) * 2)\n"
        "try: print(*DocumentWorker().count([(Path(sys.argv[1]), None)]))\n"
        "except HostError as error: print('host', error)"
    )
    path = write(hostile.pages(3))
    done = subprocess.run([sys.executable, "-c", code, path, str(most)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    wanted = ("host ",) if most < 8 else ("('pdf', 3)",) if most > 20 else ("host ", "('pdf', 3)")
    assert done.stdout.startswith(wanted), done.stdout


def test_a_child_that_was_killed_is_replaced(write) -> None:
    path = write(hostile.pages(3))
    with PdfWorker() as worker:
        worker.pages(path)
        first = worker._child.process
        assert first
        os.kill(first.pid, signal.SIGSEGV)
        assert len(worker.pages(path)) == 3
        assert worker._child.process is not first and first.returncode == -signal.SIGSEGV


def test_limits_are_in_force_and_nothing_outlives_the_worker(write) -> None:
    with PdfWorker(memory=512 << 20) as worker:
        worker.pages(write(hostile.pages(1)))
        assert worker._child.process
        pid = worker._child.process.pid
        assert os.getpgid(pid) == pid != os.getpgid(0)
        limits = Path(f"/proc/{pid}/limits")
        if limits.exists():
            found = {line[:26].strip(): line[26:].split()[1] for line in limits.read_text().splitlines()[1:]}
            assert found["Max address space"] == str(512 << 20)
            assert (found["Max file size"], found["Max core file size"]) == ("0", "0")
            assert int(found["Max open files"]) <= 64
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_child_ends_when_its_parent_is_killed(write) -> None:
    code = (
        "import os, sys, signal; from pathlib import Path; from scriptorium.pages.pdf import PdfWorker\n"
        "worker = PdfWorker(); worker.pages(Path(sys.argv[1]))\n"
        "print(worker._child.process.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, write(hostile.pages(1))], capture_output=True)
    pid = json.loads(done.stdout)
    for _ in range(200):
        state = Path(f"/proc/{pid}/stat")
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    pytest.fail("the child outlived its parent")


@needs_shared
@pytest.mark.parametrize("folder", ["malformed", "pdfs"])
def test_every_file_gives_pages_or_a_reason(folder: str) -> None:
    """Also that the whole collection needs one child: none of these files crashes it."""
    reasons: dict[str, str] = {}
    drawn = 0
    with PdfWorker(cpu_seconds=20) as worker:
        for path in sorted((SHARED / folder).rglob("*")):
            try:
                count = len(worker.pages(path))
            except PdfError as error:
                reasons[path.name] = error.reason
                continue
            for number in range(1, min(count, 3) + 1):
                try:
                    image = worker.render(path, number, 400)
                except PdfError as error:
                    assert error.reason == "bad_page", error
                    continue
                drawn += 1
                assert max(image.shape) == 400
    if folder == "pdfs":
        assert not reasons and drawn >= 30
        return
    assert drawn > 120
    expected = {
        "pdfplumber__empty.pdf": "not_a_pdf",
        "manifest.jsonl": "not_a_pdf",
        "qpdf__bad1.pdf": "not_a_pdf",
        "qpdf__empty.pdf": "no_pages",
        "qpdf__c-r3.pdf": "encrypted",
        "format-corpus__lorem-ipsum-openprintcopypw.pdf": "encrypted",
        "format-corpus__minimal_test.pdf": "damaged",
    }
    assert {name: reasons.get(name) for name in expected} == expected
    assert set(reasons.values()) == {"not_a_pdf", "no_pages", "encrypted", "damaged"}
