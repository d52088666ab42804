"""FP8: what is quantised, what is left, how near it stays, and that other people's code can load it."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import Qwen2_5_VLForConditionalGeneration

from scriptorium.errors import ConfigError, InputError, ThresholdError
from scriptorium.files import sha256_tree
from scriptorium.receipt import read_receipt, weights_sha256
from scriptorium.recipe.plan import write_run
from scriptorium.weights.compressor import needs_pages, questions, schemes
from scriptorium.weights.names import linear_modules, skeleton
from scriptorium.weights.quantize import quantize, to_fp8
from scriptorium.weights.tensors import Checkpoint
from scriptorium.weights.verify import verify

from .tiny import logits, make_network, save, stage

RUN = stage("quantize", ["soup"])
PROJECTIONS = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"]
PROJECTIONS += ["mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"]
KEYS = {f"model.layers.{layer}.{name}.weight" for layer in (0, 1) for name in PROJECTIONS}


@pytest.fixture(scope="module", params=[torch.float32, torch.bfloat16], ids=str)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A model folder, and the same quantised."""
    folder = tmp_path_factory.mktemp("fp8")
    source = save(make_network(0, dtype=request.param), folder / "source")
    quantize(RUN, source, folder / "fp8", folder / "fp8.json")
    return source, folder / "fp8"


def test_the_decoders_linear_weights_are_quantised_and_nothing_else(pair: tuple[Path, Path]) -> None:
    before, after = (load_file(folder / "model.safetensors") for folder in pair)
    assert {name for name, value in after.items() if value.dtype == torch.float8_e4m3fn} == KEYS
    assert after.keys() == before.keys() | {f"{key}_scale" for key in KEYS}
    for name in before.keys() - KEYS:
        assert torch.equal(before[name], after[name]), name
    for key in KEYS:
        scale = after[f"{key}_scale"]
        assert scale.shape == (len(before[key]), 1) and scale.dtype == before[key].dtype
        error = (after[key].float() * scale.float() - before[key].float()).norm() / before[key].float().norm()
        assert 0 < error < 0.03


def test_the_config_names_every_other_linear_module(pair: tuple[Path, Path]) -> None:
    config = json.loads((pair[1] / "config.json").read_text())["quantization_config"]
    modules = set(linear_modules(skeleton(pair[0])))
    left = {name for name in modules if not name.startswith("model.language_model.layers.")}
    assert set(config["ignore"]) == left
    assert "lm_head" in left and "model.visual.blocks.0.mlp.gate_proj" in left
    assert config["format"] == "float-quantized"


@pytest.mark.parametrize("tied", [True, False])
def test_transformers_loads_it_and_it_answers_nearly_the_same(tmp_path: Path, tied: bool) -> None:
    source = save(make_network(0, tied), tmp_path / "source")
    quantize(RUN, source, tmp_path / "fp8", tmp_path / "fp8.json")
    network, report = Qwen2_5_VLForConditionalGeneration.from_pretrained(
        tmp_path / "fp8", output_loading_info=True
    )
    assert not report["missing_keys"] and not report["unexpected_keys"] and not report["mismatched_keys"]
    found, expected = logits(network.eval()), logits(make_network(0, tied))
    assert torch.isfinite(found).all()
    assert 0 < (found - expected).norm() / expected.norm() < 0.15
    assert not torch.equal(found, expected)


def test_the_receipt_counts_and_measures(pair: tuple[Path, Path]) -> None:
    receipt = read_receipt(pair[1].with_suffix(".json"))
    assert receipt.format == "fp8"
    assert receipt.metrics["quantised_modules"] == len(KEYS)
    assert receipt.metrics["left_modules"] == 13
    assert 0.02 < receipt.metrics["relative_error_mean"] <= receipt.metrics["relative_error_max"] < 0.03
    assert receipt.parameters == sum(
        value.numel() for value in load_file(pair[0] / "model.safetensors").values()
    )


def test_twice_gives_the_same_bytes_whatever_the_sharding(pair: tuple[Path, Path], tmp_path: Path) -> None:
    quantize(RUN, pair[0], tmp_path / "again", tmp_path / "again.json")
    assert sha256_tree(tmp_path / "again") == sha256_tree(pair[1])
    network = Qwen2_5_VLForConditionalGeneration.from_pretrained(pair[0])
    cut = save(network, tmp_path / "cut", max_shard_size="30KB")
    quantize(RUN, cut, tmp_path / "fp8", tmp_path / "fp8.json")
    assert weights_sha256(tmp_path / "fp8") == weights_sha256(pair[1])


def test_the_recipe_can_leave_more(base: Path, tmp_path: Path) -> None:
    ignore = [
        "re:.*lm_head",
        "re:model.visual.*",
        "model.language_model.layers.0.mlp.up_proj",
        r"re:.*o_proj$",
    ]
    run = stage("quantize", ["soup"], ignore=ignore)
    quantize(run, base, tmp_path / "fp8", tmp_path / "fp8.json")
    after = load_file(tmp_path / "fp8" / "model.safetensors")
    found = {name for name, value in after.items() if value.dtype == torch.float8_e4m3fn}
    assert KEYS - found == {
        "model.layers.0.mlp.up_proj.weight",
        "model.layers.0.self_attn.o_proj.weight",
        "model.layers.1.self_attn.o_proj.weight",
    }


@pytest.mark.parametrize("pattern", ["model.layers.0.mlp.up_proj", "re:visual.*", "up_proj"])
def test_a_pattern_that_names_nothing_is_refused(base: Path, tmp_path: Path, pattern: str) -> None:
    run = stage("quantize", ["soup"], ignore=[pattern])
    with pytest.raises(ConfigError, match="names no linear module"):
        quantize(run, base, tmp_path / "fp8", tmp_path / "fp8.json")


@pytest.mark.parametrize(
    ("scheme", "message"),
    [
        ("FP8_BLOK", "did you mean FP8_BLOCK"),
        ("W8A8", "scheme W8A8 measures activations: give `calibration"),
        ("NVFP4", "scheme NVFP4 measures activations"),
    ],
)
def test_schemes_that_cannot_be_carried_out_are_refused(
    base: Path, tmp_path: Path, scheme: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        quantize(stage("quantize", ["soup"], scheme=scheme), base, tmp_path / "f", tmp_path / "f.json")


def test_what_a_scheme_measures_is_told_by_its_definition() -> None:
    known = schemes()
    free = {"FP8_DYNAMIC", "FP8_BLOCK", "NVFP4A16", "MXFP4A16", "MXFP4"}
    assert not [name for name in free if needs_pages(known[name])]
    assert all(needs_pages(known[name]) for name in ("W8A8", "W4A16", "FP8", "NVFP4"))


@pytest.mark.skipif(find_spec("llmcompressor") is not None, reason="llm-compressor is installed")
@pytest.mark.parametrize("scheme", ["FP8_BLOCK", "W8A8"])
def test_without_llm_compressor_its_schemes_name_the_environment(
    base: Path, tmp_path: Path, scheme: str
) -> None:
    run = stage("quantize", ["soup"], scheme=scheme, calibration={"source": "a", "split": "b", "rows": 2})
    with pytest.raises(ConfigError, match=r"not installed here: use envs/compress\.yaml"):
        quantize(run, base, tmp_path / "f", tmp_path / "f.json", tmp_path)
    assert not (tmp_path / "f").exists()


def test_calibration_asks_as_the_server_does(base: Path, tmp_path: Path) -> None:
    (tmp_path / "pdfs").mkdir()
    for name in "abc":
        Image.new("RGB", (60, 80), "white").save(tmp_path / "pdfs" / f"{name}.pdf")
    run = stage("quantize", ["soup"], calibration={"source": "a", "split": "b", "rows": 2})
    asked = questions(run, base, tmp_path)
    assert len(asked) == 2 and all("pixel_values" in each for each in asked)


def test_a_quantised_model_is_not_quantised_again(pair: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="quantised already"):
        quantize(RUN, pair[1], tmp_path / "fp8", tmp_path / "fp8.json")


def test_weights_that_are_not_finite_are_refused_by_name(base: Path, tmp_path: Path) -> None:
    network = make_network(0)
    with torch.no_grad():
        network.model.language_model.layers[1].mlp.up_proj.weight[3, 4] = torch.nan
    source = save(network, tmp_path / "source")
    with pytest.raises(
        InputError, match=r"model\.layers\.1\.mlp\.up_proj\.weight holds numbers that are not finite"
    ):
        quantize(RUN, source, tmp_path / "fp8", tmp_path / "fp8.json")
    assert not (tmp_path / "fp8").exists()


def test_verification_sees_a_changed_weight(pair: tuple[Path, Path], tmp_path: Path) -> None:
    tensors = load_file(pair[1] / "model.safetensors")
    source, key = Checkpoint(pair[0]), sorted(KEYS)[0]

    def check(**changed: torch.Tensor) -> None:
        save_file(tensors | changed, tmp_path / "model.safetensors")
        verify(source, Checkpoint(tmp_path), KEYS)

    check()
    with pytest.raises(ThresholdError, match="relative error"):
        check(**{f"{key}_scale": tensors[f"{key}_scale"] * 1.1})
    with pytest.raises(ThresholdError, match="has changed"):
        check(**{"model.norm.weight": tensors["model.norm.weight"] * 2})
    with pytest.raises(ThresholdError, match="other tensors than meant"):
        check(**{key: tensors[key].float()})
    with pytest.raises(ThresholdError, match="lost or gained"):
        check(extra=torch.zeros(1))


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.lists(st.floats(-6e4, 6e4, width=16), min_size=8, max_size=8), min_size=1, max_size=4),
    dtype=st.sampled_from([torch.float32, torch.bfloat16, torch.float16]),
)
def test_any_finite_row_comes_back_near(rows: list[list[float]], dtype: torch.dtype) -> None:
    weight = torch.tensor(rows).to(dtype)
    values, scale = to_fp8("w", weight)
    restored = values.float() * scale.float()
    largest = weight.float().abs().amax(1, keepdim=True)
    # Half a step at a number's own size, or half the smallest step of the row; scales of float16 are coarse.
    step = torch.maximum(weight.float().abs() / 16, largest / 448 / 1024)
    assert torch.isfinite(restored).all()
    assert ((restored - weight.float()).abs() <= step * 1.3 + 1e-4).all()


def test_the_script_writes_model_and_receipt(base: Path, tmp_path: Path) -> None:
    write_run(tmp_path / "stage.yaml", RUN)
    script = Path(__file__).parents[2] / "workflow" / "scripts" / "quantize.py"
    out = ["--model", tmp_path / "model", "--receipt", tmp_path / "model.json"]
    command = [sys.executable, script, tmp_path / "stage.yaml", "--parent", base, *out]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    assert read_receipt(tmp_path / "model.json").run == "quantize"
