"""The formats and options of a corpus's outputs, as the config names them."""

import pytest

from .conftest import Runner, jobs


def test_the_config_names_formats_and_options(snakemake: Runner) -> None:
    config = ["--config", "formats=[html,json]", "outputs={join: true, marks: comment}"]
    done = snakemake("-n", "-p", "convert_corpus", *config)
    assert jobs(done)["corpus_outputs"] == 1
    words = done.stdout + done.stderr
    assert '"formats":["html","json"]' in words and '"join":true,"marks":"comment"' in words
    assert "/html" in words and "/markdown" not in words and "/documents.jsonl" in words


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("formats=[pdf]", "formats.0"),
        ("outputs={mark: none}", "mark"),
        ("outputs={failed_budget: 2}", "failed_budget"),
    ],
)
def test_an_output_that_cannot_be_is_refused(snakemake: Runner, value: str, told: str) -> None:
    done = snakemake("-n", "convert_corpus", "--config", value)
    assert done.returncode != 0 and f"config: outputs: {told}" in done.stdout + done.stderr


def test_the_viewer_is_a_target_of_its_own(snakemake: Runner) -> None:
    done = snakemake("-n", "corpus_viewer")
    assert jobs(done)["draw_corpus"] == 1 and "corpus_outputs" not in jobs(done)
