"""Page ranges and globs."""

import fnmatch
from pathlib import PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scriptorium.convert.patterns import has_magic, matches, split_base
from scriptorium.convert.ranges import parse_ranges, selected
from scriptorium.errors import InputError

RANGES = st.lists(
    st.tuples(st.integers(1, 60), st.one_of(st.none(), st.integers(0, 40))), min_size=1, max_size=6
)


@settings(deadline=None)
@given(RANGES, st.integers(0, 80))
def test_what_is_written_is_what_is_selected(ranges: list[tuple[int, int | None]], count: int) -> None:
    text = ", ".join(f"{a}-" if n is None else f"{a}-{a + n}" if n else str(a) for a, n in ranges)
    wanted = {p for a, n in ranges for p in range(1, count + 1) if p >= a and (n is None or p <= a + n)}
    pages, missing = selected(parse_ranges(text), count)
    assert pages == sorted(wanted)
    assert missing == sorted({a for a, _ in ranges if a > count})


def test_no_range_is_every_page() -> None:
    assert parse_ranges(" ") == () and selected((), 3) == ([1, 2, 3], [])


@pytest.mark.parametrize("text", ["0", "3-1", "-4", "a", "1,,2", "1-2-3", "1 2", "99999999", "1.5", "٣"])
def test_what_is_no_range_is_named(text: str) -> None:
    with pytest.raises(InputError, match="pages"):
        parse_ranges(text)


@settings(deadline=None)
@given(st.text("ab[]*?!-", max_size=8), st.text("ab-", min_size=1, max_size=5))
def test_a_glob_of_one_name_is_as_fnmatch_has_it(pattern: str, name: str) -> None:
    if "[" not in pattern:
        assert matches(name, pattern) == fnmatch.fnmatchcase(name, pattern)
    else:
        assert matches(name, pattern) in (True, False)  # any pattern compiles


@settings(deadline=None)
@given(st.lists(st.text("ab.", min_size=1, max_size=3), min_size=1, max_size=5))
def test_two_stars_cross_folders_and_one_does_not(parts: list[str]) -> None:
    path = "/".join(parts)
    assert matches(path, "**") and matches(path, f"**/{parts[-1]}")
    assert matches(path, "*") == (len(parts) == 1)
    assert matches(path, "*/" * (len(parts) - 1) + "*")


def test_globs() -> None:
    assert matches("a/b/c.pdf", "a/**/*.pdf") and matches("a/c.pdf", "a/**/*.pdf")
    assert matches("x7.pdf", "x[0-9].pdf") and not matches("xa.pdf", "x[0-9].pdf")
    assert matches("xa.pdf", "x[!0-9].pdf") and not matches("x/.pdf", "x[!0-9].pdf")
    assert matches("[x", "[x") and not matches("a.PDF", "*.pdf")
    assert split_base("/a/b/*.pdf") == ("/a/b", "*.pdf") and split_base("*.pdf") == (".", "*.pdf")
    assert has_magic("a[1]") and not has_magic(str(PurePosixPath("a") / "b.pdf"))
