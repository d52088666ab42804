"""A model folder that is whole: what a checkpoint lacks, from the model it was trained from; without a network.

Trainers of others save weights and config alone. What the weights were trained with (tokenizer, processor, chat
template, generation config, prompt) is the checkpoint's own where it has it, and the parent's where it does not.
"""

import shutil
import time
from pathlib import Path

from scriptorium.errors import InputError
from scriptorium.files import whole
from scriptorium.receipt import Receipt, write_receipt
from scriptorium.recipe.plan import Run
from scriptorium.weights.tensors import INDEX, Checkpoint, copy_companions, weight_files

TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt", "special_tokens_map.json")
"""Files that are taken together or not at all: half a tokenizer of each would be neither."""


def prepare(run: Run, checkpoint: Path, parent: Path, model: Path, receipt: Path) -> Receipt:
    """Write the weights in `checkpoint`, with what they need from `parent`, to `model`, and its receipt.

    Raises InputError for a checkpoint without config or weights, or whose tensors are not the parent's.
    """
    started = time.monotonic()
    if not (checkpoint / "config.json").is_file():
        raise InputError(f"{checkpoint}: holds no config.json; name the folder of a whole model's checkpoint")
    check_same_network(Checkpoint(checkpoint), Checkpoint(parent))
    with whole(model) as part:
        copy_companions(parent, part)
        if any((checkpoint / name).is_file() for name in TOKENIZER):
            for name in TOKENIZER:
                (part / name).unlink(missing_ok=True)
        copy_companions(checkpoint, part)
        for path in weight_files(checkpoint):
            shutil.copyfile(path, part / path.name)
        if (checkpoint / INDEX).is_file():
            shutil.copyfile(checkpoint / INDEX, part / INDEX)
    named = {run.parents[0]: parent}
    return write_receipt(receipt, run, model, named, [], "full", 0, started, {})


def check_same_network(checkpoint: Checkpoint, parent: Checkpoint) -> None:
    """Raise InputError unless both hold tensors of the same names, and of the same shapes but for the vocabulary."""
    lost = sorted(checkpoint.specs.keys() ^ parent.specs.keys())
    if lost:
        raise InputError(
            f"{checkpoint.path}: tensor {lost[0]} is not in both it and {parent.path}: it was not trained from that"
        )
    for name, spec in checkpoint.specs.items():
        if spec.shape[1:] != parent.specs[name].shape[1:]:
            raise InputError(
                f"{checkpoint.path}: tensor {name} is {list(spec.shape)}, in {parent.path} "
                f"{list(parent.specs[name].shape)}: it was not trained from that"
            )
