"""A model over several processes: a copy on each (DDP), or its weights spread over them (FSDP2, block by block).

Both average gradients over the processes; the loop multiplies its loss by their number and has the sum.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.nn.parallel import DistributedDataParallel
from transformers import PreTrainedModel

from scriptorium.errors import ConfigError
from scriptorium.train import processes
from scriptorium.train.loss import Objective

KINDS = ("auto", "single_gpu", "multi_gpu", "fsdp2")
"""The values of `resources.accelerate` that our loop carries out; `auto` spreads the weights."""


def blocks(model: PreTrainedModel) -> list[torch.nn.Module]:
    """The layers of a model that transformers keeps whole (`_no_split_modules`), text and vision."""
    owner = model.get_base_model() if hasattr(model, "peft_config") else model
    kinds = set(owner._no_split_modules or ())
    return [module for module in owner.modules() if type(module).__name__ in kinds]


def wrap(objective: Objective, kind: str) -> torch.nn.Module:
    """The module to call in training. One process calls the objective itself.

    Raises ConfigError for a kind that the loop does not carry out.
    """
    if kind not in KINDS:
        raise ConfigError(
            f"accelerate: {kind!r} is none of {', '.join(KINDS)}, which our training loop knows"
        )
    if processes.size() == 1:
        return objective
    if kind == "single_gpu":
        raise ConfigError(f"accelerate: single_gpu, but {processes.size()} processes were started")
    if kind == "multi_gpu":
        return DistributedDataParallel(objective, broadcast_buffers=False)
    mesh = init_device_mesh(processes.device().type, (processes.size(),))
    # Sums of bfloat16 gradients over many processes would lose what the exact optimiser keeps.
    policy = MixedPrecisionPolicy(reduce_dtype=torch.float32)
    for block in blocks(objective.model):
        fully_shard(block, mesh=mesh, mp_policy=policy)
    fully_shard(objective, mesh=mesh, mp_policy=policy)
    return objective


def sharded(module: torch.nn.Module) -> bool:
    """Whether the weights of a module are spread over processes."""
    return isinstance(module, FSDPModule)


def last_of_step(module: torch.nn.Module, last: bool) -> Any:
    """The context of one micro-batch: copies exchange gradients after the last one of a step only."""
    if isinstance(module, DistributedDataParallel) and not last:
        return module.no_sync()
    return nullcontext()


@contextmanager
def assembled(module: torch.nn.Module) -> Iterator[None]:
    """All weights on every process for as long as the block lasts: each may call the model as it likes."""
    parts = [part for part in module.modules() if isinstance(part, FSDPModule)]
    for part in parts:
        part.set_reshard_after_forward(False, recurse=False)
        part.unshard()
    yield
    for part in parts:
        part.reshard()
        # The outermost part holds embeddings and head, which the backward pass needs first.
        part.set_reshard_after_forward(part is not module, recurse=False)


def gathered(value: Any) -> Any:
    """A tensor, or dicts and lists with tensors in them, whole and on the CPU; for the first process alone.

    The others take part and have None. Tensors are gathered one by one.
    """
    if isinstance(value, dict):
        return {key: gathered(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [gathered(each) for each in value]
    if not isinstance(value, torch.Tensor):
        return value
    if isinstance(value, DTensor):
        # Neither NCCL nor gloo carries 16-bit integers.
        narrow = value.dtype == torch.int16
        whole: torch.Tensor = (value.to(torch.int32) if narrow else value).full_tensor()  # type: ignore[attr-defined]
        value = whole.to(torch.int16) if narrow else whole
    return value.detach().cpu().contiguous() if processes.first() else None


def like(value: torch.Tensor, parameter: torch.Tensor) -> torch.Tensor:
    """A whole tensor laid out as `parameter` is: on its device, and spread as it is spread."""
    if isinstance(parameter, DTensor):
        return distribute_tensor(
            value.to(parameter.device), parameter.device_mesh, parameter.placements, src_data_rank=None
        )
    return value.to(parameter.device, copy=True)


def norm_of(gradients: torch.Tensor) -> float:
    """A gradient norm as clipping returns it, as a number."""
    return float(gradients.full_tensor() if isinstance(gradients, DTensor) else gradients)
