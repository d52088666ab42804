"""What a checkpoint's tensors are called inside the model: the same renaming that loading it applies."""

from collections.abc import Iterable
from pathlib import Path

import torch
import transformers
from transformers import AutoConfig, PreTrainedModel
from transformers.conversion_mapping import get_model_conversion_mapping
from transformers.core_model_loading import WeightConverter, WeightRenaming, rename_source_key

from scriptorium.errors import InputError


def network_class(folder: Path) -> type[PreTrainedModel]:
    """The class that a folder's config names. InputError if it is none of the transformers library."""
    named = (AutoConfig.from_pretrained(folder).architectures or ["none"])[0]
    kind: type[PreTrainedModel] | None = getattr(transformers, named, None)
    if kind is None:
        raise InputError(f"{folder / 'config.json'}: architectures: {named} is no class of transformers")
    return kind


def skeleton(folder: Path) -> PreTrainedModel:
    """The model of a folder's config without weights: modules and shapes on the meta device.

    Raises InputError for a config that names no class of the transformers library.
    """
    config = AutoConfig.from_pretrained(folder)
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    kind = network_class(folder)
    with torch.device("meta"):
        return kind(config)


def parameter_names(model: PreTrainedModel, keys: Iterable[str]) -> dict[str, str]:
    """Checkpoint key to parameter name, for every key that loads unchanged into one parameter of `model`.

    Files of Qwen2.5-VL say `model.layers.0...` and `visual...` where the modules are called
    `model.language_model.layers.0...` and `model.visual...`. Keys that loading fuses or splits (the experts
    of some models) are left out.
    """
    mapping = get_model_conversion_mapping(model)
    renamings = [entry for entry in mapping if isinstance(entry, WeightRenaming)]
    converters = [entry for entry in mapping if isinstance(entry, WeightConverter)]
    known = model.state_dict()
    names = {}
    for key in keys:
        name, converter = rename_source_key(key, renamings, converters, model.base_model_prefix, known)
        if name not in known:
            name, converter = rename_source_key(key, [], [], model.base_model_prefix, known)
        if converter is None and name in known:
            names[key] = name
    return names


def linear_modules(model: PreTrainedModel) -> dict[str, torch.nn.Linear]:
    """Every Linear of the model by its name."""
    return {name: module for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)}
