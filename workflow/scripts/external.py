"""Write down which model from elsewhere is used, as a receipt.

python workflow/scripts/external.py --model hub:org/name@revision --adapter qwen2.5-vl --recipe tiny \\
    --receipt results/external/model.json
"""

import argparse
from pathlib import Path

from scriptorium.files import sha256_json, write_json
from scriptorium.job import run
from scriptorium.receipt import Receipt, count_parameters, versions, weight_files, weights_sha256


def main() -> None:
    """Hash the weights where they are a folder of this machine; a server's are unknown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="a folder, hub:org/name@revision or a URL")
    parser.add_argument("--adapter", required=True, help="model adapter")
    parser.add_argument("--recipe", required=True)
    parser.add_argument("--receipt", type=Path, required=True, help="file to write")
    args = parser.parse_args()
    folder = Path(args.model) if Path(args.model).is_dir() else None
    digest = weights_sha256(folder) if folder else ""
    receipt = Receipt(
        **dict.fromkeys(("run", "stage", "method"), "external"),
        recipe=args.recipe,
        model=args.adapter,
        format="full",
        parents={args.model: digest},
        data={},
        weights=weight_files(folder) if folder else {},
        weights_sha256=digest,
        stage_sha256=sha256_json([args.model, args.adapter]),
        seed=None,
        parameters=count_parameters(folder) if folder else 0,
        versions=versions(),
        device="",
        metrics={},
        **dict.fromkeys(("steps", "wall_seconds", "gpu_seconds", "peak_memory_bytes"), 0),
    )
    write_json(args.receipt, receipt.model_dump(mode="json"))


if __name__ == "__main__":
    run(main)
