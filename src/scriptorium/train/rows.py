"""Training rows as the data rules packed them, turned into batches of tensors."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset, concatenate_datasets
from PIL import Image
from transformers import ProcessorMixin

from scriptorium.errors import InputError
from scriptorium.pages import front_matter
from scriptorium.serve.adapter import message_content
from scriptorium.train.loss import IGNORED
from scriptorium.train.packing import Sample, check_kinds, joined


def read_rows(files: list[Path], cache: Path, amount: int | float = 1.0) -> Dataset:
    """The rows of some parquet files, memory-mapped; `amount` is a share (float) or a number of rows (int)."""
    if not files:
        raise InputError("no file of training rows: the stage's `data` names no source")
    rows = concatenate_datasets(
        [Dataset.from_parquet(str(file), cache_dir=str(cache), keep_in_memory=False) for file in files]
    )
    wanted = amount if isinstance(amount, int) else round(amount * len(rows))
    if not 0 < wanted <= len(rows):
        raise InputError(f"{files[0]}: {amount} of {len(rows)} rows asked for")
    return rows.select(range(wanted))


def picture(row: dict[str, Any]) -> Image.Image:
    """A row's page as an RGB picture."""
    return Image.open(io.BytesIO(row["image"])).convert("RGB")


def question(prompt: str, image_first: bool = False) -> list[dict[str, Any]]:
    """The conversation that asks for a page, as the server is asked for it later."""
    content = message_content(prompt, {"type": "image"})
    return [{"role": "user", "content": content[::-1] if image_first else content}]


class Encoder:
    """Rows to model inputs: pages through the processor, answers through its tokenizer.

    `target` says what is to be learnt: `page`, front matter and text; `text`, the text alone. `image_first`: the
    image before the prompt, as the model adapter says.
    """

    def __init__(
        self, processor: ProcessorMixin, prompt: str, target: str = "page", image_first: bool = False
    ) -> None:
        self.processor = processor
        self.tokenizer = processor.tokenizer
        self.target = target
        self.question = processor.apply_chat_template(
            question(prompt, image_first), add_generation_prompt=True, tokenize=False
        )

    def prompts(self, rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        """Model inputs of the questions, padded on the left: `input_ids` (rows, tokens), pixels and grids."""
        inputs = self.processor(
            text=[self.question] * len(rows),
            images=[picture(row) for row in rows],
            padding=True,
            padding_side="left",
            return_tensors="pt",
        )
        if "mm_token_type_ids" not in inputs:
            raise InputError(
                "the processor gives no mm_token_type_ids: image positions would be wrong without a word"
            )
        return dict(inputs)

    def target_of(self, row: dict[str, Any]) -> str:
        """The text that is to be written for a row's page."""
        return row["text"] if self.target == "page" else front_matter.body(row["text"])

    def answers(self, rows: list[dict[str, Any]]) -> list[list[int]]:
        """Token ids of the answers, each with the end token."""
        texts = [self.target_of(row) for row in rows]
        end = self.tokenizer.eos_token_id
        return [[*ids, end] for ids in self.tokenizer(texts, add_special_tokens=False)["input_ids"]]

    def samples(self, rows: list[dict[str, Any]]) -> list[Sample]:
        """Questions and answers, unpadded; only answers carry labels.

        Raises InputError for image marks that are not where the image is.
        """
        inputs = self.prompts(rows)
        masks = inputs.pop("attention_mask").bool()
        found = []
        ids, kinds = inputs.pop("input_ids"), inputs.pop("mm_token_type_ids")
        for row, (mask, image, answer) in enumerate(
            zip(masks, images(inputs, len(rows)), self.answers(rows), strict=True)
        ):
            tail = torch.tensor(answer)
            asked, kind = ids[row][mask], kinds[row][mask]
            check_kinds(asked, kind, getattr(self.processor, "image_token_id", None))
            found.append(
                Sample(
                    torch.cat([asked, tail]),
                    torch.cat([torch.full_like(asked, IGNORED), tail]),
                    torch.cat([kind, torch.zeros_like(tail)]),
                    image,
                )
            )
        return found

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        """A training batch, padded on the right."""
        return self.pad(self.samples(rows))

    def pad(self, samples: list[Sample]) -> dict[str, torch.Tensor]:
        """Samples as one batch (samples, longest), padded on the right; their images one after the other."""
        return {
            "input_ids": pad([sample.ids for sample in samples], self.tokenizer.pad_token_id),
            "attention_mask": pad([torch.ones_like(sample.ids) for sample in samples], 0),
            "mm_token_type_ids": pad([sample.kinds for sample in samples], 0),
            "labels": pad([sample.labels for sample in samples], IGNORED),
            **joined(samples),
        }


def images(inputs: dict[str, torch.Tensor], rows: int) -> list[dict[str, torch.Tensor]]:
    """The image tensors of a batch of pages, one image each, page by page.

    Patches of all pages lie one after the other where a grid (pages, 3) says how many are whose, as in Qwen's
    families; elsewhere the first dimension counts the pages.
    """
    if "image_grid_thw" not in inputs:
        return [{name: value[row : row + 1] for name, value in inputs.items()} for row in range(rows)]
    patches = inputs["pixel_values"].split(inputs["image_grid_thw"].prod(-1).tolist())
    grids = inputs["image_grid_thw"].split(1)
    return [{"pixel_values": p, "image_grid_thw": g} for p, g in zip(patches, grids, strict=True)]


def shorter(
    rows: Dataset, encoder: Encoder, most: int | None = None, most_prompt: int | None = None
) -> Dataset:
    """The rows of at most `most` tokens, and at most `most_prompt` without the answer; the rest is counted and said.

    Raises InputError if none is left.
    """

    def fits(row: dict[str, Any]) -> bool:
        asked = prompt_length(encoder, row)
        if most_prompt is not None and asked > most_prompt:
            return False
        return most is None or asked + len(encoder.answers([row])[0]) <= most

    kept = [index for index, row in enumerate(rows) if fits(row)]
    bounds = {"tokens": most, "tokens without the answer": most_prompt}
    said = " or ".join(f"{bound} {of}" for of, bound in bounds.items() if bound is not None)
    if not kept:
        raise InputError(
            f"all {len(rows)} rows are longer than {said}; raise max_tokens or max_prompt_tokens"
        )
    print(f"{len(rows) - len(kept)} of {len(rows)} rows are longer than {said} and left out", file=sys.stderr)
    return rows.select(kept)


def prompt_length(encoder: Encoder, row: dict[str, Any]) -> int:
    """The tokens of a row's question, its picture among them; Qwen's families tell it without reading the picture."""
    pictures = encoder.processor.image_processor
    if not hasattr(pictures, "get_number_of_image_patches") or not hasattr(pictures, "merge_size"):
        return int(encoder.prompts([row])["input_ids"].shape[1])
    width, height = Image.open(io.BytesIO(row["image"])).size
    patches = pictures.get_number_of_image_patches(height, width)
    # One mark in the question stands for the whole picture.
    return int(patches // pictures.merge_size**2) - 1 + len(encoder.tokenizer(encoder.question)["input_ids"])


def pad(rows: list[torch.Tensor], value: int) -> torch.Tensor:
    """Rows of unequal length as one tensor (rows, longest), filled with `value` on the right."""
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=value)


def tests_of(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The unit tests of a row's page."""
    tests: list[dict[str, Any]] = json.loads(row["tests"])
    return tests
