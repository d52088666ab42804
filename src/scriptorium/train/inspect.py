"""One training sample as the model is given it: its tokens, which of them it learns, and its image, drawn back.

The image is made from the tensors that go into the model, not from the file: what is lost on the way is seen.
"""

import base64
import html
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoProcessor, ProcessorMixin

from scriptorium.errors import InputError
from scriptorium.pages import front_matter
from scriptorium.pages.image import encode_png
from scriptorium.pages.pdf import PdfWorker
from scriptorium.serve.adapter import Adapter
from scriptorium.train.loss import IGNORED
from scriptorium.train.packing import Sample
from scriptorium.train.rows import Encoder, picture


@dataclass(frozen=True)
class Token:
    """A token: its place, number and text, whether it stands for a part of the image, whether it is learnt."""

    place: int
    id: int
    text: str
    image: bool
    learnt: bool


@dataclass(frozen=True)
class Inspection:
    """A sample taken apart: tokens, the image as the model sees it (uint8, (H, W, 3)), sizes before and after."""

    name: str
    prompt_sha256: str
    tokens: list[Token]
    image: np.ndarray
    drawn: tuple[int, int]

    @property
    def lengths(self) -> dict[str, int]:
        """Tokens by what they are: image, prompt, answer, and all."""
        image = sum(token.image for token in self.tokens)
        answer = sum(token.learnt for token in self.tokens)
        return {
            "image": image,
            "prompt": len(self.tokens) - image - answer,
            "answer": answer,
            "all": len(self.tokens),
        }


def read_sample(path: Path, row: int, adapter: Adapter) -> dict[str, Any]:
    """The row behind a sample: a pair (X.md or X.pdf, the other beside it), or row `row` (from 0) of a parquet file.

    A pair's page is drawn as the data rules draw it. Raises InputError for a half of a pair that is missing, truth
    that is not front matter and text, or a row that is not there.
    """
    if path.suffix == ".parquet":
        return _row(path, row)
    pdf, truth = path.with_suffix(".pdf"), path.with_suffix(".md")
    for part in (pdf, truth):
        if not part.is_file():
            raise InputError(
                f"{part}: no such file; a sample is X.pdf with X.md beside it, or a .parquet of rows"
            )
    text = truth.read_text(encoding="utf-8")
    front_matter.decode(text)
    with PdfWorker() as worker:
        drawn = worker.render(pdf, 1, adapter.image_side, max_scale=adapter.max_scale)
    return {"id": path.stem, "image": encode_png(drawn), "text": text}


def _row(path: Path, number: int) -> dict[str, Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(f"{path}: cannot be read ({error}); pack the rows anew") from error
    count = file.metadata.num_rows
    if not 0 <= number < count:
        raise InputError(f"{path}: no row {number}; it has the rows 0 to {count - 1}")
    before = 0
    for group in range(file.metadata.num_row_groups):
        size = file.metadata.row_group(group).num_rows
        if number < before + size:
            found: dict[str, Any] = file.read_row_group(group).slice(number - before, 1).to_pylist()[0]
            return found
        before += size
    raise InputError(f"{path}: its row groups hold fewer rows than its metadata says; pack the rows anew")


def take_apart(row: dict[str, Any], model: Path, adapter: Adapter, target: str = "page") -> Inspection:
    """A row as the model in the folder `model` is trained on it; its processor is read, its weights are not."""
    if not row.get("text"):
        raise InputError(f"{row['id']}: it has no text to learn; it is a page for reinforcement or a bench")
    processor = AutoProcessor.from_pretrained(model)
    encoder = Encoder(processor, adapter.prompt, target, adapter.image_first)
    sample = encoder.samples([row])[0]
    tokens = [
        Token(place, number, encoder.tokenizer.decode([number]), bool(kind), label != IGNORED)
        for place, (number, kind, label) in enumerate(
            zip(sample.ids.tolist(), sample.kinds.tolist(), sample.labels.tolist(), strict=True)
        )
    ]
    return Inspection(row["id"], adapter.prompt_sha256, tokens, seen(sample, processor), picture(row).size)


def seen(sample: Sample, processor: ProcessorMixin) -> np.ndarray:
    """The image of a sample from its tensors: uint8 (H, W, 3).

    Qwen's families cut it into patches, merged `merge_size` by `merge_size`, each repeated over time; others keep
    (channels, H, W), of which the first tile is shown.
    """
    images = processor.image_processor
    pixels = sample.image["pixel_values"].float()
    if "image_grid_thw" in sample.image:
        _, high, wide = sample.image["image_grid_thw"][0].tolist()
        side, merged, times = images.patch_size, images.merge_size, images.temporal_patch_size
        shape = (-1, high // merged, wide // merged, merged, merged, 3, times, side, side)
        first = pixels.reshape(shape)[
            0, ..., 0, :, :
        ]  # rows, columns, inner rows, inner columns, 3, side, side
        planes = first.permute(4, 0, 2, 5, 1, 3, 6).reshape(3, high * side, wide * side)
    else:
        planes = pixels.reshape(-1, *pixels.shape[-3:])[0]
    mean, deviation = (torch.tensor(each).view(3, 1, 1) for each in (images.image_mean, images.image_std))
    values = (planes * deviation + mean) * 255
    return values.round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).contiguous().numpy()


def summary(found: Inspection) -> list[str]:
    """What is said on a terminal."""
    lengths = found.lengths
    high, wide = found.image.shape[:2]
    return [
        f"{found.name}: {lengths['all']} tokens: {lengths['image']} image, {lengths['prompt']} prompt, "
        f"{lengths['answer']} learnt",
        f"image drawn at {found.drawn[0]} x {found.drawn[1]}, seen at {wide} x {high} pixels",
        f"prompt {found.prompt_sha256[:12]}; the first token learnt is {_first_learnt(found)!r}, "
        f"the last {found.tokens[-1].text!r}",
    ]


def _first_learnt(found: Inspection) -> str:
    return next((token.text for token in found.tokens if token.learnt), "")


STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
img { max-width: 100%; border: 1px solid #8888; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
td, th { padding: .1rem .7rem; text-align: right; border-bottom: 1px solid #8883; }
td.text { text-align: left; font-family: ui-monospace, monospace; white-space: pre-wrap; }
tr.learnt { background: #3a93; } tr.image { background: #37d3; }
"""


def page(found: Inspection) -> str:
    """An HTML page that needs nothing but itself: lengths, the image, and every token; image tokens are one row."""
    data = base64.b64encode(encode_png(found.image)).decode("ascii")
    head = "".join(f"<p>{html.escape(line)}</p>" for line in summary(found))
    rows = []
    for image, run in groupby(found.tokens, key=lambda token: token.image):
        tokens = list(run)
        if image:
            first, last = tokens[0], tokens[-1]
            text = f"{html.escape(first.text)} × {len(tokens)}"
            place = f"{first.place}–{last.place}"
            rows.append(
                f'<tr class="image"><td>{place}<td>{first.id}<td class="text">{text}<td>image<td></tr>'
            )
        else:
            rows += [_token(token) for token in tokens]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(found.name)}</title>'
        f"<style>{STYLE}</style></head><body>\n<h1>{html.escape(found.name)}</h1>\n{head}\n"
        f'<h2>The page as the model sees it</h2>\n<img alt="page" src="data:image/png;base64,{data}">\n'
        "<h2>Tokens</h2>\n<p>Green: learnt. Blue: the image.</p>\n<table>\n"
        "<tr><th>place<th>id<th>text<th>kind<th>learnt</tr>\n"
        + "\n".join(rows)
        + "\n</table>\n</body></html>\n"
    )


def _token(token: Token) -> str:
    text = html.escape(token.text).replace("\n", "⏎\n")
    kind, mark = (' class="learnt"', "yes") if token.learnt else ("", "")
    return f'<tr{kind}><td>{token.place}<td>{token.id}<td class="text">{text}<td>text<td>{mark}</tr>'
