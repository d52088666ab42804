"""The training loop: exact resumption, token weighting, masking, a refused state."""

import functools
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import yaml
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

from scriptorium.errors import ConfigError, InputError
from scriptorium.pages import front_matter
from scriptorium.receipt import read_receipt, weights_sha256
from scriptorium.recipe.plan import Run, write_run
from scriptorium.serve.adapter import find, load
from scriptorium.train.arguments import Arguments
from scriptorium.train.loop import Loop
from scriptorium.train.order import Order
from scriptorium.train.packing import bins
from scriptorium.train.rows import IGNORED, Encoder, picture, prompt_length, question, read_rows, shorter
from scriptorium.train.sft import train
from tests.train import conftest
from tests.train.conftest import PRIMER, run

ARGS = {
    "max_steps": 6,
    "per_device_train_batch_size": 4,
    "learning_rate": 1.0e-3,
    "save_steps": 2,
    "logging_steps": 1,
    "seed": 5,
}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def sft(**args: Any) -> Run:
    return run("sft", "sft", parents=["base"], data=[PRIMER], args=ARGS | args)


go = functools.partial(conftest.go, train)


def test_the_same_seed_gives_the_same_weights_and_another_seed_does_not(
    base: Path, rows: Path, tmp_path: Path
) -> None:
    first = go(sft(), base, rows, tmp_path / "a")
    assert go(sft(), base, rows, tmp_path / "b") == first
    assert go(sft(seed=6), base, rows, tmp_path / "c") != first
    assert first != weights_sha256(base)
    final = json.loads((tmp_path / "a" / "state" / "arguments.json").read_text())
    assert ARGS.items() <= final.items() and final["lr_scheduler_type"] == "linear"
    receipt = read_receipt(tmp_path / "a" / "model.json")
    assert (receipt.steps, receipt.format, receipt.weights_sha256) == (6, "full", first)


def start(base: Path, rows: Path, folder: Path) -> "subprocess.Popen[bytes]":
    """The training script on `folder`, in a process of its own."""
    script = Path(__file__).parents[2] / "workflow" / "scripts" / "sft.py"
    command = [sys.executable, script, folder / "stage.yaml", "--parent", base, "--rows", rows]
    command += ["--state", folder / "state", "--model", folder / "model"]
    command += ["--metrics", folder / "metrics.jsonl", "--receipt", folder / "model.json"]
    return subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"})


def wait_for_steps(folder: Path, steps: int, child: "subprocess.Popen[bytes]") -> None:
    """Wait until the metrics of `folder` show `steps` steps."""
    path, deadline = folder / "state" / "metrics.jsonl", time.monotonic() + 120
    while not path.exists() or len(path.read_text().splitlines()) < steps:
        assert child.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)


def test_killed_in_training_it_goes_on_to_the_same_weights(base: Path, rows: Path, tmp_path: Path) -> None:
    """SIGKILL after the second checkpoint; the second try ends with the weights of an undisturbed run."""
    stage = sft(max_steps=40, save_steps=4)
    undisturbed = go(stage, base, rows, tmp_path / "a")
    folder = tmp_path / "b"
    write_run(folder / "stage.yaml", stage)
    child = start(base, rows, folder)
    deadline = time.monotonic() + 120
    while not (folder / "state" / "checkpoint-8").exists():
        assert child.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    reached = max(int(path.name.rpartition("-")[2]) for path in (folder / "state").glob("checkpoint-*"))
    assert reached < 40
    assert go(stage, base, rows, folder) == undisturbed
    steps = [json.loads(line)["step"] for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert steps == list(range(1, 41))


def test_asked_to_stop_it_writes_a_checkpoint_and_goes_on_later(
    base: Path, rows: Path, tmp_path: Path
) -> None:
    stage = sft(max_steps=60, save_steps=1000)
    undisturbed = go(stage, base, rows, tmp_path / "a")
    folder = tmp_path / "b"
    write_run(folder / "stage.yaml", stage)
    child = start(base, rows, folder)
    wait_for_steps(folder, 5, child)
    child.send_signal(signal.SIGTERM)
    assert child.wait(60) == 143
    (checkpoint,) = (folder / "state").glob("checkpoint-*")
    assert 5 <= int(checkpoint.name.rpartition("-")[2]) < 60
    assert go(stage, base, rows, folder) == undisturbed


def test_long_rows_are_left_out_and_counted(
    base: Path, rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    encoder = Encoder(AutoProcessor.from_pretrained(base), load("tiny").prompt)
    data = read_rows([rows], tmp_path)
    lengths = [len(sample) for sample in encoder.samples(list(data))]
    kept = shorter(data, encoder, min(lengths))
    assert 0 < len(kept) == lengths.count(min(lengths)) < len(data)
    assert f"{len(data) - len(kept)} of {len(data)} rows are longer" in capsys.readouterr().err
    assert bins(
        [len(sample) for sample in encoder.samples(list(kept))], min(lengths)
    )  # each fits a packed row


def test_long_prompts_are_left_out_whoever_counts_them(
    base: Path, rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Families whose processor does not tell the tokens of a picture have their prompts made."""
    encoder = Encoder(AutoProcessor.from_pretrained(base), load("tiny").prompt)
    data = read_rows([rows], tmp_path)
    most = encoder.prompts([data[0]])["input_ids"].shape[1]
    assert prompt_length(encoder, data[0]) == most
    monkeypatch.delattr(type(encoder.processor.image_processor), "get_number_of_image_patches")
    assert prompt_length(encoder, data[0]) == most
    assert len(shorter(data, encoder, most_prompt=most)) == len(data)
    with pytest.raises(InputError, match=f"all {len(data)} rows are longer than {most - 1} tokens without"):
        shorter(data, encoder, most_prompt=most - 1)


def test_an_adapter_goes_into_its_model_unless_it_is_to_stay_one(
    base: Path, rows: Path, tmp_path: Path
) -> None:
    for merge, names in ((True, {"model.safetensors"}), (False, {"adapter_model.safetensors"})):
        adapter = {
            "r": 2,
            "lora_alpha": 4,
            "lora_dropout": 0.0,
            "target_modules": "all-linear",
            "merge": merge,
        }
        stage = sft(max_steps=1).model_copy(update={"adapter": adapter})
        go(stage, base, rows, tmp_path / str(merge))
        assert {path.name for path in (tmp_path / str(merge) / "model").glob("*.safetensors")} == names
        assert read_receipt(tmp_path / str(merge) / "model.json").format == ("full" if merge else "adapter")


def test_state_of_another_stage_is_refused_with_the_difference(
    base: Path, rows: Path, tmp_path: Path
) -> None:
    go(sft(), base, rows, tmp_path)
    (tmp_path / "state" / "finished").unlink()
    with pytest.raises(ConfigError, match=r"stage\.args\.learning_rate was 0\.001, is 0\.002"):
        go(sft(learning_rate=2.0e-3), base, rows, tmp_path)


def test_state_of_another_prompt_is_refused(
    base: Path, rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody edits the adapter between a kill and the resumption: the second half would learn another question."""
    go(sft(), base, rows, tmp_path)
    (tmp_path / "state" / "finished").unlink()
    changed = yaml.safe_load(find("tiny").read_text()) | {"prompt": "Read it."}
    (tmp_path / "config" / "models").mkdir(parents=True)
    (tmp_path / "config" / "models" / "tiny.yaml").write_text(yaml.safe_dump(changed))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"unfinished work of another stage: prompt was 'd6dd1b"):
        go(sft(), base, rows, tmp_path)


def test_four_pages_are_learnt_by_heart_from_their_pictures(base: Path, rows: Path, tmp_path: Path) -> None:
    """Whoever does not see which of four pages it is pays ln 4 for each: 0.095 a token here, and no less."""
    pages = pq.read_table(rows).slice(0, 4).to_pylist()
    args = {"lr_scheduler_type": "cosine", "warmup_steps": 10, "save_steps": 1000, "learning_rate": 1.0e-2}
    losses = []
    for steps, shades in ((120, [0, 85, 170, 255]), (60, [255] * 4)):
        four, folder = tmp_path / f"{steps}.parquet", tmp_path / str(steps)
        drawn = [row | {"image": plain(shade)} for row, shade in zip(pages, shades, strict=True)]
        pq.write_table(pa.Table.from_pylist(drawn), four)
        go(sft(**args, max_steps=steps, packing=True, max_length=512), base, four, folder)
        losses.append(json.loads((folder / "metrics.jsonl").read_text().splitlines()[-1])["loss"])
    seen, unseen = losses
    assert seen < 0.05 < 0.09 < unseen


def plain(shade: int) -> bytes:
    """A page of one grey, as PNG."""
    data = io.BytesIO()
    Image.new("L", (112, 56), shade).save(data, "PNG")
    return data.getvalue()


def test_finished_state_of_another_stage_makes_room(base: Path, rows: Path, tmp_path: Path) -> None:
    first = go(sft(), base, rows, tmp_path)
    assert go(sft(learning_rate=2.0e-3), base, rows, tmp_path) != first


def make_loop(base: Path, rows: Path, state: Path, size: int, accumulation: int) -> Loop:
    arguments = Arguments.of(
        ARGS | {"per_device_train_batch_size": size, "gradient_accumulation_steps": accumulation}, "test"
    )
    data = read_rows([rows], state / "cache")
    model = AutoModelForImageTextToText.from_pretrained(base, dtype=torch.float32)
    encoder = Encoder(AutoProcessor.from_pretrained(base), load("tiny").prompt)
    loop = Loop(model, encoder, data, Order.of(data["group"], 1), arguments, state)
    loop.prepare()
    return loop


def test_micro_batches_of_unequal_length_weigh_every_token_alike(
    base: Path, rows: Path, tmp_path: Path
) -> None:
    whole, parts = make_loop(base, rows, tmp_path / "a", 8, 1), make_loop(base, rows, tmp_path / "b", 2, 4)
    samples = whole.encoder.samples([whole.rows[index] for index in range(8)])
    (loss, norm), (loss_parts, norm_parts) = whole.step(1, samples), parts.step(1, samples)
    assert loss_parts == pytest.approx(loss, rel=1e-5)
    assert norm_parts == pytest.approx(norm, rel=1e-4)


def test_labels_are_the_answer_and_its_end_and_nothing_else(base: Path, rows: Path, tmp_path: Path) -> None:
    processor = AutoProcessor.from_pretrained(base)
    row = read_rows([rows], tmp_path)[0]
    for target, wanted in (("page", row["text"]), ("text", front_matter.body(row["text"]))):
        batch = Encoder(processor, load("tiny").prompt, target)([row])
        labels = batch["labels"][0]
        answer = processor.tokenizer.decode(labels[labels != IGNORED])
        assert answer == wanted + processor.tokenizer.eos_token
        whole = processor.tokenizer.decode(batch["input_ids"][0])
        assert whole.endswith("<|im_start|>assistant\n" + answer)


def test_training_asks_what_the_server_is_asked(base: Path, rows: Path, tmp_path: Path) -> None:
    """The prompt ids of training are those that the chat template gives for the request of the client."""
    processor = AutoProcessor.from_pretrained(base)
    row = read_rows([rows], tmp_path)[0]
    encoder = Encoder(processor, load("tiny").prompt)
    batch = encoder([row])
    prompt = encoder.prompts([row])["input_ids"][0]
    first = int((batch["labels"][0] != IGNORED).nonzero()[0])
    assert batch["input_ids"][0, :first].tolist() == prompt.tolist()
    assert batch["mm_token_type_ids"].sum() == (batch["input_ids"] == processor.image_token_id).sum() > 0


def test_a_sample_is_the_whole_conversation_as_the_template_writes_it(
    base: Path, rows: Path, tmp_path: Path
) -> None:
    """Question, answer and end token are those of the template of a conversation that has been answered."""
    processor = AutoProcessor.from_pretrained(base)
    row = read_rows([rows], tmp_path)[0]
    for image_first in (False, True):
        encoder = Encoder(processor, load("tiny").prompt, image_first=image_first)
        asked = question(load("tiny").prompt, image_first)
        for part in asked[0]["content"]:
            part |= {"image": picture(row)} if part["type"] == "image" else {}
        answered = {"role": "assistant", "content": [{"type": "text", "text": row["text"]}]}
        golden = processor.apply_chat_template([*asked, answered], tokenize=True, return_dict=True)
        (sample,) = encoder.samples([row])
        end = processor.tokenizer.eos_token_id
        whole = list(golden["input_ids"][0])
        assert sample.ids.tolist() == whole[: len(sample)]
        assert sample.ids[-1] == end and end not in whole[len(sample) :]
        assert (
            sample.labels[sample.labels != IGNORED].tolist()
            == whole[len(encoder.prompts([row])["input_ids"][0]) : len(sample)]
        )


def test_packed_or_not_a_step_is_the_same(base: Path, rows: Path, tmp_path: Path) -> None:
    padded = go(sft(), base, rows, tmp_path / "a")
    packed = go(sft(packing=True, max_length=64), base, rows, tmp_path / "b")
    lines = [
        [json.loads(line) for line in (tmp_path / name / "metrics.jsonl").read_text().splitlines()]
        for name in "ab"
    ]
    for one, other in zip(*lines, strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-5)
    assert padded != packed  # sums in another order round otherwise
