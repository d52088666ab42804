"""The mean of models: exact, whatever the sharding, and refused where there is none."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from scriptorium.errors import ConfigError, InputError
from scriptorium.files import sha256_tree
from scriptorium.receipt import weights_sha256
from scriptorium.weights.soup import last_checkpoints, soup
from scriptorium.weights.tensors import Checkpoint

from .tiny import make_network, save, stage


def tensors(folder: Path) -> dict[str, torch.Tensor]:
    return {name: value for path in folder.glob("*.safetensors") for name, value in load_file(path).items()}


def make(folder: Path, **values: torch.Tensor) -> Path:
    folder.mkdir()
    save_file(values, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text("{}")
    return folder


def cook(folders: list[Path], out: Path, weights: list[float] | None = None) -> Path:
    run = stage("soup", [f"grpo-{i}" for i in range(len(folders))], weights=weights)
    soup(run, folders, out, out.with_suffix(".json"))
    return out


def test_a_soup_is_the_mean_of_its_ingredients_in_float32(tmp_path: Path) -> None:
    folders = [save(make_network(i, dtype=torch.bfloat16), tmp_path / str(i)) for i in range(3)]
    found = tensors(cook(folders, tmp_path / "soup"))
    expected = [tensors(folder) for folder in folders]
    assert found.keys() == expected[0].keys()
    for name, value in found.items():
        total = expected[0][name].float()
        for other in expected[1:]:
            total = total + other[name].float()
        assert torch.equal(value, (total / 3).bfloat16()), name


def test_what_belongs_to_the_model_comes_along(base: Path, tmp_path: Path) -> None:
    out = cook([base, base], tmp_path / "soup")
    for name in (
        "config.json",
        "generation_config.json",
        "prompt.json",
        "chat_template.jinja",
        "tokenizer.json",
    ):
        assert (out / name).read_bytes() == (base / name).read_bytes()
    receipt = json.loads((tmp_path / "soup.json").read_text())
    assert receipt["parents"] == {"grpo-0": weights_sha256(base), "grpo-1": weights_sha256(base)}
    assert receipt["metrics"]["shares"] == [0.5, 0.5]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("count", [2, 3, 6, 7])
def test_a_soup_of_one_model_is_that_model(tmp_path: Path, dtype: torch.dtype, count: int) -> None:
    torch.manual_seed(count)
    one = make(
        tmp_path / "one", w=torch.randn(50, 40).to(dtype), step=torch.tensor(7), empty=torch.zeros(0, 3)
    )
    out = tensors(cook([one] * count, tmp_path / "soup"))
    assert all(torch.equal(value, out[name]) for name, value in tensors(one).items())


def test_shares_one_and_zero_give_the_first(tmp_path: Path) -> None:
    one, two = (
        make(tmp_path / "1", w=torch.randn(9, 4)),
        make(tmp_path / "2", w=torch.full((9, 4), torch.inf)),
    )
    assert torch.equal(tensors(cook([one, two], tmp_path / "s", [2.0, 0.0]))["w"], tensors(one)["w"])


def test_shares_weigh(tmp_path: Path) -> None:
    one, two = make(tmp_path / "1", w=torch.zeros(3)), make(tmp_path / "2", w=torch.full((3,), 8.0))
    assert tensors(cook([one, two], tmp_path / "s", [3.0, 1.0]))["w"].tolist() == [2.0, 2.0, 2.0]


def test_task_arithmetic_goes_from_the_base_to_the_mean(tmp_path: Path) -> None:
    base, one, two = (
        make(tmp_path / str(i), w=torch.tensor(v)) for i, v in enumerate(([1.0, 2.0], [3.0, 2.0], [5.0, 6.0]))
    )
    for alpha, expected in ((0.0, [1.0, 2.0]), (0.5, [2.5, 3.0]), (1.0, [4.0, 4.0]), (2.0, [7.0, 6.0])):
        run = stage("soup", ["base", "one", "two"], alpha=alpha)
        out = tmp_path / f"soup-{alpha}"
        soup(run, [base, one, two], out, tmp_path / f"{alpha}.json")
        assert tensors(out)["w"].tolist() == expected
    weighed = stage("soup", ["base", "one", "two"], alpha=1.0, weights=[3.0, 1.0])
    soup(weighed, [base, one, two], tmp_path / "weighed", tmp_path / "weighed.json")
    assert tensors(tmp_path / "weighed")["w"].tolist() == [3.5, 3.0]


def test_a_greedy_soup_takes_what_does_not_lower_the_score(tmp_path: Path) -> None:
    """The score is how near to 2 a weight is: the greedy soup of 4, 1, 9 and 0 leaves out the 9."""
    folders = [make(tmp_path / str(i), w=torch.tensor([v])) for i, v in enumerate((4.0, 1.0, 9.0, 0.0))]
    asked = []

    def score(folder: Path) -> float:
        asked.append(folder)
        return -abs(float(tensors(folder)["w"]) - 2.0)

    run = stage("soup", ["a", "b", "c", "d"], greedy=True)
    soup(run, folders, tmp_path / "soup", tmp_path / "soup.json", score)
    # Best alone is 1 (-1); with 4 the mean is 2.5 (-0.5), joined; with 0 it is 5/3 (-1/3), joined; with 9, 3.5: not.
    assert tensors(tmp_path / "soup")["w"].item() == pytest.approx(5 / 3)
    record = json.loads((tmp_path / "soup" / "soup.json").read_text())
    assert [row["share"] for row in record["ingredients"]] == [1 / 3, 1 / 3, 0.0, 1 / 3]
    assert [row["score"] for row in record["ingredients"]] == [-2.0, -1.0, -7.0, -2.0]
    assert len(asked) == 4 + 3 and not list(tmp_path.glob(".soup-*"))
    with pytest.raises(ConfigError, match="greedy soup needs `eval_data`"):
        soup(run, folders, tmp_path / "none", tmp_path / "none.json")


def test_a_soup_says_in_its_file_what_it_was_made_of(base: Path, tmp_path: Path) -> None:
    out = cook([base, base], tmp_path / "soup", [3.0, 1.0])
    with safe_open(out / "model.safetensors", "pt") as file:
        inside = json.loads(file.metadata()["scriptorium"])
        assert file.metadata()["format"] == "pt"
    assert inside == json.loads((out / "soup.json").read_text())
    assert inside["ingredients"][0] == {
        "run": "grpo-0",
        "weights_sha256": weights_sha256(base),
        "share": 0.75,
    }


def test_the_last_checkpoints_are_the_newest_whole_ones(tmp_path: Path) -> None:
    for step in (5, 10, 20, 100):
        make(tmp_path / f"checkpoint-{step}", w=torch.zeros(1))
    (tmp_path / "checkpoint-100" / "config.json").unlink()
    assert [path.name for path in last_checkpoints(tmp_path, 2)] == ["checkpoint-10", "checkpoint-20"]
    with pytest.raises(InputError, match=r"holds 3 checkpoints .* 4 are asked for; .*save_total_limit"):
        last_checkpoints(tmp_path, 4)


@settings(max_examples=8, deadline=None)
@given(sizes=st.lists(st.sampled_from(["1KB", "20KB", "90KB", "5GB"]), min_size=2, max_size=2))
def test_sharding_does_not_matter(tmp_path_factory: pytest.TempPathFactory, sizes: list[str]) -> None:
    folder = tmp_path_factory.mktemp("shards")
    networks = [make_network(0), make_network(1)]
    plain = [save(network, folder / f"plain-{i}") for i, network in enumerate(networks)]
    cut = [save(networks[i], folder / f"cut-{i}", max_shard_size=size) for i, size in enumerate(sizes)]
    one, other = (tensors(cook(given, folder / name)) for given, name in ((cut, "one"), (plain, "other")))
    assert one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
    assert sha256_tree(cook(cut, folder / "again")) == sha256_tree(folder / "one")


def test_large_results_are_sharded_and_load(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scriptorium.weights import soup as room
    from scriptorium.weights import tensors as files

    monkeypatch.setattr(room, "write", lambda *given, **more: files.write(*given, **more, shard_bytes=50_000))
    out = cook([base, base], tmp_path / "soup")
    assert len(list(out.glob("model-*-of-*.safetensors"))) > 3
    network = type(make_network(0)).from_pretrained(out)
    expected = make_network(0).state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in network.state_dict().items())


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"w": torch.zeros(3, 4)}, r"tensor w is F32 \[3, 4\], but F32 \[4, 3\]"),
        ({"w": torch.zeros(4, 3).half()}, "tensor w is F16"),
        ({"w": torch.zeros(4, 3), "v": torch.zeros(1)}, "has no tensor v"),
        ({"w": torch.zeros(4, 3), "n": torch.tensor([2])}, "integer tensor n differs"),
    ],
)
def test_models_that_do_not_fit_are_refused(
    tmp_path: Path, other: dict[str, torch.Tensor], message: str
) -> None:
    extra = {"n": torch.tensor([1])} if "n" in other else {}
    one, two = make(tmp_path / "1", w=torch.zeros(4, 3), **extra), make(tmp_path / "2", **other)
    with pytest.raises(InputError, match=message):
        cook([one, two], tmp_path / "soup")
    assert not (tmp_path / "soup").exists() and not (tmp_path / "soup.json").exists()


def test_quantised_weights_have_no_mean(tmp_path: Path) -> None:
    one = make(tmp_path / "1", w=torch.zeros(4, 3).to(torch.float8_e4m3fn))
    with pytest.raises(InputError, match="tensor w is quantised"):
        cook([one, one], tmp_path / "soup")


@pytest.mark.parametrize("weights", [[1.0], [0.0, 0.0], [1.0, -1.0]])
def test_shares_without_a_mean_are_refused(base: Path, tmp_path: Path, weights: list[float]) -> None:
    with pytest.raises(ConfigError, match="weights"):
        cook([base, base], tmp_path / "soup", weights)


def test_folders_that_are_no_models_are_refused(base: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"holds neither model\.safetensors"):
        cook([base, tmp_path / "empty"], tmp_path / "soup")
    damaged = make(tmp_path / "damaged", w=torch.zeros(100))
    whole = (damaged / "model.safetensors").read_bytes()
    (damaged / "model.safetensors").write_bytes(whole[:-9])
    with pytest.raises(InputError, match="not a readable safetensors file"):
        Checkpoint(damaged)


MEASURE = """
import sys
from pathlib import Path
from scriptorium.weights.soup import write_sum
from scriptorium.weights.tensors import Checkpoint
def own():
    return sum(int(l.split()[1]) for l in open('/proc/self/status') if l.startswith(('RssAnon', 'VmSwap')))
before = own()
import threading, time
peak = [0]; stop = threading.Event()
def watch():
    while not stop.wait(0.002): peak[0] = max(peak[0], own())
watcher = threading.Thread(target=watch); watcher.start()
folders = [Path(p) for p in sys.argv[2:]]
write_sum([Checkpoint(p) for p in folders], [1 / len(folders)] * len(folders), Path(sys.argv[1]))
stop.set(); watcher.join()
print(peak[0] - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="measures memory by /proc")
def test_memory_does_not_grow_with_the_model(tmp_path: Path) -> None:
    torch.manual_seed(0)
    folders = [make(tmp_path / str(i), w=torch.randn(6000, 6000).bfloat16()) for i in range(6)]
    command = [sys.executable, "-c", MEASURE, str(tmp_path / "out"), *map(str, folders)]
    kilobytes = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert kilobytes < 150_000  # the tensor has 72 MB in each of six models, 144 MB in float32
