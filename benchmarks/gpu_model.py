"""The model and the pages of benchmarks/gpu.py: the shape of Qwen2.5-VL-7B cut to fit, pages of random letters."""

import io
import json
import math
import random
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from PIL import Image, ImageDraw
from transformers import AutoConfig, AutoModelForImageTextToText, GenerationConfig

from scriptorium.pages import front_matter
from scriptorium.recipe.plan import Run
from scriptorium.serve.adapter import Adapter, load, write_prompt
from scriptorium.train.init import IMAGE, VIDEO, VISION_START, build_processor

VOCABULARY = 152_064
"""Of Qwen2.5-VL-7B; the benchmark's tokenizer uses a hundred of them."""


@dataclass
class Bench:
    """What all parts share: the device, the sizes, a fresh model's folder, and rows."""

    device: torch.device
    dtype: torch.dtype
    layers: int
    pages: int
    steps: int
    max_length: int
    most: int
    folder: Path
    rows: Dataset = field(init=False)

    @property
    def cpu(self) -> bool:
        """Whether this is the rehearsal."""
        return self.device.type == "cpu"

    @property
    def adapter(self) -> Adapter:
        """The model adapter whose prompt and image side are used."""
        return load("tiny" if self.cpu else "qwen2.5-vl")

    @property
    def model(self) -> Path:
        """The fresh model's folder."""
        return self.folder / "model"

    def network(self) -> Any:
        """The fresh model on the device, as training loads it."""
        loaded = AutoModelForImageTextToText.from_pretrained(
            self.model, dtype=self.dtype, attn_implementation="sdpa"
        )
        return loaded.to(self.device)


def sizes(bench: Bench) -> dict[str, Any]:
    """The 7B's shape, or a tiny one."""
    if bench.cpu:
        text = {
            "hidden_size": 64,
            "intermediate_size": 128,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
        }
        vision = {
            "hidden_size": 64,
            "intermediate_size": 128,
            "num_heads": 4,
            "depth": 2,
            "out_hidden_size": 64,
        }
        sections, blocks = [2, 3, 3], [1]
    else:
        text = {
            "hidden_size": 3584,
            "intermediate_size": 18944,
            "num_attention_heads": 28,
            "num_key_value_heads": 4,
        }
        vision = {"hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16, "depth": 32}
        vision |= {"out_hidden_size": 3584}
        sections, blocks = [16, 24, 24], [7, 15, 23, 31]
    rope = {"rope_type": "default", "rope_theta": 1000000.0, "mrope_section": sections}
    text |= {"num_hidden_layers": bench.layers, "max_position_embeddings": 32768, "rope_parameters": rope}
    text |= {"tie_word_embeddings": False}
    vision |= {"patch_size": 14, "spatial_merge_size": 2, "temporal_patch_size": 2, "window_size": 112}
    return {"text_config": text, "vision_config": vision | {"fullatt_block_indexes": blocks}}


def make_model(bench: Bench) -> int:
    """Write a fresh model with its processor; the number of its weights."""
    run = Run(
        name="base",
        stage="base",
        method="init",
        recipe="gpu",
        model=bench.adapter.name,
        config={"tokenizer": {"alphabet": ALPHABET, "words": []}},
    )
    processor = build_processor(run)
    tokenizer, ids = processor.tokenizer, processor.tokenizer.convert_tokens_to_ids
    shape = sizes(bench)
    ends = {
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": None,
    }
    shape["text_config"] |= ends | {"vocab_size": len(tokenizer) if bench.cpu else VOCABULARY}
    marks = {
        "image_token_id": ids(IMAGE),
        "video_token_id": ids(VIDEO),
        "vision_start_token_id": ids(VISION_START),
    }
    config = AutoConfig.for_model("qwen2_5_vl", **shape, **marks, tie_word_embeddings=False)
    torch.manual_seed(0)
    with torch.device(bench.device):
        network = AutoModelForImageTextToText.from_config(config, dtype=bench.dtype)
    unused = [k for k in range(shape["text_config"]["vocab_size"]) if k >= len(tokenizer)]
    network.generation_config = GenerationConfig(
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        suppress_tokens=[*(k for k in tokenizer.all_special_ids if k != tokenizer.eos_token_id), *unused]
        or None,
    )
    network.save_pretrained(bench.model)
    processor.save_pretrained(bench.model)
    write_prompt(bench.model, bench.adapter)
    return sum(p.numel() for p in network.parameters())


def now(device: torch.device) -> float:
    """Seconds, once the device has done all it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.monotonic()


ALPHABET = (
    "\n !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"
)
"""Every character of an answer, a token each."""

MEDIAN, SPREAD = 580, 0.7
"""Tokens of an answer: published for olmOCR-mix-1025 are a median of 580 and a 99th percentile of 2,900."""


def page(rng: random.Random, number: int, side: int, small: bool) -> dict[str, Any]:
    """A training row: letters on a picture in US letter's shape, `side` pixels high, with a test; `small`: few."""
    length = 24 if small else min(3000, max(100, round(MEDIAN * math.exp(rng.gauss(0, SPREAD)))))
    text = "".join(rng.choices("abcdefgh \n", k=length)).strip() or "a"
    picture = Image.new("L", (round(side * 8.5 / 11), side), 255)
    ImageDraw.Draw(picture).text((4, 4), text, fill=0)
    data = io.BytesIO()
    picture.save(data, "PNG")
    name = f"page-{number}"
    word = max(text.split() or ["a"], key=len)
    test = {"pdf": f"{name}.pdf", "page": 1, "id": f"{name}-1", "type": "present", "text": word}
    return {
        "id": name,
        "document": name,
        "page": 1,
        "image": data.getvalue(),
        "text": front_matter.encode(front_matter.FrontMatter(), text),
        "tests": json.dumps([test]),
        "group": "",
    }
