"""Rows that a model can still learn from: those it reads neither always right nor always wrong (`filter`)."""

import time

import pyarrow.parquet as pq

from scriptorium.recipe.options import Sampling
from scriptorium.recipe.plan import Run
from scriptorium.train.sampling import SampleFiles, histogram, rows_with_tests, sample, write


def difficulty(run: Run, files: SampleFiles) -> None:
    """Keep the rows whose mean share of passed tests lies strictly between `above` and `below`.

    A group of answers that all earn the same has no advantage and moves no weight. The receipt has the histogram of
    pass rates, and each page's.
    """
    started = time.monotonic()
    sampling = Sampling.model_validate(run.sampling)
    sampled = sample(run, files)
    kept = [
        row
        for row in rows_with_tests(files.rows)
        if sampling.above < sampled[row["id"]].mean < sampling.below
    ]
    means = {page: round(sampled[page].mean, 6) for page in sorted(sampled)}
    facts = {"read": len(sampled), "histogram": histogram(sampled), "pass_rates": means}
    write(run, files, kept, pq.read_schema(files.rows[0]), facts, started)
