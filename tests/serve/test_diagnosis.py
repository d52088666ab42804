"""The cause that a server's log names, on lines as engines write them."""

import pytest

from scriptorium.serve.diagnosis import SIGNS, diagnose

CASES = [
    (
        "cache",
        "ValueError: To serve at least one request with the models's max seq len (16384), (0.88 GiB KV cache is "
        "needed, which is larger than the available KV cache memory (0.52 GiB). Based on the available memory, the "
        "estimated maximum model length is 9712. Try increasing `gpu_memory_utilization` or decreasing "
        "`max_model_len` when initializing the engine.",
        ["16384", "context: 9712"],
    ),
    (
        "cache",
        "(EngineCore_DP0 pid=812) ValueError: No available memory for the cache blocks. Try increasing "
        "`gpu_memory_utilization` when initializing the engine.",
        ["gpu-memory-utilization"],
    ),
    (
        "gpu_in_use",
        "ValueError: Free memory on device (10.21/23.57 GiB) on startup is less than desired GPU memory utilization "
        "(0.9, 21.21 GiB). Decrease GPU memory utilization or reduce GPU memory used by other processes.",
        ["10.21", "23.57", "nvidia-smi"],
    ),
    (
        "gpu_memory",
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.16 GiB. GPU 0 has a total capacity of 15.77 "
        "GiB of which 540.00 MiB is free. Process 3077 has 15.24 GiB memory in use.",
        ["max-num-seqs", "FP8"],
    ),
    (
        "gpu_memory",
        "torch.cuda.OutOfMemoryError: HIP out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of "
        "23.98 GiB of which 0 bytes is free.",
        ["GPU memory"],
    ),
    (
        "host_memory",
        "RuntimeError: [enforce fail at alloc_cpu.cpp:121] err == 0. DefaultCPUAllocator: can't allocate memory: you "
        "tried to allocate 1090519040 bytes. Error code 12 (Cannot allocate memory)",
        ["scheduler"],
    ),
    ("host_memory", "slurmstepd: error: Detected 1 oom-kill event(s) in StepId=4242.batch.", ["memory"]),
    (
        "shared_memory",
        "RuntimeError: DataLoader worker (pid 91) is killed by signal: Bus error.",
        ["--shm-size"],
    ),
    (
        "disk",
        "RuntimeError: Data processing error: CAS service error : IO Error: No space left on device (os error 28)",
        ["HF_HOME"],
    ),
    ("port", "OSError: [Errno 98] Address already in use", ["--port"]),
    (
        "port",
        "ERROR:    [Errno 98] error while attempting to bind on address ('127.0.0.1', 8000): address already in use",
        ["--port"],
    ),
    (
        "gated",
        "huggingface_hub.errors.GatedRepoError: 403 Client Error. (Request ID: Root=1-6)\n\nCannot access gated repo "
        "for url https://huggingface.co/org/name/resolve/main/config.json.",
        ["HF_TOKEN"],
    ),
    (
        "offline",
        "OSError: We couldn't connect to 'https://huggingface.co' to load the files, and couldn't find them in the "
        "cached files.\nCheck your internet connection or see how to run the library in offline mode.",
        ["its folder"],
    ),
    (
        "offline",
        "huggingface_hub.errors.OfflineModeIsEnabled: Cannot reach https://huggingface.co/api/models/org/name: offline "
        "mode is enabled. To disable it, please unset the `HF_HUB_OFFLINE` environment variable.",
        ["network"],
    ),
    (
        "model_not_found",
        "OSError: org/nam is not a local folder and is not a valid model identifier listed on "
        "'https://huggingface.co/models'",
        ["spelling"],
    ),
    (
        "model_not_found",
        "huggingface_hub.errors.RepositoryNotFoundError: 404 Client Error. (Request ID: Root=1-6)\n\nRepository Not "
        "Found for url: https://huggingface.co/api/models/org/nam.",
        ["hub:org/name@revision"],
    ),
    (
        "remote_code",
        "ValueError: The repository org/name contains custom code which must be executed to correctly load the model. "
        "You can inspect the repository content at https://hf.co/org/name.\nPlease pass the argument "
        "`trust_remote_code=True` to allow custom code to be run.",
        ["trust-remote-code=true"],
    ),
    ("package", "ModuleNotFoundError: No module named 'qwen_vl_utils'", ["pip install qwen_vl_utils"]),
    (
        "package",
        "ImportError: This modeling file requires the following packages that were not found in your environment: "
        "flash_attn, einops. Run `pip install flash_attn einops`",
        ["flash_attn, einops"],
    ),
    (
        "compiler",
        "RuntimeError: Failed to find C compiler. Please specify via CC environment variable or set triton.knobs.",
        ["gcc"],
    ),
    (
        "driver",
        "RuntimeError: The NVIDIA driver on your system is too old (found version 11040). Please update your GPU "
        "driver by downloading and installing a new version",
        ["11040", "Update the driver"],
    ),
    (
        "driver",
        "RuntimeError: CUDA error: CUDA driver version is insufficient for CUDA runtime version",
        ["Update the driver"],
    ),
    ("no_gpu", "RuntimeError: No CUDA GPUs are available", ["CUDA_VISIBLE_DEVICES"]),
    (
        "no_gpu",
        "RuntimeError: Failed to infer device type, please set the environment variable `VLLM_LOGGING_LEVEL=DEBUG` to "
        "turn on verbose logging to help debug the issue.",
        ["engine: transformers"],
    ),
    (
        "dtype",
        "ValueError: Bfloat16 is only supported on GPUs with compute capability of at least 8.0. Your Tesla T4 GPU has "
        "compute capability 7.5. You can use float16 instead by explicitly setting the `dtype` flag in CLI, for "
        "example: --dtype=half.",
        ["dtype=half"],
    ),
    (
        "dtype",
        "ValueError: The quantization method fp8 is not supported for the current GPU. Minimum capability: 75. Current "
        "capability: 70.",
        ["16 bits"],
    ),
    (
        "dtype",
        "RuntimeError: expected mat1 and mat2 to have the same dtype, but got: float != c10::BFloat16",
        ["dtype=auto"],
    ),
    (
        "gpu_architecture",
        "NVIDIA GeForce RTX 5090 with CUDA capability sm_120 is not compatible with the current PyTorch installation.",
        ["compute capability"],
    ),
    (
        "architecture",
        "ValueError: Model architectures ['DotsOCRForCausalLM'] are not supported for now. Supported architectures: "
        "dict_keys(['ApertusForCausalLM', 'AquilaModel'])",
        ["newer vLLM"],
    ),
    (
        "architecture",
        "ValueError: The checkpoint you are trying to load has model type `qwen3_vl` but Transformers does not "
        "recognize this architecture. This could be because of an issue with the checkpoint",
        ["newer transformers"],
    ),
    (
        "context",
        "  Value error, User-specified max_model_len (40960) is greater than the derived max_model_len "
        "(max_position_embeddings=32768 or model_max_length=None in model's config.json).",
        ["40960", "context: 32768"],
    ),
    ("options", "vllm: error: unrecognized arguments: --disable-log-requests", ["--disable-log-requests"]),
    (
        "weights",
        "safetensors_rust.SafetensorError: Error while deserializing header: HeaderTooLarge",
        ["compare their hashes"],
    ),
    ("open_files", "OSError: [Errno 24] Too many open files: 'chat_template.jinja'", ["ulimit"]),
]


@pytest.mark.parametrize(("name", "line", "words"), CASES)
def test_the_cause_and_the_change_are_named(name: str, line: str, words: list[str]) -> None:
    log = (
        "INFO 11-21 16:00:01 [__init__.py:216] Automatically detected platform cuda.\n"
        f'Traceback (most recent call last):\n  File "server.py", line 7, in main\n{line}\n'
        "RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}\n"
    )
    found = diagnose(log, 1)
    assert found is not None
    assert found.name == name
    assert all(word in str(found) for word in words), str(found)
    assert found.line and found.line in log


def test_every_cause_has_a_case() -> None:
    assert {sign.name for sign in SIGNS} == {name for name, _, _ in CASES}


def test_a_healthy_log_has_no_cause() -> None:
    log = (
        "INFO 11-21 16:00:01 [api_server.py:1839] vLLM API server version 0.30.0\n"
        "INFO: non-default args: {'host': '127.0.0.1', 'port': 8000, 'max_model_len': 16384}\n"
        "INFO: Initializing a V1 LLM engine (v0.30.0) with config: model='model', trust_remote_code=True, "
        "dtype=torch.bfloat16, max_seq_len=16384, quantization=None, enforce_eager=False, seed=0\n"
        "INFO: Model loading took 15.6271 GiB and 8.4 seconds\n"
        "INFO: Available KV cache memory: 52.11 GiB\n"
        "INFO: Application startup complete.\n"
        'INFO: 127.0.0.1:44412 - "POST /v1/chat/completions HTTP/1.1" 200 OK\n'
    )
    assert diagnose(log, 0) is None


@pytest.mark.parametrize("code", [-9, 137, 247])
def test_a_kill_without_a_word_is_most_often_memory(code: int) -> None:
    found = diagnose("INFO: Loading safetensors checkpoint shards: 50%\n", code)
    assert found is not None and found.name == "host_memory" and not found.lasting
    assert diagnose("INFO: Loading\n", 1) is None


def test_what_another_start_cannot_mend_is_told_apart() -> None:
    lasting = {sign.name for sign in SIGNS if sign.lasting}
    assert {"package", "architecture", "driver", "weights", "dtype", "disk"} <= lasting
    assert not {"gpu_memory", "host_memory", "port", "gpu_in_use"} & lasting
