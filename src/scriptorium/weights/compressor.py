"""Quantisation schemes beyond FP8_DYNAMIC, by llm-compressor and by its names: W8A8, W4A16, NVFP4 and their kin.

llm-compressor pins versions of transformers and compressed-tensors that are not ours, so it has an environment of
its own (envs/compress.yaml) and is imported here alone. Unlike FP8_DYNAMIC these load the whole model.
"""

import importlib.util
from pathlib import Path
from typing import Any

from scriptorium.errors import ConfigError, nearest
from scriptorium.recipe.plan import Run
from scriptorium.serve.adapter import load as load_adapter
from scriptorium.weights.agreement import page_question
from scriptorium.weights.names import network_class
from scriptorium.weights.tensors import copy_companions


def schemes() -> dict[str, dict[str, Any]]:
    """The schemes that llm-compressor knows by name, as compressed-tensors defines them."""
    from compressed_tensors.quantization.quant_scheme import PRESET_SCHEMES

    return {name: scheme for name, scheme in PRESET_SCHEMES.items() if scheme.get("weights") is not None}


def needs_pages(scheme: dict[str, Any]) -> bool:
    """Whether a scheme measures activations: integer weights are fitted to them, static scales taken from them."""
    activations = scheme.get("input_activations")
    return scheme["weights"].type == "int" or (activations is not None and activations.dynamic is not True)


def check(run: Run, pages: Path | None) -> dict[str, Any]:
    """The scheme of a run. Raises ConfigError for an unknown one, missing pages, or a missing llm-compressor."""
    where = f"stage {run.stage}"
    known = schemes()
    if run.scheme not in known:
        raise ConfigError(f"{where}: scheme: found {run.scheme!r}; {nearest(run.scheme, known)}")
    scheme = known[run.scheme]
    if needs_pages(scheme) and pages is None:
        raise ConfigError(
            f"{where}: scheme {run.scheme} measures activations: give `calibration: {{source, split, rows}}`"
        )
    if importlib.util.find_spec("llmcompressor") is None:
        raise ConfigError(
            f"{where}: scheme {run.scheme} is carried out by llm-compressor, which is not installed here: use "
            "envs/compress.yaml (snakemake --sdm conda), or the scheme FP8_DYNAMIC, which needs nothing"
        )
    return scheme


def compress(run: Run, parent: Path, pages: Path | None, left: list[str], folder: Path) -> None:
    """Write the model in `parent`, quantised by `run.scheme`, to `folder`.

    `left`: names of the Linear modules that stay as they are. `pages`: a bench folder whose first pages, with the
    prompt of the run's model adapter, are what activations are measured on. Raises ConfigError as `check` does.
    """
    scheme = check(run, pages)
    from llmcompressor import oneshot  # type: ignore[import-not-found, unused-ignore]
    from llmcompressor.modifiers.quantization import (  # type: ignore[import-not-found, unused-ignore]
        GPTQModifier,
        QuantizationModifier,
    )

    network = network_class(parent).from_pretrained(parent, dtype="auto")
    kind = GPTQModifier if scheme["weights"].type == "int" else QuantizationModifier
    recipe = kind(targets="Linear", scheme=run.scheme, ignore=left)
    asked = questions(run, parent, pages) if pages and needs_pages(scheme) else []
    data = {"dataset": _batches(asked), "num_calibration_samples": len(asked)} if asked else {}
    oneshot(model=network, recipe=recipe, **data)
    copy_companions(parent, folder)
    network.save_pretrained(folder, save_compressed=True)


def questions(run: Run, parent: Path, pages: Path) -> list[dict[str, Any]]:
    """The model inputs of the calibration pages, drawn and asked as the server would."""
    from PIL import Image
    from transformers import AutoProcessor

    from scriptorium.weights.served import first_pages

    assert run.calibration is not None
    adapter, processor = load_adapter(run.model), AutoProcessor.from_pretrained(parent)
    return [
        page_question(processor, adapter.prompt, Image.fromarray(array), adapter.image_first)
        for _, array in first_pages(pages, adapter, run.calibration["rows"])
    ]


def _batches(inputs: list[dict[str, Any]]) -> Any:
    """The inputs one by one, as torch's loader."""
    from torch.utils.data import DataLoader

    return DataLoader(inputs, batch_size=None)  # type: ignore[arg-type]
