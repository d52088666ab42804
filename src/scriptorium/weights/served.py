"""A served model against the same weights in transformers: one prompt, one answer, one probability.

What differs between a server and training differs silently: a template, a resize, an order of parts. So before a
model is measured, the server is asked about a few pages, and what it was given and what it answered are compared
with what transformers makes of the same page with the processor of training.
"""

import statistics
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import httpx
import torch
from PIL import Image

from scriptorium.errors import InputError, ServerError, ThresholdError
from scriptorium.files import write_json
from scriptorium.pages.image import data_url, encode_png
from scriptorium.pages.pdf import PdfError, PdfWorker
from scriptorium.serve.adapter import Adapter, message_content
from scriptorium.serve.endpoint import Endpoint, headers
from scriptorium.serve.server import serving
from scriptorium.weights.agreement import load, page_question

BOUND = 0.05
"""Mean difference of a token's log-probability that is allowed, in nats. Kernels of two engines in bfloat16 differ by
about a hundredth; a prompt that is not the trained one by tenths."""

BOUND_FP8 = 0.15
"""The same for a model in eight bits: the server quantises activations, transformers may not."""

SECONDS = 600.0


@dataclass(frozen=True)
class Served:
    """What a server said of a page: `prompt` and `answer` token ids and `logprobs` where it gives them."""

    text: str
    finish_reason: str
    prompt_tokens: int
    prompt: list[int] | None = None
    answer: list[int] | None = None
    logprobs: list[float] | None = None


@dataclass(frozen=True)
class Compared:
    """One page.

    `prompt_equal`: the server was given the tokens of training; where it names only their number, that number.
    `text_equal`: the greedy answers are equal. `logprob_mean`, `logprob_max`: how far the log-probabilities of the
    server's own answer lie from those of transformers, None for a server that gives none. `flips`: the share of its
    tokens that are not the likeliest there. `first_flip`: the first of them, None without one.
    """

    page: str
    prompt_tokens: int
    prompt_equal: bool
    text_equal: bool | None
    logprob_mean: float | None
    logprob_max: float | None
    flips: float | None
    first_flip: int | None


def verify_served(
    model: Path,
    adapter: Adapter,
    folder: Path,
    out: Path,
    log: Path,
    threads: int,
    count: int,
    max_tokens: int,
) -> None:
    """Compare server and transformers on the first `count` pages of `folder`/pdfs and write the report to `out`.

    Answers have at most `max_tokens` tokens. Raises ThresholdError, after writing, where a prompt differs, or an
    answer's probabilities lie beyond the bound (or most answers differ, for a server that gives no
    probabilities); InputError for a folder without pages that can be drawn.
    """
    pages = list(first_pages(folder, adapter, count))
    if not pages:
        raise InputError(f"{folder}/pdfs: no page that can be drawn; name a bench folder")
    with serving(str(model), adapter, threads, log) as endpoint:
        served = [ask(endpoint, adapter, encode_png(array), max_tokens) for _, array in pages]
    asker = Asker(model, adapter, max_tokens)
    rows = [asker.compare(name, array, answer) for (name, array), answer in zip(pages, served, strict=True)]
    conclude(model, adapter.engine, BOUND_FP8 if asker.quantised else BOUND, rows, out)


def conclude(model: Path, engine: str, bound: float, rows: list[Compared], out: Path) -> None:
    """Write the report to `out`. Raises ThresholdError, after that, for a page with a fault."""
    faults = [*(fault for row in rows for fault in judge(row, bound)), *judge_texts(rows)]
    report = {
        "engine": engine,
        "bound": bound,
        "pages": [asdict(row) for row in rows],
        "faults": faults,
        "passed": not faults,
    }
    write_json(out, report)
    if faults:
        raise ThresholdError(f"{model}: server and transformers disagree: {'; '.join(faults)}; see {out}")


def judge(row: Compared, bound: float) -> list[str]:
    """What is wrong with a page, in words; nothing if all is well."""
    faults = []
    if not row.prompt_equal:
        faults.append(f"page {row.page}: the server's prompt is not that of training")
    if row.logprob_mean is not None and not row.logprob_mean <= bound:
        faults.append(
            f"page {row.page}: log-probabilities differ by {row.logprob_mean:.3f} in the mean, allowed is {bound}"
        )
    return faults


def judge_texts(rows: list[Compared]) -> list[str]:
    """What is wrong where only texts can be compared: most pages' greedy answers differ.

    Two letters nearly as likely may fall either way on a page; a wrong weight or image changes every one.
    """
    compared = [row for row in rows if row.text_equal is not None]
    other = [row.page for row in compared if not row.text_equal]
    if 2 * len(other) <= len(compared):
        return []
    return [f"the greedy answers differ on {len(other)} of {len(compared)} pages, as on {other[0]}"]


def first_pages(folder: Path, adapter: Adapter, count: int) -> Iterator[tuple[str, Any]]:
    """The first `count` documents' first pages as the server would be sent them: (name, pixels)."""
    root = folder / "pdfs"
    drawn = 0
    with PdfWorker() as pdf:
        for path in sorted(root.rglob("*.pdf")):
            if drawn == count:
                return
            try:
                array = pdf.render(path, 1, adapter.image_side, max_scale=adapter.max_scale)
            except PdfError:
                continue
            drawn += 1
            yield path.relative_to(root).as_posix(), array


def ask(endpoint: Endpoint, adapter: Adapter, png: bytes, max_tokens: int) -> Served:
    """One greedy answer, with token ids and log-probabilities from a server that gives them (vLLM)."""
    content = message_content(adapter.prompt, {"type": "image_url", "image_url": {"url": data_url(png)}})
    body: dict[str, Any] = {
        "model": endpoint.model,
        "messages": [{"role": "user", "content": content[::-1] if adapter.image_first else content}],
        "max_tokens": max_tokens,
        "temperature": 0.0,
    }
    if endpoint.engine != "transformers":
        body |= {"logprobs": True, "return_token_ids": True}
    try:
        answer = httpx.post(
            f"{endpoint.base_url}/chat/completions",
            json=body,
            headers=headers(endpoint.key_variable),
            timeout=SECONDS,
        )
        return read_answer(answer.raise_for_status().json())
    except (httpx.HTTPError, LookupError, TypeError, ValueError) as error:
        raise ServerError(f"{endpoint.base_url}: cannot be verified: {error!r}") from error


def read_answer(reply: dict[str, Any]) -> Served:
    """A chat completion, with vLLM's `prompt_token_ids`, `token_ids` and `logprobs` where they are there."""
    choice = reply["choices"][0]
    given = (choice.get("logprobs") or {}).get("content")
    return Served(
        text=choice["message"]["content"] or "",
        finish_reason=choice["finish_reason"],
        prompt_tokens=reply["usage"]["prompt_tokens"],
        prompt=reply.get("prompt_token_ids"),
        answer=choice.get("token_ids"),
        logprobs=[each["logprob"] for each in given] if given else None,
    )


class Asker:
    """The same weights in transformers, with the processor of training."""

    def __init__(self, model: Path, adapter: Adapter, max_tokens: int) -> None:
        from transformers import AutoProcessor

        self.network = load(model)
        self.processor = AutoProcessor.from_pretrained(model)
        self.adapter = adapter
        self.max_tokens = max_tokens
        self.quantised = hasattr(self.network.config, "quantization_config")

    def compare(self, name: str, array: Any, served: Served) -> Compared:
        """Compare what the server said of a page, uint8 (H, W, 3), with what transformers says."""
        image = Image.fromarray(array)
        inputs = page_question(self.processor, self.adapter.prompt, image, self.adapter.image_first)
        asked = inputs["input_ids"][0].tolist()
        means = largest = flips = first = None
        if served.answer and served.logprobs:
            near, likeliest = self.probabilities(inputs, served.answer)
            gaps = [abs(a - b) for a, b in zip(near, served.logprobs, strict=True)]
            wrong = [index for index, best in enumerate(likeliest) if not best]
            means, largest = statistics.fmean(gaps), max(gaps)
            flips, first = len(wrong) / len(gaps), wrong[0] if wrong else None
        return Compared(
            page=name,
            prompt_tokens=len(asked),
            prompt_equal=self.same_prompt(asked, served),
            text_equal=None if served.logprobs else self.text(inputs) == served.text,
            logprob_mean=means,
            logprob_max=largest,
            flips=flips,
            first_flip=first,
        )

    def same_prompt(self, asked: list[int], served: Served) -> bool:
        """Whether the server was given these tokens: as many, and the same where it names them.

        A server may name an image's tokens as one: runs of them are compared as one.
        """
        if served.prompt_tokens != len(asked):
            return False
        image = getattr(self.processor, "image_token_id", None)
        return served.prompt is None or folded(served.prompt, image) == folded(asked, image)

    @torch.no_grad()
    def text(self, inputs: dict[str, Any]) -> str:
        """The greedy answer."""
        moved = {name: value.to(self.network.device) for name, value in inputs.items()}
        ids = self.network.generate(**moved, do_sample=False, max_new_tokens=self.max_tokens)
        return str(self.processor.decode(ids[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True))

    @torch.no_grad()
    def probabilities(self, inputs: dict[str, Any], answer: list[int]) -> tuple[list[float], list[bool]]:
        """The log-probability of each token of an answer after those before it, and whether it is the likeliest."""
        tail = torch.tensor([answer])
        whole = dict(inputs) | {
            name: torch.cat([inputs[name], tail if name == "input_ids" else torch.full_like(tail, fill)], 1)
            for name, fill in (("input_ids", 0), ("attention_mask", 1), ("mm_token_type_ids", 0))
            if name in inputs
        }
        device = self.network.device
        dtype = self.network.dtype
        moved = {n: v.to(device, dtype if v.is_floating_point() else None) for n, v in whole.items()}
        logits = self.network(**moved, use_cache=False).logits[0, -len(answer) - 1 : -1].float().cpu()
        logprobs = logits.log_softmax(-1)
        found = logprobs.gather(1, tail[0][:, None])[:, 0].tolist()
        return found, (logits.argmax(-1) == tail[0]).tolist()


def folded(ids: list[int], image: int | None) -> list[int]:
    """Token ids with each run of the image's token as one."""
    return [each for key, run in groupby(ids) for each in ([key] if key == image else list(run))]
