"""Rows of a model's own answers: the best of several (`rejection`), or the best against the worst (`pairs`)."""

import time

import pyarrow as pa
import pyarrow.parquet as pq

from scriptorium.pages import front_matter
from scriptorium.recipe.options import Sampling
from scriptorium.recipe.plan import Run
from scriptorium.train.sampling import Row, Sampled, SampleFiles, histogram, rows_with_tests, sample, write


def best(run: Run, files: SampleFiles) -> None:
    """Rows whose text is the model's best answer, if that scores `least` or more: what `sft` then learns.

    Only an answer that ended of itself, with front matter that parses, is fit to be learnt.
    """
    started = time.monotonic()
    least = Sampling.model_validate(run.sampling).least
    sampled = sample(run, files)
    kept = []
    for row in rows_with_tests(files.rows):
        found = sampled[row["id"]]
        index = _best(found)
        if index is not None and found.scores[index] >= least:
            kept.append(row | {"text": found.texts[index]})
    facts = {"read": len(sampled), "histogram": histogram(sampled)}
    write(run, files, kept, pq.read_schema(files.rows[0]), facts, started)


def pairs(run: Run, files: SampleFiles) -> None:
    """Rows with the columns `chosen` and `rejected`: the best and the worst answer to a page, for `dpo`.

    The best scores `least` or more, and `margin` more than the worst; among equals the first counts.
    """
    started = time.monotonic()
    sampling = Sampling.model_validate(run.sampling)
    sampled = sample(run, files)
    kept: list[Row] = []
    for row in rows_with_tests(files.rows):
        found = sampled[row["id"]]
        chosen = _best(found)
        if chosen is None or found.scores[chosen] < sampling.least:
            continue
        rejected = min(range(len(found.scores)), key=lambda index: found.scores[index])
        if found.scores[chosen] - found.scores[rejected] >= sampling.margin:
            kept.append(row | {"chosen": found.texts[chosen], "rejected": found.texts[rejected]})
    schema = pq.read_schema(files.rows[0])
    for name in ("chosen", "rejected"):
        schema = schema.append(pa.field(name, pa.string()))
    facts = {"read": len(sampled), "histogram": histogram(sampled)}
    write(run, files, kept, schema, facts, started)


def _best(found: Sampled) -> int | None:
    """The answer with the highest score among those fit to be learnt, the shortest of equals; None without one."""
    fit = [index for index, text in enumerate(found.texts) if found.ended[index] and _parses(text)]
    return min(fit, key=lambda index: (-found.scores[index], len(found.texts[index]), index), default=None)


def _parses(text: str) -> bool:
    try:
        front_matter.decode(text)
    except front_matter.FrontMatterError:
        return False
    return True
