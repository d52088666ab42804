"""Pages of unequal length side by side in one row: no padding, and no page sees another.

A packed row has no attention mask. Its positions say where each page begins: transformers builds the mask of the
blocks from them (SDPA), or hands the lengths to FlashAttention. Both only happen with `use_cache=False`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import PreTrainedModel

from scriptorium.errors import InputError


@dataclass(frozen=True)
class Sample:
    """One page as the model takes it: token ids, labels and kinds (0 text, 1 image), each (tokens,), and its image.

    `image`: the processor's tensors of the page's image, as `pixel_values` and `image_grid_thw`; empty for text.
    """

    ids: torch.Tensor
    labels: torch.Tensor
    kinds: torch.Tensor
    image: dict[str, torch.Tensor]

    def __len__(self) -> int:
        return len(self.ids)


def bins(lengths: Sequence[int], most: int) -> list[list[int]]:
    """Samples, by index, in rows of at most `most` tokens: the longest first, each where it fits best.

    The same lengths give the same rows. Raises InputError for a sample that is longer than a row.
    """
    rows: list[list[int]] = []
    room: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda index: (-lengths[index], index)):
        length = lengths[index]
        if length > most:
            raise InputError(
                f"a row of {length} tokens does not fit into max_length {most}; raise it, or "
                "leave longer rows out by `max_tokens`"
            )
        fits = [row for row, left in enumerate(room) if left >= length]
        if not fits:
            rows.append([])
            room.append(most)
            fits = [len(rows) - 1]
        best = min(fits, key=lambda row: (room[row], row))
        rows[best].append(index)
        room[best] -= length
    return rows


def check_kinds(ids: torch.Tensor, kinds: torch.Tensor, image_id: int | None) -> None:
    """Raises InputError unless exactly the image's tokens are marked as such.

    transformers trains Qwen2.5-VL with wrong positions, and without a word, where the marks are missing or shifted.
    """
    if image_id is not None and not torch.equal(ids == image_id, kinds == 1):
        raise InputError(
            "mm_token_type_ids do not mark the image's tokens: positions would be wrong; "
            "is the processor of another model, or padded on the other side?"
        )


def positions(model: PreTrainedModel, sample: Sample) -> torch.Tensor:
    """Where each token of a sample stands: (1, tokens), or (4, tokens) where images have rows and columns.

    Row 0 counts the tokens and tells the samples of a row apart; rows 1 to 3 are the model's own time, height
    and width.
    """
    counted = torch.arange(len(sample)).unsqueeze(0)
    owner = model.get_base_model() if hasattr(model, "peft_config") else model
    rope_index = getattr(owner.model, "get_rope_index", None)
    if rope_index is None:
        return counted
    grids = {name: value for name, value in sample.image.items() if name.endswith("grid_thw")}
    found, _ = rope_index(sample.ids.unsqueeze(0), mm_token_type_ids=sample.kinds.unsqueeze(0), **grids)
    return torch.cat([counted, found[:, 0]])


def pack(model: PreTrainedModel, samples: Sequence[Sample]) -> dict[str, torch.Tensor]:
    """Samples as one row: ids, labels and kinds (1, tokens), positions (4 or 1, 1, tokens), images in order."""
    for sample in samples:
        check_kinds(sample.ids, sample.kinds, getattr(model.config, "image_token_id", None))
    where = torch.cat([positions(model, sample) for sample in samples], dim=1).unsqueeze(1)
    return {
        "input_ids": torch.cat([sample.ids for sample in samples]).unsqueeze(0),
        "labels": torch.cat([first_unlabelled(sample.labels) for sample in samples]).unsqueeze(0),
        "mm_token_type_ids": torch.cat([sample.kinds for sample in samples]).unsqueeze(0),
        "position_ids": where if len(where) > 1 else where[0],
        **joined(samples),
    }


def joined(samples: Sequence[Sample]) -> dict[str, torch.Tensor]:
    """The image tensors of some samples, one after the other."""
    names = dict.fromkeys(name for sample in samples for name in sample.image)
    return {name: torch.cat([s.image[name] for s in samples if name in s.image]) for name in names}


def first_unlabelled(labels: torch.Tensor) -> torch.Tensor:
    """Labels whose first is ignored: the token before it belongs to another page."""
    return torch.cat([torch.full_like(labels[:1], -100), labels[1:]])
