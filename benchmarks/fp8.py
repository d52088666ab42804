"""The FP8 writer against a plain copy of the same file on the same disk, and its error.

python benchmarks/fp8.py --megabytes 200

A random Qwen2.5-VL of the size asked for, bfloat16, is quantised to FP8_DYNAMIC, and its file copied with
`shutil.copyfile`, in turn; both are flushed to the disk. The target: at least a third of the copy's speed, reading
back and comparing left out (`quantize` does that too, and its time is given apart).
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

from scriptorium.recipe.plan import Run
from scriptorium.weights.names import skeleton
from scriptorium.weights.quantize import choose, write_weights
from scriptorium.weights.tensors import Checkpoint
from scriptorium.weights.verify import verify

SLOWEST = 1 / 3
"""Share of the copy's speed that the writer has to reach."""


def make(folder: Path, megabytes: int) -> Path:
    """A model folder of about as many megabytes; nine tenths of them are the decoder's matrices."""
    wide, layers = 1024, max(1, round(megabytes * (1 << 20) * 0.9 / (2 * 14 * 1024 * 1024)))
    rope = {"rope_type": "default", "mrope_section": [16, 24, 24], "rope_theta": 1e6}
    text = {"hidden_size": wide, "intermediate_size": 10 * wide // 3, "num_hidden_layers": layers}
    text |= {"num_attention_heads": 8, "num_key_value_heads": 8, "vocab_size": 4096, "rope_parameters": rope}
    vision = {
        "hidden_size": 256,
        "depth": 2,
        "num_heads": 4,
        "intermediate_size": 512,
        "out_hidden_size": wide,
    }
    config = Qwen2_5_VLConfig(text_config=text, vision_config=vision | {"fullatt_block_indexes": [1]})
    torch.manual_seed(0)
    Qwen2_5_VLForConditionalGeneration(config).bfloat16().save_pretrained(folder)
    return folder


def timed(work: Callable[[], object], written: Path) -> tuple[float, float]:
    """Seconds of clock and of processor for `work`, flushing `written` to the disk included."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    with written.open("rb") as file:
        os.fsync(file.fileno())
    return time.perf_counter() - clock, time.process_time() - processor


def main() -> None:
    """Measure both in turn; exit code 4 where a target is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megabytes", type=int, default=200, help="size of the model")
    parser.add_argument("--runs", type=int, default=3, help="of each, in turn")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--scratch", type=Path, help="folder for the files; a temporary one if not given")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    writes, copies = [], []
    with tempfile.TemporaryDirectory(dir=args.scratch) as scratch:
        source = make(Path(scratch) / "source", args.megabytes)
        file = source / "model.safetensors"
        checkpoint = Checkpoint(source)
        run = Run(name="fp8", stage="fp8", method="quantize", recipe="benchmark", model="tiny", parents=["x"])
        chosen, _ = choose(run, skeleton(source), checkpoint)
        out, copy = Path(scratch) / "fp8", Path(scratch) / "copy.safetensors"
        for _ in range(args.runs):
            for old in (out / file.name, copy):
                old.unlink(missing_ok=True)
            copies.append(timed(lambda: shutil.copyfile(file, copy), copy)[0])
            out.mkdir(exist_ok=True)
            writes.append(timed(lambda: write_weights(checkpoint, chosen, out), out / file.name))
        begun = time.perf_counter()
        errors = verify(checkpoint, Checkpoint(out), chosen)
        checking = time.perf_counter() - begun
        size = file.stat().st_size / 1e6
    copied = size / statistics.median(copies)
    written = size / statistics.median(clock for clock, _ in writes)
    by_processor = size / statistics.median(processor for _, processor in writes)
    print(f"copy     {copied:,.0f} MB/s of the source")
    print(f"FP8      {written:,.0f} MB/s of the source, {by_processor:,.0f} by the processor's time")
    print(f"checking {size / checking:,.0f} MB/s")
    print(
        f"relative error {errors['relative_error_mean']:.3%} in the mean, {errors['relative_error_max']:.3%} at most"
    )
    print(f"{written / copied:.2f} of the copy's speed")
    if written / copied < SLOWEST:
        sys.exit(4)


if __name__ == "__main__":
    main()
