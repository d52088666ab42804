"""Fetch a model from the hub, as a folder.

python workflow/scripts/fetch_model.py --source hub:org/name@revision --out results/hub/org--name@revision
"""

import argparse
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

from scriptorium.errors import ServerError
from scriptorium.job import run

FILES = ["*.json", "*.safetensors", "*.txt", "*.jinja", "*.model"]
"""Weights, config, tokenizer, chat template; no code and no pickled weights."""


def main() -> None:
    """Download the files of one revision; what is there already is not fetched again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", required=True, help="hub:org/name@revision")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    args = parser.parse_args()
    name, _, revision = args.source.removeprefix("hub:").partition("@")
    try:
        snapshot_download(name, revision=revision or None, local_dir=args.out, allow_patterns=FILES)
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise ServerError(f"{args.source} cannot be fetched: {error}") from error


if __name__ == "__main__":
    run(main)
