"""Read held-out pages with the model in training, and score them by the bench's own tests."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from datasets import Dataset
from rapidfuzz.distance import Levenshtein
from transformers import PreTrainedModel

from scriptorium.bench.judges.strict import loops
from scriptorium.bench.rules import counted, judge_page
from scriptorium.pages import front_matter
from scriptorium.train import processes
from scriptorium.train.rows import Encoder, tests_of

RULES = "scriptorium-1"
BATCH = 32
LOOP = 30
"""Repetitions of a piece at an answer's end, above which it counts as a loop: the bench's own bound."""


SCORES = ("dev/bench", "dev/parsed", "dev/similarity", "dev/ended", "dev/repeated")
"""What `evaluate` measures."""


@dataclass(frozen=True)
class Answer:
    """What a model wrote for a page, and whether it came to an end by itself."""

    text: str
    ended: bool


@torch.no_grad()
def read(
    model: PreTrainedModel, encoder: Encoder, rows: list[dict[str, Any]], max_tokens: int
) -> list[Answer]:
    """What the model writes for each row's page, greedily, at most `max_tokens` tokens."""
    training = model.training
    model.eval()
    ends = model.generation_config.eos_token_id
    marks = torch.tensor(ends if isinstance(ends, list) else [ends])
    answers: list[Answer] = []
    for start in range(0, len(rows), BATCH):
        inputs = {k: v.to(model.device) for k, v in encoder.prompts(rows[start : start + BATCH]).items()}
        ids = model.generate(**inputs, max_new_tokens=max_tokens, do_sample=False)
        written = ids[:, inputs["input_ids"].shape[1] :].cpu()
        ended = torch.isin(written, marks).any(dim=1).tolist()
        texts = encoder.tokenizer.batch_decode(written, skip_special_tokens=True)
        answers += [Answer(text, end) for text, end in zip(texts, ended, strict=True)]
    model.train(training)
    return answers


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
    """Score the held-out rows, each process reading its part of them; all in percent, the same on every process.

    `dev/bench`: the strict score; `dev/parsed`: pages whose front matter parses; `dev/similarity`: mean of one less
    the edit distance over the longer text; `dev/ended`: answers that end by themselves; `dev/repeated`: that loop.
    """
    mine = range(processes.rank(), len(held_out), processes.size())
    written = read(model, encoder, [held_out[index] for index in mine], max_tokens)
    answers = dict(pair for part in processes.every(list(zip(mine, written, strict=True))) for pair in part)
    texts = [answers[index].text for index in range(len(held_out))]
    rows = list(held_out.remove_columns("image"))
    return {
        "dev/bench": bench_score(rows, texts),
        "dev/parsed": percent(parses(text) for text in texts),
        "dev/similarity": percent(
            Levenshtein.normalized_similarity(text, encoder.target_of(row))
            for text, row in zip(texts, rows, strict=True)
        ),
        "dev/ended": percent(answer.ended for answer in answers.values()),
        "dev/repeated": percent(loops(text, LOOP) for text in texts),
    }


def percent(values: Iterable[float]) -> float:
    """The mean of some values, in percent."""
    found = list(values)
    return 100 * sum(found) / len(found)


def parses(text: str) -> bool:
    """Whether a page's text begins with front matter of the right form."""
    try:
        front_matter.decode(text)
    except front_matter.FrontMatterError:
        return False
    return True
