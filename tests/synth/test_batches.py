"""Pages of the browser pass the gate that pages of typst pass, and come in the order that was asked for."""

from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("playwright")

import pypdfium2

from scriptorium.errors import InputError
from scriptorium.synth import batches
from scriptorium.synth.batches import make_samples
from scriptorium.synth.chromium import PROGRAMS, Chromium
from scriptorium.synth.gate import reject
from scriptorium.synth.sheets import MIXED


@pytest.mark.skipif(not any(Path(each).exists() for each in PROGRAMS), reason="no Chromium here: install it")
def test_batches_pass_the_gate_and_a_page_does_not_depend_on_its_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Chromium() as browser:
        rejects = Counter[str]()
        samples = make_samples(MIXED, "sft", "key", range(18), browser, rejects)
        assert [reject(each.sheet, each.page, list(each.tests)) for each in samples] == [None] * 18
        assert len({each.sheet.family for each in samples}) == 18
        for each in samples:
            with pypdfium2.PdfDocument(each.pdf) as document:
                assert len(document) == 1
        again = make_samples(MIXED, "sft", "key", (5, 3), browser, Counter())
        assert [each.tests for each in again] == [samples[5].tests, samples[3].tests]
        assert [each.sheet for each in again] == [samples[5].sheet, samples[3].sheet]

        monkeypatch.setattr(batches, "reject", lambda *_: "clipped: everything")
        with pytest.raises(
            InputError, match="family 'letter': a page was rejected 20 times, last because: clipped"
        ):
            make_samples("letter", "sft", "key", (0,), browser, rejects)
        assert rejects["letter, clipped"] >= 20
