"""The vLLM server that generates for GRPO: started by the first training process, on GPUs that do not train.

A server that dies ends the training: one started anew would generate with the weights of the first step.
"""

import contextlib
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import torch

from scriptorium.errors import ConfigError, ServerError
from scriptorium.serve import process, vllm
from scriptorium.serve.adapter import Adapter
from scriptorium.serve.server import check_order

TORCHRUN = (
    "RANK",
    "WORLD_SIZE",
    "LOCAL_RANK",
    "LOCAL_WORLD_SIZE",
    "GROUP_RANK",
    "ROLE_RANK",
    "ROLE_WORLD_SIZE",
)
RENDEZVOUS = ("MASTER_ADDR", "MASTER_PORT", "TORCHELASTIC_RUN_ID", "TORCHELASTIC_USE_AGENT_STORE")
"""Variables of the training's processes, by which vLLM would take itself for one of them."""


def spare_gpus(visible: int) -> list[str]:
    """The GPUs of this machine that no training process has: those after the processes' own.

    `visible`: GPUs that this process sees. Raises ConfigError if none is left, or if there are several nodes: each
    has its own GPUs, and a server on one of them is started by hand.
    """
    local = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if int(os.environ.get("WORLD_SIZE", "1")) != local:
        raise ConfigError(
            "resources: vllm_mode server starts its server on a training of one node only; for several nodes start "
            "it yourself and name it in args.vllm_server_base_url, or use vllm_mode: colocate"
        )
    named = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    every = named.split(",") if named else [str(index) for index in range(visible)]
    if len(every) <= local:
        raise ConfigError(
            f"resources: {local} processes train on {len(every)} GPUs, and vllm_mode server needs one more; set "
            "resources.gpus and vllm_gpus, or use vllm_mode: colocate"
        )
    return every[local:]


def make_order(
    model: Path, adapter: Adapter, log: Path, gpus: list[str], memory: float, context: int
) -> process.Order:
    """What is to be served for rollouts, and how. Raises ConfigError where vLLM is missing or too old."""
    words = vllm.program()
    if words is None:
        raise ConfigError(
            "args.vllm_mode: server needs vLLM, which is not installed: pip install vllm, or use_vllm: false"
        )
    options, variables = vllm.rollout_options(words, memory, context, len(gpus))
    alone = dict.fromkeys((*TORCHRUN, *RENDEZVOUS))
    return process.Order(
        str(model),
        adapter.model_copy(update={"engine": "vllm"}),
        threads=max(1, len(os.sched_getaffinity(0)) // 4),
        log=log,
        options=options,
        # The trainer's client gives no key; the server listens on the loopback alone.
        variables={**alone, **variables, vllm.KEY_VARIABLE: None, "CUDA_VISIBLE_DEVICES": ",".join(gpus)},
    )


@contextlib.contextmanager
def generating(order: process.Order) -> Iterator[str]:
    """Serve for as long as the block lasts; the server's URL. Raises ServerError if it does not come up."""
    check_order(order)
    order.log.parent.mkdir(parents=True, exist_ok=True)
    begin = order.log.stat().st_size if order.log.exists() else 0
    with tempfile.TemporaryDirectory(prefix="scriptorium-rollouts-") as scratch:
        port = order.port or process.free_port()
        server = process.launch(order, Path(scratch), port)
        try:

            def told() -> str:
                return process.explained(order.log, begin, server.poll())

            never = threading.Event()
            if not process.wait_ready(server, port, told, never.wait):
                raise ServerError(f"the server for rollouts ended before it answered; {told()}")
            yield f"http://{process.HOST}:{port}"
        finally:
            process.kill(server)


def visible_gpus() -> int:
    """The GPUs that this process sees."""
    return torch.cuda.device_count()
