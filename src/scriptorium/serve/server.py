"""Model servers: one that is started here and kept alive while a block runs."""

import contextlib
import importlib.util
import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from scriptorium.errors import ConfigError
from scriptorium.serve import vllm
from scriptorium.serve.adapter import Adapter, check_prompt
from scriptorium.serve.endpoint import Endpoint
from scriptorium.serve.external import external
from scriptorium.serve.keeper import Keeper
from scriptorium.serve.process import OWN_KEY, Order, served_name, vllm_options

INSTALL = {"transformers": "pip install '.[serve]'", "vllm": "pip install vllm"}
"""What makes an engine available."""

IN_FLIGHT = {"transformers": 1, "vllm": 64}
"""Requests worth sending at once. `transformers serve` reads one page after the other, and seeds one global
random state when a request arrives: a second request in flight would make sampled answers irreproducible."""


@contextlib.contextmanager
def serving(
    model: str,
    adapter: Adapter,
    threads: int,
    log: Path,
    port: int = 0,
    options: Mapping[str, vllm.Value] | None = None,
    key: str = "",
) -> Iterator[Endpoint]:
    """Serve `model` while the block runs; a server that dies in the middle is started again.

    `model` is a folder, `hub:org/name@revision`, or the URL of a running server (then nothing is started;
    `http://host:8000/v1#name` asks for the model `name`, without it for the first one the server lists).
    The rest as in Order; without a `key` a random one is made.
    Raises ConfigError for a model that is not there, ServerError when the server dies or never comes up.
    """
    if model.startswith(("http://", "https://")):
        yield external(model)
        return
    order = Order(model, adapter, threads, log, port, options or {}, key or secrets.token_urlsafe(24))
    check_order(order)
    log.parent.mkdir(parents=True, exist_ok=True)
    variable = f"{OWN_KEY}{secrets.token_hex(4)}"
    with tempfile.TemporaryDirectory(prefix="scriptorium-serve-") as scratch:
        keeper = Keeper(order, Path(scratch))
        os.environ[variable] = order.key
        try:
            url = keeper.start()
            yield Endpoint(
                base_url=f"{url}/v1",
                model=served_name(model),
                engine=adapter.engine,
                in_flight=IN_FLIGHT[adapter.engine],
                check=keeper.check,
                key_variable=variable if adapter.engine == "vllm" else "",
            )
        finally:
            keeper.close()
            del os.environ[variable]


def check_order(order: Order) -> None:
    """Raises ConfigError for what cannot be served: no model, no engine, an option that it does not know."""
    if not order.model.startswith("hub:") and not (Path(order.model) / "config.json").is_file():
        raise ConfigError(
            f"model {order.model}: not a model folder (no config.json in it), a hub:org/name or a URL"
        )
    check_prompt(order.model, order.adapter)
    engine, words = order.adapter.engine, vllm.program()
    if words is None if engine == "vllm" else importlib.util.find_spec(engine) is None:
        raise ConfigError(
            f"the package {engine} is missing, with which adapter {order.adapter.name} serves: "
            f"{INSTALL[engine]}, or name the URL of a running server"
        )
    if engine == "vllm" and words:
        vllm.check_options(vllm_options(order, order.port), words)
