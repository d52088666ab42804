"""What the loop measures, keeps and stops at; the patch embedding as a product; what a step costs."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForImageTextToText

from scriptorium.errors import ConfigError
from scriptorium.receipt import read_receipt
from scriptorium.recipe.plan import Run
from scriptorium.train.loop import Loop
from scriptorium.train.order import Order
from scriptorium.train.patches import Projection, project_patches
from scriptorium.train.sft import load_model, make_loop, train
from scriptorium.train.stage import Files, conduct
from scriptorium.train.throughput import Meter
from tests.train.conftest import PRIMER, run

ARGS: dict[str, Any] = {
    "max_steps": 8,
    "per_device_train_batch_size": 4,
    "learning_rate": 1.0e-3,
    "save_steps": 100,
    "logging_steps": 1,
    "seed": 5,
}


def sft(args: dict[str, Any], **fields: Any) -> Run:
    return run("sft", "sft", parents=["base"], data=[PRIMER], eval_data=[PRIMER], args=ARGS | args, **fields)


def files(base: Path, rows: Path, folder: Path) -> Files:
    outputs = {
        "model": folder / "model",
        "metrics": folder / "metrics.jsonl",
        "receipt": folder / "model.json",
    }
    return Files(base, [rows], [rows], folder / "state", **outputs)


def weight(folder: Path, end: str) -> torch.Tensor:
    """The weight of a model or checkpoint whose name ends so: published names are other ones."""
    (found,) = [
        value for name, value in load_file(folder / "model.safetensors").items() if name.endswith(end)
    ]
    return found


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_the_best_checkpoint_is_kept_and_published_and_patience_ends(
    base: Path, rows: Path, tmp_path: Path
) -> None:
    """At a learning rate that ruins the model, the first measurement is the best one."""
    args = {
        "learning_rate": 0.5,
        "lr_scheduler_type": "constant",
        "max_steps": 40,
        "eval_strategy": "steps",
        "eval_steps": 1,
        "metric_for_best_model": "loss",
        "load_best_model_at_end": True,
    }
    conduct(sft(args, stop={"every": 1000, "patience": 3}), files(base, rows, tmp_path), train)
    measured = {line["step"]: line["eval_loss"] for line in lines(tmp_path) if "eval_loss" in line}
    best = min(measured, key=lambda step: measured[step])
    assert len(measured) < 40 and list(measured)[-1] == best + 3
    kept = weight(tmp_path / "state" / f"checkpoint-{best}", "layers.0.mlp.up_proj.weight")
    assert torch.equal(kept, weight(tmp_path / "model", "layers.0.mlp.up_proj.weight"))
    assert read_receipt(tmp_path / "model.json").steps == best + 3


def test_a_look_measures_what_the_model_writes(base: Path, rows: Path, tmp_path: Path) -> None:
    stage = sft({"max_steps": 2}, stop={"every": 2, "above": 101.0, "max_tokens": 12})
    conduct(stage, files(base, rows, tmp_path), train)
    last = lines(tmp_path)[-1]
    assert last["step"] == 2
    assert {name for name in last if name.startswith("dev/")} == {
        "dev/bench",
        "dev/parsed",
        "dev/similarity",
        "dev/ended",
        "dev/repeated",
    }
    assert 0 < last["dev/similarity"] < 100
    metrics = read_receipt(tmp_path / "model.json").metrics
    assert metrics["total/tokens"] == lines(tmp_path)[-2]["tokens"] > 0
    assert metrics["total/seconds"] > 0


def test_a_metric_that_nothing_measures_is_refused_before_training(
    base: Path, rows: Path, tmp_path: Path
) -> None:
    stage = sft({"metric_for_best_model": "dev/bench", "load_best_model_at_end": True})
    with pytest.raises(ConfigError, match="nothing measures 'dev/bench'"):
        conduct(stage, files(base, rows, tmp_path), train)


def test_the_last_checkpoints_are_averaged(base: Path, rows: Path, tmp_path: Path) -> None:
    stage = sft({"save_steps": 2}, average_last=3)
    conduct(stage, files(base, rows, tmp_path), train)
    parts = [
        weight(tmp_path / "state" / f"checkpoint-{step}", "layers.0.input_layernorm.weight").double()
        for step in (4, 6, 8)
    ]
    found = weight(tmp_path / "model", "layers.0.input_layernorm.weight")
    assert torch.equal(found, (sum(parts) / 3).float())  # type: ignore[operator]


def test_frozen_parts_stay_and_parts_have_rates_of_their_own(base: Path, rows: Path, tmp_path: Path) -> None:
    stage = sft({"max_steps": 1}, freeze=["vision"], learning_rates={"merger": 1.0e-7})
    conduct(stage, files(base, rows, tmp_path), train)

    def moved(end: str) -> float:
        return float((weight(tmp_path / "model", end) - weight(base, end)).abs().max())

    assert moved("blocks.0.attn.qkv.weight") == 0
    assert 0 < moved("merger.mlp.0.weight") < 2e-7
    assert moved("layers.0.mlp.up_proj.weight") > 5e-4


def test_pages_read_ahead_are_the_same_pages(base: Path, rows: Path, tmp_path: Path) -> None:
    for name, workers in (("a", 0), ("b", 2)):
        conduct(sft({"dataloader_num_workers": workers}), files(base, rows, tmp_path / name), train)
    one, other = ([line["loss"] for line in lines(tmp_path / name)] for name in "ab")
    assert one == other and len(one) == 8


def test_another_number_of_pages_a_step_is_not_resumed(base: Path, rows: Path, tmp_path: Path) -> None:
    """What changes without the stage's text changing: the number of processes."""
    loop = make_loop(sft({"max_steps": 1}), files(base, rows, tmp_path))
    loop.run()
    other = make_loop(sft({"max_steps": 1}), files(base, rows, tmp_path))
    other.pages = 8
    with pytest.raises(ConfigError, match="its steps had 4 pages, now they would have 8"):
        other.run()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_patches_are_projected_as_the_convolution_does(dtype: torch.dtype) -> None:
    torch.manual_seed(1)
    layer = torch.nn.Sequential(torch.nn.Conv3d(3, 8, (2, 14, 14), stride=(2, 14, 14), dtype=dtype))
    patches = torch.randn(5, 3, 2, 14, 14, dtype=dtype)
    wanted = layer(patches)
    assert project_patches(layer) == 1 and isinstance(layer[0], Projection)
    found = layer(patches)
    assert found.shape == wanted.shape
    assert torch.allclose(found, wanted, atol=1e-5 if dtype == torch.float32 else 2e-2)
    picture = torch.randn(1, 3, 4, 28, 28, dtype=dtype)
    assert layer(picture).shape == (1, 8, 2, 2, 2)  # a whole picture is still a convolution


def test_operations_are_counted_as_the_profiler_counts_them(base: Path, rows: Path, tmp_path: Path) -> None:
    from torch.utils.flop_counter import FlopCounterMode

    loop: Loop = make_loop(sft({"max_steps": 1}), files(base, rows, tmp_path))
    samples = loop.encoder.samples([loop.rows[0]])
    (batch,) = loop.micro_batches(samples, 1)
    with FlopCounterMode(display=False) as counter:
        loop.objective(**batch).backward()
    # The profiler counts the head's second computation too, and attention in the vision tower.
    assert Meter(loop.model).of(samples).operations == pytest.approx(counter.get_total_flops(), rel=0.25)


def test_flash_attention_is_torchs_own_where_it_is_not_installed(
    base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = load_model(base, {"attn_implementation": "flash_attention_2"}, None)
    assert model.config._attn_implementation == "sdpa"
    assert "flash_attention_2 is not installed" in capsys.readouterr().err


def test_options_of_an_adapter_go_to_peft_or_are_refused(base: Path) -> None:
    options = {"r": 2, "lora_alpha": 4, "target_modules": "all-linear", "use_dora": True, "bias": "lora_only"}
    made = load_model(base, {}, options).peft_config["default"]
    assert made.use_dora and made.bias == "lora_only"
    with pytest.raises(ConfigError, match="use_dorra"):
        load_model(base, {}, options | {"use_dorra": True})
    if not torch.cuda.is_available():
        with pytest.raises(ConfigError, match="bitsandbytes"):
            load_model(base, {}, options | {"load_in_4bit": True})


def test_the_model_is_itself_without_its_patches_changed(base: Path) -> None:
    """Names and shapes of the weights are those of the model as transformers has it."""
    ours, theirs = load_model(base, {}, None), AutoModelForImageTextToText.from_pretrained(base)
    assert {n: v.shape for n, v in ours.state_dict().items()} == {
        n: v.shape for n, v in theirs.state_dict().items()
    }
    assert Order.of([""] * 4, 1).batch(1, 4)
