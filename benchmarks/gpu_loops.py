"""The training loops that benchmarks/gpu.py times side by side, each over the same pages with a fresh model."""

import math
import statistics
from typing import Any

import torch
from datasets import Dataset
from gpu_model import Bench, now
from transformers import AutoProcessor

from scriptorium.train.arguments import Arguments
from scriptorium.train.loop import Loop
from scriptorium.train.order import Order
from scriptorium.train.rows import Encoder, picture, question
from scriptorium.train.throughput import memory, peak


def our_loop(bench: Bench, **args: Any) -> dict[str, Any]:
    """Steps of our own loop."""
    settings = {"max_steps": 1000, "learning_rate": 2e-5, "gradient_checkpointing": not bench.cpu}
    if bench.dtype == torch.bfloat16:
        settings["optim_args"] = "moments=bfloat16"
    adapter = bench.adapter
    loop = Loop(
        bench.network().train(),
        Encoder(AutoProcessor.from_pretrained(bench.model), adapter.prompt),
        bench.rows,
        Order.of(bench.rows["group"], 1),
        Arguments.of(settings | args, "gpu"),
        bench.folder / "state",
    )
    if loop.arguments.gradient_checkpointing:
        loop.model.activation_checkpointing_enable({"use_reentrant": False})
    loop.prepare()
    seconds, tokens, operations, losses = [], 0.0, 0.0, []
    for step in range(1, bench.steps + 2):
        samples = loop.encoder.samples([bench.rows[k] for k in loop.order.batch(step, bench.pages)])
        begun = now(bench.device)
        losses.append(loop.step(step, samples)[0])
        if step > 1:  # the first one warms up
            seconds.append(now(bench.device) - begun)
            tokens, operations = tokens + loop.done.tokens, operations + loop.done.operations
    most = peak(bench.device)
    return {
        "ok": all(map(math.isfinite, losses)),
        "losses": losses,
        "tokens_per_second": tokens / sum(seconds),
        "mfu": operations / sum(seconds) / most if most else None,
        "memory": memory(bench.device),
        "seconds": statistics.median(seconds),
    }


def packed(bench: Bench) -> dict[str, Any]:
    """Our loop with packed rows."""
    return our_loop(bench, per_device_train_batch_size=bench.pages, packing=True, max_length=bench.max_length)


def one_by_one(bench: Bench) -> dict[str, Any]:
    """Our loop, a page at a time."""
    return our_loop(bench, per_device_train_batch_size=1, gradient_accumulation_steps=bench.pages)


def plain_loop(bench: Bench) -> dict[str, Any]:
    """A plain loop: a page at a time, the model's own loss over all positions, AdamW in the weights' dtype."""
    network = bench.network().train()
    if not bench.cpu:
        network.gradient_checkpointing_enable({"use_reentrant": False})
    encoder = Encoder(AutoProcessor.from_pretrained(bench.model), bench.adapter.prompt)
    order = Order.of(bench.rows["group"], 1)
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-5)
    seconds, tokens = [], 0
    for step in range(1, bench.steps + 2):
        batches = [encoder([bench.rows[k]]) for k in order.batch(step, bench.pages)]
        begun = now(bench.device)
        for batch in batches:
            inputs = {name: value.to(bench.device) for name, value in batch.items()}
            (network(**inputs, use_cache=False).loss / len(batches)).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        if step > 1:
            seconds.append(now(bench.device) - begun)
            tokens += sum(batch["input_ids"].numel() for batch in batches)
    return {"ok": True, "tokens_per_second": tokens / sum(seconds), "memory": memory(bench.device)}


def trl(bench: Bench) -> dict[str, Any]:
    """TRL's SFTTrainer on the same pages: padded batches of one, as it refuses to pack images."""
    from transformers import TrainerCallback
    from trl import SFTConfig, SFTTrainer

    times: list[float] = []

    class Clock(TrainerCallback):
        """When each step ended."""

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            times.append(now(bench.device))

    processor = AutoProcessor.from_pretrained(bench.model)
    encoder = Encoder(processor, bench.adapter.prompt)
    rows = [bench.rows[k] for k in range(min(len(bench.rows), bench.pages * (bench.steps + 1)))]
    answers = [[{"role": "assistant", "content": [{"type": "text", "text": row["text"]}]}] for row in rows]
    data = Dataset.from_list(
        [
            {"prompt": question(bench.adapter.prompt), "completion": answer, "images": [picture(row)]}
            for row, answer in zip(rows, answers, strict=True)
        ]
    )
    config = SFTConfig(
        output_dir=str(bench.folder / "trl"),
        max_steps=bench.steps + 1,
        per_device_train_batch_size=1,
        gradient_accumulation_steps=bench.pages,
        max_length=None,
        use_cpu=bench.cpu,
        bf16=not bench.cpu,
        gradient_checkpointing=not bench.cpu,
        gradient_checkpointing_kwargs={"use_reentrant": False},
        report_to=[],
        save_strategy="no",
        learning_rate=2e-5,
    )
    trainer = SFTTrainer(
        model=bench.network(),
        args=config,
        train_dataset=data,
        processing_class=processor,
        callbacks=[Clock()],
    )
    trainer.train()
    seconds = times[-1] - times[0]
    tokens = sum(len(sample) for sample in encoder.samples(rows)) / len(rows) * bench.pages * bench.steps
    return {"ok": True, "tokens_per_second": tokens / seconds, "memory": memory(bench.device)}
