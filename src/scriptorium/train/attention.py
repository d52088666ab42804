"""Attention within the pages of a packed row, and in nothing else.

transformers' SDPA takes a packed row's mask as a whole (tokens, tokens) matrix and computes every pair of pages, to
throw it away: on packed rows it is slower than page after page. Here each page attends to itself alone: by torch's
own variable-length kernel on a GPU (it needs no other package), page after page on a CPU.
"""

from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward

NAME = "packed"
"""The name under which transformers finds this attention. It has no entry among masks, so that none is made."""


def lengths_of(positions: torch.Tensor) -> list[int]:
    """The lengths of a row's pages, from its positions (1, tokens), which begin at 0 on each page.

    Every layer is given the same tensor; the lengths are kept at it, since reading them waits for a GPU.
    """
    if not hasattr(positions, "page_lengths"):
        begins = (positions[0] == 0).nonzero().flatten().tolist()
        ends = [*begins[1:], positions.shape[1]]
        positions.page_lengths = [end - begin for begin, end in zip(begins, ends, strict=True)]  # type: ignore[attr-defined]
    return positions.page_lengths  # type: ignore[attr-defined]


def packed_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    position_ids: torch.Tensor | None = None,
    **rest: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention of a packed row, from (1, heads, tokens, size) to (1, tokens, heads, size).

    Where there is a mask or there are no positions, as in a vision tower, it is transformers' SDPA.
    """
    if attention_mask is not None or position_ids is None or query.shape[0] != 1:
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **rest
        )
    lengths = lengths_of(position_ids)
    if query.is_cuda and not dropout:
        return _kernel(query, key, value, lengths, scaling), None
    parts = [
        scaled_dot_product_attention(
            q, k, v, is_causal=True, scale=scaling, dropout_p=dropout, enable_gqa=True
        )
        for q, k, v in zip(*(each.split(lengths, dim=2) for each in (query, key, value)), strict=True)
    ]
    return torch.cat(parts, dim=2).transpose(1, 2).contiguous(), None


def _kernel(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, lengths: list[int], scaling: float | None
) -> torch.Tensor:
    from torch.nn.attention.varlen import varlen_attn

    ends = torch.tensor([0, *lengths]).cumsum(0).to(query.device, torch.int32)
    q, k, v = (each[0].transpose(0, 1) for each in (query, key, value))
    longest, causal = max(lengths), (-1, 0)
    found = varlen_attn(
        q, k, v, ends, ends, longest, longest, scale=scaling, window_size=causal, enable_gqa=True
    )
    assert isinstance(found, torch.Tensor)
    return found.unsqueeze(0)


def attend_within_pages(model: PreTrainedModel) -> None:
    """Have the language model of `model` use this attention where it would use SDPA; FlashAttention stays.

    Generation needs masks of padded rows: it is done under the attention the model came with (`usual_attention`).
    """
    AttentionInterface.register(NAME, packed_attention)
    text = model.config.get_text_config()
    if text._attn_implementation == "sdpa":
        text._attn_implementation = NAME


def usual_attention(model: PreTrainedModel) -> None:
    """Undo `attend_within_pages`."""
    text = model.config.get_text_config()
    if text._attn_implementation == NAME:
        text._attn_implementation = "sdpa"
