"""A training looked at from outside: while it writes, once it is done, and with a file that is damaged."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from scriptorium.cli import app
from scriptorium.errors import InputError
from scriptorium.recipe.plan import write_run
from scriptorium.train.sft import train
from scriptorium.train.status import BARS, describe, read_status, sparkline
from tests.train.conftest import PRIMER, go, run


def write(folder: Path, lines: list[dict], tail: str = "") -> Path:
    (folder / "state").mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "state" / "metrics.jsonl").write_text(text + tail, encoding="utf-8")
    return folder


def test_a_real_training_is_told_while_it_stands_and_at_its_end(
    base: Path, rows: Path, tmp_path: Path
) -> None:
    stage = run(
        "sft",
        "sft",
        parents=["base"],
        data=[PRIMER],
        args={
            "max_steps": 6,
            "per_device_train_batch_size": 2,
            "logging_steps": 1,
            "save_steps": 3,
            "seed": 1,
        },
    )
    folder = tmp_path / "sft"
    folder.mkdir()
    write_run(folder / "stage.yaml", stage)
    go(train, stage, base, rows, folder)
    found = read_status(folder)
    assert (found.step, found.steps, found.finished, found.seconds_left) == (6, 6, True, None)
    told = "\n".join(describe(found))
    assert "sft: finished, step 6 of 6" in told and "tokens a second" in told and "memory" in told
    assert any(line.startswith("loss ") and line[23] in BARS for line in describe(found))
    (folder / "model.json").unlink()  # as long as there is no receipt it is not done
    going = read_status(folder)
    assert not going.finished and going.seconds_left == 0
    done = CliRunner().invoke(app, ["train", "status", str(folder)])
    assert done.exit_code == 0 and "sft: training, step 6 of 6" in done.stdout


def test_time_left_is_the_recent_speed(tmp_path: Path) -> None:
    folder = write(
        tmp_path / "r", [{"step": k, "loss": 1.0, "seconds": 100 if k < 5 else 2.0} for k in range(1, 40)]
    )
    (folder / "stage.yaml").write_text("args: {max_steps: 99}")
    found = read_status(folder)
    assert found.seconds_left == pytest.approx(60 * 2.0)
    assert "2 min left" in next(describe(found))


def test_a_line_that_is_being_written_waits_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    folder = write(tmp_path / "r", [{"step": 1, "loss": 2.0}], tail='{"step": 2, "lo')
    assert read_status(folder).step == 1
    write(folder, [{"step": 1}], tail="{broken\n")
    with pytest.raises(InputError, match=r"metrics\.jsonl: line 2 is not JSON"):
        read_status(folder)


def test_nothing_has_begun(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="name a run's folder"):
        read_status(tmp_path)
    assert next(describe(read_status(write(tmp_path / "r", [])))) == "r: training, step 0"


def test_numbers_that_are_none_are_left_out(tmp_path: Path) -> None:
    folder = write(
        tmp_path / "r", [{"step": 1, "loss": float("nan")}, {"step": 2, "reward": 0.5, "step_time": 3.0}]
    )
    told = list(describe(read_status(folder)))
    assert not any(line.startswith("loss") for line in told) and any(
        line.startswith("reward") for line in told
    )


@given(st.lists(st.floats(-1e9, 1e9), max_size=300), st.integers(1, 80))
def test_a_sparkline_is_as_wide_as_it_may_be_and_shows_the_ends(values: list[float], width: int) -> None:
    line = sparkline(values, width)
    assert len(line) == min(width, len(values)) and set(line) <= set(BARS)
    if len(values) == len(line) and len(set(values)) > 1:
        assert line[values.index(max(values))] == BARS[-1] and line[values.index(min(values))] == BARS[0]
