"""A receipt says what a run was made of, and says the same of the same weights."""

import json
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from scriptorium.errors import InputError
from scriptorium.files import sha256_file
from scriptorium.receipt import read_receipt, weights_sha256, write_receipt
from scriptorium.recipe.plan import Run

RUN = Run(name="sft", stage="sft", method="sft", recipe="tiny", model="tiny", seed=3)


def make_model(folder: Path, scale: float = 1.0) -> Path:
    folder.mkdir(parents=True)
    arrays = {"a.weight": np.ones((3, 4), np.float32) * scale, "b.bias": np.zeros(5, np.float32)}
    save_file(arrays, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text("{}")
    return folder


def test_a_receipt_comes_back_as_it_was_written(tmp_path: Path) -> None:
    model, parent = make_model(tmp_path / "model"), make_model(tmp_path / "parent", 2.0)
    rows = tmp_path / "rows.parquet"
    rows.write_bytes(b"rows")
    written = write_receipt(
        tmp_path / "model.json",
        RUN,
        model,
        {"base": parent},
        [rows],
        "full",
        7,
        time.monotonic(),
        {"loss": 1.5},
    )
    assert read_receipt(tmp_path / "model.json") == written
    assert written.parents == {"base": weights_sha256(parent)}
    assert written.data == {rows.as_posix(): sha256_file(rows)}
    assert written.weights == {"model.safetensors": sha256_file(model / "model.safetensors")}
    assert written.parameters == 17
    assert (written.seed, written.steps, written.metrics) == (3, 7, {"loss": 1.5})
    assert written.versions["torch"] and written.device
    assert written.peak_memory_bytes > 10_000_000


def test_the_hash_is_of_weights_alone(tmp_path: Path) -> None:
    one, other = make_model(tmp_path / "one"), make_model(tmp_path / "other")
    (other / "config.json").write_text('{"note": 1}')
    assert weights_sha256(one) == weights_sha256(other)
    assert weights_sha256(one) != weights_sha256(make_model(tmp_path / "third", 2.0))
    (other / "model.safetensors").rename(other / "model-1.safetensors")
    assert weights_sha256(one) != weights_sha256(other)


def test_resources_do_not_change_the_stage_and_arguments_do(tmp_path: Path) -> None:
    model = make_model(tmp_path / "model")

    def stage(run: Run) -> str:
        return write_receipt(
            tmp_path / "m.json", run, model, {}, [], "full", 0, time.monotonic(), {}
        ).stage_sha256

    other = RUN.model_copy(update={"resources": RUN.resources.model_copy(update={"mem_mb": 9})})
    assert stage(RUN) == stage(other)
    assert stage(RUN) != stage(RUN.model_copy(update={"args": {"learning_rate": 1.0}}))


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no \.safetensors"):
        write_receipt(tmp_path / "m.json", RUN, tmp_path, {}, [], "full", 0, time.monotonic(), {})
    assert not (tmp_path / "m.json").exists()


@pytest.mark.parametrize("text", [json.dumps({"run": "x"}), "[", "{}"])
def test_a_broken_receipt_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "model.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"model\.json: not a receipt"):
        read_receipt(path)


def test_a_missing_receipt_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such receipt"):
        read_receipt(tmp_path / "none.json")
