"""A checkpoint made whole from its parent: nothing of its own is overwritten, and no network is asked."""

import json
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file
from transformers import AutoProcessor

from scriptorium.errors import InputError
from scriptorium.weights.agreement import load, logits, question
from scriptorium.weights.prepare import prepare

from .tiny import make_network, save, stage

RUN = stage("prepare", ["base"])


def bare(folder: Path, seed: int = 1) -> Path:
    """What another trainer leaves: weights, config, and its optimiser's state."""
    make_network(seed).save_pretrained(folder)
    (folder / "optimizer.pt").write_bytes(b"state")
    return folder


def test_what_a_checkpoint_lacks_comes_from_its_parent(base: Path, tmp_path: Path) -> None:
    checkpoint = bare(tmp_path / "checkpoint-7")
    prepare(RUN, checkpoint, base, tmp_path / "model", tmp_path / "model.json")
    made = tmp_path / "model"
    assert load_file(made / "model.safetensors").keys() == load_file(base / "model.safetensors").keys()
    assert (made / "model.safetensors").read_bytes() == (checkpoint / "model.safetensors").read_bytes()
    for name in ("tokenizer.json", "chat_template.jinja", "prompt.json", "processor_config.json"):
        assert (made / name).read_bytes() == (base / name).read_bytes()
    assert not (made / "optimizer.pt").exists()
    AutoProcessor.from_pretrained(made)
    asked = question(made)
    assert "pixel_values" in asked and logits(load(made), asked).isfinite().all()


def test_a_tokenizer_of_its_own_is_kept_whole(base: Path, tmp_path: Path) -> None:
    checkpoint = bare(tmp_path / "checkpoint-7")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(base / name, checkpoint / name)
    tokens = json.loads((checkpoint / "tokenizer.json").read_text())
    tokens["version"] = "1.0 "
    (checkpoint / "tokenizer.json").write_text(json.dumps(tokens))
    (base_with := tmp_path / "parent").mkdir()
    shutil.copytree(base, base_with, dirs_exist_ok=True)
    (base_with / "special_tokens_map.json").write_text("{}")
    prepare(RUN, checkpoint, base_with, tmp_path / "model", tmp_path / "model.json")
    made = tmp_path / "model"
    assert json.loads((made / "tokenizer.json").read_text())["version"] == "1.0 "
    assert not (made / "special_tokens_map.json").exists()
    assert (made / "chat_template.jinja").exists()


def test_what_is_no_child_of_the_parent_is_refused(base: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"holds no config\.json"):
        prepare(RUN, tmp_path / "empty", base, tmp_path / "model", tmp_path / "model.json")
    untied = save(make_network(0, tied=False), tmp_path / "untied")
    with pytest.raises(InputError, match=r"lm_head\.weight is not in both"):
        prepare(RUN, untied, base, tmp_path / "model", tmp_path / "model.json")
    assert not (tmp_path / "model").exists()
