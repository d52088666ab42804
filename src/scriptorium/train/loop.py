"""The training loop of `pretrain` and `sft`: small enough to read, exact enough to resume bit by bit.

Departs from TRL's SFTTrainer: the loss of a step is the sum over its answer tokens divided by their number,
whatever the micro-batches; the order of the rows is a function of the seed; a checkpoint holds all there is.
"""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import PreTrainedModel

from scriptorium.progress import track
from scriptorium.train import checkpoint
from scriptorium.train.arguments import Arguments
from scriptorium.train.attention import attend_within_pages, usual_attention
from scriptorium.train.evaluate import evaluate
from scriptorium.train.exactness import check_objective, check_packing, moved
from scriptorium.train.groups import groups
from scriptorium.train.loss import Objective, labelled
from scriptorium.train.optimiser import AdamW, MuonAndAdamW
from scriptorium.train.order import Order
from scriptorium.train.packing import bins, pack
from scriptorium.train.rows import Encoder
from scriptorium.train.stop import StopRequest


@dataclass(frozen=True)
class Stop:
    """Stop when the strict score on held-out pages (percent) reaches `above`; look every `every` steps."""

    above: float
    every: int
    max_tokens: int = 160


@dataclass
class Loop:
    """A model, its rows in order, and where its state is kept."""

    model: PreTrainedModel
    encoder: Encoder
    rows: Dataset
    order: Order
    arguments: Arguments
    state: Path
    held_out: Dataset | None = None
    stop: Stop | None = None
    rates: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.objective = Objective(self.model)

    def run(self) -> tuple[int, dict[str, float]]:
        """Train to the end; the number of steps done and the last metrics. Goes on from the newest checkpoint."""
        self.steps = self.arguments.steps(len(self.rows))
        self.prove()
        self.optimiser = self.make_optimiser()
        request = StopRequest()
        self.last: dict[str, float] = {}
        start = self.resume()
        self.metrics = (self.state / "metrics.jsonl").open("a", encoding="utf-8")
        with self.metrics:
            step = start
            for step in track(self.work(start), self.steps, "training", start):
                ended = step == self.steps or bool(self.last.get("stopped"))
                if ended or request.asked or step % self.arguments.save_steps == 0:
                    self.save(step)
                if request.asked and not ended:
                    request.leave(step)
        return step, self.last

    def work(self, start: int) -> Iterator[int]:
        """Do the steps after `start`, yielding each one's number once it is done and written down."""
        if self.last.get("stopped"):
            return
        for step in range(start + 1, self.steps + 1):
            begun = time.monotonic()
            loss, norm = self.step(step)
            opened = self.order.learnt(loss)
            if step % self.arguments.logging_steps == 0 or opened:
                self.log(step, loss, norm, time.monotonic() - begun)
            if self.stop and self.held_out is not None and step % self.stop.every == 0:
                self.look(step)
            yield step
            if self.last.get("stopped"):
                return

    def step(self, step: int) -> tuple[float, float]:
        """One optimiser step; its loss per answer token and the norm of its gradient."""
        batches = self.batches(self.order.batch(step, self.arguments.pages))
        tokens = sum(labelled(batch["labels"]) for batch in batches)
        total = 0.0
        for batch in batches:
            loss = self.objective(**moved(batch, self.model.device)) / tokens
            loss.backward()
            total += loss.item()
        norm = torch.nn.utils.clip_grad_norm_(self.trained(), self.arguments.max_grad_norm)
        for group in self.optimiser.param_groups:
            group["lr"] = group["scale"] * self.arguments.rate(step, self.steps)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        return total, float(norm)

    def batches(self, indices: list[int]) -> list[dict[str, torch.Tensor]]:
        """The pages of a step in micro-batches: packed rows, or as many padded pages as the arguments say.

        The step is the same either way: its loss is the sum over all of them.
        """
        samples = self.encoder.samples([self.rows[index] for index in indices])
        if self.arguments.packing:
            assert self.arguments.max_length is not None
            rows = bins([len(sample) for sample in samples], self.arguments.max_length)
            return [pack(self.model, [samples[index] for index in row]) for row in rows]
        size = self.arguments.per_device_train_batch_size
        return [self.encoder.pad(samples[k : k + size]) for k in range(0, len(samples), size)]

    def prove(self) -> None:
        """Check what exactness rests on with the first pages; the random state stays as it was."""
        samples = self.encoder.samples([self.rows[index] for index in range(min(2, len(self.rows)))])
        self.model.eval()  # dropout would make two forward passes differ
        check_objective(self.objective, moved(self.encoder.pad(samples), self.model.device))
        if self.arguments.packing:
            attend_within_pages(self.model)
            check_packing(self.objective, samples)
        self.model.train()

    def look(self, step: int) -> None:
        """Score the held-out pages; mark the run as stopped when the score is reached."""
        assert self.stop is not None and self.held_out is not None
        usual_attention(self.model)
        scores = evaluate(self.model, self.encoder, self.held_out, self.stop.max_tokens)
        if self.arguments.packing:
            attend_within_pages(self.model)
        self.last = {"stopped": 1.0} if scores["dev/bench"] >= self.stop.above else {}
        self.last |= scores
        self.write({"step": step, **scores})

    def log(self, step: int, loss: float, norm: float, seconds: float) -> None:
        """Write one line of training metrics."""
        line = {"step": step, "loss": loss, "grad_norm": norm, "lr": self.arguments.rate(step, self.steps)}
        if self.order.curriculum:
            line |= {"opened": self.order.opened}
        self.write(line | {"seconds": seconds})

    def write(self, line: dict[str, Any]) -> None:
        """Append a line to the metrics."""
        self.metrics.write(json.dumps(line) + "\n")
        self.metrics.flush()

    def make_optimiser(self) -> torch.optim.Optimizer:
        """The optimiser that the arguments name, over what is trained."""
        a, muon = self.arguments, self.arguments.optim == "muon"
        parts = groups(self.model, a.learning_rate, self.rates, a.weight_decay, muon, "learning_rates")
        kind = MuonAndAdamW if muon else AdamW
        return kind(parts, a.learning_rate, betas=(a.adam_beta1, a.adam_beta2), eps=a.adam_epsilon)

    def trained(self) -> list[torch.nn.Parameter]:
        """The parameters that are trained."""
        return [p for p in self.model.parameters() if p.requires_grad]

    def save(self, step: int) -> None:
        """Write a checkpoint that `resume` goes on from exactly."""
        checkpoint.save(
            self.state, step, self.model, self.optimiser, {"order": self.order.state(), "last": self.last}
        )

    def resume(self) -> int:
        """Load the newest checkpoint, drop metrics written after it; the step it was taken at (0: none)."""
        progress = checkpoint.restore(self.state, self.model, self.optimiser)
        step = 0
        if progress:
            step, self.last = progress["step"], progress["last"]
            self.order.restore(progress["order"])
        keep_metrics(self.state / "metrics.jsonl", step)
        return step


def keep_metrics(path: Path, step: int) -> None:
    """Keep the metrics up to `step`; what came after is done again, and a torn last line goes."""
    if not path.exists():
        return
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if not line.endswith("\n") or json.loads(line)["step"] > step:
            break
        kept.append(line)
    path.write_text("".join(kept), encoding="utf-8")
