"""A recipe in words: its runs, what they descend from, their batches, and what they would cost."""

import textwrap
from collections.abc import Iterator, Sequence

from scriptorium.recipe.arithmetic import batch_of
from scriptorium.recipe.costs import OBSERVED, TARGET, Cost, Machine, costs
from scriptorium.recipe.devices import PRICES_OF
from scriptorium.recipe.plan import Run, make_plan
from scriptorium.recipe.recipe import Recipe


def lines(recipe: Recipe, machines: Sequence[Machine], mfu: float | None = None) -> Iterator[str]:
    """What `scriptorium recipe show` prints. Raises ConfigError for a recipe that cannot be planned."""
    plan = make_plan(recipe)
    fidelity = f" ({recipe.fidelity})" if recipe.fidelity else ""
    yield f"{recipe.name}{fidelity}: {len(plan)} runs, read with the adapter {recipe.model}"
    if recipe.note:
        yield from textwrap.wrap(recipe.note, 118)
    yield ""
    head = ("run", "method", "from", "data", "steps", "a step", "epochs", "GPUs")
    yield from table([head, *(_row(recipe, run) for run in plan.values())])
    if recipe.variants:
        yield ""
        yield from (f"{name} varies {base}" for name, base in recipe.variants.items())
    yield ""
    if recipe.workload is None or not any(run.resources.gpus for run in plan.values()):
        yield "No estimate of GPU hours: no run asks for a GPU, or the recipe has no `workload`."
        return
    for each in machines:
        yield from _estimate(recipe, plan, each, mfu)
        yield ""
    share = f"{100 * mfu:.0f} %" if mfu else f"{100 * OBSERVED:.0f} to {100 * TARGET:.0f} %"
    yield (
        f"Estimates, not measurements: {share} of the peak in bfloat16, prices of {PRICES_OF}. "
        "Formulas and sources: docs/reference/costs.md."
    )


def _row(recipe: Recipe, run: Run) -> tuple[str, ...]:
    batch = batch_of(recipe, run)
    parents = (
        run.parents[0].partition("@")[0]
        if len(run.parents) == 1
        else f"{len(run.parents)} runs"
        if run.parents
        else "-"
    )
    data = ", ".join(f"{each.source}/{each.split}" for each in run.data) or "-"
    need = run.resources
    gpus = f"{need.gpus * need.nodes}" + (f", {need.vllm_gpus} generate" if need.vllm_gpus else "")
    if batch is None:
        return run.name, run.method, parents, data, "-", "-", "-", gpus
    step = f"{batch.pages} pages" + (f" x {batch.answers}" if run.method == "grpo" else "")
    steps = "?" if batch.steps is None else f"{batch.steps:,}"
    epochs = "?" if batch.epochs is None else f"{batch.epochs:.2f}"
    return run.name, run.method, parents, data, steps, step, epochs, gpus


def _estimate(recipe: Recipe, plan: dict[str, Run], where: Machine, mfu: float | None) -> Iterator[str]:
    """The table of one machine, with a sum."""
    found = list(costs(recipe, plan, where, mfu))
    total = Cost("all", "", (sum(c.hours[0] for c in found), sum(c.hours[1] for c in found)), None)
    head = (f"on {where}", "work", "hours", "GPU hours", "dollars", "states, GB a GPU")
    yield from table([head, *(_cost(each, where) for each in [*found, total])])


def _cost(cost: Cost, where: Machine) -> tuple[str, ...]:
    gpu = [where.count * hours for hours in cost.hours]
    memory = ""
    if cost.memory is not None:
        memory = f"{cost.memory:.0f} of {where.device.memory:.0f}"
        memory += ": too large" if cost.memory > where.device.memory else ""
    return (
        cost.run,
        cost.what,
        span(cost.hours),
        span(gpu),
        span([each * where.device.price for each in gpu], "$"),
        memory,
    )


def span(ends: Sequence[float], unit: str = "") -> str:
    """Two numbers as a range, the smaller first; one of them where they round to the same."""
    low, high = (unit + _round(each) for each in sorted(ends))
    return low if low == high else f"{low} to {high}"


def _round(value: float) -> str:
    return f"{value:,.0f}" if value >= 20 else f"{value:.1f}"


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows of text in columns, the first row underlined."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    for number, row in enumerate(rows):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        if not number:
            yield "  ".join("-" * width for width in widths)
