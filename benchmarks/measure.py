"""Times and memory of whole commands: process start included, pinned to one core where asked."""

import os
import resource
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

OURS = Path(sys.executable).parent / "scriptorium"
"""Our command, of the environment that runs the benchmark."""

SAMPLE_SECONDS = 0.05
MIB = 1024 * 1024


@dataclass(frozen=True)
class Run:
    """One run of a command: seconds by the clock and of processor time, peak memory of its process tree in
    bytes, what it printed, its exit code."""

    seconds: float
    processor: float
    memory: int
    output: str
    code: int


def _tree_memory(process: psutil.Process) -> int:
    """The memory of a process and all below it: pages that they share are counted once (PSS)."""
    total = 0
    for each in [process, *process.children(recursive=True)]:
        try:
            total += each.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue  # it ended between the listing and the look
    return total


def _children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run(command: Sequence[str | Path], environment: Mapping[str, str], core: int | None = None) -> Run:
    """Run a command to its end. `core`: the only core that it and its children may use."""
    pin = ["taskset", "-c", str(core)] if core is not None else []
    begun, used = time.perf_counter(), _children_seconds()
    process = subprocess.Popen(
        [*pin, *map(str, command)],
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    peak = 0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.is_set():
            try:
                peak = max(peak, _tree_memory(psutil.Process(process.pid)))
            except psutil.NoSuchProcess:
                return
            done.wait(SAMPLE_SECONDS)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    output, errors = process.communicate()
    seconds = time.perf_counter() - begun
    done.set()
    watcher.join()
    if process.returncode not in (0, 3):
        raise SystemExit(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{errors[-2000:]}")
    return Run(seconds, _children_seconds() - used, peak, output, process.returncode)


def environment(cache: Path) -> dict[str, str]:
    """Variables for a run of ours: caches below `cache`, one thread per library, nothing from the network."""
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "HF_HUB_OFFLINE"), "1")
    return {**os.environ, **one, "SCRIPTORIUM_CACHE": str(cache)}


def emptied(folder: Path) -> Path:
    """A folder with nothing in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def alternating(runs: int, ours: Callable[[], Run], theirs: Callable[[], Run]) -> tuple[list[Run], list[Run]]:
    """Runs of both in turn, so that what else the machine does falls on both alike."""
    pairs = [(ours(), theirs()) for _ in range(runs)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def median(runs: Sequence[Run]) -> float:
    """The median of the seconds."""
    return statistics.median(run.seconds for run in runs)


def all_seconds(runs: Sequence[Run]) -> str:
    """The seconds of each run, with its processor time in brackets."""
    return ", ".join(f"{run.seconds:.2f} ({run.processor:.2f})" for run in runs)


def last_core() -> int:
    """The highest core that this process may use."""
    return max(os.sched_getaffinity(0))


def verdict(name: str, value: float, limit: float, unit: str, at_least: bool = False) -> bool:
    """Print a figure beside its target; True if it is met."""
    met = value >= limit if at_least else value <= limit
    sign = ">=" if at_least else "<="
    print(f"{name}: {value:,.2f} {unit} (target {sign} {limit:,g} {unit}): {'met' if met else 'NOT MET'}")
    return met
