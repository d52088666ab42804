"""A soup of six checkpoints: ours, a few rows at a time, against the peer's method, whole files at a time.

python benchmarks/soup.py --megabytes 200

The peer's method (`olmocr` 0.4.27, described in its documentation and code): for each file load the first checkpoint's
tensors, widen them to float32, add the others' one file after the other, divide, narrow, save. It is written down
here anew with safetensors' own calls, since the peer's command needs its training extra and copies all checkpoints
first, which is left out here in its favour. Both run as processes of their own, in turn; seconds of processor and
clock, peak memory above the interpreter with torch, and whether the two results are equal bit for bit.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

COUNT = 6
MOST_MEGABYTES = 200.0
"""Peak memory of ours above the interpreter with torch that must not be passed."""

COMMON = """
import sys, time, resource, threading, json
from pathlib import Path
import torch
from safetensors.torch import load_file, save_file
torch.set_num_threads(1)
def own():
    lines = open('/proc/self/status')
    return sum(int(line.split()[1]) for line in lines if line.startswith(('RssAnon', 'VmSwap')))
out, folders = Path(sys.argv[1]), [Path(path) for path in sys.argv[2:]]
"""
OURS = """
from scriptorium.weights.soup import write_sum
from scriptorium.weights.tensors import Checkpoint
def cook():
    write_sum([Checkpoint(path) for path in folders], [1 / len(folders)] * len(folders), out)
"""
THEIRS = """
def cook():
    out.mkdir()
    for name in sorted(path.name for path in folders[0].glob('*.safetensors')):
        first = load_file(folders[0] / name)
        kinds = {key: value.dtype for key, value in first.items()}
        total = {key: value.float() for key, value in first.items()}
        del first
        for folder in folders[1:]:
            for key, value in load_file(folder / name).items():
                total[key] += value.float()
        for key in total:
            total[key] /= len(folders)
        save_file({key: value.to(kinds[key]) for key, value in total.items()}, out / name, {'format': 'pt'})
"""
MEASURE = """
before, peak, done = own(), [0], threading.Event()
def watch():
    while not done.wait(0.002):
        peak[0] = max(peak[0], own())
watcher = threading.Thread(target=watch)
watcher.start()
clock, processor = time.perf_counter(), time.thread_time()
cook()
clock, processor = time.perf_counter() - clock, time.thread_time() - processor
done.set()
watcher.join()
print(json.dumps({'clock': clock, 'processor': processor, 'megabytes': (peak[0] - before) / 1024}))
"""


def make(folder: Path, megabytes: int, seed: int) -> Path:
    """A checkpoint of random bfloat16 matrices in two files, as large as asked for."""
    folder.mkdir()
    draw = torch.Generator().manual_seed(seed)
    side = 2048
    count = max(2, megabytes * (1 << 20) // (2 * side * side))
    names = [f"layers.{index}.weight" for index in range(count)]
    tensors = {name: torch.randn(side, side, generator=draw).bfloat16() for name in names}
    half = count // 2
    save_file({name: tensors[name] for name in names[:half]}, folder / "model-00001-of-00002.safetensors")
    save_file({name: tensors[name] for name in names[half:]}, folder / "model-00002-of-00002.safetensors")
    weight_map = {name: f"model-0000{1 + (i >= half)}-of-00002.safetensors" for i, name in enumerate(names)}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    return folder


def tensors_of(folder: Path) -> dict[str, torch.Tensor]:
    """All tensors of a folder."""
    return {k: v for path in folder.glob("*.safetensors") for k, v in load_file(path).items()}


def main() -> None:
    """Measure both in turn; exit code 4 where a target is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megabytes", type=int, default=200, help="size of a checkpoint")
    parser.add_argument("--runs", type=int, default=3, help="of each, in turn")
    parser.add_argument(
        "--scratch", type=Path, help="folder for the checkpoints; a temporary one if not given"
    )
    args = parser.parse_args()
    found: dict[str, list[dict[str, float]]] = {"ours": [], "theirs": []}
    with tempfile.TemporaryDirectory(dir=args.scratch) as scratch:
        folders = [make(Path(scratch) / str(index), args.megabytes, index) for index in range(COUNT)]
        for run in range(args.runs):
            for name, code in (("ours", OURS), ("theirs", THEIRS)):
                out = Path(scratch) / f"{name}-{run}"
                command = [sys.executable, "-c", COMMON + code + MEASURE, str(out), *map(str, folders)]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                found[name].append(json.loads(done.stdout))
        one, other = tensors_of(Path(scratch) / "ours-0"), tensors_of(Path(scratch) / "theirs-0")
        equal = one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
    medians = {
        name: {key: statistics.median(row[key] for row in rows) for key in rows[0]}
        for name, rows in found.items()
    }
    for name, row in medians.items():
        print(
            f"{name:7} {row['processor']:.2f} s of processor, {row['clock']:.2f} s of clock, "
            f"{row['megabytes']:.0f} MB above the interpreter with torch"
        )
    ratio = medians["theirs"]["processor"] / medians["ours"]["processor"]
    print(f"ours is {ratio:.2f} x theirs by the processor's time; bit for bit equal: {equal}")
    if not (equal and ratio >= 1 and medians["ours"]["megabytes"] < MOST_MEGABYTES):
        sys.exit(4)


if __name__ == "__main__":
    main()
