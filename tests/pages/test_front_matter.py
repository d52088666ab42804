"""The codec of front matter: strict one way, forgiving where a model's answer is taken apart."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptorium.pages.front_matter import ROTATIONS, FrontMatter, FrontMatterError, body, decode, encode

SHARED = Path(__file__).parents[2].parent / "shared" / "data"

HEAD = (
    "---\nprimary_language: en\nis_rotation_valid: True\nrotation_correction: 0\n"
    "is_table: False\nis_diagram: False\n---"
)

letters = st.text("abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=2)
fronts = st.builds(
    FrontMatter,
    primary_language=st.none() | letters,
    is_rotation_valid=st.booleans(),
    rotation_correction=st.sampled_from(ROTATIONS),
    is_table=st.booleans(),
    is_diagram=st.booleans(),
)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"))


@given(fronts, texts)
def test_what_is_written_is_read(front: FrontMatter, text: str) -> None:
    document = encode(front, text)
    assert decode(document) == (front, text.strip() or None)
    assert body(document) == text.strip()
    assert decode(document.replace("\n", "\r\n")) == decode("\ufeff" + document) == decode(document)


@given(fronts)
def test_a_blank_page_ends_with_the_dashes(front: FrontMatter) -> None:
    assert encode(front, None) == encode(front, "") == encode(front, " \n") == encode(front, None).rstrip()
    assert encode(front, None).endswith("---") and decode(encode(front, None)) == (front, None)


@given(st.text() | texts.map(lambda text: HEAD[:40] + text) | texts.map(lambda text: "---\n" + text))
def test_body_takes_anything(text: str) -> None:
    assert isinstance(body(text), str)
    try:
        _, found = decode(text)
    except FrontMatterError:
        return
    assert body(text) == (found or "")


def test_the_bytes_are_fixed() -> None:
    assert encode(FrontMatter(), "Text.") == HEAD + "\nText."
    assert encode(FrontMatter(None, False, 270, True, True), None) == (
        "---\nprimary_language: null\nis_rotation_valid: False\nrotation_correction: 270\n"
        "is_table: True\nis_diagram: True\n---"
    )


@pytest.mark.parametrize(
    ("old", "new", "front"),
    [
        ("en", "no", FrontMatter("no")),  # YAML 1.1 would read Norwegian as False
        ("en", "null", FrontMatter(None)),
        ("en", "", FrontMatter(None)),
        ("False", "false", FrontMatter()),
        ("True", "true", FrontMatter()),
        ("is_table: False", "is_table: TRUE", FrontMatter(is_table=True)),
        ("correction: 0", "correction:  90 ", FrontMatter(rotation_correction=90)),
    ],
)
def test_values_read(old: str, new: str, front: FrontMatter) -> None:
    assert decode(HEAD.replace(old, new) + "\nText.") == (front, "Text.")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("", "no block"),
        ("Text.", "no block"),
        (HEAD[:-4], "no block"),  # the end marker is missing
        (HEAD[:-3] + "----\nText.", "no block"),
        ("-" + HEAD, "no block"),
        ("\n" + HEAD, "no block"),
        (HEAD.replace("is_table: False\n", ""), "keys"),
        (HEAD.replace("is_table", "is_tabel"), "keys"),
        (HEAD.replace("\n---", "\nauthor: me\n---"), "keys"),
        (HEAD.replace("is_table: False\nis_diagram: False", "is_diagram: False\nis_table: False"), "keys"),
        (HEAD.replace("is_diagram: False", "is_diagram: False\nis_diagram: True"), "keys"),
        ("---\n---\nText.", "keys"),
        (HEAD.replace("en", "eng"), "primary_language 'eng'"),
        (HEAD.replace("en", "EN"), "primary_language 'EN'"),
        (HEAD.replace("True", "yes"), "is_rotation_valid 'yes'"),
        (HEAD.replace(": 0", ": 45"), "rotation_correction '45'"),
        (HEAD.replace(": 0", ": -90"), "rotation_correction '-90'"),
    ],
)
def test_what_is_refused(document: str, message: str) -> None:
    with pytest.raises(FrontMatterError, match=message):
        decode(document)


@pytest.mark.parametrize(
    ("document", "text"),
    [
        (HEAD + "\nText.\n---\nMore.", "Text.\n---\nMore."),
        (HEAD.replace("is_table: False\n", "") + "\nText.", "Text."),  # a fault in the header costs no text
        (HEAD.replace("en", "english") + "\n\nText. ", "Text."),
        (HEAD[:-4] + "\nText.", HEAD[:-4] + "\nText."),  # without an end it is all text
        ("---\nA rule above and below.\n---\nText.", "---\nA rule above and below.\n---\nText."),
        ("Text.\n---\nis_table: True\n---\n", "Text.\n---\nis_table: True\n---\n"),
        ("", ""),
    ],
)
def test_body(document: str, text: str) -> None:
    assert body(document) == text


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared sample pairs are not there")
def test_pairs_of_the_mix_come_back_byte_for_byte() -> None:
    found = sorted((SHARED / "mix-sample").rglob("*.md"))
    assert len(found) == 3
    for path in found:
        document = path.read_text("utf-8")
        assert encode(*decode(document)) == document.rstrip()
