"""Documents held out: whole, stable when a set grows, of every stratum alike."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptorium.errors import ConfigError, InputError
from scriptorium.mix.held_out import split_pairs
from scriptorium.mix.pairs import kept_pages
from scriptorium.mix.splits import held_out, place
from scriptorium.pages.front_matter import FrontMatter

from .pairs_made import folder_of, prose

NAMES = st.lists(st.text("abcdef/", min_size=1, max_size=6), unique=True, min_size=1, max_size=30)


@given(NAMES, st.text("xyz", min_size=1, max_size=5), st.floats(0, 1))
def test_a_set_that_grows_moves_no_document_but_the_last_of_its_stratum(
    names: list[str], new: str, share: float
) -> None:
    before = held_out([(name, "") for name in names], share)
    after = held_out([(name, "") for name in [*names, new]], share)
    highest = max(names, key=lambda name: (place(name), name))
    assert before - after == set()
    assert after - before <= {new, highest}


def test_shares_hold_in_every_stratum_and_pages_of_a_document_stay_together() -> None:
    pages = [
        (f"{language}{number}", language) for language in ("en", "de", "ja") for number in range(600)
    ] * 3
    out = held_out(pages, 0.1)
    for language in ("en", "de", "ja"):
        assert 40 <= sum(name.startswith(language) for name in out) <= 80
    assert held_out(reversed(pages), 0.1) == out
    assert held_out(pages, 0.1, salt="other") != out


def test_at_least_so_many_pages_and_never_all() -> None:
    pages = [(f"{language}{number}", language) for language in ("en", "de") for number in range(40)]
    out = held_out(pages, 0.0, least=20)
    assert [sum(name.startswith(each) for name in out) for each in ("en", "de")] == [10, 10]
    assert len(held_out(pages, 0.0, least=1000)) == 78
    assert held_out([("only", "en")], 1.0, least=5) == set()


def test_one_folder_as_two(tmp_path: Path) -> None:
    texts = {f"{name}{number:02}": prose(number) for name in "ab" for number in range(10)}
    fronts = {name: FrontMatter("en" if name[0] == "a" else "de") for name in texts}
    tests = [
        {"pdf": f"{name}_pg1.pdf", "page": 1, "id": name, "type": "present", "text": "x"} for name in texts
    ]
    pages = folder_of(tmp_path / "in", texts, fronts=fronts, tests={"text": tests})
    assert split_pairs(pages, tmp_path / "out", 0.0, 6, "language") == {"train": 14, "eval": 6}
    train, held = (
        {row["document"] for row in kept_pages(tmp_path / "out" / name)} for name in ("train", "eval")
    )
    assert train.isdisjoint(held)
    assert train | held == set(texts)
    assert sum(name[0] == "a" for name in held) == 3
    lines = (tmp_path / "out" / "eval" / "text.jsonl").read_text().splitlines()
    assert len(lines) == 6
    with pytest.raises(ConfigError, match="--by colour"):
        split_pairs(pages, tmp_path / "out", 0.1, 0, "colour")
    with pytest.raises(InputError, match="'eval': 0"):
        split_pairs(pages, tmp_path / "out", 0.0, 0, "both")
