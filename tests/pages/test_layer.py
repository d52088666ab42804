"""Language is told from letters that stand for others: in many scripts, and on real files."""

import hashlib
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptorium.pages import layer
from scriptorium.pages.layer import judge
from scriptorium.pages.pdf import PdfWorker

from .speech import ARTICLE, shifted

PDFS = Path(__file__).parents[2].parent / "shared" / "data" / "pdfs"
GOLDEN = {"revision": 1, "sha256": "e4912bedc52fb4ef8fa60d4160810de55dc4f750839ab90014c5291b77d29ea2"}


@pytest.mark.parametrize("code", ARTICLE)
def test_language_is_language(code: str) -> None:
    assert not judge(ARTICLE[code]).fault


@pytest.mark.parametrize("by", [1, -1, 3, 13])
@pytest.mark.parametrize(
    "code", ["en", "de", "fr", "es", "pl", "fi", "ru", "uk", "el", "ar", "he", "zh", "ko"]
)
def test_shifted_letters_are_not(code: str, by: int) -> None:
    assert judge(shifted(ARTICLE[code], by)).fault


@pytest.mark.parametrize("code", ["en", "ru", "el", "ar", "ja", "hi"])
def test_characters_that_stand_for_none(code: str) -> None:
    lost = re.sub(r"[^\W\d_]", lambda found: chr(0xE000 + ord(found[0]) % 0x1000), ARTICLE[code])
    assert "stand for none" in judge(lost).fault
    assert "numbers of glyphs" in judge(re.sub(r"\w", lambda f: f"(cid:{ord(f[0])})", ARTICLE[code])).fault
    assert "stand for none" in judge(ARTICLE[code][:20] + "\ufffd" * 20).fault


@pytest.mark.parametrize("code", ["en", "ru", "el", "pl"])
def test_spaces_lost_and_too_many(code: str) -> None:
    assert "no spaces" in judge(re.sub(r"\W", "", ARTICLE[code])).fault
    assert "spaces between" in judge(" ".join(ARTICLE[code].replace(" ", ""))).fault


def test_a_page_that_is_partly_garbled() -> None:
    lines = [ARTICLE[code] for code in ("en", "de", "fr", "es")] * 3
    assert not judge("\n".join(lines)).fault
    spoilt = [shifted(line, 1) if number < 4 else line for number, line in enumerate(lines)]
    found = judge("\n".join(spoilt))
    assert found.fault and 0.5 < found.good < 0.8


def test_tables_formulas_and_nothing() -> None:
    assert not judge("").fault and not judge(" \n ").fault
    assert not judge("\n".join(f"{n} {n * 1.5} {n * n}" for n in range(100))).fault
    assert not judge("x = y + z\nf(x) = a x + b\n" * 20).fault
    assert not judge("Zm Nodm").fault, "seven letters say nothing"


def test_the_sample_files() -> None:
    if not PDFS.is_dir():
        pytest.skip(f"{PDFS} is missing")
    garbled = {"dolma-page-1.pdf", "olmo-page-1.pdf", "handwriting_bad_ocr.pdf", "some_ocr1.pdf"}
    with PdfWorker() as worker:
        for path in sorted(PDFS.glob("*.pdf")):
            fault = judge(worker.text(path, 1)).fault
            assert bool(fault) == (path.name in garbled), (path.name, fault)


@given(st.text(max_size=400))
def test_any_text_has_a_judgement(text: str) -> None:
    found = judge(text)
    assert 0 <= found.good <= 1 and found.letters >= 0
    assert judge(text) == found


def test_the_revision_belongs_to_this_code() -> None:
    digest = hashlib.sha256(Path(layer.__file__).read_bytes() + layer.PAIRS.read_bytes()).hexdigest()
    assert {"revision": layer.REVISION, "sha256": digest} == GOLDEN, (
        "which layers are garbled may have changed: raise REVISION in src/scriptorium/pages/layer.py if so, "
        f"then put this digest here: {json.dumps(digest)}"
    )
