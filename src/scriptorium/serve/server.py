"""The life of a model server: started, waited for, and gone when the block ends, whatever happens."""

import contextlib
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil

from scriptorium.errors import ConfigError, ServerError
from scriptorium.serve.adapter import Adapter
from scriptorium.serve.endpoint import KEY_VARIABLE, Endpoint, headers

HOST = "127.0.0.1"
NAME = "model"
"""What a server calls a model folder: the same name everywhere, and no path of a machine."""
START_SECONDS = 900.0
START_TRIES = 3
LOG_LINES = 20
INSTALL = {"transformers": "pip install '.[serve]'", "vllm": "pip install vllm"}
"""What makes an engine available."""

IN_FLIGHT = {"transformers": 1, "vllm": 64}
"""Requests worth sending at once. `transformers serve` reads one page after the other, and seeds one global
random state when a request arrives: a second request in flight would make sampled answers irreproducible."""


@contextlib.contextmanager
def serving(model: str, adapter: Adapter, threads: int, log: Path) -> Iterator[Endpoint]:
    """Serve `model` while the block runs.

    `model` is a folder, `hub:org/name@revision`, or the URL of a running server (then nothing is started;
    `http://host:8000/v1#name` asks for the model `name`, without it for the first one the server lists).
    `threads` is the number of CPU threads of the server. Its output goes to the file `log`.
    Raises ConfigError for a model that is not there, ServerError when the server dies or never comes up.
    """
    if model.startswith(("http://", "https://")):
        yield external(model)
        return
    if not model.startswith("hub:") and not (Path(model) / "config.json").is_file():
        raise ConfigError(
            f"model {model}: not a model folder (no config.json in it), a hub:org/name or a URL"
        )
    if importlib.util.find_spec(adapter.engine) is None:
        raise ConfigError(
            f"the package {adapter.engine} is missing, with which adapter {adapter.name} serves: "
            f"{INSTALL[adapter.engine]}, or name the URL of a running server"
        )
    log.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="scriptorium-serve-") as scratch:
        for last in [False] * (START_TRIES - 1) + [True]:
            process, url = launch(model, adapter, threads, log, Path(scratch))
            try:
                if wait_healthy(process, url, log, retry=not last):
                    yield Endpoint(
                        base_url=f"{url}/v1",
                        model=served_name(model),
                        engine=adapter.engine,
                        in_flight=IN_FLIGHT[adapter.engine],
                        check=lambda process=process: check_alive(process, log),  # type: ignore[misc]
                    )
                    return
            finally:
                kill(process)


def external(url: str, key_variable: str = KEY_VARIABLE) -> Endpoint:
    """The endpoint of a server somebody else runs. Raises ServerError if it does not answer."""
    base, _, name = url.partition("#")
    base = base.rstrip("/")
    base = base if base.endswith("/v1") else f"{base}/v1"
    if not name:
        try:
            listed = httpx.get(f"{base}/models", headers=headers(key_variable), timeout=30)
            name = listed.raise_for_status().json()["data"][0]["id"]
        except (httpx.HTTPError, ValueError, LookupError) as error:
            raise ServerError(
                f"{base}/models: {error!r}; name the model as {base}#NAME, or start the server"
            ) from error
    return Endpoint(base_url=base, model=name, key_variable=key_variable)


def served_name(model: str) -> str:
    """The name by which requests ask for `model`."""
    return model.removeprefix("hub:") if model.startswith("hub:") else NAME


def command(model: str, adapter: Adapter, port: int) -> list[str]:
    """The command line that serves `model` on `port`: the one place for each engine's flags."""
    hub, _, revision = model.removeprefix("hub:").partition("@")
    if adapter.engine == "transformers":
        # Positional: the model to load before the port opens, and the only one it answers for.
        program = [sys.executable, "-m", "transformers.cli.transformers", "serve", served_name(model)]
        return [*program, "--host", HOST, "--port", str(port), "--log-level", "error"]
    # vLLM 0.22 to 0.33 know all of these.
    program = [
        sys.executable,
        "-m",
        "vllm.entrypoints.cli.main",
        "serve",
        hub if model.startswith("hub:") else NAME,
    ]
    flags = ["--host", HOST, "--port", str(port), "--served-model-name", served_name(model)]
    flags += ["--max-model-len", str(adapter.context), "--limit-mm-per-prompt", '{"image": 1}', "--seed", "0"]
    pixels = {"min_pixels": adapter.min_pixels, "max_pixels": adapter.max_pixels}
    if bounds := {key: value for key, value in pixels.items() if value is not None}:
        flags += ["--mm-processor-kwargs", json.dumps(bounds)]
    return [*program, *flags, *(["--revision", revision] if revision else [])]


def environment(model: str, threads: int, scratch: Path) -> dict[str, str]:
    """The server's environment: threads, no look-ups at the hub for a model that is a folder, no keys."""
    env = {key: value for key, value in os.environ.items() if key != KEY_VARIABLE}
    env |= {
        "OMP_NUM_THREADS": str(threads),
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_DISABLE_UPDATE_CHECK": "1",
    }
    env |= {"PYTHONUNBUFFERED": "1", "VLLM_NO_USAGE_STATS": "1"}
    if not model.startswith("hub:"):
        # `transformers serve` answers 500 to /v1/models while the hub's cache folder does not exist.
        cache = scratch / "hub"
        cache.mkdir(exist_ok=True)
        env |= {"HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(cache)}
    return env


def launch(
    model: str, adapter: Adapter, threads: int, log: Path, scratch: Path
) -> tuple[subprocess.Popen[bytes], str]:
    """Start the server under a guard on a free port of the loopback; its process and its URL."""
    link = scratch / NAME
    if not model.startswith("hub:") and not link.is_symlink():
        link.symlink_to(Path(model).resolve())
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    guard = [sys.executable, "-m", "scriptorium.serve.guard", str(os.getpid())]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*guard, *command(model, adapter, port)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=scratch,
            env=environment(model, threads, scratch),
            start_new_session=True,
        )
    return process, f"http://{HOST}:{port}"


def wait_healthy(process: subprocess.Popen[bytes], url: str, log: Path, retry: bool) -> bool:
    """Wait until the server answers. False if its port was taken meanwhile and `retry` allows another go.

    Raises ServerError with the log's last lines when it dies, or is not up within START_SECONDS.
    """
    deadline = time.monotonic() + START_SECONDS
    port = int(url.rpartition(":")[2])
    while time.monotonic() < deadline:
        if process.poll() is not None:
            if retry and "address already in use" in tail(log):
                return False
            check_alive(process, log)
        # Somebody else's server on this port would answer too: ask only once ours is the one that listens.
        if listens(process.pid, port) and answers(url):
            return True
        time.sleep(0.2)
    raise ServerError(f"the server was not ready after {START_SECONDS:.0f} s; the end of {log}:\n{tail(log)}")


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


def check_alive(process: subprocess.Popen[bytes], log: Path) -> None:
    """Raise ServerError with the log's last lines if the server has ended."""
    if process.poll() is not None:
        raise ServerError(f"the server ended with code {process.returncode}; the end of {log}:\n{tail(log)}")


def tail(log: Path) -> str:
    """The last lines of a log file."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 8192))
        return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-LOG_LINES:])


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the server's whole process group, and wait until its port and its memory are free."""
    family: list[psutil.Process] = []
    with contextlib.suppress(psutil.NoSuchProcess):
        family = psutil.Process(process.pid).children(recursive=True)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    while any(alive(member) for member in family):
        time.sleep(0.02)


def alive(process: psutil.Process) -> bool:
    """Whether a process still runs; a zombie does not."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False
