"""A program that stands where `vllm` does: its help, its options, its key, and deaths on order.

`vllm serve --help=all` lists options; `vllm serve MODEL --port N` answers /health, /v1/models (with the key) and a
chat. With FAKE_VLLM_LOG it writes that text first; with FAKE_VLLM_DIES it then ends with that code. A GET of
/die ends it, and so does the request after FAKE_VLLM_ANSWERS answers. FAKE_VLLM_OLD makes it one whose plain help
is all there is.
"""

import http.server
import json
import os
import sys
from pathlib import Path

HELP = """usage: vllm serve [model_tag] [options]
  --host HOST           Host name. (default: None)
  --port PORT           Port number. (default: 8000)
  --api-key [API_KEY ...]
  --served-model-name SERVED_MODEL_NAME [SERVED_MODEL_NAME ...]
  --max-model-len MAX_MODEL_LEN
  --limit-mm-per-prompt LIMIT_MM_PER_PROMPT
  --mm-processor-kwargs MM_PROCESSOR_KWARGS
  --mm-processor-cache-gb MM_PROCESSOR_CACHE_GB
  --enable-prefix-caching, --no-enable-prefix-caching
  --trust-remote-code, --no-trust-remote-code
  --gpu-memory-utilization GPU_MEMORY_UTILIZATION
  --revision REVISION   --seed SEED
"""


ANSWERED: list[object] = []


class Handler(http.server.BaseHTTPRequestHandler):
    """The addresses above."""

    def do_GET(self) -> None:
        if self.path == "/die":
            print("RuntimeError: CUDA error: an illegal memory access was encountered", flush=True)
            os._exit(3)
        key = os.environ.get("VLLM_API_KEY", "")
        allowed = not self.path.startswith("/v1") or self.headers["authorization"] == f"Bearer {key}"
        body = b'{"data": [{"id": "model"}]}' if allowed else b'{"error": "Unauthorized"}'
        self.send_response(200 if allowed else 401)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if (limit := os.environ.get("FAKE_VLLM_ANSWERS")) and len(ANSWERED) == int(limit):
            print("Fatal Python error: Segmentation fault", flush=True)
            os._exit(139)
        ANSWERED.append(asked)
        message = {"role": "assistant", "content": f"from {os.getpid()}"}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        body = json.dumps(
            {"choices": [choice], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}
        ).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def main(words: list[str]) -> int:
    """Serve until killed, or help."""
    if words[0] != "serve":
        return 2
    if words[1] in ("--help", "--help=all"):
        if os.environ.get("FAKE_VLLM_OLD") and words[1] != "--help":
            print("vllm: error: argument -h/--help: ignored explicit argument 'all'", file=sys.stderr)
            return 2
        print(HELP)
        return 0
    started = Path(os.environ["FAKE_VLLM_STARTS"])
    started.write_text(started.read_text() + "started " + " ".join(words) + "\n")
    print(os.environ.get("FAKE_VLLM_LOG", ""), flush=True)
    if code := os.environ.get("FAKE_VLLM_DIES"):
        return int(code)
    port = int(words[words.index("--port") + 1])
    http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
