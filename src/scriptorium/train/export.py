"""The end of a training run: its model folder, whole, from the newest checkpoint's model, and its receipt."""

from pathlib import Path

from transformers import PreTrainedModel, ProcessorMixin

from scriptorium.files import whole
from scriptorium.recipe.plan import Run
from scriptorium.serve.adapter import load, write_prompt


def export(model: PreTrainedModel, processor: ProcessorMixin, run: Run, out: Path) -> None:
    """Write what was trained with its processor, generation config and prompt.

    A peft adapter stays one if the run says `merge: false`, and goes into its model otherwise.
    """
    if run.adapter and run.adapter.get("merge", True):
        model = model.merge_and_unload()
    with whole(out) as part:
        model.save_pretrained(part)
        (part / "README.md").unlink(missing_ok=True)  # peft's card names paths of this machine
        processor.save_pretrained(part)
        write_prompt(part, load(run.model))
