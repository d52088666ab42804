"""What a step minimises: cross-entropy of the answers' tokens, through a head that sees nothing else.

A page has about two tokens of image and question for each one of its answer, and a vocabulary of 150,000: logits
of all positions in fp32 are most of a step's memory. Here the head is given the answers' hidden states alone,
a chunk at a time, and each chunk's logits are made again for the gradient instead of being kept.
"""

from typing import Any

import torch
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel

IGNORED = -100
"""The label that the loss passes over (PyTorch's `ignore_index`)."""

CHUNK = 1024
"""Answer tokens whose logits exist at once: 0.6 GB in fp32 at a vocabulary of 152,000."""


class Objective(torch.nn.Module):
    """A model with its loss: the module that is wrapped, sharded and called in training."""

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, labels: torch.Tensor, **inputs: Any) -> torch.Tensor:
        """The sum of the cross-entropy over the labelled tokens; `labels`: (rows, tokens), not shifted.

        The caller divides by the number of labelled tokens of the whole step.
        """
        owner = self.model.get_base_model() if hasattr(self.model, "peft_config") else self.model
        hidden = owner.model(**inputs, use_cache=False).last_hidden_state
        targets = labels[:, 1:]
        answered = targets != IGNORED
        return cross_entropy(owner.get_output_embeddings(), hidden[:, :-1][answered], targets[answered])


def cross_entropy(
    head: torch.nn.Module, hidden: torch.Tensor, targets: torch.Tensor, chunk: int = CHUNK
) -> torch.Tensor:
    """The summed cross-entropy of `targets` (tokens,) given hidden states (tokens, width), in fp32."""
    total = hidden.new_zeros((), dtype=torch.float32)
    for states, wanted in zip(hidden.split(chunk), targets.split(chunk), strict=True):
        total = total + checkpoint(_chunk, head, states, wanted, use_reentrant=False)
    return total


def _chunk(head: torch.nn.Module, states: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.cross_entropy(head(states).float(), wanted, reduction="sum")


def labelled(labels: torch.Tensor) -> int:
    """The tokens of a batch that count in its loss: a row's first token is predicted from nothing."""
    return int((labels[:, 1:] != IGNORED).sum())
