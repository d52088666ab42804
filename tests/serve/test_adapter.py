"""Model adapters: what is in the files, and what a wrong one says."""

import hashlib
import json
from pathlib import Path

import pytest

from scriptorium.errors import ConfigError
from scriptorium.serve.adapter import load, message_content, write_prompt


@pytest.mark.parametrize("name", ["tiny", "qwen2.5-vl"])
def test_shipped_adapters_fit_their_context(name: str) -> None:
    adapter = load(name)
    assert adapter.name == name
    # An image has at most a token for each 28 x 28 px; a page of A4's shape is 0.71 as wide as high.
    image_tokens = (adapter.image_side / 28) ** 2
    assert image_tokens + adapter.max_tokens < adapter.context
    assert adapter.image_side % 28 == 0


def test_prompt_hash_is_of_the_prompt(tmp_path: Path) -> None:
    adapter = load("tiny")
    write_prompt(tmp_path, adapter)
    written = json.loads((tmp_path / "prompt.json").read_text())
    assert written["adapter"] == "tiny"
    assert (
        written["sha256"] == hashlib.sha256(written["prompt"].encode()).hexdigest() == adapter.prompt_sha256
    )


def test_prompt_comes_before_the_image() -> None:
    parts = message_content("Read.", {"type": "image"})
    assert [part["type"] for part in parts] == ["text", "image"]


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
    with pytest.raises(ConfigError, match=r"qwen2\.5-vl, tiny"):
        load("tini")
