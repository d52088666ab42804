"""The pages of each step, for this process: which of them are its own, read and encoded, ahead of time if asked."""

import signal
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from datasets import Dataset
from torch.utils.data import DataLoader

from scriptorium.train import processes
from scriptorium.train.order import Order
from scriptorium.train.packing import Sample
from scriptorium.train.rows import Encoder


class Feed:
    """Steps of `pages` rows in `order`, of which this process has its part: as much text as the others."""

    def __init__(self, rows: Dataset, encoder: Encoder, order: Order, pages: int) -> None:
        self.rows, self.encoder, self.order, self.pages = rows, encoder, order, pages
        self.texts = rows.select_columns(["text"])

    def steps(self, start: int, end: int, workers: int) -> Iterator[list[Sample]]:
        """The samples of the steps after `start` up to `end`; each moves the order's cursor.

        `workers` processes read ahead. With a curriculum the next step depends on this one's loss: nobody does.
        """
        if not workers or self.order.curriculum:
            for step in range(start + 1, end + 1):
                yield self.read(self.mine(self.order, step))
            return
        ahead = replace(self.order, taken=dict(self.order.taken), _epochs={})
        loader: DataLoader[dict[str, Any]] = DataLoader(
            _Pages(self.rows, self.encoder),  # type: ignore[arg-type]
            batch_size=None,
            sampler=(self.mine(ahead, step) for step in range(start + 1, end + 1)),
            num_workers=workers,
            worker_init_fn=_heed_no_signal,
            collate_fn=_bundle,
            generator=torch.Generator(),  # the loader draws a seed; the training's own state must not move
        )
        for step, bundle in enumerate(loader, start + 1):
            self.order.batch(step, self.pages)
            yield _unbundle(bundle)

    def mine(self, order: Order, step: int) -> list[int]:
        """The rows of a step that are this process's."""
        indices = order.batch(step, self.pages)
        if processes.size() == 1:
            return indices
        lengths = [1 + len(text) for text in self.texts[indices]["text"]]
        return [indices[place] for place in processes.deal(lengths)[processes.rank()]]

    def read(self, indices: list[int]) -> list[Sample]:
        """Some rows as samples."""
        return _Pages(self.rows, self.encoder)[indices]


class _Pages:
    """Rows as samples, a list of them at a time: what a worker is given."""

    def __init__(self, rows: Dataset, encoder: Encoder) -> None:
        self.rows, self.encoder = rows, encoder

    def __getitem__(self, indices: list[int]) -> list[Sample]:
        return self.encoder.samples([self.rows[index] for index in indices])


def _bundle(samples: list[Sample]) -> dict[str, Any]:
    """Samples as a few tensors: each one that leaves a worker takes a file descriptor."""
    texts = {
        name: torch.cat([getattr(each, name) for each in samples]) for name in ("ids", "labels", "kinds")
    }
    images = {name: [each.image[name] for each in samples] for name in samples[0].image}
    return {
        "texts": texts,
        "lengths": [len(each) for each in samples],
        "images": {name: torch.cat(values) for name, values in images.items()},
        "sizes": {name: [len(value) for value in values] for name, values in images.items()},
    }


def _unbundle(bundle: dict[str, Any]) -> list[Sample]:
    texts = (bundle["texts"][name].split(bundle["lengths"]) for name in ("ids", "labels", "kinds"))
    parts = {name: value.split(bundle["sizes"][name]) for name, value in bundle["images"].items()}
    images = [{name: each[k] for name, each in parts.items()} for k in range(len(bundle["lengths"]))]
    return [Sample(*parts) for parts in zip(*texts, images, strict=True)]


def _heed_no_signal(worker: int) -> None:
    """A scheduler's signal asks the training for a checkpoint; workers go on until it lets them go."""
    for number in (signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
