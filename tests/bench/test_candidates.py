"""Specs of candidates: what a file may say, and what a wrong one is told."""

from pathlib import Path

import pytest

from scriptorium.bench.candidates.specs import PROMPT, CommandSpec, ServerSpec, digest, parse, read_candidates
from scriptorium.bench.commands.convert import wanted
from scriptorium.errors import ConfigError

GOOD = """
fast:
  source: server
  url: http://127.0.0.1:8000
  prompt_file: prompt.txt
  fields: {top_p: 0.9, max_tokens: null}
other:
  source: command
  command: "tool --in {pdf} --out {out}/page.md"
  output: "*.md"
  dialect: nougat
layer: {source: text-layer, repeats: 2}
ours: {source: model, model: models/soup, adapter: tiny}
"""


def test_a_file_of_all_kinds(tmp_path: Path) -> None:
    (tmp_path / "candidates.yaml").write_text(GOOD)
    (tmp_path / "prompt.txt").write_text("Read this.\n")
    found = read_candidates(tmp_path / "candidates.yaml")
    assert list(found) == ["fast", "other", "layer", "ours"]
    assert isinstance(found["fast"], ServerSpec) and found["fast"].prompt == "Read this."
    assert isinstance(found["other"], CommandSpec) and found["other"].dialect == "nougat"
    assert wanted(tmp_path, [], ["layer"], {}) == {"layer": found["layer"]}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: {source: serve}", "a.source: 'serve'; known: server, model, text-layer, command"),
        ("a: {source: server, url: 'http://x', pormpt: y}", "a.pormpt: unknown key; did you mean prompt?"),
        ("a: {source: server}", "a.url: missing"),
        ("a: {source: server, url: 'ftp://x'}", "a.url"),
        ("a: {source: server, url: 'http://me:secret@x'}", "a.url: holds a password"),
        ("a: {source: server, url: 'http://x', max_tokens: many}", "found 'many'"),
        ("a: {source: server, url: 'http://x', prompt: p, prompt_file: f}", "give one of them"),
        ("a: {source: server, url: 'http://x', prompt_file: gone.txt}", "gone.txt cannot be read"),
        ("a: {source: text-layer, dialect: chandr}", "no dialect 'chandr'; did you mean chandra?"),
        ("a: {source: text-layer, repeats: 0}", "a.repeats"),
        ("a: {source: command, command: 'cat {pfd}'}", "unknown placeholder {pfd}"),
        ("a: {source: command, command: 'cat'}", "neither {pdf} nor {image}"),
        ("a: {source: command, command: 'cat \"{pdf}'}", "cannot be split"),
        ("pdfs: {source: text-layer}", "'pdfs' cannot be the name"),
        ("../up: {source: text-layer}", "'../up' cannot be the name"),
        ("a: {source: text-layer}\na: {source: text-layer}", "'a' stands twice"),
        ("a: 7", "expected a mapping"),
        ("[]", "expected candidates"),
        ("a: [", "not YAML"),
    ],
)
def test_a_wrong_file_is_told_what_is_wrong(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "candidates.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_candidates(path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)


def test_what_is_asked_for_on_the_command_line(tmp_path: Path) -> None:
    (spec,) = wanted(
        tmp_path, ["mine"], [], {"source": "server", "url": "http://x", "temperature": 0.5}
    ).values()
    assert (spec.temperature, spec.prompt) == (0.5, PROMPT)
    (tmp_path / "candidates.yaml").write_text(GOOD.replace("  prompt_file: prompt.txt\n", ""))
    again = str(tmp_path / "candidates.yaml")
    for specs, only, given, says in [
        (["mine"], [], {"url": "http://x"}, "--source"),
        (["a", "b"], [], {"source": "text-layer"}, "its name"),
        (["mine"], [], {}, "name a .yaml file"),
        ([], ["gone"], {}, "--only gone"),
        ([again, again], [], {}, "earlier file"),
        (["mine"], [], {"source": "text-layer", "url": "http://x"}, "command line: mine.url: unknown key"),
    ]:
        with pytest.raises(ConfigError, match=says):
            wanted(tmp_path, specs, only, given)


def test_only_what_shapes_the_texts_is_in_the_digest() -> None:
    def of(**more: object) -> str:
        return digest(parse("a", {"source": "server", "url": "http://x", **more}, "here").settings())

    assert of() == of(timeout=5, retries=9, patience=1, concurrency=2, repeats=7, key_variable="MY_KEY")
    others = [
        {"temperature": 0.1},
        {"prompt": "P"},
        {"url": "http://y"},
        {"dialect": "dots"},
        {"version": "2"},
    ]
    assert len({of(), *(of(**other) for other in others)}) == 6
