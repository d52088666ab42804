"""Read held-out pages with the model in training, and score them by the bench's own tests."""

from collections import defaultdict
from typing import Any

import torch
from datasets import Dataset
from transformers import PreTrainedModel

from scriptorium.bench.rules import counted, judge_page
from scriptorium.pages import front_matter
from scriptorium.train.rows import Encoder, tests_of

RULES = "scriptorium-1"
BATCH = 32


@torch.no_grad()
def read(model: PreTrainedModel, encoder: Encoder, rows: list[dict[str, Any]], max_tokens: int) -> list[str]:
    """What the model writes for each row's page, greedily, at most `max_tokens` tokens."""
    training = model.training
    model.eval()
    texts: list[str] = []
    for start in range(0, len(rows), BATCH):
        inputs = {k: v.to(model.device) for k, v in encoder.prompts(rows[start : start + BATCH]).items()}
        ids = model.generate(**inputs, max_new_tokens=max_tokens, do_sample=False)
        texts += encoder.tokenizer.batch_decode(
            ids[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True
        )
    model.train(training)
    return texts


def bench_score(rows: list[dict[str, Any]], texts: list[str]) -> float:
    """The bench's strict score in percent: the mean over test types of the share of tests passed."""
    passed: dict[str, list[bool]] = defaultdict(list)
    for row, text in zip(rows, texts, strict=True):
        tests = tests_of(row)
        verdicts = judge_page(tests, front_matter.body(text), RULES)
        for test, won in zip(tests, counted(tests, verdicts, RULES), strict=True):
            passed[test["type"]].append(won)
    return 100 * sum(sum(each) / len(each) for each in passed.values()) / max(1, len(passed))


def evaluate(
    model: PreTrainedModel, encoder: Encoder, held_out: Dataset, max_tokens: int
) -> dict[str, float]:
    """Score the held-out rows: `dev/bench` (percent), `dev/parsed` (percent with front matter that parses)."""
    rows = list(held_out)
    texts = read(model, encoder, rows, max_tokens)
    parsed = sum(parses(text) for text in texts)
    return {"dev/bench": bench_score(rows, texts), "dev/parsed": 100 * parsed / len(texts)}


def parses(text: str) -> bool:
    """Whether a page's text begins with front matter of the right form."""
    try:
        front_matter.decode(text)
    except front_matter.FrontMatterError:
        return False
    return True
