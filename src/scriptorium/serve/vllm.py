"""vLLM: where it is, which options it knows, and the one place where its options are written down."""

import difflib
import functools
import importlib.util
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from scriptorium.errors import ConfigError, ServerError
from scriptorium.serve.adapter import Adapter
from scriptorium.serve.diagnosis import diagnose

KEY_VARIABLE = "VLLM_API_KEY"
"""The environment variable from which vLLM takes the key that it asks for (its documentation, "Security")."""
HELP_SECONDS = 300.0
"""`vllm --help` imports much of PyTorch first; from a cold network disk that takes minutes."""
OURS = {"host", "port", "api-key", "served-model-name"}
"""Options that are not for others to give. A key on the command line is read by whoever lists processes."""
Value = str | int | float | bool
_OPTION = re.compile(r"(?<![\w-])--([a-z][a-z0-9-]*)")


def program() -> tuple[str, ...] | None:
    """The words that run vLLM: the package of this Python, else a `vllm` on the PATH (an environment of its own)."""
    if importlib.util.find_spec("vllm") is not None:
        return (sys.executable, "-m", "vllm.entrypoints.cli.main")
    found = shutil.which("vllm")
    return (found,) if found else None


@functools.cache
def known_options(words: tuple[str, ...]) -> frozenset[str]:
    """The options of `vllm serve`, from its own help, without the dashes. Raises ServerError if it gives none.

    `--help=all` since 0.10, where the plain help lists groups of options only; before that `--help` is all.
    """
    said = ""
    for asked in ("--help=all", "--help"):
        try:
            done = subprocess.run(
                [*words, "serve", asked],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                timeout=HELP_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise ServerError(f"{words[-1]} serve {asked}: no help within {HELP_SECONDS:.0f} s") from error
        said = done.stdout + done.stderr
        options = frozenset(_OPTION.findall(done.stdout))
        if done.returncode == 0 and "max-model-len" in options:
            return options
    cause = diagnose(said, done.returncode)
    raise ServerError(
        f"{words[-1]} serve --help does not say what it knows (code {done.returncode})"
        + (f": {cause}" if cause else "")
        + f"\n{said[-2000:]}"
    )


def options_of(
    model: str, name: str, adapter: Adapter, port: int, host: str, more: Mapping[str, Value]
) -> dict[str, Value]:
    """What vLLM is started with: ours, then the adapter's, then `more`; later ones win. Raises ConfigError."""
    given = {key.replace("_", "-"): value for key, value in {**adapter.options, **more}.items()}
    if taken := OURS & given.keys():
        raise ConfigError(
            f"option {min(taken)}: not to be given, it is set for you; --port has a place of its own"
        )
    options: dict[str, Value] = {"host": host, "port": port, "served-model-name": name}
    options |= {"max-model-len": adapter.context, "limit-mm-per-prompt": '{"image": 1}', "seed": 0}
    if adapter.pixel_bounds:
        options["mm-processor-kwargs"] = json.dumps(adapter.pixel_bounds)
    if model.startswith("hub:") and "@" in model:
        options["revision"] = model.rpartition("@")[2]
    return options | given


def check_options(options: Mapping[str, Value], words: tuple[str, ...]) -> None:
    """Raises ConfigError for an option that this vLLM does not know: it would end at once, with its usage."""
    known = known_options(words)
    for name, value in options.items():
        wanted = f"no-{name}" if value is False else name
        if wanted not in known:
            near = difflib.get_close_matches(wanted, known, n=1)
            raise ConfigError(
                f"{Path(words[0]).name} serve does not know --{wanted}"
                + (f"; it has --{near[0]}" if near else "")
                + ". Take it out of the adapter's options or the command line, or use another version of vLLM; "
                "`vllm serve --help=all` lists what yours knows"
            )


def rollout_options(
    words: tuple[str, ...], memory: float, context: int, parallel: int
) -> tuple[dict[str, Value], dict[str, str]]:
    """Options and environment of a server that generates for a trainer of TRL 1.16 and takes its weights.

    `memory`: share of each GPU; `context`: tokens of prompt and answer; `parallel`: GPUs that share the model. The
    trainer sends weights over NCCL, through routes that are open in development mode only; log-probabilities have to
    be those of the tempered distribution; since 0.30 prompts with images need the scale-out routes.
    """
    options: dict[str, Value] = {
        "gpu-memory-utilization": memory,
        "max-model-len": context,
        "tensor-parallel-size": parallel,
        "weight-transfer-config": '{"backend": "nccl"}',
        "logprobs-mode": "processed_logprobs",
        "max-logprobs": -1,
    }
    if "enable-scale-out" in known_options(words):
        options["enable-scale-out"] = True
    return options, {"VLLM_SERVER_DEV_MODE": "1"}


def as_words(options: Mapping[str, Value]) -> list[str]:
    """Options as words of a command line: True is the bare option, False its `--no-` form."""
    words: list[str] = []
    for name, value in options.items():
        if isinstance(value, bool):
            words.append(f"--{name}" if value else f"--no-{name}")
        else:
            words += [f"--{name}", str(value)]
    return words
