"""Estimates: they grow with the work and shrink with the machine, and agree with the published run they stand for."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptorium.errors import ConfigError
from scriptorium.recipe.costs import costs, machine, page_operations
from scriptorium.recipe.devices import DEVICES, peak_of
from scriptorium.recipe.plan import make_plan
from scriptorium.recipe.recipe import Recipe, load
from scriptorium.recipe.show import lines, span
from scriptorium.recipe.workload import Workload

from .test_recipe import ROOT


@pytest.fixture
def olmocr(monkeypatch: pytest.MonkeyPatch) -> Recipe:
    monkeypatch.chdir(ROOT)
    return load("olmocr-2-7b")


def hours(recipe: Recipe, where: str, mfu: float | None = None) -> dict[str, tuple[float, float]]:
    return {cost.run: cost.hours for cost in costs(recipe, make_plan(recipe), machine(where), mfu)}


def test_a_page_of_the_7b_is_about_as_much_work_as_the_reference_reckons(olmocr: Recipe) -> None:
    assert olmocr.workload is not None
    assert olmocr.workload.parameters == pytest.approx(8.29e9, rel=0.01)
    assert page_operations(olmocr.workload) == pytest.approx(1.5e14, rel=0.15)
    assert page_operations(olmocr.workload, adapter=True) == pytest.approx(1.0e14, rel=0.15)


def test_the_published_24_to_48_hours_on_one_b200_lie_around_what_we_say_of_theirs(olmocr: Recipe) -> None:
    sft = olmocr.stages["sft"]
    theirs = {name: value for name, value in sft.args.items() if name != "gradient_checkpointing"}
    recipe = olmocr.model_copy(
        update={"stages": olmocr.stages | {"sft": sft.model_copy(update={"args": theirs})}}
    )
    slow, fast = hours(recipe, "1xB200")["sft"]
    assert 24 < slow < 48 and fast < 24


def test_more_gpus_and_a_larger_share_take_less_time(olmocr: Recipe) -> None:
    one, eight = hours(olmocr, "1xH200"), hours(olmocr, "8xH200")
    assert one["sft"][0] == pytest.approx(8 * eight["sft"][0])
    assert all(low >= high for low, high in one.values())
    assert hours(olmocr, "1xH200", 0.2)["sft"][0] == pytest.approx(2 * hours(olmocr, "1xH200", 0.4)["sft"][0])
    assert len(one) == 1 + 6 + 1  # the fine-tuning, six seeds, the benches; soup and FP8 need no GPU


def test_what_does_not_fit_is_said(olmocr: Recipe) -> None:
    told = "\n".join(lines(olmocr, [machine("1xH100")]))
    assert re.search(r"^sft .* 116 of 80: too large$", told, re.M)
    assert "too large" not in "\n".join(lines(olmocr, [machine("8xH100")]))


def test_a_price_of_ones_own(olmocr: Recipe) -> None:
    ours, free = (lines(olmocr, [machine("8xH100", price)], 0.4) for price in (None, 1.0))
    hourly = next(line for line in free if line.startswith("all")).split()
    assert hourly[2] == hourly[3].removeprefix("$")
    assert next(line for line in ours if line.startswith("all")) != hourly


@pytest.mark.parametrize("text", ["8xH10", "0xH100", "H100x8", "-1xH100", ""])
def test_a_machine_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="expected a number and a GPU, as 8xH100"):
        machine(text)


def test_every_recipe_is_told_in_lines_of_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for path in sorted(Path("config/recipes").glob("*.yaml")):
        recipe = load(path.stem)
        told = list(lines(recipe, [machine("A40")]))
        assert told[0].startswith(f"{recipe.name} (") and all(
            run in "\n".join(told) for run in make_plan(recipe)
        )
        estimated = any(line.startswith("on 1xA40") for line in told)
        assert estimated == (
            recipe.workload is not None and any(s.resources.gpus for s in recipe.stages.values())
        )


sizes = st.floats(1e6, 1e11)


@given(sizes, sizes, sizes, st.floats(1, 1e4), st.floats(1, 1e4))
def test_backwards_is_twice_forwards_and_an_adapter_saves_a_third(
    language: float, head: float, vision: float, image: float, answer: float
) -> None:
    work = Workload(
        language_parameters=language,
        head_parameters=head,
        vision_parameters=vision,
        image_tokens=image,
        prompt_tokens=10,
        answer_tokens=answer,
    )
    forward = page_operations(work, trained=False)
    assert page_operations(work) == pytest.approx(3 * forward)
    assert page_operations(work, adapter=True) == pytest.approx(2 * forward)


def test_ranges_are_short() -> None:
    assert (
        span((39.4, 14.6)) == "14.6 to 39"
        and span((0.5, 0.5)) == "0.5"
        and span((100, 200), "$") == "$100 to $200"
    )
    assert set(DEVICES) >= {"B200", "H200", "H100", "A40"}


@pytest.mark.parametrize(
    ("name", "peak"),
    [
        ("NVIDIA H100 80GB HBM3", 989e12),
        ("NVIDIA H100 PCIe", 756e12),
        ("NVIDIA GB200", 2500e12),
        ("NVIDIA B200", 2250e12),
        ("NVIDIA A40", 150e12),
        ("NVIDIA GeForce GTX 1080", None),
    ],
)
def test_a_driver_s_name_has_its_own_peak(name: str, peak: float | None) -> None:
    assert peak_of(name) == peak
