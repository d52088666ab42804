"""How fast a training is and how much of its device it uses: tokens, floating point operations, memory."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import PreTrainedModel

from scriptorium.receipt import peak_memory
from scriptorium.recipe.devices import peak_of
from scriptorium.train.groups import part_of
from scriptorium.train.loss import labelled
from scriptorium.train.packing import Sample


@dataclass
class Work:
    """What some pages cost: tokens that the model saw, tokens that it learnt, and floating point operations."""

    tokens: float = 0
    answers: float = 0
    operations: float = 0

    def __add__(self, other: "Work") -> "Work":
        return Work(
            self.tokens + other.tokens, self.answers + other.answers, self.operations + other.operations
        )


class Meter:
    """Counts the work of pages for one model.

    Operations: 2 a weight and token forwards, as many backwards for what the token gives on, as many again for a
    weight that is trained; causal attention in the language model. Left out: attention in the vision tower (a few
    per cent) and what gradient checkpointing computes twice, as is usual for MFU. Mixtures of experts are not
    counted: `operations` is 0.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        self.per = {"language": 0.0, "vision": 0.0, "merger": 0.0, "head": 0.0}
        text = model.config.get_text_config()
        for name, parameter in model.named_parameters():
            if parameter.ndim < 2 or re.search(r"embed_tokens|embed_positions|pos_embed", name):
                continue
            part = "head" if "lm_head" in name else part_of(name)
            # Nothing below the vision tower learns, so a frozen one is run forwards only.
            backwards = 4 if parameter.requires_grad else 0 if part == "vision" else 2
            self.per[part] += (2 + backwards) * parameter.numel()
        if not self.per["head"]:  # tied to the embeddings
            self.per["head"] = 6.0 * text.vocab_size * text.hidden_size
        self.attention = 6.0 * text.num_hidden_layers * text.hidden_size
        self.known = not any(re.search(r"\bexperts\b", name) for name, _ in model.named_parameters())

    def of(self, samples: Sequence[Sample]) -> Work:
        """The work of some pages, forwards and backwards."""
        found = Work()
        for sample in samples:
            answers = labelled(sample.labels.unsqueeze(0))
            patches = sum(len(value) for name, value in sample.image.items() if name == "pixel_values")
            operations = (
                self.per["language"] * len(sample)
                + self.attention * len(sample) ** 2
                + self.per["head"] * answers
                + self.per["vision"] * patches
                + self.per["merger"] * int((sample.kinds == 1).sum())
            )
            found += Work(len(sample), answers, operations if self.known else 0)
        return found


def peak(device: torch.device) -> float | None:
    """The most dense bfloat16 operations a second of a GPU; None where the device is not listed."""
    if device.type != "cuda":
        return None
    return peak_of(torch.cuda.get_device_name(device))


def memory(device: torch.device) -> int:
    """The most memory so far in bytes: of the GPU, or of this process."""
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else peak_memory()
