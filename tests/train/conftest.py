"""A fresh model small enough to train in a second, and generated rows to train it on."""

import io
import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageDraw
from transformers import GenerationConfig, Qwen2VLImageProcessor, Qwen3VLProcessor, Qwen3VLVideoProcessor

from scriptorium.pages import front_matter
from scriptorium.receipt import weights_sha256
from scriptorium.recipe.plan import Run
from scriptorium.recipe.recipe import DataRef
from scriptorium.train import init
from scriptorium.train.stage import Files, Train, conduct

CONFIG: dict[str, Any] = {
    "model_type": "qwen2_5_vl",
    "tokenizer": {
        "alphabet": "abcdefghijklmnopqrstuvwxyz0123456789 .,-#\n",
        "words": [
            "---\n",
            "primary_language: en\n",
            "is_rotation_valid: True\n",
            "rotation_correction: 0\n",
            "is_table: False\n",
            "is_diagram: False\n",
        ],
    },
    "text_config": {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "max_position_embeddings": 512,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 3, 3]},
        "tie_word_embeddings": True,
    },
    "vision_config": {
        "depth": 1,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_heads": 2,
        "patch_size": 14,
        "spatial_merge_size": 2,
        "temporal_patch_size": 2,
        "out_hidden_size": 32,
        "window_size": 112,
        "fullatt_block_indexes": [0],
    },
}


def run(name: str, method: str, **fields: Any) -> Run:
    """A run of the recipe `test`."""
    return Run(name=name, stage=name, method=method, recipe="test", model="tiny", modality="vision", **fields)


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a fresh model."""
    folder = tmp_path_factory.mktemp("base")
    init.make(run("base", "init", config=CONFIG, seed=1), folder / "model", folder / "model.json")
    return folder / "model"


@pytest.fixture(scope="session")
def base3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a fresh Qwen3-VL."""
    text = CONFIG["text_config"] | {"head_dim": 16}
    vision = {"depth": 2, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2, "patch_size": 16}
    vision |= {"out_hidden_size": 32, "num_position_embeddings": 64, "deepstack_visual_indexes": [0]}
    config = CONFIG | {"model_type": "qwen3_vl", "text_config": text, "vision_config": vision}
    fresh = run("base", "init", config=config, seed=1)
    old = init.build_processor(fresh)
    pictures = Qwen2VLImageProcessor(patch_size=16, min_pixels=784, max_pixels=50176)
    processor = Qwen3VLProcessor(pictures, old.tokenizer, Qwen3VLVideoProcessor(), init.CHAT_TEMPLATE)
    model = init.build_model(config, processor.tokenizer, 1)
    specials = processor.tokenizer.convert_tokens_to_ids(init.SPECIAL)
    end = processor.tokenizer.eos_token_id
    model.generation_config = GenerationConfig(
        eos_token_id=end,
        pad_token_id=processor.tokenizer.pad_token_id,
        suppress_tokens=[each for each in specials if each != end],
    )
    folder = tmp_path_factory.mktemp("base3") / "model"
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def page(rng: random.Random) -> dict[str, Any]:
    """A training row: two short words on a picture, as tall and wide as the adapter wants it."""
    words = ["".join(rng.choices("abcdefgh", k=rng.randint(2, 4))) for _ in range(2)]
    picture = Image.new("L", (112, 56), 255)
    ImageDraw.Draw(picture).text((4, 4), "\n".join(words), fill=0)
    data = io.BytesIO()
    picture.save(data, "PNG")
    identity = "".join(words)
    tests = [
        {"pdf": f"{identity}.pdf", "page": 1, "id": f"{identity}-{k}", "type": "present", "text": word}
        for k, word in enumerate(words)
    ]
    return {
        "id": identity,
        "document": identity,
        "page": 1,
        "image": data.getvalue(),
        "text": front_matter.encode(front_matter.FrontMatter(), "\n".join(words)),
        "tests": json.dumps(tests),
        "group": "",
    }


@pytest.fixture(scope="session")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty rows."""
    rng = random.Random(7)
    path = tmp_path_factory.mktemp("rows") / "sft.parquet"
    pq.write_table(pa.Table.from_pylist([page(rng) for _ in range(40)]), path)
    return path


def go(train: Train, stage: Run, base: Path, rows: Path, folder: Path) -> str:
    """Carry out a stage in `folder`; the hash of its weights."""
    outputs = {
        "model": folder / "model",
        "metrics": folder / "metrics.jsonl",
        "receipt": folder / "model.json",
    }
    conduct(stage, Files(base, [rows], [], folder / "state", **outputs), train)
    return weights_sha256(folder / "model")


PRIMER = DataRef(source="primer", split="sft")
