"""How busy a server is, from the numbers that it publishes itself."""

import re
from dataclasses import dataclass

import httpx

_SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{[^\n]*\})?[ \t]+([^\s#]+)", re.MULTILINE)
RUNNING = ("vllm:num_requests_running", "sglang:num_running_reqs", "llamacpp:requests_processing")
WAITING = ("vllm:num_requests_waiting", "sglang:num_queue_reqs", "llamacpp:requests_deferred")
CACHE = (
    "vllm:kv_cache_usage_perc",
    "vllm:gpu_cache_usage_perc",  # its name until vLLM 0.10
    "sglang:token_usage",
    "llamacpp:kv_cache_usage_ratio",
)


@dataclass(frozen=True)
class Load:
    """Requests that a server works on (`running`), that wait in it, and the share of its cache in use (0 to 1)."""

    running: float
    waiting: float
    cache: float | None = None


def read_load(text: str) -> Load | None:
    """The load in metrics as Prometheus writes them; None if they are of no server that is known here.

    Several engines behind one address publish a line each: requests are summed, of caches the fullest counts.
    """
    found: dict[str, list[float]] = {}
    for name, value in _SAMPLE.findall(text):
        if name in {*RUNNING, *WAITING, *CACHE}:
            try:
                found.setdefault(name, []).append(float(value))
            except ValueError:
                continue
    running, waiting, cache = (
        next((found[name] for name in names if name in found), None) for names in (RUNNING, WAITING, CACHE)
    )
    if running is None or waiting is None:
        return None
    return Load(sum(running), sum(waiting), max(cache) if cache else None)


def load_of(base_url: str, http: httpx.Client | None = None) -> Load | None:
    """The load of the server at `base_url` (which ends in /v1); None if it publishes none, or does not answer.

    `transformers serve` and hosted services publish none.
    """
    get = http.get if http else httpx.get
    try:
        answer = get(f"{base_url.removesuffix('/v1')}/metrics", timeout=5.0)
    except httpx.HTTPError:
        return None
    return read_load(answer.text) if answer.is_success else None
