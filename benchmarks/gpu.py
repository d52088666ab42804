"""Everything that training does on a GPU, checked and timed in a few minutes; no network, no weights.

python benchmarks/gpu.py --out gpu.jsonl           # on the GPU at hand
python benchmarks/gpu.py --cpu --out cpu.jsonl     # the same steps with a tiny model on the CPU: does it run at all

The model has the shape of Qwen2.5-VL-7B with random weights, its layers cut to fit the memory (`--layers` says how
many); pages are random letters on a US letter page of 1288 px, answers from a hundred to 3,000 tokens. Each part
prints one line of JSON. A part that fails says so, the others go on, and the exit code is 1.
"""

import argparse
import gc
import json
import random
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import AutoModelForImageTextToText, AutoProcessor
from transformers.utils import logging as transformers_logging

sys.path.insert(0, str(Path(__file__).parent))
from gpu_loops import one_by_one, packed, plain_loop, trl
from gpu_model import Bench, make_model, now, page

from scriptorium.files import write_text
from scriptorium.recipe.plan import Run
from scriptorium.recipe.recipe import DataRef
from scriptorium.train.attention import packed_attention
from scriptorium.train.optimiser import AdamW
from scriptorium.train.rows import Encoder
from scriptorium.train.throughput import memory


@contextmanager
def memory_of_its_own(device: torch.device) -> Iterator[None]:
    """A part that begins without what others left on the device, its peak counted anew."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    yield


def kernel(bench: Bench) -> dict[str, Any]:
    """Attention within pages in one call against page after page: largest difference, and how much faster."""
    from torch.nn.functional import scaled_dot_product_attention as sdpa

    heads, width, lengths = (4, 16, [40, 9, 63]) if bench.cpu else (28, 128, [2700, 1900, 4100, 2300, 3300])
    shared = max(1, heads // 7)
    total = sum(lengths)
    q, k, v = (
        torch.randn(1, n, total, width, device=bench.device, dtype=bench.dtype)
        for n in (heads, shared, shared)
    )
    where = torch.cat([torch.arange(length) for length in lengths])[None].to(bench.device)

    def ours() -> torch.Tensor:
        return packed_attention(torch.nn.Identity(), q, k, v, None, position_ids=where)[0]

    def each() -> torch.Tensor:
        parts = zip(*(x.split(lengths, dim=2) for x in (q, k, v)), strict=True)
        return torch.cat([sdpa(a, b, c, is_causal=True, enable_gqa=True) for a, b, c in parts], 2).transpose(
            1, 2
        )

    off = float((ours().float() - each().float()).abs().max())
    bound = 1e-5 if bench.dtype == torch.float32 else 2e-2
    seconds = []
    for call in (ours, each):
        begun = now(bench.device)
        for _ in range(bench.steps):
            call()
        seconds.append(now(bench.device) - begun)
    return {"ok": off < bound, "largest_difference": off, "times_faster": seconds[1] / seconds[0]}


def exact_adamw(bench: Bench) -> dict[str, Any]:
    """Fifty steps of bfloat16 weights with a rest against torch's AdamW in fp32, at olmOCR-2's rate of 2e-6."""
    torch.manual_seed(1)
    start = (torch.randn(512, 512, device=bench.device) * 0.02).bfloat16()
    split, plain = torch.nn.Parameter(start.clone()), torch.nn.Parameter(start.clone())
    master = torch.nn.Parameter(start.float())
    options = {"lr": 2e-6, "weight_decay": 0.01}
    makers = (AdamW([{"params": [split], "weight_decay": 0.01, "scale": 1.0}], lr=2e-6),)
    others = (torch.optim.AdamW([master], **options), torch.optim.AdamW([plain], **options))
    for _ in range(50):
        gradient = torch.randn(512, 512, device=bench.device).bfloat16()
        split.grad, plain.grad, master.grad = gradient, gradient.clone(), gradient.float()
        for optimiser in (*makers, *others):
            optimiser.step()
    from scriptorium.train.precision import join

    exact = join(split.data, makers[0].state[split]["rest"])
    went = (master.data - start.float()).flatten()

    def likeness(weights: torch.Tensor) -> float:
        return float(torch.cosine_similarity((weights.float() - start.float()).flatten(), went, dim=0))

    return {"ok": likeness(exact) > 0.9999, "ours": likeness(exact), "plain_bfloat16": likeness(plain.data)}


def generate(bench: Bench, folder: Path) -> tuple[float, torch.Tensor]:
    """Tokens a second that the model in `folder` writes for two pages, and its logits after the question."""
    network = AutoModelForImageTextToText.from_pretrained(folder, dtype=bench.dtype).to(bench.device).eval()
    encoder = Encoder(AutoProcessor.from_pretrained(folder), bench.adapter.prompt)
    inputs = {k: v.to(bench.device) for k, v in encoder.prompts([bench.rows[0], bench.rows[1]]).items()}
    with torch.no_grad():
        logits = network(**inputs).logits[:, -1].float()
        begun = now(bench.device)
        new = network.generate(
            **inputs, max_new_tokens=bench.most, min_new_tokens=bench.most, do_sample=False
        )
    written = new.shape[1] - inputs["input_ids"].shape[1]
    return 2 * written / (now(bench.device) - begun), logits.cpu()


def fp8(bench: Bench) -> dict[str, Any]:
    """The FP8 file that we write: it loads, it runs, and it says nearly the same as the bfloat16 one."""
    from scriptorium.weights.quantize import quantize

    target = bench.folder / "fp8"
    run = Run(
        name="fp8", stage="fp8", method="quantize", recipe="gpu", model=bench.adapter.name, parents=["base"]
    )
    quantize(run, bench.model, target, bench.folder / "fp8.json")
    speed, logits = generate(bench, bench.model)
    speed_fp8, logits_fp8 = generate(bench, target)
    likeness = float(torch.cosine_similarity(logits, logits_fp8, dim=-1).min())
    return {
        "ok": likeness > 0.9,
        "likeness_of_logits": likeness,
        "tokens_per_second": speed_fp8,
        "times_faster_than_unquantised": speed_fp8 / speed,
    }


def grpo(bench: Bench) -> dict[str, Any]:
    """One step of GRPO with transformers' generation, and how long it takes; fresh weights earn no reward yet."""
    from scriptorium.train.grpo import train
    from scriptorium.train.stage import Files

    rows = bench.folder / "rl.parquet"
    bench.rows.select(range(4)).to_parquet(rows)
    run = Run(
        name="grpo",
        stage="grpo",
        method="grpo",
        recipe="gpu",
        model=bench.adapter.name,
        modality="vision",
        parents=["base"],
        seed=1,
        data=[DataRef(source="pages", split="train")],
        rewards={"bench": 1.0, "front_matter": 1.0, "eos": 1.0},
        model_args={"dtype": "float32" if bench.cpu else "bfloat16"},
        args={
            "max_steps": 1,
            "per_device_train_batch_size": 4,
            "num_generations": 4,
            "max_completion_length": bench.most,
            "temperature": 1.0,
            "beta": 0.0,
            "optim": "sgd",  # this step is about generation and gradients: AdamW's states were timed above
            "save_strategy": "no",
        },
    )
    state = bench.folder / "grpo"
    state.mkdir()
    begun = now(bench.device)
    done = train(run, Files(bench.model, [rows], [], state, state / "m", state / "j", state / "r"))
    line = json.loads((state / "metrics.jsonl").read_text().splitlines()[0])
    return {
        "ok": done.steps == 1,
        "seconds": now(bench.device) - begun,
        "reward": line["reward"],
        "answer_tokens": line["completions/mean_length"],
        "memory": memory(bench.device),
    }


PARTS: dict[str, Callable[[Bench], dict[str, Any]]] = {
    "kernel": kernel,
    "exact_adamw": exact_adamw,
    "packed": packed,
    "one_by_one": one_by_one,
    "plain_loop": plain_loop,
    "trl": trl,
    "fp8": fp8,
    "grpo": grpo,
}


def layers_that_fit(device: torch.device) -> int:
    """Decoder layers of the 7B whose training fits: ten bytes a weight, and a third of the memory for activations."""
    room = torch.cuda.get_device_properties(device).total_memory * 0.66 / 10
    return max(1, min(28, int((room - 1.09e9 - 0.68e9) / 0.233e9)))


def measure(bench: Bench, names: list[str]) -> list[dict[str, Any]]:
    """The parts, one after the other; what failed says why."""
    found = []
    for name in names:
        with memory_of_its_own(bench.device):
            try:
                line = PARTS[name](bench)
            except Exception as error:  # the other parts are worth their minutes on a rented GPU
                traceback.print_exc()
                line = {"ok": False, "error": f"{type(error).__name__}: {error}"}
        found.append({"part": name} | line)
        print(json.dumps(found[-1]), flush=True)
    return found


def compared(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """Packed rows against the other loops: the same losses as page by page, and how many times faster than each."""
    by_name = {line["part"]: line for line in lines if line["ok"]}
    ours = by_name["packed"]
    found: dict[str, Any] = {"part": "compared", "ok": True}
    if "one_by_one" in by_name:
        off = [abs(a - b) / b for a, b in zip(ours["losses"], by_name["one_by_one"]["losses"], strict=True)]
        found |= {"ok": max(off) < 0.02, "largest_difference_of_losses": max(off)}
    for name in ("one_by_one", "plain_loop", "trl"):
        if name in by_name:
            found[f"times_faster_than_{name}"] = (
                ours["tokens_per_second"] / by_name[name]["tokens_per_second"]
            )
    return found


def main() -> None:
    """Measure and write one JSON line a part; exit code 1 if one failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cpu", action="store_true", help="rehearse with a tiny model on the CPU")
    parser.add_argument("--layers", type=int, help="decoder layers; by default as many as fit")
    parser.add_argument("--pages", type=int, help="pages of a step: 32, or 4 in the rehearsal")
    parser.add_argument("--steps", type=int, help="timed steps of each loop: 3, or 1 in the rehearsal")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--out", type=Path)
    a = parser.parse_args()
    if not a.cpu and not torch.cuda.is_available():
        parser.error("no GPU here; --cpu rehearses on the CPU")
    transformers_logging.set_verbosity_error()
    device = torch.device("cpu" if a.cpu else "cuda")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(
            device,
            torch.float32 if a.cpu else torch.bfloat16,
            a.layers or (2 if a.cpu else layers_that_fit(device)),
            a.pages or (4 if a.cpu else 32),
            a.steps or (1 if a.cpu else 3),
            2048 if a.cpu else 16384,
            16 if a.cpu else 256,
            Path(folder),
        )
        rng = random.Random(1)
        count = bench.pages * (bench.steps + 1)
        bench.rows = Dataset.from_list([page(rng, k, 112 if a.cpu else 1288, a.cpu) for k in range(count)])
        name = "CPU" if a.cpu else torch.cuda.get_device_name()
        head = {"part": "device", "ok": True, "name": name, "torch": torch.__version__}
        head |= {"layers": bench.layers, "parameters": make_model(bench)}
        print(json.dumps(head), flush=True)
        lines = [head, *measure(bench, a.parts)]
    if any(line["part"] == "packed" and line["ok"] for line in lines):
        lines.append(compared(lines))
        print(json.dumps(lines[-1]), flush=True)
    if a.out:
        write_text(a.out, "".join(json.dumps(line) + "\n" for line in lines))
    sys.exit(0 if all(line["ok"] for line in lines) else 1)


if __name__ == "__main__":
    main()
