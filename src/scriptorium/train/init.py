"""A fresh model from a recipe's config: random weights, character tokenizer, processor, chat template.

The classes are those of the large models (transformers' Auto classes, Qwen2-VL's image processor),
so that every later stage, the server and the bench treat the fresh model like any other. Only sizes differ.
"""

import time
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    AutoConfig,
    AutoModelForImageTextToText,
    GenerationConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    Qwen2_5_VLProcessor,
    Qwen2VLImageProcessor,
    Qwen2VLVideoProcessor,
)

from scriptorium.errors import ConfigError
from scriptorium.files import whole
from scriptorium.receipt import write_receipt
from scriptorium.recipe.plan import Run
from scriptorium.serve.adapter import load, write_prompt

# Qwen's own marks: servers find the answer of a Qwen-VL model by them.
PAD, END, UNKNOWN = "<|endoftext|>", "<|im_end|>", "<|unknown|>"
USER, ASSISTANT = "<|im_start|>user\n", "<|im_start|>assistant\n"
IMAGE, VIDEO = "<|image_pad|>", "<|video_pad|>"
VISION_START, VISION_END = "<|vision_start|>", "<|vision_end|>"
SPECIAL = [PAD, END, UNKNOWN, USER, ASSISTANT, IMAGE, VIDEO, VISION_START, VISION_END]

CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% if message.content is string %}{{ message.content }}{% else %}{% for part in message.content %}"
    "{% if part.type == 'text' %}{{ part.text }}{% else %}"
    "<|vision_start|><|image_pad|><|vision_end|>{% endif %}{% endfor %}{% endif %}"
    "<|im_end|>{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def character_tokenizer(alphabet: str, words: list[str]) -> PreTrainedTokenizerFast:
    """A tokenizer with a token for each character of `alphabet` and for each of `words` (tags, whole lines)."""
    tokens = dict.fromkeys([*SPECIAL, *alphabet])
    tokenizer = Tokenizer(models.WordLevel({token: i for i, token in enumerate(tokens)}, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    tokenizer.decoder = decoders.Fuse()
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in SPECIAL])
    tokenizer.add_tokens([AddedToken(word, normalized=False) for word in words])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=END,
        unk_token=UNKNOWN,
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )


def build_processor(run: Run) -> Qwen2_5_VLProcessor:
    """The processor of a fresh model: image side in patches of 14 px merged 2 x 2, tokenizer, chat template."""
    adapter = load(run.model)
    pixels = {"min_pixels": adapter.min_pixels, "max_pixels": adapter.max_pixels}
    spec = run.config["tokenizer"]
    return Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(**pixels),
        video_processor=Qwen2VLVideoProcessor(),
        tokenizer=character_tokenizer(spec["alphabet"], [adapter.prompt, *spec["words"]]),
        chat_template=CHAT_TEMPLATE,
    )


def build_model(config: dict[str, Any], tokenizer: PreTrainedTokenizerFast, seed: int) -> PreTrainedModel:
    """A model of `config["model_type"]` with random weights; token ids and vocabulary come from the tokenizer."""
    ids = tokenizer.convert_tokens_to_ids
    text = dict(config["text_config"])
    text |= {
        "vocab_size": len(tokenizer),
        "pad_token_id": ids(PAD),
        "eos_token_id": ids(END),
        "bos_token_id": None,
    }
    if text["hidden_size"] != config["vision_config"]["out_hidden_size"]:
        raise ConfigError(
            f"config: vision_config.out_hidden_size is {config['vision_config']['out_hidden_size']}, "
            f"text_config.hidden_size {text['hidden_size']}: make them equal"
        )
    settings = AutoConfig.for_model(
        config["model_type"],
        text_config=text,
        vision_config=dict(config["vision_config"]),
        image_token_id=ids(IMAGE),
        video_token_id=ids(VIDEO),
        vision_start_token_id=ids(VISION_START),
        vision_end_token_id=ids(VISION_END),
        tie_word_embeddings=text.get("tie_word_embeddings", True),
    )
    torch.manual_seed(seed)
    return AutoModelForImageTextToText.from_config(settings, dtype=torch.float32)


def make(run: Run, model: Path, receipt: Path) -> None:
    """Write a fresh model of `run.config` to the folder `model`, and its receipt."""
    started = time.monotonic()
    processor = build_processor(run)
    network = build_model(run.config, processor.tokenizer, run.seed or 0)
    suppressed = [
        i for i in processor.tokenizer.convert_tokens_to_ids(SPECIAL) if i != processor.tokenizer.eos_token_id
    ]
    network.generation_config = GenerationConfig(
        eos_token_id=processor.tokenizer.eos_token_id,
        pad_token_id=processor.tokenizer.pad_token_id,
        # An image token in an answer would break the next forward pass over it.
        suppress_tokens=suppressed,
    )
    with whole(model) as part:
        network.save_pretrained(part)
        processor.save_pretrained(part)
        write_prompt(part, load(run.model))
    write_receipt(receipt, run, model, {}, [], "full", 0, started, {})
