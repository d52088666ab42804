"""The process of a model server: its command, its environment, whether it answers, why it ended."""

import contextlib
import os
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from scriptorium.errors import ServerError
from scriptorium.family import kill_family
from scriptorium.serve import vllm
from scriptorium.serve.adapter import Adapter
from scriptorium.serve.diagnosis import diagnose
from scriptorium.serve.endpoint import KEY_VARIABLE

HOST = "127.0.0.1"
NAME = "model"
"""What a server calls a model folder: the same name everywhere, and no path of a machine."""
START_SECONDS = 1800.0
"""A server may fetch its weights first."""
LOG_LINES = 50
LOG_BYTES = 1 << 18
OWN_KEY = "SCRIPTORIUM_SERVER_KEY_"
"""How the environment variables begin that hold the keys of servers started here."""


@dataclass(frozen=True)
class Order:
    """What is to be served, and how.

    `model`: a folder or `hub:org/name@revision`. `threads`: CPU threads of the server. Its output goes to the
    file `log`. `port` 0 is a free one. `options` are more options of the engine. `key` is what the server asks
    for; only vLLM can ask for one. `variables` are laid over its environment; None takes one out.
    """

    model: str
    adapter: Adapter
    threads: int
    log: Path
    port: int = 0
    options: Mapping[str, vllm.Value] = field(default_factory=dict)
    key: str = field(default="", repr=False)
    variables: Mapping[str, str | None] = field(default_factory=dict)


def served_name(model: str) -> str:
    """The name by which requests ask for `model`."""
    return model.removeprefix("hub:") if model.startswith("hub:") else NAME


def vllm_options(order: Order, port: int) -> dict[str, vllm.Value]:
    name = served_name(order.model)
    return vllm.options_of(order.model, name, order.adapter, port, HOST, order.options)


def command(order: Order, port: int, folder: str = NAME) -> list[str]:
    """The command line that serves a model on `port`; `folder` is what a model folder is called in it."""
    hub, _, _ = order.model.removeprefix("hub:").partition("@")
    if order.adapter.engine == "transformers":
        # Positional: the model to load before the port opens, and the only one it answers for.
        named = served_name(order.model) if order.model.startswith("hub:") else folder
        program = [sys.executable, "-m", "transformers.cli.transformers", "serve", named]
        more = vllm.as_words({**order.adapter.options, **order.options})
        return [*program, "--host", HOST, "--port", str(port), "--log-level", "error", *more]
    program = [*(vllm.program() or ("vllm",)), "serve", hub if order.model.startswith("hub:") else folder]
    return [*program, *vllm.as_words(vllm_options(order, port))]


def shown_command(order: Order) -> str:
    """The command as a person may run it in a shell, with the name of the variable that holds the key."""
    words = shlex.join(command(order, order.port or 8000, str(Path(order.model).resolve())))
    return f'{vllm.KEY_VARIABLE}="${KEY_VARIABLE}" {words}' if order.adapter.engine == "vllm" else words


def environment(order: Order, scratch: Path) -> dict[str, str]:
    """The server's environment: threads, its key, nobody else's, no look-ups at the hub for a folder's model."""
    private = {KEY_VARIABLE, vllm.KEY_VARIABLE}
    env = {k: value for k, value in os.environ.items() if k not in private and not k.startswith(OWN_KEY)}
    env |= {
        "OMP_NUM_THREADS": str(order.threads),
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_DISABLE_UPDATE_CHECK": "1",
    }
    env |= {"PYTHONUNBUFFERED": "1", "VLLM_NO_USAGE_STATS": "1"}
    if order.adapter.engine == "vllm":
        env[vllm.KEY_VARIABLE] = order.key
    if not order.model.startswith("hub:"):
        # `transformers serve` answers 500 to /v1/models while the hub's cache folder does not exist.
        cache = scratch / "hub"
        cache.mkdir(exist_ok=True)
        env |= {"HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(cache)}
    for name, value in order.variables.items():
        env.pop(name, None) if value is None else env.update({name: value})
    return env


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def launch(order: Order, scratch: Path, port: int) -> subprocess.Popen[bytes]:
    """Start the server under a guard, on a port of the loopback."""
    link = scratch / NAME
    if not order.model.startswith("hub:") and not link.is_symlink():
        link.symlink_to(Path(order.model).resolve())
    guard = [sys.executable, "-m", "scriptorium.serve.guard", str(os.getpid())]
    with order.log.open("ab") as output:
        return subprocess.Popen(
            [*guard, *command(order, port)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=scratch,
            env=environment(order, scratch),
            start_new_session=True,
        )


def wait_ready(
    process: subprocess.Popen[bytes], port: int, told: Callable[[], str], stopped: Callable[[float], bool]
) -> bool:
    """Wait until the server answers; False if it ended first, or `stopped` says so (it waits, in seconds).

    Raises ServerError with what the server `told` when it is not up within START_SECONDS.
    """
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            return False
        # Somebody else's server on this port would answer too: ask only once ours is the one that listens.
        if listens(process.pid, port) and answers(f"http://{HOST}:{port}"):
            return True
        if stopped(0.2):
            return False
    raise ServerError(f"the server was not ready after {START_SECONDS:.0f} s; {told()}")


def answers(url: str) -> bool:
    """Whether the server's health address says yes."""
    try:
        return httpx.get(f"{url}/health", timeout=5).is_success
    except httpx.TransportError:
        return False


def listens(pid: int, port: int) -> bool:
    """Whether the process `pid` or one of its descendants listens on `port`."""
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        sockets = [s for member in family for s in member.net_connections("tcp")]
    except psutil.Error:  # one of them ended between two calls
        return False
    return any(s.status == psutil.CONN_LISTEN and s.laddr.port == port for s in sockets)


def explained(log: Path, start: int, code: int | None) -> str:
    """What a log says of a server's end, from byte `start` on: the likely cause, and its last lines."""
    text = read_tail(log, start)
    cause = diagnose(text, code)
    lines = "\n".join(text.splitlines()[-LOG_LINES:])
    return (f"likely {cause}; " if cause else "") + f"the end of {log}:\n{lines}"


def read_tail(log: Path, start: int = 0) -> str:
    """The last LOG_BYTES of a log file, from byte `start` on at most."""
    with log.open("rb") as file:
        file.seek(max(start, log.stat().st_size - LOG_BYTES))
        return file.read().decode("utf-8", "replace")


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the server's whole process group, and wait until its port and its memory are free."""
    family: list[psutil.Process] = []
    with contextlib.suppress(psutil.NoSuchProcess):
        family = psutil.Process(process.pid).children(recursive=True)
    kill_family(process)
    process.wait()
    while any(alive(member) for member in family):
        time.sleep(0.02)


def alive(process: psutil.Process) -> bool:
    """Whether a process still runs; a zombie does not."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False
