"""Why a model server ended: the likely cause in its log, and what to change."""

import re
from dataclasses import dataclass

KILLED = {-9, 137, 247}
"""Exit codes of a process that got SIGKILL: of the process, through a shell, through our guard (256 - 9)."""


@dataclass(frozen=True)
class Diagnosis:
    """`name` of a cause, the `cause` and what to `change` in words, and the `line` of the log that says so.

    `lasting`: starting again with the same settings cannot help.
    """

    name: str
    cause: str
    change: str
    line: str = ""
    lasting: bool = True

    def __str__(self) -> str:
        return f"{self.cause}. {self.change}" + (f" ({self.line})" if self.line else "")


@dataclass(frozen=True)
class Sign:
    """A pattern of log lines, and what it means. Groups of the pattern fill `{0}`, `{1}` of the words."""

    name: str
    pattern: str
    cause: str
    change: str
    lasting: bool = True


SIGNS = (
    Sign(
        "cache",
        r"max seq len \((\d+)\).*?estimated maximum model length is (\d+)",
        "the GPU's memory does not hold one answer of {0} tokens",
        "Set context: {1} in the model adapter and max_tokens below it, or --option gpu-memory-utilization=0.95",
    ),
    Sign(
        "cache",
        r"No available memory for the cache blocks|larger than the available KV cache memory",
        "the weights leave no GPU memory for answers",
        "Set --option gpu-memory-utilization=0.95, a smaller context in the model adapter, or use FP8 weights",
    ),
    Sign(
        "gpu_in_use",
        r"Free memory on device .*?\(([\d.]+)/([\d.]+) GiB\) on startup is less than desired",
        "only {0} of the GPU's {1} GiB are free",
        "End what else runs on the GPU (nvidia-smi shows it), or set a smaller --option gpu-memory-utilization=0.5",
        lasting=False,
    ),
    Sign(
        "gpu_memory",
        r"CUDA out of memory|torch\.OutOfMemoryError|torch\.cuda\.OutOfMemoryError|HIP out of memory"
        r"|CUDA error: out of memory|CUBLAS_STATUS_ALLOC_FAILED",
        "out of GPU memory",
        "Set --option gpu-memory-utilization=0.8 and --option max-num-seqs=16, a smaller context in the model "
        "adapter, FP8 weights, or more GPUs with --option tensor-parallel-size=2",
        lasting=False,
    ),
    Sign(
        "host_memory",
        r"DefaultCPUAllocator: (?:can't allocate|not enough) memory|\[Errno 12\] Cannot allocate memory"
        r"|std::bad_alloc|^MemoryError|Out of memory: Killed process|oom[-_]kill",
        "out of host memory",
        "Ask the scheduler for more memory (the weights' size and 8 GB more), or use smaller weights",
        lasting=False,
    ),
    Sign(
        "shared_memory",
        r"insufficient shared memory|No space left on device: '/dev/shm|Bus error",
        "out of shared memory",
        "Give the container more of it: docker run --ipc=host, or --shm-size=8g",
    ),
    Sign(
        "disk",
        r"No space left on device|\[Errno 28\]|Disk quota exceeded",
        "the disk is full",
        "Free some space where the weights are kept: HF_HOME names another place",
    ),
    Sign(
        "port",
        r"(?i)address already in use|EADDRINUSE",
        "the port is taken",
        "Name another with --port, or leave it out and a free one is found",
        lasting=False,
    ),
    Sign(
        "gated",
        r"GatedRepoError|Access to model \S+ is restricted|gated repo",
        "the model's owner asks for an agreement before it can be fetched",
        "Agree on the model's page, and set HF_TOKEN",
    ),
    Sign(
        "offline",
        r"OfflineModeIsEnabled|LocalEntryNotFoundError|outgoing traffic has been disabled"
        r"|couldn't connect to 'https://huggingface\.co'|Name or service not known.*huggingface"
        r"|Failed to resolve 'huggingface\.co'",
        "the model is not on this machine, and the hub cannot be reached",
        "Fetch it where there is a network, and name its folder",
    ),
    Sign(
        "model_not_found",
        r"RepositoryNotFoundError|RevisionNotFoundError|is not a valid model identifier|Repository Not Found"
        r"|404 Client Error.*huggingface|Invalid repository ID or local directory",
        "the hub has no such model or revision",
        "Look at the spelling of hub:org/name@revision; a private one needs HF_TOKEN",
    ),
    Sign(
        "remote_code",
        r"pass the argument `trust_remote_code=True`|contains custom code which must be executed",
        "the weights come with code of their own",
        "Read that code, pin its revision (hub:org/name@revision), then --option trust-remote-code=true",
    ),
    Sign(
        "package",
        r"ModuleNotFoundError: No module named '([\w.]+)'",
        "the Python package {0} is missing",
        "Install it into the environment that serves: pip install {0}",
    ),
    Sign(
        "package",
        r"requires the following packages that were not found in your environment: ([\w.,\- ]+?)\. ",
        "Python packages are missing: {0}",
        "Install them into the environment that serves",
    ),
    Sign(
        "compiler",
        r"Failed to find C compiler|fatal error: Python\.h: No such file|Could not find nvcc|nvcc: not found",
        "a compiler is missing, with which GPU code is made at the first start",
        "Install gcc and Python's headers (apt-get install gcc python3-dev), or --option enforce-eager=true",
    ),
    Sign(
        "driver",
        r"NVIDIA driver on your system is too old \(found version (\d+)\)",
        "the NVIDIA driver is too old for this PyTorch (it speaks CUDA {0})",
        "Update the driver, or install a PyTorch and vLLM made for an older CUDA",
    ),
    Sign(
        "driver",
        r"CUDA driver version is insufficient for CUDA runtime version|cudaErrorInsufficientDriver"
        r"|forward compatibility was attempted on non supported HW",
        "the NVIDIA driver is too old for this CUDA",
        "Update the driver, or install a PyTorch and vLLM made for an older CUDA",
    ),
    Sign(
        "no_gpu",
        r"Found no NVIDIA driver|No CUDA GPUs are available|libcuda\.so\.1: cannot open shared object"
        r"|Failed to infer device type|No HIP GPUs are available",
        "no GPU is to be seen",
        "Look whether nvidia-smi works here and the job was given a GPU (CUDA_VISIBLE_DEVICES, docker --gpus all); "
        "without one, serve with engine: transformers",
    ),
    Sign(
        "dtype",
        r"[Bb]float16 is only supported on GPUs with compute capability|--dtype[= ]half",
        "the GPU is too old for bfloat16",
        "Set --option dtype=half",
    ),
    Sign(
        "dtype",
        r"quantization method (\S+) is not supported for the current GPU"
        r"|Minimum capability: \d+\. Current capability: \d+",
        "the GPU is too old for the form in which the weights are quantised",
        "Use the weights in 16 bits, or a GPU of compute capability 8.9 or more for FP8",
    ),
    Sign(
        "dtype",
        r"expected (?:m1 and m2|mat1 and mat2|self and mat2).*?same dtype|torch\.dtype is not supported"
        r"|not supported for quantization method",
        "the weights and the computation are of different types",
        "Set --option dtype=auto, or the type that the model's config.json names",
    ),
    Sign(
        "gpu_architecture",
        r"no kernel image is available for execution on the device|is not compatible with the current PyTorch",
        "this PyTorch was not made for this GPU",
        "Install a PyTorch and vLLM for the GPU's compute capability",
    ),
    Sign(
        "architecture",
        r"Model architectures \[(.+?)\] (?:are|is) not supported|has no vLLM implementation"
        r"|failed to be inspected",
        "this vLLM does not know the model's architecture",
        "Use a newer vLLM, or engine: transformers",
    ),
    Sign(
        "architecture",
        r"model type [`']([\w.\-]+)[`'] but Transformers does not recognize|Unrecognized model in"
        r"|Unrecognized configuration class|The checkpoint you are trying to load has model type",
        "this transformers does not know the model's architecture",
        "Use a newer transformers, or look at model_type in the model's config.json",
    ),
    Sign(
        "context",
        r"max_model_len \((\d+)\) is greater than the derived max_model_len \(\D*?(\d+)",
        "the adapter's context of {0} tokens is more than the model's {1}",
        "Set context: {1} in the model adapter",
    ),
    Sign(
        "options",
        r"unrecognized arguments?: (.+)|No such option: (\S+)|error: argument (\S+?):",
        "the engine does not take an option: {0}",
        "Take it out of the adapter's options or the command line",
    ),
    Sign(
        "weights",
        r"SafetensorError|HeaderTooLarge|MetadataIncompleteBuffer|There is no module or parameter named"
        r"|size mismatch for|Cannot find any model weights",
        "the weights are damaged, incomplete or not of this architecture",
        "Fetch or write them again, and compare their hashes",
    ),
    Sign(
        "open_files",
        r"Too many open files|\[Errno 24\]",
        "too many open files",
        "Raise the limit before starting: ulimit -n 65536",
    ),
)
"""The most telling first: the engine's own last error ("see root cause above") names none."""


def diagnose(log: str, code: int | None = None) -> Diagnosis | None:
    """The likely cause of a server's end: `log`, what it wrote since its start; `code`, its exit code."""
    for sign in SIGNS:
        if found := re.search(sign.pattern, log, re.MULTILINE):
            words = [group for group in found.groups() if group] + ["?", "?"]
            line = log[log.rfind("\n", 0, found.start()) + 1 :].split("\n", 1)[0].strip()
            cause, change = (text.format(*words) for text in (sign.cause, sign.change))
            return Diagnosis(sign.name, cause, change, line[:300], sign.lasting)
    if code in KILLED:
        cause = "killed from outside; most often by the kernel or the scheduler, out of host memory"
        change = (
            "Ask for more memory (the weights' size and 8 GB more); dmesg or the scheduler's report says more"
        )
        return Diagnosis("host_memory", cause, change, lasting=False)
    return None
