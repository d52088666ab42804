"""The processes of one training: who is the first, what all of them know, and sums over them.

They find each other by the variables that torchrun defines (RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR, MASTER_PORT),
whoever set them: our own launcher, srun, accelerate or torchrun. One process needs none of them.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist

PATIENCE = timedelta(hours=1)
"""How long a process waits for the others: the first one hashes data and weights before they may begin."""


def rank() -> int:
    """The number of this process; the one with number 0 writes files."""
    return int(os.environ.get("RANK", "0"))


def size() -> int:
    """How many processes train together, on all nodes."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def first() -> bool:
    """Whether this process is the one that writes."""
    return rank() == 0


def device() -> torch.device:
    """This process's GPU, or the CPU."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))


@contextmanager
def joined() -> Iterator[None]:
    """Meet the other processes for as long as the block lasts: NCCL between GPUs, gloo between CPUs.

    An error leaves the group as it is: the others may wait in it, and their launcher ends them.
    """
    if size() == 1:
        yield
        return
    here = device()
    if here.type == "cuda":
        torch.cuda.set_device(here)
    dist.init_process_group("nccl" if here.type == "cuda" else "gloo", timeout=PATIENCE)
    try:
        yield
    except SystemExit:
        dist.destroy_process_group()
        raise
    dist.destroy_process_group()


def wait() -> None:
    """Go on when every process has come here."""
    if size() > 1:
        dist.barrier()


def total(values: list[float]) -> list[float]:
    """Each value summed over the processes: the same bits on all of them."""
    if size() == 1:
        return values
    summed = torch.tensor(values, dtype=torch.float64, device=device())
    dist.all_reduce(summed)
    return [float(value) for value in summed]


def most(value: int) -> int:
    """The largest of the processes' values."""
    if size() == 1:
        return value
    largest = torch.tensor([value], device=device())
    dist.all_reduce(largest, op=dist.ReduceOp.MAX)
    return int(largest)


def every(value: Any) -> list[Any]:
    """The value of each process, by rank, on all of them."""
    if size() == 1:
        return [value]
    found: list[Any] = [None] * size()
    dist.all_gather_object(found, value)
    return found


def deal(weights: list[int]) -> list[list[int]]:
    """Items, by index, dealt to the processes: the heaviest first, each to whoever has the least so far.

    The same on every process. Items of one process keep their order.
    """
    hands: list[list[int]] = [[] for _ in range(size())]
    loads = [0] * size()
    for index in sorted(range(len(weights)), key=lambda index: (-weights[index], index)):
        least = min(range(size()), key=lambda process: (loads[process], len(hands[process]), process))
        hands[least].append(index)
        loads[least] += weights[index]
    return [sorted(hand) for hand in hands]
