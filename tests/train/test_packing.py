"""Packing is exact: pages in one row give the loss and gradients that they give one by one."""

import random
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForImageTextToText, AutoProcessor, PreTrainedModel

from scriptorium.errors import ConfigError, InputError
from scriptorium.serve.adapter import load
from scriptorium.train.exactness import check_objective, check_packing
from scriptorium.train.loss import IGNORED, Objective, cross_entropy, labelled
from scriptorium.train.packing import Sample, bins, check_kinds, pack
from scriptorium.train.rows import Encoder
from tests.train.conftest import page

IMAGE = ("pixel_values", "image_grid_thw")


@pytest.fixture(scope="module", params=["base", "base3"], ids=["Qwen2.5-VL", "Qwen3-VL"])
def family(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.getfixturevalue(request.param)
    return folder


@pytest.fixture(scope="module")
def model(family: Path) -> PreTrainedModel:
    return AutoModelForImageTextToText.from_pretrained(family)


@pytest.fixture(scope="module")
def encoder(family: Path) -> Encoder:
    return Encoder(AutoProcessor.from_pretrained(family), load("tiny").prompt)


def samples(encoder: Encoder, count: int) -> list[Sample]:
    rng = random.Random(3)
    made = [encoder([page(rng)]) for _ in range(count)]
    return [
        Sample(
            b["input_ids"][0], b["labels"][0], b["mm_token_type_ids"][0], {name: b[name] for name in IMAGE}
        )
        for b in made
    ]


def gradients(model: PreTrainedModel, batches: list[dict[str, Any]]) -> tuple[float, dict[str, torch.Tensor]]:
    model.zero_grad()
    objective, tokens = Objective(model), sum(labelled(batch["labels"]) for batch in batches)
    losses = [objective(**batch) / tokens for batch in batches]
    for loss in losses:
        loss.backward()
    return sum(loss.item() for loss in losses), {
        name: parameter.grad.clone()
        for name, parameter in model.named_parameters()
        if parameter.grad is not None
    }


def test_packed_pages_learn_what_single_pages_do(model: PreTrainedModel, encoder: Encoder) -> None:
    pages = samples(encoder, 5)
    one, at_once = gradients(model, [pack(model, pages)])
    alone, one_by_one = gradients(model, [pack(model, [each]) for each in pages])
    padded, _ = gradients(model, [encoder([page(rng) for rng in [random.Random(3)] for _ in range(5)])])
    assert one == pytest.approx(alone, abs=1e-6) == pytest.approx(padded, abs=1e-6)
    for name, gradient in at_once.items():
        assert torch.allclose(gradient, one_by_one[name], atol=1e-6), name


def test_without_the_positions_of_its_pages_a_row_would_mix_them(
    model: PreTrainedModel, encoder: Encoder
) -> None:
    """The test above can fail: one long page instead of five gives another loss."""
    pages = samples(encoder, 5)
    packed = pack(model, pages)
    mixed = packed | {"position_ids": packed["position_ids"][1:]}
    assert abs(gradients(model, [mixed])[0] - gradients(model, [packed])[0]) > 1e-4


def test_packing_is_exact_without_the_cache_and_it_cannot_be_switched_on(
    model: PreTrainedModel, encoder: Encoder
) -> None:
    """With the cache transformers takes no boundary from the positions; the objective never asks for it."""
    pages = samples(encoder, 5)
    packed = pack(model, pages)
    exact = gradients(model, [packed])[0]
    inputs = {name: value for name, value in packed.items() if name != "labels"}
    with torch.no_grad():
        apart, mixed = (model.model(**inputs, use_cache=on).last_hidden_state for on in (False, True))
    assert (apart - mixed).abs().max() > 1e-4
    model.config.get_text_config().use_cache = True  # a config of the hub often says so
    assert gradients(model, [packed])[0] == exact
    with pytest.raises(TypeError, match="use_cache"):
        Objective(model)(**packed, use_cache=True)


def test_marks_that_the_processor_leaves_out_are_missed(encoder: Encoder, monkeypatch: Any) -> None:
    plain = type(encoder.processor).__call__

    def unmarked(self: Any, *args: Any, **given: Any) -> Any:
        made = plain(self, *args, **given)
        del made["mm_token_type_ids"]
        return made

    monkeypatch.setattr(type(encoder.processor), "__call__", unmarked)
    with pytest.raises(InputError, match="gives no mm_token_type_ids"):
        encoder([page(random.Random(3))])


def test_a_model_whose_packed_pages_see_each_other_is_found_out(
    model: PreTrainedModel, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = samples(encoder, 2)
    check_packing(Objective(model), pages)
    inside = model.model.forward
    monkeypatch.setattr(
        model.model, "forward", lambda position_ids, **rest: inside(position_ids=position_ids[1:], **rest)
    )
    with pytest.raises(ConfigError, match="they see each other"):
        check_packing(Objective(model), pages)


def test_the_loss_is_the_models_own(model: PreTrainedModel, encoder: Encoder) -> None:
    rng = random.Random(5)
    batch = encoder([page(rng) for _ in range(4)])
    check_objective(Objective(model), batch)
    own = model.loss_function
    try:
        model.loss_function = lambda logits, labels, **rest: own(logits=2 * logits, labels=labels, **rest)
        with pytest.raises(ConfigError, match="logits are not its head's output alone"):
            check_objective(Objective(model), batch)
    finally:
        model.loss_function = own


@given(st.integers(1, 40), st.integers(1, 50))
def test_chunks_do_not_change_the_cross_entropy(tokens: int, chunk: int) -> None:
    generator = torch.Generator().manual_seed(tokens)
    head = torch.nn.Linear(8, 12)
    states = torch.randn(tokens, 8, generator=generator, requires_grad=True)
    wanted = torch.randint(0, 12, (tokens,), generator=generator)
    whole = torch.nn.functional.cross_entropy(head(states), wanted, reduction="sum")
    in_chunks = cross_entropy(head, states, wanted, chunk)
    assert torch.allclose(whole, in_chunks, atol=1e-5)
    (expected,) = torch.autograd.grad(whole, states)
    (found,) = torch.autograd.grad(in_chunks, states)
    assert torch.allclose(expected, found, atol=1e-5)


@given(st.lists(st.integers(1, 64), max_size=40), st.integers(64, 200))
def test_bins_hold_every_sample_once_and_no_more_than_fits(lengths: list[int], most: int) -> None:
    rows = bins(lengths, most)
    assert sorted(index for row in rows for index in row) == list(range(len(lengths)))
    assert all(0 < sum(lengths[index] for index in row) <= most for row in rows)
    half_full = [row for row in rows if 2 * sum(lengths[index] for index in row) <= most]
    assert len(half_full) <= 1  # two of them would have been one


def test_a_sample_longer_than_a_row_is_refused() -> None:
    with pytest.raises(InputError, match="65 tokens does not fit into max_length 64"):
        bins([3, 65], 64)


def test_shifted_or_missing_marks_of_the_image_are_refused(model: PreTrainedModel, encoder: Encoder) -> None:
    (sample,) = samples(encoder, 1)
    pack(model, [sample])
    for kinds in (torch.roll(sample.kinds, 1), torch.zeros_like(sample.kinds)):
        with pytest.raises(InputError, match="mm_token_type_ids"):
            pack(model, [Sample(sample.ids, sample.labels, kinds, sample.image)])
    check_kinds(sample.ids, sample.kinds, None)


def test_the_first_token_of_a_page_is_not_predicted_from_its_neighbour(
    model: PreTrainedModel, encoder: Encoder
) -> None:
    sample = samples(encoder, 1)[0]
    text = Sample(sample.ids[-6:], sample.ids[-6:], torch.zeros(6, dtype=torch.long), {})
    labels = pack(model, [sample, text])["labels"][0]
    assert labels[len(sample)] == IGNORED and labels[len(sample) + 1] == sample.ids[-5]
