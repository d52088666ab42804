"""What a recipe would take on some GPUs, in hours and dollars: an estimate, by the work of its pages.

Nothing here was measured by us. Operations: two a weight and token forwards, twice that backwards; attention over
positions, about five per cent of a page, is left out. A GPU is taken to do a share (`mfu`) of its peak.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from scriptorium.errors import ConfigError, nearest
from scriptorium.recipe.arithmetic import batch_of
from scriptorium.recipe.devices import DEVICES, Device
from scriptorium.recipe.lineage import full_runs, is_full
from scriptorium.recipe.plan import Run
from scriptorium.recipe.recipe import Recipe
from scriptorium.recipe.workload import Workload

TARGET, OBSERVED = 0.40, 0.15
"""Shares of the peak: what our loop aims at; and the middle of what 24 to 48 hours on one B200 mean for olmOCR-2."""

TOKENS_PER_SECOND = 3100.0
"""Tokens that vLLM writes a second with a Qwen2.5-VL-7B on one H100 (olmOCR's own plots); others by bandwidth."""

READ_SHARE = 8.29e9
"""Weights of the model that TOKENS_PER_SECOND was measured with."""

SECONDS_PER_TEST_PAGE = 1 / 3.28
"""Seconds to read a page of olmOCR-bench with olmOCR-2 FP8 on one H100, as LightOn measured."""


@dataclass(frozen=True)
class Machine:
    """Some GPUs of one kind."""

    name: str
    device: Device
    count: int

    def __str__(self) -> str:
        return f"{self.count}x{self.name}"


@dataclass(frozen=True)
class Cost:
    """What one run takes on a machine: hours at the observed and at the targeted share of the peak, memory.

    `memory`: GB a GPU for weights, gradients and optimiser, spread over the GPUs that train; activations come on top.
    """

    run: str
    what: str
    hours: tuple[float, float]
    memory: float | None


def machine(text: str, price: float | None = None) -> Machine:
    """A machine as `8xH100`; `price` is dollars a GPU and hour. Raises ConfigError for another form or GPU."""
    match = re.fullmatch(r"(?:(\d+)x)?(\w+)", text)
    if not match or match[2] not in DEVICES or match[1] == "0":
        known = nearest(match[2] if match else text, DEVICES)
        raise ConfigError(f"{text!r}: expected a number and a GPU, as 8xH100; {known}")
    device = DEVICES[match[2]]
    if price is not None:
        device = Device(device.peak, device.bandwidth, device.memory, price)
    return Machine(match[2], device, int(match[1] or 1))


def page_operations(work: Workload, trained: bool = True, adapter: bool = False) -> float:
    """Floating point operations for one page: forwards, and backwards too if `trained`.

    With a LoRA adapter nothing is computed for the weights' own gradients: two thirds of the work.
    """
    forward = 2 * (
        work.language_parameters * work.tokens
        + work.head_parameters * work.answer_tokens
        + work.vision_parameters * work.image_tokens * work.patches_per_token
    )
    return forward * (1 if not trained else 2 if adapter else 3)


def costs(recipe: Recipe, plan: dict[str, Run], where: Machine, mfu: float | None = None) -> Iterator[Cost]:
    """What the training runs and benches of a recipe take on a machine. Empty without `workload`.

    `mfu`: the share of the peak, instead of the range from OBSERVED to TARGET. Runs without GPUs are left out.
    """
    if recipe.workload is None:
        return
    shares = (mfu, mfu) if mfu else (OBSERVED, TARGET)
    for run in plan.values():
        batch = batch_of(recipe, run)
        if batch is None or batch.steps is None:
            continue
        samples = batch.steps * batch.samples
        learn, generate = _seconds(run, recipe.workload, samples, where)
        low, high = (generate + learn / share for share in shares)
        what = f"{samples:,} {'answers' if run.method == 'grpo' else 'pages'}"
        yield Cost(run.name, what, (low / 3600, high / 3600), _memory(plan, run, recipe.workload, where))
    source = recipe.sources.get(recipe.bench.source)
    pages = source.count(recipe.bench.split) if source else None
    if pages:
        every = len(full_runs(plan))
        hours = every * pages * SECONDS_PER_TEST_PAGE * _slower(where, recipe.workload) / where.count / 3600
        yield Cost("benches", f"{every} models, {every * pages:,} pages", (hours, hours), None)


def _seconds(run: Run, work: Workload, samples: int, where: Machine) -> tuple[float, float]:
    """Seconds to learn from samples at the device's full peak, and to write them first if it is GRPO."""
    adapter = run.adapter is not None
    operations = page_operations(work, adapter=adapter)
    forward = page_operations(work, trained=False)
    if run.args.get("gradient_checkpointing", run.method == "grpo"):
        operations += forward
    training, generate = where.count, 0.0
    if run.method == "grpo":
        if run.args.get("beta", 0.0):
            operations += forward  # the reference model's reading of the same answers
        engines = min(run.resources.vllm_gpus, where.count - 1) or where.count
        training = where.count - engines or where.count
        rate = TOKENS_PER_SECOND / _slower(where, work)
        generate = samples * work.answer_tokens / rate / engines
    return samples * operations / where.device.peak / training, generate


def _slower(where: Machine, work: Workload) -> float:
    """How much slower than the measured one this device writes this model: by bytes to read a token."""
    return DEVICES["H100"].bandwidth / where.device.bandwidth * work.parameters / READ_SHARE


def _memory(plan: dict[str, Run], run: Run, work: Workload, where: Machine) -> float:
    """GB a GPU. Full: bf16 weights and gradients, rest, moments; LoRA: the weights. GRPO with beta: a reference."""
    training = max(1, where.count - run.resources.vllm_gpus)
    if run.adapter or not is_full(plan, run.name):
        return work.parameters * 2 / 1e9
    if run.method == "grpo":  # ZeRO-2: weights whole on each GPU, the rest in parts
        reference = 2 if run.args.get("beta", 0.0) else 0
        return work.parameters * (2 + reference + 14 / training) / 1e9
    moments = 4 if run.args.get("optim_args") == "moments=bfloat16" else 8
    return work.parameters * (2 + 2 + 2 + moments) / training / 1e9
