"""The server that generates for GRPO: its GPUs, its command line, its life. vLLM itself is not needed for it."""

import os
import stat
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from scriptorium.errors import ConfigError, ServerError
from scriptorium.serve import vllm
from scriptorium.serve.adapter import load
from scriptorium.serve.process import NAME, command, environment
from scriptorium.train import rollouts

STAND_IN = Path(__file__).parents[1] / "serve" / "fake_vllm.py"
MORE = "--tensor-parallel-size N --weight-transfer-config JSON --logprobs-mode MODE --max-logprobs N --enable-scale-out"


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `vllm` on the PATH that knows the options for rollouts; the file that it notes its starts in."""
    if vllm.program() is not None:
        pytest.skip("this environment has a vLLM of its own")
    program = tmp_path / "bin" / "vllm"
    program.parent.mkdir()
    text = STAND_IN.read_text().replace("  --host HOST", f"  {MORE}\n  --host HOST")
    program.write_text(f"#!{sys.executable}\n{text}")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "starts").touch()
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_VLLM_STARTS", str(tmp_path / "starts"))
    vllm.known_options.cache_clear()
    return tmp_path / "starts"


def test_it_gets_the_gpus_that_do_not_train(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOCAL_WORLD_SIZE", "WORLD_SIZE"):
        monkeypatch.setenv(name, "7")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert rollouts.spare_gpus(8) == ["7"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "8,9,10,11,12,13,14,15")
    assert rollouts.spare_gpus(8) == ["15"]
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "8")
    monkeypatch.setenv("WORLD_SIZE", "8")
    with pytest.raises(ConfigError, match="needs one more"):
        rollouts.spare_gpus(8)
    monkeypatch.setenv("WORLD_SIZE", "16")
    with pytest.raises(ConfigError, match="vllm_server_base_url"):
        rollouts.spare_gpus(8)


def test_it_takes_weights_and_thinks_itself_alone(
    stand_in: Path, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("MASTER_PORT", "29500")
    order = rollouts.make_order(base, load("qwen2.5-vl"), tmp_path / "log", ["6", "7"], 0.5, 16384)
    line = " ".join(command(order, 8000))
    for words in (
        f"serve {NAME}",
        "--host 127.0.0.1",
        "--tensor-parallel-size 2",
        "--gpu-memory-utilization 0.5",
        "--max-model-len 16384",
        '--weight-transfer-config {"backend": "nccl"}',
        "--logprobs-mode processed_logprobs",
        "--max-logprobs -1",
        "--enable-scale-out",
    ):
        assert words in line
    variables = environment(order, tmp_path)
    assert variables["VLLM_SERVER_DEV_MODE"] == "1"
    assert variables["CUDA_VISIBLE_DEVICES"] == "6,7"
    assert not {"RANK", "MASTER_PORT", "VLLM_API_KEY"} & variables.keys()


def test_it_lives_as_long_as_the_training(stand_in: Path, base: Path, tmp_path: Path) -> None:
    order = rollouts.make_order(base, load("qwen2.5-vl"), tmp_path / "log", ["1"], 0.5, 16384)
    with rollouts.generating(order) as url:
        assert httpx.get(f"{url}/health").status_code == 200
        family = psutil.Process().children(recursive=True)
        assert any(
            "fake" in " ".join(each.cmdline()) or "vllm" in " ".join(each.cmdline()) for each in family
        )
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/health")


def test_one_that_dies_says_why(
    stand_in: Path, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_VLLM_LOG", "torch.OutOfMemoryError: CUDA out of memory.")
    monkeypatch.setenv("FAKE_VLLM_DIES", "1")
    order = rollouts.make_order(base, load("qwen2.5-vl"), tmp_path / "log", ["1"], 0.5, 16384)
    with pytest.raises(ServerError, match="out of memory"), rollouts.generating(order):
        pass


def test_without_vllm_it_says_what_to_install(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if vllm.program() is not None:
        pytest.skip("this environment has a vLLM of its own")
    with pytest.raises(ConfigError, match="pip install vllm"):
        rollouts.make_order(base, load("qwen2.5-vl"), tmp_path / "log", ["1"], 0.5, 16384)
