"""Every family of models, built tiny: trained a step, merged, averaged, quantised and loaded again."""

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText

from scriptorium.train.loss import Objective
from scriptorium.weights.merge import merge
from scriptorium.weights.quantize import quantize
from scriptorium.weights.soup import soup

from .tiny import stage

VOCABULARY, IMAGE = 64, 60
TEXT: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "vocab_size": VOCABULARY,
    "max_position_embeddings": 128,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
MARKS = {
    "image_token_id": IMAGE,
    "video_token_id": 61,
    "vision_start_token_id": 62,
    "vision_end_token_id": 63,
}
ROPE = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [4, 2, 2]}
QWEN_VISION = {"depth": 1, "hidden_size": 32, "intermediate_size": 32, "num_heads": 2, "out_hidden_size": 32}
SIGLIP = {
    "hidden_size": 32,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 8,
}
QWEN3_VL = {
    "text_config": TEXT | {"head_dim": 16, "rope_parameters": ROPE},
    "vision_config": QWEN_VISION | {"deepstack_visual_indexes": [0], "num_position_embeddings": 16},
    **MARKS,
}
IDEFICS = {"text_config": TEXT, "vision_config": SIGLIP, "image_token_id": IMAGE, "scale_factor": 2}

VISION: dict[str, tuple[str, dict[str, Any]]] = {
    "Qwen2.5-VL, olmOCR": (
        "qwen2_5_vl",
        {
            "text_config": TEXT | {"rope_parameters": ROPE},
            "vision_config": QWEN_VISION | {"fullatt_block_indexes": [0]},
            **MARKS,
        },
    ),
    "Qwen3-VL, Chandra": ("qwen3_vl", QWEN3_VL),
    "LightOnOCR": (
        "lighton_ocr",
        {
            "text_config": TEXT | {"model_type": "qwen3", "head_dim": 16},
            "vision_config": SIGLIP | {"model_type": "pixtral", "head_dim": 16},
            "image_token_id": IMAGE,
            "spatial_merge_size": 2,
        },
    ),
    "Llama 3.2 Vision": (
        "mllama",
        {
            "text_config": TEXT
            | {"cross_attention_layers": [1], "rope_parameters": {"rope_type": "default", "rope_theta": 1e4}},
            "vision_config": SIGLIP
            | {
                "num_hidden_layers": 2,
                "num_global_layers": 1,
                "attention_heads": 2,
                "vision_output_dim": 64,
                "intermediate_layers_indices": [0],
                "supported_aspect_ratios": [[1, 1]],
                "max_num_tiles": 1,
            },
            "image_token_index": IMAGE,
        },
    ),
    "SmolVLM": ("smolvlm", IDEFICS),
    "Idefics3": ("idefics3", IDEFICS),
}
WORDS = {
    "Qwen2.5": ("qwen2", TEXT),
    "Qwen3": ("qwen3", TEXT | {"head_dim": 16}),
    "Llama": ("llama", TEXT),
    "Olmo 3": ("olmo3", TEXT),
    "SmolLM3": ("smollm3", TEXT),
}
FAMILIES = {**VISION, **WORDS}


def pixels(kind: str) -> dict[str, torch.Tensor]:
    """One picture as the family takes it, of four image tokens."""
    draw = torch.Generator().manual_seed(3)
    if kind.startswith("qwen"):
        side = 14 if kind == "qwen2_5_vl" else 16
        grid = torch.tensor([[1, 4, 4]])
        return {"pixel_values": torch.randn(16, 3 * 2 * side * side, generator=draw), "image_grid_thw": grid}
    if kind == "lighton_ocr":
        return {
            "pixel_values": torch.randn(1, 3, 32, 32, generator=draw),
            "image_sizes": torch.tensor([[32, 32]]),
        }
    if kind == "mllama":
        return {
            "pixel_values": torch.randn(1, 1, 1, 3, 32, 32, generator=draw),
            "aspect_ratio_ids": torch.ones(1, 1, dtype=torch.long),
            "aspect_ratio_mask": torch.ones(1, 1, 1, dtype=torch.long),
            "cross_attention_mask": torch.ones(1, 10, 1, 1, dtype=torch.long),
        }
    return {"pixel_values": torch.randn(1, 1, 3, 32, 32, generator=draw)}


def inputs(kind: str) -> dict[str, torch.Tensor]:
    """A question of ten tokens, about a picture where the family sees."""
    seen = any(kind == each for each, _ in VISION.values())
    image = [IMAGE] * (1 if kind == "mllama" else 4) if seen else []
    ids = torch.tensor([[5, *image, *range(6, 15 - len(image))]])
    given = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    if kind.startswith("qwen") and seen:
        given["mm_token_type_ids"] = (ids == IMAGE).long()
    return given | (pixels(kind) if seen else {})


def build(kind: str, config: dict[str, Any]) -> torch.nn.Module:
    """A random model of the family by transformers' Auto classes."""
    torch.manual_seed(0)
    auto = AutoModelForImageTextToText if "vision_config" in config else AutoModelForCausalLM
    made = AutoConfig.for_model(kind, **config, tie_word_embeddings=False)
    return auto.from_config(made, dtype=torch.float32)


def said(network: torch.nn.Module, kind: str) -> torch.Tensor:
    with torch.no_grad():
        return network.eval()(**inputs(kind)).logits[0]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


@pytest.mark.parametrize(("kind", "config"), FAMILIES.values(), ids=FAMILIES.keys())
def test_a_family_is_trained_merged_averaged_quantised_and_loaded(
    tmp_path: Path, kind: str, config: dict[str, Any]
) -> None:
    base = tmp_path / "base"
    network = build(kind, config)
    network.save_pretrained(base)
    auto = type(network)

    # One step of the loop's own loss: it falls.
    adapted = get_peft_model(network, LoraConfig(r=2, lora_alpha=8, target_modules="all-linear"))
    objective, given = Objective(adapted), inputs(kind)
    labels = given["input_ids"].clone()
    labels[:, :6] = -100
    trained = [parameter for parameter in adapted.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=0.01)
    losses = []
    for _ in range(2):
        loss = objective(labels=labels, **given)
        losses.append(loss.item())
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    assert losses[1] < losses[0]
    adapted.save_pretrained(tmp_path / "adapter")

    merge(stage("merge", ["sft"]), tmp_path / "adapter", base, tmp_path / "merged", tmp_path / "merged.json")
    wanted = said(PeftModel.from_pretrained(auto.from_pretrained(base), tmp_path / "adapter"), kind)
    merged = auto.from_pretrained(tmp_path / "merged")
    assert torch.allclose(said(merged, kind), wanted, atol=1e-4)
    assert not torch.allclose(wanted, said(auto.from_pretrained(base), kind), atol=1e-3)

    soup(
        stage("soup", ["base", "merged"]),
        [base, tmp_path / "merged"],
        tmp_path / "soup",
        tmp_path / "soup.json",
    )
    one, other = weights(base), weights(tmp_path / "merged")
    mean = weights(tmp_path / "soup")
    assert mean.keys() == one.keys()
    assert all(torch.equal(mean[n], ((one[n].double() + other[n].double()) / 2).float()) for n in one)

    quantize(stage("quantize", ["soup"]), tmp_path / "soup", tmp_path / "fp8", tmp_path / "fp8.json")
    reloaded, report = auto.from_pretrained(tmp_path / "fp8", output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"] and not report["mismatched_keys"]
    near, exact = said(reloaded, kind), said(auto.from_pretrained(tmp_path / "soup"), kind)
    assert 0 < (near - exact).norm() / exact.norm() < 0.3
