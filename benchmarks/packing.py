"""The training loop with packed rows against the same loop at batch 1, on pages of mixed length, in one run.

python benchmarks/packing.py --threads 1

The model is that of recipe `tiny`, fresh; the pages are random letters, one to twelve lines of up to sixteen, as
long as that recipe's own, each on a picture of its own size. Both loops do the same steps over the same pages: a
step's loss is compared as well.
"""

import argparse
import io
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from PIL import Image, ImageDraw
from transformers import AutoModelForImageTextToText, AutoProcessor

from scriptorium.pages import front_matter
from scriptorium.recipe.plan import make_plan
from scriptorium.recipe.recipe import load as load_recipe
from scriptorium.serve.adapter import load as load_adapter
from scriptorium.train.arguments import Arguments
from scriptorium.train.init import make
from scriptorium.train.loop import Loop
from scriptorium.train.order import Order
from scriptorium.train.rows import Encoder

PAGES = 16
"""Pages of a step."""


def page(rng: random.Random) -> dict[str, Any]:
    """A row: letters on a picture that is as large as they need."""
    count = rng.choice((1, 2, 3, 6, 12))
    lines = ["".join(rng.choices("abcdefgh ", k=rng.randint(4, 16))) for _ in range(count)]
    picture = Image.new("L", (28 * 6, 28 * max(1, count // 2)), 255)
    ImageDraw.Draw(picture).text((2, 2), "\n".join(lines), fill=0)
    data = io.BytesIO()
    picture.save(data, "PNG")
    return {
        "image": data.getvalue(),
        "text": front_matter.encode(front_matter.FrontMatter(), "\n".join(lines)),
        "group": "",
    }


def loop(model: Path, rows: Dataset, **args: Any) -> Loop:
    """A loop over `rows` with a copy of the model of its own."""
    encoder = Encoder(AutoProcessor.from_pretrained(model), load_adapter("tiny").prompt)
    arguments = Arguments.of({"max_steps": 100, "learning_rate": 1.0e-4} | args, "benchmark")
    made = Loop(
        AutoModelForImageTextToText.from_pretrained(model).train(),
        encoder,
        rows,
        Order.of(rows["group"], 1),
        arguments,
        Path(),
    )
    made.prepare()
    return made


def main() -> None:
    """Time both, a step of one and a step of the other in turn."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=8, help="timed steps of each, after one to warm up")
    parser.add_argument("--max-length", type=int, default=2048, help="tokens of a packed row")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    rng = random.Random(1)
    rows = Dataset.from_list([page(rng) for _ in range(PAGES * (args.steps + 1))])
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model"
        make(make_plan(load_recipe("tiny"))["base"], model, Path(folder) / "model.json")
        loops = {
            "batch 1": loop(model, rows, per_device_train_batch_size=1, gradient_accumulation_steps=PAGES),
            "packed": loop(
                model, rows, per_device_train_batch_size=PAGES, packing=True, max_length=args.max_length
            ),
        }
    tokens = sum(len(sample) for sample in loops["packed"].encoder.samples(list(rows))) / len(rows) * PAGES
    seconds: dict[str, list[float]] = {name: [] for name in loops}
    for step in range(1, args.steps + 2):
        losses = []
        for name, each in loops.items():
            begun = time.process_time()
            mine = [rows[index] for index in each.order.batch(step, PAGES)]
            losses.append(each.step(step, each.encoder.samples(mine))[0])
            if step > 1:
                seconds[name].append(time.process_time() - begun)
        assert abs(losses[0] - losses[1]) < 1e-4 * losses[0], losses
    for name, measured in seconds.items():
        median = statistics.median(measured)
        print(f"{name:8} {median:.3f} processor seconds a step, {tokens / median:,.0f} tokens a second")
    print(
        f"packed is {statistics.median(seconds['batch 1']) / statistics.median(seconds['packed']):.2f} x batch 1"
    )


if __name__ == "__main__":
    main()
