"""Shards: the same bytes for the same arguments, splits that share no word, files as promised."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from scriptorium.errors import ConfigError, InputError
from scriptorium.files import read_jsonl, sha256_json, sha256_tree
from scriptorium.synth import REVISION, shard
from scriptorium.synth.grid import lines, primer
from scriptorium.synth.grid.gate import text_layers
from scriptorium.synth.shard import make_shard

SCRIPT = Path(__file__).parents[2] / "workflow" / "scripts" / "synth_shard.py"

DIGESTS = {"lines": "1ad2059ec27a393e", "primer": "2536abde2d29bbe9", "mixed": "144f3c0055a7681a"}
"""Of the pages and tests of the shard below, at revision 1."""


def made(out: Path, **changes: Any) -> Path:
    """A small shard of the family primer."""
    values = {"family": "primer", "source": "primer", "split": "sft", "shard": 0, "pages": 20, "seed": 1}
    make_shard(**(values | changes), out=out)
    return out


def visible_tokens(folder: Path) -> set[str]:
    """Every token that is drawn on any page: headers, page numbers and cells too."""
    layers = [text for pdf in folder.glob("documents/*.pdf") for text in text_layers(pdf.read_bytes())]
    return set(re.findall("[a-z0-9]+", " ".join(layers)))


@pytest.mark.parametrize("family", ["primer", "lines"])
def test_same_arguments_same_bytes(tmp_path: Path, family: str) -> None:
    first = sha256_tree(made(tmp_path / "a", family=family))
    arguments = {"family": family, "source": "primer", "split": "sft", "shard": 0, "pages": 20, "seed": 1}
    command = [sys.executable, str(SCRIPT), "--out", str(tmp_path / "b")]
    command += [part for key, value in arguments.items() for part in (f"--{key}", str(value))]
    subprocess.run(command, check=True, env=os.environ | {"PYTHONHASHSEED": "7"})
    assert sha256_tree(tmp_path / "b") == first


@pytest.mark.parametrize("change", [{"shard": 1}, {"seed": 2}, {"split": "pretrain"}, {"source": "other"}])
def test_another_argument_gives_other_pages(tmp_path: Path, change: dict[str, Any]) -> None:
    texts = [
        {row["text"] for row in read_jsonl(made(tmp_path / name, **kind) / "pages.jsonl")}
        for name, kind in (("a", {}), ("b", change))
    ]
    assert not texts[0] & texts[1]


@pytest.mark.parametrize(("family", "digest"), DIGESTS.items())
def test_pages_change_only_with_the_revision(tmp_path: Path, family: str, digest: str) -> None:
    """If this fails on purpose, raise REVISION and write down the new digests."""
    rows = read_jsonl(made(tmp_path / "x", family=family) / "pages.jsonl")
    assert (REVISION, sha256_json(rows)[:16]) == (1, digest)


def test_a_shard_does_not_depend_on_its_size(tmp_path: Path) -> None:
    """More pages add to the shard; those there stay."""
    few, many = (read_jsonl(made(tmp_path / str(n), pages=n) / "pages.jsonl") for n in (7, 20))
    assert [row["text"] for row in many[:7]] == [row["text"] for row in few]


def test_no_two_splits_share_a_token(tmp_path: Path) -> None:
    splits = ("sft", "rl", "dev", "bench", "corpus")
    tokens = {split: visible_tokens(made(tmp_path / split, split=split, pages=150)) for split in splits}
    tokens["lines"] = visible_tokens(made(tmp_path / "lines", family="lines", split="pretrain", pages=300))
    for one in tokens:
        for other in tokens:
            if one != other and {one, other} != {"sft", "lines"}:
                assert not tokens[one] & tokens[other], (one, other)
    assert min(map(len, tokens.values())) > 500


@pytest.mark.parametrize(("family", "pages"), [("primer", 60), ("lines", 230)])
def test_pages_jsonl_and_documents_agree(tmp_path: Path, family: str, pages: int) -> None:
    folder = made(tmp_path / "x", family=family, source="some", shard=3, pages=pages)
    rows = read_jsonl(folder / "pages.jsonl")
    assert len(rows) == pages
    assert {tuple(row) for row in rows} == {("document", "page", "text", "tests", "group")}
    at = 0
    for pdf in sorted(folder.glob("documents/*.pdf")):
        assert re.fullmatch(r"some-sft-00003-\d{4}", pdf.stem)
        layers = text_layers(pdf.read_bytes())
        shortest, longest = {"primer": primer, "lines": lines}[family].PAGES_PER_DOCUMENT
        assert shortest <= len(layers) <= longest or pdf.stem == rows[-1]["document"]
        for number, layer in enumerate(layers, 1):
            row = rows[at]
            assert (row["document"], row["page"]) == (pdf.stem, number)
            last_line = re.sub("<[^>]*>", "\n", row["text"]).strip().splitlines()[-1]
            assert last_line in layer
            at += 1
    assert at == pages


def test_the_groups_of_lines_take_turns_and_have_their_page_sizes(tmp_path: Path) -> None:
    folder = made(tmp_path / "x", family="lines", pages=2 * len(lines.GRIDS))
    rows = read_jsonl(folder / "pages.jsonl")
    assert [row["group"] for row in rows] == list(lines.GRIDS) * 2
    assert not any(row["tests"] for row in rows)
    (pdf,) = folder.glob("documents/*.pdf")
    with pypdfium2.PdfDocument(pdf) as document:
        for row, page in zip(rows, document, strict=True):
            columns, height = map(int, row["group"].split("x"))
            assert page.get_size() == (14 * columns, 28 * height)
            assert len(row["text"].split("\n---\n")[1].splitlines()) == height


def test_an_old_shard_is_replaced_whole(tmp_path: Path) -> None:
    folder = made(tmp_path / "x")
    (folder / "stray.txt").write_text("left over")
    made(folder, pages=3)
    assert sorted(p.name for p in folder.iterdir()) == ["documents", "pages.jsonl"]
    assert len(read_jsonl(folder / "pages.jsonl")) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"family": "novel"}, "'novel' is unknown; use one of lines, primer, article"),
        ({"split": "test"}, "'test' is unknown"),
        ({"pages": 0}, "pages is 0"),
    ],
)
def test_wrong_arguments_leave_nothing(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        made(tmp_path / "x", **change)
    assert list(tmp_path.iterdir()) == []


def test_rejected_pages_are_drawn_anew_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A tighter limit rejects some pages of the real family; the shard still has its number of pages."""
    monkeypatch.setattr("scriptorium.synth.grid.gate.TOKENS_AT_MOST", 70)
    folder = made(tmp_path / "x", pages=60)
    assert len(read_jsonl(folder / "pages.jsonl")) == 60
    assert re.search(r"60 pages of revision 1; rejected \d+: truth too long", capsys.readouterr().err)


def test_a_family_that_cannot_pass_is_an_error_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scriptorium.synth.grid.gate.TOKENS_AT_MOST", 10)
    with pytest.raises(InputError, match=f"rejected {shard.ATTEMPTS} times, last because: truth too long"):
        made(tmp_path / "x")
    assert list(tmp_path.iterdir()) == []
