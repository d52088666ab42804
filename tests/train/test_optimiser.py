"""The optimisers: no update is lost in bfloat16, states survive a checkpoint, groups hold what they should."""

import io
import struct
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForImageTextToText

from scriptorium.errors import ConfigError
from scriptorium.train.groups import freeze, groups, part_of
from scriptorium.train.optimiser import AdamW, MuonAndAdamW
from scriptorium.train.precision import join, split


@given(st.integers(0, 2**32 - 1))
def test_every_fp32_bit_pattern_survives(bits: int) -> None:
    master = torch.frombuffer(bytearray(struct.pack("<I", bits)), dtype=torch.float32)
    value, rest = split(master)
    assert join(value, rest).view(torch.int32).item() == master.view(torch.int32).item()


def test_the_value_is_the_nearest_bfloat16() -> None:
    master = torch.randn(10_000, generator=torch.Generator().manual_seed(1))
    value, _ = split(master)
    other = torch.nextafter(value, torch.full_like(value, float("inf")))
    below = torch.nextafter(value, torch.full_like(value, float("-inf")))
    distance = (value.float() - master).abs()
    assert (distance <= (other.float() - master).abs()).all()
    assert (distance <= (below.float() - master).abs()).all()


def weights(seed: int = 0) -> torch.Tensor:
    return 0.02 * torch.randn(32, 48, generator=torch.Generator().manual_seed(seed))


def test_fifty_steps_in_bfloat16_are_those_of_fp32_to_the_bit() -> None:
    """Steps of 2e-6, most of them below half a unit of a bfloat16; a checkpoint lies in the middle."""
    start = weights().bfloat16()
    ours, theirs = torch.nn.Parameter(start.clone()), torch.nn.Parameter(start.float())
    optimiser = AdamW([{"params": [ours], "weight_decay": 0.1}], lr=2e-6)
    reference = torch.optim.AdamW([theirs], lr=2e-6, weight_decay=0.1, foreach=False)
    for step in range(50):
        theirs.grad = weights(step + 1).bfloat16().float()
        ours.grad = theirs.grad.bfloat16()
        optimiser.step()
        reference.step()
        if step == 20:
            file = io.BytesIO()
            torch.save(optimiser.state_dict(), file)
            file.seek(0)
            optimiser = AdamW([{"params": [ours], "weight_decay": 0.1}], lr=2e-6)
            optimiser.load_state_dict(torch.load(file, weights_only=True))
    master = join(ours.detach(), optimiser.state[ours]["rest"])
    assert torch.equal(master, theirs.detach())
    assert not torch.equal(master, start.float())


def test_moments_in_bfloat16_take_half_the_room_and_stay_near() -> None:
    a, b = torch.nn.Parameter(weights()), torch.nn.Parameter(weights())
    exact, small = AdamW([{"params": [a]}], 1e-3), AdamW([{"params": [b]}], 1e-3, moments=torch.bfloat16)
    for step in range(20):
        a.grad = weights(step + 1)
        b.grad = a.grad.clone()
        exact.step()
        small.step()
    assert small.state[b]["exp_avg"].element_size() == 2
    moved = a.detach() - weights()
    assert (
        torch.nn.functional.cosine_similarity((b.detach() - weights()).flatten(), moved.flatten(), 0) > 0.99
    )


def test_muon_and_adamw_are_one_optimiser_that_survives_a_checkpoint() -> None:
    def made() -> tuple[list[torch.nn.Parameter], MuonAndAdamW]:
        matrix, vector = torch.nn.Parameter(weights()), torch.nn.Parameter(weights()[0].clone())
        parts = [{"params": [matrix], "muon": True, "weight_decay": 0.1}, {"params": [vector]}]
        return [matrix, vector], MuonAndAdamW(parts, lr=1e-3)

    def go(parameters: list[torch.nn.Parameter], optimiser: MuonAndAdamW, steps: range) -> None:
        for step in steps:
            for parameter in parameters:
                parameter.grad = weights(step + 1)[tuple([0] * (2 - parameter.ndim))].clone()
            optimiser.step()

    whole, optimiser = made()
    go(whole, optimiser, range(6))
    parts, first = made()
    go(parts, first, range(3))
    second = MuonAndAdamW(
        [{"params": [parts[0]], "muon": True, "weight_decay": 0.1}, {"params": [parts[1]]}], lr=1e-3
    )
    second.load_state_dict(first.state_dict())
    go(parts, second, range(3, 6))
    for one, other in zip(whole, parts, strict=True):
        assert torch.equal(one, other)


def test_groups_by_part(base: Path) -> None:
    model = AutoModelForImageTextToText.from_pretrained(base)
    names = [name for name, _ in model.named_parameters()]
    assert {part_of(name) for name in names} == {"vision", "merger", "language"}
    made = groups(model, 1e-4, {"merger": 1e-3, "re:norm": 5e-5}, 0.1, True, "stage sft")
    shares = {round(group["scale"], 3) for group in made}
    assert shares == {10.0, 0.5, 1.0}
    for group in made:
        assert group["weight_decay"] == (0.1 if group["params"][0].ndim > 1 else 0.0)
        assert not group["muon"] or all(parameter.ndim == 2 for parameter in group["params"])
    counted = sum(len(group["params"]) for group in made)
    assert counted == len(list(model.parameters()))
    embeddings = model.get_input_embeddings().weight
    assert not any(group["muon"] and any(p is embeddings for p in group["params"]) for group in made)


def test_frozen_parts_do_not_learn(base: Path) -> None:
    model = AutoModelForImageTextToText.from_pretrained(base)
    freeze(model, ["vision", "re:embed_tokens"], "stage sft")
    learning = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert learning and not any("embed_tokens" in name or part_of(name) == "vision" for name in learning)
    assert any(part_of(name) == "merger" for name in learning)
    with pytest.raises(ConfigError, match="stage sft: 'visoin' is none of"):
        freeze(model, ["visoin"], "stage sft")
    with pytest.raises(ConfigError, match="fits no parameter"):
        freeze(model, ["re:nowhere"], "stage sft")
    with pytest.raises(ConfigError, match="nothing is left to train"):
        freeze(model, ["language", "merger"], "stage sft")
