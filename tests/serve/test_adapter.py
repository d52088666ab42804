"""Model adapters: what is in the files, and what a wrong one says."""

import hashlib
import json
from pathlib import Path

import pytest

from scriptorium.errors import ConfigError
from scriptorium.serve.adapter import adapter_of, check_prompt, load, message_content, names, write_prompt
from scriptorium.serve.client import ChatClient
from scriptorium.serve.parsers import PARSERS
from scriptorium.serve.process import Order
from scriptorium.serve.reader import asking
from scriptorium.serve.server import check_order

from .scripted import ScriptedServer, answer, in_turn

PATCH = {"qwen2.5-vl": 28, "qwen3-vl": 32, "lightonocr": 28, "dots-ocr": 28, "any": 28} | {
    "llama-3.2-vision": 560,  # a tile: its tokens are not in the prompt
    "smolvlm": 64,
}
"""Pixels of the side of an image token, by family."""
PROMPTS = {
    "chandra-pages": "aaa255f2480e52b8",
    "dots-ocr": "76ed3c907a583f25",
    "llama-3.2-vision": "59a7effb80ab3a99",
    "lightonocr": "e3b0c44298fc1c14",
    "olmocr-0725": "94b8c3044cf8c0c7",
    "olmocr-0825": "94b8c3044cf8c0c7",
    "olmocr-2": "c12f21aca8c6c559",
    "plain": "694271912af267b6",
    "qwen2.5-vl": "aaa255f2480e52b8",
    "qwen3-vl": "59a7effb80ab3a99",
    "smolvlm": "59a7effb80ab3a99",
    "tiny": "d6dd1b6f36847ceb",
}
"""The start of each prompt's hash. Weights expect their prompt to the letter: a change must be meant."""


def test_every_shipped_adapter_has_the_prompt_it_had() -> None:
    assert {name: load(name).prompt_sha256[:16] for name in names()} == PROMPTS


@pytest.mark.parametrize("name", PROMPTS)
def test_shipped_adapters_fit_their_context(name: str) -> None:
    adapter = load(name)
    assert adapter.name == name
    side = PATCH[adapter.family]
    # A square page has most tokens; a page of A4's shape is 0.71 as wide as high.
    image_tokens = (adapter.image_side / side) ** 2
    assert image_tokens + len(adapter.prompt) / 3 + adapter.max_tokens < adapter.context
    assert adapter.image_side % side == 0
    assert adapter.max_pixels is None or adapter.max_pixels >= adapter.image_side**2 * 0.7
    assert adapter.parser in PARSERS


def test_prompt_hash_is_of_the_prompt(tmp_path: Path) -> None:
    adapter = load("tiny")
    write_prompt(tmp_path, adapter)
    written = json.loads((tmp_path / "prompt.json").read_text())
    assert written["adapter"] == "tiny"
    assert (
        written["sha256"] == hashlib.sha256(written["prompt"].encode()).hexdigest() == adapter.prompt_sha256
    )


def test_a_model_of_another_prompt_is_refused(tmp_path: Path) -> None:
    adapter = load("tiny")
    check_prompt(str(tmp_path), adapter)  # a folder that says nothing
    write_prompt(tmp_path, adapter)
    check_prompt(str(tmp_path), adapter)
    changed = adapter.model_copy(update={"prompt": "Read it."})
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ConfigError, match=r"prompt\.json: the model was trained with another prompt"):
        check_order(Order(str(tmp_path), changed, 1, tmp_path / "log", 0, {}, "key"))
    check_prompt(str(tmp_path), changed.model_copy(update={"name": "other"}))  # who names another means it


def test_prompt_comes_before_the_image() -> None:
    parts = message_content("Read.", {"type": "image"})
    assert [part["type"] for part in parts] == ["text", "image"]


def test_no_prompt_is_no_part() -> None:
    assert message_content("", {"type": "image"}) == [{"type": "image"}]


def test_the_request_is_as_the_adapter_says() -> None:
    with ScriptedServer(in_turn(answer("Hello"))) as script:
        for name in ("olmocr-2", "olmocr-0725", "lightonocr"):
            adapter = load(name)
            with ChatClient(script.endpoint, asking=asking(adapter)) as client:
                client.complete(b"png", adapter.prompt, adapter.max_tokens, 0.1)
    kinds = [[part["type"] for part in body["messages"][0]["content"]] for body in script.requests]
    assert kinds == [["text", "image_url"], ["image_url", "text"], ["image_url"]]
    assert [body.get("top_p") for body in script.requests] == [None, None, 0.9]


def shipped() -> str:
    return Path(__file__).parents[2].joinpath("config/models/tiny.yaml").read_text()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (shipped() + "image_sid: 3\n", ["image_sid", "image_side"]),
        (shipped().replace("engine: transformers", "engine: sglang"), ["engine", "sglang"]),
        (shipped().replace("max_tokens: 130", "max_tokens: many"), ["max_tokens", "many"]),
        ("- a\n- b\n", ["mapping"]),
        ("a: [\n", ["not YAML"]),
    ],
)
def test_wrong_file_names_file_key_and_value(tmp_path: Path, text: str, names: list[str]) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(str(path))
    assert all(name in str(caught.value) for name in [str(path), *names])


def test_unknown_adapter_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"qwen2\.5-vl, qwen3-vl, smolvlm, tiny"):
        load("tini")


def test_released_weights_name_their_adapter_and_unknown_ones_none(tmp_path: Path) -> None:
    for model, name in (
        ("hub:allenai/olmOCR-2-7B-1025-FP8@0123abc", "olmocr-2"),
        ("hub:allenai/olmOCR-7B-0825", "olmocr-0825"),
        ("hub:Qwen/Qwen3-VL-8B-Instruct", "qwen3-vl"),
        ("hub:rednote-hilab/dots.ocr", "dots-ocr"),
        ("", "qwen2.5-vl"),
    ):
        assert adapter_of(model) == name
    for model in ("hub:somebody/reader", str(tmp_path)):
        with pytest.raises(ConfigError, match=r"name it by --adapter: .*olmocr-2"):
            adapter_of(model)
