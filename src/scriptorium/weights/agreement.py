"""Whether two models say the same: the logits of one question, asked of both.

A model that sees is asked about a page that is drawn here, with the processor in its folder; one that does not,
or has none there, about a row of its own tokens. What was asked is told.
"""

from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoProcessor, PreTrainedModel

from scriptorium.errors import ThresholdError
from scriptorium.serve.adapter import message_content
from scriptorium.weights.names import network_class

BOUNDS = {torch.float32: 1e-3, torch.float16: 2e-2, torch.bfloat16: 6e-2}
"""How far logits may lie from each other, as a share of their norm. Sixteen bits round each weight of a merged model
once and each product of an adapter's model twice: a layer's error is 2^-9, and layers add up."""

WORDS = "Read this page."


def check_merge(base: Path, adapter: Path, merged: Path) -> dict[str, Any]:
    """Ask base with adapter, and the merged model; how far apart they are, and how far the adapter moved the base.

    Both as shares of the norm of the adapter's logits. Raises ThresholdError if the merged model strays.
    """
    from peft import PeftModel

    asked = question(merged)
    network = PeftModel.from_pretrained(load(base), adapter).eval()
    wanted = logits(network, asked)
    with network.disable_adapter():
        before = logits(network, asked)
    dtype = next(network.parameters()).dtype
    del network
    found = logits(load(merged), asked)
    difference, effect = distance(found, wanted), distance(before, wanted)
    bound = BOUNDS.get(dtype, BOUNDS[torch.float32])
    if not difference <= bound:
        raise ThresholdError(
            f"{adapter}: merged into {base} the model answers otherwise than with the adapter: logits differ by "
            f"{difference:.2%} of their norm, allowed are {bound:.1%}; merge it with peft itself"
        )
    about = "page" if "pixel_values" in asked else "tokens"
    return {"logits_difference": difference, "logits_effect": effect, "logits_of": about}


def load(folder: Path) -> PreTrainedModel:
    """The model of a folder in its own dtype, on the GPU if there is one, ready to be asked."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network: PreTrainedModel = network_class(folder).from_pretrained(folder, dtype="auto")
    return network.eval().to(device)


def question(folder: Path) -> dict[str, Any]:
    """The inputs of one question for the model of a folder: about a drawn page, or of tokens alone."""
    config = AutoConfig.from_pretrained(folder)
    processors = ("processor_config.json", "preprocessor_config.json")
    if not hasattr(config, "vision_config") or not any((folder / name).exists() for name in processors):
        images = (getattr(config, name, None) for name in ("image_token_id", "image_token_index"))
        count = min([64, config.get_text_config().vocab_size, *filter(None, images)])
        return {"input_ids": torch.arange(count)[None], "attention_mask": torch.ones(1, count).long()}
    processor = AutoProcessor.from_pretrained(folder)
    return page_question(processor, WORDS, drawn_page())


def page_question(processor: Any, prompt: str, image: Any, image_first: bool = False) -> dict[str, Any]:
    """The model inputs for a prompt and a page's image, as a server of these weights builds them."""
    content = message_content(prompt, {"type": "image"})
    messages = [{"role": "user", "content": content[::-1] if image_first else content}]
    text = processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    return dict(processor(text=[text], images=[image], return_tensors="pt"))


def drawn_page() -> Any:
    """A picture of 336 x 224 px with bars of many grays: every patch differs."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (336, 224), "white")
    draw = ImageDraw.Draw(picture)
    for line in range(14):
        for word in range(8):
            shade = (37 * line + 61 * word) % 200
            left = 8 + 40 * word
            draw.rectangle([left, 8 + 15 * line, left + 12 + shade % 22, 14 + 15 * line], fill=(shade,) * 3)
    return picture


@torch.no_grad()
def logits(network: Any, inputs: dict[str, Any]) -> torch.Tensor:
    """The logits of a question, [tokens, vocabulary], in float32 on the CPU."""
    weight = next(network.parameters())
    moved = {
        name: value.to(weight.device, weight.dtype if value.is_floating_point() else None)
        for name, value in inputs.items()
        if isinstance(value, torch.Tensor)
    }
    found: torch.Tensor = network(**moved, use_cache=False).logits[0].float().cpu()
    return found


def distance(one: torch.Tensor, other: torch.Tensor) -> float:
    """|one - other| / |other|, in the Frobenius norm."""
    return float((one - other).norm() / other.norm())
