"""vLLM as a program on the PATH: found, asked what it knows, started with a key, started again."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from scriptorium.errors import ConfigError, ServerError
from scriptorium.serve import keeper, vllm
from scriptorium.serve.adapter import load, names
from scriptorium.serve.client import ChatClient
from scriptorium.serve.commands import parse_option
from scriptorium.serve.process import OWN_KEY, Order, shown_command, vllm_options
from scriptorium.serve.server import check_order, serving

from .test_server import eventually

QWEN = load("qwen2.5-vl")


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `vllm` on the PATH; the file that it notes its starts in."""
    if vllm.program() is not None:
        pytest.skip("this environment has a vLLM of its own")
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "vllm"
    program.write_text(f"#!{sys.executable}\n" + Path(__file__).with_name("fake_vllm.py").read_text())
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    starts = tmp_path / "starts"
    starts.touch()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_VLLM_STARTS", str(starts))
    monkeypatch.setattr(keeper, "PAUSES", (0.05, 0.05))
    vllm.known_options.cache_clear()
    return starts


@pytest.fixture
def model(tmp_path: Path) -> str:
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    return str(folder)


def test_options_come_from_its_own_help(fake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = vllm.program()
    assert words is not None
    new = vllm.known_options(words)
    assert {"max-model-len", "no-enable-prefix-caching", "trust-remote-code", "seed"} <= new
    monkeypatch.setenv("FAKE_VLLM_OLD", "1")
    vllm.known_options.cache_clear()
    assert vllm.known_options(words) == new


def test_a_program_without_help_is_an_error_with_what_it_said(tmp_path: Path) -> None:
    code = "import sys; sys.exit(\"ModuleNotFoundError: No module named 'flash_attn'\")"
    with pytest.raises(ServerError, match=r"flash_attn is missing.*pip install flash_attn"):
        vllm.known_options((sys.executable, "-c", code))


@pytest.mark.parametrize(
    ("options", "names_"),
    [
        ({"gpu-memory-utilisation": 0.8}, ["--gpu-memory-utilisation", "--gpu-memory-utilization"]),
        ({"disable-log-requests": True}, ["--disable-log-requests", "--help=all"]),
        ({"api-key": "secret"}, ["api-key"]),
        ({"port": 1}, ["--port"]),
    ],
)
def test_options_it_does_not_know_are_refused_before_a_start(
    fake: Path, model: str, tmp_path: Path, options: dict[str, vllm.Value], names_: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        check_order(Order(model, QWEN, 1, tmp_path / "log", options=options))
    assert all(name in str(caught.value) for name in names_)
    assert "secret" not in str(caught.value)
    assert fake.read_text() == ""


@pytest.mark.parametrize("name", names())
def test_every_adapters_options_are_written_as_vllm_reads_them(fake: Path, model: str, name: str) -> None:
    adapter = load(name).model_copy(update={"engine": "vllm"})
    check_order(Order(model, adapter, 1, Path("log")))


def test_context_image_and_revision_are_bounded() -> None:
    order = Order("hub:org/name@abc", QWEN, 1, Path("log"), options={"max_model_len": 8192})
    options = vllm_options(order, 1234)
    assert (options["host"], options["port"], options["revision"]) == ("127.0.0.1", 1234, "abc")
    assert options["max-model-len"] == 8192 and "max_model_len" not in options
    assert json.loads(str(options["mm-processor-kwargs"]))["max_pixels"] == QWEN.max_pixels
    assert options["served-model-name"] == "org/name@abc"
    words = vllm.as_words({"a": True, "b": False, "c": 0.5, "d": "x y"})
    assert words == ["--a", "--no-b", "--c", "0.5", "--d", "x y"]


def test_a_server_asks_for_a_key_that_no_command_line_shows(fake: Path, model: str, tmp_path: Path) -> None:
    with serving(model, QWEN, 1, tmp_path / "log") as endpoint:
        key = os.environ[endpoint.key_variable]
        assert endpoint.key_variable.startswith(OWN_KEY) and len(key) >= 32
        asked = f"{endpoint.base_url}/models"
        assert httpx.get(asked).status_code == 401
        assert httpx.get(asked, headers={"Authorization": f"Bearer {key}"}).status_code == 200
        family = psutil.Process().children(recursive=True)
        assert family and not any(key in word for member in family for word in member.cmdline())
        address = {each.laddr.ip for member in family for each in member.net_connections("tcp")}
        assert address == {"127.0.0.1"}
    assert endpoint.key_variable not in os.environ
    assert key not in (tmp_path / "log").read_text()


def test_a_server_that_dies_is_started_again_on_its_port(
    fake: Path, model: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving(model, QWEN, 1, tmp_path / "log") as endpoint:
        url = endpoint.base_url.removesuffix("/v1")

        def well() -> bool:
            endpoint.check()
            try:
                return httpx.get(f"{url}/health").is_success
            except httpx.TransportError:
                return False

        for starts in (1, 2, 3):
            assert eventually(lambda starts=starts: well() and fake.read_text().count("started") == starts)
            with pytest.raises(httpx.TransportError):
                httpx.get(f"{url}/die")
        with pytest.raises(ServerError, match=r"died 3 times.*code 3"):
            eventually(lambda: well() and False)
    assert capfd.readouterr().err.count("starting it again") == 2


def test_pages_in_flight_wait_for_a_server_that_died(
    fake: Path, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_VLLM_ANSWERS", "2")
    with serving(model, QWEN, 1, tmp_path / "log") as endpoint, ChatClient(endpoint, patience=60) as client:
        answers = [client.complete(b"png", "Read.", 9, 0.1).text for _ in range(5)]
    assert [answers.index(each) for each in answers] == [0, 0, 2, 2, 4]
    assert fake.read_text().count("started") == 3
    assert (tmp_path / "log").read_text().count("Segmentation fault") == 2


def test_a_server_that_never_comes_up_is_not_started_again(
    fake: Path, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    log.write_text("torch.OutOfMemoryError: CUDA out of memory, of another run\n")
    monkeypatch.setenv("FAKE_VLLM_DIES", "1")
    monkeypatch.setenv(
        "FAKE_VLLM_LOG", "ValueError: Model architectures ['XForOCR'] are not supported for now."
    )
    with pytest.raises(ServerError) as caught, serving(model, QWEN, 1, log):
        pass
    told = str(caught.value)
    assert "code 1" in told and "newer vLLM" in told and "XForOCR" in told and "another run" not in told
    assert fake.read_text().count("started") == 1


def test_serve_prints_its_command_without_the_key(
    fake: Path, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = shown_command(Order(model, QWEN, 1, Path("log"), 8123, {"seed": 7}, "the secret"))
    assert shown.startswith('VLLM_API_KEY="$SCRIPTORIUM_API_KEY" ')
    assert "--port 8123" in shown and "--seed 7" in shown and model in shown and "the secret" not in shown


def test_serve_is_there_until_it_is_told_to_stop(fake: Path, model: str, tmp_path: Path) -> None:
    words = [sys.executable, "-c", "from scriptorium.cli import main; main()", "serve", model]
    process = subprocess.Popen(
        [*words, "--adapter", "qwen2.5-vl", "--log", str(tmp_path / "log"), "--option", "seed=3"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    key = process.stdout.readline().strip().partition("export SCRIPTORIUM_API_KEY=")[2]
    ready = process.stdout.readline()
    url = ready.split()[2].partition("#")[0]
    assert httpx.get(f"{url}/models", headers={"Authorization": f"Bearer {key}"}).is_success
    assert "--seed 3" in fake.read_text() and key not in fake.read_text()
    family = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    process.wait()
    assert process.returncode == 128 + 15
    assert eventually(lambda: not any(member.is_running() for member in family))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("max-num-seqs=16", ("max-num-seqs", 16)),
        ("--enforce-eager=true", ("enforce-eager", True)),
        ("gpu-memory-utilization=0.8", ("gpu-memory-utilization", 0.8)),
        ('limit-mm-per-prompt={"image": 1}', ("limit-mm-per-prompt", '{"image": 1}')),
        ("x=[", ("x", "[")),
    ],
)
def test_options_on_the_command_line(text: str, found: tuple[str, vllm.Value]) -> None:
    assert parse_option(text) == found


@pytest.mark.parametrize("text", ["enforce-eager", "=1", "--=1"])
def test_an_option_without_name_or_value_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="NAME=VALUE"):
        parse_option(text)
