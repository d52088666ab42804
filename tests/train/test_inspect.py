"""A sample taken apart: its tokens are the trainer's, its image is the page, its HTML needs nothing else."""

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from transformers import AutoProcessor
from typer.testing import CliRunner

from scriptorium.cli import app
from scriptorium.errors import InputError
from scriptorium.pages import front_matter
from scriptorium.pages.image import encode_png
from scriptorium.serve.adapter import load
from scriptorium.train.inspect import Inspection, page, read_sample, seen, take_apart
from scriptorium.train.rows import Encoder, picture

TINY = load("tiny")


@pytest.fixture(scope="module")
def found(base: Path, rows: Path) -> Inspection:
    return take_apart(read_sample(rows, 5, TINY), base, TINY)


def test_the_answer_is_what_is_learnt_and_ends(found: Inspection, base: Path, rows: Path) -> None:
    row = pq.read_table(rows).to_pylist()[5]
    learnt = [token for token in found.tokens if token.learnt]
    assert "".join(token.text for token in learnt[:-1]) == row["text"]
    assert learnt[-1].text == "<|im_end|>" and learnt[-1] == found.tokens[-1]
    ids = Encoder(AutoProcessor.from_pretrained(base), TINY.prompt).samples([row])[0].ids.tolist()
    assert [token.id for token in found.tokens] == ids
    assert found.lengths["image"] == 8 == 112 * 56 // 28**2
    assert (
        sum(found.lengths[name] for name in ("image", "prompt", "answer")) == found.lengths["all"] == len(ids)
    )


def test_the_image_is_drawn_back_from_the_models_tensors(found: Inspection, rows: Path) -> None:
    drawn = np.asarray(picture(pq.read_table(rows).to_pylist()[5]))
    assert found.image.shape == drawn.shape == (56, 112, 3)
    assert np.abs(found.image.astype(int) - drawn).max() <= 1


def test_an_image_that_is_resized_is_seen_as_it_became(base: Path) -> None:
    gradient = np.tile(np.linspace(0, 255, 100).astype(np.uint8)[None, :, None], (70, 1, 3)).copy()
    gradient[:20] = 255
    text = front_matter.encode(front_matter.FrontMatter(), "abc")
    found = take_apart({"id": "x", "image": encode_png(gradient), "text": text}, base, TINY)
    high, wide = found.image.shape[:2]
    assert high % 28 == wide % 28 == 0 and found.drawn == (100, 70)
    expected = np.asarray(Image.fromarray(gradient).resize((wide, high), Image.Resampling.BICUBIC))
    assert np.abs(found.image.astype(int) - expected).mean() < 2


def test_families_without_patches_show_their_first_tile(base: Path) -> None:
    import torch

    from scriptorium.train.packing import Sample

    processor = AutoProcessor.from_pretrained(base)
    mean, deviation = (
        torch.tensor(each).view(3, 1, 1)
        for each in (processor.image_processor.image_mean, processor.image_processor.image_std)
    )
    picture = torch.randint(0, 256, (3, 8, 12), dtype=torch.uint8)
    pixels = ((picture / 255 - mean) / deviation)[None, None]
    empty = torch.zeros(1, dtype=torch.long)
    drawn = seen(Sample(empty, empty, empty, {"pixel_values": pixels}), processor)
    assert np.array_equal(drawn, picture.permute(1, 2, 0).numpy())


class Seen(HTMLParser):
    """Tags and addresses of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]


def test_the_page_needs_nothing_else_and_text_stays_text(base: Path) -> None:
    text = front_matter.encode(front_matter.FrontMatter(), "abc #")
    drawn = encode_png(np.full((56, 56, 3), 255, np.uint8))
    found = take_apart({"id": "<script>x", "image": drawn, "text": text}, base, TINY)
    parsed = Seen()
    parsed.feed(page(found))
    assert "script" not in parsed.tags and "link" not in parsed.tags
    assert len(parsed.addresses) == 1 and parsed.addresses[0].startswith("data:image/png;base64,")
    assert parsed.tags.count("tr") == 2 + len(found.tokens) - found.lengths["image"]
    assert not re.search(r"https?://", page(found))


def test_the_command_reads_a_pair(base: Path, tmp_path: Path) -> None:
    pdfs = Path(__file__).parents[2] / "docs" / "examples" / "bench" / "pdfs" / "letter.pdf"
    (tmp_path / "letter.pdf").write_bytes(pdfs.read_bytes())
    (tmp_path / "letter.md").write_text(front_matter.encode(front_matter.FrontMatter(), "dear reader"))
    out = tmp_path / "x.html"
    done = CliRunner().invoke(
        app, ["inspect", str(tmp_path / "letter.md"), "--model", str(base), "--out", str(out)]
    )
    assert done.exit_code == 0, done.output
    assert (
        "letter: " in done.stdout
        and "learnt is '---\\n'" in done.stdout
        and out.read_text().startswith("<!doc")
    )


@pytest.mark.parametrize(
    ("name", "row", "words"),
    [
        ("sft.parquet", 40, "no row 40; it has the rows 0 to 39"),
        ("nothing.md", 0, r"nothing\.pdf: no such file"),
    ],
)
def test_what_is_not_there_is_named(rows: Path, name: str, row: int, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_sample(rows.with_name(name), row, TINY)


def test_a_page_without_text_is_refused(base: Path) -> None:
    with pytest.raises(InputError, match="no text to learn"):
        take_apart({"id": "x", "image": b"", "text": None}, base, TINY)


def test_the_image_comes_first_where_the_adapter_says_so(base: Path, rows: Path) -> None:
    row = read_sample(rows, 0, TINY)
    first = take_apart(row, base, TINY.model_copy(update={"image_first": True}))
    later = take_apart(row, base, TINY)
    places = [next(t.place for t in each.tokens if t.image) for each in (first, later)]
    assert places[0] < places[1] and first.lengths == later.lengths
