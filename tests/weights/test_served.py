"""A served model against the same weights in transformers: a real server, and what it must not get away with."""

import dataclasses
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from scriptorium.errors import ThresholdError
from scriptorium.pages.image import encode_png
from scriptorium.serve.adapter import load
from scriptorium.serve.server import serving
from scriptorium.train.init import make
from scriptorium.train.rows import Encoder
from scriptorium.weights.served import (
    Asker,
    Compared,
    Served,
    ask,
    conclude,
    folded,
    judge,
    judge_texts,
    read_answer,
    verify_served,
)
from tests.train.conftest import CONFIG
from tests.train.conftest import run as training_run

ADAPTER = load("tiny")


def make_model(folder: Path, seed: int) -> Path:
    make(training_run("base", "init", config=CONFIG, seed=seed), folder / "model", folder / "model.json")
    return folder / "model"


def page(words: str) -> Image.Image:
    picture = Image.new("RGB", (112, 84), "white")
    ImageDraw.Draw(picture).text((6, 6), words, fill="black")
    return picture


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("served"), 1)


@pytest.fixture(scope="module")
def served(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """What a real server says of a page."""
    log = tmp_path_factory.mktemp("log") / "server.log"
    with serving(str(model), ADAPTER, 1, log) as endpoint:
        yield ask(endpoint, ADAPTER, encode_png(np.array(page("served"))), 12)


def test_a_server_of_the_same_weights_agrees(model: Path, served: Served) -> None:
    row = Asker(model, ADAPTER, 12).compare("page", np.array(page("served")), served)
    assert row.prompt_equal and row.text_equal and not judge(row, 0.05) and not judge_texts([row])
    assert row.prompt_tokens == served.prompt_tokens > 10


def test_the_prompt_is_that_of_training(model: Path) -> None:
    asker = Asker(model, ADAPTER, 12)
    png = io.BytesIO()
    page("served").save(png, "PNG")
    encoder = Encoder(asker.processor, ADAPTER.prompt)
    trained = encoder.prompts([{"image": png.getvalue()}])["input_ids"][0].tolist()
    assert asker.same_prompt(trained, Served("", "stop", len(trained), prompt=trained))
    assert not asker.same_prompt(trained, Served("", "stop", len(trained), prompt=[*trained[:-1], 0]))
    assert not asker.same_prompt(trained, Served("", "stop", len(trained) + 1))
    short = folded(trained, asker.processor.image_token_id)
    assert len(short) < len(trained)
    assert asker.same_prompt(trained, Served("", "stop", len(trained), prompt=short))


def test_another_template_and_other_weights_are_seen(model: Path, served: Served, tmp_path: Path) -> None:
    other = tmp_path / "template"
    shutil.copytree(model, other)
    template = other / "chat_template.jinja"
    template.write_text(template.read_text().replace("<|im_end|>{% endfor %}", "{% endfor %}"))
    row = Asker(other, ADAPTER, 12).compare("page", np.array(page("served")), served)
    assert not row.prompt_equal and "is not that of training" in judge(row, 0.05)[0]
    weights = make_model(tmp_path / "weights", 2)
    row = Asker(weights, ADAPTER, 12).compare("page", np.array(page("served")), served)
    assert row.prompt_equal and judge_texts([row]) == [
        "the greedy answers differ on 1 of 1 pages, as on page"
    ]
    same = dataclasses.replace(row, text_equal=True)
    assert not judge_texts([row, same])


def test_log_probabilities_are_compared_where_the_server_gives_them(model: Path) -> None:
    asker = Asker(model, ADAPTER, 12)
    array = np.array(page("served"))
    from scriptorium.weights.agreement import page_question

    inputs = page_question(asker.processor, ADAPTER.prompt, Image.fromarray(array))
    asked = inputs["input_ids"][0].tolist()
    made = asker.network.generate(
        **inputs, do_sample=False, max_new_tokens=6, output_logits=True, return_dict_in_generate=True
    )
    answer = made.sequences[0, len(asked) :].tolist()
    steps = [step[0].log_softmax(-1) for step in made.logits]
    logprobs = [float(step[token]) for step, token in zip(steps, answer, strict=True)]
    reply = {
        "choices": [
            {
                "message": {"content": "x"},
                "finish_reason": "length",
                "token_ids": answer,
                "logprobs": {"content": [{"token": "x", "logprob": each} for each in logprobs]},
            }
        ],
        "usage": {"prompt_tokens": len(asked)},
        "prompt_token_ids": asked,
    }
    row = asker.compare("page", array, read_answer(json.loads(json.dumps(reply))))
    assert row.logprob_max is not None and row.logprob_max < 1e-4 and not judge(row, 0.05)
    row = asker.compare(
        "page", array, Served("x", "length", len(asked), asked, answer, [each - 0.2 for each in logprobs])
    )
    assert (
        row.logprob_mean == pytest.approx(0.2, abs=1e-3) and "log-probabilities differ" in judge(row, 0.05)[0]
    )


def test_a_report_is_written_and_a_disagreement_ends_the_job(model: Path, tmp_path: Path) -> None:
    (tmp_path / "pdfs").mkdir()
    page("one").save(tmp_path / "pdfs" / "one.pdf")
    (tmp_path / "pdfs" / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    arguments = (ADAPTER, tmp_path, tmp_path / "verify.json", tmp_path / "server.log", 1, 2, 8)
    verify_served(model, *arguments)
    report = json.loads((tmp_path / "verify.json").read_text())
    assert report["passed"] and [row["page"] for row in report["pages"]] == ["one.pdf"]


def test_a_disagreement_ends_the_job_after_the_report(tmp_path: Path) -> None:
    fault = Compared("one.pdf", 9, False, None, 0.01, 0.02, 0.0, None)
    fine = Compared("two.pdf", 9, True, None, 0.01, 0.02, 0.0, None)
    conclude(tmp_path, "vllm", 0.05, [fine], tmp_path / "fine.json")
    with pytest.raises(
        ThresholdError, match=r"disagree: page one\.pdf: the server's prompt is not that of training"
    ):
        conclude(tmp_path, "vllm", 0.05, [fine, fault], tmp_path / "verify.json")
    report = json.loads((tmp_path / "verify.json").read_text())
    assert not report["passed"] and len(report["pages"]) == 2 and len(report["faults"]) == 1
