"""Merging an adapter: the merged model answers as base and adapter do, and nothing else moves."""

import json
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import Qwen2_5_VLForConditionalGeneration

from scriptorium.errors import InputError, ThresholdError
from scriptorium.files import sha256_tree
from scriptorium.receipt import read_receipt, weights_sha256
from scriptorium.weights.agreement import check_merge
from scriptorium.weights.merge import WEIGHTS, merge

from .tiny import logits, make_network, save, stage

RUN = stage("merge", ["sft"])
LINEAR = r".*language_model.*\.(q_proj|v_proj|down_proj)|.*visual.*\.(qkv|proj|gate_proj)"
ADAPTERS = {
    "plain": {},
    "rank-stabilised": {"use_rslora": True},
    "patterns": {"rank_pattern": {"q_proj": 2}, "alpha_pattern": {r"layers.1.self_attn.v_proj": 64}},
    "a whole norm": {"modules_to_save": ["model.language_model.norm"]},
    "biases": {"bias": "all"},
    "biases of factors": {"lora_bias": True, "target_modules": r".*(q_proj|visual.*qkv)"},
    "magnitudes": {"use_dora": True},
    "magnitudes of a convolution": {"use_dora": True, "target_modules": r".*(patch_embed\.proj|v_proj)"},
    "magnitudes, rank-stabilised": {"use_dora": True, "use_rslora": True},
}


def load(folder: Path, **options: object) -> torch.nn.Module:
    return Qwen2_5_VLForConditionalGeneration.from_pretrained(folder, **options).eval()


def make_adapter(base: Path, folder: Path, **settings: object) -> Path:
    """An adapter of random numbers on `base`."""
    config = LoraConfig(**({"r": 4, "lora_alpha": 16, "target_modules": LINEAR} | settings))
    network = get_peft_model(load(base), config)
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter) * 0.1)
    network.save_pretrained(folder)
    (folder / "prompt.json").write_text('{"adapter": "tiny", "prompt": "Transcribe.", "sha256": "11"}')
    return folder


@pytest.mark.parametrize("settings", ADAPTERS.values(), ids=ADAPTERS.keys())
def test_the_merged_model_answers_as_base_and_adapter(
    base: Path, tmp_path: Path, settings: dict[str, object]
) -> None:
    adapter = make_adapter(base, tmp_path / "adapter", **settings)
    merge(RUN, adapter, base, tmp_path / "model", tmp_path / "model.json")
    expected = logits(PeftModel.from_pretrained(load(base), adapter))
    found = logits(load(tmp_path / "model"))
    assert torch.allclose(found, expected, atol=1e-4)
    assert not torch.allclose(found, logits(load(base)), atol=1e-2)


@pytest.mark.parametrize("magnitudes", [False, True])
def test_embeddings_of_their_own_can_be_adapted(tmp_path: Path, magnitudes: bool) -> None:
    untied = save(make_network(0, tied=False), tmp_path / "base")
    adapter = make_adapter(
        untied, tmp_path / "adapter", target_modules=["embed_tokens", "lm_head"], use_dora=magnitudes
    )
    merge(RUN, adapter, untied, tmp_path / "model", tmp_path / "model.json")
    expected = logits(PeftModel.from_pretrained(load(untied), adapter))
    assert torch.allclose(logits(load(tmp_path / "model")), expected, atol=1e-4)


def test_only_adapted_weights_change_and_keep_their_dtype(tmp_path: Path) -> None:
    base = save(make_network(0, dtype=torch.bfloat16), tmp_path / "base", max_shard_size="50KB")
    adapter = make_adapter(base, tmp_path / "adapter")
    merge(RUN, adapter, base, tmp_path / "model", tmp_path / "model.json")
    before, after = (load(path).state_dict() for path in (base, tmp_path / "model"))
    factors = load_file(adapter / WEIGHTS)
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    parts = [name.removeprefix("base_model.model.") for name in factors]
    assert changed == {part.split(".lora_")[0] + ".weight" for part in parts}
    assert {value.dtype for value in after.values()} == {torch.bfloat16}
    name = "model.language_model.layers.0.self_attn.q_proj"
    a, b = (factors[f"base_model.model.{name}.lora_{side}.weight"].float() for side in "AB")
    expected = (before[f"{name}.weight"].float() + 4 * b @ a).bfloat16()
    assert torch.equal(after[f"{name}.weight"], expected)


def test_the_receipt_names_both_and_the_prompt_is_the_adapters(base: Path, tmp_path: Path) -> None:
    adapter = make_adapter(base, tmp_path / "adapter")
    for name in ("one", "two"):
        merge(RUN, adapter, base, tmp_path / name, tmp_path / f"{name}.json")
    receipt = read_receipt(tmp_path / "one.json")
    assert receipt.parents == {"sft": weights_sha256(adapter), base.as_posix(): weights_sha256(base)}
    assert receipt.format == "full" and receipt.metrics["merged_tensors"] == 6 + 6 + 1
    assert receipt.metrics["logits_difference"] < 1e-4 < 0.1 < receipt.metrics["logits_effect"]
    assert json.loads((tmp_path / "one" / "prompt.json").read_text())["prompt"] == "Transcribe."
    assert (tmp_path / "one" / "chat_template.jinja").exists()
    assert not (tmp_path / "one" / "adapter_config.json").exists()
    assert sha256_tree(tmp_path / "one") == sha256_tree(tmp_path / "two")


def rewrite(adapter: Path, old: str, new: str | None) -> None:
    """Rename one tensor of an adapter, or take it out."""
    tensors = load_file(adapter / WEIGHTS)
    value = tensors.pop(old)
    save_file(tensors | ({new: value} if new else {}), adapter / WEIGHTS)


QUERY = "base_model.model.model.language_model.layers.0.self_attn.q_proj.lora_"


@pytest.mark.parametrize(
    ("new", "message"),
    [
        (QUERY.replace("q_proj", "a_proj") + "A.weight", r"finds no weight .*layers\.0\.self_attn\.a_proj"),
        ("base_model.model.model.extra.weight", r"finds no weight model\.extra\.weight"),
        (QUERY.replace("q_proj", "k_proj") + "A.weight", "k_proj.lora_B.weight is missing"),
        (None, "q_proj.lora_A.weight is missing"),
    ],
)
def test_an_adapter_that_does_not_fit_is_refused(
    base: Path, tmp_path: Path, new: str | None, message: str
) -> None:
    adapter = make_adapter(base, tmp_path / "adapter")
    rewrite(adapter, QUERY + "A.weight", new)
    with pytest.raises(InputError, match=message):
        merge(RUN, adapter, base, tmp_path / "model", tmp_path / "model.json")
    assert not (tmp_path / "model").exists()


def test_factors_of_another_size_are_refused(base: Path, tmp_path: Path) -> None:
    adapter = make_adapter(base, tmp_path / "adapter")
    tensors = load_file(adapter / WEIGHTS)
    tensors[QUERY + "A.weight"] = torch.zeros(4, 63)
    save_file(tensors, adapter / WEIGHTS)
    with pytest.raises(InputError, match="do not make the"):
        merge(RUN, adapter, base, tmp_path / "model", tmp_path / "model.json")


def test_other_kinds_of_adapter_are_refused(base: Path, tmp_path: Path) -> None:
    adapter = make_adapter(base, tmp_path / "adapter", trainable_token_indices=[3])
    with pytest.raises(InputError, match="trainable_token_indices"):
        merge(RUN, adapter, base, tmp_path / "model", tmp_path / "model.json")
    with pytest.raises(InputError, match=r"holds no adapter_config\.json"):
        merge(RUN, base, base, tmp_path / "model", tmp_path / "model.json")


def test_an_adapter_of_a_changed_base_is_refused(base: Path, tmp_path: Path) -> None:
    adapter = make_adapter(base, tmp_path / "adapter", target_modules=["q_proj"], init_lora_weights="olora")
    with pytest.raises(InputError, match="init_lora_weights: olora changed the base"):
        merge(RUN, adapter, base, tmp_path / "model", tmp_path / "model.json")


def test_a_merged_model_that_answers_otherwise_is_refused(base: Path, tmp_path: Path) -> None:
    adapter = make_adapter(base, tmp_path / "adapter")
    with pytest.raises(ThresholdError, match="answers otherwise than with the adapter"):
        check_merge(base, adapter, base)
