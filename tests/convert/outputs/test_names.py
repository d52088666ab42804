"""Names of output files."""

from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptorium.convert.outputs.names import ENDINGS, FORBIDDEN, Names, plain_name

LONGEST_ENDING = "_pg1234567.json"


@pytest.mark.parametrize(
    ("source", "member", "corpus", "name"),
    [
        ("c/x.y.PDF", "", "c", "x.y"),
        ("../c/d/scan", "", "../c", "d/scan"),
        ("x.bin", "", ".", "x.bin"),
        ("one.pdf", "", "one.pdf", "one"),
        ("/a/b.pdf", "", "", "a/b"),
        ("../../a.pdf", "", "", "a"),
        ("s3://bucket/key/a.pdf", "", "", "bucket/key/a"),
        ("s3://bucket/key/a.pdf", "", "s3://bucket/key", "a"),
        ("https://host:80/a?b=c", "", "", "host_80/a_b=c"),
        ("c/books.tar.gz", "in/../x.pdf", "c", "books.tar.gz/in/x"),
        ("C:\\x\\a.pdf", "", "", "C_/x/a"),
        ("C:/x/a.pdf", "", "", "C_/x/a"),
        ("c/a\nb\t🎉.pdf", "", "c", "a_b_🎉"),
        ("c/CON.pdf", "", "c", "CON_"),
        ("c/com1.x.pdf", "", "c", "com1_.x"),
        ("c/nul/console.pdf", "", "c", "nul_/console"),
        ("c/end. ./a...pdf", "", "c", "end___/a.."),
        ("c/a.md/b.pdf", "", "c", "a.md_/b"),
        ("c/.pdf", "", "c", "_"),
    ],
)
def test_a_source_keeps_its_folders_and_loses_what_a_file_system_refuses(
    source: str, member: str, corpus: str, name: str
) -> None:
    assert plain_name(source, member, corpus) == name


def test_two_sources_never_get_one_name() -> None:
    names = Names("c")
    given = [names.give(source, "", digit * 64) for source, digit in (("c/a.pdf", "1"), ("c/A.PDF", "2"))]
    given += [names.give("c/a.pdf", "", "2" * 64), names.give("c/a", "", "3" * 64)]
    assert given == ["a", "A-22222222", "a-22222222-3", "a-33333333"]


def test_a_long_name_is_cut_and_stays_apart_from_its_like() -> None:
    long = "é" * 300
    one, two = plain_name(f"c/{long}1.pdf", "", "c"), plain_name(f"c/{long}2.pdf", "", "c")
    assert one != two and one.startswith("é" * 100)
    assert len((one + LONGEST_ENDING).encode()) <= 250


PARTS = st.text(max_size=90) | st.sampled_from(
    ["..", ".", "CON", "a", "A", "a.md", "a_pg1.json", "aux.txt", " "]
)
SOURCES = st.lists(PARTS, min_size=1, max_size=4).map("/".join)


@given(st.lists(st.tuples(SOURCES, st.sampled_from(["", "m.pdf"]) | SOURCES), max_size=20))
def test_names_are_apart_and_fit_every_file_system(sources: list[tuple[str, str]]) -> None:
    names = Names("")
    given = [names.give(source, member, f"{n:064x}") for n, (source, member) in enumerate(sources)]
    assert len({name.casefold() for name in given}) == len(given)
    folders = {str(parent).casefold() for name in given for parent in PurePosixPath(name).parents}
    for name in given:
        assert not {(name + ending).casefold() for ending in (*ENDINGS, "_pg1.json")} & folders
        for part in name.split("/"):
            assert part not in ("", ".", "..") and not FORBIDDEN.search(part)
            assert len((part + LONGEST_ENDING).encode()) <= 250
        assert all(not part.endswith((".", " ")) for part in name.split("/")[:-1])


@given(SOURCES)
def test_every_name_can_be_written_below_its_folder(source: str) -> None:
    root = Path("/root/of/outputs")
    assert (root / (plain_name(source, "", "") + ".md")).resolve().is_relative_to(root)
