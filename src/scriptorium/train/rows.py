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

IGNORED = -100
"""The label that the loss passes over (PyTorch's `ignore_index`)."""


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


def question(prompt: str) -> list[dict[str, Any]]:
    """The conversation that asks for a page, as the server is asked for it later."""
    return [{"role": "user", "content": message_content(prompt, {"type": "image"})}]


class Encoder:
    """Rows to model inputs: pages through the processor, answers through its tokenizer.

    `target` says what is to be learnt: `page`, front matter and text; `text`, the text alone.
    """

    def __init__(self, processor: ProcessorMixin, prompt: str, target: str = "page") -> None:
        self.processor = processor
        self.tokenizer = processor.tokenizer
        self.target = target
        self.question = processor.apply_chat_template(
            question(prompt), add_generation_prompt=True, tokenize=False
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

    def answers(self, rows: list[dict[str, Any]]) -> list[list[int]]:
        """Token ids of the answers, each with the end token."""
        texts = [row["text"] if self.target == "page" else front_matter.body(row["text"]) for row in rows]
        end = self.tokenizer.eos_token_id
        return [[*ids, end] for ids in self.tokenizer(texts, add_special_tokens=False)["input_ids"]]

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        """A training batch: questions and answers, padded on the right; only answers carry labels."""
        inputs = self.prompts(rows)
        masks = inputs.pop("attention_mask").bool()
        kinds = inputs.pop("mm_token_type_ids")
        ids, labels, types = [], [], []
        for prompt, mask, kind, answer in zip(
            inputs["input_ids"], masks, kinds, self.answers(rows), strict=True
        ):
            tail = torch.tensor(answer)
            ids.append(torch.cat([prompt[mask], tail]))
            types.append(torch.cat([kind[mask], torch.zeros_like(tail)]))
            labels.append(torch.cat([torch.full((int(mask.sum()),), IGNORED), tail]))
        inputs["input_ids"] = pad(ids, self.tokenizer.pad_token_id)
        inputs["attention_mask"] = pad([torch.ones_like(x) for x in ids], 0)
        inputs["mm_token_type_ids"] = pad(types, 0)
        inputs["labels"] = pad(labels, IGNORED)
        return inputs


def shorter(rows: Dataset, encoder: Encoder, most: int) -> Dataset:
    """The rows of at most `most` tokens, picture and answer together; the rest is counted and said."""
    merge = encoder.processor.image_processor.merge_size**2

    def tokens(row: dict[str, Any]) -> int:
        width, height = Image.open(io.BytesIO(row["image"])).size
        patches = encoder.processor.image_processor.get_number_of_image_patches(height, width)
        return int(patches // merge) + len(encoder.answers([row])[0])

    kept = [index for index, row in enumerate(rows) if tokens(row) <= most]
    print(
        f"{len(rows) - len(kept)} of {len(rows)} rows are longer than {most} tokens and left out",
        file=sys.stderr,
    )
    return rows.select(kept)


def pad(rows: list[torch.Tensor], value: int) -> torch.Tensor:
    """Rows of unequal length as one tensor (rows, longest), filled with `value` on the right."""
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=value)


def tests_of(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The unit tests of a row's page."""
    tests: list[dict[str, Any]] = json.loads(row["tests"])
    return tests
