"""Training arguments: the schedule's numbers, and a named error for what the loop does not honour."""

import pytest

from scriptorium.errors import ConfigError
from scriptorium.train.arguments import Arguments


def test_linear_schedule_warms_up_and_falls() -> None:
    made = Arguments.of({"learning_rate": 1.0, "warmup_steps": 0.1, "max_steps": 20}, "stage x")
    assert [made.rate(step, 20) for step in (1, 2)] == [0.5, 1.0]
    assert made.rate(3, 20) == pytest.approx(1.0)
    assert made.rate(20, 20) == pytest.approx(1 / 18)


def test_epochs_become_steps() -> None:
    made = Arguments.of(
        {"num_train_epochs": 2, "per_device_train_batch_size": 4, "gradient_accumulation_steps": 2}, "x"
    )
    assert made.steps(9) == 3


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"learning_rat": 1.0}, "did you mean learning_rate"),
        ({"learning_rate": "1e-5"}, "not a number"),
        ({"packing_strategy": True}, "not honoured"),
        ({"lr_scheduler_type": "polynomial"}, "lr_scheduler_type"),
        ({"max_length": 1024}, "max_length"),
    ],
)
def test_an_argument_that_is_not_honoured_is_named(args: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Arguments.of(args, "stage sft")
