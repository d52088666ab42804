"""The training loop of `pretrain` and `sft`: small enough to read, exact enough to resume bit by bit.

Departs from TRL's SFTTrainer: the loss of a step is the sum over its answer tokens divided by their number,
whatever the micro-batches; the order of the rows is a function of the seed; a checkpoint holds all there is.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset, concatenate_datasets
from safetensors.torch import load_file
from transformers import PreTrainedModel

from scriptorium.errors import ConfigError
from scriptorium.files import write_json, write_text
from scriptorium.progress import track
from scriptorium.train import checkpoint, processes
from scriptorium.train.arguments import Arguments
from scriptorium.train.attention import attend_within_pages, usual_attention
from scriptorium.train.evaluate import SCORES, evaluate
from scriptorium.train.exactness import check_objective, check_packing, moved
from scriptorium.train.feed import Feed
from scriptorium.train.groups import groups
from scriptorium.train.loss import IGNORED, Objective, labelled
from scriptorium.train.optimiser import AdamW, MuonAndAdamW
from scriptorium.train.order import Order
from scriptorium.train.packing import Sample, bins, pack
from scriptorium.train.rows import Encoder
from scriptorium.train.sharding import assembled, blocks, gathered, last_of_step, norm_of, sharded, wrap
from scriptorium.train.stop import StopRequest
from scriptorium.train.throughput import Meter, Work, memory, peak


@dataclass(frozen=True)
class Stop:
    """Look at held-out pages every `every` steps; stop when the strict score (percent) reaches `above`.

    Or after `patience` looks in a row without a better value of `metric_for_best_model`.
    """

    every: int
    above: float | None = None
    patience: int | None = None
    max_tokens: int = 160


@dataclass
class Loop:
    """A model, its rows in order, and where its state is kept.

    `accelerate`: how several processes share the work (`sharding.KINDS`). `held_out`: rows by the name of their set.
    `furnish` adds processor and prompt to a checkpoint.
    """

    model: PreTrainedModel
    encoder: Encoder
    rows: Dataset
    order: Order
    arguments: Arguments
    state: Path
    held_out: Mapping[str, Dataset] = field(default_factory=dict)
    stop: Stop | None = None
    rates: Mapping[str, float] = field(default_factory=dict)
    average_last: int = 1
    accelerate: str = "auto"
    furnish: Callable[[Path], None] = lambda folder: None

    def __post_init__(self) -> None:
        self.objective = Objective(self.model)
        self.meter = Meter(self.model)
        self.pages = self.arguments.pages(processes.size())
        self.last: dict[str, float] = {}
        self.best: dict[str, float] = {}
        self.totals = {"tokens": 0.0, "seconds": 0.0}
        self.since = Work(), 0.0

    def run(self) -> tuple[int, dict[str, float]]:
        """Train to the end; the number of steps done and the last metrics. Goes on from the newest checkpoint."""
        self.prepare()
        request = StopRequest()
        start = self.resume()
        path = self.state / "metrics.jsonl"
        self.metrics = path.open("a", encoding="utf-8") if processes.first() else None
        if processes.first():
            write_json(self.state / "arguments.json", asdict(self.arguments) | {"max_steps": self.steps})
        step = start
        work = self.work(start, request)
        for step in track(work, self.steps, "training", start) if processes.first() else work:
            ended = step == self.steps or bool(self.last.get("stopped"))
            due = step % self.arguments.save_steps == 0 or self.best.get("step") == step
            if ended or self.asked or due:
                self.save(step)
            if self.asked and not ended:
                request.leave(step)
        if self.metrics:
            self.metrics.close()
        return step, {**self.last, **{f"total/{name}": value for name, value in self.totals.items()}}

    def prepare(self) -> None:
        """Spread the model over the processes, prove what exactness rests on, make the optimiser."""
        self.metric()
        self.steps = self.arguments.steps(len(self.rows), processes.size())
        self.wrapped = wrap(self.objective, self.accelerate)
        self.prove()
        if self.arguments.torch_compile:
            for block in blocks(self.model):
                block.compile(dynamic=True)
        self.optimiser = self.make_optimiser()
        if processes.size() > 1:  # dropout differs between them; fresh adapters have been made alike by now
            torch.manual_seed(self.arguments.seed + processes.rank())

    def work(self, start: int, request: StopRequest) -> Iterator[int]:
        """Do the steps after `start`, yielding each one's number once it is done and written down."""
        self.asked = False
        if self.last.get("stopped"):
            return
        feed = Feed(self.rows, self.encoder, self.order, self.pages)
        steps = feed.steps(start, self.steps, self.arguments.dataloader_num_workers)
        begun = time.monotonic()
        for step, samples in enumerate(steps, start + 1):
            loss, norm = self.step(step, samples)
            # What one process is told or measures, all must know alike.
            loss, asked = processes.total([loss, float(request.asked)])
            self.asked = asked > 0
            opened = self.order.learnt(loss)
            self.count(time.monotonic() - begun)
            if step % self.arguments.logging_steps == 0 or opened:
                self.log(step, loss, norm, time.monotonic() - begun)
            self.judge(step)
            yield step
            if self.last.get("stopped"):
                return
            begun = time.monotonic()

    def step(self, step: int, samples: list[Sample]) -> tuple[float, float]:
        """One optimiser step: this process's part of the loss per answer token, and the gradient's norm."""
        batches = self.batches(samples)
        mine = self.meter.of(samples)
        self.done = Work(*processes.total([mine.tokens, mine.answers, mine.operations]))
        total = 0.0
        for place, batch in enumerate(batches):
            with last_of_step(self.wrapped, place == len(batches) - 1):
                loss = self.wrapped(**moved(batch, processes.device())) / self.done.answers
                (loss * processes.size()).backward()  # gradients are averaged over the processes
            total += loss.item()
        norm = torch.nn.utils.clip_grad_norm_(self.trained(), self.arguments.max_grad_norm)
        for group in self.optimiser.param_groups:
            group["lr"] = group["scale"] * self.arguments.rate(step, self.steps)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        return total, norm_of(norm)

    def batches(self, samples: list[Sample]) -> list[dict[str, torch.Tensor]]:
        """This process's pages of a step in micro-batches, as many on every process; some may learn nothing."""
        made = self.micro_batches(samples, self.arguments.per_device_train_batch_size)
        idle = made[0] | {"labels": torch.full_like(made[0]["labels"], IGNORED)}
        return made + [idle] * (processes.most(len(made)) - len(made))

    def micro_batches(self, samples: list[Sample], size: int) -> list[dict[str, torch.Tensor]]:
        """Pages in packed rows, or `size` padded pages at a time."""
        if self.arguments.packing:
            assert self.arguments.max_length is not None
            rows = bins([len(sample) for sample in samples], self.arguments.max_length)
            return [pack(self.model, [samples[index] for index in row]) for row in rows]
        return [self.encoder.pad(samples[k : k + size]) for k in range(0, len(samples), size)]

    def prove(self) -> None:
        """Check what exactness rests on with the first pages; the random state stays as it was."""
        samples = self.encoder.samples([self.rows[index] for index in range(min(2, len(self.rows)))])
        batch = moved(self.encoder.pad(samples), processes.device())
        self.model.eval()  # dropout would make two forward passes differ
        with torch.no_grad():
            self.objective(**batch)  # a sharded model learns from its first pass which part is the outermost
        with assembled(self.objective):
            check_objective(self.objective, batch)
            if self.arguments.packing:
                attend_within_pages(self.model)
                check_packing(self.objective, samples)
        self.model.train()

    def judge(self, step: int) -> None:
        """Measure the held-out pages where it is time; note the best step, and whether the run is to stop."""
        found: dict[str, float] = {}
        if self.arguments.eval_strategy == "steps" and step % self.arguments.eval_steps == 0:
            found |= self.losses()
        looked = bool(self.stop and self.held_out and step % self.stop.every == 0)
        if looked:
            found |= self.look()
        if found:
            self.last = self.last | found
            self.compare(step, found, looked)
            self.write({"step": step, **found})

    def compare(self, step: int, found: Mapping[str, float], looked: bool) -> None:
        """Keep the best value of `metric_for_best_model`; stop at the score or when patience is at its end."""
        stop, name = self.stop, self.metric()
        if name and name in found:
            sign = 1 if self.arguments.higher else -1
            better = not self.best or sign * found[name] > sign * self.best["value"]
            waited = 0 if better else self.best["waited"] + 1
            self.best = {"step": step, "value": found[name]} if better else self.best
            self.best = {**self.best, "waited": waited}
        enough = stop and looked and stop.above is not None and found["dev/bench"] >= stop.above
        tired = stop and stop.patience and self.best.get("waited", 0) >= stop.patience
        if enough or tired:
            self.last["stopped"] = 1.0

    def metric(self) -> str | None:
        """The name in the metrics of `metric_for_best_model`. Raises ConfigError for one that nothing measures."""
        wanted = self.arguments.metric_for_best_model
        if wanted is None:
            return None
        measured = list(SCORES) if self.stop and self.held_out else []
        if self.arguments.eval_strategy == "steps":
            measured += ["eval_loss", *(f"eval_{name}_loss" for name in self.held_out)]
        for name in (wanted, f"eval_{wanted}"):
            if name in measured:
                return name
        raise ConfigError(
            f"args.metric_for_best_model: nothing measures {wanted!r}; there are {', '.join(measured) or 'none'} "
            "(scores need `stop`, losses args.eval_strategy: steps, both `eval_data`)"
        )

    def losses(self) -> dict[str, float]:
        """The loss per answer token of each held-out set, `eval_<name>_loss`, and of all, `eval_loss`."""
        found: dict[str, float] = {}
        sums = [0.0, 0.0]
        self.model.eval()
        with torch.no_grad(), assembled(self.objective):
            for name, rows in self.held_out.items():
                loss, tokens = processes.total(list(self.loss_of(rows)))
                sums = [sums[0] + loss, sums[1] + tokens]
                found[f"eval_{name}_loss"] = loss / tokens
        self.model.train()
        return found | ({"eval_loss": sums[0] / sums[1]} if found else {})

    def loss_of(self, rows: Dataset) -> tuple[float, float]:
        """The summed loss of this process's part of some rows, and the tokens that it is over."""
        loss = tokens = 0.0
        size = self.arguments.per_device_eval_batch_size
        for start in range(processes.rank() * size, len(rows), processes.size() * size):
            samples = self.encoder.samples([rows[k] for k in range(start, min(start + size, len(rows)))])
            for batch in self.micro_batches(samples, size):
                loss += float(self.objective(**moved(batch, processes.device())))
                tokens += labelled(batch["labels"])
        return loss, tokens

    def look(self) -> dict[str, float]:
        """Have the model read the held-out pages; their scores."""
        assert self.stop is not None
        rows = concatenate_datasets(list(self.held_out.values()))
        usual_attention(self.model)
        with assembled(self.objective):
            scores = evaluate(self.model, self.encoder, rows, self.stop.max_tokens)
        if self.arguments.packing:
            attend_within_pages(self.model)
        return scores

    def count(self, seconds: float) -> None:
        """Add a step to the totals."""
        work, spent = self.since
        self.since = work + self.done, spent + seconds
        self.totals = {
            "tokens": self.totals["tokens"] + self.done.tokens,
            "seconds": self.totals["seconds"] + seconds,
        }

    def log(self, step: int, loss: float, norm: float, seconds: float) -> None:
        """Write one line of training metrics; speeds are of all processes since the last line."""
        line = {"step": step, "loss": loss, "grad_norm": norm, "lr": self.arguments.rate(step, self.steps)}
        if self.order.curriculum:
            line |= {"opened": self.order.opened}
        work, spent = self.since
        self.since = Work(), 0.0
        line |= {
            "seconds": seconds,
            "tokens": self.totals["tokens"],
            "tokens_per_second": work.tokens / spent,
        }
        most = peak(processes.device())
        if most and work.operations:
            line |= {"mfu": 100 * work.operations / spent / most / processes.size()}
        self.write(line | {"memory": memory(processes.device())})

    def write(self, line: dict[str, Any]) -> None:
        """Append a line to the metrics."""
        if self.metrics:
            self.metrics.write(json.dumps(line) + "\n")
            self.metrics.flush()

    def make_optimiser(self) -> torch.optim.Optimizer:
        """The optimiser that the arguments name, over what is trained."""
        a, muon = self.arguments, self.arguments.optim == "muon"
        if muon and sharded(self.wrapped):
            raise ConfigError(
                "args.optim: muon needs whole matrices and the weights are spread over processes; "
                "set resources.accelerate: multi_gpu"
            )
        parts = groups(self.model, a.learning_rate, self.rates, a.weight_decay, muon, "learning_rates")
        options: dict[str, Any] = {
            "betas": (a.adam_beta1, a.adam_beta2),
            "eps": a.adam_epsilon,
            "moments": a.moments,
        }
        return (MuonAndAdamW if muon else AdamW)(parts, a.learning_rate, **options)

    def trained(self) -> list[torch.nn.Parameter]:
        """The parameters that are trained."""
        return [p for p in self.model.parameters() if p.requires_grad]

    def save(self, step: int) -> None:
        """Write a checkpoint that `resume` goes on from exactly; the first process does, from what all hold."""
        weights = gathered({n: p.data for n, p in self.model.named_parameters() if p.requires_grad})
        optimiser = gathered(self.optimiser.state_dict())
        randoms = processes.every(checkpoint.random_state())
        progress: dict[str, Any] = {
            "order": self.order.state(),
            "last": self.last,
            "best": self.best,
            "totals": self.totals,
        }
        if processes.first():
            progress["pages"] = self.pages
            checkpoint.save(self.state, step, weights, optimiser, randoms, progress, self.furnish)
            keep = max(self.arguments.save_total_limit or checkpoint.KEPT, self.average_last)
            checkpoint.prune(self.state, keep, int(self.best["step"]) if self.best else None)
        processes.wait()

    def resume(self) -> int:
        """Load the newest whole checkpoint, drop metrics written after it; the step it was taken at (0: none).

        Raises ConfigError if it was taken with another number of pages a step.
        """
        folder = processes.every(checkpoint.newest(self.state) if processes.first() else None)[0]
        step = 0
        if folder:
            progress = json.loads((folder / "progress.json").read_text(encoding="utf-8"))
            if progress["pages"] != self.pages:
                raise ConfigError(
                    f"{folder}: its steps had {progress['pages']} pages, now they would have {self.pages} "
                    f"(per_device_train_batch_size x gradient_accumulation_steps x {processes.size()} processes); "
                    "start as many processes as before, or change one of the others to match"
                )
            self.load(folder)
            step, self.last, self.best = progress["step"], progress["last"], progress["best"]
            self.totals = progress["totals"]
            self.order.restore(progress["order"])
        if processes.first():
            keep_metrics(self.state / "metrics.jsonl", step)
        return step

    def load(self, folder: Path) -> None:
        """Weights, optimiser and random state of a checkpoint."""
        checkpoint.put(self.model, load_file(folder / "model.safetensors"))
        self.optimiser.load_state_dict(torch.load(folder / "optimizer.pt", weights_only=True))
        randoms = torch.load(folder / "random.pt", weights_only=True)
        if len(randoms) == processes.size():
            checkpoint.set_random_state(randoms[processes.rank()])

    def chosen(self, step: int) -> dict[str, torch.Tensor] | None:
        """The trained weights to publish, if they are not those of the model in memory: mean or best."""
        if self.average_last > 1:
            return checkpoint.mean(checkpoint.checkpoints(self.state)[-self.average_last :])
        best = int(self.best["step"]) if self.arguments.load_best_model_at_end and self.best else step
        if best != step or sharded(self.wrapped):
            return load_file(self.state / f"checkpoint-{best}" / "model.safetensors")
        return None


def keep_metrics(path: Path, step: int) -> None:
    """Keep the metrics up to `step`; what came after is done again, and a torn last line goes."""
    if not path.exists():
        return
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if not line.endswith("\n") or json.loads(line)["step"] > step:
            break
        kept.append(line)
    write_text(path, "".join(kept))
