"""Signals of a text's quality, the ink of its page, and its language."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptorium.pages.ink import measure as ink
from scriptorium.pages.language import identify, same
from scriptorium.pages.signals import measure, of_text, repetition, unclosed, words

from .speech import ARTICLE, shifted

LONG = "\n\n".join(ARTICLE[code] for code in ("en", "de", "fr", "es", "pl"))


@pytest.mark.parametrize("code", [code for code in ARTICLE if code != "uk"])
def test_languages(code: str) -> None:
    assert same(identify(ARTICLE[code]).code, code)


def test_no_language() -> None:
    assert identify("").code == identify("12 34").code == identify("Page 3").code == ""
    assert identify(shifted(ARTICLE["en"], 1) * 3).code != "en"
    assert same("zh-Hans", "zh") and same("nb", "no") and not same("de", "en")


def test_agreement_is_free_of_order_markup_and_hyphens() -> None:
    layer = ARTICLE["en"].replace("conscience", "con-\nscience").upper() + "\n17"
    text = "# Title\n\n**" + " ".join(reversed(ARTICLE["en"].split())) + "**"
    found = measure(text, layer)
    assert found["recall"] == pytest.approx(30 / 31, abs=0.01) and found["precision"] > 0.95
    assert words("<td>A&#x20;b</td> \\textbf{c} [d](https://x.org/e)") == ["a", "x20", "b", "c", "d"]
    assert words("東京 abc") == ["東", "京", "abc"]


def test_a_garbled_or_tiny_layer_is_no_witness() -> None:
    found = measure(LONG, shifted(LONG, 1))
    assert "recall" not in found and "no order" in found["layer_fault"]
    assert "recall" not in measure(LONG, "Page 3") and "layer_letters" not in measure(LONG, "")


def test_half_a_text_and_an_invented_one() -> None:
    half = measure(LONG[: len(LONG) // 2], LONG)
    assert half["recall"] < 0.6 and half["precision"] > 0.95
    wrong = measure(ARTICLE["fi"], ARTICLE["en"])
    assert wrong["recall"] < 0.1 and wrong["precision"] < 0.1
    assert measure("", ARTICLE["en"])["precision"] == 0


def test_repetition() -> None:
    assert repetition(words(LONG)) == 0
    assert repetition(words(LONG + ARTICLE["en"] * 5)) > 0.4
    assert repetition(["word"] * 100) > 0.8
    rows = " ".join(f"<tr><td>{n}</td><td>0</td><td>0</td><td>yes</td></tr>" for n in range(40))
    assert repetition(words(rows)) < 0.8 and repetition(words("1 2 3 " * 100)) == 0


def test_unclosed() -> None:
    whole = (
        r"<table><tr><td>a</td></tr></table> \(x\) \[\left(y\right)\] $$z$$ \begin{a}\end{a} \leftarrow a < b"
    )
    assert unclosed(whole) == 0
    assert unclosed("<table><tr><td>a") == 3 and unclosed(r"\(x") == 1 and unclosed("$$x") == 1
    assert unclosed(r"\left( x") == 1 and unclosed("</b>") == 1 and unclosed("<br>") == 0


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_can_be_measured(text: str, layer: str) -> None:
    found = measure(text, layer)
    assert found == measure(text, layer) and of_text(text).items() <= found.items()
    assert all(0 <= found[key] <= 1 for key in ("good", "repetition", "confidence"))
    assert all(0 <= found.get(key, 0) <= 1 for key in ("recall", "precision"))


def test_ink_is_what_differs_from_the_ground() -> None:
    page = np.full((1288, 640, 3), 255, np.uint8)
    assert ink(page) == (0.0, 0)
    page[:128] = 0
    assert ink(page) == (0.09938, 81920) == ink(255 - page)
    assert ink(page[::2, ::2]).pixels == 81920, "as many pixels whatever the size"
    page[700:] = 220
    assert ink(page).share == 0.09938, "a shade is no ink"
